"""Plans with aliases, storage accounts and databases."""

import json
from pathlib import Path

import pytest
import yaml

from shared.plan import BadPlan, load

PLAN = Path(__file__).resolve().parents[1] / "plans" / "everything.yaml"
PLACES = ("westeurope", "northeurope")


def document() -> dict:
    return yaml.safe_load(PLAN.read_text(encoding="utf-8"))


def problems(name: str, **changes: object) -> str:
    """What is wrong with the plan once a component has changed; None takes a key away."""
    data = document()
    part = next(part for part in data["components"] if part["name"] == name)
    for key, value in changes.items():
        part.pop(key, None)
        if value is not None:
            part[key] = value
    with pytest.raises(BadPlan) as bad:
        load(json.dumps(data))
    return "; ".join(bad.value.problems)


@pytest.mark.parametrize("name", ["core-bus", "clicks"])
def test_a_pairing_without_an_alias_is_refused(name: str):
    assert "a pairing needs the name of its alias" in problems(name, alias=None)


def test_a_replicated_namespace_with_an_alias_is_refused():
    assert "has no alias" in problems("live-bus", alias="contoso-live")


def test_a_pairing_of_one_namespace_with_itself_is_refused():
    one = document()["components"]
    live = next(part for part in one if part["name"] == "live-bus")["resource"] + "2"
    assert "is the same in westeurope and northeurope" in problems("core-bus", resource=live)


@pytest.mark.parametrize("failover", ["none", None])
def test_an_account_that_stays_needs_a_container_to_be_read_in(failover: str | None):
    assert "needs a container" in problems("documents", failover=failover)


@pytest.mark.parametrize(
    "name, key, value",
    [
        ("core-bus", "leftovers", "move"),
        ("core-bus", "mode", "copy"),
        ("core-bus", "alias", "no spaces"),
        ("documents", "failover", "byAzure"),
        ("documents", "container", "Upper"),
        ("documents", "syncSecondsMax", 1),
        ("ledger-db", "group", "UPPER"),
        ("ledger-db", "group", None),
        ("catalogue", "database", "orders"),
    ],
)
def test_an_option_out_of_bounds_is_refused(name: str, key: str, value: object):
    assert key in problems(name, **{key: value})


@pytest.mark.parametrize("name", ["core-bus", "clicks", "documents", "ledger-db", "catalogue"])
def test_a_resource_of_another_kind_is_refused(name: str):
    id = "{resourceGroup}/providers/Microsoft.Logic/workflows/x-{short}"
    assert "is no id of a" in problems(name, resource=id)


@pytest.mark.parametrize("name", ["live-bus", "documents", "catalogue"])
def test_what_serves_both_locations_is_one_resource(name: str):
    plan = load(PLAN.read_text(encoding="utf-8"))
    assert len({plan.component(name, place)["resource"] for place in PLACES}) == 1


def test_nothing_of_these_kinds_is_fenced():
    plan = load(PLAN.read_text(encoding="utf-8"))
    assert not {"core-bus", "live-bus", "documents", "ledger-db"} & set(plan.exclusive())
