"""Plan: what must move together, read as a whole or refused as a whole.

`load` gives a plan or every error in its text with its path. `to` decides everything else: the
same plan read towards the other location is the failback.
`python -m shared.plan FILE` prints what is wrong with a file.
"""

import hashlib
import json
import sys
from functools import cached_property
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator

from shared import halves, overlay, own_hosts, roles
from shared.kinds import KINDS, one_way
from shared.plan_kinds import Component
from shared.plan_parts import (
    Alerts,
    Backup,
    Ledger,
    Location,
    LogicWorkflow,
    Maintenance,
    Name,
    Objectives,
    Part,
    Region,
    Stage,
    TrafficManager,
    Watch,
    Witness,
)
from shared.plan_rules import broken_rules, resolved
from shared.plan_text import BadText, read
from shared.slip import STAGES

SCHEMA = "https://json-schema.org/draft/2020-12/schema"
PROBLEMS_MAX = 200


class BadPlan(Exception):
    """A plan that is refused; `problems` holds every error, each with its path."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Plan(Part):
    """A plan document. Make one with `load`; `model_validate` takes what `document` gave."""

    name: Name
    home: Region
    locations: Annotated[dict[Region, Location], Field(min_length=2, max_length=2)]
    objectives: Objectives
    witness: Witness
    watch: Watch
    automation: Literal["automatic", "approval", "alert"] = "automatic"
    quiet_minutes: Annotated[int, Field(ge=0, le=10_080)] = 30
    # How long a run waits for a person, for what is in flight, and for the standby to be one again.
    approval_minutes: Annotated[int, Field(ge=1, le=24 * 60)] = 60
    drain_seconds: Annotated[int, Field(ge=0, le=24 * 3600)] = 60
    protect_minutes: Annotated[int, Field(ge=0, le=7 * 24 * 60)] = 60
    point_of_no_return: Stage = "redirect"  # Once it is entered, a run can no longer be cancelled.
    maintenance: Annotated[list[Maintenance], Field(max_length=20)] = []
    alerts: Alerts | None = None
    backup: Backup = Backup()
    ledger: Ledger = Ledger()
    components: Annotated[list[Component], Field(min_length=1, max_length=10_000)]

    @field_validator("components")
    @classmethod
    def _halved(cls, given: list[Component], known: ValidationInfo) -> list[Component]:
        """Each split job as its two halves; without locations there is an error already."""
        home, places = known.data.get("home"), known.data.get("locations", {})
        split = [set(part.halves or {}) for part in given if isinstance(part, LogicWorkflow)]
        strange = any(named - set(places) for named in split)
        return given if home is None or strange else halves.expanded(given, home, places)

    @cached_property
    def document(self) -> dict:
        """The canonical JSON of the plan: camelCase, defaults filled in, nothing null."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, in hex: pins a run to the plan that it began with."""
        text = json.dumps(self.document, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @cached_property
    def no_return(self) -> str:
        """The stage in which a run can no longer be cancelled: the declared one, or the one that
        moves what no undo takes back."""
        stages = [self.promoted_in(p.name) for p in self.components if one_way(p)]
        return min([self.point_of_no_return, *filter(None, stages)], key=STAGES.index)

    @cached_property
    def parts(self) -> dict[str, Component]:
        return {part.name: part for part in self.components}

    def part(self, name: str) -> Component:
        return self.parts[name]

    def other(self, location: str) -> str:
        """The plan's location that is not this one; KeyError for a stranger."""
        names = list(self.locations)
        if location not in names:
            raise KeyError(f"{location} is no location of {self.name}")
        return names[1 - names.index(location)]

    def component(self, name: str, location: str) -> dict:
        """A Task's "component": the part's options as JSON, seen from `location`.

        `resource` is the id there, templates are filled in. What a plan gives per location
        (backups, overlay, endpoints) stays a map by location: some verbs need both sides.
        """
        key = (name, location)
        if key not in self._seen:
            seen = self._resolved(self.part(name), location)
            found = overlay.linked(seen, self.component)
            if found["kind"] == "apiManagement":
                found["hosts"] = {at: self.hosts(at) for at in self.locations}
            self._seen[key] = json.dumps(found)
        return json.loads(self._seen[key])

    def hosts(self, location: str) -> list[str]:
        """The names under which what the plan knows answers in `location`."""
        spot = self.locations[location]
        known = (part for part in self.components if part.kind in own_hosts.KINDS)
        parts = (self._resolved(part, location) for part in known)
        return own_hosts.of(location, [spot.app, spot.health], parts)

    def _resolved(self, part: Part, location: str) -> dict:
        spot = self.locations[location].model_dump(by_alias=True)
        given = part.model_dump(mode="json", by_alias=True, exclude_none=True)
        return resolved(given, location, spot)

    @cached_property
    def _seen(self) -> dict[tuple[str, str], str]:
        """What `component` has worked out, as JSON: orchestrators ask for all at every replay."""
        return {}

    def queues(self, location: str) -> list[dict]:
        """The queues whose depth the ledger keeps: {"namespace": id, "queue"}, as of `location`."""
        return [self._resolved(one, location) for one in self.ledger.queues]

    def gateway(self) -> str | None:
        """The name of the plan's API Management component, if it has one."""
        names = [part.name for part in self.components if part.kind == "apiManagement"]
        return names[0] if names else None

    def ttl_seconds(self) -> int:
        """How long callers may keep an old DNS answer: the longest of the plan's profiles."""
        return max(
            (part.ttl_seconds for part in self.components if isinstance(part, TrafficManager)),
            default=0,
        )

    def belongs(self, name: str, location: str) -> bool:
        """May this component run in `location` at all? A standing half runs in one only."""
        return halves.stands_in(self.part(name)) in (None, location)

    def movers(self) -> list[str]:
        """What runs where the plan is active and nowhere else."""
        return [part.name for part in self.components if alone(part) == "activePassive"]

    def exclusive(self, location: str | None = None) -> list[str]:
        """What runs in one location at a time. With `location`: what must stand still there while
        the other one is active, so not the half that has its place there."""
        return [
            part.name
            for part in self.components
            if alone(part) and (location is None or halves.stands_in(part) != location)
        ]

    def waves(self, stage: str, to: str) -> list[list[str]]:
        """The components promoted in `stage`, wave after wave, towards location `to`.

        What waits comes after what it waits for, and no clock-driven workflow wakes before a
        consumer: the trigger's class decides first, then the depth in what waits for what.
        """
        if to not in self.locations:
            raise KeyError(f"{to} is no location of {self.name}")
        if (stage, to) not in self._waves:
            self._waves[stage, to] = self._ranked(stage, to)
        return [[*wave] for wave in self._waves[stage, to]]

    @cached_property
    def _waves(self) -> dict[tuple[str, str], list[list[str]]]:
        return {}

    def _ranked(self, stage: str, to: str) -> list[list[str]]:
        waits = {
            part.name: part.waits_for
            for part in self.components
            if self.promoted_in(part.name) == stage and self.belongs(part.name, to)
        }
        # Classes are further apart than the longest chain of waits inside one.
        apart = len(waits) + 1
        ranks: dict[str, int] = {}
        for name in TopologicalSorter(waits).static_order():
            if name in waits:
                after = [ranks[other] + 1 for other in waits[name] if other in waits]
                ranks[name] = max([self.trigger_wave(name) * apart, *after])
        return [[n for n in waits if ranks[n] == rank] for rank in sorted(set(ranks.values()))]

    def promoted_in(self, name: str) -> str | None:
        """The stage that promotes this component; None when nothing has to."""
        part = self.part(name)
        verb = KINDS[part.kind].get("promote")
        return (verb.stage or getattr(part, "stage", None)) if verb else None

    def trigger_wave(self, name: str) -> int:
        trigger = getattr(self.part(name), "trigger", None)
        if trigger:
            return roles.wave(trigger)
        # What must not run in two places wakes after all that may, like the clocks that it holds.
        return roles.wave("recurrence") if alone(self.part(name)) else 0


def alone(part: Component) -> str:
    """The role of what can be stopped and must not run in two places; empty for the rest."""
    single = part.role != "activeActive" and "demote" in KINDS[part.kind]
    return part.role if single else ""


def load(text: str) -> Plan:
    """The plan in a YAML or JSON text; raises BadPlan with every error and its path."""
    try:
        data = read(text)
    except BadText as error:
        raise BadPlan([str(error)]) from error
    if not isinstance(data, dict):
        raise BadPlan(["the document is no mapping of keys to values"])
    return checked(data)


def checked(data: dict) -> Plan:
    """The plan in plain data; raises BadPlan."""
    problems: list[str] = []
    plan = None
    try:
        plan = Plan.model_validate(data)
    except ValidationError as error:
        problems = [told(fault["loc"], fault["msg"]) for fault in error.errors(include_url=False)]
    problems += broken_rules(data)
    if plan is None or problems:
        raise BadPlan(problems[:PROBLEMS_MAX])
    return plan


def told(path: tuple[int | str, ...], message: str) -> str:
    """One error with its path, as a person would write it: components[3].trigger."""
    where = ""
    for before, item in zip(("", *path), path, strict=False):
        if isinstance(item, int):
            where += f"[{item}]"
        elif item in KINDS and isinstance(before, int):
            continue  # The kind is how pydantic chose the shape, no key of the document.
        elif item != "[key]":
            where += f".{item}" if where else item
    return f"{where or 'the document'}: {message}"


def json_schema() -> dict:
    """The JSON Schema of a plan, as published in plans/schema.json."""
    schema = Plan.model_json_schema(by_alias=True)
    return {"$schema": SCHEMA, **schema, "title": "Understudy plan"}


def main(arguments: list[str]) -> int:
    """Check the plan in one file: 0 good, 1 refused, 2 unreadable. `--schema` prints it."""
    if arguments == ["--schema"]:
        sys.stdout.write(json.dumps(json_schema(), indent=2) + "\n")
        return 0
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m shared.plan FILE | --schema\n")
        return 2
    try:
        plan = load(Path(arguments[0]).read_text(encoding="utf-8"))
    except BadPlan as bad:
        sys.stdout.write("".join(f"{problem}\n" for problem in bad.problems))
        return 1
    except (OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"{arguments[0]}: {error}\n")
        return 2
    sys.stdout.write(f"{plan.name}: {len(plan.components)} components, digest {plan.digest}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
