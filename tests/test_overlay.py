"""What a gateway gets of its own: callbacks read anew, pools, no backend that leads elsewhere."""

import json
from collections.abc import Iterator
from copy import deepcopy

import pytest

from rehearsal.world import Resource
from shared import dryrun, overlay, plan
from shared.plan import BadPlan, Plan
from tests.doors import HERE, THERE, Doors
from tests.wire import check_exchanges

GATEWAY = "gateway"
LINK = {"workflow": "orders-intake", "namedValue": "orders-sig"}
POOL = [{"backend": "stock-own", "priority": 1}, {"backend": "stock-other", "priority": 2}]


def with_overlay(known: Plan, **more: object) -> Plan:
    """The plan whose gateway in `HERE` has more in its overlay; a backend given twice gives way."""
    document = json.loads(json.dumps(known.document))
    part = next(one for one in document["components"] if one["name"] == GATEWAY)
    for place in (HERE, THERE):
        part["overlay"][place]["backends"].pop("orders", None)
    part["overlay"][HERE] |= more
    return plan.checked(document)


@pytest.fixture
def linked(doors: Doors) -> Iterator[Plan]:
    """Orders behind the gateway by callback; afterwards the gateway is as it was."""
    base = doors.plan.component(GATEWAY, HERE)["resource"]
    before = {row.id: deepcopy(row.body) for row in doors.world.resources}
    yield with_overlay(doors.plan, callbacks={"orders": LINK})
    for row in list(doors.world.resources):
        if row.id.startswith(f"{base}/") and row.id not in before:
            doors.world.resources.remove(row.id)
        elif row.id.startswith(f"{base}/"):
            doors.world.resources.place(row.id, before[row.id])


def task(doors: Doors, known: Plan, verb: str = "promote") -> dict:
    return {**doors.task(GATEWAY, verb), "component": known.component(GATEWAY, HERE)}


def item(doors: Doors, path: str) -> Resource:
    found = doors.world.resources.get(f"{doors.plan.component(GATEWAY, HERE)['resource']}/{path}")
    assert found is not None, f"no {path}"
    return found


def place(doors: Doors, name: str, url: str) -> None:
    base = doors.plan.component(GATEWAY, HERE)["resource"]
    body = {"properties": {"protocol": "http", "url": url}}
    doors.world.resources.place(f"{base}/backends/{name}", body)


def stock(doors: Doors) -> None:
    """A backend of each location."""
    place(doors, "stock-own", "https://stock.northeurope.logic.azure.com/x")
    place(doors, "stock-other", "https://stock.westeurope.logic.azure.com/x")


def test_a_callback_to_no_workflow_of_the_plan_is_refused(doors: Doors) -> None:
    with pytest.raises(BadPlan, match="there is no logicWorkflow or logicAppWorkflow nowhere"):
        with_overlay(doors.plan, callbacks={"orders": {**LINK, "workflow": "nowhere"}})


def test_a_backend_with_two_addresses_is_refused(doors: Doors) -> None:
    with pytest.raises(BadPlan, match="a value of its own too"):
        with_overlay(doors.plan, callbacks={"payments": LINK})


def test_a_trigger_that_is_not_there_is_refused_with_what_to_do(doors: Doors, linked: Plan) -> None:
    known = with_overlay(doors.plan, callbacks={"orders": {**LINK, "trigger": "none"}})
    outcome = doors.call("promote_gateway", task(doors, known))
    assert outcome["status"] == "refused" and "deploy it" in outcome["because"]


def test_a_callback_nobody_may_read_names_the_role(doors: Doors, linked: Plan) -> None:
    fault = {"match": {"method": "POST", "path": "listCallbackUrl"}, "effect": {"status": 403}}
    doors.world.faults.add(fault)
    assert "Logic App Operator" in doors.call("promote_gateway", task(doors, linked))["because"]


def test_the_base_goes_into_the_backend_and_the_signature_into_a_secret(
    doors: Doors, linked: Plan
) -> None:
    assert doors.call("promote_gateway", task(doors, linked))["status"] == "running"
    flow, named = "workflows/orders-intake/triggers", item(doors, "namedValues/orders-sig")
    assert item(doors, "backends/orders").properties["url"].endswith(flow)
    assert named.properties["secret"] is True and len(named.properties["value"]) == 64


