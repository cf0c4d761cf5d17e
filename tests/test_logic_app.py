"""Standard workflows at the wire: an app setting is changed, and nobody else's is lost."""

import json
import time
from collections.abc import Callable, Iterator

import pytest

from rehearsal.providers import sites
from rehearsal.runtimes import IdleWorkflows
from rehearsal.world import Resource
from shared.reply import Surprise
from tests.doors import HERE, THERE, Doors
from tests.patience import HURRIED_WORDS, silent
from tests.wire import check_exchanges

MARKER = "s3cret-marker-4711"
FLOW = "nightly"
STATE = f"Workflows.{FLOW}.FlowState"
GROUPS = {HERE: "rg-contoso-ne", THERE: "rg-contoso-we"}
TICK = {"type": "Recurrence", "recurrence": {"frequency": "Hour", "interval": 1}}
RESTART_SECONDS = 0.3  # What `doors` gives the restart of a site, and a little more.


class Flying(IdleWorkflows):
    """A runtime with runs in flight."""

    def __init__(self) -> None:
        self.flying: list[tuple[str, str]] = []

    def runs(self, workflow: Resource) -> list[dict]:
        return [{"name": name, "properties": {"status": status}} for name, status in self.flying]


def site_of(doors: Doors, location: str) -> str:
    """The id of the site; nothing of it is left of the test before."""
    group = f"/subscriptions/{doors.world.subscription_id}/resourceGroups/{GROUPS[location]}"
    return f"{group}/providers/Microsoft.Web/sites/logic-std"


@pytest.fixture
def std(doors: Doors) -> Iterator[Doors]:
    """A Standard logic app in both locations, Enabled there and Disabled here."""
    table = doors.world.resources
    for location, state in ((HERE, "Disabled"), (THERE, "Enabled")):
        site = site_of(doors, location)
        body = {"location": location, "kind": "functionapp,workflowapp"}
        table.place(site, {**body, "properties": {"state": "Running"}})
        settings = {"KEY": MARKER, STATE: state}
        table.place(f"{site}/config/appsettings", {"properties": settings})
        definition = {"triggers": {"every": TICK}, "actions": {}}
        properties = {"state": state, "definition": definition}
        table.place(f"{site}/workflows/{FLOW}", {"properties": properties})
    mark = doors.mark()
    yield doors
    doors.whole()
    check_exchanges(doors.world.journal.after(mark))
    assert MARKER not in json.dumps(doors.world.journal.after(mark), default=str)
    for location in (HERE, THERE):
        table.remove(site_of(doors, location))


def task(doors: Doors, verb: str, location: str = HERE, **more: object) -> dict:
    part = {
        "name": "settlement",
        "kind": "logicAppWorkflow",
        "trigger": "recurrence",
        "role": "activePassive",
        "workflow": FLOW,
        "resource": site_of(doors, location),
        **more,
    }
    return {**doors.task("nightly-invoices", verb, location), "component": part}


def settings(doors: Doors, location: str = HERE) -> dict:
    found = doors.world.resources.get(f"{site_of(doors, location)}/config/appsettings")
    assert found is not None
    return found.properties


def settled(doors: Doors, name: str, payload: dict) -> dict:
    """The outcome once the site has restarted; a busy one is asked again, as `step` does."""
    outcome: dict = {}
    for _ in range(10):
        outcome = doors.call(name, payload)
        assert MARKER not in json.dumps(outcome)
        if not outcome.get("busy"):
            return outcome
        time.sleep(RESTART_SECONDS)
    raise AssertionError(f"busy for ever: {outcome}")


def promote(doors: Doors, **more: object) -> dict:
    return settled(
        doors, "promote_logic_app_workflow", task(doors, "promote", location=HERE, **more)
    )


def interfering(monkeypatch: pytest.MonkeyPatch, act: Callable[[int], None]) -> None:
    """Let `act(n)` happen right after the n-th listing of settings."""
    listed, count = sites.config.actions["POST", "list"], iter(range(1, 1000))

    def interfered(call: sites.Call) -> object:
        told = json.loads(json.dumps(listed(call)))
        act(next(count))
        return told

    monkeypatch.setitem(sites.config.actions, ("POST", "list"), interfered)


def test_a_site_that_is_missing_is_refused_by_name(std: Doors) -> None:
    outcome = promote(std, resource=site_of(std, HERE) + "-gone")
    assert (outcome["status"], outcome["missing"]) == ("refused", True)
    assert "no site logic-std-gone: deploy it there" in outcome["because"]


def test_a_workflow_that_is_missing_in_its_site_is_refused_by_name(std: Doors) -> None:
    assert "no workflow nobody in site logic-std" in promote(std, workflow="nobody")["because"]


def test_a_workflow_is_not_enabled_in_a_stopped_site(std: Doors) -> None:
    found = std.world.resources.get(site_of(std, HERE))
    assert found is not None
    found.properties["state"] = "Stopped"
    assert "is Stopped: start it" in promote(std)["because"]
    assert settings(std)[STATE] == "Disabled"


def test_settings_that_are_empty_are_not_believed(std: Doors) -> None:
    """Written back they would take everything away from the app."""
    settings(std).clear()
    settled_there = settled(std, "demote_logic_app_workflow", task(std, "demote", HERE))
    assert "shows no settings at all" in settled_there["because"]
    assert settings(std) == {}


