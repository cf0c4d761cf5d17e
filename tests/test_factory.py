"""Data factories at the wire: triggers that start and stop, each once, and what readiness finds."""

import pytest

from shared import factory
from shared.factory import WINDOW
from shared.plan import BadPlan
from tests.doors import HERE, THERE, Doors
from tests.parts import MARKER, called, judged, plan_with, task
from tests.patience import HURRIED_WORDS, asked_until, silent

PART = {
    "name": "loads",
    "kind": "dataFactory",
    "resource": "{resourceGroup}/providers/Microsoft.DataFactory/factories/adf-test-{short}",
}
RULES = {
    "ScheduleTrigger": {"recurrence": {"frequency": "Day", "interval": 1}},
    "BlobEventsTrigger": {"scope": "/subscriptions/s", "events": ["Microsoft.Storage.BlobCreated"]},
    "CustomEventsTrigger": {"scope": "/subscriptions/s", "events": ["Order"]},
    "TumblingWindowTrigger": {
        "frequency": "Hour",
        "interval": 1,
        "startTime": "2026-01-01T00:00:00Z",
        "maxConcurrency": 1,
    },
}
NAMED = {**PART, "triggers": ["nightly", "files"]}


def id_of(doors: Doors, location: str) -> str:
    return plan_with(doors, PART).component("loads", location)["resource"]


def place(doors: Doors, state: str, location: str = HERE, **kinds: str) -> None:
    """A factory with these triggers (name -> type), all in one state."""
    gone(doors, location)
    table, resource = doors.world.resources, id_of(doors, location)
    table.place(resource, {"location": location, "properties": {}})
    for name, kind in (kinds or {"nightly": "ScheduleTrigger"}).items():
        given = {"referenceName": f"load-{name}", "type": "PipelineReference"}
        pipeline = {"pipelineReference": given, "parameters": {"key": MARKER}}
        own = {"pipeline": pipeline} if kind == WINDOW else {"pipelines": [pipeline]}
        told = {"type": kind, "runtimeState": state, "typeProperties": RULES[kind], **own}
        table.place(f"{resource}/triggers/{name}", {"properties": told})


def gone(doors: Doors, location: str = HERE) -> None:
    table, resource = doors.world.resources, id_of(doors, location)
    for one in table.under(resource, "Microsoft.DataFactory/factories/triggers"):
        table.remove(one.id)
    table.remove(resource)


def states(doors: Doors, payload: dict) -> dict[str, str]:
    seen = called(doors, "observe_factory", payload)
    return {name: one["state"] for name, one in seen["triggers"].items()}


def test_a_trigger_with_a_path_for_a_name_is_refused(doors: Doors) -> None:
    with pytest.raises(BadPlan, match="triggers"):
        plan_with(doors, {**PART, "triggers": ["../../x"]})


def test_a_factory_that_is_missing_is_refused_by_name(doors: Doors) -> None:
    gone(doors)
    outcome = called(doors, "promote_factory", task(doors, PART, "promote"))
    assert outcome["because"] == "no data factory adf-test-ne in rg-contoso-ne: deploy it there"


def test_a_factory_that_is_missing_needs_no_stopping(doors: Doors) -> None:
    gone(doors)
    assert called(doors, "demote_factory", task(doors, PART, "demote"))["status"] == "skipped"


def test_a_trigger_that_is_named_and_missing_is_refused_before_any_is_started(doors: Doors) -> None:
    place(doors, "Stopped")
    mark = doors.mark()
    outcome = called(doors, "promote_factory", task(doors, NAMED, "promote"))
    assert (outcome["status"], "no trigger files" in outcome["because"]) == ("refused", True)
    assert doors.sent(mark, "POST") == []


def test_a_trigger_that_will_not_start_does_not_keep_the_others(doors: Doors) -> None:
    place(doors, "Stopped", nightly="ScheduleTrigger", files="ScheduleTrigger")
    disabled = doors.world.resources.get(f"{id_of(doors, HERE)}/triggers/files")
    assert disabled is not None
    disabled.properties["runtimeState"] = "Disabled"
    payload = task(doors, NAMED, "promote")
    outcome = called(doors, "promote_factory", payload)
    assert (outcome["status"], "trigger files" in outcome["because"]) == ("refused", True)
    assert states(doors, payload)["nightly"] == "Started"


@pytest.mark.parametrize(
    "status, code, busy", [(409, "ScopeLocked", False), (409, "Conflict", True), (423, "", True)]
)
def test_a_lock_is_told_and_a_change_is_waited_for(
    doors: Doors, status: int, code: str, busy: bool
) -> None:
    place(doors, "Stopped")
    effect = {"status": status, "body": {"error": {"code": code, "message": "No."}}}
    match = {"method": "POST", "path": "triggers"}
    doors.world.faults.add({"match": match, "effect": effect, "times": 1})
    outcome = called(doors, "promote_factory", task(doors, PART, "promote"))
    assert (outcome["status"], outcome.get("busy", False)) == ("refused", busy)


def test_a_silent_region_is_given_up_within_five_seconds(doors: Doors) -> None:
    place(doors, "Started", THERE)
    payload = task(doors, PART, "demote", THERE)
    with silent(doors, THERE):
        outcome = called(doors, "demote_factory", payload)
    assert (outcome["status"], "may still fire" in outcome["because"]) == ("refused", True)
    assert HURRIED_WORDS in outcome["because"]


