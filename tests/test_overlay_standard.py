"""A Standard workflow behind the gateway: its callback is read from its site's own host."""

import json
from collections.abc import Iterator
from copy import deepcopy

import pytest
import yaml

from rehearsal.runtimes import IdleWorkflows
from rehearsal.workflows import Workflows
from rehearsal.world import Resource
from shared import overlay, plan
from shared.plan import Plan
from tests.doors import HERE, THERE, Doors
from tests.test_flow_runs import FLOW, site
from tests.test_flow_runs import doors as doors
from tests.wire import check_exchanges

GATEWAY = "gateway"
LINK = {"workflow": FLOW, "trigger": "manual", "namedValue": "refunds-sig"}
BASE = "https://logic-contoso-ne.azurewebsites.net:443/api/refunds-intake/triggers"


def linked(doors: Doors, link: dict) -> Plan:
    """The plan with refunds behind its gateway by callback."""
    document = yaml.safe_load(doors.plan_text)
    part = next(one for one in document["components"] if one["name"] == GATEWAY)
    for place in (HERE, THERE):
        part["overlay"][place]["callbacks"] = {"refunds": link}
    return plan.load(json.dumps(document))


@pytest.fixture
def refunds(doors: Doors) -> Iterator[Plan]:
    """Refunds behind the gateway by callback; afterwards the world is as it was."""
    runtime = Workflows(doors.world)
    doors.world.workflows = runtime
    base = doors.plan.component(GATEWAY, HERE)["resource"]
    before = {row.id: deepcopy(row.body) for row in doors.world.resources}
    yield linked(doors, LINK)
    for row in list(doors.world.resources):
        if row.id.startswith(f"{base}/") and row.id not in before:
            doors.world.resources.remove(row.id)
        elif row.id.startswith(f"{base}/"):
            doors.world.resources.place(row.id, before[row.id])
    site(doors, HERE).properties["state"] = "Running"
    doors.whole()
    doors.wire.run(runtime.stop())
    doors.world.workflows = IdleWorkflows()


def promoted(doors: Doors, known: Plan) -> dict:
    task = {**doors.task(GATEWAY, "promote"), "component": known.component(GATEWAY, HERE)}
    return doors.call("promote_gateway", task)


def item(doors: Doors, path: str) -> Resource:
    found = doors.world.resources.get(f"{doors.plan.component(GATEWAY, HERE)['resource']}/{path}")
    assert found is not None, f"no {path}"
    return found


def test_a_stopped_site_is_named_with_what_to_do(doors: Doors, refunds: Plan) -> None:
    site(doors, HERE).properties["state"] = "Stopped"
    outcome = promoted(doors, refunds)
    assert outcome["status"] == "refused" and "see that its site runs" in outcome["because"]


def test_a_trigger_that_its_host_does_not_have_is_named(doors: Doors, refunds: Plan) -> None:
    because = promoted(doors, linked(doors, {**LINK, "trigger": "none"}))["because"]
    assert because == f"no trigger none of {FLOW} in {HERE}: deploy it"


def test_a_callback_nobody_may_read_names_the_role(doors: Doors, refunds: Plan) -> None:
    fault = {"match": {"method": "POST", "path": "listCallbackUrl"}, "effect": {"status": 403}}
    doors.world.faults.add(fault)
    assert "Logic Apps Standard Operator" in promoted(doors, refunds)["because"]


def test_the_site_s_base_goes_into_the_backend_and_the_signature_into_a_secret(
    doors: Doors, refunds: Plan
) -> None:
    outcome, named = promoted(doors, refunds), item(doors, "namedValues/refunds-sig")
    assert outcome["status"] == "running" and item(doors, "backends/refunds")
    assert item(doors, "backends/refunds").properties["url"] == BASE
    sig = named.properties["value"]
    assert named.properties["secret"] is True and len(sig) == 64
    assert sig not in json.dumps([outcome, refunds.component(GATEWAY, HERE)])


def test_it_is_laid_once_and_is_no_stranger(doors: Doors, refunds: Plan) -> None:
    promoted(doors, refunds)
    assert promoted(doors, refunds)["status"] == "skipped"
    rows = [{"name": "refunds", "properties": {"url": BASE}}]
    assert overlay.foreign(refunds.component(GATEWAY, HERE), HERE, rows) == []
    assert len(overlay.foreign(refunds.component(GATEWAY, THERE), THERE, rows)) == 1


def test_each_location_has_its_own_site(doors: Doors, refunds: Plan) -> None:
    links = overlay.callbacks(refunds.component(GATEWAY, HERE), THERE)
    assert "/sites/logic-contoso-we/hostruntime/" in links["refunds"]["resource"]


@pytest.mark.parametrize(("up_to", "tail"), [("triggers", ""), ("invoke", "/manual/invoke")])
def test_how_much_of_its_url_is_taken(up_to: str, tail: str) -> None:
    answer = {"basePath": f"{BASE}/manual/invoke", "queries": {"sig": "s"}}
    assert overlay.link_of(answer, up_to) == {"url": f"{BASE}{tail}", "sig": "s"}


def test_every_exchange_is_as_published(doors: Doors, refunds: Plan) -> None:
    mark = doors.mark()
    promoted(doors, refunds)
    check_exchanges(doors.world.journal.after(mark))
    assert any(
        url.partition("?")[0].endswith("listCallbackUrl") for url in doors.sent(mark, "POST")
    )
