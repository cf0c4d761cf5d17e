"""A child plan in its parent's forecast: what its own run takes and loses, and who cannot say."""

from datetime import UTC, datetime

import pytest

from activities import desk_dryrun
from shared import dryrun, dryrun_text, forecast_steps
from shared.forecast_steps import Steps, forecast, losing, of_child
from shared.outcome import BUSY_PAUSE_SECONDS, BUSY_ROUNDS_MAX
from shared.plan import Plan, load
from tests.app_index import ROOT
from tests.doors import HERE, THERE, Doors
from tests.parts import own, plan_with
from tests.test_child import NAME, PART, document, lay, record, run
from tests.test_child import apart as apart

CONTOSO = load((ROOT / "plans" / "contoso.yaml").read_text(encoding="utf-8"))
KNOWN = {"rpoSeconds": 90.0, "meetsRpo": True, "rpoBecause": "books is 90 s old"}
ACT = {"stage": "promote", "verb": "promote", "component": "reports", "location": HERE}
ROW = {**ACT, "kind": "plan", "calls": [{}], "silent": False, "would": "move", "seen": "there"}


def told(child: dict) -> dict:
    """The parent's forecast where nothing but the child takes time."""
    plan = Plan.model_validate(
        {**CONTOSO.document, "components": [*CONTOSO.document["components"], PART]}
    )
    return forecast(plan, "forced", [{**ROW, **child}], Steps(hop=0.0))


def child(seconds: float) -> dict:
    own = {"plan": NAME, "seconds": seconds, "assumed": ["x 1 s"], "measured": {}}
    return {"child": own, "rpoSeconds": 90.0, "rpoBecause": ""}


def moved(lost: dict) -> dict:
    """The parent's act, with a child that has nothing to do but to go through its stages."""
    return {**ROW, **of_child(CONTOSO, "forced", [], Steps(hop=2.0), lost)}


def test_what_a_child_loses_is_lost_with_it() -> None:
    found = losing(CONTOSO, {"gateway": 60.0}, [moved(KNOWN)])
    assert found["rpoSeconds"] == 90.0
    assert found["rpoBecause"] == "reports: in contoso, books is 90 s old"


def test_what_a_child_does_not_know_its_parent_does_not_know() -> None:
    lost = losing(CONTOSO, {}, [{"component": "books", "rpoSeconds": None}])
    found = losing(CONTOSO, {"gateway": 60.0}, [moved(lost)])
    assert (found["rpoSeconds"], found["meetsRpo"]) == (None, False)
    words = f"in contoso, books: {forecast_steps.UNKNOWN}"
    assert found["rpoBecause"] == f"nobody knows of reports: {words}"


def test_a_childs_run_is_counted_from_its_order_until_it_serves() -> None:
    """Six stages of it, claim to verify; no detection, no lease, no DNS."""
    assert moved(KNOWN)["child"]["seconds"] == 12.0


@pytest.mark.parametrize(("seconds", "waits"), [(0.5, 10.0), (12.0, 20.0), (60.0, 60.0)])
def test_a_parent_waits_by_looks_until_its_child_serves(seconds: float, waits: float) -> None:
    found = told(child(seconds))
    assert found["parts"]["promote"] == waits
    assert found["assumed"] == ["x 1 s"]  # What the child's forecast stands on is told as well.


def test_a_parent_goes_on_without_a_child_that_takes_long() -> None:
    found = told(child(95.0))
    assert found["parts"]["promote"] == BUSY_PAUSE_SECONDS * BUSY_ROUNDS_MAX
    assert "reports serves after 95 s, waited for 60 s" in found["assumed"]


def test_a_child_that_nobody_knows_of_is_named_as_such() -> None:
    found = told(forecast_steps.unknown_child(NAME, "it is paused"))
    assert "reports waits for nothing: it is paused" in found["assumed"]


def test_the_words_of_a_dry_run_tell_of_the_childs_run() -> None:
    assert "12 s until it serves" in dryrun_text.child_words(child(12.0)["child"])
    unknown = forecast_steps.unknown_child(NAME, "it is paused")["child"]
    assert "unknown: it is paused" in dryrun_text.child_words(unknown)


def rehearsed(doors: Doors, mode: str = "forced", timelines: dict | None = None) -> dict:
    """The dry run of a parent whose gateway's backup has no say in it."""
    plan = plan_with(doors, PART).document
    parts = [one for one in plan["components"] if one["kind"] in ("plan", "logicWorkflow")]
    order = {"to": HERE, "mode": mode}
    allowed = {"allowed": True, "because": "yes"}
    plan = {**plan, "components": [{**one, "waitsFor": []} for one in parts]}
    known = (timelines or {}).__getitem__
    return desk_dryrun.rehearse(plan, order, allowed, datetime.now(UTC), Steps(), known)


def row(found: dict) -> dict:
    return next(one for one in found["differences"] if one["kind"] == "plan")


def test_a_child_that_is_not_there_makes_the_rpo_unknown(doors: Doors) -> None:
    found = rehearsed(doors)["forecast"]
    assert found["rpoSeconds"] is None
    assert f"no plan {NAME} here" in found["rpoBecause"]


