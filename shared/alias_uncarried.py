"""What a pairing does not carry over: both namespaces compared, and what lies in the one. Pure.

After service-bus-geo-dr and event-hubs-geo-dr ("Important points to consider"): entities and their
settings follow, nothing that is said of the namespace itself, and no message. Each check is
{"name", "status": "ok" | "warn" | "fail", "because", "fix"}; `mine` is of the secondary, `theirs`
of the primary.
"""

from collections.abc import Iterable

from shared.alias import name_of, shown
from shared.alias_checks import here, row

# By the ids of Azure's built-in roles; others are shown by their own.
ROLES = {
    "090c5cfd-751d-490a-894a-3ce6f1109419": "Azure Service Bus Data Owner",
    "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0": "Azure Service Bus Data Receiver",
    "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39": "Azure Service Bus Data Sender",
    "f526a384-b230-433a-b45c-95f59c4a2dec": "Azure Event Hubs Data Owner",
    "a638d3c7-ab3a-418d-83e6-5f17a39d4fde": "Azure Event Hubs Data Receiver",
    "2b629674-e913-4c01-ae53-ef4638d8f975": "Azure Event Hubs Data Sender",
}
IDENTITY = "ServicePrincipal"  # A person or a group is the same one wherever it works.
STAYS = {  # What is not looked at, and what to do about it.
    "serviceBusAlias": (
        "not carried over by a pairing and not compared: roles given at resource groups and above, "
        "Event Grid subscriptions, autoscale rules, states of sessions, what duplicate detection "
        "remembers",
        "set them up in both namespaces; sessions and duplicate detection begin anew",
    ),
    "eventHubsAlias": (
        "not carried over by a pairing and not counted by ARM: events, and how far consumers have "
        "read, for an offset of the one namespace means nothing in the other; not compared: roles "
        "given at resource groups and above, Event Grid subscriptions",
        "let consumers begin at a time or at the start after a failover, and read the rest from "
        "the namespace that was left; set up the others in both",
    ),
}
# Property of the network rule set -> what it is where none is shown.
OPEN = {
    "defaultAction": "Allow",
    "publicNetworkAccess": "Enabled",
    "trustedServiceAccessEnabled": False,
}
ALIKE = "both namespaces are set up alike"


def there(part: dict) -> str:
    """The name of the other side's namespace."""
    return name_of(part["other"]["resource"])


def not_replicated(part: dict) -> dict:
    """What a person has to see to, because nothing of it can be compared."""
    because, fix = STAYS[part["kind"]]
    return row("notReplicated", "warn", because, fix)


def unseen(name: str, because: str) -> dict:
    """A comparison for which something could not be read."""
    fix = "let the app's identity read it (infra/access.json), or look again when it answers"
    return row(name, "warn", f"cannot be compared: {because}", fix)


def access(part: dict, mine: list[dict], theirs: list[dict]) -> dict:
    """Has who may do something at the primary the same role at the secondary?

    `mine`, `theirs`: properties of role assignments at, above and below each namespace; those above
    count for the secondary and are not asked of it. Whether an identity is each location's own
    cannot be known: one that has the same role in the other's place is taken for it, and told.
    """
    held_here = _placed(mine, part["resource"])
    held_there = _placed(theirs, part["other"]["resource"])
    wanted = [one for one in held_there if one["path"] is not None]
    missing = [one for one in wanted if not _held(one, held_here)]
    own = [one for one in held_here if one["path"] is not None]
    spare = [one for one in own if not _held(one, held_there)]
    lacking, swapped = [], 0
    for one in missing:
        stands_in = next((s for s in spare if _replaces(s, one)), None)
        if stands_in is None:
            lacking.append(one)
        else:
            spare.remove(stands_in)
            swapped += 1
    other = ""
    if swapped:
        other = f"; {swapped} held by another identity here, perhaps this location's own"
    if lacking:
        words = f"at {there(part)} and not here: {shown([_grant(one) for one in lacking])}{other}"
        fix = f"assign these roles at {here(part)} too, or to the identity that works there instead"
        return row("access", "warn", words, fix)
    words = f"{len(wanted) - swapped} role assignments of {there(part)} hold here too{other}"
    return row("access", "ok", words)


def _placed(grants: list[dict], namespace: str) -> list[dict]:
    """Role assignments that apply to a namespace: {"path", "role", "who", "type"}.

    `path`: below the namespace, empty at it itself. None: what is listed for it and is neither is
    above it, whatever its form.
    """
    found = []
    for one in grants:
        scope = str(one.get("scope", "")).rstrip("/").lower()
        inside = scope == namespace.lower() or scope.startswith(f"{namespace.lower()}/")
        known = {
            "path": scope[len(namespace) :] if inside else None,
            "role": name_of(str(one.get("roleDefinitionId", ""))).lower(),
            "who": str(one.get("principalId", "")),
            "type": str(one.get("principalType", "")),
        }
        found.append(known)
    return found


def _held(wanted: dict, placed: list[dict]) -> bool:
    """Is this role held at the same place of a namespace, or anywhere above that place?"""
    same = [one for one in placed if (one["role"], one["who"]) == (wanted["role"], wanted["who"])]
    above = (None, "", wanted["path"])
    return any(one["path"] in above or wanted["path"].startswith(f"{one['path']}/") for one in same)


