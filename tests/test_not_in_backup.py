"""What no backup of a gateway carries: declared, looked for where it shows, else named."""

import copy
import json
import time
from collections.abc import Iterator

import pytest

from activities import readiness_gateway
from rehearsal.world import Resource
from shared import not_in_backup, plan
from shared.outcome import running
from shared.plan import BadPlan, Plan
from tests.doors import HERE, THERE, Doors
from tests.wire import check_exchanges

GATEWAY = "gateway"
POLLS_MAX = 100
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


USERS = {"/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/x/reader": {}}
VAULTED = {
    "hostName": "api.contoso.example",
    "type": "Proxy",
    "keyVaultId": "https://kv-contoso-ne.vault.azure.net/secrets/api",
}


def applying(what: str, expect: object) -> list[dict]:
    """One declaration that is to be written after each restore."""
    return [{"what": what, "by": "us", "apply": True, "expect": {HERE: expect}}]


def asked(doors: Doors, rows: list[dict]) -> dict:
    """The order of a restore here."""
    part = doors.plan.component(GATEWAY, HERE) | {"notInBackup": rows}
    told = doors.task(GATEWAY, "promote") | {"component": part, "run": "restore-1"}
    doors.hold(epoch=0, active=THERE, run=None)
    return {**told, "stage": "restore", "epoch": None}


def provide(doors: Doors, rows: list[dict]) -> dict:
    """What the order comes to, asked until it has settled."""
    return settled(doors, doors.call("provide_gateway", asked(doors, rows)))


def settled(doors: Doors, outcome: dict) -> dict:
    for _ in range(POLLS_MAX):
        if outcome["status"] != "running":
            break
        time.sleep(0.05)
        outcome = doors.call("ask_operation", {"operation": outcome["operation"]})
    return outcome


@pytest.fixture
def own(doors: Doors) -> Iterator[Resource]:
    """The standby's gateway, afterwards as it was."""
    found = service(doors)
    before = copy.deepcopy(found.body)
    yield found
    found.body.clear()
    found.body.update(before)


@pytest.mark.parametrize(
    "rows, words",
    [
        ([{"what": "developerPortal", "by": "x", "apply": True}], "the portal's own pipeline"),
        ([{"what": "protocolsAndCiphers", "by": "x", "apply": True}], "say in expect what"),
        ([{"what": "diagnostics", "by": "x", "apply": True}], "of kind diagnosticSetting"),
        (applying("customDomainCertificates", [{"hostName": "a"}]), "and keyVaultId"),
        (applying("protocolsAndCiphers", {"a": True}), "an object of texts"),
        (applying("managedIdentity", {"type": "UserAssigned"}), "given by hand, once"),
        (
            applying(
                "managedIdentity", {"type": "SystemAssigned", "userAssignedIdentities": USERS}
            ),
            "given by hand, once",
        ),
    ],
)
def test_what_arm_does_not_take_cannot_be_applied(
    doors: Doors, rows: list[dict], words: str
) -> None:
    with pytest.raises(BadPlan, match=words):
        declaring(doors, rows)


def test_a_gateway_with_an_identity_of_a_user_is_given_none(doors: Doors, own: Resource) -> None:
    """Its PATCH would have to name that one, and the app may not assign it."""
    own.body["identity"] = {"type": "UserAssigned", "userAssignedIdentities": USERS}
    since = doors.mark()
    outcome = provide(doors, applying("managedIdentity", {"type": "SystemAssigned"}))
    assert outcome["status"] == "refused" and "given by hand, once" in outcome["because"]
    assert doors.sent(since, "PATCH") == []


def test_a_host_name_whose_certificate_would_be_lost_bars_the_change(
    doors: Doors, own: Resource
) -> None:
    own.properties["hostnameConfigurations"] = [
        {"hostName": "old.contoso.example", "type": "Proxy", "certificateSource": "Custom"}
    ]
    since = doors.mark()
    outcome = provide(doors, applying("customDomainCertificates", [VAULTED]))
    assert outcome["status"] == "refused" and "would lose it" in outcome["because"]
    assert doors.sent(since, "PATCH") == []


