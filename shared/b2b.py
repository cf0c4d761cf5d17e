"""B2B: what two integration accounts must have in common, and which control number comes next.

Pure. Artifacts are compared as ARM lists them; a private key is a reference into a vault, and
becomes the reference into the other location's own. Generated control numbers live in sessions of
the account, `{agreement}-ICN`, `-GCN`, `-TSCN` with `-ACK` for acknowledgements, received ones in
`{X12|Edifact}-ICN-{agreement}-{number}` (Azure PowerShell's Set-AzIntegrationAccountGeneratedIcn);
AS2 keeps its MICs there too. What is no generated number is copied as it is.
"""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import cast

# In the order in which they are made: agreements name what comes before them.
KINDS = (
    "certificates",
    "schemas",
    "maps",
    "assemblies",
    "partners",
    "agreements",
    "batchConfigurations",
)
WITH_CONTENT = ("schemas", "maps", "assemblies")  # Listed by link and hash only.
SESSIONS = "sessions"
VOLATILE = {"createdTime", "changedTime", "provisioningState"}
LINKED = {"content", "contentLink"}  # Of artifacts WITH_CONTENT.
GENERATED = re.compile(r"(.+)-(ICN|GCN|TSCN)(-ACK)?", re.IGNORECASE)
BOUNDS = {"ICN": "interchange", "GCN": "group", "TSCN": "transactionSet"}
NUMBERED = ("x12", "edifact")
SAID_MAX = 50

Rows = dict[str, dict]  # name -> ARM's properties


@dataclass(frozen=True)
class Range:
    """What control numbers an agreement may send."""

    lower: int = 1
    upper: int = 999_999_999
    rolls: bool = False

    def ahead(self, one: int, other: int) -> bool:
        """Was `one` given out after `other`? Where numbers roll over as in RFC 1982."""
        if not self.rolls:
            return one > other
        span = self.upper - self.lower + 1
        return 0 < (one - other) % span < span / 2

    def bumped(self, number: int, by: int) -> int | None:
        """The number `by` further on; None where the agreement has none left."""
        if number + by <= self.upper:
            return number + by
        span = self.upper - self.lower + 1
        return self.lower + (number + by - self.lower) % span if self.rolls else None


def carried(kind: str, properties: dict, vault: str) -> dict | str:
    """The artifact's properties as the other account has to have them, without any content.

    A sentence where a certificate's key has no vault there: key material is never carried.
    """
    kept = lasting(kind, properties)
    if kind != "certificates" or "key" not in kept:
        return kept
    if not vault:
        return "its private key stays in its vault, and the plan names no vault of this location"
    # The version is another one in every vault: without it the newest counts.
    kept["key"] = {"keyName": kept["key"].get("keyName"), "keyVault": {"id": vault}}
    return kept


def lasting(kind: str, properties: dict) -> dict:
    """The properties but for what ARM adds, and for a content that is listed by its link."""
    gone = VOLATILE | LINKED if kind in WITH_CONTENT else VOLATILE
    return {k: v for k, v in properties.items() if k not in gone and v is not None}


def lags(theirs: dict[str, Rows], mine: dict[str, Rows], vault: str, declared: list[str]) -> dict:
    """{"copy": {"kind/name": properties}, "stuck": sentences, "extra": names only `mine` has}.

    `declared`: patterns of "kind/name" that differ on purpose and are left alone.
    """
    copy: Rows = {}
    stuck: list[str] = []
    extra: list[str] = []
    for kind in KINDS:
        here, there = mine.get(kind, {}), theirs.get(kind, {})
        extra += [f"{kind}/{name}" for name in sorted(here.keys() - there.keys())]
        for name, properties in sorted(there.items()):
            wanted = carried(kind, properties, vault)
            if isinstance(wanted, str):
                stuck.append(f"{kind}/{name}: {wanted}")
            elif name not in here or shape(kind, here[name]) != shape(kind, properties, wanted):
                copy[f"{kind}/{name}"] = wanted

    def told(path: str) -> bool:
        return any(fnmatchcase(path, pattern) for pattern in declared)

    return {
        "copy": {path: body for path, body in copy.items() if not told(path)},
        "stuck": [one for one in stuck if not told(one.partition(":")[0])],
        "extra": [path for path in extra if not told(path)],
    }


def shape(kind: str, properties: dict, wanted: dict | None = None) -> tuple:
    """What counts when two artifacts are compared; a content counts by its hash."""
    kept = lasting(kind, wanted or properties)
    if "key" in kept:
        vault = (kept["key"].get("keyVault") or {}).get("id", "")
        kept["key"] = (kept["key"].get("keyName"), str(vault).lower())
    return kept, content_mark(properties) if kind in WITH_CONTENT else None


