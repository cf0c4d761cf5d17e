"""One AMQP link each: taking in what clients send, and handing out what they receive."""

from typing import cast
from uuid import UUID

from proton import Condition, Delivery, Link, Sender, Terminus, symbol

from rehearsal.servicebus.amqp import Malformed
from rehearsal.servicebus.broker import Broker
from rehearsal.servicebus.hub import Hub
from rehearsal.servicebus.message import BATCH_FORMAT, Message, render, split_batch
from rehearsal.servicebus.queue import Queue
from rehearsal.servicebus.refusal import (
    ARGUMENT_ERROR,
    DETACHED,
    SERVER_BUSY,
    TOO_LARGE,
    Refusal,
)

CREDIT = 500  # What a sender may have under way; topped up when half is used.
MESSAGE_MAX_BYTES = 256 << 10  # Of the Standard tier.
INFO: dict = {symbol("com.microsoft:player"): "rehearsal"}


def condition(why: Refusal) -> Condition:
    """An AMQP error. The info map is never left out: without it the client waits for ever."""
    return Condition(why.condition, why.description, INFO)


def end_link(link: Link, why: Refusal) -> None:
    link.condition = condition(why)
    link.close()


def refuse_link(link: Link, why: Refusal) -> None:
    """An attach without source and target, then a detach that says why, as AMQP has it."""
    for terminus in (link.source, link.target):
        terminus.type = Terminus.UNSPECIFIED
    link.open()
    end_link(link, why)


def send_raw(link: Link, tag: bytes, raw: bytes) -> Delivery:
    """A new delivery on a link, its bytes written. Proton's types claim that a tag is text."""
    delivery = link.delivery(cast(str, tag))
    cast(Sender, link).stream(raw)
    link.advance()
    return delivery


class Intake:
    """A link on which a client sends messages to a queue."""

    def __init__(self, link: Link, queue: Queue, hub: Hub) -> None:
        self.link, self.queue, self.hub = link, queue, hub
        self.cut = False

    def arrive(self, delivery: Delivery, raw: bytes, form: int) -> None:
        """Store the message, or each of the batch, and accept it; or reject it with the reason."""
        broker, name = self.hub.broker, self.queue.name
        if broker.takes("detach", name):
            return end_link(self.link, Refusal(DETACHED, "The link is force-detached."))
        try:
            self._store(broker, raw, form)
        except Refusal as no:
            delivery.local.condition = condition(no)
            delivery.update(Delivery.REJECTED)
        else:
            delivery.update(Delivery.ACCEPTED)
            self.cut = broker.takes("cut-after-store", name)
        delivery.settle()
        return self.hub.stir(self.queue)

    def _store(self, broker: Broker, raw: bytes, form: int) -> None:
        if broker.takes("busy", self.queue.name):
            raise Refusal(SERVER_BUSY, "The server is busy; try again later.")
        if len(raw) > MESSAGE_MAX_BYTES:
            raise Refusal(TOO_LARGE, f"{len(raw)} bytes are more than {MESSAGE_MAX_BYTES}.")
        now = self.hub.clock()
        try:
            for one in split_batch(raw) if form == BATCH_FORMAT else [raw]:
                self.queue.send(one, now)
        except Malformed as broken:
            raise Refusal(ARGUMENT_ERROR, f"The message cannot be read: {broken}.") from broken


class Outlet:
    """A link on which a client receives from a queue, or from one session of it."""

    def __init__(self, link: Link, queue: Queue, hub: Hub, deletes: bool) -> None:
        self.link, self.queue, self.hub, self.deletes = link, queue, hub, deletes
        self.session_id: str | None = None
        self.cut = False

    # -- what the hub asks for

    def wants(self) -> int:
        return max(0, self.link.credit)

    def take(self, message: Message) -> None:
        until = None if self.deletes else self.queue.locked_until(message)
        tag = message.token.bytes_le if message.token else message.seq.to_bytes(16, "big")
        delivery = send_raw(self.link, tag, render(message, until))
        delivery.token = message.token
        if self.deletes:
            delivery.settle()

    def settled_up(self) -> None:
        """Nothing is left to send for now: give back the credit of a receiver that drains."""
        if self.link.drain_mode:
            self.link.drained()

    def end(self, why: Refusal) -> None:
        end_link(self.link, why)

    # -- what the client says

    def settle(self, delivery: Delivery) -> None:
        """Do what the client's disposition says, and echo it; or reject with the reason."""
        token, state = delivery.token, delivery.remote_state
        if not isinstance(token, UUID) or not (state or delivery.settled):
            return
        try:
            self._apply(token, state, delivery)
        except Refusal as no:
            delivery.local.condition = condition(no)
            delivery.update(Delivery.REJECTED)
        else:
            delivery.update(state or Delivery.RELEASED)
            self.cut = state == Delivery.ACCEPTED and self.hub.broker.takes(
                "cut-after-complete", self.queue.name
            )
        delivery.token = None
        delivery.settle()

    def _apply(self, token: UUID, state: int, delivery: Delivery) -> None:
        now, remote = self.hub.clock(), delivery.remote
        if state == Delivery.ACCEPTED:
            return self.queue.complete(token, now)
        if state == Delivery.REJECTED:
            self.queue.dead_letter(token, now, *reason_of(remote.condition))
        elif state == Delivery.MODIFIED:
            delivery.local.failed = remote.failed
            delivery.local.undeliverable = remote.undeliverable
            verb = self.queue.defer if remote.undeliverable else self.queue.abandon
            verb(token, now)
        else:  # Released, or settled without an outcome.
            self.queue.release(token, now)
        return self.hub.stir(self.queue)


def reason_of(given: Condition | None) -> tuple[str | None, str | None]:
    """Reason and description of a dead letter, as the client puts them into its error."""
    info = given.info if given and isinstance(given.info, dict) else {}
    words = {str(key): None if text is None else str(text) for key, text in info.items()}
    return words.get("DeadLetterReason"), words.get("DeadLetterErrorDescription")
