"""Roles at namespaces: what only the primary knows is named, for no pairing carries it over."""

from collections.abc import Iterator

import pytest

from tests.aliases import KINDS, SORTS, both_kinds, checks, emptied, namespace, paired
from tests.doors import HERE, THERE, Doors

SENDER = "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39"
GROUP = "11111111-1111-4111-8111-111111111111"  # The same one in every location.
HOME = "22222222-2222-4222-8222-222222222222"  # An identity of the location that is active.
AWAY = "33333333-3333-4333-8333-333333333333"  # An identity of the standby.


@pytest.fixture(autouse=True)
def clean(doors: Doors) -> Iterator[None]:
    """Every test begins without namespaces of its own, and its exchanges are judged."""
    with emptied(doors):
        yield


def assigned(doors: Doors, scope: str, who: str, sort: str = "Group", role: str = SENDER) -> None:
    """Somebody has a role at a scope."""
    made = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{who}"
    role_id = f"{doors.wire.subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}"
    told = {"principalId": who, "principalType": sort, "roleDefinitionId": role_id}
    doors.world.resources.place(made, {"properties": told})


def first(doors: Doors, kind: str, location: str) -> str:
    """The first entity in a namespace."""
    return f"{namespace(doors, kind, location)}/{SORTS[kind][1]}/e0"


@both_kinds
def test_a_role_that_only_the_primary_knows_is_named(doors: Doors, kind: str) -> None:
    paired(doors, kind)
    assigned(doors, namespace(doors, kind, THERE), GROUP)
    seen = checks(doors, kind)["access"]
    assert seen["status"] == "warn" and seen["fix"]
    assert f"Azure Service Bus Data Sender of Group {GROUP}" in seen["because"]


@both_kinds
def test_a_role_at_an_entity_is_named_with_it(doors: Doors, kind: str) -> None:
    paired(doors, kind)
    assigned(doors, first(doors, kind, THERE), GROUP, role="0" * 8)
    seen = checks(doors, kind)["access"]
    told = f"00000000 of Group {GROUP} at {SORTS[kind][1]}/e0"
    assert (seen["status"], told in seen["because"]) == ("warn", True)


@both_kinds
@pytest.mark.parametrize("up", [0, 2, 6])
def test_a_role_that_is_held_above_counts(doors: Doors, kind: str, up: int) -> None:
    """At the entity, at the namespace, at its resource group."""
    paired(doors, kind)
    assigned(doors, first(doors, kind, THERE), GROUP)
    scope = first(doors, kind, HERE).rsplit("/", up)[0]
    assigned(doors, scope, GROUP)
    seen = checks(doors, kind)["access"]
    doors.world.resources.remove(
        f"{scope}/providers/Microsoft.Authorization/roleAssignments/{GROUP}"
    )
    assert (seen["status"], "1 role assignments" in seen["because"]) == ("ok", True)


@both_kinds
def test_a_role_at_another_entity_does_not_count(doors: Doors, kind: str) -> None:
    paired(doors, kind, entities=2)
    assigned(doors, first(doors, kind, THERE), GROUP)
    assigned(doors, first(doors, kind, HERE)[:-1] + "1", GROUP)
    assert checks(doors, kind)["access"]["status"] == "warn"


@both_kinds
def test_a_role_above_the_primary_is_not_asked_of_the_secondary(doors: Doors, kind: str) -> None:
    paired(doors, kind)
    group = namespace(doors, kind, THERE).rsplit("/", 4)[0]
    assigned(doors, group, GROUP)
    seen = checks(doors, kind)["access"]
    doors.world.resources.remove(
        f"{group}/providers/Microsoft.Authorization/roleAssignments/{GROUP}"
    )
    assert (seen["status"], "0 role assignments" in seen["because"]) == ("ok", True)


@pytest.mark.parametrize("sort, status", [("ServicePrincipal", "ok"), ("User", "warn")])
def test_only_an_identity_may_have_another_in_its_place(
    doors: Doors, sort: str, status: str
) -> None:
    paired(doors, KINDS[0])
    assigned(doors, namespace(doors, KINDS[0], THERE), HOME, sort)
    assigned(doors, namespace(doors, KINDS[0], HERE), AWAY, sort)
    seen = checks(doors, KINDS[0])["access"]
    told = "1 held by another identity here" in seen["because"]
    assert (seen["status"], told) == (status, sort == "ServicePrincipal")


def test_one_identity_stands_for_one_other_only(doors: Doors) -> None:
    paired(doors, KINDS[0])
    for who in (HOME, GROUP):
        assigned(doors, namespace(doors, KINDS[0], THERE), who, "ServicePrincipal")
    assigned(doors, namespace(doors, KINDS[0], HERE), AWAY, "ServicePrincipal")
    seen = checks(doors, KINDS[0])["access"]
    assert seen["status"] == "warn"
    assert sum(who in seen["because"] for who in (HOME, GROUP)) == 1
