"""The world: what exists, what is lost, who can reach whom. The only truth of the rehearsal.

ARM writes it, the data planes read it, and the control API breaks it. One process, one event
loop: nothing here locks.
"""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from rehearsal.journal import Journal
from rehearsal.runtimes import Blobs, Buses, IdleWorkflows, MemoryBlobs, NoBuses, WorkflowRuntime

SCOPES = ("arm", "data", "functions", "servicebus", "storage", "network")
ALL = frozenset(SCOPES)
GROUP_TYPE = "Microsoft.Resources/resourceGroups"
SUBSCRIPTION_TYPE = "Microsoft.Resources/subscriptions"


def normal(location: str) -> str:
    """`West Europe` and `westeurope` are one location."""
    return location.replace(" ", "").lower()


def type_of(id: str) -> str:
    """`Microsoft.Logic/workflows` from a resource id; also of groups and subscriptions."""
    head, marker, tail = re.sub(r"/providers/", "/providers/", id, flags=re.I).rpartition(
        "/providers/"
    )
    parts = (tail if marker else id).strip("/").split("/")
    if marker:
        return "/".join([parts[0], *parts[1::2]])
    return GROUP_TYPE if len(parts) == 4 else SUBSCRIPTION_TYPE


def parent_of(id: str) -> str:
    """The id one level up: a child's resource, a resource's group, a group's subscription."""
    parts = id.rstrip("/").split("/")
    cut = 4 if len(parts) > 4 and parts[-4].lower() == "providers" else 2
    return "/".join(parts[:-cut])


@dataclass
class Resource:
    """One emulated ARM resource; `body` is its ARM JSON without id, type and name."""

    id: str
    type: str
    name: str
    body: dict
    etag: str
    created_at: datetime
    changed_at: datetime
    table: "ResourceTable" = field(repr=False)

    @property
    def properties(self) -> dict:
        """The `properties` of the body, made when absent."""
        return self.body.setdefault("properties", {})

    @property
    def location(self) -> str:
        """Where it is: its own location, else its parent's, else its resource group's."""
        own = self.body.get("location")
        if own:
            return normal(own)
        parent = self.table.get(parent_of(self.id)) if self.type != SUBSCRIPTION_TYPE else None
        return parent.location if parent else ""

    @property
    def group(self) -> str:
        """The name of its resource group, lower case; empty for a subscription."""
        parts = self.id.split("/")
        return parts[4].lower() if len(parts) > 4 else ""

    def shown(self) -> dict:
        """The whole ARM JSON."""
        return {"id": self.id, "type": self.type, "name": self.name, **self.body}


class ResourceTable:
    """Every resource by id. Ids are kept as given and found without regard to case."""

    def __init__(self, clock: Callable[[], datetime], chance: random.Random) -> None:
        self._rows: dict[str, Resource] = {}
        self._clock, self._chance = clock, chance
        self.heard: list[Callable[[str], None]] = []  # Who is told the id of whatever changes.

    def __iter__(self) -> Iterator[Resource]:
        return iter(list(self._rows.values()))

    def get(self, id: str) -> Resource | None:
        """The resource with this id, or None."""
        return self._rows.get(id.rstrip("/").lower())

    def place(self, id: str, body: dict) -> Resource:
        """Create a resource, or replace the body of the one that is there (id keeps its case)."""
        now, key, known = self._clock(), id.rstrip("/").lower(), self.get(id)
        etag = f"{self._chance.getrandbits(64):016X}"
        if known is not None:
            known.body, known.etag, known.changed_at = body, etag, now
            self._tell(key)
            return known
        clean = id.rstrip("/")
        fresh = Resource(clean, type_of(clean), clean.split("/")[-1], body, etag, now, now, self)
        self._rows[key] = fresh
        self._tell(key)
        return fresh

    def touch(self, resource: Resource) -> None:
        """Give a resource that was changed in place a new etag and time."""
        resource.etag = f"{self._chance.getrandbits(64):016X}"
        resource.changed_at = self._clock()
        self._tell(resource.id)

    def remove(self, id: str) -> None:
        """Take a resource away with everything under it."""
        key = id.rstrip("/").lower()
        for gone in [k for k in self._rows if k == key or k.startswith(key + "/")]:
            del self._rows[gone]
        self._tell(key)

    def _tell(self, id: str) -> None:
        for tell in self.heard:
            tell(id)

    def under(self, parent_id: str, type: str) -> list[Resource]:
        """The resources of one type anywhere under a parent, oldest first."""
        prefix, kind = parent_id.rstrip("/").lower() + "/", type.lower()
        return [r for k, r in self._rows.items() if k.startswith(prefix) and r.type.lower() == kind]

    def of_type(self, type: str) -> list[Resource]:
        """Every resource of one type."""
        return [r for r in self._rows.values() if r.type.lower() == type.lower()]


@dataclass
class Location:
    """A region and what of it is lost."""

    name: str
    outages: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Address:
    """Where a host name answers: a loopback port, the region it stands in, the scope it is in."""

    port: int
    location: str
    scope: str


