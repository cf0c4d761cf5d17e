"""Failover groups of SQL servers, through the rehearsal's ARM."""

from collections.abc import Iterator

import pytest

from rehearsal.world import Resource
from shared import failover_group
from shared.reply import Unreachable
from tests.doors import HERE, THERE, Doors
from tests.parts import (
    MARKER,
    check_forecast,
    check_keeps_quiet,
    ended,
    forced,
    laid,
    own,
    statuses,
)
from tests.patience import asked_until


@pytest.fixture(autouse=True)
def group(doors: Doors) -> Iterator[Resource]:
    """A group whose primary is in westeurope; the view of the server in northeurope."""
    bodies = {}
    for location, role in ((THERE, "Primary"), (HERE, "Secondary")):
        part = side(doors, location)
        other = side(doors, HERE if location == THERE else THERE)
        tags = {"tags": {"note": MARKER}}
        bodies[part["resource"]] = {"location": location, "properties": {"state": "Ready"}, **tags}
        properties = {
            "replicationRole": role,
            "replicationState": "CATCH_UP",
            "readWriteEndpoint": {"failoverPolicy": "Manual"},
            "partnerServers": [{"id": other["resource"]}],
            "databases": [f"{part['resource']}/databases/orders"],
        }
        bodies[failover_group.path(part)] = {"properties": properties, **tags}
    with laid(doors, bodies) as made:
        yield made[-1]


def side(doors: Doors, location: str) -> dict:
    """The component as it is seen from `location`."""
    resource = own(doors, location, f"Microsoft.Sql/servers/sql-{location}")
    common = {"name": "ledger-db", "kind": "sqlFailoverGroup", "group": "contoso-ledger"}
    return {**common, "resource": resource}


def task(doors: Doors, verb: str, location: str = HERE, **more: object) -> dict:
    other = THERE if location == HERE else HERE
    part = {**side(doors, location), "other": side(doors, other)}
    return forced(doors, part, verb, location, **more)


def checks(doors: Doors) -> dict[str, str]:
    return statuses(doors.call("check_failover_group", task(doors, "check")))


def test_a_group_that_is_not_there_is_refused(doors: Doors, group: Resource) -> None:
    doors.world.resources.remove(group.id)
    outcome = doors.call("promote_failover_group", task(doors, "promote"))
    assert (outcome["status"], "deploy it" in outcome["because"]) == ("refused", True)


def test_a_planned_failover_waits_for_replication(doors: Doors, group: Resource) -> None:
    group.properties["replicationState"] = "SEEDING"
    outcome = doors.call("promote_failover_group", task(doors, "promote", mode="graceful"))
    assert outcome["busy"]


def test_a_planned_failover_is_busy_while_the_primary_is_lost(doors: Doors) -> None:
    doors.world.lose(THERE)
    outcome = doors.call("promote_failover_group", task(doors, "promote", mode="graceful"))
    assert (outcome["status"], outcome["busy"]) == ("refused", True)


def test_an_undo_loses_nothing(doors: Doors) -> None:
    mark = doors.mark()
    doors.call("promote_failover_group", task(doors, "undo"))
    assert "/failover?" in doors.sent(mark, "POST")[0]


def test_a_stale_task_moves_nothing(doors: Doors, group: Resource) -> None:
    told = task(doors, "promote")
    doors.hold(epoch=2)
    assert doors.call("promote_failover_group", told)["stale"]
    assert group.properties["replicationRole"] == "Secondary"


def test_a_forced_failover_needs_no_primary(doors: Doors) -> None:
    doors.world.lose(THERE)
    outcome = ended(doors, doors.call("promote_failover_group", task(doors, "promote")))
    seen = doors.call("observe_failover_group", task(doors, "verify"))
    assert (outcome["status"], seen["serving"]) == ("succeeded", True)


def test_a_planned_failover_moves_the_group_and_back(doors: Doors) -> None:
    told = task(doors, "promote", mode="graceful")
    assert ended(doors, doors.call("promote_failover_group", told))["status"] == "succeeded"
    back = {**told, "component": {**side(doors, THERE), "other": side(doors, HERE)}}
    assert ended(doors, doors.call("promote_failover_group", back))["status"] == "succeeded"


def test_a_second_failover_is_not_sent(doors: Doors) -> None:
    ended(doors, doors.call("promote_failover_group", task(doors, "promote")))
    mark = doors.mark()
    assert doors.call("promote_failover_group", task(doors, "promote"))["status"] == "skipped"
    assert doors.sent(mark, "POST") == []


def test_a_lost_answer_is_found_busy_or_done(doors: Doors) -> None:
    fault = {"match": {"method": "POST", "path": "/force"}, "effect": {"loseAnswer": True}}
    doors.world.faults.add({**fault, "times": 1})
    with pytest.raises(Unreachable):
        doors.call("promote_failover_group", task(doors, "promote"))
    second = doors.call("promote_failover_group", task(doors, "promote"))
    assert second.get("busy") or second["status"] == "skipped"
    again = asked_until(
        lambda: doors.call("promote_failover_group", task(doors, "promote")), "skipped"
    )
    assert again["status"] == "skipped", again


def test_verify_refuses_a_secondary(doors: Doors) -> None:
    assert doors.call("observe_failover_group", task(doors, "verify"))["status"] == "refused"


def test_a_dry_run_names_the_call_that_a_run_sends(doors: Doors) -> None:
    told = task(doors, "promote")
    check_forecast(doors, "observe_failover_group", "promote_failover_group", told)


def behind(doors: Doors, mode: str) -> dict:
    """What a dry run says of the age of the copy."""
    told = doors.call("observe_failover_group", task(doors, "promote", mode=mode, dryRun=True))
    return {key: told[key] for key in ("rpoSeconds", "rpoBecause") if key in told}


def test_nobody_knows_what_a_forced_failover_would_lose(doors: Doors) -> None:
    found = behind(doors, "forced")
    assert (found["rpoSeconds"], "may lose data" in found["rpoBecause"]) == (None, True)


def test_a_planned_failover_would_lose_nothing(doors: Doors, group: Resource) -> None:
    assert behind(doors, "graceful") == {"rpoSeconds": 0.0}
    group.properties["replicationRole"] = "Primary"
    assert behind(doors, "forced") == {}


def test_a_good_group_has_nothing_wrong(doors: Doors) -> None:
    assert checks(doors) == {"pairing": "ok", "policy": "ok"}


def test_an_empty_group_that_azure_moves_by_itself_is_warned_of(
    doors: Doors, group: Resource
) -> None:
    policy = {"failoverPolicy": "Automatic", "failoverWithDataLossGracePeriodMinutes": 60}
    group.properties.update({"databases": [], "readWriteEndpoint": policy})
    seen = checks(doors)
    assert (seen["databases"], seen["policy"]) == ("warn", "warn")


def test_a_partner_of_another_plan_fails(doors: Doors) -> None:
    told = task(doors, "check")
    told["component"]["other"]["resource"] += "-else"
    found = doors.call("check_failover_group", told)
    assert found["checks"][0]["status"] == "fail"


def test_no_outcome_holds_what_a_server_hides(doors: Doors) -> None:
    names = ("observe_failover_group", "check_failover_group", "promote_failover_group")
    check_keeps_quiet(doors, task(doors, "promote"), *names)
