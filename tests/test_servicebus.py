"""The player as the unmodified client meets it, over AMQP, and its own HTTP."""

import asyncio
import gc
import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.servicebus import (
    NEXT_AVAILABLE_SESSION,
    ServiceBusClient,
    ServiceBusMessage,
    ServiceBusReceiveMode,
    ServiceBusSubQueue,
)
from azure.servicebus.aio import ServiceBusClient as AsyncClient
from azure.servicebus.exceptions import (
    MessageLockLostError,
    MessagingEntityNotFoundError,
    ServiceBusError,
    SessionCannotBeLockedError,
)

from rehearsal.servicebus.bench import running_player

# The client leaves the sockets of connections that were cut to the garbage collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed <socket:ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)

WAIT_SECONDS = 3
ADMIN_SECONDS_MAX = 10


class Player:
    """A running player and a client of it."""

    def __init__(self, facts: dict, client: ServiceBusClient) -> None:
        self.facts, self.client = facts, client

    def admin(self, method: str, path: str, body: dict | None = None) -> dict:
        raw = json.dumps(body or {}).encode()
        request = urllib.request.Request(self.facts["admin"] + path, raw, method=method)
        with urllib.request.urlopen(request, timeout=ADMIN_SECONDS_MAX) as reply:
            return json.load(reply)

    def queue(self, **properties: object) -> str:
        """A new queue of its own for a test."""
        name = f"q-{uuid.uuid4().hex[:8]}"
        self.admin("PUT", f"/queues/{name}", {"properties": properties})
        return name

    def counts(self, name: str) -> dict:
        return self.admin("GET", f"/queues/{name}")["properties"]["countDetails"]

    def send(self, name: str, *messages: ServiceBusMessage) -> None:
        with self.client.get_queue_sender(name) as sender:
            sender.send_messages(list(messages))


