"""Integration accounts to test: partners in both locations, and the tasks that move them."""

from collections.abc import Iterator

import pytest

from rehearsal.providers import integration_account
from shared.plan import Plan
from shared.stale import keeper
from tests import b2b_estate as estate
from tests.doors import HERE, THERE, Doors

STORE = "stcontosone"
X12, EDIFACT = "x12-fabrikam-ICN", "edifact-fabrikam-ICN"


@pytest.fixture
def plan(doors: Doors) -> Iterator[Plan]:
    """Partners in both locations, home's full and the standby's empty; no note, no ledger."""
    known = estate.with_partners(doors.plan)
    estate.lay(doors.world, known)
    doors.strangers.answers |= contents(doors, known)
    forget(doors)
    yield known
    estate.clear(doors.world, known)
    forget(doors)
    doors.drop("stcontosowitness", "understudy", "contoso.json")


def forget(doors: Doors) -> None:
    for name in doors.storage.names(STORE, "understudy"):
        if name.startswith(("ledger/", "b2b/")):
            doors.drop(STORE, "understudy", name)


def contents(doors: Doors, plan: Plan) -> dict[str, tuple[int, str]]:
    """What home's data plane answers for the links of its artifacts."""
    host = "prod-we.westeurope.logic.azure.com/integrationAccounts/ia-we"
    paths = ("schemas/order", "maps/to-order", "assemblies/tools")
    found = {p: estate.of(doors.world, plan, THERE, p) for p in paths}
    return {
        f"{host}/{path}/contents": (200, integration_account.content(row).decode())
        for path, row in found.items()
    }


def job(doors: Doors, plan: Plan, verb: str, location: str = HERE, **more: object) -> dict:
    """A Task of the run that holds the record, as orchestrations make it."""
    part = plan.component(estate.NAME, location)
    part["other"] = plan.component(estate.NAME, plan.other(location))
    witness = plan.document["witness"]
    task = {"plan": "contoso", "run": "run-1", "stage": "promote", "epoch": 1, "verb": verb}
    doors.hold()
    return {**task, "location": location, "component": part, "witness": witness, **more}


def mirror(doors: Doors, plan: Plan) -> dict:
    """One round of the standby's mirror, until there is nothing more to copy."""
    told = job(doors, plan, "mirror", run=keeper("contoso", "ledger", HERE), stage="ledger")
    doors.hold(epoch=0, active=THERE, run=None)
    return doors.call("mirror_account", {**told, "epoch": 0})


def checks(doors: Doors, plan: Plan, **more: object) -> dict[str, dict]:
    part = job(doors, plan, "check")["component"]
    told = {"plan": "contoso", "location": HERE, "away": THERE, "component": part, **more}
    outcome = doors.call("check_account", told)
    assert outcome["status"] == "succeeded", outcome
    return {one["name"]: one for one in outcome["checks"]}


def number(doors: Doors, plan: Plan, session: str = X12, location: str = HERE) -> str:
    return estate.sent_number(doors.world, plan, location, session)
