"""An estate of business partners for tests: two integration accounts and what home's holds."""

from rehearsal.world import Resource, World
from shared.plan import Plan, checked
from tests.doors import HERE, THERE

NAME = "partners"
MARKER = "s3cr3t-marker-value"  # Lies in payloads; nothing may ever say it.
SHORT = {HERE: "ne", THERE: "we"}
IDENTITIES = {"qualifier": "ZZ", "value": "contoso"}


def group(plan: Plan, location: str) -> str:
    """The resource group of a location."""
    return plan.locations[location].resource_group


def account_id(plan: Plan, location: str) -> str:
    """The integration account of a location."""
    name = f"ia-{SHORT[location]}"
    return f"{group(plan, location)}/providers/Microsoft.Logic/integrationAccounts/{name}"


def vault_id(plan: Plan, location: str) -> str:
    """The key vault of a location."""
    return f"{group(plan, location)}/providers/Microsoft.KeyVault/vaults/kv-{SHORT[location]}"


def with_partners(plan: Plan, **more: object) -> Plan:
    """The plan with an integration account as its last component."""
    part = {
        "name": NAME,
        "kind": "integrationAccount",
        "resources": {place: account_id(plan, place) for place in SHORT},
        "vaults": {place: vault_id(plan, place) for place in SHORT},
        **more,
    }
    document = plan.document
    return checked({**document, "components": [*document["components"], part]})


def lay(world: World, plan: Plan) -> None:
    """Both accounts, empty but for home's artifacts and numbers."""
    clear(world, plan)
    for place in SHORT:
        body = {"location": place, "sku": {"name": "Standard"}, "properties": {"state": "Enabled"}}
        world.resources.place(account_id(plan, place), body)
        world.resources.place(vault_id(plan, place), {"location": place, "properties": {}})
        world.resources.place(f"{vault_id(plan, place)}/keys/signing", {"properties": {}})
    home = account_id(plan, THERE)
    for path, properties in artifacts(plan).items():
        world.resources.place(f"{home}/{path}", {"properties": properties})
    for session, content in SESSIONS.items():
        world.resources.place(f"{home}/sessions/{session}", {"properties": {"content": content}})


def clear(world: World, plan: Plan) -> None:
    """No accounts and no vaults."""
    for place in SHORT:
        for top in (account_id(plan, place), vault_id(plan, place)):
            for row in list(world.resources):
                if row.id.lower().startswith(top.lower()):
                    world.resources.remove(row.id)


def artifacts(plan: Plan) -> dict[str, dict]:
    """One of each kind, as it was sent to Azure."""
    partner = {"partnerType": "B2B", "content": {"b2b": {"businessIdentities": [IDENTITIES]}}}
    key = {"keyName": "signing", "keyVersion": "1", "keyVault": {"id": vault_id(plan, THERE)}}
    return {
        "certificates/signing": {"publicCertificate": "TUlJ", "key": key},
        "schemas/order": {"schemaType": "Xml", "content": "<schema/>"},
        "maps/to-order": {"mapType": "Xslt", "content": "<xsl/>"},
        "assemblies/tools": {"assemblyName": "Tools", "content": "AAECAwQ="},
        "partners/contoso": partner,
        "partners/fabrikam": partner,
        "agreements/x12-fabrikam": agreement("X12", "x12", 999_999_999),
        "agreements/edifact-fabrikam": agreement("Edifact", "edifact", 99_999),
        "batchConfigurations/daily": {
            "batchGroupName": "DEFAULT",
            "releaseCriteria": {"messageCount": 10},
        },
    }


def agreement(type: str, protocol: str, upper: int, rolls: bool = False) -> dict:
    """An agreement that sends up to `upper`."""
    envelope = {
        "interchangeControlNumberLowerBound": 1,
        "interchangeControlNumberUpperBound": upper,
        "rolloverInterchangeControlNumber": rolls,
        "recipientReferencePasswordValue": MARKER,
    }
    side = {"protocolSettings": {"envelopeSettings": envelope}}
    return {
        "agreementType": type,
        "hostPartner": "contoso",
        "guestPartner": "fabrikam",
        "hostIdentity": IDENTITIES,
        "guestIdentity": IDENTITIES,
        "content": {protocol: {"sendAgreement": side, "receiveAgreement": side}},
    }


def number(text: str) -> dict:
    """The content of a session of a control number."""
    return {"ControlNumber": text, "ControlNumberChangedTime": "2026-01-01T00:00:00Z"}


SESSIONS: dict[str, object] = {
    "x12-fabrikam-ICN": number("000001000"),
    "edifact-fabrikam-ICN": number("70"),
    "X12-ICN-x12-fabrikam-000000007": number("000000007"),
    "as2-mic-1": {"Mic": MARKER},
}


def of(world: World, plan: Plan, location: str, path: str) -> Resource:
    """One artifact or session."""
    found = world.resources.get(f"{account_id(plan, location)}/{path}")
    assert found is not None, f"no {path} in {location}"
    return found


def sent_number(world: World, plan: Plan, location: str, session: str) -> str:
    """The number in a session."""
    return of(world, plan, location, f"sessions/{session}").properties["content"]["ControlNumber"]