def test_a_child_that_people_have_paused_makes_it_unknown(doors: Doors) -> None:
    lay(doors)
    record(doors, paused=True)
    found = rehearsed(doors)
    assert found["forecast"]["rpoSeconds"] is None
    assert "would not move: contoso-reports is paused" in found["forecast"]["rpoBecause"]
    assert row(found)["child"]["seconds"] is None


def test_a_child_that_would_refuse_a_graceful_order_makes_it_unknown(doors: Doors) -> None:
    """Its region does not answer: what hinders the order hinders the forecast, a forced one not."""
    lay(doors)
    record(doors)
    doors.strangers.answers["func-contoso-we.azurewebsites.net/api/health"] = (503, "{}")
    found = rehearsed(doors, "graceful")
    assert row(found)["child"]["seconds"] is None
    assert "contoso-reports would not move: westeurope does not" in row(found)["child"]["because"]
    assert row(rehearsed(doors))["child"]["seconds"] is not None


def test_a_child_that_is_not_ready_makes_a_graceful_forecast_unknown(doors: Doors) -> None:
    lay(doors)
    record(doors)
    doors.strangers.answers["func-contoso-ne.azurewebsites.net/api/health"] = (503, "{}")
    found = rehearsed(doors, "graceful")
    assert f"{NAME} would not move: {HERE} is not ready" in row(found)["child"]["because"]
    assert found["forecast"]["rpoSeconds"] is None


def test_a_child_that_is_ready_is_forecast_gracefully(doors: Doors) -> None:
    lay(doors)
    record(doors)
    assert row(rehearsed(doors, "graceful"))["child"]["seconds"] is not None


def test_a_child_that_is_on_its_way_makes_it_unknown(doors: Doors) -> None:
    lay(doors)
    record(doors, run=run(doors, HERE, "activate"), active=HERE, epoch=1)
    assert "is on its way" in rehearsed(doors)["forecast"]["rpoBecause"]


def test_a_child_whose_witness_is_silent_makes_it_unknown(doors: Doors) -> None:
    other = {**document(doors).document["witness"], "container": "elsewhere"}
    lay(doors, witness=other)
    assert rehearsed(doors)["forecast"]["rpoSeconds"] is None


def test_the_age_of_a_childs_copy_is_the_parents(doors: Doors) -> None:
    """A copy that is read, of which the service says how old it is."""
    resource = own(doors, THERE, "Microsoft.Storage/storageAccounts/stchildbooks")
    regions = {"primaryLocation": THERE, "secondaryLocation": HERE}
    sku = {"name": "Standard_RAGRS", "tier": "Standard"}
    properties = {"provisioningState": "Succeeded", **regions}
    table = doors.world.resources
    table.place(resource, {"kind": "StorageV2", "sku": sku, "properties": properties})
    part = {"name": "books", "kind": "storageAccount", "failover": "customerManaged"}
    part["resource"] = resource
    lay(doors, components=[*document(doors).document["components"], part])
    record(doors)
    try:
        found = rehearsed(doors)
    finally:
        table.remove(resource)
    seconds = row(found)["rpoSeconds"]
    assert seconds is not None and seconds > 0
    assert found["forecast"]["rpoSeconds"] == round(seconds, 1)
    assert found["forecast"]["rpoBecause"].startswith(f"reports: in {NAME}, books")


def test_the_time_of_a_childs_run_is_in_the_parents_stage(doors: Doors) -> None:
    lay(doors)
    record(doors)
    found = rehearsed(doors)
    assert row(found)["child"]["seconds"] > 0
    assert found["forecast"]["rpoSeconds"] == 0.0
    assert found["forecast"]["parts"]["promote"] >= BUSY_PAUSE_SECONDS
    assert "promote of plan" not in " ".join(found["forecast"]["assumed"])


def test_a_childs_own_latest_run_is_what_it_is_measured_by(doors: Doors) -> None:
    lay(doors)
    at = {"startedAt": "2026-01-05T08:00:00+00:00", "endedAt": "2026-01-05T08:00:42+00:00"}
    done = {"component": "orders-status", "verb": "promote", "attempts": 1, "outcome": "skipped"}
    stage = {"output": {"rows": [{**done, **at}], **at}}
    line = {"n": 1, "epoch": 0, "at": at["endedAt"], "who": "run-c", "what": "finished", "why": ""}
    record(doors, transitions=[line])
    told = row(rehearsed(doors, timelines={"run-c": {"activate": stage}}))["child"]
    assert told["measured"] == {"run": "run-c", "steps": 1}
    assert told["seconds"] >= 42.0


def test_a_child_that_serves_there_already_adds_nothing(doors: Doors) -> None:
    lay(doors)
    record(doors, active=HERE, epoch=1)
    found = rehearsed(doors)
    assert row(found)["would"] == dryrun.SAME and "child" not in row(found)
    assert found["forecast"]["rpoSeconds"] == 0.0
