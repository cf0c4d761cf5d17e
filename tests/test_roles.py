"""A workflow's trigger decides whether two copies may run at once."""

from pathlib import Path
from typing import get_args

import pytest
import yaml

from shared import roles
from shared.plan import LogicWorkflow, load
from shared.plan_parts import Trigger

ROLES = ("activeActive", "activePassive")
ROOT = Path(__file__).resolve().parents[1]


def managed(connection: str, session: str | None = None) -> dict:
    inputs = {
        "host": {"connection": {"name": f"@parameters('$connections')['{connection}']"}},
        "queries": {"sessionId": session},
    }
    return {"triggers": {"t": {"type": "ApiConnection", "inputs": inputs}}}


@pytest.mark.parametrize(
    "definition", [{}, {"triggers": {}}, {"triggers": []}, {"triggers": {"t": {"type": "New"}}}]
)
def test_what_is_not_known_must_not_overlap(definition: dict):
    assert roles.exclusive(roles.trigger_class(definition)[0])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("Request", "request"),
        ("Recurrence", "recurrence"),
        ("SlidingWindow", "slidingWindow"),
        ("Http", "httpPolling"),
        ("HttpWebhook", "webhook"),
        ("ApiConnectionWebhook", "webhook"),
        ("Batch", "batch"),
    ],
)
def test_a_type_has_its_class(kind: str, expected: str):
    assert roles.trigger_class({"triggers": {"t": {"type": kind}}})[0] == expected


def test_a_queue_without_sessions_is_a_queue():
    assert roles.trigger_class(managed("servicebus", "None"))[0] == "queue"


def test_a_queue_with_sessions_is_ordered():
    assert roles.trigger_class(managed("servicebus", "Next Available"))[0] == "orderedQueue"


def test_another_connector_remembers_its_place():
    assert roles.trigger_class(managed("office365"))[0] == "clientPolling"


def test_the_most_exclusive_of_several_triggers_decides():
    both = {"triggers": {"a": {"type": "Request"}, "b": {"type": "Recurrence"}}}
    assert roles.trigger_class(both)[0] == "recurrence"


def test_a_plan_knows_every_trigger_class():
    assert set(get_args(Trigger)) == set(roles.TRIGGERS)


@pytest.mark.parametrize("trigger", sorted(roles.TRIGGERS))
def test_whether_copies_overlap_has_its_reason(trigger: str):
    assert roles.overlap(trigger)["because"]


def test_the_sample_plan_says_what_the_sample_definitions_are():
    estate = yaml.safe_load((ROOT / "rehearsal" / "estates" / "contoso.yaml").read_text("utf-8"))
    plan = load((ROOT / "plans" / "contoso.yaml").read_text("utf-8"))
    told = {part.name: part.trigger for part in plan.components if part.kind == "logicWorkflow"}
    found = {w["name"]: roles.trigger_class(w["definition"])[0] for w in estate["workflows"]}
    assert told == {name: found[name] for name in told}


def test_a_plan_of_both_roles_moves_its_exclusive_workflows_alone():
    """A combination of roles is a plan, not a role: each workflow has its own."""
    known = load((ROOT / "plans" / "contoso.yaml").read_text(encoding="utf-8"))
    flows = [part for part in known.components if isinstance(part, LogicWorkflow)]
    names = {role: {p.name for p in flows if p.role == role} for role in ROLES}
    assert all(names.values())
    assert {p.name for p in flows} & set(known.exclusive()) >= names["activePassive"]
    assert not names["activeActive"] & set(known.exclusive())
