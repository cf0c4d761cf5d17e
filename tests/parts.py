"""Parts: a component of any kind in Contoso's plan, and the tasks that a run makes of it."""

from collections.abc import Iterator
from contextlib import contextmanager

import yaml

from shared.kinds import KINDS
from shared.plan import Plan, checked
from tests.doors import HERE, Doors
from tests.wire import check_exchanges

MARKER = "hunter2-AccountKey-c2VjcmV0"  # A secret that lies where a kind might read it.


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
