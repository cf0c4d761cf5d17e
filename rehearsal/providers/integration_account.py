"""Microsoft.Logic/integrationAccounts: partners, agreements, schemas, maps, keys, sessions.

After api-version 2019-05-01. What schemas, maps and assemblies hold is shown as a link with a hash;
the link leads to Logic Apps' data plane (rehearsal/workflows_http.py) and needs nothing but its
signature. A vault's keys are those that lie under its resource, their names only.
Not emulated: $filter and $top, tracking events, regenerated keys, encoding of EDI itself, and the
check that a certificate's key fits its public half.
"""

import base64
import hashlib
import hmac
import re

from rehearsal.arm_provider import Call, Provider, Refused
from rehearsal.providers.logic_names import VERSIONS, host_of, stamp
from rehearsal.world import Resource, World

BASE = "Microsoft.Logic/integrationAccounts"
KEYS = "Microsoft.KeyVault/vaults/keys"
SKUS = ("Free", "Basic", "Standard")
REQUIRED = {
    "partners": ("partnerType", "content"),
    "agreements": (
        "agreementType",
        "hostPartner",
        "guestPartner",
        "hostIdentity",
        "guestIdentity",
        "content",
    ),
    "schemas": ("schemaType",),
    "maps": ("mapType",),
    "assemblies": ("assemblyName",),
    "certificates": (),
    "batchConfigurations": ("batchGroupName", "releaseCriteria"),
    "sessions": (),
}
WITH_CONTENT = ("schemas", "maps", "assemblies")
accounts = Provider(BASE, VERSIONS, page_size=100)
children = {
    kind: Provider(f"{BASE}/{kind}", VERSIONS, page_size=100, head_status=200) for kind in REQUIRED
}
PROVIDERS = [accounts, *children.values()]


def _invalid(code: str, message: str) -> Refused:
    return Refused(400, code, message)


@accounts.put
def put_account(call: Call, body: dict, known: Resource | None) -> None:
    """A location that stays, and a tier."""
    if not isinstance(body.get("location"), str):
        raise _invalid("LocationRequired", "The location property is required.")
    if (body.get("sku") or {}).get("name") not in SKUS:
        raise _invalid("InvalidSku", f"The sku of an integration account is {', '.join(SKUS)}.")
    body.setdefault("properties", {}).setdefault("state", "Enabled")


@accounts.action("listKeyVaultKeys")
def list_keys(call: Call) -> dict:
    """The keys of a vault, by name and version: Logic Apps itself has to be let in there."""
    vault = call.world.resources.get(str((call.body.get("keyVault") or {}).get("id", "")))
    if vault is None:
        raise Refused(404, "KeyVaultNotFound", "The key vault could not be found.")
    if vault.properties.get("rehearsalClosed"):
        raise Refused(403, "KeyVaultAccessForbidden", "Azure Logic Apps may not list its keys.")
    uri = f"https://{vault.name}.vault.azure.net/keys"
    keys = [f"{uri}/{row.name}" for row in call.world.resources.under(vault.id, KEYS)]
    return {"value": [{"kid": key, "attributes": {"enabled": True}} for key in keys]}


def put_child(call: Call, body: dict, known: Resource | None) -> None:
    """What Azure wants of each sort of artifact; an agreement's partners are there before it."""
    kind = call.route.type.rsplit("/", 1)[-1]
    properties = body.setdefault("properties", {})
    for key in next(need for one, need in REQUIRED.items() if one.lower() == kind.lower()):
        if not properties.get(key):
            raise _invalid("InvalidPropertyValue", f"The required property '{key}' is missing.")
    if kind.lower() == "agreements":
        _check_partners(call, properties)
    if kind.lower() in WITH_CONTENT and not properties.get("content"):
        raise _invalid("InvalidContent", f"The {kind} artifact has no content.")
    key = properties.get("key")
    if key and call.world.resources.get(str((key.get("keyVault") or {}).get("id", ""))) is None:
        raise _invalid("KeyVaultNotFound", "The key vault of the certificate could not be found.")


def _check_partners(call: Call, properties: dict) -> None:
    account = call.parent()
    for side in ("hostPartner", "guestPartner"):
        if call.world.resources.get(f"{account.id}/partners/{properties[side]}") is None:
            message = f"The partner '{properties[side]}' of the agreement could not be found."
            raise _invalid("PartnerNotFound", message)


def show_child(call: Call, child: Resource) -> dict:
    """An artifact with its times; a content as a link with its hash."""
    times = {"createdTime": stamp(child.created_at), "changedTime": stamp(child.changed_at)}
    properties = {**times, **child.properties}
    kind = child.id.split("/")[-2]
    if kind.lower() in WITH_CONTENT:
        properties.pop("content", None)
        properties["contentLink"] = link(call.world, child)
    return {**child.shown(), "properties": properties}


for _child in children.values():
    _child.put(put_child)
    _child.shown(show_child)


def content(child: Resource) -> bytes:
    """The bytes of an artifact's content; an assembly is sent in base64."""
    text = str(child.properties.get("content", ""))
    return base64.b64decode(text) if "/assemblies/" in child.id.lower() else text.encode()


def link(world: World, child: Resource) -> dict:
    """Where the content lies, signed, and what it is."""
    data, short = content(child), re.sub(r"(?i).*/integrationAccounts/", "", child.id)
    query = f"api-version=2016-06-01&sp=%2F{child.name}%2Fread&sv=1.0&sig={signature(world, child)}"
    return {
        "uri": f"https://{host_of(world, child)}:443/integrationAccounts/{short}/contents?{query}",
        "contentVersion": f'"{child.etag}"',
        "contentSize": len(data),
        "contentHash": {
            "algorithm": "md5",
            "value": base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode(),
        },
    }


def signature(world: World, child: Resource) -> str:
    """The `sig` of a content's link."""
    key = f"{world.seed}:content".encode()
    return hmac.new(key, child.id.lower().encode(), hashlib.sha256).hexdigest()


def find(world: World, location: str, account: str, kind: str, name: str) -> Resource | None:
    """The artifact that a link of this location's data plane leads to."""
    for owner in world.resources.of_type(BASE):
        if owner.name.lower() == account.lower() and owner.location == location:
            return world.resources.get(f"{owner.id}/{kind}/{name}")
    return None
