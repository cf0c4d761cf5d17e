"""Parts: a component of any kind in Contoso's plan, and the tasks that a run makes of it."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import yaml

from rehearsal.world import Resource
from shared.kinds import KINDS
from shared.plan import Plan, checked
from shared.reply import Unreachable
from tests.doors import HERE, THERE, Doors
from tests.wire import check_exchanges

MARKER = "hunter2-AccountKey-c2VjcmV0"  # A secret that lies where a kind might read it.
POLLS_MAX, POLL_SECONDS = 100, 0.05


def plan_with(doors: Doors, *parts: dict) -> Plan:
    """Contoso's plan with these components added."""
    data = yaml.safe_load(doors.plan_text)
    return checked({**data, "components": [*data["components"], *parts]})


def task(doors: Doors, part: dict, verb: str, location: str = HERE, **more: object) -> dict:
    """The Task of a run that holds the record."""
    plan = plan_with(doors, part)
    doors.hold()
    seen = plan.component(part["name"], location)
    verbs = KINDS[part["kind"]]
    if verb in verbs and verbs[verb].both:
        seen["other"] = plan.component(part["name"], plan.other(location))
    return {
        "plan": plan.name,
        "run": "run-1",
        "stage": "activate",
        "epoch": 1,
        "verb": verb,
        "location": location,
        "away": plan.other(location),
        "component": seen,
        "witness": plan.document["witness"],
        **more,
    }


def own(doors: Doors, location: str, path: str) -> str:
    """The id of a resource in a location's own group."""
    return f"{doors.plan.document['locations'][location]['resourceGroup']}/providers/{path}"


def forced(doors: Doors, part: dict, verb: str, location: str = HERE, **more: object) -> dict:
    """The Task of a forced run, of a component as it is seen from `location`."""
    other = THERE if location == HERE else HERE
    plain = {**doors.task("front", verb, location), "component": part, "away": other}
    return {**plain, "mode": "forced", **more}


@contextmanager
def laid(doors: Doors, bodies: dict[str, dict]) -> Iterator[list[Resource]]:
    """These resources (id -> body) are there, and what goes over the wire meanwhile is judged.

    Afterwards there is what there was.
    """
    mark, table = doors.mark(), doors.world.resources
    places = tuple(id.lower() for id in bodies)
    kept = [(one.id, one.body) for one in table if one.id.lower().startswith(places)]
    yield [table.place(id, body) for id, body in bodies.items()]
    doors.whole()
    for id in bodies:
        table.remove(id)
    for id, body in kept:
        table.place(id, body)
    check_exchanges(doors.world.journal.after(mark))


def ended(doors: Doors, outcome: dict) -> dict:
    """What came of a long operation."""
    for _ in range(POLLS_MAX):
        if outcome["status"] != "running":
            break
        time.sleep(POLL_SECONDS)
        outcome = called(doors, "ask_operation", {"operation": outcome["operation"]})
    return outcome


def both(part: dict, other: str) -> dict:
    """What a readiness check of HERE is told: the component, and the same one as `other`."""
    seen = {**part, "other": {**part, "resource": other}}
    return {"plan": "contoso", "location": HERE, "away": THERE, "component": seen}


def statuses(outcome: dict) -> dict[str, str]:
    """Name -> status of what a readiness check found."""
    return {row["name"]: row["status"] for row in outcome["checks"]}


def check_sent_once(doors: Doors, name: str, payload: dict, path: str) -> None:
    """Where the answer to the POST on `path` is lost, the activity does not send it again."""
    fault = {"match": {"method": "POST", "path": path}, "effect": {"loseAnswer": True}}
    doors.world.faults.add({**fault, "times": 1})
    mark = doors.mark()
    with pytest.raises(Unreachable):
        doors.call(name, payload)
    doors.call(name, payload)
    assert len(doors.sent(mark, "POST")) == 1


def check_forecast(doors: Doors, observe: str, promote: str, payload: dict) -> None:
    """A dry run names the call that a run sends: its URL, and its body where it has one."""
    told = doors.call(observe, {**payload, "dryRun": True})
    mark = doors.mark()
    doors.call(promote, payload)
    sent = [row for row in doors.world.journal.after(mark) if row["method"] == "POST"]
    shown = told["calls"]["promote"]
    assert [(one["url"], one.get("body")) for one in shown] == [
        (row["url"].removeprefix(doors.wire.arm.url), row["request_body"] or None) for row in sent
    ]


def check_foretold(doors: Doors, observe: str, act: str, payload: dict, move: dict) -> None:
    """A dry run names, in their order, all calls of `act` that come once `move` was done.

    `move`: activity -> its payload, of what the run does before.
    """
    told = doors.call(observe, {**payload, "dryRun": True})
    for name, task in move.items():
        assert ended(doors, doors.call(name, task))["status"] == "succeeded"
    mark = doors.mark()
    assert ended(doors, doors.call(act, payload))["status"] == "succeeded"
    sent = [row for row in doors.world.journal.after(mark) if row["method"] not in ("GET", "HEAD")]
    shown = told["calls"][payload["verb"]]
    assert shown and [(one["method"], one["url"], one.get("body")) for one in shown] == [
        (row["method"], row["url"].removeprefix(doors.wire.arm.url), row["request_body"] or None)
        for row in sent
    ]


def check_keeps_quiet(doors: Doors, payload: dict, *names: str) -> None:
    """No outcome of these activities holds the marker."""
    assert MARKER not in json.dumps([doors.call(name, payload) for name in names])


@contextmanager
def judged(doors: Doors) -> Iterator[None]:
    """What went over the wire in this block is as Microsoft published it."""
    mark = doors.mark()
    yield
    check_exchanges(doors.world.journal.after(mark))


def called(doors: Doors, name: str, payload: dict) -> dict:
    """Call an activity, and see that it gave no secret away."""
    outcome = doors.call(name, payload)
    assert MARKER not in str(outcome)
    return outcome
