"""Once: one of each client, however many threads ask for it, until all are forgotten."""

import logging
import threading
from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec, TypeVar, cast

from shared import probe
from shared.reply import Surprise
from shared.settings import settings

P = ParamSpec("P")
T = TypeVar("T")
CLOSE_SECONDS = 2.0
LOG = logging.getLogger("understudy.clients")
_BUILDING = threading.RLock()
_MADE: list[Callable[[], None]] = []
_OPEN: list[Callable[[], None]] = []  # How to close what was made.


def once(make: Callable[P, T]) -> Callable[P, T]:
    """Cache like functools.cache; two threads that ask at once get one client, not two."""

    def noted(*args: P.args, **kwargs: P.kwargs) -> T:
        made = make(*args, **kwargs)
        close = getattr(made, "close", None)
        if close:
            _OPEN.append(close)
        return made

    kept = cache(noted)
    _MADE.append(kept.cache_clear)

    @wraps(make)
    def shared(*args: P.args, **kwargs: P.kwargs) -> T:
        with _BUILDING:
            return cast(Callable[P, T], kept)(*args, **kwargs)

    return shared


def forget() -> None:
    """Close every client, and make it anew at its next use, with the settings of then.

    Closing waits for a peer that may be gone: what is not closed in time is left to its end.
    """
    from azure.core.exceptions import AzureError

    with _BUILDING:
        settings.cache_clear()
        for clear in _MADE:
            clear()
        closing, _OPEN[:] = list(_OPEN), []
    for close in reversed(closing):  # What was made of another one is closed before it.
        try:
            probe.within(CLOSE_SECONDS, close)
        except (Surprise, AzureError, OSError, ValueError) as error:
            LOG.info("a client was left to its end: %s", error)
