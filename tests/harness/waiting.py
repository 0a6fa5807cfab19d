"""Waiting for a condition, always with a deadline and a name."""
import time


class Expired(AssertionError):
    """A wait reached its deadline."""


def wait_until(condition, timeout=15.0, what=None, interval=0.02):
    """Call condition until it returns something true and return that; Expired says what it returned last.

    An AssertionError inside the condition counts as "not yet", so checks can be reused as conditions."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            last = condition()
            if last:
                return last
        except AssertionError as reason:
            last = reason
        if time.monotonic() > deadline:
            name = what or getattr(condition, "__name__", "condition")
            raise Expired(f"{name}: not within {timeout} s, last: {last!r}")
        time.sleep(interval)
        interval = min(interval * 1.5, 0.25)
