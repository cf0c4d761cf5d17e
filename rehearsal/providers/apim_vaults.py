"""Named values that a gateway fetches from a vault, with its own identity.

After Microsoft.ApiManagement 2024-05-01 and Azure/apiops issues 214 and 257 (an identity that is
not the gateway's is a ValidationError of the operation); the words for a vault that does not answer
or does not let in are recollections. A vault's secrets lie under its resource.
Not emulated: versions, the four-hourly refresh, access policies of each identity (a vault lets in
all or, with `rehearsalClosed`, nobody).
"""

import copy
import re
from collections.abc import Callable

from rehearsal.arm_provider import Call, Refused
from rehearsal.world import Resource, World

VAULTS = "Microsoft.KeyVault/vaults"
IDENTIFIER = re.compile(r"https://([A-Za-z0-9-]+)\.vault\.azure\.net/secrets/([A-Za-z0-9-]+)")
UNKNOWN = "Can not find Managed Identity with provided IdentityClientId"


def fetching(
    call: Call, service: Resource, properties: dict, known: Resource | None
) -> Callable[[], None]:
    """What happens after the answer: the secret is there, or all is as it was and why not.

    `properties`: of the named value, which get the value and `lastStatus`.
    """
    reference = properties["keyVault"]
    found = IDENTIFIER.match(str(reference.get("secretIdentifier", "")))
    if "value" in properties:
        raise _invalid("value", "A named value has either a value or a secret of a key vault.")
    if found is None:
        raise _invalid("secretIdentifier", "The identifier is none of a key vault's secret.")
    before, world, id = copy.deepcopy(known.body) if known else None, call.world, call.route.id

    def then() -> None:
        try:
            value = _read(world, service, reference.get("identityClientId"), *found.groups())
        except Refused:
            world.resources.place(id, before) if before else world.resources.remove(id)
            raise
        named = world.resources.get(id)
        if named is not None:
            told = {"code": "Success", "timeStampUtc": world.now.isoformat()}
            named.properties["keyVault"] = {**reference, "lastStatus": told}
            named.properties.update(value=value, secret=True)
            world.resources.touch(named)

    return then


def _read(world: World, service: Resource, client: str | None, vault: str, secret: str) -> str:
    """The secret's value, as the gateway reads it now."""
    identity = service.body.get("identity") or {}
    users = [one.get("clientId") for one in (identity.get("userAssignedIdentities") or {}).values()]
    if client and client not in users:
        raise _invalid("identityClientId", f"{UNKNOWN} : {client}.")
    if not client and "SystemAssigned" not in str(identity.get("type", "")):
        raise _invalid("identityClientId", "The service has no system-assigned identity.")
    rows = [row for row in world.resources.of_type(VAULTS) if row.name.lower() == vault.lower()]
    open_ = [row for row in rows if not row.properties.get("rehearsalClosed")]
    if not rows or not world.up(rows[0].location, "data"):
        raise _invalid("secretIdentifier", f"The key vault {vault} does not answer.")
    kept = world.resources.get(f"{rows[0].id}/secrets/{secret}") if open_ else None
    if kept is None:
        raise _invalid("secretIdentifier", f"No access to the secret {secret} of {vault}.")
    return str(kept.properties.get("value", ""))


def _invalid(target: str, message: str) -> Refused:
    return Refused(400, "ValidationError", f"{target}: {message}")
