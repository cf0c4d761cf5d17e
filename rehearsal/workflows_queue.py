"""Queue triggers: a workflow that takes messages with the unmodified azure-servicebus client.

Peek-lock; the message is completed at the end of its run. Sessions are taken one at a time, each
in order. What is lost or refused is tried again by the runtime, which owns the loops.
"""

import asyncio
import contextlib
import ssl
from typing import Protocol, cast

from rehearsal.workflows_due import Trigger
from rehearsal.workflows_flow import Flow

RUNS_AT_ONCE_MAX = 20
LOOK_SECONDS = 1.0
AGAIN_SECONDS = 1.0
SESSION_WORKERS = 2
CLOSE_SECONDS_MAX = 5.0
# The client loads every authority of the machine for each connection, also a plain one: tens of
# milliseconds in which the whole cloud stands still. Given a context, it does not.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Message(Protocol):
    """The part of ServiceBusReceivedMessage that is used."""

    message_id: str | None
    sequence_number: int | None


class Receiver(Protocol):
    """The part of the aio ServiceBusReceiver that is used."""

    async def receive_messages(
        self, max_message_count: int, max_wait_time: float
    ) -> list[Message]: ...

    async def complete_message(self, message: Message) -> None: ...

    async def abandon_message(self, message: Message) -> None: ...

    async def close(self) -> None: ...


def wanted(flow: Flow) -> bool:
    """May this workflow take messages now?"""
    return flow.on and flow.working and not dismissed()


def dismissed() -> bool:
    """Was the current task cancelled? The client turns a cancellation into errors of its own."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def work(flow: Flow, trigger: Trigger, connection: str) -> None:
    """Take messages as long as the workflow is enabled, then let its runs end. Repeats for ever:
    the runtime cancels it with its workflow.
    """
    while not dismissed():
        if wanted(flow):
            try:
                await _session(flow, trigger, connection)
            except Exception:
                # A cut connection makes the client raise nearly anything; the history says that
                # the trigger failed, and the next try finds out how things are then.
                flow.note(trigger, "Failed", None)
        await asyncio.sleep(AGAIN_SECONDS if not wanted(flow) else 0.2)


async def _session(flow: Flow, trigger: Trigger, connection: str) -> None:
    """One connection: take until there is nothing (sessions) or until it is not wanted."""
    from azure.servicebus import NEXT_AVAILABLE_SESSION
    from azure.servicebus.aio import ServiceBusClient

    client = ServiceBusClient.from_connection_string(
        connection, retry_total=0, retry_backoff_factor=0.1, ssl_context=NO_TLS
    )
    ordered = trigger.kind == "orderedQueue"
    session = NEXT_AVAILABLE_SESSION if ordered else None
    receiver = client.get_queue_receiver(trigger.queue, session_id=session, max_wait_time=2)
    taker = cast("Receiver", receiver)
    try:
        await (_take_in_order if ordered else _take)(flow, trigger, taker)
    finally:
        # Closing a connection that is gone fails; there is nothing left to close then.
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CLOSE_SECONDS_MAX):
                await receiver.close()
                await client.close()


async def _take(flow: Flow, trigger: Trigger, receiver: Receiver) -> None:
    mine: set[asyncio.Task[None]] = set()
    while wanted(flow):
        room = RUNS_AT_ONCE_MAX - len(mine)
        if room <= 0:
            await asyncio.wait(mine, return_when=asyncio.FIRST_COMPLETED)
            mine = {task for task in mine if not task.done()}
            continue
        messages = await receiver.receive_messages(min(room, 5), LOOK_SECONDS)
        for message in messages:
            if wanted(flow):
                mine.add(_begin(flow, trigger, receiver, message))
            else:
                await receiver.abandon_message(message)
        mine = {task for task in mine if not task.done()}
    if mine:  # Disabling lets runs in flight go on to their end.
        await asyncio.wait(mine)


async def _take_in_order(flow: Flow, trigger: Trigger, receiver: Receiver) -> None:
    while wanted(flow):
        messages = await receiver.receive_messages(1, LOOK_SECONDS)
        if not messages:
            return  # Let the session go: another may wait.
        for message in messages:
            await asyncio.wait({_begin(flow, trigger, receiver, message)})


def _begin(
    flow: Flow, trigger: Trigger, receiver: Receiver, message: Message
) -> asyncio.Task[None]:
    async def complete() -> None:
        await receiver.complete_message(message)

    key = message.message_id or f"{trigger.queue}-{message.sequence_number}"
    run = flow.begin(trigger, key, after=complete)
    return flow.tasks[run.name]