def test_callbacks_are_laid_once(doors: Doors, linked: Plan) -> None:
    doors.call("promote_gateway", task(doors, linked))
    mark = doors.mark()
    assert doors.call("promote_gateway", task(doors, linked))["status"] == "skipped"
    assert doors.sent(mark, "PUT") == []


def test_a_workflow_that_was_made_anew_is_followed(doors: Doors, linked: Plan) -> None:
    doors.call("promote_gateway", task(doors, linked))
    item(doors, "namedValues/orders-sig").properties["value"] = "of the workflow before"
    seen = doors.call("observe_gateway", task(doors, linked))
    assert seen["differences"] == ["namedValues/orders-sig"]


def test_no_signature_is_ever_said(doors: Doors, linked: Plan) -> None:
    mark = doors.mark()
    told = [doors.call("observe_gateway", task(doors, linked))]
    told.append(doors.call("promote_gateway", task(doors, linked)))
    told.append(doors.call("verify_gateway", task(doors, linked)))
    sig = item(doors, "namedValues/orders-sig").properties["value"]
    told.append(task(doors, linked))
    told += [{"journal": doors.world.journal.after(mark)}]
    assert sig not in json.dumps(told, default=str)


def test_a_dry_run_shows_where_a_callback_goes_and_no_value(doors: Doors, linked: Plan) -> None:
    act = {"verb": "promote", "stage": "promote", "component": GATEWAY, "location": HERE}
    seen = doors.call("observe_gateway", task(doors, linked))
    row = dryrun.difference(act, linked.component(GATEWAY, HERE), seen)
    bodies = {c["url"].partition("?")[0].rpartition("/")[2]: c["body"] for c in row["calls"]}
    assert bodies["orders"]["properties"] == {"url": overlay.READ}
    assert bodies["orders-sig"]["properties"] == {"value": overlay.SECRET, "secret": True}


def test_callbacks_are_no_difference_between_gateways(doors: Doors, linked: Plan) -> None:
    owned = overlay.owned(linked.component(GATEWAY, HERE))
    assert "orders" in owned["backends"] and "orders-sig" in owned["namedValues"]


def test_a_pool_gets_its_weights_and_priorities(doors: Doors, linked: Plan) -> None:
    stock(doors)
    known = with_overlay(doors.plan, pools={"stock": POOL})
    doors.call("promote_gateway", task(doors, known))
    services = item(doors, "backends/stock").properties["pool"]["services"]
    assert [row["priority"] for row in services] == [1, 2]
    assert doors.call("observe_gateway", task(doors, known))["serving"] is True
    services[0]["priority"] = 3
    assert doors.call("observe_gateway", task(doors, known))["differences"] == ["backends/stock"]


def test_a_backend_in_the_lost_region_is_named(doors: Doors, linked: Plan) -> None:
    stock(doors)
    doors.call("promote_gateway", task(doors, linked))
    outcome = doors.call("verify_gateway", task(doors, linked, "verify"))
    assert outcome["status"] == "refused" and "backend stock-other" in outcome["because"]


def test_a_pool_s_reserve_may_lie_in_the_other_region(doors: Doors, linked: Plan) -> None:
    stock(doors)
    known = with_overlay(doors.plan, pools={"stock": POOL})
    doors.call("promote_gateway", task(doors, known))
    assert doors.call("verify_gateway", task(doors, known, "verify"))["status"] == "succeeded"


def test_a_pool_that_shares_with_the_lost_region_is_named(doors: Doors, linked: Plan) -> None:
    stock(doors)
    known = with_overlay(doors.plan, pools={"stock": [{**one, "priority": 1} for one in POOL]})
    doors.call("promote_gateway", task(doors, known))
    outcome = doors.call("verify_gateway", task(doors, known, "verify"))
    assert "backend stock-other" in outcome["because"]


