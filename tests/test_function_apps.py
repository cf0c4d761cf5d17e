"""Function apps at the wire: started where the plan goes, stopped where it left."""

from collections.abc import Iterator

import pytest

from shared.reply import Unreachable
from tests.doors import HERE, THERE, Doors
from tests.parts import MARKER, both, called, laid, own, statuses
from tests.patience import HURRIED_WORDS, silent


def app_of(doors: Doors, location: str) -> str:
    return own(doors, location, "Microsoft.Web/sites/func-pricing")


@pytest.fixture
def apps(doors: Doors) -> Iterator[Doors]:
    """An app in both locations: it runs there and is stopped here."""
    bodies = {}
    for location, state in ((HERE, "Stopped"), (THERE, "Running")):
        app = app_of(doors, location)
        properties = {"state": state, "siteConfig": {"appCommandLine": MARKER}}
        body = {"location": location, "kind": "functionapp,linux", "properties": properties}
        bodies |= {app: body, f"{app}/functions/reprice": {"properties": {"language": "python"}}}
    with laid(doors, bodies):
        yield doors


def task(doors: Doors, verb: str, location: str = HERE, **more: object) -> dict:
    part = {
        "name": "pricing",
        "kind": "functionApp",
        "role": "activePassive",
        "resource": app_of(doors, location),
        **more,
    }
    return {**doors.task("nightly-invoices", verb, location), "component": part}


def check(doors: Doors, **more: object) -> dict[str, str]:
    part = task(doors, "check", HERE, **more)["component"]
    return statuses(called(doors, "check_function_app", both(part, app_of(doors, THERE))))


def test_an_app_that_is_missing_is_refused_by_name(apps: Doors) -> None:
    gone = task(apps, "promote", resource=app_of(apps, HERE) + "-gone")
    outcome = called(apps, "promote_function_app", gone)
    assert (outcome["status"], outcome["missing"]) == ("refused", True)
    assert called(apps, "demote_function_app", {**gone, "verb": "demote"})["status"] == "skipped"


def test_fencing_a_dead_region_is_refused_within_five_seconds(apps: Doors) -> None:
    payload = task(apps, "demote", THERE)
    with silent(apps, THERE):
        outcome = called(apps, "demote_function_app", payload)
    assert (outcome["status"], "may still run" in outcome["because"]) == ("refused", True)
    assert HURRIED_WORDS in outcome["because"]


def test_an_app_that_is_being_changed_is_asked_again(apps: Doors) -> None:
    fault = {"match": {"method": "POST", "path": "start"}, "effect": {"status": 409}, "times": 1}
    apps.world.faults.add(fault)
    outcome = called(apps, "promote_function_app", task(apps, "promote"))
    assert (outcome["status"], outcome["busy"]) == ("refused", True)


def test_a_stale_task_starts_nothing(apps: Doors) -> None:
    payload = task(apps, "promote")
    apps.hold(epoch=7)
    assert called(apps, "promote_function_app", payload)["stale"] is True
    assert called(apps, "observe_function_app", payload)["serving"] is False


def test_a_stopped_app_is_refused_at_verification(apps: Doors) -> None:
    outcome = called(apps, "observe_function_app", task(apps, "verify"))
    assert (outcome["status"], outcome["because"]) == ("refused", "pricing is Stopped")


def test_a_stopped_app_is_started_once(apps: Doors) -> None:
    payload = task(apps, "promote")
    assert called(apps, "promote_function_app", payload)["status"] == "succeeded"
    mark = apps.mark()
    assert called(apps, "promote_function_app", payload)["status"] == "skipped"
    assert apps.sent(mark, "POST") == []
    assert called(apps, "observe_function_app", payload)["serving"] is True


def test_a_running_app_is_stopped_once(apps: Doors) -> None:
    payload = task(apps, "demote", THERE)
    assert called(apps, "demote_function_app", payload)["status"] == "succeeded"
    assert called(apps, "demote_function_app", payload)["status"] == "skipped"


def test_a_lost_answer_is_found_done(apps: Doors) -> None:
    lost = {"match": {"method": "POST", "path": "start"}, "effect": {"loseAnswer": True}}
    apps.world.faults.add({**lost, "times": 1})
    with pytest.raises(Unreachable):
        called(apps, "promote_function_app", task(apps, "promote"))
    assert called(apps, "promote_function_app", task(apps, "promote"))["status"] == "skipped"


def test_a_dry_run_names_what_would_be_sent_and_sends_nothing(apps: Doors) -> None:
    mark = apps.mark()
    seen = called(apps, "observe_function_app", {**task(apps, "promote"), "dryRun": True})
    assert seen["calls"]["promote"][0]["url"].endswith("/start?api-version=2025-05-01")
    assert (seen["would"], apps.sent(mark, "POST")) == ("be Running", [])


def test_a_standby_that_runs_is_found(apps: Doors) -> None:
    found = apps.world.resources.get(app_of(apps, HERE))
    assert found is not None
    found.properties["state"] = "Running"
    assert check(apps)["state"] == "fail"
    assert check(apps, role="activeActive")["state"] == "ok"


def test_a_site_that_is_no_function_app_is_found(apps: Doors) -> None:
    found = apps.world.resources.get(app_of(apps, HERE))
    assert found is not None
    found.body["kind"] = "app"
    assert check(apps)["host"] == "fail"


def test_a_standby_in_the_region_that_would_be_lost_is_found(apps: Doors) -> None:
    found = apps.world.resources.get(app_of(apps, HERE))
    assert found is not None
    found.body["location"] = "West Europe"
    assert check(apps)["host"] == "fail"


def test_a_function_that_is_missing_in_the_standby_is_found(apps: Doors) -> None:
    apps.world.resources.remove(f"{app_of(apps, HERE)}/functions/reprice")
    assert check(apps)["functions"] == "fail"


def test_without_the_active_side_functions_are_only_a_warning(apps: Doors) -> None:
    apps.world.faults.add({"match": {"location": THERE}, "effect": {"status": 500}})
    assert check(apps)["functions"] == "warn"


def test_all_is_well(apps: Doors) -> None:
    assert check(apps) == {"host": "ok", "state": "ok", "functions": "ok"}
