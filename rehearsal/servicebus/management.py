"""What `queue/$management` and `$cbs` answer. After the Service Bus AMQP request-response guide.

Every operation gets the queue, the body of the request, who asks and the time; it returns the body
of the answer (None: 204, nothing found) or raises `Refusal`, which becomes a status code.
"""

from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from rehearsal.servicebus.amqp import Stamp, Symbol
from rehearsal.servicebus.message import Message, State, answer_to, render
from rehearsal.servicebus.queue import Queue
from rehearsal.servicebus.refusal import (
    ARGUMENT_ERROR,
    MESSAGE_NOT_FOUND,
    STATUS_CODES,
    Refusal,
)

VENDOR = "com.microsoft:"
SESSION_NOT_FOUND = "com.microsoft:session-not-found"
YEAR_9999_MS = 253_370_764_800_000  # From then on: no filter, so the client says.
SETTLED_FIRST = 1  # receiver-settle-mode "second": peek-lock; 0 ("first"): receive and delete.


class Call(NamedTuple):
    """A request as an operation sees it."""

    queue: Queue
    body: dict
    now: float

    def of(self, key: str, kind: type) -> list:
        """The list under `key`, every item of that kind."""
        found = self.body.get(key)
        if not isinstance(found, list) or not all(isinstance(item, kind) for item in found):
            raise Refusal(ARGUMENT_ERROR, f"'{key}' must be an array of {kind.__name__}.")
        return found

    def number(self, key: str) -> int:
        found = self.body.get(key, 0)
        if not isinstance(found, int):
            raise Refusal(ARGUMENT_ERROR, f"'{key}' must be a number.")
        return found

    def session(self) -> str:
        return str(self.body.get("session-id"))


def renew_lock(call: Call) -> dict:
    tokens = call.of("lock-tokens", UUID)
    return {"expirations": [Stamp(call.queue.renew(one, call.now) * 1000) for one in tokens]}


def renew_session_lock(call: Call) -> dict:
    return {"expiration": Stamp(call.queue.sessions.renew(call.session(), call.now) * 1000)}


def peek(call: Call) -> dict | None:
    session_id = call.body.get("session-id")
    found = call.queue.peek(
        call.number("from-sequence-number"),
        call.number("message-count"),
        None if session_id is None else str(session_id),
        call.now,
    )
    return {"messages": [{"message": seen(message)} for message in found]} if found else None


def seen(message: Message) -> bytes:
    """A message as someone who only looks sees it: without its lock."""
    token, message.token = message.token, None
    raw = render(message)
    message.token = token
    return raw


def schedule(call: Call) -> dict:
    numbers = []
    for entry in call.of("messages", dict):
        raw = entry.get("message")
        if not isinstance(raw, bytes):
            raise Refusal(ARGUMENT_ERROR, "A message to schedule must be binary.")
        seq = call.queue.send(raw, call.now)
        numbers.append(0 if seq is None else seq)
    return {"sequence-numbers": numbers}


def cancel(call: Call) -> dict:
    for seq in call.of("sequence-numbers", int):
        call.queue.cancel(seq)
    return {}


def receive_deferred(call: Call) -> dict:
    delete = call.number("receiver-settle-mode") != SETTLED_FIRST
    wanted = call.of("sequence-numbers", int)
    for seq in wanted:  # All or nothing: look before taking the first.
        message = call.queue.messages.get(seq)
        if message is None or message.state is not State.DEFERRED or message.token:
            raise Refusal(MESSAGE_NOT_FOUND, f"Failed to lock one or more messages: {seq}.")
    found = []
    for seq in wanted:
        message = call.queue.receive_deferred(seq, call.now, delete)
        entry: dict = {"message": render(message, call.queue.locked_until(message))}
        if message.token:
            entry["lock-token"] = message.token
        found.append(entry)
    return {"messages": found}


def update_disposition(call: Call) -> dict:
    verb = call.body.get("disposition-status")
    for token in call.of("lock-tokens", UUID):
        if verb == "completed":
            call.queue.complete(token, call.now)
        elif verb == "abandoned":
            call.queue.abandon(token, call.now)
        elif verb == "defered":  # So spelt by the protocol.
            call.queue.defer(token, call.now)
        elif verb == "suspended":
            reason = call.body.get("deadletter-reason"), call.body.get("deadletter-description")
            call.queue.dead_letter(token, call.now, *(text and str(text) for text in reason))
        else:
            raise Refusal(ARGUMENT_ERROR, f"The disposition status '{verb}' is not known.")
    return {}


def get_state(call: Call) -> dict:
    call.queue.sessions.hold(call.session(), call.now)
    return {"session-state": call.queue.session_state(call.session())}


def set_state(call: Call) -> dict:
    call.queue.sessions.hold(call.session(), call.now)
    state = call.body.get("session-state")
    given = state if isinstance(state, bytes) else None
    call.queue.set_session_state(call.session(), given, call.now)
    return {}


def list_sessions(call: Call) -> dict | None:
    skipped, top = call.number("skip"), call.number("top")
    after_ms = call.number("last-updated-time")
    after = None if after_ms >= YEAR_9999_MS else after_ms / 1000
    page = call.queue.session_ids(after)[skipped : skipped + top]
    return {"skip": skipped + len(page), "sessions-ids": page} if page else None


OPERATIONS: dict[str, Callable[[Call], dict | None]] = {
    VENDOR + "renew-lock": renew_lock,
    VENDOR + "renew-session-lock": renew_session_lock,
    VENDOR + "peek-message": peek,
    VENDOR + "schedule-message": schedule,
    VENDOR + "cancel-scheduled-message": cancel,
    VENDOR + "receive-by-sequence-number": receive_deferred,
    VENDOR + "update-disposition": update_disposition,
    VENDOR + "get-session-state": get_state,
    VENDOR + "set-session-state": set_state,
    VENDOR + "get-message-sessions": list_sessions,
}


def answer(message_id: bytes, operation: object, call: Call) -> bytes:
    """The bytes of the management node's answer."""
    perform = OPERATIONS.get(str(operation))
    if perform is None:
        return status(message_id, 501, f"NotEmulated: {operation}", None, {})
    try:
        body = perform(call)
    except Refusal as no:
        code = STATUS_CODES.get(no.condition, 500)
        return status(message_id, code, no.description, no.condition, {})
    if body is None:
        empty = SESSION_NOT_FOUND if perform is list_sessions else MESSAGE_NOT_FOUND
        return status(message_id, 204, "No content.", empty, {})
    return status(message_id, 200, "OK", None, body)


def status(
    message_id: bytes, code: int, description: str, condition: str | None, body: dict
) -> bytes:
    properties: dict[str, object] = {"statusCode": code, "statusDescription": description}
    if condition:
        properties["errorCondition"] = Symbol(condition)
    return answer_to(message_id, properties, body)


def token_answer(message_id: bytes, known: bool) -> bytes:
    """What `$cbs` says to put-token: any token will do, if the entity is there."""
    code, words = (202, "Accepted") if known else (404, "The messaging entity could not be found.")
    return answer_to(message_id, {"status-code": code, "status-description": words}, None)
