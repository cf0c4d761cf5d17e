"""Service Bus triggers: a listener per trigger with the unmodified azure-servicebus client.

Peek-lock: completed when the function returns, abandoned when it raises, the lock renewed between.
When the bus is away the listener comes back for ever, with a bounded pause between attempts.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime

import azure.functions as func
from azure.functions import meta
from azure.functions.servicebus import ServiceBusMessageInConverter
from azure.servicebus import ServiceBusReceivedMessage
from azure.servicebus.aio import AutoLockRenewer, ServiceBusClient, ServiceBusReceiver
from azure.servicebus.exceptions import ServiceBusError

from rehearsal.host.config import Config
from rehearsal.host.durable.history import stamp
from rehearsal.host.index import Function
from rehearsal.host.invoke import Invoker

log = logging.getLogger("host.bus")
WAIT_SECONDS = 60.0
BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)


class NoConnection(Exception):
    """The trigger's connection is in no app setting."""


@dataclass(frozen=True)
class Connection:
    """Where a namespace is: one of a connection string or a host name."""

    text: str | None
    namespace: str | None

    @classmethod
    def of(cls, name: str, settings: Mapping[str, str]) -> Connection:
        """The connection of a binding, by the host's own rule; NoConnection."""
        text = settings.get(name) or settings.get(f"AzureWebJobs{name}")
        namespace = settings.get(f"{name}__fullyQualifiedNamespace")
        if not text and not namespace:
            raise NoConnection(f"neither {name} nor {name}__fullyQualifiedNamespace is set")
        return cls(text, namespace)

    async def client(self, stack: AsyncExitStack) -> ServiceBusClient:
        """A client that `stack` closes."""
        # One attempt: the listener itself comes back, and says so.
        options = {"retry_total": 1, "retry_backoff_factor": 0.1}
        if self.text:
            made = ServiceBusClient.from_connection_string(self.text, **options)
        else:
            # Imported here: it costs a second of every start and connection strings do without.
            from azure.identity.aio import DefaultAzureCredential

            credential = await stack.enter_async_context(DefaultAzureCredential())
            made = ServiceBusClient(str(self.namespace), credential, **options)
        return await stack.enter_async_context(made)


class Listener:
    """Hands the messages of one queue to one function."""

    def __init__(self, function: Function, invoker: Invoker, config: Config) -> None:
        self._function = function
        self._invoker = invoker
        self._config = config
        self._queue = config.resolve(str(function.trigger["queueName"]))
        self._connection = Connection.of(str(function.trigger["connection"]), config.settings)
        self._at_work: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to listen."""
        self._task = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Listen no more. A message at work is not settled: its lock runs out, it comes again."""
        for each in [self._task, *self._at_work]:
            if each is not None:
                each.cancel()
        pending = [each for each in [self._task, *self._at_work] if each is not None]
        await asyncio.gather(*pending, return_exceptions=True)

    async def _keep(self) -> None:
        failures = 0
        # Ends by cancellation when the host stops.
        while True:
            try:
                async with AsyncExitStack() as stack:
                    client = await self._connection.client(stack)
                    receiver = client.get_queue_receiver(
                        self._queue, prefetch_count=self._config.prefetch
                    )
                    await stack.enter_async_context(receiver)
                    renewer = AutoLockRenewer()
                    stack.push_async_callback(renewer.close)
                    failures = 0
                    log.info("listening", extra={"queue": self._queue})
                    await self._receive(receiver, renewer)
            except (ServiceBusError, OSError, ValueError) as problem:
                pause = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)]
                failures += 1
                failure = f"{type(problem).__name__}: {problem}"
                log.warning("bus away", extra={"queue": self._queue, "failure": failure})
                await asyncio.sleep(pause)

    async def _receive(self, receiver: ServiceBusReceiver, renewer: AutoLockRenewer) -> None:
        while True:
            if len(self._at_work) >= self._config.calls_max:
                await asyncio.wait(self._at_work, return_when=asyncio.FIRST_COMPLETED)
                continue
            # One at a time: asked for more, the client waits 0.2 s for them after the first.
            batch = await receiver.receive_messages(1, max_wait_time=WAIT_SECONDS)
            for message in batch:
                renewer.register(receiver, message, self._config.renew_seconds)
                work = asyncio.create_task(self._handle(receiver, message))
                self._at_work.add(work)
                work.add_done_callback(self._at_work.discard)

    async def _handle(
        self, receiver: ServiceBusReceiver, message: ServiceBusReceivedMessage
    ) -> None:
        settle = receiver.complete_message
        try:
            await self._invoker.call(self._function, as_trigger(message))
        # The app's own failure gives the message back; the queue counts the delivery.
        except Exception as problem:
            settle = receiver.abandon_message
            failure = f"{type(problem).__name__}: {problem}"
            facts = {"function": self._function.name, "failure": failure}
            log.warning("message abandoned", extra=facts, exc_info=True)
        try:
            await settle(message)
        except (ServiceBusError, OSError, ValueError) as problem:
            facts = {"queue": self._queue, "failure": f"{type(problem).__name__}: {problem}"}
            log.warning("not settled: the message comes again", extra=facts)


def as_trigger(message: ServiceBusReceivedMessage) -> func.ServiceBusMessage:
    """A received message as the host hands it over, with its trigger metadata."""
    raw = message.body
    body = raw if isinstance(raw, bytes) else b"".join(raw)
    return ServiceBusMessageInConverter.decode_single_message(
        meta.Datum(type="bytes", value=body), trigger_metadata=metadata(message)
    )


def metadata(message: ServiceBusReceivedMessage) -> dict[str, meta.Datum]:
    """The trigger metadata that the extension adds; absent values are left out."""
    properties = {text(k): text(v) for k, v in (message.application_properties or {}).items()}
    values: dict[str, object] = {
        "MessageId": message.message_id,
        # The extension counts this delivery; AMQP counts the failed ones before it.
        "DeliveryCount": (message.delivery_count or 0) + 1,
        "EnqueuedTimeUtc": message.enqueued_time_utc,
        "ExpiresAtUtc": message.expires_at_utc,
        "LockedUntil": message.locked_until_utc,
        "LockToken": message.lock_token,
        "SequenceNumber": message.sequence_number,
        "ContentType": message.content_type,
        "CorrelationId": message.correlation_id,
        "SessionId": message.session_id,
        "Subject": message.subject,
        "Label": message.subject,
        "ReplyTo": message.reply_to,
        "To": message.to,
        "PartitionKey": message.partition_key,
        "ApplicationProperties": properties,
        "UserProperties": properties,
    }
    return {name: datum(value) for name, value in values.items() if value is not None}


def datum(value: object) -> meta.Datum:
    """A metadata value as the worker receives it."""
    if isinstance(value, str):
        return meta.Datum(type="string", value=value)
    if isinstance(value, int):
        return meta.Datum(type="int", value=value)
    if isinstance(value, dict):
        return meta.Datum(type="json", value=json.dumps(value, default=str))
    moment = stamp(value) if isinstance(value, datetime) else str(value)
    return meta.Datum(type="string", value=moment)


def text(value: object) -> object:
    """AMQP gives property names and values as bytes."""
    return value.decode() if isinstance(value, bytes) else value