def test_settings_that_are_no_json_are_raised_without_their_text(std: Doors) -> None:
    text = '{"properties": {"KEY": "' + MARKER
    std.world.faults.add(
        {"match": {"path": "appsettings/list"}, "effect": {"status": 200, "body": text}, "times": 1}
    )
    with pytest.raises(Surprise) as surprise:
        std.call("promote_logic_app_workflow", task(std, "promote"))
    assert MARKER not in str(surprise.value)


def test_a_site_that_is_being_changed_is_asked_again(std: Doors) -> None:
    std.world.faults.add(
        {"match": {"method": "PUT", "path": "appsettings"}, "effect": {"status": 409}, "times": 1}
    )
    outcome = std.call("promote_logic_app_workflow", task(std, "promote"))
    assert (outcome["status"], outcome["busy"]) == ("refused", True)


def test_a_stale_task_writes_nothing(std: Doors) -> None:
    payload = task(std, "promote")
    std.hold(epoch=7)
    outcome = std.call("promote_logic_app_workflow", payload)
    assert (outcome["status"], outcome["stale"]) == ("refused", True)
    assert settings(std)[STATE] == "Disabled"


def test_fencing_a_dead_region_is_refused_within_five_seconds(std: Doors) -> None:
    payload = task(std, "demote", THERE)
    with silent(std, THERE):
        outcome = std.call("demote_logic_app_workflow", payload)
    assert (outcome["status"], "may still run" in outcome["because"]) == ("refused", True)
    assert HURRIED_WORDS in outcome["because"]


def test_until_the_host_has_restarted_it_may_still_run(std: Doors) -> None:
    outcome = std.call("demote_logic_app_workflow", task(std, "demote", THERE))
    assert (outcome["status"], outcome["busy"]) == ("refused", True)
    assert settings(std, THERE)[STATE] == "Disabled"


def test_a_stopped_workflow_is_refused_at_verification(std: Doors) -> None:
    outcome = std.call("observe_logic_app_workflow", task(std, "verify"))
    assert (outcome["status"], outcome["because"]) == ("refused", "settlement is Disabled")


def test_who_is_overwritten_all_the_time_gives_up(
    std: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = f"{site_of(std, HERE)}/config/appsettings"

    def undo(*_: object) -> None:
        std.world.resources.place(where, {"properties": {"KEY": MARKER, STATE: "Disabled"}})

    monkeypatch.setattr(sites.config, "on_placed", undo)
    outcome = std.call("promote_logic_app_workflow", task(std, "promote"))
    assert (outcome["status"], outcome["busy"]) == ("refused", True)
    assert "overwritten by somebody else" in outcome["because"]


def test_a_workflow_that_is_gone_needs_no_stopping(std: Doors) -> None:
    payload = task(std, "demote", resource=site_of(std, HERE) + "-gone")
    assert std.call("demote_logic_app_workflow", payload)["status"] == "skipped"


def test_a_disabled_workflow_is_enabled_and_every_setting_stays(std: Doors) -> None:
    assert promote(std)["status"] in ("succeeded", "skipped")
    assert settings(std) == {"KEY": MARKER, STATE: "Enabled"}
    assert std.call("observe_logic_app_workflow", task(std, "verify"))["serving"] is True


def test_an_enabled_workflow_is_disabled(std: Doors) -> None:
    settled(std, "demote_logic_app_workflow", task(std, "demote", THERE))
    seen = std.call("observe_logic_app_workflow", task(std, "observe", THERE))
    assert (seen["state"], seen["serving"]) == ("Disabled", False)


def test_a_second_time_nothing_is_written(std: Doors) -> None:
    promote(std)
    mark = std.mark()
    assert promote(std)["status"] == "skipped"
    assert std.sent(mark, "PUT") == []


def test_a_lost_answer_is_found_done(std: Doors) -> None:
    std.world.faults.add(
        {
            "match": {"method": "PUT", "path": "appsettings"},
            "effect": {"loseAnswer": True},
            "times": 1,
        }
    )
    assert promote(std)["status"] in ("succeeded", "skipped")
    assert settings(std)[STATE] == "Enabled"


def test_runs_in_flight_are_named(std: Doors) -> None:
    before, runtime = std.world.workflows, Flying()
    std.world.workflows = runtime
    runtime.flying = [("r1", "Running"), ("r2", "Succeeded"), ("r3", "Waiting")]
    outcome = std.call("drain_logic_app_workflow", task(std, "drain", THERE))
    runtime.flying = []
    empty = std.call("drain_logic_app_workflow", task(std, "drain", THERE))
    std.world.workflows = before
    assert (outcome["status"], outcome["runs"]) == ("refused", ["r1", "r3"])
    assert (empty["status"], empty["count"]) == ("succeeded", 0)


def test_a_stopped_site_is_not_seen_to_be_empty(std: Doors) -> None:
    found = std.world.resources.get(site_of(std, THERE))
    assert found is not None
    found.properties["state"] = "Stopped"
    outcome = std.call("drain_logic_app_workflow", task(std, "drain", THERE))
    assert (outcome["status"], outcome["unseen"]) == ("refused", True)


def test_a_dry_run_names_the_setting_and_no_other_value(std: Doors) -> None:
    mark = std.mark()
    seen = std.call("observe_logic_app_workflow", {**task(std, "promote"), "dryRun": True})
    put = seen["calls"]["promote"][-1]
    assert put["url"].endswith("/config/appsettings?api-version=2025-05-01")
    assert put["body"]["properties"][STATE] == "Enabled"
    assert (seen["would"], std.sent(mark, "PUT")) == ("be Enabled", [])
