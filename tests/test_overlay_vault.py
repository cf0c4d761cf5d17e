"""A gateway's named values that are references into a vault: laid by identifier, read by nobody."""

import json
from collections.abc import Iterator
from copy import deepcopy

import pytest

from activities import gateway, readiness_gateway
from rehearsal.world import Resource
from shared import dryrun, fingerprint, plan
from shared.named_values import amiss
from shared.plan import BadPlan, Plan
from tests.doors import HERE, THERE, Doors
from tests.parts import MARKER, ended, own
from tests.test_overlay import GATEWAY, item, task
from tests.wire import check_exchanges

NAMED, PATH = "partner-key", "namedValues/partner-key"
VAULTS = {HERE: "kv-orders-ne", THERE: "kv-orders-we"}
CLIENT = "00000000-0000-4000-8000-0000000000c1"


def reference(vault: str, **more: str) -> dict:
    """What a plan says of a named value that is a secret of this vault."""
    url = f"https://{vault}.vault.azure.net/secrets/partner-key"
    return {"keyVault": {"secretIdentifier": url, **more}}


OURS, THEIRS = reference(VAULTS[HERE]), reference(VAULTS[THERE])


def declaring(doors: Doors, here: object = OURS, there: object = THEIRS) -> Plan:
    """The plan whose overlays have this named value; None: not."""
    document = json.loads(json.dumps(doors.plan.document))
    part = next(one for one in document["components"] if one["name"] == GATEWAY)
    for place, given in ((HERE, here), (THERE, there)):
        laid = {} if given is None else {NAMED: given}
        part["overlay"][place]["namedValues"] = laid
    return plan.checked(document)


@pytest.fixture
def kept(doors: Doors) -> Iterator[Doors]:
    """A vault in each location with the same secret; afterwards the gateway is as it was."""
    base, table = doors.plan.component(GATEWAY, HERE)["resource"], doors.world.resources
    before = {row.id: deepcopy(row.body) for row in table if row.id.startswith(base)}
    vaults = [own(doors, at, f"Microsoft.KeyVault/vaults/{name}") for at, name in VAULTS.items()]
    for location, vault in zip(VAULTS, vaults, strict=True):
        table.place(vault, {"location": location, "properties": {}})
        table.place(f"{vault}/secrets/partner-key", {"properties": {"value": MARKER}})
    mark = doors.mark()
    yield doors
    rows = doors.world.journal.after(mark)
    for vault in vaults:
        table.remove(vault)
    for row in [one for one in table if one.id.startswith(base) and one.id not in before]:
        table.remove(row.id)
    for id, body in before.items():
        table.place(id, body)
    assert MARKER not in json.dumps(rows, default=str)
    check_exchanges(rows)  # Last: without the contracts it skips what is left.


def vault_of(doors: Doors, location: str) -> Resource:
    path = f"Microsoft.KeyVault/vaults/{VAULTS[location]}"
    found = doors.world.resources.get(own(doors, location, path))
    assert found is not None
    return found


def laid(doors: Doors, known: Plan) -> dict:
    """The outcome of laying the overlay, when the gateway has settled."""
    outcome = ended(doors, doors.call("promote_gateway", task(doors, known)))
    assert MARKER not in json.dumps(outcome)
    return outcome


def observed(doors: Doors, known: Plan) -> dict:
    return doors.call("observe_gateway", task(doors, known))


def shown(doors: Doors) -> dict:
    """The named value's properties as ARM shows them."""
    rows = gateway.listed(doors.plan.component(GATEWAY, HERE), "namedValues")
    assert isinstance(rows, list)
    return next(row["properties"] for row in rows if row["name"] == NAMED)


@pytest.mark.parametrize(
    "url",
    [
        "http://kv-orders-ne.vault.azure.net/secrets/partner-key",
        "https://evil.example.net/secrets/partner-key",
        "https://kv-orders-ne.vault.azure.net/keys/partner-key",
        "https://kv-orders-ne.vault.azure.net/secrets/partner-key/latest",
        "https://kv-orders-ne.vault.azure.net/secrets/partner-key?code=1",
    ],
)
def test_what_identifies_no_secret_of_a_vault_is_refused(doors: Doors, url: str) -> None:
    with pytest.raises(BadPlan, match="namedValues"):
        declaring(doors, {"keyVault": {"secretIdentifier": url}})


@pytest.mark.parametrize("more", [{"value": "x"}, {"secret": True}])
def test_a_reference_has_nothing_beside_it(doors: Doors, more: dict) -> None:
    with pytest.raises(BadPlan, match="namedValues"):
        declaring(doors, {**OURS, **more})


def test_a_secret_in_clear_is_refused_and_told_of_the_vault(doors: Doors) -> None:
    with pytest.raises(BadPlan, match="refer to one of this location's Key Vault") as no:
        declaring(doors, f"AccountKey={MARKER}")
    assert MARKER not in str(no.value)


