"""What stops the work of a plan of many chunks asks nobody between two: replayed by the SDK."""

from datetime import timedelta

import pytest

from orchestrations.component import component
from orchestrations.heartbeat import heartbeat
from orchestrations.stages import stage
from orchestrations.waves import CHUNK, block
from shared import plan, witness
from shared.outcome import refused, running, succeeded
from tests.registers import Register
from tests.replay import START, Replay
from tests.stories import HERE, LOST, acted, done, grown, paper

COUNTS = [CHUNK + 15, 3 * CHUNK]  # In chunks of the instance itself, and in blocks of their own.
CHILDREN = {"component": component, "block": block}


SLOW = running("https://management.azure.com/one", 5)


def silenced(count: int, stop: dict = SLOW, minutes: float = 0.5, lease: int = 20) -> Replay:
    """The active side's heartbeat while witness and peer are silent, and each stop is slow."""
    made = grown(count, "recurrence").document
    many = plan.checked({**made, "witness": {**made["witness"], "leaseSeconds": lease}})
    told = {"plan": "contoso", "location": LOST, "memory": None}
    answers = {
        "load_plan": succeeded(plan=many.document, digest=many.digest),
        "renew_lease": refused("witness: unreachable"),
        "ask_peer": refused("northeurope does not answer either"),
        "observe_workflow": succeeded("serving", serving=True),
        "demote_workflow": stop,
        "ask_operation": succeeded(),
        "alert": succeeded(),
    }
    return Replay(heartbeat, told, answers, CHILDREN).run(
        stop_at=START + timedelta(minutes=minutes)
    )


@pytest.mark.parametrize("count", COUNTS)
def test_who_steps_back_asks_the_silent_witness_nothing_between_two_chunks(count: int):
    run = silenced(count)
    assert len(set(acted(run, "demote_workflow"))) == count
    assert not run.named("read_witness")


def test_the_first_is_stopped_before_what_is_behind_it_is_looked_at():
    run = silenced(COUNTS[0], succeeded("disabled"), minutes=1, lease=60)
    looks = [one.at for one in run.calls if one.name == "observe_workflow"]
    stops = [one.at for one in run.calls if one.name == "demote_workflow"]
    assert len(looks) == len(stops) == COUNTS[0]
    assert min(looks) < min(stops) < max(looks)


def test_late_in_the_lease_a_stop_waits_for_no_look_and_all_counts_as_running():
    run = silenced(COUNTS[0], minutes=10)
    looked = [told["component"]["name"] for told in run.named("observe_workflow")]
    assert len(set(looked)) == CHUNK
    assert isinstance(run.again, dict)
    assert len(run.again["memory"]["stoodDown"]["stopped"]) == COUNTS[0]


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
    answers = register.answers(
        load_plan=succeeded(plan=many.document, digest=many.digest),
        read_rows=succeeded(stages=noted),
        demote_workflow=SLOW,
        promote_workflow=SLOW,
        ask_operation=succeeded(),
        observe_workflow=lambda task: succeeded(serving=task["location"] == LOST),
    )
    run = Replay(stage, paper("redirect", 1), answers, CHILDREN, instance="run.redirect").run()
    assert done(run)["outcome"] == "cancelled"
    assert len(set(acted(run, "demote_workflow"))) == count
    assert len(set(acted(run, "promote_workflow"))) == count
