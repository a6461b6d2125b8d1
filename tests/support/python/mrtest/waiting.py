"""Waiting: always on a condition, always with a deadline."""

import threading
import time


class TooLate(AssertionError):
    """A condition did not come true in time."""


class Deadline:
    """A moment; everything that waits for one thing shares it."""

    def __init__(self, seconds):
        self.at = time.monotonic() + seconds

    def left(self):
        return max(0.0, self.at - time.monotonic())

    def is_over(self):
        return time.monotonic() >= self.at


def until(what, seconds, condition, every=0.1):
    """Polls until the condition gives something true and returns that; TooLate says what was awaited.

    A condition may return a Not to say why it is not true yet.
    """
    pace, deadline = threading.Event(), Deadline(seconds)
    while True:
        value = condition()
        if value:
            return value
        if deadline.is_over():
            why = f": {value}" if isinstance(value, Not) else ""
            raise TooLate(f"waited {seconds:g} s for {what}{why}")
        pace.wait(every)


class Not:
    """A false value that says why."""

    def __init__(self, why):
        self.why = why

    def __bool__(self):
        return False

    def __str__(self):
        return str(self.why)
