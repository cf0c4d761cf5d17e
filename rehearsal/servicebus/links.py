"""One AMQP link each: taking in what clients send, and handing out what they receive."""

from uuid import UUID

from proton import Condition, Link, Terminus, symbol

from rehearsal.servicebus import engine
from rehearsal.servicebus.amqp import Malformed
from rehearsal.servicebus.broker import Broker
from rehearsal.servicebus.engine import Outcome, Pointer, pointer_of, send_raw
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


def reject(delivery: Pointer, why: Refusal) -> None:
    told = engine.told(delivery)
    told.local.condition = condition(why)
    told.update(engine.REJECTED)
    engine.settle(delivery)


class Intake:
    """A link on which a client sends messages to a queue."""

    def __init__(self, link: Link, queue: Queue, hub: Hub) -> None:
        self.link, self.queue, self.hub = link, queue, hub
        self.name: str = link.name
        self.cut = False

    def arrive(self, delivery: Pointer, raw: bytes, form: int) -> None:
        """Store the message, or each of the batch, and accept it; or reject it with the reason."""
        broker, name = self.hub.broker, self.queue.name
        if broker.takes("detach", name):
            return end_link(self.link, Refusal(DETACHED, "The link is force-detached."))
        try:
            self._store(broker, raw, form)
        except Refusal as no:
            reject(delivery, no)
        else:
            engine.settle(delivery, engine.ACCEPTED)
            self.cut = broker.takes("cut-after-store", name)
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
        self.pointer = pointer_of(link)
        self.tokens: dict[Pointer, UUID] = {}  # Of the deliveries that the client has not settled.
        self.cut = False

    # -- what the hub asks for

    def wants(self) -> int:
        return max(0, engine.credit_of(self.pointer))

    def take(self, message: Message) -> None:
        until = None if self.deletes else self.queue.locked_until(message)
        tag = message.token.bytes_le if message.token else message.seq.to_bytes(16, "big")
        delivery = send_raw(self.pointer, tag, render(message, until))
        if self.deletes:
            engine.settle(delivery)
        elif message.token:
            self.tokens[delivery] = message.token

    def settled_up(self) -> None:
        """Nothing is left to send for now: give back the credit of a receiver that drains."""
        if self.link.drain_mode:
            self.link.drained()

    def end(self, why: Refusal) -> None:
        end_link(self.link, why)

    # -- what the client says

    def settle(self, delivery: Pointer, said: Outcome) -> None:
        """Do what the client's disposition says, and echo it; or reject with the reason."""
        if not (said.state or said.settled):
            return
        token = self.tokens.pop(delivery, None)
        if token is None:
            return
        try:
            self._apply(token, said.state, delivery)
        except Refusal as no:
            reject(delivery, no)
        else:
            engine.settle(delivery, said.state or engine.RELEASED)
            self.cut = said.state == engine.ACCEPTED and self.hub.broker.takes(
                "cut-after-complete", self.queue.name
            )

    def _apply(self, token: UUID, state: int, delivery: Pointer) -> None:
        now = self.hub.clock()
        if state == engine.ACCEPTED:
            return self.queue.complete(token, now)
        if state == engine.REJECTED:
            reason = reason_of(engine.told(delivery).remote.condition)
            self.queue.dead_letter(token, now, *reason)
        elif state == engine.MODIFIED:
            self._put_aside(token, now, delivery)
        else:  # Released, or settled without an outcome.
            self.queue.release(token, now)
        return self.hub.stir(self.queue)

    def _put_aside(self, token: UUID, now: float, delivery: Pointer) -> None:
        """Defer or abandon, as the two flags of a modified outcome say."""
        told = engine.told(delivery)
        told.local.failed = told.remote.failed
        told.local.undeliverable = told.remote.undeliverable
        verb = self.queue.defer if told.remote.undeliverable else self.queue.abandon
        verb(token, now)
        told.update(engine.MODIFIED)


def reason_of(given: Condition | None) -> tuple[str | None, str | None]:
    """Reason and description of a dead letter, as the client puts them into its error."""
    info = given.info if given and isinstance(given.info, dict) else {}
    words = {str(key): None if text is None else str(text) for key, text in info.items()}
    return words.get("DeadLetterReason"), words.get("DeadLetterErrorDescription")