def test_nothing_is_written_over_a_gateway_that_serves(doors: Doors) -> None:
    part = doors.plan.component(GATEWAY, HERE) | {
        "notInBackup": applying("protocolsAndCiphers", CIPHERS)
    }
    told = doors.task(GATEWAY, "promote") | {"component": part, "stage": "restore", "epoch": None}
    assert doors.call("provide_gateway", told)["stale"]


def test_protocols_are_written_with_those_that_were_set_before(doors: Doors, own: Resource) -> None:
    own.properties["customProperties"] = {"Other": "True"}
    since = doors.mark()
    assert provide(doors, applying("protocolsAndCiphers", CIPHERS))["status"] == "succeeded"
    assert own.properties["customProperties"] == {**CIPHERS, "Other": "True"}
    check_exchanges(doors.world.journal.after(since))


def test_a_host_name_comes_beside_the_gateway_s_own(doors: Doors, own: Resource) -> None:
    built_in = {"hostName": "apim-contoso-ne.azure-api.net", "type": "Proxy"}
    own.properties["hostnameConfigurations"] = [{**built_in, "certificateSource": "BuiltIn"}]
    assert provide(doors, applying("customDomainCertificates", [VAULTED]))["status"] == "succeeded"
    names = [one["hostName"] for one in own.properties["hostnameConfigurations"]]
    assert VAULTED["hostName"] in names and len(names) == 2


def test_a_wanted_host_name_keeps_what_it_has_of_its_own(doors: Doors, own: Resource) -> None:
    kept = {"negotiateClientCertificate": True, "identityClientId": "i", "defaultSslBinding": True}
    told = {"thumbprint": "A", "subject": "CN=api", "expiry": "2030-01-01T00:00:00Z"}
    shown = {"certificate": told, "certificateSource": "KeyVault"}
    own.properties["hostnameConfigurations"] = [{**VAULTED, **kept, **shown}]
    missing = {**VAULTED, "hostName": "new.contoso.example"}
    since = doors.mark()
    provide(doors, applying("customDomainCertificates", [VAULTED, missing]))
    assert own.properties["hostnameConfigurations"] == [{**VAULTED, **kept}, missing]
    check_exchanges(doors.world.journal.after(since))


@pytest.mark.parametrize("users", [None, {}])
def test_a_system_assigned_identity_is_given_to_a_gateway_without_any(
    doors: Doors, own: Resource, users: dict | None
) -> None:
    own.body["identity"] = {"type": "None", "userAssignedIdentities": users}
    wanted = {"type": "SystemAssigned", "userAssignedIdentities": None}
    assert provide(doors, applying("managedIdentity", wanted))["status"] == "succeeded"
    assert own.body["identity"]["type"] == "SystemAssigned"


def test_protocols_that_differ_in_case_only_are_sent_once() -> None:
    shown = {"properties": {"customProperties": {"TLS11": "True"}}}
    wanted = applying("protocolsAndCiphers", {"Tls11": "False"})
    body = not_in_backup.change(wanted, HERE, shown).body
    assert body == {"properties": {"customProperties": {"TLS11": "False"}}}


def test_what_was_sent_by_a_try_that_was_killed_is_waited_for(doors: Doors, own: Resource) -> None:
    told = asked(doors, applying("protocolsAndCiphers", CIPHERS))
    since = doors.mark()
    assert doors.call("provide_gateway", told)["status"] == "running"
    again = doors.call("provide_gateway", told)
    assert (again["status"], again["busy"]) == ("refused", True)
    assert settled(doors, running(again["operation"], 0))["status"] == "succeeded"
    assert doors.call("provide_gateway", told)["status"] == "skipped"
    assert len(doors.sent(since, "PATCH")) == 1


def test_what_is_there_already_is_not_written_again(doors: Doors, own: Resource) -> None:
    rows = applying("protocolsAndCiphers", CIPHERS)
    provide(doors, rows)
    since = doors.mark()
    assert provide(doors, rows)["status"] == "skipped"
    assert doors.sent(since, "PATCH") == []


def test_what_is_not_applied_is_said_with_who_brings_it() -> None:
    rows = [*applying("protocolsAndCiphers", CIPHERS), ALL[0]]
    told = not_in_backup.left(rows)
    assert "usage data of the past: templates/gateway.json" in told and len(told) == 7
    assert any("publish it by the portal's own pipeline" in one for one in told)
