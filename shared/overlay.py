"""Overlay: what a gateway must have of its own, item by item, and what still leads elsewhere.

Pure. A restore makes a gateway exactly like the one it came from. An overlay's backends and named
values are in the plan, those of secrets as references into a vault; its callbacks are read anew
from the location's own workflows, the base of a callback URL into a backend and its signature into
a secret named value, as an import of a Logic App does; its pools say where callers go first, and
where in reserve.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from shared import flow_runs, named_values, own_hosts

READ = "(read from the workflow)"
SECRET = "(a secret, read from the workflow)"


class Item(NamedTuple):
    """One item of an overlay: its path below the gateway, and the properties that it must have."""

    path: str
    values: dict


def linked(part: dict, flow_of: Callable[[str, str], dict]) -> dict:
    """The component, each callback with where its workflow in the overlay's own location has its
    triggers: the id of a Consumption one, a Standard one's path through its site."""
    for place in part.get("overlay", {}):
        for link in callbacks(part, place).values():
            link["resource"] = flow_runs.root(flow_of(link["workflow"], place))
    return part


def led_to(part: dict) -> list[str]:
    """The workflows that a component's callbacks lead to, in any location."""
    places = part.get("overlay", {})
    return [link["workflow"] for place in places for link in callbacks(part, place).values()]


def callbacks(part: dict, location: str) -> dict[str, dict]:
    """backend -> the callback that it is to lead to, of a location's overlay."""
    return part.get("overlay", {}).get(location, {}).get("callbacks", {})


def items(part: dict, location: str, links: dict[str, dict]) -> list[Item]:
    """Everything that the gateway of `location` must have; pools last, they name backends.

    `links`: backend -> {"url", "sig"} of its callback.
    """
    laid = part.get("overlay", {}).get(location, {})
    found = [Item(f"backends/{n}", dict(b)) for n, b in laid.get("backends", {}).items()]
    found += [
        Item(f"namedValues/{n}", named_values.properties(v))
        for n, v in laid.get("namedValues", {}).items()
    ]
    for name, link in laid.get("callbacks", {}).items():
        read = links[name]
        found.append(
            Item(f"namedValues/{link['namedValue']}", {"value": read["sig"], "secret": True})
        )
        found.append(Item(f"backends/{name}", {"url": read["url"]}))
    for name, members in laid.get("pools", {}).items():
        rows = [
            {"id": f"{part['resource']}/backends/{m['backend']}"}
            | {key: m[key] for key in ("weight", "priority") if key in m}
            for m in members
        ]
        found.append(Item(f"backends/{name}", {"type": "Pool", "pool": {"services": rows}}))
    return found


def shown(part: dict, location: str) -> dict[str, dict]:
    """path -> body of every item, as people may see it: values of the plan's stay in the plan."""
    named = {name: {"url": READ, "sig": SECRET} for name in callbacks(part, location)}
    return {
        item.path: item.values
        if item.path.startswith("backends/") or item.values.get("secret")
        else {"value": "(from the plan)"}
        for item in items(part, location, named)
    }


def link_of(answer: dict, up_to: str) -> dict | None:
    """{"url", "sig"} in what listCallbackUrl answered; None where it is no signed URL.

    Consumption's path is /workflows/{id}/triggers/{trigger}/paths/invoke, Standard's, on its site's
    own host, /api/{workflow}/triggers/{trigger}/invoke (Azure/logicapps issue 129). `up_to`:
    "triggers", the base that Azure's own import of a Logic App takes, or "invoke".
    """
    base, sig = answer.get("basePath"), (answer.get("queries") or {}).get("sig")
    if not isinstance(base, str) or not isinstance(sig, str) or "/triggers/" not in base:
        return None
    cut = base.partition("/triggers/")[0] + "/triggers" if up_to == "triggers" else base
    return {"url": cut, "sig": sig}


def differs(known: dict, values: dict) -> bool:
    """Is an item, as ARM shows it, other than it must be?"""
    return any(settled(known.get(key)) != settled(value) for key, value in values.items())


def settled(value: object) -> object:
    """A pool's members by name, whatever their order and the case of their ids; of a reference
    into a vault what the plan says of it."""
    if isinstance(value, dict) and "secretIdentifier" in value:
        return named_values.compared(value)
    if not isinstance(value, dict) or "services" not in value:
        return value
    return sorted(
        (str(row["id"]).lower().rpartition("/")[2], row.get("priority"), row.get("weight"))
        for row in value["services"]
    )