@pytest.fixture(autouse=True)
def sockets_collected() -> Iterator[None]:
    """Collect what the client left behind here, where the filters above hold."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def player(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Player]:
    folder: Path = tmp_path_factory.mktemp("player")
    with running_player(folder) as facts:
        options = {"retry_total": 1, "retry_backoff_factor": 0.01}
        connection = facts["connectionString"]
        with ServiceBusClient.from_connection_string(connection, **options) as client:
            yield Player(facts, client)


# -- refusals


def test_a_queue_that_is_not_there_is_not_found(player: Player) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        player.admin("GET", "/queues/nowhere")


def test_a_queue_with_an_impossible_lock_is_refused(player: Player) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400"):
        player.queue(lockDuration="PT10M")


def test_a_fault_of_an_unknown_kind_is_refused(player: Player) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400"):
        player.admin("POST", "/faults", {"effect": "explode", "times": 1})


def test_a_receiver_without_a_session_is_refused_where_sessions_are_required(
    player: Player,
) -> None:
    name = player.queue(requiresSession=True)
    with (
        pytest.raises(ServiceBusError, match="sessions"),
        player.client.get_queue_receiver(name, max_wait_time=1),
    ):
        """Opening is enough."""


@pytest.mark.slow
def test_a_session_that_another_holds_is_refused(player: Player) -> None:
    name = player.queue(requiresSession=True)
    first = player.client.get_queue_receiver(name, session_id="a", max_wait_time=1)
    second = player.client.get_queue_receiver(name, session_id="a", max_wait_time=1)
    with first, pytest.raises(SessionCannotBeLockedError), second:
        """Opening is enough."""


@pytest.mark.slow
def test_a_deferred_message_that_was_never_there_is_refused(player: Player) -> None:
    name = player.queue()
    with (
        player.client.get_queue_receiver(name, max_wait_time=1) as receiver,
        pytest.raises(ServiceBusError, match="lock one or more"),
    ):
        receiver.receive_deferred_messages([99])


@pytest.mark.slow
def test_a_queue_that_was_deleted_takes_no_more_messages(player: Player) -> None:
    name = player.queue()
    with player.client.get_queue_sender(name) as sender:
        sender.send_messages(ServiceBusMessage("a"))
    player.admin("DELETE", f"/queues/{name}")
    with pytest.raises((MessagingEntityNotFoundError, ServiceBusError)):
        player.send(name, ServiceBusMessage("b"))


# -- what the client does


def test_properties_of_any_kind_come_back_as_they_were_sent(player: Player) -> None:
    name = player.queue()
    own: dict = {"text": "ä", "number": 7, "real": 1.5, "yes": True, "id": uuid.uuid4()}
    player.send(name, ServiceBusMessage("x", application_properties=own, subject="s", to="t"))
    with player.client.get_queue_receiver(name, max_wait_time=WAIT_SECONDS) as receiver:
        [message] = receiver.receive_messages()
        got: dict = message.application_properties or {}
    expected = {**{key.encode(): value for key, value in own.items()}, b"text": "ä".encode()}
    assert got == expected and (message.subject, message.to) == ("s", "t")


def test_a_message_that_is_put_in_the_dead_letters_says_why(player: Player) -> None:
    name = player.queue()
    player.send(name, ServiceBusMessage("x"))
    with player.client.get_queue_receiver(name, max_wait_time=WAIT_SECONDS) as receiver:
        [message] = receiver.receive_messages()
        receiver.dead_letter_message(message, "why", "because")
    dead_letters = ServiceBusSubQueue.DEAD_LETTER
    with player.client.get_queue_receiver(name, sub_queue=dead_letters) as receiver:
        [dead] = receiver.receive_messages(max_wait_time=WAIT_SECONDS)
    assert (dead.dead_letter_reason, dead.dead_letter_error_description) == ("why", "because")


@pytest.mark.slow
def test_an_abandoned_message_comes_again_and_says_so(player: Player) -> None:
    name = player.queue()
    player.send(name, ServiceBusMessage("x"))
    with player.client.get_queue_receiver(name, max_wait_time=WAIT_SECONDS) as receiver:
        [message] = receiver.receive_messages()
        receiver.abandon_message(message)
        [again] = receiver.receive_messages()
    assert again.delivery_count == 1


@pytest.mark.slow
def test_a_deferred_message_is_had_by_its_number(player: Player) -> None:
    name = player.queue()
    player.send(name, ServiceBusMessage("x"))
    with player.client.get_queue_receiver(name, max_wait_time=WAIT_SECONDS) as receiver:
        [message] = receiver.receive_messages()
        receiver.defer_message(message)
        number = message.sequence_number
        [deferred] = receiver.receive_deferred_messages([number or 0])
        receiver.complete_message(deferred)
    assert player.counts(name)["activeMessageCount"] == 0


@pytest.mark.slow
def test_a_cancelled_schedule_leaves_nothing(player: Player) -> None:
    name = player.queue()
    with player.client.get_queue_sender(name) as sender:
        at = datetime.now(UTC) + timedelta(hours=1)
        numbers = sender.schedule_messages([ServiceBusMessage("a"), ServiceBusMessage("b")], at)
        scheduled = player.counts(name)["scheduledMessageCount"]
        sender.cancel_scheduled_messages(numbers)
    assert (scheduled, player.counts(name)["scheduledMessageCount"]) == (2, 0)


@pytest.mark.slow
def test_the_same_message_id_is_stored_once_with_duplicate_detection(player: Player) -> None:
    name = player.queue(requiresDuplicateDetection=True)
    twice = [ServiceBusMessage("x", message_id="same") for _ in range(2)]
    player.send(name, *twice)
    assert player.counts(name)["activeMessageCount"] == 1


@pytest.mark.slow
def test_receive_and_delete_leaves_nothing(player: Player) -> None:
    name = player.queue()
    player.send(name, *[ServiceBusMessage(str(number)) for number in range(5)])
    mode = ServiceBusReceiveMode.RECEIVE_AND_DELETE
    with player.client.get_queue_receiver(name, receive_mode=mode) as receiver:
        got = receiver.receive_messages(5, max_wait_time=WAIT_SECONDS)
    assert [str(one) for one in got] == list("01234")
    assert player.counts(name)["activeMessageCount"] == 0


def test_a_session_keeps_its_state_for_the_next_holder(player: Player) -> None:
    name = player.queue(requiresSession=True)
    player.send(name, ServiceBusMessage("x", session_id="a"))
    with player.client.get_queue_receiver(name, session_id="a") as receiver:
        receiver.session.set_state(b"halfway")
    anyone = NEXT_AVAILABLE_SESSION
    with player.client.get_queue_receiver(name, session_id=anyone, max_wait_time=3) as receiver:
        assert (receiver.session.session_id, receiver.session.get_state()) == ("a", b"halfway")


def test_the_async_client_sends_receives_and_completes(player: Player) -> None:
    name = player.queue()

    async def go() -> list[str]:
        async with (
            AsyncClient.from_connection_string(player.facts["connectionString"]) as client,
            client.get_queue_sender(name) as sender,
            client.get_queue_receiver(name, max_wait_time=WAIT_SECONDS) as receiver,
        ):
            await sender.send_messages([ServiceBusMessage("a"), ServiceBusMessage("b")])
            got = await receiver.receive_messages(2)
            for message in got:
                await receiver.complete_message(message)
            return [str(message) for message in got]

    assert asyncio.run(go()) == ["a", "b"]
    assert player.counts(name)["activeMessageCount"] == 0


# -- faults


@pytest.mark.slow
def test_an_answer_that_is_lost_after_storing_makes_a_duplicate(player: Player) -> None:
    name = player.queue()
    with player.client.get_queue_sender(name) as sender:
        player.admin("POST", "/faults", {"effect": "cut-after-store", "entity": name, "times": 1})
        sender.send_messages(ServiceBusMessage("x"))
    assert player.counts(name)["activeMessageCount"] == 2


def test_duplicate_detection_makes_up_for_a_lost_answer(player: Player) -> None:
    name = player.queue(requiresDuplicateDetection=True)
    with player.client.get_queue_sender(name) as sender:
        player.admin("POST", "/faults", {"effect": "cut-after-store", "entity": name, "times": 1})
        sender.send_messages(ServiceBusMessage("x", message_id="once"))
    assert player.counts(name)["activeMessageCount"] == 1


def test_a_lost_answer_to_a_completion_is_a_lost_lock_though_it_was_completed(
    player: Player,
) -> None:
    name = player.queue()
    player.send(name, ServiceBusMessage("x"))
    with player.client.get_queue_receiver(name, max_wait_time=WAIT_SECONDS) as receiver:
        [message] = receiver.receive_messages()
        fault = {"effect": "cut-after-complete", "entity": name, "times": 1}
        player.admin("POST", "/faults", fault)
        with pytest.raises(MessageLockLostError):
            receiver.complete_message(message)
    assert player.counts(name)["activeMessageCount"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("effect", ["busy", "detach"])
def test_the_client_sends_again_when_it_is_refused_for_now(player: Player, effect: str) -> None:
    name = player.queue()
    with player.client.get_queue_sender(name) as sender:
        player.admin("POST", "/faults", {"effect": effect, "entity": name, "times": 1})
        sender.send_messages(ServiceBusMessage("x"))
    assert player.counts(name)["activeMessageCount"] == 1
