"""Readiness over Contoso: every check is made, none raises, and none takes for ever."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from activities import readiness
from shared import backups
from tests.doors import HERE, THERE, Doors
from tests.patience import silent
from tests.wire import check_exchanges

HEALTHY = json.dumps({"status": "healthy", "unclaimed": ["contoso"]})
APP = "func-contoso-ne.azurewebsites.net/api/health"


@pytest.fixture(autouse=True)
def waiting(doors: Doors) -> Iterator[None]:
    """The standby's exclusive workflows stand still, its app is well, a backup is proven."""
    for part in doors.plan.components:
        if part.kind == "logicWorkflow":
            state = "Disabled" if part.role == "activePassive" else "Enabled"
            found = doors.world.resources.get(doors.plan.component(part.name, HERE)["resource"])
            assert found is not None
            found.properties["state"] = state
    doors.strangers.answers[APP] = (200, HEALTHY)
    now = datetime.now(UTC) - timedelta(minutes=5)
    service = doors.plan.component("gateway", THERE)["resource"]
    made = backups.manifest(
        plan="contoso", service=service, sku="Standard", fingerprint="f" * 64, now=now
    )
    made |= {"completedAt": now.isoformat(), "bytes": 1, "provenAt": now.isoformat()}
    name = f"{made['name']}.json"
    doors.lay("stcontosone", "apim-backups", name, json.dumps(made).encode())
    yield
    doors.drop("stcontosone", "apim-backups", name)
    doors.strangers.answers.clear()
    readiness.forget()


def wrong(doors: Doors) -> dict[tuple[str, str], str]:
    """(component, name) -> status of every check that is not ok."""
    found = doors.call("assess_readiness", {"plan": doors.plan.document, "location": HERE})
    return {(c["component"], c["name"]): c["status"] for c in found["checks"]}


def test_an_exclusive_workflow_that_runs_in_the_standby_fails(doors: Doors) -> None:
    found = doors.world.resources.get(doors.plan.component("stock-sync", HERE)["resource"])
    assert found is not None
    found.properties["state"] = "Enabled"
    assert wrong(doors)["stock-sync", "state"] == "fail"


def test_an_app_that_is_unwell_fails(doors: Doors) -> None:
    doors.strangers.answers[APP] = (503, "{}")
    assert wrong(doors)["(plan)", "app"] == "fail"


def test_an_app_that_has_not_given_up_its_claim_is_a_warning(doors: Doors) -> None:
    doors.strangers.answers[APP] = (200, json.dumps({"unclaimed": []}))
    assert wrong(doors)["(plan)", "vouches"] == "warn"


def test_a_standby_that_is_lost_is_not_ready_and_says_so_in_time(doors: Doors) -> None:
    with silent(doors, HERE):
        found = readiness.assess(doors.plan.document, HERE, seconds=2.0)
    late = [one for one in found["checks"] if "not seen within 2 s" in one["because"]]
    assert not found["ready"] and late, found


def test_an_active_location_that_is_lost_does_not_make_the_standby_unready(doors: Doors) -> None:
    doors.world.lose(THERE)
    status = wrong(doors)
    assert status["gateway", "tier"] == "warn"
    assert "fail" not in status.values(), status


def test_a_backup_that_was_never_proven_fails(doors: Doors) -> None:
    for name in doors.storage.names("stcontosone", "apim-backups"):
        doors.drop("stcontosone", "apim-backups", name)
    assert wrong(doors)["gateway", "backup"] == "fail"


def test_the_active_app_looks_where_it_may_receive(doors: Doors) -> None:
    """Of the other namespace that is the relay: infra/main.json gives it no more."""
    found = readiness.assess(doors.plan.document, THERE)
    (slips,) = (c for c in found["checks"] if c["name"] == "slips")
    assert slips["because"] == "slip-relay answers"


def test_no_secret_is_told(doors: Doors) -> None:
    told = json.dumps(readiness.assess(doors.plan.document, HERE))
    assert "SharedAccessKey" not in told and "sig=" not in told


def test_a_standby_that_waits_is_ready(doors: Doors) -> None:
    assert "fail" not in wrong(doors).values()


def test_what_was_seen_a_moment_ago_is_not_asked_again(doors: Doors) -> None:
    readiness.recent(doors.plan.document, HERE)
    mark = doors.mark()
    readiness.recent(doors.plan.document, HERE)
    assert doors.sent(mark, "GET") == []


def test_a_thousand_workflows_are_seen_by_their_lists(doors: Doors) -> None:
    mark = doors.mark()
    readiness.assess(doors.plan.document, HERE)
    looks = {url for url in doors.sent(mark, "GET") if "/workflows?" in url}
    assert len(looks) == 2  # One in each location.


def test_what_is_asked_of_arm_is_as_microsoft_published_it(doors: Doors) -> None:
    mark = doors.mark()
    readiness.assess(doors.plan.document, HERE)
    check_exchanges(doors.world.journal.after(mark))
