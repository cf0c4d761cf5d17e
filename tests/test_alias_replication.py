"""Namespaces that Azure replicates, promoted; and what a forced run loses of an alias."""

from collections.abc import Iterator

import pytest

from tests.aliases import both_kinds, emptied, paired, replica, replicated, task
from tests.doors import HERE, THERE, Doors
from tests.parts import ended

# The lag that a namespace allows -> what a forced run would lose.
LAGS = {"unknown": None, "synchronous": 0, "bounded": 300}
ROLES = ("Primary", "Secondary")


@pytest.fixture(autouse=True)
def clean(doors: Doors) -> Iterator[None]:
    """Every test begins without namespaces of its own, and its exchanges are judged."""
    with emptied(doors):
        yield


@both_kinds
def test_a_namespace_without_a_replica_here_is_refused(doors: Doors, kind: str) -> None:
    replicated(doors, kind, THERE)
    outcome = doors.call("promote_alias", replica(doors, kind, "promote"))
    assert "enable geo-replication in northeurope" in outcome["because"]


@both_kinds
def test_a_planned_promotion_is_refused_while_the_primary_is_lost(doors: Doors, kind: str) -> None:
    replicated(doors, kind, THERE, HERE)
    doors.world.lose(THERE)
    outcome = doors.call("promote_alias", replica(doors, kind, "promote", mode="graceful"))
    assert (outcome["status"], outcome["busy"]) == ("refused", True)


@both_kinds
def test_a_forced_promotion_moves_a_replicated_namespace(doors: Doors, kind: str) -> None:
    replicated(doors, kind, THERE, HERE)
    doors.world.lose(THERE)
    told = replica(doors, kind, "promote")
    assert ended(doors, doors.call("promote_alias", told))["status"] == "succeeded"
    assert doors.call("observe_alias", told)["serving"]
    assert doors.call("promote_alias", told)["status"] == "skipped"


@both_kinds
def test_a_replicated_namespace_needs_no_protection_and_is_ready(doors: Doors, kind: str) -> None:
    replicated(doors, kind, THERE, HERE)
    found = doors.call("check_alias", replica(doors, kind, "check"))
    assert [one["status"] for one in found["checks"]] == ["ok", "ok"]
    assert doors.call("protect_alias", replica(doors, kind, "protect"))["status"] == "skipped"


@both_kinds
def test_nobody_knows_what_a_forced_run_loses_of_a_pairing(doors: Doors, kind: str) -> None:
    paired(doors, kind)
    told = doors.call("observe_alias", task(doors, kind, "promote", dryRun=True))
    assert (told["rpoSeconds"], "carries no messages" in told["rpoBecause"]) == (None, True)
    graceful = task(doors, kind, "promote", dryRun=True, mode="graceful")
    assert doors.call("observe_alias", graceful)["rpoSeconds"] == 0


@both_kinds
@pytest.mark.parametrize("lag", LAGS)
def test_a_replicated_namespace_loses_its_lag_at_most(doors: Doors, kind: str, lag: str) -> None:
    found = replicated(doors, kind, THERE, HERE)
    if lag != "unknown":
        found.properties["geoDataReplication"]["maxReplicationLagDurationInSeconds"] = LAGS[lag]
    told = doors.call("observe_alias", replica(doors, kind, "promote", dryRun=True))
    assert (told["rpoSeconds"], told["rpoBecause"] != "") == (LAGS[lag], True)
    found.properties["geoDataReplication"]["locations"].reverse()
    for row, role in zip(found.properties["geoDataReplication"]["locations"], ROLES, strict=True):
        row["roleType"] = role
    told = doors.call("observe_alias", replica(doors, kind, "promote", dryRun=True))
    assert "rpoSeconds" not in told