def test_a_host_says_its_region() -> None:
    assert overlay.lies_in("https://prod-01.westeurope.logic.azure.com/x", "westeurope")
    assert overlay.lies_in("https://app-a1b2.westeurope-01.azurewebsites.net", "westeurope")
    assert not overlay.lies_in("https://westeurope-partner.example.net", "westeurope2")


SITE = "{resourceGroup}/providers/Microsoft.Web/sites/"
STOCK = "sql-{}.database.windows.net"
KNOWN = (
    {"name": "pricing", "kind": "functionApp", "resource": f"{SITE}func-pricing-{{short}}"},
    {
        "name": "refunds",
        "kind": "logicAppWorkflow",
        "trigger": "request",
        "resource": f"{SITE}logic-contoso-{{short}}",
        "workflow": "refunds",
    },
    {
        "name": "stock-link",
        "kind": "apiConnection",
        "resource": "{resourceGroup}/providers/Microsoft.Web/connections/stock-{short}",
        "api": "sql",
        "endpoint": "replica",
        "hosts": {THERE: STOCK.format("we"), HERE: STOCK.format("ne")},
    },
)


def with_known(known: Plan) -> dict:
    """The gateway in `HERE` of a plan that knows more hosts."""
    document = json.loads(json.dumps(known.document))
    document["components"] += KNOWN
    return plan.checked(document).component(GATEWAY, HERE)


def backend(url: str) -> list[dict]:
    return [{"name": "stray", "properties": {"url": url}}]


THEIRS = (
    "https://func-pricing-we.azurewebsites.net/api",
    "https://FUNC-pricing-we.azurewebsites.net:443/api",
    "https://logic-contoso-we.azurewebsites.net/api/refunds",
    "https://apim-contoso-we.azure-api.net/orders",
    f"https://{STOCK.format('we')}",
    "https://func-contoso-we.azurewebsites.net",
    "https://prod-we.westeurope.logic.azure.com/elsewhere",
)


@pytest.mark.parametrize("url", THEIRS)
def test_a_host_that_the_plan_knows_over_there_is_named(doors: Doors, url: str) -> None:
    part = with_known(doors.plan)
    assert overlay.foreign(part, HERE, backend(url)) == [
        "backend stray still points at the other location"
    ]
    assert overlay.foreign(part, THERE, backend(url)) == []


@pytest.mark.parametrize("url", [url.replace("-we.", "-ne.") for url in THEIRS[:6]])
def test_a_host_of_this_location_s_own_leads_nobody_away(doors: Doors, url: str) -> None:
    assert overlay.foreign(with_known(doors.plan), HERE, backend(url)) == []


def test_a_host_that_both_locations_use_is_nobody_s(doors: Doors) -> None:
    part = with_known(doors.plan)
    part["hosts"] = {
        place: [*known, "shared.example.net"] for place, known in part["hosts"].items()
    }
    assert overlay.foreign(part, HERE, backend("https://shared.example.net/x")) == []
    assert overlay.foreign(part, HERE, backend("https://partner.example.net/x")) == []


def test_another_path_on_a_host_of_the_other_overlay_is_named(doors: Doors, linked: Plan) -> None:
    known = with_overlay(doors.plan)
    part = known.component(GATEWAY, HERE)
    part["overlay"][THERE]["backends"]["erp"] = {"url": "https://erp-we.contoso.net/orders"}
    found = overlay.foreign(part, HERE, backend("https://erp-we.contoso.net/stock"))
    assert len(found) == 1


def test_a_backend_at_a_site_in_the_lost_region_is_refused(doors: Doors, linked: Plan) -> None:
    place(doors, "own-app", "https://func-contoso-we.azurewebsites.net/api")
    doors.call("promote_gateway", task(doors, linked))
    outcome = doors.call("verify_gateway", task(doors, linked, "verify"))
    assert outcome["status"] == "refused" and "backend own-app" in outcome["because"]


def test_every_exchange_is_as_published(doors: Doors, linked: Plan) -> None:
    stock(doors)
    known = with_overlay(doors.plan, callbacks={"orders": LINK}, pools={"stock": POOL})
    mark = doors.mark()
    doors.call("promote_gateway", task(doors, known))
    doors.call("verify_gateway", task(doors, known, "verify"))
    check_exchanges(doors.world.journal.after(mark))
