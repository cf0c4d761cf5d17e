"""Not in a backup: what a gateway has that no backup carries, and whether the standby's has it.

Pure. After api-management-howto-disaster-recovery-backup-restore: these stay with the gateway that
is restored, so each has to come to the standby by a way of its own, which the plan names. What is
declared with `apply` is written after each restore; the rest is said by name.
"""

from collections.abc import Iterator
from typing import NamedTuple

KINDS = {
    "analytics": "usage data of the past",
    "customDomainCertificates": "certificates of custom domains",
    "caCertificates": "certificates of private authorities",
    "virtualNetwork": "the virtual network",
    "managedIdentity": "managed identities",
    "diagnostics": "diagnostic settings",
    "protocolsAndCiphers": "protocols and ciphers",
    "developerPortal": "content of the developer portal",
}
# Where the service itself shows what the standby must have; the rest has to be believed.
SHOWN = {
    "customDomainCertificates": "properties.hostnameConfigurations",
    "caCertificates": "properties.certificates",
    "virtualNetwork": "properties.virtualNetworkConfiguration",
    "managedIdentity": "identity",
    "protocolsAndCiphers": "properties.customProperties",
}
# What one PATCH of the service writes. A component of its own writes what ADDED says.
WRITTEN = ("customDomainCertificates", "managedIdentity", "protocolsAndCiphers")
ADDED = {"diagnostics": "diagnosticSetting"}
# Of a host name ARM shows these; what it has is told by the vault, or by the file it came as.
ONLY_SHOWN = ("certificate", "certificateSource", "certificateStatus")
ADVICE = {
    "analytics": "keep it in workspaces by diagnostic settings, usage of the past cannot be set",
    "customDomainCertificates": "declare the host names with their keyVaultId and apply: true",
    "caCertificates": "ARM takes them as files only: give them to the gateway's template",
    "virtualNetwork": "a change takes the gateway away for up to 45 minutes: deploy it beforehand",
    "managedIdentity": "declare the system-assigned one with apply: true, assign others once",
    "diagnostics": "declare a diagnosticSetting component for the gateway, with apply: true",
    "protocolsAndCiphers": "declare customProperties with apply: true",
    "developerPortal": "publish it by the portal's own pipeline",
}


class Change(NamedTuple):
    """One PATCH of a gateway: its body, empty where nothing differs; what it writes; or why not."""

    body: dict
    names: list[str]
    barred: str = ""


def undeclared(declared: list[dict]) -> list[str]:
    """Which of the eight the plan says nothing of."""
    named = {one["what"] for one in declared}
    return [what for what in KINDS if what not in named]


def unmet(declared: list[dict], location: str, service: dict) -> list[str]:
    """What the gateway of `location` lacks of what the plan wants there, a sentence each.

    `service`: the gateway as ARM shows it. Names of what differs only.
    """
    told = []
    for one in declared:
        wanted = one.get("expect", {}).get(location)
        path = SHOWN.get(one["what"], "")
        if wanted is not None and path and not has(one["what"], service, wanted):
            told.append(f"{KINDS[one['what']]} ({path}) are not as declared: {one['by']}")
    return told


def left(declared: list[dict]) -> list[str]:
    """What a restore does not bring and we do not write, a sentence each that says who does."""
    ways = {what: f"the plan says nothing: {advice}" for what, advice in ADVICE.items()}
    ways |= {one["what"]: one["by"] for one in declared}
    applied = {one["what"] for one in declared if one.get("apply")}
    return [f"{name}: {ways[what]}" for what, name in KINDS.items() if what not in applied]


def change(declared: list[dict], location: str, service: dict) -> Change:
    """What has to be written so that the gateway of `location` has what is to be applied there.

    `service`: the gateway as ARM shows it. What it has of its own besides stays.
    """
    body: dict = {}
    names: list[str] = []
    for one in declared:
        what, wanted = one["what"], one.get("expect", {}).get(location)
        if not one.get("apply") or what not in WRITTEN or wanted is None:
            continue
        if has(what, service, wanted):
            continue
        if what == "managedIdentity":
            # Naming a user-assigned one takes the right to assign each, which no role of ours has.
            if "UserAssigned" in _types(service.get("identity") or {}):
                return Change({}, [], f"has a user-assigned identity already: {BY_HAND}")
            body["identity"] = {"type": SYSTEM}
        elif what == "protocolsAndCiphers":
            # What a PATCH leaves out of these is set back to its default, so all of them go.
            known = at(service, SHOWN[what])
            own = _over(known, wanted) if isinstance(known, dict) else wanted
            body.setdefault("properties", {})["customProperties"] = own
        else:
            rows = at(service, SHOWN[what])
            rows = rows if isinstance(rows, list) else []
            barred = _unsendable(rows, wanted)
            if barred:
                return Change({}, [], barred)
            body.setdefault("properties", {})["hostnameConfigurations"] = _hosts(rows, wanted)
        names.append(KINDS[what])
    return Change(body, names)


