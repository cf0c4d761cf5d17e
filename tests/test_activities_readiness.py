"""Readiness over Contoso: every check is made, none raises, and none takes for ever."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from activities import readiness
from shared import backups, readiness_world
from shared import readiness as shared_readiness
from tests.doors import HERE, THERE, Doors
from tests.patience import silent
from tests.wire import check_exchanges

HEALTHY = json.dumps({"status": "healthy", "unclaimed": ["contoso"]})
OWN = "func-contoso-ne"
APP = f"{OWN}.azurewebsites.net/api/health"


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


@contextmanager
def unassigned(doors: Doors, group: str, *assignments: str) -> Iterator[None]:
    """The app has lost these roles in a resource group."""
    rows = doors.world.resources.of_type("Microsoft.Authorization/roleAssignments")
    names = {f"{OWN}-{role}" for role in assignments}
    lost = [r for r in rows if f"/{group}/" in r.id.lower() and r.name in names]
    assert len(lost) == len(assignments)
    for one in lost:
        doors.world.resources.remove(one.id)
    yield
    for one in lost:
        doors.world.resources.place(one.id, one.body)


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


def permissions(found: dict) -> list[dict]:
    return [one for one in found["checks"] if one["name"] == "permissions"]


def test_what_only_the_standbys_app_can_see_is_a_warning_elsewhere(doors: Doors) -> None:
    (row,) = permissions(readiness.assess(doors.plan.document, THERE))
    assert row["status"] == "warn" and "only westeurope's own app can see this" in row["because"]


def test_the_standbys_own_app_sees_what_it_is_not_allowed(doors: Doors) -> None:
    told = {"plan": doors.plan.document, "location": HERE, "own": True}
    with unassigned(doors, "rg-contoso-ne", "operator"):
        found = doors.call("assess_readiness", told)
    (row,) = found["checks"]
    assert (row["name"], row["status"]) == ("permissions", "fail")
    assert "not allowed in rg-contoso-ne: Microsoft." in row["because"]
    assert doors.call("assess_readiness", told)["checks"] == []


def test_a_look_within_tells_nothing_that_the_active_location_tells(doors: Doors) -> None:
    part = doors.world.resources.get(doors.plan.component("stock-sync", HERE)["resource"])
    assert part is not None
    part.properties["state"] = "Enabled"
    found = readiness.assess(doors.plan.document, HERE, own=True)
    names = {row["name"] for row in found["checks"]}
    assert "permissions" in names and names <= set(shared_readiness.OWN)


def test_an_app_without_any_role_fails_however_little_it_may_read(doors: Doors) -> None:
    """ARM answers 403 where the roles are asked for, which is no answer about the roles."""
    with unassigned(doors, "rg-contoso-ne", "reader", "operator"):
        found = readiness.assess(doors.plan.document, HERE, own=True)
    failing = [row["because"] for row in permissions(found) if row["status"] == "fail"]
    assert len(failing) == 1 and "not allowed in rg-contoso-ne" in failing[0]


def test_roles_at_single_resources_are_no_lack_of_roles(doors: Doors) -> None:
    resources = readiness_world.readable(doors.plan, HERE)
    (own,) = (rows for group, rows in resources.items() if group.endswith("/rg-contoso-ne"))
    table, oid = doors.world.resources, ""
    for one in table.of_type("Microsoft.Authorization/roleAssignments"):
        oid = str(one.properties["principalId"]) if one.name.startswith(OWN) else oid
    role = f"{own[0].partition('/providers/')[0]}/providers/Microsoft.Authorization"
    told = {"principalId": oid, "roleDefinitionId": f"{role}/roleDefinitions/reader"}
    ids = [f"{one}/providers/Microsoft.Authorization/roleAssignments/own" for one in own]
    with unassigned(doors, "rg-contoso-ne", "reader", "operator"):
        for id in ids:
            table.place(id, {"properties": told})
        rows = permissions(readiness.assess(doors.plan.document, HERE, own=True))
        table.remove(ids.pop())
        fewer = permissions(readiness.assess(doors.plan.document, HERE, own=True))
        for id in ids:
            table.remove(id)
    (row,) = [one for one in rows if "rg-contoso-ne" in one["because"]]
    assert (row["status"], "403" in row["because"]) == ("warn", True)
    (row,) = [one for one in fewer if "rg-contoso-ne" in one["because"]]
    assert (row["status"], "not allowed in rg-contoso-ne" in row["because"]) == ("fail", True)


def test_pages_do_not_take_a_look_within_for_the_whole(doors: Doors) -> None:
    seen = {"plan": "contoso", "location": HERE, "ready": True, "because": "", "checks": []}
    known = readiness.remembered(doors.plan.document, HERE)
    doors.call("write_readiness", {"readiness": {**seen, "own": True, "at": "", "told": False}})
    assert doors.call("read_readiness", {"plan": "contoso", "own": True})["readiness"]["own"]
    assert readiness.remembered(doors.plan.document, HERE) == known
    doors.drop("stcontosone", "understudy", "readiness/own/contoso.json")


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
