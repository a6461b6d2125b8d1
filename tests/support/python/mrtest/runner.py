"""Runs the tests of one program: every function named test_*, in order, or those named on the command line.

Exit code 0: all passed, 1: one failed, 77: cannot run here. What a failed program wrote is kept.
"""

import os
import shutil
import signal
import sys
import time
import traceback

from mrtest import broker, places, process

SKIPPED = 77


class Skip(Exception):
    """Raised by a test that cannot run here."""


def say(text):
    print(text, flush=True)


def need_broker():
    """Ends the program as skipped unless a real broker is wanted."""
    if not os.environ.get("MR_TEST_BROKERS"):
        say("skipped: MR_TEST_BROKERS is not set; scripts/test sets it")
        sys.exit(SKIPPED)
    try:
        import confluent_kafka  # noqa: F401
        import fastavro  # noqa: F401
    except ImportError as e:
        say(f"skipped: {e}; scripts/test installs it into build/venv")
        sys.exit(SKIPPED)


def explain(error):
    """The message of a failed assertion, or a trace of anything else."""
    if isinstance(error, AssertionError) and str(error):
        place = traceback.extract_tb(error.__traceback__)
        ours = [f for f in place if os.path.basename(f.filename) == os.path.basename(sys.argv[0])] or place
        return f"{os.path.basename(ours[-1].filename)}:{ours[-1].lineno}: {error}"
    return "".join(traceback.format_exception(error)).rstrip()


def run_one(name, test):
    started = time.monotonic()
    try:
        test()
    except Skip as e:
        say(f"skipped {name}: {e}")
        return "skipped"
    except Exception as e:  # pylint: disable=broad-except
        say(f"FAILED  {name} ({time.monotonic() - started:.1f} s)\n{explain(e)}")
        return "failed"
    say(f"ok      {name} ({time.monotonic() - started:.1f} s)")
    return "ok"


def main(namespace, setup=None):
    """`setup` runs before the first test; if it fails, there are no others."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    tests = [(name, value) for name, value in namespace.items() if name.startswith("test_") and callable(value)]
    wanted = sys.argv[1:]
    if "--list" in wanted:
        say("\n".join(name for name, _ in tests))
        sys.exit(0)
    if wanted:
        tests = [(name, test) for name, test in tests if any(w in name for w in wanted)]
    results = []
    try:
        if setup is not None:
            results.append(run_one("setup", setup))
        if "failed" not in results:
            results += [run_one(name, test) for name, test in tests]
    finally:
        process.end_all()
        if "mrtest.kafka" in sys.modules:
            sys.modules["mrtest.kafka"].end_all()
        broker.end_all()
    finish(results)


def finish(results):
    kept = places.files()
    if "failed" in results or os.environ.get("MR_KEEP"):
        if os.path.isdir(kept):
            say(f"logs, states and broker data are kept in {kept}")
    else:
        shutil.rmtree(kept, ignore_errors=True)
    if "failed" in results:
        sys.exit(1)
    sys.exit(SKIPPED if results and all(r == "skipped" for r in results) else 0)
