"""The workflow activities against ARM: what is refused, what is sent, and what is not."""

import pytest

from shared.reply import Surprise
from tests.doors import THERE, Doors
from tests.patience import HURRIED_WORDS, silent


def put(doors: Doors, name: str, location: str, state: str) -> dict:
    """Bring a workflow into a state behind ARM's back; gives its Task."""
    task = doors.task(name, "promote", location)
    found = doors.world.resources.get(task["component"]["resource"])
    assert found is not None
    found.properties["state"] = state
    return task


def test_a_workflow_that_is_missing_is_refused_by_name(doors: Doors) -> None:
    task = doors.task("nightly-invoices", "promote")
    task["component"]["resource"] += "-gone"
    outcome = doors.call("promote_workflow", task)
    assert (outcome["status"], outcome["missing"]) == ("refused", True)


def test_a_stopped_workflow_is_refused_at_verification(doors: Doors) -> None:
    task = put(doors, "nightly-invoices", "northeurope", "Disabled")
    outcome = doors.call("observe_workflow", {**task, "verb": "verify"})
    assert outcome["because"] == "nightly-invoices is Disabled, not Enabled"


def test_fencing_a_dead_region_is_refused_within_five_seconds(doors: Doors) -> None:
    task = put(doors, "nightly-invoices", THERE, "Enabled")
    with silent(doors, THERE):
        outcome = doors.call("demote_workflow", {**task, "verb": "demote"})
    assert (outcome["status"], "unreachable" in outcome["because"]) == ("refused", True)
    assert HURRIED_WORDS in outcome["because"]


def test_a_workflow_that_is_missing_needs_no_stopping(doors: Doors) -> None:
    task = doors.task("nightly-invoices", "demote")
    task["component"]["resource"] += "-gone"
    assert doors.call("demote_workflow", task)["status"] == "skipped"


def test_a_disabled_workflow_is_enabled(doors: Doors) -> None:
    task = put(doors, "nightly-invoices", "northeurope", "Disabled")
    assert doors.call("promote_workflow", task)["status"] == "succeeded"
    assert doors.call("observe_workflow", task)["serving"] is True


def test_an_enabled_workflow_is_not_enabled_again(doors: Doors) -> None:
    task, mark = put(doors, "nightly-invoices", "northeurope", "Enabled"), doors.mark()
    assert doors.call("promote_workflow", task)["status"] == "skipped"
    assert doors.sent(mark, "POST") == []


def test_an_enabled_workflow_is_disabled(doors: Doors) -> None:
    task = put(doors, "nightly-invoices", "northeurope", "Enabled")
    assert doors.call("demote_workflow", task)["status"] == "succeeded"
    assert doors.call("observe_workflow", task)["serving"] is False


def test_a_429_is_waited_out(doors: Doors) -> None:
    task = put(doors, "nightly-invoices", "northeurope", "Disabled")
    effect = {"status": 429, "headers": {"Retry-After": "1"}}
    doors.world.faults.add({"match": {"method": "POST"}, "effect": effect, "times": 1})
    assert doors.call("promote_workflow", task)["status"] == "succeeded"


def test_html_where_json_was_due_is_raised_for_a_retry(doors: Doors) -> None:
    task = put(doors, "nightly-invoices", "northeurope", "Disabled")
    effect = {"status": 200, "body": "HTML"}
    doors.world.faults.add({"match": {"path": "workflows"}, "effect": effect, "times": 1})
    with pytest.raises(Surprise):
        doors.call("promote_workflow", task)
