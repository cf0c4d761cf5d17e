"""The simulation's models of what is switched, and of the peer's word, held to their activities."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest
from azure.mgmt.trafficmanager.models import Endpoint
from hypothesis import given, settings
from hypothesis import strategies as st

from activities import peer, traffic, workflow
from rehearsal.simulation import components, records
from shared import clients, guard, probe
from shared.reply import Reply
from tests.sample_plan import PLAN as DOCUMENT
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


# --- Traffic Manager -------------------------------------------------------------------------

PROFILE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/trafficmanagerprofiles/p"


def pointing(location: str, **more: object) -> dict:
    part: dict = {"name": "front", "kind": "trafficManager", "resource": PROFILE}
    part["endpoints"] = {WEST: WEST, NORTH: NORTH}
    return {**task("promote", location), "stage": "redirect", "component": part, **more}


class Profile:
    """ARM's profile, as the activity asks for it by the SDK."""

    def __init__(self, kept: Kept) -> None:
        self.kept = kept
        self.profiles = SimpleNamespace(get=self.get)
        self.endpoints = SimpleNamespace(update=self.update)

    def get(self, group: str, name: str) -> Reply:
        return Reply(200, {}, {"properties": {"endpoints": [*map(self.row, (NORTH, WEST))]}})

    def row(self, name: str) -> dict:
        status = "Enabled" if self.kept.endpoints[name] else "Disabled"
        kind = "Microsoft.Network/trafficManagerProfiles/azureEndpoints"
        return {"name": name, "type": kind, "properties": {"endpointStatus": status}}

    def update(self, group: str, name: str, kind: str, endpoint: str, wanted: Endpoint) -> Reply:
        self.kept.endpoints[endpoint] = wanted.endpoint_status == "Enabled"
        return Reply(200, {}, {})

    def answer(
        self, operation: Callable, *given: object, before: Callable | None = None, **bounds: float
    ) -> Reply:
        if before:
            before()
        return self.kept.fate.meet(lambda: operation(*given), lambda: None)  # type: ignore[return-value]


@pytest.mark.parametrize(
    "order", [pointing(NORTH), pointing(WEST), pointing(NORTH, run="r2"), pointing(NORTH, epoch=2)]
)
@given(script=scripts, on=st.tuples(st.booleans(), st.booleans()), record=st.sampled_from(RECORDS))
@settings(deadline=None, max_examples=60)
def test_callers_are_pointed_as_the_activity_points_them(
    order: dict, script: list[str], on: tuple[bool, bool], record: dict
):
    def kept() -> Kept:
        fresh_one = Kept(record, Fate([word for word in script if word != "taken"]))
        fresh_one.endpoints = dict(zip((NORTH, WEST), on, strict=True))
        return fresh_one

    real: Any = kept()
    model: Any = kept()
    with behind(real, (NORTH, NAME)), pytest.MonkeyPatch.context() as patched:
        profile = Profile(real)
        patched.setattr(clients, "traffic", lambda subscription: profile)
        patched.setattr(clients, "answer", profile.answer)
        end = ended(lambda: traffic.promote_traffic(order), told)
    app: Any = SimpleNamespace(here=NORTH, seen=None)
    seen = ended(lambda: drive(components.promote_traffic(model, app, order), model), told)
    assert (seen, model.fate.asked, model.endpoints) == (end, real.fate.asked, real.endpoints)


# --- The peer's word -------------------------------------------------------------------------


@pytest.mark.parametrize("claimed", [True, False])
@pytest.mark.parametrize("word", ["well", "unheard", "silent"])
def test_the_peer_is_asked_as_the_activity_asks_it(word: str, claimed: bool):
    """A sick app answers too, with a body that vouches for nothing: as a peer that has claimed."""
    payload = {"plan": {**DOCUMENT, "name": "contoso"}, "location": WEST}
    real, model = Kept(RECORDS[0], Fate([word])), cast(Any, Kept(RECORDS[0], Fate([word])))
    body = {"unclaimed": [] if claimed else ["contoso"]}

    def call(method: str, url: str, seconds: float) -> Reply:
        assert seconds == records.PEER_SECONDS
        return real.fate.meet(lambda: Reply(200, {}, body), lambda: None)  # type: ignore[return-value]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(probe, "call", call)
        end = ended(lambda: peer.ask_peer(payload), told)
    model.watches, model.claims = {WEST: None}, {WEST: {"mine": claimed}}
    model.apps = {WEST: SimpleNamespace(up=True)}
    app: Any = SimpleNamespace(here=NORTH)
    asked = records.ask_peer(model, app, payload)
    assert (ended(lambda: drive(asked, model), told), model.fate.asked) == (end, real.fate.asked)
