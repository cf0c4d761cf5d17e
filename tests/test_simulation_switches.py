"""The simulation's models of switching a workflow, held to the activities that they stand for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities import workflow
from rehearsal.simulation import components
from shared import clients, guard
from shared.reply import Reply
from tests.test_simulation_conforms import (
    NORTH,
    RECORDS,
    WEST,
    WITNESS,
    Fate,
    Kept,
    drive,
    ended,
    scripts,
    told,
)

NAME = "nightly-report"

RESOURCE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Logic/workflows/w"


def task(verb: str, location: str, **more: object) -> dict:
    part = {"name": NAME, "kind": "logicWorkflow", "resource": RESOURCE}
    known = {"plan": "contoso", "run": "r1", "stage": "activate", "epoch": 1, "witness": WITNESS}
    return {**known, "verb": verb, "location": location, "component": part, **more}


KEEPER = {"run": f"contoso-heartbeat-{NORTH}", "stage": "demote"}

TASKS = [
    task("promote", NORTH),
    task("promote", NORTH, run="r2"),
    task("promote", NORTH, epoch=2),
    task("demote", WEST),
    task("demote", NORTH, epoch=None, **KEEPER),
    task("demote", WEST, **KEEPER),
]


class Arm:
    """ARM's workflow, as the activity asks for it by the SDK."""

    def __init__(self, kept: Kept, spot: tuple[str, str]) -> None:
        self.kept, self.spot = kept, spot
        self.workflows = SimpleNamespace(get="get", enable="enable", disable="disable")

    def answer(
        self, operation: str, group: str, name: str, before: Callable | None = None, **bounds: float
    ) -> Reply:
        if before:
            before()

        def effect() -> Reply:
            if operation != "get":
                self.kept.enabled[self.spot] = operation == "enable"
            on = self.kept.enabled[self.spot]
            return Reply(200, {}, {"properties": {"state": "Enabled" if on else "Disabled"}})

        return self.kept.fate.meet(effect, lambda: None)  # type: ignore[return-value]


@contextmanager
def behind(kept: Kept, spot: tuple[str, str]) -> Iterator[None]:
    """The activity's doors, led to what is kept here."""
    arm = Arm(kept, spot)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(guard, "Place", lambda *known: kept)
        patched.setattr(guard, "settings", lambda: SimpleNamespace(location=NORTH))
        patched.setattr(clients, "logic", lambda subscription: arm)
        patched.setattr(clients, "answer", arm.answer)
        guard.forget()
        yield
        guard.forget()


@pytest.mark.parametrize("order", TASKS)
@given(script=scripts, on=st.booleans(), record=st.sampled_from(RECORDS))
@settings(deadline=None, max_examples=60)
def test_a_workflow_is_switched_as_the_activity_switches_it(
    order: dict, script: list[str], on: bool, record: dict
):
    name, spot = f"{order['verb']}_workflow", (order["location"], NAME)

    def kept() -> Kept:
        fresh_one = Kept(record, Fate([word for word in script if word != "taken"]))
        fresh_one.enabled[spot] = on
        return fresh_one

    real, model = kept(), kept()
    with behind(real, spot):
        end = ended(lambda: getattr(workflow, name)(order), told)
    app = SimpleNamespace(here=NORTH, seen=None)
    asked = getattr(components, name)(model, app, order)
    seen = ended(lambda: drive(asked, model), told)
    assert (seen, model.fate.asked, model.enabled) == (end, real.fate.asked, real.enabled)
