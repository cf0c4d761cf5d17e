"""One activity, called once: its result or its failure as the row that completes its task."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from rehearsal.host.durable import history

log = logging.getLogger("host.durable")
Activity = Callable[[str | None], Awaitable[str | None]]


class ActivityTimeout(Exception):
    """An activity ran longer than functionTimeout."""


async def outcome(
    activity: Activity,
    name: str,
    text: str | None,
    ref: int,
    now: Callable[[], datetime],
    timeout_seconds: float,
) -> history.Row:
    """The row that completes task `ref`; a failure in the words of the Durable extension."""
    limit = asyncio.timeout(timeout_seconds)
    try:
        async with limit:
            result = await activity(text)
    # User code may raise anything: it becomes the task's failure, as in Azure.
    except Exception as raised:
        problem = raised
        if limit.expired():
            wording = f"Timeout value of {timeout_seconds} s was exceeded: {name}"
            problem = ActivityTimeout(wording)
    else:
        return history.closing_row(history.TASK_COMPLETED, now(), ref, Result=result)
    message = f" {type(problem).__name__}: {problem}"
    log.warning("activity failed", extra={"activity": name, "failure": message.strip()})
    return history.closing_row(
        history.TASK_FAILED,
        now(),
        ref,
        Reason=f"Activity function '{name}' failed: {message}",
        Details=history.failure_details(message),
    )
