"""A component's step: who tries once is never kept waiting, and who repeats says how often."""

from datetime import timedelta

import pytest

from orchestrations.component import GLANCE_MAX, component
from shared.outcome import refused, running, skipped, succeeded
from tests.replay import START, Replay
from tests.stories import HERE

BUSY = refused("the site restarts", busy=True)
TASK = {
    "plan": "contoso",
    "run": "contoso-heartbeat-x",
    "stage": "demote",
    "epoch": None,
    "verb": "demote",
    "location": HERE,
    "component": {"name": "settlement", "kind": "logicAppWorkflow"},
}


def stepping(answers: list[dict], attempts: int) -> Replay:
    left = list(answers)
    acts: dict = {"act": lambda told: left.pop(0) if len(left) > 1 else left[0]}
    acts["ask_operation"] = lambda told: running("https://arm/op", 5)
    order = {"task": TASK, "activity": "act", "observe": None, "attempts": attempts}
    return Replay(component, order, acts).run()


def told(run: Replay) -> dict:
    assert isinstance(run.output, dict), run.failure
    return run.output


@pytest.mark.parametrize("answer", [BUSY, running("https://arm/op", 15)])
def test_who_tries_once_gets_an_answer_within_seconds(answer: dict):
    run = stepping([answer], 1)
    assert told(run)["outcome"] == "refused" and len(run.named("act")) == 1
    assert run.now - START <= GLANCE_MAX + timedelta(seconds=1)  # And what the calls take.


def test_who_tries_for_long_waits_for_what_is_busy():
    run = stepping([BUSY, BUSY, succeeded("was Enabled")], 3)
    assert told(run)["outcome"] == "succeeded" and run.now - START >= timedelta(seconds=20)


def test_what_a_repeat_finds_done_counts_the_tries_before_it():
    run = stepping([BUSY, skipped("is Disabled already")], 3)
    assert (told(run)["outcome"], told(run)["attempts"]) == ("skipped", 2)
