"""Millrace itself, with the app `totals`."""

import os
import re
import shutil
import types

from harness.contender import Native
from mrtest import places
from mrtest.app import Stage
from mrtest.process import run as run_command

STAGE = "totals"
NAMES = 'return {{ app = "{run.name}", input = "{run.input}", output = "{run.output}", partitions = {n} }}\n'


class Millrace(Native):
    """One process of one stage; `app` names a directory below tests/bench/apps."""

    def __init__(self, name, title, librdkafka="newer", app="totals"):
        super().__init__(name, title, librdkafka)
        self.app = app

    def group(self, run):
        return f"{run.name}-{STAGE}"

    def properties(self, run):
        s = run.settings
        return {
            "bootstrap.servers": run.cluster.bootstrap,
            "state.dir": run.state,
            "processing.guarantee": run.guarantee,
            "commit.interval.ms": f"{s.commit_ms}ms",
            "num.workers": str(s.threads),
            "memory.budget": f"{s.memory_mib}m",
        }

    def arguments(self, run):
        return [word for name, value in self.properties(run).items() for word in ("-X", f"{name}={value}")]

    def prepare(self, run):
        directory = run.path("app")
        shutil.copytree(os.path.join(places.ROOT, "tests", "bench", "apps", self.app), directory)
        with open(os.path.join(directory, "names.lua"), "w", encoding="utf-8") as f:
            f.write(NAMES.format(run=run, n=run.settings.partitions))
        code, out, err = run_command(["millrace", "topics", "apply", directory, *self.arguments(run)])
        assert code == 0, f"millrace topics apply exits {code}:\n{out}{err}"

    def start(self, run):
        app = types.SimpleNamespace(
            name=run.name,
            stages={STAGE: ("project", [run.input])},
            directory=run.path("app"),
            files=run.directory,
            state=run.state,
            settings=lambda **more: self.arguments(run) + [w for n, v in more.items() for w in ("-X", f"{n}={v}")],
        )
        return Stage(app, STAGE, "0", self.environment(), {})

    def is_ready(self, process):
        return process.is_ready()

    def restored(self, process):
        return sum(int(n) for n in re.findall(r"ready restored=(\d+)", process.output()))
