"""Variants: the plans that seeds draw, each made once, and read once however often it is asked for.

An orchestrator reads its plan at every turn. Here it is the same document each time, and reading
it again would be a third of all the time.
"""

import json

from rehearsal.simulation.patches import Patch
from shared.plan import Plan

_MADE: dict[tuple[str, str], Plan] = {}
_READ: dict[int, tuple[Plan, dict]] = {}  # By the document's id: it is kept, so that id is its own.
_SEEN: dict[tuple[int, str, str], dict] = {}
_read, _component = Plan.model_validate, Plan.component


def of(plan: Plan, options: dict) -> Plan:
    """`plan` with these fields of its document changed; the same one for the same options."""
    key = (plan.digest, json.dumps(options, sort_keys=True))
    if key not in _MADE:
        _MADE[key] = _read({**plan.document, **options})
    return _MADE[key]


def read(document: dict) -> Plan:
    """Plan.model_validate for documents that nobody changes."""
    known = _READ.get(id(document))
    if known is None:
        known = _READ[id(document)] = _read(document), document
    return known[0]


def component(plan: Plan, name: str, location: str) -> dict:
    """Plan.component for plans that are kept."""
    key = (id(plan), name, location)
    if key not in _SEEN:
        _SEEN[key] = _component(plan, name, location)
    return dict(_SEEN[key])


QUICK: list[Patch] = [(Plan, "model_validate", read), (Plan, "component", component)]
