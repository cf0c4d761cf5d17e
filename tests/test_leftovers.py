"""Letters that nobody will take any more are found, in the poison queue and among the dead ones."""

from collections.abc import Iterator

from activities import desk
from shared import clients, leftovers
from tests.doors import HERE, Doors


def looks() -> Iterator[list[str]]:
    """What is known after each look, until every queue was looked at."""
    return (leftovers.look(HERE) for _ in leftovers.DEAD)


def kill_a_letter(queue: str) -> None:
    """Send a message and dead-letter it, as ten failures would."""
    from azure.servicebus import ServiceBusMessage

    bus = clients.bus(HERE)
    with bus.get_queue_sender(queue) as sender:
        sender.send_messages(ServiceBusMessage("{}", message_id="dead-1"))
    with bus.get_queue_receiver(queue, prefetch_count=0) as receiver:
        for message in receiver.receive_messages(max_message_count=1, max_wait_time=5):
            receiver.dead_letter_message(message, reason="ten failures")


def test_a_dead_letter_is_found_and_told_beside_the_plan(doors: Doors) -> None:
    kill_a_letter("slip-fence")
    found = next(filter(None, looks()))
    _, plan = desk.one_plan("contoso")
    doors.empty("slip-fence/$DeadLetterQueue")
    assert found == ["slip-fence/$DeadLetterQueue"]
    assert any("slip-fence" in warning for warning in plan["warnings"])


def test_where_nothing_is_left_nothing_is_told(doors: Doors) -> None:
    assert list(looks())[-1] == []
