"""Readiness of integration accounts: could this location's take over?"""

from collections.abc import Iterator

import pytest

from activities import readiness
from rehearsal.world import Resource
from shared.plan import Plan
from tests import b2b_estate as estate
from tests.b2b_doors import X12, checks, mirror
from tests.b2b_doors import plan as plan
from tests.doors import HERE, THERE, Doors

OTHERS = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg-contoso-global"


def test_a_good_standby_passes_every_check(doors: Doors, plan: Plan) -> None:
    mirror(doors, plan)
    found = checks(doors, plan)
    assert {one["status"] for one in found.values()} == {"ok"}, found


def test_an_empty_standby_is_named(doors: Doors, plan: Plan) -> None:
    found = checks(doors, plan)
    assert found["artifacts"]["status"] == "fail"


def test_an_account_of_another_location_is_named(doors: Doors, plan: Plan) -> None:
    found = doors.world.resources.get(estate.account_id(plan, HERE))
    assert found is not None
    found.body["location"] = "westeurope"
    assert checks(doors, plan)["location"]["status"] == "fail"


def test_a_logic_app_linked_to_the_other_account_is_named(doors: Doors, plan: Plan) -> None:
    flow = doors.world.resources.get(plan.component("orders-intake", HERE)["resource"])
    assert flow is not None
    flow.properties["integrationAccount"] = {"id": estate.account_id(plan, THERE)}
    found = checks(doors, plan)["links"]
    flow.properties.pop("integrationAccount")
    assert found["status"] == "fail" and "orders-intake" in found["because"]


@pytest.fixture
def stranger(doors: Doors, plan: Plan) -> Iterator[Resource]:
    """A logic app of this location in another resource group, linked to home's account."""
    made = doors.world.resources.place(
        f"{OTHERS}/providers/Microsoft.Logic/workflows/edi-intake",
        {
            "location": HERE,
            "properties": {
                "state": "Disabled",
                "definition": {},
                "integrationAccount": {"id": estate.account_id(plan, THERE)},
            },
        },
    )
    yield made
    doors.world.resources.remove(made.id)


def test_a_link_across_is_named_in_every_group_of_the_plan_s_workflows(
    doors: Doors, plan: Plan, stranger: Resource
) -> None:
    assert checks(doors, plan)["links"]["status"] == "ok"
    found = checks(doors, plan, groups=[OTHERS])["links"]
    assert found["status"] == "fail" and "edi-intake" in found["because"]


def test_a_logic_app_of_the_other_location_may_use_the_other_account(
    doors: Doors, plan: Plan, stranger: Resource
) -> None:
    stranger.body["location"] = THERE
    assert checks(doors, plan, groups=[OTHERS])["links"]["status"] == "ok"


def test_a_group_whose_logic_apps_are_not_shown_is_named(doors: Doors, plan: Plan) -> None:
    gone = OTHERS.replace("global", "gone")
    found = checks(doors, plan, groups=[gone])["links"]
    assert found["status"] == "warn" and "rg-contoso-gone" in found["because"]


def test_readiness_names_the_groups_of_the_location_s_workflows(doors: Doors, plan: Plan) -> None:
    groups = readiness.flow_groups(plan, HERE)
    assert groups == [plan.component("orders-intake", HERE)["resource"].partition("/prov")[0]]


def test_another_tier_is_named(doors: Doors, plan: Plan) -> None:
    found = doors.world.resources.get(estate.account_id(plan, HERE))
    assert found is not None
    found.body["sku"] = {"name": "Basic"}
    assert checks(doors, plan)["tier"]["status"] == "fail"


def test_a_key_that_the_own_vault_lacks_is_named(doors: Doors, plan: Plan) -> None:
    mirror(doors, plan)
    doors.world.resources.remove(f"{estate.vault_id(plan, HERE)}/keys/signing")
    found = checks(doors, plan)["keys"]
    assert found["status"] == "fail" and "signing" in found["because"]


def test_numbers_beyond_the_bump_are_named(doors: Doors, plan: Plan) -> None:
    mirror(doors, plan)
    session = estate.of(doors.world, plan, THERE, f"sessions/{X12}")
    session.properties["content"] = estate.number("000002001")
    found = checks(doors, plan)["numbers"]
    assert found["status"] == "fail" and X12 in found["because"]


def test_a_silent_active_side_is_a_warning(doors: Doors, plan: Plan) -> None:
    mirror(doors, plan)
    doors.world.lose(THERE)
    assert checks(doors, plan)["artifacts"]["status"] == "warn"
