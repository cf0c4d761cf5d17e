"""Readiness of workflows: do both locations hold the same ones, and may they play their roles?

Pure: definitions as ARM shows them come in, checks as shared/readiness.py makes them come out.
A difference that belongs to a location (its name, its resource group, its short name) is none.
"""

import json
import re
from collections.abc import Iterable, Iterator

from shared import roles
from shared.plan import Plan
from shared.readiness import WHOLE, check

SHOWN_MAX = 5
DEPTH_MAX = 60
ABSENT = object()  # Other than null.
CONNECTION = re.compile(
    r"(?P<group>/subscriptions/[^/]+/resourceGroups/[^/]+)/providers/Microsoft\.Web/connections/.+",
    re.IGNORECASE,
)
API = re.compile(r".*/locations/(?P<location>[^/]+)/managedApis/.+", re.IGNORECASE)


def neutral(value: dict, words: dict[str, str]) -> dict:
    """The value with what belongs to its location in braces. `words`: placeholder -> word."""
    text = json.dumps(value, sort_keys=True)
    for name, word in words.items():
        bounded = rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])"
        text = re.sub(bounded, f"{{{name}}}", text, flags=re.IGNORECASE)
    return json.loads(text)


def named(ids: Iterable[str], words: dict[str, str], own: set[str]) -> set[str]:
    """The names of workflows as both locations would have them; `own` keep theirs.

    The halves of a split job bear a location's short name in both locations.
    """
    names = {id.rsplit("/", 1)[-1].lower() for id in ids}
    return {name for name in names if name in own} | {
        key for name in names if name not in own for key in neutral({name: ""}, words)
    }


def words_of(plan: Plan, location: str) -> dict[str, str]:
    """What belongs to a location, the longest first: none is a part of one before it."""
    spot = plan.locations[location]
    return {
        "resourceGroup": spot.resource_group,
        "group": spot.resource_group.rsplit("/", 1)[-1],
        "location": location,
        "short": spot.short,
    }


def differences(mine: object, theirs: object, path: str = "", depth: int = 0) -> Iterator[str]:
    """JSON pointers of what differs."""
    if mine == theirs:
        return
    if isinstance(mine, dict) and isinstance(theirs, dict) and depth < DEPTH_MAX:
        for key in sorted({*mine, *theirs}):
            step = str(key).replace("~", "~0").replace("/", "~1")
            known = (mine.get(key, ABSENT), theirs.get(key, ABSENT))
            yield from differences(*known, f"{path}/{step}", depth + 1)
        return
    yield path or "/"


def definition(
    name: str, location: str, mine: dict, theirs: dict | None, declared: list[str]
) -> dict:
    """Is the standby's definition the active one's, but for what the plan declares?

    Both neutral. `theirs`: null where the active side has none.
    """
    if theirs is None:
        words = "there is none to compare with in the active location"
        return check(name, location, "definition", "warn", words, "see what became of it there")
    found = [
        path
        for path in differences(mine, theirs)
        if not any(path == one or path.startswith(f"{one}/") for one in declared)
    ]
    if not found:
        return check(name, location, "definition", "ok", "is that of the active location")
    more = f" and {len(found) - SHOWN_MAX} more" if len(found) > SHOWN_MAX else ""
    words = f"differs from the active one in {', '.join(found[:SHOWN_MAX])}{more}"
    fix = "deploy one definition to both, or declare it in the component's `differs`"
    return check(name, location, "definition", "fail", words, fix)


def role(name: str, location: str, trigger: str, wanted: str, definition: dict) -> dict:
    """May a workflow with this definition play the role that the plan gives it?"""
    seen = roles.trigger_class(definition)
    allowed = roles.ROLES[seen.trigger]
    kept = {"standing": "split"}.get(wanted, wanted)
    # A split job is read as two: the half that moves is an ordinary exclusive one.
    fits = kept in allowed or not roles.exclusive(seen.trigger)
    fix = f"make its trigger {seen.trigger} in the plan, its role {' or '.join(allowed)}"
    if not fits:
        words = f"cannot be {wanted}: {seen.because}"
        return check(name, location, "role", "fail", words, fix)
    if seen.trigger != trigger:
        words = f"the plan says {trigger}, but {seen.because}"
        status = "fail" if roles.wave(seen.trigger) > roles.wave(trigger) else "warn"
        return check(name, location, "role", status, words, fix)
    return check(name, location, "role", "ok", f"{wanted}: {seen.because}")


def environment(name: str, location: str, properties: dict) -> list[dict]:
    """Does the workflow stand in an integration service environment? Then a check that fails."""
    if not properties.get("integrationServiceEnvironment"):
        return []
    words = "is in an integration service environment; they were retired on 31 August 2024"
    fix = "move it to a Standard logic app, in both locations"
    return [check(name, location, "host", "fail", words, fix)]


def connections(name: str, location: str, group: str, properties: dict) -> dict | None:
    """Does the workflow use its own location's connections? None where it uses none."""
    given = (properties.get("parameters") or {}).get("$connections") or {}
    rows = given.get("value") if isinstance(given, dict) else None
    wrong = []
    for key, row in sorted((rows or {}).items()):
        told = row if isinstance(row, dict) else {}
        held = CONNECTION.fullmatch(str(told.get("connectionId", "")))
        api = API.fullmatch(str(told.get("id", "")))
        if held is None or held["group"].lower() != group.lower():
            wrong.append(f"{key} is not in {group.rsplit('/', 1)[-1]}")
        elif api and api["location"].lower() != location:
            wrong.append(f"{key} is of the connector in {api['location']}")
    if not rows:
        return None
    fix = "give each location connections of its own, and the workflow there their ids"
    if wrong:
        return check(name, location, "connections", "fail", "; ".join(wrong[:SHOWN_MAX]), fix)
    words = f"its {len(rows)} connections are its own location's"
    return check(name, location, "connections", "ok", words)


def same_set(location: str, mine: set[str], theirs: set[str] | None) -> dict:
    """Has the standby every workflow of the active location? Names, null where not seen."""
    if theirs is None:
        words = "the active location's workflows cannot be listed"
        return check(WHOLE, location, "set", "warn", words, "look again when it answers")
    missing, extra = sorted(theirs - mine), sorted(mine - theirs)
    if missing:
        words = f"not in the standby: {', '.join(missing[:SHOWN_MAX])} ({len(missing)} in all)"
        return check(WHOLE, location, "set", "warn", words, "deploy them there, and plan for them")
    if extra:
        words = f"only in the standby: {', '.join(extra[:SHOWN_MAX])} ({len(extra)} in all)"
        return check(WHOLE, location, "set", "warn", words, "remove what is left over there")
    return check(WHOLE, location, "set", "ok", f"both have the same {len(mine)} workflows")
