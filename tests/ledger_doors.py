"""Contoso as the ledger's tests want it: runs in flight at home, and what becomes of them."""

from collections.abc import Iterator

import pytest

from rehearsal.workflows import Workflows
from rehearsal.world import Resource
from shared import guard, ledger_store
from tests.doors import HERE, THERE, Doors

STORE, WITNESS = "stcontosone", "stcontosowitness"
WORKFLOW, SECONDS = "orders-worker", 600
EPOCH = 0
SAID = {"by": "Ada", "comment": ""}


@pytest.fixture(autouse=True)
def fresh(doors: Doors) -> Iterator[None]:
    """No ledger, and a witness that says that home is active."""
    for name in doors.storage.names(STORE, "understudy"):
        if name.startswith("ledger/"):
            doors.drop(STORE, "understudy", name)
    doors.drop(WITNESS, "understudy", "contoso.json")
    doors.world.buses = doors.buses
    guard.forget()
    yield
    doors.drop(WITNESS, "understudy", "contoso.json")


def workflow(doors: Doors, name: str = WORKFLOW) -> Resource:
    found = doors.world.resources.get(doors.plan.component(name, THERE)["resource"])
    assert found is not None
    return found


def begin(doors: Doors, running: Workflows, name: str = WORKFLOW) -> str:
    """Start a run on the active side; gives its name."""
    found = workflow(doors, name)
    found.body["tags"] = {"rehearsal-run-seconds": str(SECONDS)}

    async def start() -> str:
        flow = running.flow(found)
        return flow.begin(flow.triggers[0], f"{name}:1").name

    return doors.wire.run(start())


def look(doors: Doors, **more: object) -> dict:
    """Look at the one workflow at which most of this is tried."""
    names = [part.name for part in doors.plan.components if part.kind == "logicWorkflow"]
    told = {"plan": "contoso", "epoch": EPOCH, "location": THERE}
    one = {"cursor": names.index(WORKFLOW), "most": 1}
    return doors.call("keep_ledger", {**told, **one, **more})


def freeze(doors: Doors, *claims: dict) -> dict:
    """Let the next epoch begin, claimed by a run to here; nobody remembers which, but for these."""
    told = {"plan": "contoso", "epoch": EPOCH + 1, "active": HERE, "claims": list(claims)}
    return doors.call("freeze_ledger", told)


def review(doors: Doors) -> dict:
    return doors.call("review_ledger", {"plan": "contoso", "epoch": EPOCH})


def kept(epoch: int | None = EPOCH) -> dict:
    found = ledger_store.read("contoso", epoch)
    assert found is not None
    return found


def end(doors: Doors, running: Workflows, name: str, status: str = "Failed") -> None:
    """What the region's return makes of a run that it cut off."""

    async def over() -> None:
        flow = running.flow(workflow(doors))
        run = next(run for run in flow.runs if run.name == name)
        flow.abandon()
        run.end(status, doors.world.now)

    doors.wire.run(over())


def cut_off(doors: Doors, running: Workflows) -> str:
    """A run that was in flight when its epoch ended, and that has failed; gives its name."""
    name = begin(doors, running)
    assert look(doors)["status"] == "succeeded"
    freeze(doors)
    end(doors, running, name)
    review(doors)
    return name
