"""The machine: what it is, how busy it is, and which versions of everything run on it."""

import datetime
import json
import os
import platform
import re
import subprocess

from mrtest import places
from mrtest.waiting import Not, until

TICKS = os.sysconf("SC_CLK_TCK")
IDLE_SHARE = 0.1


def process_seconds(pid):
    """User and system time of a process, with its children that have ended."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return sum(int(field) for field in fields[11:15]) / TICKS


def busy_seconds():
    """What all processors together have worked since the machine started."""
    with open("/proc/stat", encoding="ascii") as f:
        user, nice, system, _, _, irq, softirq, steal = (int(field) for field in f.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICKS


def load_average():
    return os.getloadavg()[0]


class BrokerLoad:
    """The broker's own work."""

    def __init__(self, broker):
        with open(os.path.join(broker.directory, "1", "pid"), encoding="ascii") as f:
            self.pid = int(f.read())

    def seconds(self):
        return process_seconds(self.pid)

    def wait_idle(self, seconds=120, window=0.5):
        """Until it does next to nothing for a while: no contender pays for the one before it."""
        last = [self.seconds()]

        def is_idle():
            before, last[0] = last[0], self.seconds()
            share = (last[0] - before) / window
            return share < IDLE_SHARE or Not(f"it uses {share:.0%} of a processor")

        last[0] -= window
        until("the broker to be idle", seconds, is_idle, every=window)


def output_of(*command):
    """What a command prints, or why it did not."""
    try:
        done = subprocess.run(
            command,
            cwd=places.ROOT,
            env=places.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as e:
        return f"unknown: {e}"
    return done.stdout.strip() if done.returncode == 0 else f"unknown: exit code {done.returncode}"


def field_of(path, name):
    with open(path, encoding="utf-8", errors="replace") as f:
        found = re.search(rf"^{name}\s*:\s*(.*)$", f.read(), re.M)
    return found.group(1) if found else "unknown"


def describe():
    return {
        "processor": field_of("/proc/cpuinfo", "model name"),
        "processors": os.cpu_count(),
        "memory": field_of("/proc/meminfo", "MemTotal"),
        "kernel": platform.release(),
        "system": field_of_release("PRETTY_NAME"),
    }


def field_of_release(name):
    with open("/etc/os-release", encoding="utf-8") as f:
        found = re.search(rf'^{name}="?(.*?)"?$', f.read(), re.M)
    return found.group(1) if found else "unknown"


def build_options():
    """How the executables under test were compiled."""
    try:
        options = json.loads(output_of("meson", "introspect", "--buildoptions", places.build()))
    except ValueError:
        return {}
    wanted = ("buildtype", "optimization", "b_lto", "b_ndebug", "b_sanitize", "c_args")
    return {option["name"]: option["value"] for option in options if option["name"] in wanted}


def kafka_version():
    path = os.path.join(places.ROOT, "tests", "support", "kafka", "pom.xml")
    with open(path, encoding="utf-8") as f:
        return re.search(r"<kafka.version>(.*)</kafka.version>", f.read()).group(1)


def versions():
    changed = output_of("git", "status", "--porcelain", "--untracked-files=no")
    return {
        "millrace": output_of("millrace", "version").splitlines(),
        "commit": output_of("git", "rev-parse", "HEAD") + (" with changes" if changed else ""),
        "build": build_options(),
        "broker": f"Apache Kafka {kafka_version()}",
        "java": output_of("java", "-version").splitlines(),
        "python": platform.python_version(),
    }


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
