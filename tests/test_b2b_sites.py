"""Standard logic apps may use an integration account of their own location only: what tells it."""

import json
from collections.abc import Iterator

import pytest

from activities import readiness
from rehearsal.world import Resource
from shared.plan import Plan, checked
from tests import b2b_estate as estate
from tests.b2b_doors import checks
from tests.b2b_doors import plan as plan
from tests.doors import HERE, THERE, Doors
from tests.wire import check_exchanges

SETTING = "WORKFLOW_INTEGRATION_ACCOUNT_CALLBACK_URL"


@pytest.fixture
def site(doors: Doors, plan: Plan) -> Iterator[Resource]:
    """The settings of a Standard logic app in this location, without an account yet."""
    id = f"{estate.group(plan, HERE)}/providers/Microsoft.Web/sites/logic-edi"
    table = doors.world.resources
    table.place(id, {"location": HERE, "kind": "functionapp,workflowapp", "properties": {}})
    mark = doors.mark()
    yield table.place(f"{id}/config/appsettings", {"properties": {"KEY": estate.MARKER}})
    rows = [row for row in doors.world.journal.after(mark) if "Microsoft.Web" in row["url"]]
    check_exchanges(rows)
    assert estate.MARKER not in json.dumps(rows, default=str)
    table.remove(id)


def linked(doors: Doors, plan: Plan, site: Resource, value: str | None = None) -> dict:
    """What is said of the app when its setting has this value."""
    if value is not None:
        site.properties[SETTING] = value
    sites = [site.id.partition("/config/")[0]]
    row = checks(doors, plan, sites=sites)["siteLinks"]
    assert estate.MARKER not in json.dumps(row)
    return row


def signed(location: str, host: str = "logic.azure.com:443") -> str:
    path = f"integrationAccounts/5f2c?sp=%2F%2F%2A&sv=1.0&sig={estate.MARKER}"
    return f"https://prod-03.{location}.{host}/{path}"


def test_a_standard_app_linked_to_the_other_account_is_named(
    doors: Doors, plan: Plan, site: Resource
) -> None:
    row = linked(doors, plan, site, signed(THERE))
    assert (row["status"], "logic-edi" in row["because"]) == ("fail", True)
    assert SETTING in row["fix"]


@pytest.mark.parametrize("value", [None, "", signed(HERE), signed(HERE, "logic.azure.com")])
def test_a_standard_app_may_have_its_own_locations_account_or_none(
    doors: Doors, plan: Plan, site: Resource, value: str | None
) -> None:
    assert linked(doors, plan, site, value)["status"] == "ok"


@pytest.mark.parametrize(
    "value",
    [
        f"@Microsoft.KeyVault(SecretUri=https://kv.vault.azure.net/secrets/{estate.MARKER})",
        f"https://[{estate.MARKER}",
        f"https://{HERE}.logic.azure.com@{estate.MARKER}.example.net/integrationAccounts/x",
        estate.MARKER,
    ],
)
def test_a_setting_that_names_no_place_is_a_warning(
    doors: Doors, plan: Plan, site: Resource, value: str
) -> None:
    row = linked(doors, plan, site, value)
    assert (row["status"], "logic-edi" in row["because"]) == ("warn", True)


def test_settings_that_are_not_shown_are_a_warning(
    doors: Doors, plan: Plan, site: Resource
) -> None:
    fault = {"match": {"path": "appsettings/list"}, "effect": {"status": 403}}
    doors.world.faults.add(fault)
    row = linked(doors, plan, site, signed(THERE))
    doors.whole()
    assert (row["status"], "logic-edi" in row["because"]) == ("warn", True)


def test_one_site_that_breaks_hides_nothing_of_the_account(
    doors: Doors, plan: Plan, site: Resource
) -> None:
    broken, seen = f"{estate.group(plan, HERE)}/providers/Microsoft.Web/sites/broken", site.id
    fault = {"match": {"path": "sites/broken"}, "effect": {"loseAnswer": True}}
    doors.world.faults.add(fault)
    sites = [broken, seen.partition("/config/")[0]]
    found = checks(doors, plan, sites=sites)
    site.properties[SETTING] = signed(THERE)
    wrong = checks(doors, plan, sites=sites)["siteLinks"]
    doors.whole()
    row = found["siteLinks"]
    assert (row["status"], "told: broken" in row["because"]) == ("warn", True)
    assert {"location", "tier", "artifacts"} <= set(found)
    assert (wrong["status"], "logic-edi" in wrong["because"]) == ("fail", True)


def test_a_plan_without_standard_apps_has_none_to_look_at(doors: Doors, plan: Plan) -> None:
    assert "siteLinks" not in checks(doors, plan)
    assert readiness.flow_sites(plan, HERE) == []


def test_readiness_names_the_standard_apps_of_the_location(plan: Plan) -> None:
    more = [
        {
            "name": name,
            "kind": "logicAppWorkflow",
            "trigger": "request",
            "role": "activeActive",
            "resource": "{resourceGroup}/providers/Microsoft.Web/sites/logic-edi-{short}",
            "workflow": name,
        }
        for name in ("edi-in", "edi-out")
    ]
    document = plan.document
    both = checked({**document, "components": [*document["components"], *more]})
    group = estate.group(plan, HERE)
    expected = f"{group}/providers/Microsoft.Web/sites/logic-edi-ne"
    assert readiness.flow_sites(both, HERE) == [expected]