def has(what: str, service: dict, wanted: object) -> bool:
    """Does the service show what is wanted of this kind?"""
    known = at(service, SHOWN[what])
    if what != "managedIdentity" or not isinstance(known, dict) or not isinstance(wanted, dict):
        return covers(known, wanted)
    rest = {key: value for key, value in wanted.items() if key != "type" and value}
    return _types(wanted) <= _types(known) and covers(known, rest)


def _types(identity: dict) -> set[str]:
    """ "SystemAssigned, UserAssigned" as a set; None of it is no identity."""
    told = {one.strip() for one in str(identity.get("type", "")).split(",")}
    return told - {"", "None"}


def _over(known: dict, wanted: dict) -> dict:
    """What is wanted over what is there; a key that is there keeps its spelling."""
    spelt = {key.lower(): key for key in known}
    return {**known, **{spelt.get(key.lower(), key): value for key, value in wanted.items()}}


def _hosts(rows: list[dict], wanted: list[dict]) -> list[dict]:
    """All host names: the others as they are, each wanted one with what it had besides."""
    known = {str(row.get("hostName")).lower(): row for row in rows}
    had = [known.get(str(one["hostName"]).lower(), {}) for one in wanted]
    kept = [{key: row[key] for key in row if key not in ONLY_SHOWN} for row in had]
    return [*_besides(rows, wanted), *map(_over, kept, wanted)]


def _besides(rows: list[dict], wanted: list[dict]) -> list[dict]:
    """The host names of a gateway that the wanted ones do not replace."""
    named = {str(one.get("hostName")).lower() for one in wanted}
    return [row for row in rows if str(row.get("hostName")).lower() not in named]


def _unsendable(rows: list[dict], wanted: list[dict]) -> str:
    """Why the list cannot be sent: ARM never gives back a certificate that came as a file."""
    for row in _besides(rows, wanted):
        built_in = row.get("certificateSource") in ("BuiltIn", "Managed")
        if not built_in and not row.get("keyVaultId"):
            words = "has a certificate that came as a file, and would lose it"
            return f"{row.get('hostName')} {words}: give it one in a vault"
    return ""


def at(value: object, path: str) -> object:
    """What lies under a dotted path; None where nothing does."""
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def covers(known: object, wanted: object) -> bool:
    """Is everything that is wanted there? What Azure adds of its own is no difference."""
    if isinstance(wanted, dict):
        if not isinstance(known, dict):
            return False
        mine = {str(key).lower(): value for key, value in known.items()}
        return all(covers(mine.get(str(key).lower()), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        rows = known if isinstance(known, list) else []
        return all(any(covers(row, one) for row in rows) for one in wanted)
    if isinstance(wanted, str) and isinstance(known, str):
        return known.lower() == wanted.lower()
    return known == wanted


def problems(path: str, part: dict, kinds: dict[str, str], places: set[str]) -> Iterator[str]:
    """What is wrong with a gateway's `notInBackup`; `kinds`: component -> kind of the plan."""
    given = part.get("notInBackup")
    rows = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    said: set[str] = set()
    for n, one in enumerate(rows):
        where, what = f"{path}.notInBackup[{n}]", str(one.get("what"))
        if what in said:
            yield f"{where}.what: {what} is declared twice"
        said.add(what)
        if one.get("component") is not None and one["component"] not in kinds:
            yield f"{where}.component: there is no component {one['component']}"
        expect = one.get("expect")
        if isinstance(expect, dict):
            if what not in SHOWN:
                yield f"{where}.expect: the service does not show its {KINDS.get(what, what)}"
            for name in sorted(map(str, set(expect) - places)):
                yield f"{where}.expect.{name}: no location of the plan"
        if one.get("apply"):
            yield from _inapplicable(where, what, one, kinds)


def _inapplicable(where: str, what: str, one: dict, kinds: dict[str, str]) -> Iterator[str]:
    """Why what is to be applied cannot be."""
    expect = one.get("expect")
    if what in ADDED:
        if kinds.get(str(one.get("component"))) != ADDED[what]:
            yield f"{where}.apply: name the component of kind {ADDED[what]} that brings it"
    elif what not in WRITTEN:
        yield f"{where}.apply: {ADVICE.get(what, 'nobody can set it')}"
    elif not isinstance(expect, dict) or not expect:
        yield f"{where}.apply: say in expect what is to be there"
    elif not all(_writable(what, value) for value in expect.values()):
        yield f"{where}.expect: to be applied it must be {SHAPES[what]}"


SYSTEM = "SystemAssigned"
BY_HAND = "user-assigned ones are given by hand, once, and the system-assigned one beside them"
SHAPES = {
    "customDomainCertificates": "a list of host names, each with hostName, type and keyVaultId",
    "managedIdentity": f"type: {SYSTEM} alone: {BY_HAND}",
    "protocolsAndCiphers": "an object of texts",
}


def _writable(what: str, value: object) -> bool:
    if what == "customDomainCertificates":
        keys = ("hostName", "type", "keyVaultId")
        rows = value if isinstance(value, list) else [None]
        return all(isinstance(row, dict) and all(row.get(k) for k in keys) for row in rows)
    if not isinstance(value, dict):
        return False
    if what == "managedIdentity":
        return value.get("type") == SYSTEM and not value.get("userAssignedIdentities")
    return all(isinstance(one, str) for one in value.values())
