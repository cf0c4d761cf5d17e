"""Variants: the plans that seeds draw, each made once, and read once however often it is asked for.

An orchestrator reads its plan at every turn. Here it is the same document each time, and reading
it again would be a third of all the time.
"""

import json

from rehearsal.simulation.patches import Patch
from shared.plan import Plan

_MADE: dict[tuple[str, str, int], Plan] = {}
_READ: dict[int, tuple[Plan, dict]] = {}  # By the document's id: it is kept, so that id is its own.
_SEEN: dict[tuple[int, str, str], dict] = {}
_WAVES: dict[tuple[int, str, str], list[list[str]]] = {}
_ORIGINS: dict[int, Plan] = {}  # By a variant's id: the plan with whose components it was made.
_read, _component, _waves = Plan.model_validate, Plan.component, Plan.waves


def of(plan: Plan, options: dict, copies: int = 0) -> Plan:
    """`plan` with these fields of its document changed, and `leaseSeconds` of its witness's.

    `copies`: so many more of its last workflow that runs in one place only. The same plan for the
    same options.
    """
    key = (plan.digest, json.dumps(options, sort_keys=True), copies)
    if key not in _MADE:
        fields = dict(options)
        if copies:
            fields["components"] = [*plan.document["components"], *more(plan, copies)]
        lease = {"leaseSeconds": fields.pop("leaseSeconds", plan.witness.lease_seconds)}
        part = {**plan.document["witness"], **lease}
        made = _MADE[key] = _read({**plan.document, **fields, "witness": part})
        _READ[id(made.document)] = made, made.document
        if not fields.keys() & {"components", "locations"}:
            _ORIGINS[id(made)] = plan
    return _MADE[key]


def more(plan: Plan, copies: int) -> list[dict]:
    """Copies of the last workflow that only moves; none where there is none."""
    parts = plan.document["components"]
    movers = [p for p in parts if p["kind"] == "logicWorkflow" and p["name"] in plan.movers()]
    names = [f"{part['name']}-{n}" for part in movers[-1:] for n in range(copies)]
    return [
        {**movers[-1], "name": name, "resource": f"{movers[-1]['resource']}-{name}"}
        for name in names
    ]


def read(document: dict) -> Plan:
    """Plan.model_validate for documents that nobody changes."""
    known = _READ.get(id(document))
    if known is None:
        known = _READ[id(document)] = _read(document), document
    return known[0]


def component(plan: Plan, name: str, location: str) -> dict:
    """Plan.component for plans that are kept."""
    plan = _ORIGINS.get(id(plan), plan)
    key = (id(plan), name, location)
    if key not in _SEEN:
        _SEEN[key] = _component(plan, name, location)
    return dict(_SEEN[key])


def waves(plan: Plan, stage: str, to: str) -> list[list[str]]:
    """Plan.waves for plans that are kept."""
    plan = _ORIGINS.get(id(plan), plan)
    key = (id(plan), stage, to)
    if key not in _WAVES:
        _WAVES[key] = _waves(plan, stage, to)
    return [list(wave) for wave in _WAVES[key]]


QUICK: list[Patch] = [
    (Plan, "model_validate", read),
    (Plan, "component", component),
    (Plan, "waves", waves),
]
