"""`python -m rehearsal.host.skewed SECONDS ...`: the host, on a machine whose clock is wrong.

The clock is moved before anything else is imported, so that the engine, the app and every library
in the process read the wrong time, as they would on such a machine. What waits (monotonic time)
and what the other side says (a Date header) stays right. Not emulated: a clock that runs too fast
or too slow, or is stepped while the process lives; certificates are judged by OpenSSL, which asks
the system.
"""

import datetime
import importlib
import runpy
import sys
import time
from collections.abc import Callable
from typing import cast


def skew(seconds: float) -> None:
    """Let this process believe that it is `seconds` later than it is."""
    real, real_ns, real_datetime = time.time, time.time_ns, datetime.datetime
    off = datetime.timedelta(seconds=seconds)
    make = cast("Callable[..., datetime.datetime]", real_datetime)

    class Kind(type):
        """Makes every datetime an instance of `Skewed`, also those that C code has made."""

        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, real_datetime)

        def __subclasscheck__(cls, subclass: type) -> bool:
            return issubclass(subclass, real_datetime)

    class Skewed(real_datetime, metaclass=Kind):
        """datetime, whose now is wrong; everything else makes plain datetimes of it."""

        def __new__(cls, *given: object, **named: object) -> datetime.datetime:
            return make(*given, **named)

        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
            return real_datetime.now(tz) + off

        @classmethod
        def utcnow(cls) -> datetime.datetime:
            return real_datetime.now(datetime.UTC).replace(tzinfo=None) + off

        @classmethod
        def today(cls) -> datetime.datetime:
            return cls.now()

    for name in ("fromisoformat", "fromtimestamp", "utcfromtimestamp", "strptime", "combine"):
        setattr(Skewed, name, getattr(real_datetime, name))
    time.time = lambda: real() + seconds
    time.time_ns = lambda: real_ns() + int(seconds * 1e9)
    datetime.datetime = Skewed


def right_the_locks(seconds: float) -> None:
    """Let the listener's client judge the locks of messages by the right time.

    Azure's host settles with its .NET client, which leaves that to the broker; the Python client
    of this one refuses to settle what its own clock holds to be late.
    """
    off = datetime.timedelta(seconds=seconds)
    for name in ("message", "auto_lock_renewer"):
        module = importlib.import_module(f"azure.servicebus._common.{name}")
        vars(module)["utc_now"] = lambda: datetime.datetime.now(datetime.UTC) - off


if __name__ == "__main__":
    wrong_seconds = float(sys.argv.pop(1))
    skew(wrong_seconds)
    right_the_locks(wrong_seconds)
    runpy.run_module("rehearsal.host", run_name="__main__", alter_sys=True)
