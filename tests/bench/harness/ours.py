"""Millrace itself: one stage of the app `totals`, and what any app of the benchmark needs."""

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


def arguments(run):
    """The properties of a stage, as its command line has them."""
    s = run.settings
    properties = {
        "bootstrap.servers": run.cluster.bootstrap,
        "state.dir": run.state,
        "processing.guarantee": run.guarantee,
        "commit.interval.ms": f"{s.commit_ms}ms",
        "num.workers": str(s.threads),
        "memory.budget": f"{s.memory_mib}m",
    }
    return words(properties)


def words(properties):
    return [word for name, value in properties.items() for word in ("-X", f"{name}={value}")]


def copy_app(source, directory, names):
    """A copy of a directory of apps, or of one, whose names.lua is the text given."""
    shutil.copytree(os.path.join(places.ROOT, "tests", "bench", "apps", source), directory)
    for path, text in names.items():
        with open(os.path.join(directory, path, "names.lua"), "w", encoding="utf-8") as f:
            f.write(text)


def apply_topics(directory, options):
    code, out, err = run_command(["millrace", "topics", "apply", directory, *options])
    assert code == 0, f"millrace topics apply exits {code}:\n{out}{err}"


def start(contender, run, name, directory, stage, options):
    """The process of one stage; `name` is the app's, stage (name, kind, input)."""
    title, kind, source = stage
    app = types.SimpleNamespace(
        name=name,
        stages={title: (kind, [source])},
        directory=directory,
        files=run.directory,
        state=run.state,
        settings=lambda **more: options + words(more),
    )
    return Stage(app, title, "0", contender.environment(), {})


class Millrace(Native):
    """One process of one stage; `app` names a directory below tests/bench/apps."""

    def __init__(self, name, title, librdkafka="newer", app="totals"):
        super().__init__(name, title, librdkafka)
        self.app = app

    def group(self, run):
        return f"{run.name}-{STAGE}"

    def prepare(self, run):
        copy_app(self.app, run.path("app"), {"": NAMES.format(run=run, n=run.settings.partitions)})
        apply_topics(run.path("app"), arguments(run))

    def start(self, run):
        return start(self, run, run.name, run.path("app"), (STAGE, "project", run.input), arguments(run))

    def is_ready(self, process):
        return process.is_ready()

    def restored(self, process):
        return sum(int(n) for n in re.findall(r"ready restored=(\d+)", process.output()))