def _replaces(one: dict, wanted: dict) -> bool:
    same = (one["path"], one["role"]) == (wanted["path"], wanted["role"])
    return same and one["type"] == wanted["type"] == IDENTITY


def _grant(one: dict) -> str:
    where = f" at {one['path'].lstrip('/')}" if one["path"] else ""
    return f"{ROLES.get(one['role'], one['role'])} of {one['type']} {one['who']}{where}".strip()


def networks(part: dict, mine: dict, theirs: dict, rules: tuple[dict, dict]) -> dict:
    """Would the secondary let in whom the primary lets in?

    `mine`, `theirs`: the namespaces as ARM shows them; `rules`: their network rule sets'
    properties. Private endpoints are each namespace's own: only how many are approved is compared.
    """
    own, other = rules
    said = []
    for key, usual in OPEN.items():
        here_is, there_is = _plain(own.get(key), usual), _plain(other.get(key), usual)
        if here_is.lower() != there_is.lower():
            said.append(f"{key} is {there_is} at {there(part)}, {here_is} here")
    said += _apart("address ranges", _ranges(other), _ranges(own), there(part))
    said += _apart("subnets", _subnets(other), _subnets(own), there(part))
    ends, ours = _approved(theirs), _approved(mine)
    if ours < ends:
        said.append(f"{ends} approved private endpoints at {there(part)}, {ours} here")
    fix = f"give {here(part)} the same rules, and private endpoints for the same networks"
    return row("networks", "warn" if said else "ok", "; ".join(said) or ALIKE, fix)


def _plain(value: object, usual: object) -> str:
    return str(usual if value is None else value)


def _ranges(rules: dict) -> set[str]:
    return {str(one.get("ipMask", "")) for one in rules.get("ipRules") or []}


def _subnets(rules: dict) -> set[str]:
    rows = rules.get("virtualNetworkRules") or []
    return {str((one.get("subnet") or {}).get("id", "")).lower() for one in rows}


def _approved(namespace: dict) -> int:
    rows = (namespace.get("properties") or {}).get("privateEndpointConnections") or []
    states = [
        (one.get("properties") or {}).get("privateLinkServiceConnectionState") for one in rows
    ]
    return sum((state or {}).get("status") == "Approved" for state in states)


def _apart(what: str, theirs: set[str], mine: set[str], where: str) -> list[str]:
    found = []
    if theirs - mine:
        found.append(f"{what} let in at {where} only: {_listed(theirs - mine)}")
    if mine - theirs:
        found.append(f"{what} let in here only: {_listed(mine - theirs)}")
    return found


def _listed(names: Iterable[str]) -> str:
    """Some of them; of a subnet's id what tells it: its network's name and its own."""
    tails = ["/".join(one.split("/")[-3:]) if "/subnets/" in one else one for one in names]
    return shown(sorted(tails))


def settings(part: dict, mine: dict, theirs: dict) -> dict:
    """Are the namespaces alike in what is said of them as a whole? Both as ARM shows them."""
    own, other = _settings(mine), _settings(theirs)
    said = [
        f"{what} is {other[what]} at {there(part)}, {own[what]} here"
        for what in other
        if own.get(what) is not None and other[what] is not None and own[what] != other[what]
    ]
    fix = f"set {here(part)} up as {there(part)} is"
    return row("namespace", "warn" if said else "ok", "; ".join(said) or ALIKE, fix)


def _settings(namespace: dict) -> dict[str, object]:
    """What -> its value; None where ARM shows nothing and there is no telling."""
    known = namespace.get("properties") or {}
    inflates = known.get("isAutoInflateEnabled")
    return {
        "local authentication": "off" if known.get("disableLocalAuth") else "on",
        "the lowest TLS version": known.get("minimumTlsVersion"),
        "the identity": (namespace.get("identity") or {}).get("type") or "None",
        "the keys' source": (known.get("encryption") or {}).get("keySource") or "Microsoft",
        "the capacity": (namespace.get("sku") or {}).get("capacity"),
        "auto-inflate": known.get("maximumThroughputUnits") if inflates else "off",
    }


def messages(part: dict, counts: dict[str, int], unread: int) -> dict:
    """What would a failover leave behind? `counts`: queue or topic/subscription -> messages there.

    `unread`: how many topics were not looked into.
    """
    full = {name: count for name, count in counts.items() if count}
    fix = (
        "let a graceful run wait until they are read; after a forced one read them from "
        f"{there(part)} once it answers"
    )
    more = f"; {unread} topics were not looked into" if unread else ""
    if full:
        most = sorted(full, key=lambda name: -full[name])
        told = shown([f"{name} {full[name]}" for name in most])
        words = f"{sum(full.values())} messages lie in {there(part)}: {told}{more}"
        return row("messages", "warn", words, fix)
    words = f"none lies in {len(counts)} queues and subscriptions of {there(part)}{more}"
    return row("messages", "warn" if unread else "ok", words, fix)


def held(properties: dict) -> int:
    """How many messages ARM says that an entity holds, dead letters and scheduled ones too.

    After MessageCountDetails of Microsoft.ServiceBus.
    """
    details = (properties.get("countDetails") or {}).values()
    return max(int(properties.get("messageCount") or 0), sum(int(one or 0) for one in details))
