"""Writes records at an even pace while a test does something else, and remembers what the broker acknowledged."""

import math
import threading
import time

from mrtest.kafka import Writer


class Feed(threading.Thread):
    """`records` gives (key, value) in bytes, for ever or up to an end; `rate` is how many a second, on average."""

    def __init__(self, bootstrap, topic, records, rate):
        super().__init__(daemon=True)
        self.writer = Writer(bootstrap, on_acknowledged=self._acknowledged)
        self.topic, self.records, self.rate = topic, records, rate
        self.acknowledged = []  # (partition, offset, key, value), as the broker said
        self.sent, self.failure = 0, None
        self._end = threading.Event()
        self.start()

    def _acknowledged(self, message):
        self.acknowledged.append((message.partition(), message.offset(), message.key(), message.value()))

    def run(self):
        try:
            began = time.monotonic()
            for key, value in self.records:
                while self.sent >= self.rate * (time.monotonic() - began) and not self._end.is_set():
                    self.writer.producer.poll(0)
                    self._end.wait(0.01)
                if self._end.is_set():
                    break
                self.writer.send(self.topic, key, value, {})
                self.sent += 1
            self.writer.flush(180)
        except Exception as e:  # pylint: disable=broad-except
            self.failure = e

    def is_fine(self):
        """Whether it writes, or has written all."""
        if self.failure is not None:
            raise AssertionError(f"writing to {self.topic} failed: {self.failure}") from self.failure
        return True

    def finish(self, seconds=240):
        """Writes what is left at once; all of it is acknowledged when this returns."""
        self.rate = math.inf
        self.join(seconds)
        assert not self.is_alive(), f"{self.sent} records were written to {self.topic}, and not all, in {seconds} s"
        self.is_fine()

    def stop(self):
        """Writes no more; what was written is acknowledged when this returns."""
        self._end.set()
        self.finish()
