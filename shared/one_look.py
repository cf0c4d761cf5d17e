"""One look: what its many parts ask alike is asked once, and forgotten when the look is over.

A hundred workflows of one site have one file of connections, and ARM counts what is asked by POST
among the changes that a run would make next. Outside of a look every question is asked.
"""

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Lock
from typing import ParamSpec, TypeVar

from shared.reply import Reply, Surprise

P = ParamSpec("P")
T = TypeVar("T")
KEPT_MAX = 500
WAIT_SECONDS_MAX = 20.0


@dataclass
class Look:
    """What has been asked, and what came of it: an answer, or that there was none."""

    asked: dict[str, Future[Reply]] = field(default_factory=dict)
    asking: Lock = field(default_factory=Lock)


_LOOK: ContextVar[Look | None] = ContextVar("look", default=None)


def anew(call: Callable[P, T]) -> Callable[P, T]:
    """The same call, as part of a look that begins here; for any number of threads."""
    return _within(Look(), call)


def carried(call: Callable[P, T]) -> Callable[P, T]:
    """The same call, as part of the look of whoever hands it to threads of their own."""
    return _within(_LOOK.get(), call)


def _within(look: Look | None, call: Callable[P, T]) -> Callable[P, T]:
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        before = _LOOK.set(look)
        try:
            return call(*args, **kwargs)
        finally:
            _LOOK.reset(before)

    return run


def once(question: str, ask: Callable[[], Reply]) -> Reply:
    """What `ask` gives, or gave in this look; who asks meanwhile waits. Raises what it raised."""
    look = _LOOK.get()
    if look is None:
        return ask()
    mine: Future[Reply] = Future()
    with look.asking:
        full = len(look.asked) >= KEPT_MAX
        known = look.asked.get(question.lower())
        if known is None and not full:
            look.asked[question.lower()] = mine
    if known is not None:
        try:
            return known.result(WAIT_SECONDS_MAX)
        except Late as late:
            raise Surprise(f"no answer within {WAIT_SECONDS_MAX:g} s") from late
    try:
        mine.set_result(ask())
    except Exception as broke:  # Whatever it is, it is for all who wait.
        mine.set_exception(broke)
    return mine.result()