def test_a_vault_that_lets_nobody_in_is_told_and_nothing_is_left(kept: Doors) -> None:
    vault_of(kept, HERE).properties["rehearsalClosed"] = True
    outcome = laid(kept, declaring(kept))
    assert outcome["status"] == "refused" and VAULTS[HERE] in outcome["because"]
    assert observed(kept, declaring(kept))["differences"] == [PATH]


def test_a_gateway_without_that_identity_is_told(kept: Doors) -> None:
    known = declaring(kept, reference(VAULTS[HERE], identityClientId=CLIENT))
    outcome = laid(kept, known)
    assert outcome["status"] == "refused" and "Managed Identity" in outcome["because"]


def test_a_vault_of_a_lost_region_is_not_read(kept: Doors) -> None:
    kept.world.lose(THERE, {"data"})
    assert "does not answer" in laid(kept, declaring(kept, THEIRS, OURS))["because"]


def test_a_reference_is_laid_by_its_identifier(kept: Doors) -> None:
    outcome = laid(kept, declaring(kept))
    assert outcome["status"] == "succeeded", outcome
    found = shown(kept)
    assert found["keyVault"]["secretIdentifier"] == OURS["keyVault"]["secretIdentifier"]
    assert found["keyVault"]["lastStatus"]["code"] == "Success"
    assert (found["secret"], "value" in found) == (True, False)
    assert item(kept, PATH).properties["value"] == MARKER  # The gateway itself has fetched it.


def test_it_is_laid_once_and_its_value_is_never_asked_for(kept: Doors) -> None:
    laid(kept, declaring(kept))
    mark = kept.mark()
    assert laid(kept, declaring(kept))["status"] == "skipped"
    assert (kept.sent(mark, "PUT"), kept.sent(mark, "POST")) == ([], [])


def test_the_case_of_an_identifier_is_no_difference(kept: Doors) -> None:
    laid(kept, declaring(kept))
    known = reference(VAULTS[HERE].upper())
    assert observed(kept, declaring(kept, known))["serving"] is True


def test_the_lost_regions_reference_is_replaced_after_a_restore(kept: Doors) -> None:
    laid(kept, declaring(kept, THEIRS, OURS))
    known = declaring(kept)
    assert observed(kept, known)["differences"] == [PATH]
    assert laid(kept, known)["status"] == "succeeded"
    assert VAULTS[HERE] in shown(kept)["keyVault"]["secretIdentifier"]


def test_a_secret_that_a_reference_replaces_is_not_asked_for(kept: Doors) -> None:
    """Who may not read secrets may lay a reference all the same."""
    laid(kept, declaring(kept, "plain"))
    item(kept, PATH).properties["secret"] = True
    mark = kept.mark()
    assert laid(kept, declaring(kept))["status"] == "succeeded"
    assert kept.sent(mark, "POST") == []
    assert VAULTS[HERE] in shown(kept)["keyVault"]["secretIdentifier"]


@pytest.mark.parametrize(("first", "then"), [(OURS, "plain"), ("plain", OURS)])
def test_a_value_and_a_reference_take_each_others_place(
    kept: Doors, first: object, then: object
) -> None:
    laid(kept, declaring(kept, first))
    outcome = laid(kept, declaring(kept, then))
    assert outcome["status"] == "succeeded", outcome
    assert observed(kept, declaring(kept, then))["serving"] is True
    assert ("keyVault" in shown(kept)) is (then == OURS)


def test_a_dry_run_shows_the_identifier_and_no_value(kept: Doors) -> None:
    known, act = declaring(kept), {"verb": "promote", "stage": "promote", "component": GATEWAY}
    seen = observed(kept, known)
    row = dryrun.difference({**act, "location": HERE}, known.component(GATEWAY, HERE), seen)
    body = next(c["body"]["properties"] for c in row["calls"] if NAMED in c["url"])
    assert body == {**OURS, "secret": True}


def test_when_a_secret_was_fetched_is_no_difference_of_gateways() -> None:
    row = {"id": PATH, "properties": {"displayName": NAMED, "secret": True, **OURS}}
    later = deepcopy(row)
    later["properties"]["keyVault"]["lastStatus"] = {"code": "Success", "timeStampUtc": "now"}
    assert fingerprint.differences([row], [later]) == []
    later["properties"]["keyVault"]["secretIdentifier"] += "-2"
    assert fingerprint.differences([row], [later]) != []


def listed(given: dict, status: str = "Success", name: str = NAMED) -> dict:
    known = {**given["keyVault"], "lastStatus": {"code": status}}
    return {"name": name, "properties": {"secret": True, "keyVault": known}}


def found(known: Plan, *rows: dict) -> list[tuple[str, str]]:
    part = known.component(GATEWAY, HERE)
    return [(status, words) for status, words, _ in amiss(part, HERE, list(rows))]


