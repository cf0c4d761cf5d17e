"""Whatever is done to a queue: nothing is lost, nothing is in two places, the order holds."""

from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.servicebus.message import State
from rehearsal.servicebus.queue import Queue
from rehearsal.servicebus.refusal import Refusal
from tests.test_queues import NOW, Notes, queue_of, raw_message

VERBS = ["send", "schedule", "receive", "complete", "abandon", "release", "defer", "dead", "tick"]
STEPS = st.lists(st.tuples(st.sampled_from(VERBS), st.integers(0, 5), st.booleans()), max_size=60)


class Player:
    """Does what the steps say, and remembers which messages may rightly be gone."""

    def __init__(self) -> None:
        self.queue = queue_of(deliveries_max=4, dead_letter_expired=True)
        self.now, self.sent, self.completed = NOW, 0, 0
        self.tokens: list[UUID] = []

    def step(self, verb: str, number: int, short: bool) -> None:
        if verb in ("send", "schedule"):
            at = self.now + number if verb == "schedule" else None
            self.queue.send(raw_message(ttl_ms=7000 if short else None, at=at), self.now)
            self.sent += 1
        elif verb == "tick":
            self.now += number
            self.queue.tick(self.now)
        elif verb == "receive":
            message = self.queue.receive(self.now)
            self.tokens += [message.token] if message and message.token else []
        elif self.tokens:
            self.settle(verb, self.tokens.pop(number % len(self.tokens)))

    def settle(self, verb: str, token: UUID) -> None:
        act = self.queue.dead_letter if verb == "dead" else getattr(self.queue, verb)
        try:
            act(token, self.now)
        except Refusal:
            return
        self.completed += verb == "complete"


def places(queue: Queue) -> dict[str, list[int]]:
    """The sequence numbers in each place."""
    messages = queue.messages.values()
    live = [one.seq for one in messages if one.state is State.ACTIVE and one.token is None]
    lanes = [seq for lane in queue.lanes.values() for seq in lane if seq in live]
    assert queue.dead is not None
    return {
        "ready": lanes,
        "locked": [seq for seq, _ in queue.locked.values()],
        "deferred": [
            one.seq for one in messages if one.state is State.DEFERRED and one.token is None
        ],
        "scheduled": [one.seq for one in messages if one.state is State.SCHEDULED],
        "dead": list(queue.dead.messages),
    }


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_no_message_is_lost_and_none_is_in_two_places(steps: list) -> None:
    player = Player()
    for verb, number, short in steps:
        player.step(verb, number, short)
        everywhere = [seq for seqs in places(player.queue).values() for seq in seqs]
        assert len(everywhere) == len(set(everywhere)) == player.sent - player.completed


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_the_ledger_holds_what_the_queue_holds(steps: list) -> None:
    player = Player()
    for verb, number, short in steps:
        player.step(verb, number, short)
    queue = player.queue
    assert isinstance(queue.ledger, Notes) and queue.dead is not None
    held = {(one.name, seq) for one in (queue, queue.dead) for seq in one.messages}
    assert set(queue.ledger.held) == held


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_what_is_ready_comes_in_the_order_of_sequence_numbers(steps: list) -> None:
    player = Player()
    for verb, number, short in steps:
        player.step(verb, number, short)
    ready = [one.seq for _ in range(99) if (one := player.queue.receive(player.now)) is not None]
    assert ready == sorted(ready)
