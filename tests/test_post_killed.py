"""The outbox of a process that is killed between any two steps."""

import asyncio
import json
import threading
from types import SimpleNamespace
from typing import cast

import pytest

from activities import slip_desk
from shared import post, slip
from tests.doors import HERE, THERE, Doors
from tests.test_post import Client, Killed, a_slip, gone, held, waiting
from tests.test_post import fresh as fresh


def test_a_slip_that_was_written_and_not_sent_is_sent_by_the_next_life(doors: Doors) -> None:
    told, before = a_slip(), held(doors, THERE, "slip-verify")
    post.keep(THERE, slip.queue(told), told)
    slip_desk.forward()
    assert held(doors, THERE, "slip-verify") == before + 1


def test_a_slip_that_was_sent_and_not_struck_out_arrives_once(doors: Doors) -> None:
    told, before = a_slip(), held(doors, THERE, "slip-verify")
    post.keep(THERE, slip.queue(told), told)
    post.deliver(THERE, slip.queue(told), told)
    slip_desk.forward()
    assert (waiting(THERE), held(doors, THERE, "slip-verify")) == ([], before + 1)


def test_a_stage_that_was_started_and_not_struck_out_is_started_once(doors: Doors) -> None:
    told, engine = a_slip(HERE), Client(dies=True)
    post.keep(HERE, slip.queue(told), told)
    with pytest.raises(Killed):
        asyncio.run(slip_desk.carry_once(engine))
    assert waiting(HERE) == [told["run"]]
    asyncio.run(slip_desk.carry_once(engine))
    assert (engine.started, waiting(HERE)) == ([slip.instance_id(told)], [])


def test_a_message_that_comes_after_the_outbox_has_started_its_stage_changes_nothing(
    doors: Doors,
) -> None:
    told, engine = a_slip(HERE), Client()
    post.keep(HERE, slip.queue(told), told)
    asyncio.run(slip_desk.carry_once(engine))
    message = SimpleNamespace(message_id="m", get_body=lambda: json.dumps(told).encode())
    for stop in ("verify", None):
        asyncio.run(slip_desk.take(cast("slip_desk.ServiceBusMessage", message), engine, stop))
    assert engine.started == [slip.instance_id(told)]


def test_two_who_send_on_at_once_send_each_slip_once(doors: Doors) -> None:
    papers, before = [a_slip() for _ in range(4)], held(doors, THERE, "slip-verify")
    for told in papers:
        post.keep(THERE, slip.queue(told), told)
    both = [threading.Thread(target=slip_desk.forward) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert (waiting(THERE), held(doors, THERE, "slip-verify")) == ([], before + 4)
    assert sorted(run for run, _ in gone(THERE)) == sorted(told["run"] for told in papers)


def test_a_slip_that_is_kept_while_another_is_struck_out_is_not_lost(doors: Doors) -> None:
    first, *more = [a_slip() for _ in range(5)]
    post.keep(THERE, slip.queue(first), first)
    work = [threading.Thread(target=post.strike, args=(THERE, slip.message_id(first), "sent"))]
    work += [threading.Thread(target=post.keep, args=(THERE, slip.queue(t), t)) for t in more]
    for one in work:
        one.start()
    for one in work:
        one.join()
    assert sorted(waiting(THERE)) == sorted(told["run"] for told in more)
