"""Not in a backup: what a gateway has that no backup carries, and whether the standby's has it.

Pure. After api-management-howto-disaster-recovery-backup-restore: these stay with the gateway that
is restored, so each has to come to the standby by a way of its own, which the plan names.
"""

from collections.abc import Iterator

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
        if wanted is not None and path and not covers(at(service, path), wanted):
            told.append(f"{KINDS[one['what']]} ({path}) are not as declared: {one['by']}")
    return told


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


def problems(path: str, part: dict, names: set[str], places: set[str]) -> Iterator[str]:
    """What is wrong with a gateway's `notInBackup`; `names`: the plan's components."""
    given = part.get("notInBackup")
    rows = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    said: set[str] = set()
    for n, one in enumerate(rows):
        where, what = f"{path}.notInBackup[{n}]", str(one.get("what"))
        if what in said:
            yield f"{where}.what: {what} is declared twice"
        said.add(what)
        if one.get("component") is not None and one["component"] not in names:
            yield f"{where}.component: there is no component {one['component']}"
        expect = one.get("expect")
        if isinstance(expect, dict):
            if what not in SHOWN:
                yield f"{where}.expect: the service does not show its {KINDS.get(what, what)}"
            for name in sorted(map(str, set(expect) - places)):
                yield f"{where}.expect.{name}: no location of the plan"
