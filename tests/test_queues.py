"""The pure queue: what locks, schedules, sessions and duplicates do to messages, without a wire."""

from uuid import UUID, uuid4

import pytest

from rehearsal.servicebus.amqp import Stamp, Symbol, UInt, compound, described, encode
from rehearsal.servicebus.message import Message
from rehearsal.servicebus.options import BadOptions, Options, options_of
from rehearsal.servicebus.queue import Queue
from rehearsal.servicebus.refusal import Refusal

NOW = 1_000_000.0


class Notes:
    """A ledger that keeps what a store would hold."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, int], Message] = {}
        self.states: dict[tuple[str, str], bytes | None] = {}

    def put(self, queue: str, message: Message) -> None:
        self.held[queue, message.seq] = message

    def drop(self, queue: str, seq: int) -> None:
        del self.held[queue, seq]

    def seen(self, queue: str, message_id: str, at: float) -> None:
        """Not looked at here."""

    def state(self, queue: str, session_id: str, state: bytes | None, at: float) -> None:
        self.states[queue, session_id] = state


def queue_of(**rules: object) -> Queue:
    options, notes = Options(**{"lock_seconds": 10, **rules}), Notes()  # type-checked by the class
    return Queue("q", options, notes, Queue("q/$deadletterqueue", options, notes))


def raw_message(
    message_id: str | None = None,
    session_id: str | None = None,
    ttl_ms: int | None = None,
    at: float | None = None,
) -> bytes:
    header = described(0x70, encode([None, None, None if ttl_ms is None else UInt(ttl_ms)]))
    moment = Stamp((at or 0) * 1000)
    schedule = [encode(Symbol("x-opt-scheduled-enqueue-time")), encode(moment)]
    annotations = described(0x72, compound(0xD1, schedule if at is not None else []))
    properties = described(0x73, encode([message_id] + [None] * 9 + [session_id]))
    return header + annotations + properties + described(0x75, encode(b"body"))


def receive(queue: Queue, now: float = NOW, session_id: str | None = None) -> Message:
    message = queue.receive(now, session_id)
    assert message is not None
    return message


def token_of(message: Message) -> UUID:
    assert message.token is not None
    return message.token


def check_lost(queue: Queue, token: UUID, now: float) -> None:
    with pytest.raises(Refusal, match="lock-lost"):
        queue.complete(token, now)


# -- refusals


def test_an_unknown_lock_completes_nothing() -> None:
    check_lost(queue_of(), uuid4(), NOW)


def test_a_lock_that_has_expired_completes_nothing() -> None:
    queue = queue_of()
    queue.send(raw_message(), NOW)
    check_lost(queue, token_of(receive(queue)), NOW + 11)


def test_a_message_without_a_session_is_refused_where_sessions_are_required() -> None:
    with pytest.raises(Refusal, match="not-allowed"):
        queue_of(sessions=True).send(raw_message(), NOW)


def test_a_taken_session_cannot_be_locked() -> None:
    queue = queue_of(sessions=True)
    queue.accept_session("a", object(), NOW)
    with pytest.raises(Refusal, match="session-cannot-be-locked"):
        queue.accept_session("a", object(), NOW)


def test_a_message_that_is_not_deferred_is_not_to_be_had_by_its_number() -> None:
    queue = queue_of()
    seq = queue.send(raw_message(), NOW)
    assert seq is not None
    with pytest.raises(Refusal, match="message-not-found"):
        queue.receive_deferred(seq, NOW)


def test_a_message_that_is_not_scheduled_cannot_be_cancelled() -> None:
    queue = queue_of()
    seq = queue.send(raw_message(), NOW)
    assert seq is not None
    with pytest.raises(Refusal, match="message-not-found"):
        queue.cancel(seq)


@pytest.mark.parametrize("duration", ["PT6M", "PT0S", "60", "P"])
def test_a_lock_duration_that_azure_refuses_is_refused(duration: str) -> None:
    with pytest.raises(BadOptions):
        options_of({"lockDuration": duration})


# -- locks and counts


def test_a_locked_message_is_not_given_to_another() -> None:
    queue = queue_of()
    queue.send(raw_message(), NOW)
    receive(queue)
    assert queue.receive(NOW) is None


def test_a_lock_that_runs_out_counts_as_a_delivery() -> None:
    queue = queue_of()
    queue.send(raw_message(), NOW)
    receive(queue)
    queue.tick(NOW + 10)
    assert receive(queue, NOW + 10).deliveries == 1


def test_a_renewed_lock_outlives_its_first_end() -> None:
    queue = queue_of()
    queue.send(raw_message(), NOW)
    token = token_of(receive(queue))
    queue.renew(token, NOW + 9)
    queue.tick(NOW + 15)
    queue.complete(token, NOW + 15)
    assert not queue.messages


def test_a_release_is_not_counted_as_a_delivery() -> None:
    queue = queue_of()
    queue.send(raw_message(), NOW)
    queue.release(token_of(receive(queue)), NOW)
    assert receive(queue).deliveries == 0


def test_a_message_that_is_abandoned_too_often_goes_to_the_dead_letters() -> None:
    queue = queue_of(deliveries_max=3)
    queue.send(raw_message(), NOW)
    for _ in range(3):
        queue.abandon(token_of(receive(queue)), NOW)
    assert queue.dead is not None
    [dead] = queue.dead.messages.values()
    assert b"MaxDeliveryCountExceeded" in dead.raw


def test_abandoned_messages_come_back_in_their_order() -> None:
    queue = queue_of()
    for _ in range(3):
        queue.send(raw_message(), NOW)
    first, second = receive(queue), receive(queue)
    queue.abandon(token_of(second), NOW)
    queue.abandon(token_of(first), NOW)
    assert [receive(queue).seq for _ in range(3)] == [1, 2, 3]


# -- time


def test_an_expired_message_is_gone_without_dead_lettering() -> None:
    queue = queue_of()
    queue.send(raw_message(ttl_ms=5000), NOW)
    queue.tick(NOW + 5)
    assert not queue.messages and queue.dead is not None and not queue.dead.messages


def test_an_expired_message_is_dead_lettered_where_the_queue_says_so() -> None:
    queue = queue_of(dead_letter_expired=True)
    queue.send(raw_message(ttl_ms=5000), NOW)
    queue.tick(NOW + 5)
    assert queue.dead is not None
    [dead] = queue.dead.messages.values()
    assert b"TTLExpiredException" in dead.raw


def test_the_queue_limits_how_long_a_message_may_live() -> None:
    queue = queue_of(ttl_seconds=2)
    queue.send(raw_message(ttl_ms=5000), NOW)
    assert queue.receive(NOW + 3) is None


def test_a_scheduled_message_takes_a_new_number_when_it_comes_due() -> None:
    queue = queue_of()
    seq = queue.send(raw_message(at=NOW + 30), NOW)
    assert queue.receive(NOW) is None
    queue.tick(NOW + 30)
    assert seq is not None and receive(queue, NOW + 30).seq > seq


def test_a_cancelled_message_never_comes() -> None:
    queue = queue_of()
    seq = queue.send(raw_message(at=NOW + 30), NOW)
    assert seq is not None
    queue.cancel(seq)
    queue.tick(NOW + 31)
    assert queue.receive(NOW + 31) is None


def test_a_known_message_id_is_swallowed_within_the_window() -> None:
    queue = queue_of(duplicate_detection=True, history_seconds=60)
    first = queue.send(raw_message("a"), NOW)
    again = queue.send(raw_message("a"), NOW + 59)
    later = queue.send(raw_message("a"), NOW + 61)
    assert (first, again, later) == (1, None, 2)


# -- sessions


def test_any_session_means_the_one_with_the_oldest_message() -> None:
    queue = queue_of(sessions=True)
    for session_id in ("late", "later"):
        queue.send(raw_message(session_id=session_id), NOW)
    assert queue.accept_session(None, object(), NOW) == "late"


def test_the_end_of_a_session_lock_counts_as_a_delivery_and_names_the_holder() -> None:
    queue, holder = queue_of(sessions=True), object()
    queue.send(raw_message(session_id="a"), NOW)
    queue.accept_session("a", holder, NOW)
    token = token_of(receive(queue, NOW, "a"))
    queue.tick(NOW + 10)
    check_lost(queue, token, NOW + 10)
    assert queue.lost == [holder] and queue.messages[1].deliveries == 1


def test_leaving_a_session_puts_its_messages_back_uncounted() -> None:
    queue, holder = queue_of(sessions=True), object()
    queue.send(raw_message(session_id="a"), NOW)
    queue.accept_session("a", holder, NOW)
    receive(queue, NOW, "a")
    queue.leave_session("a", holder, NOW)
    assert queue.accept_session(None, object(), NOW) == "a"
    assert receive(queue, NOW, "a").deliveries == 0
