"""Named values that are references into a vault: what of them is compared, sent and amiss.

Pure. After Microsoft.ApiManagement 2024-05-01: `keyVault` has the secret's identifier and, of a
user-assigned identity, its client id; `lastStatus` says how the gateway last fetched it. The value
itself is nobody's here: the gateway fetches it with its own identity, and refuses listValue of it
(Azure/azure-powershell issue 15494). It asks again within four hours (Azure.APIM.EncryptValues of
PSRule.Rules.Azure) or on POST refreshSecret; until then `lastStatus` outlives its cause.
"""

from collections.abc import Iterator

from shared import own_hosts

READ = "success"
ROLE = "Key Vault Secrets User"


def properties(given: str | dict) -> dict:
    """The properties that a named value of an overlay must have: a value, or a reference."""
    if isinstance(given, str):
        return {"value": given}
    return {"keyVault": dict(given["keyVault"]), "secret": True}


def referred(known: dict) -> dict | None:
    """The reference in a named value's properties as ARM shows them; None where there is none."""
    found = known.get("keyVault")
    return found if isinstance(found, dict) else None


def compared(reference: dict) -> tuple[str, str]:
    """What of a reference is the plan's: not when it was last fetched."""
    client = reference.get("identityClientId") or ""
    return str(reference.get("secretIdentifier")).lower(), str(client).lower()


def replaced(known: dict, values: dict) -> dict:
    """What stays of a named value's properties when `values` are laid over them: never both a
    value and a reference, of which one would be the old one."""
    gone = {"value"} if "keyVault" in values else {"keyVault"} if "value" in values else set()
    return {key: one for key, one in known.items() if key not in gone}


def amiss(part: dict, location: str, rows: list[dict]) -> Iterator[tuple[str, str, str]]:
    """(status, what, what to do) of references that would not outlive the other location.

    `rows`: the named values of the gateway of `location`, as ARM lists them.
    """
    declared, laid = _declared(part, location), _laid(part, location)
    others = sorted((part.get("backups", {}).keys() | part.get("overlay", {}).keys()) - {location})
    theirs = {vault(one) for place in others for one in _declared(part, place).values()}
    own = {vault(one) for one in declared.values()}
    for name, reference in declared.items():
        host, where = vault(reference), _of(part, vault(reference), location, others)
        if where:
            yield "fail", f"{name} is to be read from {host}, a vault of {where}", _move(location)
        elif host in theirs:
            words = f"{name} is read from {host} in both locations"
            lost = "it would be lost with the region that it is in"
            yield "warn", f"{words}: {lost}", _move(location)
    for row in rows:
        reference = referred(row.get("properties", {}))
        if reference is None:
            continue
        name, host = row["name"], vault(reference)
        status = str((reference.get("lastStatus") or {}).get("code") or READ)
        stays = laid.get(name.lower(), reference)
        # What the overlay replaces need not be read; laying it reads the new one.
        if status.lower() != READ and stays and compared(stays) == compared(reference):
            words = f"{name} could not be read from {host} by the gateway: {status}"
            yield "fail", words, _refresh(name)
        if name.lower() in laid or host in own:
            continue
        where = _of(part, host, location, others) or (others[0] if host in theirs else "")
        if where:
            yield "fail", f"{name} is read from {host}, a vault of {where}", _declare(location)
        else:
            words = f"{name} is read from {host}, and the plan does not say whose vault that is"
            yield "warn", words, _declare(location)


def vault(reference: dict) -> str:
    """The host of a reference's vault."""
    return own_hosts.host(reference.get("secretIdentifier"))


def _declared(part: dict, location: str) -> dict[str, dict]:
    """Name -> reference of the overlay's named values that are read from a vault."""
    given = part.get("overlay", {}).get(location, {}).get("namedValues", {})
    return {name: one["keyVault"] for name, one in given.items() if isinstance(one, dict)}


def _laid(part: dict, location: str) -> dict[str, dict | None]:
    """Name in lower case -> its reference, None for a text, of all that the overlay lays there."""
    overlay = part.get("overlay", {}).get(location, {})
    signed = [link["namedValue"] for link in overlay.get("callbacks", {}).values()]
    known = _declared(part, location)
    return {one.lower(): known.get(one) for one in (*overlay.get("namedValues", {}), *signed)}


def _of(part: dict, host: str, location: str, others: list[str]) -> str:
    """The other location whose vault this is known to be: by the plan, or by its name."""
    hosts = part.get("hosts", {})
    words = host.partition(".")[0].split("-")
    for place in others:
        if place in words or host in set(hosts.get(place, [])) - set(hosts.get(location, [])):
            return place
    return ""


def _move(location: str) -> str:
    return f"keep the secret in a vault of {location} too, and name that in its overlay"


def _refresh(name: str) -> str:
    again = f"POST .../namedValues/{name}/refreshSecret"
    return f"give the gateway's identity {ROLE} there, then {again}: by itself it asks hours later"


def _declare(location: str) -> str:
    return f"declare it in the overlay of {location}, with keyVault, in a vault there"
