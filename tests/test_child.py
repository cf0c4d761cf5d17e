"""Child plans: ordered once for one move of the parent, and held by what holds them anyway."""

import json
from collections.abc import Iterator

import pytest
import yaml

from activities import readiness
from shared import api, child, guard
from shared.plan import BadPlan, Plan, checked
from shared.record import fresh
from shared.witness import run_of
from tests.doors import HERE, THERE, Doors
from tests.papers import paper
from tests.parts import called, plan_with, task

NAME = "contoso-reports"
PART = {"name": "reports", "kind": "plan", "plan": NAME}
KEEPING = ("contoso.json", f"{NAME}.json")


def document(doors: Doors, **more: object) -> Plan:
    """The child: Contoso with one workflow, under a name of its own."""
    data = yaml.safe_load(doors.plan_text)
    kept = [part for part in data["components"] if part["name"] == "orders-status"]
    return checked({**data, "name": NAME, "components": kept, "ledger": {}, **more})


def lay(doors: Doors, **more: object) -> None:
    text = json.dumps(document(doors, **more).document)
    doors.lay("stcontosone", "understudy", f"plans/{NAME}.yaml", text.encode())


@pytest.fixture(autouse=True)
def apart(doors: Doors) -> Iterator[None]:
    doors.empty("slip-claim")
    yield
    for name in KEEPING:
        doors.drop("stcontosowitness", "understudy", name)
    doors.drop("stcontosone", "understudy", f"plans/{NAME}.yaml")
    doors.empty("slip-claim")
    readiness.forget()


def record(doors: Doors, **changes: object) -> dict:
    """Have the witness hold this of the child."""
    held = {**fresh(document(doors).document, doors.world.now), **changes}
    doors.lay("stcontosowitness", "understudy", f"{NAME}.json", json.dumps(held).encode())
    guard.forget()
    return held


def kept(doors: Doors) -> dict:
    """What the witness holds of the child."""
    with doors.storage.client("stcontosowitness") as service:
        blob = service.get_blob_client("understudy", f"{NAME}.json")
        return json.loads(blob.download_blob().readall())


def run(doors: Doors, target: str, phase: str, id: str = "x") -> dict:
    source = THERE if target == HERE else HERE
    made = paper(f"{NAME}-{id}", plan=NAME, source=source, target=target, now=doors.world.now)
    return run_of(made, phase, doors.world.now)


def promote(doors: Doors, epoch: int = 1) -> dict:
    payload = task(doors, PART, "promote", mode="forced", epoch=epoch)
    return called(doors, "promote_child", payload)


def test_a_plan_that_is_its_own_child_is_refused(doors: Doors) -> None:
    with pytest.raises(BadPlan, match="cannot be its own child"):
        plan_with(doors, {**PART, "plan": "contoso"})


def test_a_child_of_two_components_is_refused(doors: Doors) -> None:
    with pytest.raises(BadPlan, match="contoso-reports is the child of"):
        plan_with(doors, PART, {**PART, "name": "again"})


def test_a_child_that_is_not_there_is_refused_by_name(doors: Doors) -> None:
    assert "no plan contoso-reports here" in promote(doors)["because"]


def test_a_child_with_children_is_refused(doors: Doors) -> None:
    lay(doors, components=[{"name": "deeper", "kind": "plan", "plan": "contoso-deeper"}])
    assert "one level is all there is" in promote(doors)["because"]


def test_a_circle_is_refused(doors: Doors) -> None:
    lay(doors, components=[{"name": "back", "kind": "plan", "plan": "contoso"}])
    outcome = promote(doors)
    assert (outcome["status"], outcome.get("busy")) == ("refused", None)


def test_a_child_that_people_have_paused_is_not_moved(doors: Doors) -> None:
    lay(doors)
    record(doors, paused=True)
    outcome = promote(doors)
    assert outcome["because"].startswith("contoso-reports is not moved")
    assert kept(doors)["run"] is None


