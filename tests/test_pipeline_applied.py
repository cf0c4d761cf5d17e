"""What a restore applies afterwards because no backup carries it."""

import json

from shared.outcome import refused, succeeded
from tests.stories import (
    HERE,
    PLAN,
    done,
    fine,
)
from tests.test_pipeline import restoring


def declared(*rows: dict) -> dict:
    """The plan, its gateway saying this of what no backup carries, as an activity gives it."""
    document = json.loads(json.dumps(PLAN.document))
    part = next(one for one in document["components"] if one["name"] == "gateway")
    part["notInBackup"] = list(rows)
    return succeeded(plan=document, digest=json.dumps(rows))


CIPHERS = {
    "what": "protocolsAndCiphers",
    "by": "us",
    "apply": True,
    "expect": {HERE: {"Tls11": "False"}},
}


def test_what_could_not_be_applied_leaves_the_backup_unproven():
    run = restoring(load_plan=declared(CIPHERS), provide_gateway=refused("locked"))
    assert done(run)["because"] == "locked" and not run.named("mark_proven")


def test_a_restore_writes_what_the_plan_applies_before_it_compares():
    run = restoring(load_plan=declared(CIPHERS), provide_gateway=fine)
    order = [call.name for call in run.calls]
    assert order.index("promote_gateway") < order.index("provide_gateway")
    assert order.index("provide_gateway") < order.index("compare_gateways")


def test_a_change_under_way_is_waited_out_and_then_looked_at_anew():
    no = refused("is Updating", busy=True, operation="https://arm/gateway")
    answers = [*[no] * 7, succeeded()]
    run = restoring(load_plan=declared(CIPHERS), provide_gateway=lambda told: answers.pop(0))
    waited = [asked["operation"] for asked in run.named("ask_operation")]
    assert "https://arm/gateway" in waited and not answers
    assert run.named("mark_proven")


def test_a_gateway_that_is_changed_for_ever_leaves_the_backup_unproven():
    no = refused("is Updating", busy=True, operation="https://arm/gateway")
    run = restoring(load_plan=declared(CIPHERS), provide_gateway=no)
    assert done(run)["because"] == "is Updating" and not run.named("mark_proven")


LOGS = {
    "name": "gateway-logs",
    "kind": "diagnosticSetting",
    "resource": "{resourceGroup}/providers/Microsoft.ApiManagement/service/apim-contoso-{short}",
    "workspaces": {
        place: f"{PLAN.locations[place].resource_group}/providers/Microsoft.OperationalInsights"
        f"/workspaces/log-{place}"
        for place in PLAN.locations
    },
}


def test_a_restore_has_a_component_bring_the_diagnostic_settings():
    told = {"what": "diagnostics", "by": "us", "component": LOGS["name"], "apply": True}
    known = declared(told)
    known["plan"]["components"].append(LOGS)
    run = restoring(load_plan=known, promote_diagnostics=fine)
    (task,) = run.named("promote_diagnostics")
    assert (task["component"]["name"], task["location"]) == (LOGS["name"], HERE)
    assert done(run)["outcome"] == "succeeded" and not run.named("provide_gateway")


def test_a_restore_names_what_it_leaves_to_others():
    left = done(restoring(load_plan=declared(CIPHERS), provide_gateway=fine))["left"]
    assert len(left) == 7 and not any("protocols" in one for one in left)
