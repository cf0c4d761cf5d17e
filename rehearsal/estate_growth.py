"""More workflows than anyone writes by hand: the same ones in the estate and in its plan."""

from dataclasses import replace
from math import ceil

import yaml

from rehearsal.estate import Scene
from rehearsal.estate_parts import Workflow
from shared.pace import bound_seconds

COUNT_MAX = 5_000
PACE_MAX = 1.2  # What a failover may take of it; `drill_bound` judges the activation by the same.
SCHEMA = (
    "https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01"
    "/workflowdefinition.json#"
)
# They are there to be activated. A clock without a start time fires when it is enabled, and one
# of the past makes up for it; these do neither, so they cannot do twice what home did already.
HOURLY = {"frequency": "Hour", "interval": 1, "startTime": "2099-01-01T00:00:00Z"}
# Trigger, role, state of the standby's copy, and the definition of the trigger.
PATTERN = (
    ("recurrence", "activePassive", "Disabled", {"type": "Recurrence", "recurrence": HOURLY}),
    ("request", "activePassive", "Disabled", {"type": "Request", "kind": "Http", "inputs": {}}),
    ("slidingWindow", "activePassive", "Disabled", {"type": "SlidingWindow", "recurrence": HOURLY}),
    ("request", "activePassive", "Disabled", {"type": "Request", "kind": "Http", "inputs": {}}),
)


def grow(scene: Scene, count: int) -> Scene:
    """The scene with `count` more workflows, 0 to COUNT_MAX; all wait disabled in the standby."""
    if not 0 <= count <= COUNT_MAX:
        raise ValueError(f"workflows must be 0 to {COUNT_MAX}, not {count}")
    if count == 0:
        return scene
    plan = yaml.safe_load(scene.plan_text)
    workflows = list(scene.estate.workflows)
    for number in range(1, count + 1):
        trigger, role, standby, definition = PATTERN[number % len(PATTERN)]
        name = f"load-{number:04d}"
        made = {
            "$schema": SCHEMA,
            "contentVersion": "1.0.0.0",
            "triggers": {"start": definition},
            "actions": {"note": {"type": "Compose", "inputs": name, "runAfter": {}}},
            "outputs": {},
        }
        fields = {"name": name, "standby": standby, "definition": made}
        workflows.append(Workflow.model_validate(fields))
        plan["components"].append(
            {
                "name": name,
                "kind": "logicWorkflow",
                "trigger": trigger,
                "role": role,
                "resource": f"{{resourceGroup}}/providers/Microsoft.Logic/workflows/{name}",
            }
        )
    estate = scene.estate.model_copy(update={"workflows": workflows})
    return replace(scene, estate=estate, plan_text=yaml.safe_dump(plan, sort_keys=False))


def in_time(scene: Scene) -> Scene:
    """The scene whose plan allows, beside its own RTO, what ARM's token bucket takes for it."""
    plan = yaml.safe_load(scene.plan_text)
    seconds = bound_seconds(len(plan["components"]))
    if not seconds:
        return scene
    plan["objectives"]["rtoSeconds"] += ceil(PACE_MAX * seconds)
    return replace(scene, plan_text=yaml.safe_dump(plan, sort_keys=False))