def content_mark(properties: dict) -> str | None:
    """The hash of a content that is listed by link, or its size; None: neither is said."""
    link = properties.get("contentLink") or {}
    found = (link.get("contentHash") or {}).get("value") or link.get("contentSize")
    return str(found) if found is not None else None


def ranges(agreements: Rows) -> dict[tuple[str, str], Range]:
    """(agreement in lower case, ICN | GCN | TSCN) -> what it may send."""
    found: dict[tuple[str, str], Range] = {}
    for name, properties in agreements.items():
        for protocol, settings in (properties.get("content") or {}).items():
            if protocol.lower() not in NUMBERED or not isinstance(settings, dict):
                continue
            sends = (settings.get("sendAgreement") or {}).get("protocolSettings") or {}
            envelope = sends.get("envelopeSettings") or {}
            for number, word in BOUNDS.items():
                found[name.lower(), number] = Range(
                    int(envelope.get(f"{word}ControlNumberLowerBound", Range.lower)),
                    int(envelope.get(f"{word}ControlNumberUpperBound", Range.upper)),
                    envelope.get(f"rollover{word[0].upper()}{word[1:]}ControlNumber") is True,
                )
    return found


def range_of(session: str, known: dict[tuple[str, str], Range]) -> Range | None:
    """The range of a session of generated numbers; None for any other session."""
    found = GENERATED.fullmatch(session)
    if not found:
        return None
    return known.get((found.group(1).lower(), found.group(2).upper()), Range())


def number_of(content: object) -> int | None:
    """The control number in a session's content."""
    if not isinstance(content, dict):
        return None
    text = next((v for k, v in content.items() if str(k).lower() == "controlnumber"), None)
    return int(str(text)) if str(text).isdecimal() else None


def numbered(content: object, number: int, at: str) -> dict:
    """The content with another number, as wide as the old one, changed `at`."""
    kept = dict(cast("dict", content)) if isinstance(content, dict) else {}
    old = next((v for k, v in kept.items() if str(k).lower() == "controlnumber"), "")
    kept = {k: v for k, v in kept.items() if str(k).lower() != "controlnumber"}
    text = str(number).zfill(len(str(old)))
    return {**kept, "ControlNumber": text, "ControlNumberChangedTime": at}


def late(theirs: Rows, mine: Rows, known: dict[tuple[str, str], Range]) -> dict[str, object]:
    """session -> content to copy; generated numbers first, and never backwards."""
    first: dict[str, object] = {}
    rest: dict[str, object] = {}
    for name, properties in sorted(theirs.items()):
        content, own = properties.get("content"), mine.get(name, {}).get("content")
        span, there, here = range_of(name, known), number_of(content), number_of(own)
        if span is None or there is None:
            if name not in mine or content != own:
                rest[name] = content
        elif here is None or span.ahead(there, here):
            first[name] = content
    return {**first, **rest}


def beyond(theirs: Rows, mine: Rows, known: dict[tuple[str, str], Range]) -> list[str]:
    """Sessions whose number here is further on than where the plan is active."""
    found = []
    for name, properties in sorted(mine.items()):
        span, here = range_of(name, known), number_of(properties.get("content"))
        there = number_of(theirs.get(name, {}).get("content"))
        if span and here is not None and there is not None and span.ahead(here, there):
            found.append(name)
    return found


def floors(mine: Rows, agreements: Rows, by: int) -> tuple[dict[str, int], list[str]]:
    """(session -> the number from which this location may go on, sessions that have none left).

    An agreement that was never seen sending may have sent since: its interchanges begin `by`
    further on too.
    """
    known = ranges(agreements)
    wanted: dict[str, int] = {}
    spent: list[str] = []
    begun = {name.lower() for name in mine}
    able = [name for name in agreements if (name.lower(), "ICN") in known]
    fresh = [f"{name}-ICN" for name in able if f"{name.lower()}-icn" not in begun]
    for name in [*sorted(mine), *sorted(fresh)]:
        span = range_of(name, known)
        here = number_of(mine[name].get("content")) if name in mine else span and span.lower
        if span is None or here is None:
            continue
        raised = span.bumped(here, by)
        if raised is None:
            spent.append(name)
        else:
            wanted[name] = raised
    return wanted, spent


def raises(
    floors: dict[str, int], mine: Rows, known: dict[tuple[str, str], Range], at: str
) -> dict:
    """session -> content that brings it up to its floor; what is there or beyond is left alone."""
    found: dict[str, dict] = {}
    for name, floor in floors.items():
        content = mine.get(name, {}).get("content")
        here, span = number_of(content), range_of(name, known) or Range()
        if here is None or span.ahead(floor, here):
            found[name] = numbered(content, floor, at)
    return found