class Faults:
    """Faults asked for by the control API: `{"match", "effect", "times"?}`, first match wins."""

    def __init__(self) -> None:
        self.rows: list[dict] = []

    def add(self, fault: dict) -> None:
        """Add a fault; a bad regular expression in `match.path` raises re.error here."""
        re.compile(fault.get("match", {}).get("path", ""))
        self.rows.append({"match": {}, "effect": {}, **fault})

    def clear(self) -> None:
        """Forget every fault."""
        self.rows.clear()

    def take(self, method: str, path: str, location: str, source: str | None) -> dict | None:
        """The effect for this request, using one of its `times`; None when no fault matches."""
        for row in self.rows:
            match = row["match"]
            wrong = (
                match.get("method", method).upper() != method.upper()
                or not re.search(match.get("path", ""), path, re.IGNORECASE)
                or normal(match.get("location", location)) != normal(location)
                or match.get("from", source) != source
            )
            if wrong:
                continue
            if row.get("times") is not None:
                row["times"] -= 1
                if row["times"] <= 0:
                    self.rows.remove(row)
            return row["effect"]
        return None


@dataclass
class World:
    """Everything that is emulated and everything that is wrong with it."""

    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    seed: int = 1
    subscription_id: str = "00000000-0000-4000-8000-000000000001"
    tenant_id: str = "00000000-0000-4000-8000-0000000000aa"
    witness_location: str = ""
    latency_seconds: float = 0.1
    hold_seconds: float = 20.0  # How long a request to a lost region is held before it fails.
    poll_seconds: int = 1  # The Retry-After of a long-running operation.
    refuse_when_cut: bool = False  # Close what is cut at once instead of swallowing it.
    timings: dict[str, float] = field(
        default_factory=lambda: {
            "apim_backup_seconds": 4.0,
            "apim_restore_seconds": 8.0,
            "apim_create_seconds": 3.0,
            "settle_seconds": 0.5,
            "site_restart_seconds": 2.0,
        }
    )
    locations: dict[str, Location] = field(default_factory=dict)
    partitions: set[frozenset[str]] = field(default_factory=set)
    faults: Faults = field(default_factory=Faults)
    journal: Journal = field(default_factory=Journal)
    hosts: dict[str, Address] = field(default_factory=dict)
    principals: dict[str, tuple[str, str]] = field(default_factory=dict)
    roles_enforced: bool = False  # Else everyone whom this world knows may do everything.
    permitted: set[str] = field(default_factory=set)  # Actions that a role has let somebody do.
    stopped: set[str] = field(default_factory=set)  # Where the app does not run from the start.
    clock_seconds: dict[str, float] = field(default_factory=dict)  # How far an app's clock is off.
    effects: list[dict] = field(default_factory=list)
    workflows: WorkflowRuntime = field(default_factory=IdleWorkflows)
    blobs: Blobs = field(default_factory=MemoryBlobs)
    buses: Buses = field(default_factory=NoBuses)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.resources = ResourceTable(self.clock, self.random)

    @property
    def now(self) -> datetime:
        """The time of the world, UTC."""
        return self.clock()

    def uuid(self) -> str:
        """A UUID from the world's seed."""
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def principal(self, name: str, location: str) -> str:
        """The object id of a principal, made known here when it is not yet."""
        known = [oid for oid, who in self.principals.items() if who == (name, location)]
        oid = known[0] if known else self.uuid()
        self.principals[oid] = (name, location)
        return oid

    def lose(self, location: str, scopes: frozenset[str] | set[str] | list[str] = ALL) -> None:
        """Take scopes of a location down (by default all of it); an unknown scope is refused."""
        unknown = set(scopes) - ALL
        if unknown:
            raise ValueError(f"unknown scopes: {', '.join(sorted(unknown))}")
        self.locations.setdefault(location, Location(location)).outages |= set(scopes)

    def recover(self, location: str, scopes: frozenset[str] | set[str] | list[str] = ALL) -> None:
        """These scopes of a location (by default everything) work again."""
        self.locations.setdefault(location, Location(location)).outages -= set(scopes)

    def cut(self, a: str, b: str) -> None:
        """Two places no longer see each other: locations, `witness`, `internet`, `callers`.

        `callers` is who calls from outside; `internet` is that and ARM, controls and partners.
        """
        self.partitions.add(frozenset((a, b)))

    def heal(self) -> None:
        """Every place sees every other again."""
        self.partitions.clear()

    def up(self, location: str, scope: str) -> bool:
        """Is this scope of a location working? A `network` outage takes everything with it."""
        known = self.locations.get(normal(location))
        return known is None or not known.outages & {scope, "network"}

    def reaches(self, source: str | None, location: str, scope: str) -> bool:
        """May `source` (None: the world outside) reach this scope of a location now?"""
        if source is not None and not self.up(source, "network"):
            return False
        if not self.up(location, scope):
            return False
        ends = self._names(source), self._names(location)
        return not any(frozenset((a, b)) in self.partitions for a in ends[0] for b in ends[1])

    def _names(self, place: str | None) -> set[str]:
        """The names under which a partition may mean this place."""
        if place is None:
            return {"internet", "callers"}
        if place not in self.locations:
            return {"internet"}
        return {place, "witness"} if place == self.witness_location else {place}
