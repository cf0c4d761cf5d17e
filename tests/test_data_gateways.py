"""Data gateways at the wire: each deliberate fault is found by its name."""

from collections.abc import Iterator

import pytest

from tests.doors import HERE, THERE, Doors
from tests.parts import both, laid, own, statuses

MEMBERS = {HERE: ["opgw-ne-1", "opgw-ne-2"], THERE: ["opgw-we-1", "opgw-we-2"]}


def gateway_of(doors: Doors, location: str) -> str:
    return own(doors, location, "Microsoft.Web/connectionGateways/home")


def body(location: str, at: str = "", **changes: object) -> dict:
    root = f"/subscriptions/x/providers/Microsoft.Web/locations/{location}"
    properties = {
        "status": "Installed",
        "machineName": MEMBERS[location][0].upper(),
        "connectionGatewayInstallation": {
            "id": f"{root}/connectionGatewayInstallations/{location}"
        },
        **changes,
    }
    return {"location": at or location, "properties": properties}


def place(doors: Doors, location: str, at: str = "", **changes: object) -> None:
    doors.world.resources.place(gateway_of(doors, location), body(location, at, **changes))


@pytest.fixture
def gateways(doors: Doors) -> Iterator[Doors]:
    """A gateway in both locations, each with an installation of its own."""
    with laid(doors, {gateway_of(doors, at): body(at) for at in (HERE, THERE)}):
        yield doors


def payload(doors: Doors, **more: object) -> dict:
    part = {
        "name": "home",
        "kind": "dataGateway",
        "resource": gateway_of(doors, HERE),
        "members": MEMBERS,
        **more,
    }
    return both(part, gateway_of(doors, THERE))


def check(doors: Doors, **more: object) -> dict[str, str]:
    return statuses(doors.call("check_data_gateway", payload(doors, **more)))


def test_a_missing_gateway_says_what_to_do(gateways: Doors) -> None:
    gateways.world.resources.remove(gateway_of(gateways, HERE))
    outcome = gateways.call("check_data_gateway", payload(gateways))
    assert outcome["because"] == "no data gateway home: deploy it there"


def test_a_gateway_that_is_gone_is_refused_at_verification(gateways: Doors) -> None:
    place(gateways, HERE, status="NotInstalled")
    outcome = gateways.call("observe_data_gateway", {**payload(gateways), "verb": "verify"})
    assert (outcome["status"], outcome["because"]) == ("refused", "home is NotInstalled")
    assert check(gateways)["gateway"] == "fail"


def test_a_gateway_in_the_other_region_is_found(gateways: Doors) -> None:
    place(gateways, HERE, at=THERE)
    assert check(gateways)["region"] == "fail"


def test_an_installation_in_the_other_region_is_found(gateways: Doors) -> None:
    root = f"/subscriptions/x/providers/Microsoft.Web/locations/{THERE}"
    id = f"{root}/connectionGatewayInstallations/i"
    place(gateways, HERE, connectionGatewayInstallation={"id": id})
    assert check(gateways)["region"] == "fail"


def test_a_cluster_of_one_machine_is_found(gateways: Doors) -> None:
    assert check(gateways, members={**MEMBERS, HERE: ["opgw-ne-1"]})["members"] == "fail"


def test_a_machine_that_the_plan_does_not_know_is_a_warning(gateways: Doors) -> None:
    place(gateways, HERE, machineName="stranger")
    assert check(gateways)["members"] == "warn"


def test_one_installation_for_both_locations_is_found(gateways: Doors) -> None:
    root = f"/subscriptions/x/providers/Microsoft.Web/locations/{HERE}"
    id = {"id": f"{root}/connectionGatewayInstallations/{THERE}"}
    place(gateways, HERE, connectionGatewayInstallation=id)
    assert check(gateways)["apart"] == "fail"


def test_without_the_active_side_nothing_is_compared(gateways: Doors) -> None:
    gateways.world.resources.remove(gateway_of(gateways, THERE))
    assert check(gateways)["apart"] == "warn"


def test_all_is_well(gateways: Doors) -> None:
    assert check(gateways) == dict.fromkeys(("gateway", "region", "members", "apart"), "ok")
    assert gateways.call("observe_data_gateway", payload(gateways))["serving"] is True
