"""The workload's producers: numbered messages into the queues that both locations work on.

Every message has a key of its own, so that what is done twice or never can be counted later.
"""

import asyncio
import itertools
import json
import logging
from dataclasses import dataclass, field

from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient, ServiceBusSender
from azure.servicebus.exceptions import ServiceBusError

from rehearsal.estate_parts import Producer
from rehearsal.workflows_queue import NO_TLS, dismissed

LOG = logging.getLogger(__name__)
PAUSE_SECONDS = 1.0


@dataclass
class Producers:
    """Tasks that send until they are stopped; `sent` counts by queue what the broker accepted."""

    client: ServiceBusClient
    sent: dict[str, int] = field(default_factory=dict)
    tasks: list[asyncio.Task] = field(default_factory=list)

    async def run(self, producer: Producer) -> None:
        """Send to one queue until cancelled; a broker that is away is tried again."""
        async with self.client.get_queue_sender(producer.queue) as sender:
            for number in itertools.count(1):
                if dismissed():
                    return
                await self._send(sender, producer, number)
                await asyncio.sleep(producer.everySeconds)

    async def _send(self, sender: ServiceBusSender, producer: Producer, number: int) -> None:
        key = f"{producer.queue}-{number:06d}"
        session = f"s{number % producer.sessions}" if producer.sessions else None
        body = json.dumps({"key": key, "number": number})
        message = ServiceBusMessage(body, message_id=key, session_id=session)
        try:
            await sender.send_messages(message)
        except ServiceBusError as wrong:
            LOG.warning("%s was not accepted: %s", key, wrong)
            await asyncio.sleep(PAUSE_SECONDS)
            return
        self.sent[producer.queue] = self.sent.get(producer.queue, 0) + 1

    async def stop(self) -> None:
        """Stop sending and close the connection."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.tasks.clear()
        await self.client.close()


async def start(producers: list[Producer], connection_string: str) -> Producers:
    """Start one task per producer."""
    client = ServiceBusClient.from_connection_string(connection_string, ssl_context=NO_TLS)
    running = Producers(client)
    running.tasks += [asyncio.create_task(running.run(row)) for row in producers]
    return running