def test_a_run_that_ended_otherwise_is_told_and_not_begun_again(doors: Doors) -> None:
    lay(doors)
    id = api.run_id(NAME, child.key("contoso", 1, HERE, "reports"), doors.world.now)
    line = {"n": 1, "epoch": 0, "at": doors.world.now.isoformat(), "who": id, "why": ""}
    record(doors, transitions=[{**line, "what": "halted"}])
    outcome = promote(doors)
    assert (outcome["busy"], "ended as halted" in outcome["because"]) == (False, True)


def test_a_task_of_an_old_epoch_orders_nothing(doors: Doors) -> None:
    lay(doors)
    record(doors)
    assert promote(doors, epoch=0)["stale"] is True
    assert kept(doors)["run"] is None


def test_a_child_is_ordered_to_the_same_location(doors: Doors) -> None:
    lay(doors)
    record(doors)
    outcome = promote(doors)
    ordered = kept(doors)["run"]
    assert (outcome["status"], outcome["busy"]) == ("refused", True)
    assert (ordered["to"], ordered["mode"]) == (HERE, "forced")
    assert "moves along with contoso, run run-1" in ordered["reason"]


def test_a_repeat_orders_no_second_run(doors: Doors) -> None:
    lay(doors)
    record(doors)
    promote(doors)
    first = kept(doors)
    assert promote(doors)["busy"] is True
    assert kept(doors)["transitions"] == first["transitions"]


def test_another_epoch_is_another_run() -> None:
    keys = {child.key("contoso", epoch, HERE, "reports") for epoch in (1, 2)}
    assert len(keys) == 2


def test_a_child_that_moves_by_itself_is_waited_for(doors: Doors) -> None:
    lay(doors)
    record(doors, run=run(doors, HERE, "activate"), active=HERE, epoch=1)
    outcome = promote(doors)
    assert (outcome["busy"], "is on its way" in outcome["because"]) == (True, True)


@pytest.mark.parametrize("phase", [None, "protect"])
def test_a_child_that_serves_is_left_alone(doors: Doors, phase: str | None) -> None:
    lay(doors)
    under = run(doors, HERE, phase) if phase else None
    record(doors, run=under, active=HERE, epoch=1)
    assert promote(doors)["status"] == "skipped"


def test_an_undo_brings_the_child_back(doors: Doors) -> None:
    lay(doors)
    record(doors, active=HERE, epoch=1)
    payload = task(doors, PART, "undo", THERE, mode="forced", stage="undo")
    doors.hold(active=HERE)
    assert called(doors, "promote_child", payload)["busy"] is True
    ordered = kept(doors)["run"]
    # The run that is taken back may have been forced; the way home loses nothing.
    assert (ordered["to"], ordered["mode"]) == (THERE, "graceful")


def test_a_dry_run_names_the_order_and_gives_none(doors: Doors) -> None:
    lay(doors)
    record(doors)
    seen = called(doors, "observe_child", task(doors, PART, "promote", dryRun=True))
    assert [call["url"] for call in seen["calls"]["promote"]] == [f"plans/{NAME}/failover"]
    assert kept(doors)["run"] is None


def look(doors: Doors, payload: dict | None = None) -> list[tuple[str, str]]:
    found = called(doors, "check_child", payload or task(doors, PART, "check"))
    return [(row["status"], row["because"]) for row in found["checks"]]


def test_readiness_finds_no_child(doors: Doors) -> None:
    assert [status for status, _ in look(doors)] == ["fail"]


def test_what_would_hold_the_child_holds_the_parent(doors: Doors) -> None:
    lay(doors)
    record(doors)
    doors.strangers.answers["func-contoso-ne.azurewebsites.net/api/health"] = (503, "{}")
    found = look(doors)
    assert ("fail", True) in [(status, because.startswith(NAME)) for status, because in found]


def test_a_child_that_is_there_already_is_a_warning(doors: Doors) -> None:
    lay(doors)
    record(doors, active=HERE, epoch=1)
    assert [status for status, _ in look(doors)] == ["warn"]