def test_each_locations_own_vault_is_no_finding(doors: Doors) -> None:
    assert found(declaring(doors), listed(OURS)) == []
    assert found(declaring(doors, None, None), {"name": "region", "properties": {}}) == []


def test_a_restored_reference_into_the_lost_regions_vault_is_a_finding(doors: Doors) -> None:
    """The overlay of home names the vault, the standby's says nothing."""
    words = f"{NAMED} is read from kv-orders-we.vault.azure.net, a vault of {THERE}"
    assert found(declaring(doors, None), listed(THEIRS)) == [("fail", words)]


def test_a_vault_that_says_its_region_is_known_by_its_name(doors: Doors) -> None:
    rows = found(declaring(doors, None, None), listed(reference(f"kv-{THERE}")))
    assert [status for status, _ in rows] == ["fail"]


def test_a_vault_that_the_plan_gives_the_other_location_is_known(doors: Doors) -> None:
    accounts = "{resourceGroup}/providers/Microsoft.Logic/integrationAccounts/ia"
    vaults = {at: own(doors, at, f"Microsoft.KeyVault/vaults/{kv}") for at, kv in VAULTS.items()}
    part = {"name": "ia", "kind": "integrationAccount", "resource": accounts, "vaults": vaults}
    document = declaring(doors, THEIRS, None).document
    known = plan.checked({**document, "components": [*document["components"], part]})
    words = f"{NAMED} is to be read from kv-orders-we.vault.azure.net, a vault of {THERE}"
    assert found(known) == [("fail", words)]


def test_one_vault_for_both_locations_is_a_warning(doors: Doors) -> None:
    rows = found(declaring(doors, OURS, OURS), listed(OURS))
    assert [status for status, _ in rows] == ["warn"]
    assert "would be lost with the region that it is in" in rows[0][1]


def test_a_vault_that_nobody_knows_is_a_warning(doors: Doors) -> None:
    rows = found(declaring(doors, None, None), listed(reference("kv-shared")))
    assert [status for status, _ in rows] == ["warn"]
    assert "does not say whose vault" in rows[0][1]


def test_a_secret_that_the_gateway_cannot_read_is_a_finding(doors: Doors) -> None:
    rows = found(declaring(doors), listed(OURS, status="AccessDenied"))
    words = f"{NAMED} could not be read from kv-orders-ne.vault.azure.net by the gateway"
    assert rows == [("fail", f"{words}: AccessDenied")]


@pytest.mark.parametrize("given", [OURS, "plain"])
@pytest.mark.parametrize("name", [NAMED, NAMED.upper()])
def test_what_the_overlay_will_replace_need_not_be_read(
    doors: Doors, given: object, name: str
) -> None:
    """As after a restore: the overlay is yet to be laid."""
    row = listed(THEIRS, status="AccessDenied", name=name)
    assert found(declaring(doors, given), row) == []


def test_a_signature_that_the_overlay_reads_need_not_come_from_a_vault(doors: Doors) -> None:
    part = declaring(doors, None, None).component(GATEWAY, HERE)
    link = {"workflow": "orders-intake", "trigger": "manual", "namedValue": NAMED}
    part["overlay"] = {**part["overlay"], HERE: {"callbacks": {"orders": link}}}
    assert list(amiss(part, HERE, [listed(THEIRS, status="AccessDenied")])) == []


def test_what_no_overlay_replaces_has_to_be_read(doors: Doors) -> None:
    rows = found(declaring(doors, None, None), listed(reference("kv-shared"), "AccessDenied"))
    assert [status for status, _ in rows] == ["fail", "warn"]


def test_a_failure_that_is_mended_is_forgotten_by_a_refresh(doors: Doors) -> None:
    """Else it is shown for up to four hours more."""
    part = declaring(doors).component(GATEWAY, HERE)
    [(_, _, fix)] = amiss(part, HERE, [listed(OURS, status="AccessDenied")])
    assert "Key Vault Secrets User" in fix and f"POST .../{PATH}/refreshSecret" in fix


def test_readiness_names_the_vault_of_the_lost_region(kept: Doors) -> None:
    """At the wire: what a restore brought there from home."""
    laid(kept, declaring(kept, THEIRS, OURS))
    rows = readiness_gateway.overlay(declaring(kept, None), GATEWAY, HERE)
    failed = [row for row in rows if row["status"] == "fail"]
    assert [row["name"] for row in failed] == ["overlay"]
    assert "a vault of westeurope" in failed[0]["because"] and HERE in failed[0]["fix"]


def test_readiness_of_a_gateway_with_a_vault_of_its_own_is_well(kept: Doors) -> None:
    laid(kept, declaring(kept))
    rows = readiness_gateway.overlay(declaring(kept), GATEWAY, HERE)
    assert [row["status"] for row in rows] == ["ok"]
