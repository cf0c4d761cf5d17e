"""Slip desk: start what a slip asks for, once, and send on what no namespace took.

A slip comes by a queue or, where this location's own namespace was away, out of its outbox.
"""

import asyncio
import json
import logging
from datetime import UTC, datetime

from azure.functions import ServiceBusMessage

from activities import alerts, slips
from shared import post, slip, undelivered
from shared.reply import Surprise
from shared.settings import settings

START_PAUSES = (1, 2, 5, 10, 15)  # Seconds; the host renews the message's lock meanwhile.
LOOKS_MAX = 8  # Within one turn of the timer, while one stage after the other is started here.
LOOK_SECONDS = 1.0
LOG = logging.getLogger("understudy.slips")


async def take(message: ServiceBusMessage, client, stop: str | None) -> None:
    """Start the stage that this slip asks for; the message completes only after that.

    A slip that came twice finds its instance there. What cannot be a slip goes to the poison
    queue with the reason, never around in circles. `stop`: whose queue it is; None: the relay's.
    """
    body = message.get_body()
    try:
        paper = slip.parse(body, stop, settings().location)
    except slip.BadSlip as bad:
        queue = f"slip-{stop or post.RELAY}"
        LOG.warning("poisoned a message of %s: %s", queue, bad.because)
        facts = {"messageId": message.message_id, "queue": queue, "location": settings().location}
        text = body.decode("utf-8", "replace")
        payload = {"because": bad.because, "body": text, **facts}
        await asyncio.to_thread(slips.poison_slip, payload)
        return
    for pause in START_PAUSES:
        try:
            await begin(client, paper)
            return
        # Storage that is away arrives as a bare Exception. Given back at once, the message would
        # use up its ten deliveries within seconds, and with it the run.
        except Exception as away:
            LOG.warning("%s cannot be started yet: %s", slip.instance_id(paper), away)
            await asyncio.sleep(pause)
    await begin(client, paper)


async def begin(client, paper: dict) -> None:
    """Start the slip's orchestration unless it is there; what failed on a surprise is repeated."""
    instance = slip.instance_id(paper)
    status = (await client.get_status(instance)).runtime_status
    if status is None or status.value == "Failed":
        name = "restore" if paper["stage"] == "restore" else "stage"
        await client.start_new(name, instance, paper)


async def carry(client) -> None:
    """Start what waits in the outbox for this very location; no namespace is needed for that.

    While a run goes on in this way it is looked at every second, for its next slip follows soon.
    """
    for _ in range(LOOKS_MAX):
        if not await carry_once(client):
            return
        await asyncio.sleep(LOOK_SECONDS)


async def carry_once(client) -> bool:
    """Start each slip of the outbox, the oldest first; True when more is to be expected soon.

    It leaves the outbox only after the start is durable. What cannot be started stops the rest.
    """
    here = settings().location
    try:
        book = await asyncio.to_thread(post.read, here)
        for entry in book["slips"]:
            if not await asyncio.to_thread(dismissed, here, entry):
                await begin(client, entry["slip"])
                await asyncio.to_thread(post.strike, here, entry["id"], "started")
    except Surprise as silent:
        LOG.warning("the outbox waits: %s", silent)
        return False
    # The engine's storage that is away arrives as a bare Exception; the next turn tries again.
    except Exception as away:
        LOG.warning("the outbox waits, nothing can be started: %s", away)
        return False
    return undelivered.lively(book, datetime.now(UTC))


def forward() -> None:
    """Send on what waits in the outboxes for other locations, the oldest first.

    It leaves the outbox only after a namespace has stored it. What is not taken stops the rest of
    its sort: a restore is never relayed, and the slips of a run must not wait for it.
    """
    for location in settings().slips:
        if location == settings().location:
            continue
        try:
            waiting = post.read(location)["slips"]
        except Surprise as silent:
            LOG.info("the outbox for %s waits: %s", location, silent)
            continue
        for restores in (False, True):
            those = [one for one in waiting if undelivered.is_restore(one["slip"]) == restores]
            forward_sort(location, those)


def forward_sort(location: str, entries: list[dict]) -> None:
    """Send on what waits of one sort, until one is not taken."""
    try:
        for entry in entries:
            if not dismissed(location, entry):
                how = post.deliver(location, entry["queue"], entry["slip"])
                post.strike(location, entry["id"], how)
    except Surprise as silent:
        LOG.info("the outbox for %s waits: %s", location, silent)


def dismissed(location: str, entry: dict) -> bool:
    """Take a slip out of the outbox that must not go any more; people are told of it first."""
    because = undelivered.over(entry, datetime.now(UTC)) or faulty(location, entry)
    if not because:
        return False
    paper = entry["slip"]
    told = {"plan": str(paper.get("plan")), "run": str(paper.get("run"))}
    alerts.alert({**told, "title": "slip not sent", "because": because})
    post.strike(location, entry["id"], "over", because)
    return True


def faulty(location: str, entry: dict) -> str:
    """Why this entry is no slip for that location; empty when it is one."""
    try:
        slip.parse(json.dumps(entry["slip"]), entry["queue"].removeprefix("slip-"), location)
    except slip.BadSlip as bad:
        return f"{entry['id']}: {bad.because}"
    return ""
