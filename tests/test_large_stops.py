"""What stops the work of a plan of many chunks asks nobody between two: replayed by the SDK."""

from datetime import timedelta

import pytest

from orchestrations.component import component
from orchestrations.heartbeat import heartbeat
from orchestrations.stages import stage
from orchestrations.waves import CHUNK, block
from shared import witness
from shared.outcome import refused, running, succeeded
from tests.registers import Register
from tests.replay import START, Replay
from tests.stories import HERE, LOST, acted, done, grown, paper

COUNTS = [CHUNK + 15, 3 * CHUNK]  # In chunks of the instance itself, and in blocks of their own.
CHILDREN = {"component": component, "block": block}
LEASE = timedelta(seconds=grown(1).witness.lease_seconds)


def silenced(count: int) -> Replay:
    """The active side's heartbeat while witness and peer are silent, and each stop is slow."""
    many = grown(count, "recurrence")
    told = {"plan": "contoso", "location": LOST, "memory": None}
    answers = {
        "load_plan": succeeded(plan=many.document, digest=many.digest),
        "renew_lease": refused("witness: unreachable"),
        "ask_peer": refused("northeurope does not answer either"),
        "observe_workflow": succeeded("serving", serving=True),
        "demote_workflow": running("https://management.azure.com/one", 5),
        "ask_operation": succeeded(),
        "alert": succeeded(),
    }
    return Replay(heartbeat, told, answers, CHILDREN).run(stop_at=START + LEASE)


@pytest.mark.parametrize("count", COUNTS)
def test_who_steps_back_asks_the_silent_witness_nothing_between_two_chunks(count: int):
    run = silenced(count)
    assert len(set(acted(run, "demote_workflow"))) == count
    assert not run.named("read_witness")


def test_the_first_is_stopped_before_the_last_is_looked_at():
    run = silenced(COUNTS[0])
    looks = [one.at for one in run.calls if one.name == "observe_workflow"]
    stops = [one.at for one in run.calls if one.name == "demote_workflow"]
    assert len(looks) == len(stops) == COUNTS[0]
    assert min(stops) < max(looks) and min(looks) < min(stops)


@pytest.mark.parametrize("count", COUNTS)
def test_a_cancel_does_not_end_the_undo_that_it_has_begun(count: int):
    many, register = grown(count, "recurrence"), Register().claimed()
    names = [name for wave in many.waves("activate", HERE) for name in wave]
    woken = [{"component": name, "verb": "promote", "location": HERE} for name in names]
    fenced = [{"component": name, "verb": "demote", "location": LOST} for name in names]
    well = {"outcome": "succeeded"}
    noted = {"fence": [one | well for one in fenced], "activate": [one | well for one in woken]}
    for phase in ("fence", "promote", "activate"):
        register.put(witness.advance(register.record, paper(phase, 1), phase, START))
    register.say("cancel")
    slow = running("https://management.azure.com/one", 5)
    answers = register.answers(
        load_plan=succeeded(plan=many.document, digest=many.digest),
        read_rows=succeeded(stages=noted),
        demote_workflow=slow,
        promote_workflow=slow,
        ask_operation=succeeded(),
        observe_workflow=lambda task: succeeded(serving=task["location"] == LOST),
    )
    run = Replay(stage, paper("redirect", 1), answers, CHILDREN, instance="run.redirect").run()
    assert done(run)["outcome"] == "cancelled"
    assert len(set(acted(run, "demote_workflow"))) == count
    assert len(set(acted(run, "promote_workflow"))) == count
