"""What no backup of a gateway carries: declared, looked for where it shows, else named."""

import json

import pytest

from activities import readiness_gateway
from rehearsal.world import Resource
from shared import not_in_backup, plan
from shared.plan import BadPlan, Plan
from tests.doors import HERE, Doors

GATEWAY = "gateway"
CIPHERS = {"Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Protocols.Tls11": "False"}
ALL = [{"what": what, "by": "templates/gateway.json"} for what in not_in_backup.KINDS]


def declaring(doors: Doors, rows: list[dict]) -> Plan:
    """The plan whose gateway says so."""
    document = json.loads(json.dumps(doors.plan.document))
    part = next(one for one in document["components"] if one["name"] == GATEWAY)
    part["notInBackup"] = rows
    return plan.checked(document)


def expecting(what: str, expect: object) -> list[dict]:
    """All eight declared, one of them with what ARM must show here."""
    rows = [one for one in ALL if one["what"] != what]
    return [*rows, {"what": what, "by": "templates/gateway.json", "expect": {HERE: expect}}]


def look(doors: Doors, known: Plan) -> list[dict]:
    return readiness_gateway.not_in_backup(known, GATEWAY, HERE)


def service(doors: Doors) -> Resource:
    found = doors.world.resources.get(doors.plan.component(GATEWAY, HERE)["resource"])
    assert found is not None
    return found


def test_what_is_declared_twice_is_refused(doors: Doors) -> None:
    with pytest.raises(BadPlan, match="declared twice"):
        declaring(doors, [ALL[0], ALL[0]])


def test_a_component_that_is_not_there_is_refused(doors: Doors) -> None:
    with pytest.raises(BadPlan, match="there is no component logs"):
        declaring(doors, [{**ALL[5], "component": "logs"}])


def test_what_arm_never_shows_cannot_be_expected(doors: Doors) -> None:
    with pytest.raises(BadPlan, match="does not show its content of the developer portal"):
        declaring(doors, expecting("developerPortal", {}))


def test_what_the_plan_says_nothing_of_is_named(doors: Doors) -> None:
    (row,) = look(doors, declaring(doors, ALL[1:]))
    assert row["status"] == "warn" and "carries analytics," in row["because"]


def test_what_the_standby_s_gateway_lacks_is_named(doors: Doors) -> None:
    (row,) = look(doors, declaring(doors, expecting("protocolsAndCiphers", CIPHERS)))
    assert row["status"] == "fail"
    assert row["because"].startswith("protocols and ciphers (properties.customProperties)")


def test_a_gateway_with_all_that_is_declared_passes(doors: Doors) -> None:
    own = service(doors)
    own.properties["customProperties"] = {**CIPHERS, "Other": "True"}
    (row,) = look(doors, declaring(doors, expecting("protocolsAndCiphers", CIPHERS)))
    own.properties.pop("customProperties")
    assert row["status"] == "ok"


def test_host_names_are_looked_for_among_others(doors: Doors) -> None:
    hosts = [{"hostName": "CONTOSO.trafficmanager.net", "type": "Proxy"}]
    (row,) = look(doors, declaring(doors, expecting("customDomainCertificates", hosts)))
    assert row["status"] == "ok"
    (row,) = look(
        doors, declaring(doors, expecting("customDomainCertificates", [{"hostName": "x"}]))
    )
    assert row["status"] == "fail"
