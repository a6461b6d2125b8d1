"""Several processes that are one contender."""

import signal


class Together:
    """Looks like one process; what is measured of them is added up."""

    def __init__(self, name, parts):
        self.name, self.parts = name, parts
        self.started = min(part.started for part in parts)

    @property
    def popen(self):
        """That of one which has ended, if any has."""
        return next((part.popen for part in self.parts if not part.is_running()), self.parts[0].popen)

    def is_running(self):
        """Whether all of them are."""
        return all(part.is_running() for part in self.parts)

    def kill(self):
        for part in self.parts:
            part.kill()

    def terminate(self, seconds):
        """The first exit code that is not 0."""
        for part in self.parts:
            part.signal(signal.SIGTERM)
        codes = [part.wait(seconds) for part in self.parts]
        return next((code for code in codes if code != 0), 0)

    def output(self):
        return "".join(part.output() for part in self.parts)

    def tail(self):
        return "\n".join(part.tail() for part in self.parts)

    def cpu_seconds(self):
        return sum(part.cpu_seconds() for part in self.parts)

    def measured(self):
        """{name: its share}"""
        return {
            part.name: {
                "cpu_seconds": round(part.cpu_seconds(), 2),
                "peak_mib": round(part.peak_kilobytes() / 1024, 1),
            }
            for part in self.parts
        }

    def peak_kilobytes(self):
        """The sum of their peaks, which is at least the peak of their sum."""
        return sum(part.peak_kilobytes() for part in self.parts)