def test_a_stopped_trigger_does_not_pass_verification(doors: Doors) -> None:
    place(doors, "Stopped")
    outcome = called(doors, "observe_factory", task(doors, PART, "verify"))
    assert outcome["because"] == "nightly not started"


def test_all_triggers_start_where_none_is_named(doors: Doors) -> None:
    place(doors, "Stopped", nightly="ScheduleTrigger", hourly="TumblingWindowTrigger")
    payload = task(doors, PART, "promote")
    with judged(doors):
        assert called(doors, "promote_factory", payload)["status"] == "succeeded"
        assert states(doors, payload) == {"nightly": "Started", "hourly": "Started"}


def test_only_the_named_triggers_start(doors: Doors) -> None:
    kinds = dict.fromkeys(("nightly", "files", "other"), "ScheduleTrigger")
    place(doors, "Stopped", **kinds)
    payload = task(doors, NAMED, "promote")
    called(doors, "promote_factory", payload)
    assert states(doors, payload) == {"nightly": "Started", "files": "Started", "other": "Stopped"}


def test_a_trigger_that_hears_events_is_asked_for_until_it_does(doors: Doors) -> None:
    place(doors, "Stopped", files="BlobEventsTrigger")
    payload = task(doors, PART, "promote")
    with judged(doors):
        outcome = called(doors, "promote_factory", payload)
        assert (outcome["status"], outcome["busy"]) == ("refused", True)
        again = asked_until(lambda: called(doors, "promote_factory", payload), "skipped")
        assert again["status"] == "skipped", again


@pytest.mark.parametrize("verb, before", [("promote", "Started"), ("demote", "Stopped")])
def test_a_repeat_sends_nothing(doors: Doors, verb: str, before: str) -> None:
    place(doors, before)
    payload, mark = task(doors, PART, verb), doors.mark()
    assert called(doors, f"{verb}_factory", payload)["status"] == "skipped"
    assert doors.sent(mark, "POST") == []


def test_triggers_stop(doors: Doors) -> None:
    place(doors, "Started")
    payload = task(doors, PART, "demote")
    with judged(doors):
        assert called(doors, "demote_factory", payload)["status"] == "succeeded"
    assert states(doors, payload) == {"nightly": "Stopped"}


def test_a_dry_run_names_the_calls_that_are_sent(doors: Doors) -> None:
    place(doors, "Stopped", nightly="ScheduleTrigger", hourly="ScheduleTrigger")
    payload, mark = task(doors, PART, "promote", dryRun=True), doors.mark()
    seen = called(doors, "observe_factory", payload)
    called(doors, "promote_factory", payload)
    sent = [url.partition("management.azure.com")[2] or url for url in doors.sent(mark, "POST")]
    named = [call["url"] for call in seen["calls"]["promote"]]
    assert len(sent) == 2
    assert all(url.endswith(name) for url, name in zip(sent, named, strict=True))


def test_more_than_a_page_of_triggers_is_read(doors: Doors) -> None:
    place(doors, "Stopped", **{f"t{n:03}": "ScheduleTrigger" for n in range(120)})
    with judged(doors):
        assert len(states(doors, task(doors, PART, "promote"))) == 120


def test_readiness_agrees_with_two_factories_that_agree(doors: Doors) -> None:
    place(doors, "Stopped")
    place(doors, "Started", THERE)
    found = called(doors, "check_factory", task(doors, PART, "check"))
    assert {row["status"] for row in found["checks"]} == {"ok"}


def test_readiness_finds_no_factory(doors: Doors) -> None:
    gone(doors)
    found = called(doors, "check_factory", task(doors, PART, "check"))
    assert [(row["name"], row["status"]) for row in found["checks"]] == [("factory", "fail")]


def look(**triggers: str) -> dict:
    """An outcome: name -> "state type pipeline"."""
    rows = {}
    for name, told in triggers.items():
        state, kind, pipeline = told.split()
        rows[name] = {"state": state, "type": kind, "pipelines": [pipeline]}
    return {"status": "succeeded", "because": "", "triggers": rows}


WELL = look(nightly="Stopped ScheduleTrigger load")
ACTIVE = look(nightly="Started ScheduleTrigger load")


@pytest.mark.parametrize(
    "part, mine, other, name, status",
    [
        (NAMED, WELL, ACTIVE, "triggers", "fail"),
        (PART, ACTIVE, ACTIVE, "state", "fail"),
        (PART, look(nightly="Stopped TumblingWindowTrigger load"), ACTIVE, "windows", "warn"),
        (PART, look(), ACTIVE, "same", "fail"),
        (PART, look(nightly="Stopped ScheduleTrigger other"), ACTIVE, "same", "fail"),
        (PART, WELL, WELL, "same", "warn"),
        (PART, WELL, {"status": "refused", "because": "silent"}, "same", "warn"),
        (PART, WELL, ACTIVE, "same", "ok"),
    ],
)
def test_what_readiness_finds(part: dict, mine: dict, other: dict, name: str, status: str) -> None:
    rows = factory.checks(part, True, mine, other)
    assert {row["name"]: row["status"] for row in rows}[name] == status


def test_triggers_wake_after_all_that_may_overlap(doors: Doors) -> None:
    waves = plan_with(doors, PART).waves("activate", HERE)
    first = next(n for n, wave in enumerate(waves) if "loads" in wave)
    worker = next(n for n, wave in enumerate(waves) if "orders-worker" in wave)
    assert first > worker
