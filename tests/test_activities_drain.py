"""Draining a workflow at the wire: what runs, what is remembered, and what is asked of ARM."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from rehearsal.runtimes import IdleWorkflows
from rehearsal.world import Resource
from tests.doors import HERE, THERE, Doors
from tests.papers import paper_of
from tests.wire import check_exchanges

NAME = "stock-sync"


class Running(IdleWorkflows):
    """A runtime with runs in flight, which writes down whose state was carried where."""

    def __init__(self) -> None:
        self.flying: list[tuple[str, str]] = []  # (name, status)
        self.carried: list[tuple[str, str, str, str]] = []

    def runs(self, workflow: Resource) -> list[dict]:
        started = datetime.now(UTC).isoformat()
        return [
            {"name": name, "properties": {"status": status, "startTime": started}}
            for name, status in self.flying
        ]

    def set_state(self, workflow: Resource, trigger: str, source: Resource, name: str) -> None:
        self.carried.append((workflow.location, trigger, source.location, name))


@pytest.fixture
def runtime(doors: Doors) -> Iterator[Running]:
    before, made = doors.world.workflows, Running()
    doors.world.workflows = made
    mark = doors.mark()
    yield made
    doors.world.workflows = before
    doors.whole()
    check_exchanges(doors.world.journal.after(mark))


def transfer(doors: Doors, state: str = "Disabled") -> dict:
    task = doors.task(NAME, "transfer", HERE)
    task["component"]["source"] = doors.plan.component(NAME, THERE)["resource"]
    found = doors.world.resources.get(task["component"]["resource"])
    assert found is not None
    found.properties["state"] = state
    return task


def test_runs_in_flight_are_named(doors: Doors, runtime: Running) -> None:
    runtime.flying = [("r1", "Running"), ("r2", "Succeeded"), ("r3", "Waiting")]
    outcome = doors.call("drain_workflow", doors.task(NAME, "drain", THERE))
    assert (outcome["status"], outcome["runs"], outcome["count"]) == ("refused", ["r1", "r3"], 2)


def test_of_many_runs_a_few_are_named(doors: Doors, runtime: Running) -> None:
    runtime.flying = [(f"r{n}", "Running") for n in range(40)]
    outcome = doors.call("drain_workflow", doors.task(NAME, "drain", THERE))
    assert (len(outcome["runs"]), outcome["count"]) == (10, 40)


def test_a_region_that_does_not_answer_is_not_seen_to_be_empty(
    doors: Doors, runtime: Running
) -> None:
    doors.world.lose(THERE)
    outcome = doors.call("drain_workflow", doors.task(NAME, "drain", THERE))
    assert (outcome["status"], outcome["unseen"]) == ("refused", True)


def test_state_is_not_carried_from_a_region_that_does_not_answer(
    doors: Doors, runtime: Running
) -> None:
    doors.world.lose(THERE)
    assert doors.call("transfer_workflow", transfer(doors))["status"] == "refused"
    assert runtime.carried == []


def test_a_workflow_that_runs_keeps_its_own_state(doors: Doors, runtime: Running) -> None:
    outcome = doors.call("transfer_workflow", transfer(doors, "Enabled"))
    assert (outcome["status"], runtime.carried) == ("skipped", [])


def test_a_missing_source_is_refused(doors: Doors, runtime: Running) -> None:
    task = transfer(doors)
    task["component"]["source"] += "-gone"
    assert doors.call("transfer_workflow", task)["status"] == "refused"


def test_nothing_in_flight_is_a_success(doors: Doors, runtime: Running) -> None:
    outcome = doors.call("drain_workflow", doors.task(NAME, "drain", THERE))
    assert (outcome["status"], outcome["count"]) == ("succeeded", 0)


def test_a_workflow_that_is_not_there_has_nothing_in_flight(doors: Doors, runtime: Running) -> None:
    task = doors.task(NAME, "drain", THERE)
    task["component"]["resource"] += "-gone"
    assert doors.call("drain_workflow", task)["status"] == "skipped"


def test_every_trigger_takes_over_the_state_of_its_source(doors: Doors, runtime: Running) -> None:
    outcome = doors.call("transfer_workflow", transfer(doors))
    assert outcome["status"] == "succeeded"
    assert runtime.carried == [(HERE, "every_few_seconds", THERE, "every_few_seconds")]


def test_a_repeat_carries_the_same_again(doors: Doors, runtime: Running) -> None:
    doors.call("transfer_workflow", transfer(doors))
    assert doors.call("transfer_workflow", transfer(doors))["status"] == "succeeded"


def test_a_lease_that_is_released_is_renewed_no_more_and_claimed_at_once(doors: Doors) -> None:
    doors.drop("stcontosowitness", "understudy", "contoso.json")
    paper = paper_of(doors, "contoso-graceful", "graceful")
    told = {"slip": paper, "witness": doors.plan.document["witness"]}
    mine = {"plan": "contoso", "location": THERE, "witness": told["witness"]}
    doors.call("renew_lease", mine)
    doors.call("reserve_run", told)
    doors.call("advance_run", {**told, "phase": "quiesce"})
    assert doors.call("claim_epoch", told)["status"] == "refused"
    for _ in range(2):
        assert doors.call("release_lease", {**told, "proven": True})["status"] == "succeeded"
    assert "released to run" in doors.call("renew_lease", mine)["because"]
    assert doors.call("claim_epoch", told)["record"]["active"] == HERE
    doors.drop("stcontosowitness", "understudy", "contoso.json")
    doors.drop("stcontosone", "understudy", "claims/contoso.json")