def owned(part: dict) -> dict[str, dict]:
    """{"backends": {name: ...}, "namedValues": {...}}: what any location's overlay sets."""
    merged: dict[str, dict] = {"backends": {}, "namedValues": {}}
    for location in part.get("overlay", {}):
        for path, body in shown(part, location).items():
            kind, _, name = path.partition("/")
            merged[kind][name] = body
    return merged


def foreign(
    part: dict, location: str, rows: list[dict], but: frozenset[str] | set[str] = frozenset()
) -> list[str]:
    """What of a gateway's backends leads callers of `location` to another one, a sentence each.

    Theirs is what the overlay of another location leads to and whatever is known to answer there
    (`hosts` of the component, location by location), unless it is this location's too. A member of
    a pool that only stands in for others (of lower priority) leads nobody there, nor does one whose
    pool the overlay makes so. `but`: backends that are not asked about.
    """
    overlays = part.get("overlay", {})
    others = sorted((part.get("backups", {}).keys() | overlays.keys()) - {location})
    theirs = {url for place in others for url in _urls(part, place)} - _urls(part, location)
    hosts = {host for place in others for host in _hosts(part, place)} - _hosts(part, location)
    pools = overlays.get(location, {}).get("pools", {})
    spared = reserves([row for row in rows if row["name"] not in pools] + _declared(pools))
    found = []
    for row in rows:
        url = str(row.get("properties", {}).get("url") or "").rstrip("/").lower()
        if row["name"].lower() in spared or row["name"] in but or not url:
            continue
        known = url in theirs or own_hosts.host(url) in hosts
        if known or any(lies_in(url, place) for place in others):
            found.append(f"backend {row['name']} still points at the other location")
    return found


def _declared(pools: dict[str, list[dict]]) -> list[dict]:
    """An overlay's pools as ARM would show them."""
    return [
        {
            "name": name,
            "properties": {"pool": {"services": [{**m, "id": m["backend"]} for m in members]}},
        }
        for name, members in pools.items()
    ]


def reserves(rows: list[dict]) -> set[str]:
    """The backends that stand in for others in every pool that they are in, in lower case."""
    first: set[str] = set()
    later: set[str] = set()
    for row in rows:
        services = (row.get("properties", {}).get("pool") or {}).get("services") or []
        best = min((s.get("priority", 0) for s in services), default=0)
        for service in services:
            name = str(service["id"]).lower().rpartition("/")[2]
            (first if service.get("priority", 0) == best else later).add(name)
    return later - first


def lies_in(url: str, location: str) -> bool:
    """Does the host of a URL name this region, as those of Logic Apps and new sites do?"""
    labels = own_hosts.host(url).split(".")
    return any(one == location or one.startswith(f"{location}-") for one in labels)


def _urls(part: dict, location: str) -> set[str]:
    laid = part.get("overlay", {}).get(location, {})
    return {row["url"].rstrip("/").lower() for row in laid.get("backends", {}).values()}


def _hosts(part: dict, location: str) -> set[str]:
    known = part.get("hosts", {}).get(location, [])
    return {*known, *(own_hosts.host(url) for url in _urls(part, location))}


def problems(path: str, part: dict, flows: set[str]) -> Iterator[str]:
    """What is wrong with a gateway's callbacks and pools; `flows`: the plan's workflows."""
    overlay = part.get("overlay")
    for place, laid in overlay.items() if isinstance(overlay, dict) else ():
        laid = laid if isinstance(laid, dict) else {}
        where = f"{path}.overlay.{place}"
        known = {key: found if isinstance(found := laid.get(key), dict) else {} for key in PARTS}
        for name, link in known["callbacks"].items():
            link = link if isinstance(link, dict) else {}
            if link.get("workflow") not in flows:
                told = f"there is no {' or '.join(flow_runs.KINDS)} {link.get('workflow')}"
                yield f"{where}.callbacks.{name}.workflow: {told}"
            if name in known["backends"] or link.get("namedValue") in known["namedValues"]:
                yield f"{where}.callbacks.{name}: the overlay gives it a value of its own too"
        for name in known["pools"]:
            if name in known["backends"] or name in known["callbacks"]:
                yield f"{where}.pools.{name}: the overlay gives it a URL too"


PARTS = ("backends", "namedValues", "callbacks", "pools")
