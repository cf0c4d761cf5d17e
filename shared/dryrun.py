"""Dry run: what a failover would call and change, from what the observers see now.

Named is what changes something, and the hooks; what a run only reads is left out. What hangs on a
state that will only be there later is said in words, with the condition.
"""

from shared import overlay, roles
from shared.kinds import KINDS
from shared.plan import Plan
from shared.slip import ROUTES

LOGIC = "2019-05-01"
APIM = "2024-05-01"
TRAFFIC = "2022-04-01"
EXTERNAL = "externalEndpoints"
SAME = "stay as it is"
# What comes of these is their observer's to say: `serving` is no word on it.
OWN_WORDS = ("transfer", "protect")


def order(plan: Plan, to: str, mode: str) -> list[dict]:
    """Every act of a run in its order: {"stage", "verb", "component", "location"}."""
    away, acts = plan.other(to), []
    for stage in ROUTES[mode]:
        if stage in ("fence", "quiesce"):
            acts += [_act(stage, "demote", name, away) for name in plan.exclusive(away)]
        if stage == "quiesce":
            acts += [_act(stage, "transfer", name, to) for name in remembering(plan)]
        elif stage == "protect":
            acts += [_act(stage, "protect", name, away) for name in protected(plan)]
        elif stage != "fence":
            names = [name for wave in plan.waves(stage, to) for name in wave]
            acts += [_act(stage, "promote", name, to) for name in names]
    return acts


def _act(stage: str, verb: str, component: str, location: str) -> dict:
    return {"stage": stage, "verb": verb, "component": component, "location": location}


def remembering(plan: Plan) -> list[str]:
    """The components whose triggers' memory a graceful run carries over."""
    movers = set(plan.movers())
    return [
        part.name
        for part in plan.components
        if "transfer" in KINDS[part.kind]
        and part.name in movers
        and roles.state(getattr(part, "trigger", ""))["worth"]
    ]


def protected(plan: Plan) -> list[str]:
    """What `protect` does more to than to stop it, and at last the gateway with its pipeline."""
    parts = [part.name for part in plan.components if own_protect(part.kind)]
    gateway = plan.gateway()
    return [*parts, gateway] if gateway else parts


def own_protect(kind: str) -> bool:
    """Is this kind's `protect` something else than its `demote`, which the fence shows?"""
    verbs = KINDS[kind]
    stops = verbs["demote"].activity if "demote" in verbs else None
    return "protect" in verbs and verbs["protect"].activity != stops


def difference(act: dict, part: dict, seen: dict) -> dict:
    """One act with what is seen now, what it would be, and the exact calls that would be sent.

    `seen`: the outcome of the kind's `observe`; with `calls` (verb -> requests) it names them
    itself, and `would` says what comes of them.
    """
    wanted, own = act["verb"] == "promote", act["verb"] in OWN_WORDS
    known = seen["status"] == "succeeded"
    same = known and not own and seen.get("serving") == wanted
    named = seen_calls if own else CALLS.get(part["kind"], seen_calls)
    would = seen.get("would", OUTCOMES.get((part["kind"], act["verb"]), "be called"))
    return {
        **act,
        "kind": part["kind"],
        "seen": seen["because"],
        "would": SAME if same else would,
        "calls": [] if same else named(act, part, seen),
    }


REMOVED = "DELETE {} and PUT the pairing with the namespace that serves"
OUTCOMES = {
    ("logicWorkflow", "promote"): "be Enabled",
    ("logicWorkflow", "demote"): "be Disabled",
    ("apiManagement", "promote"): "have this location's overlay",
    ("trafficManager", "promote"): "send callers here only",
    # Of what cannot be looked at now.
    ("logicWorkflow", "transfer"): "go on where its source stopped, if that answers then: "
    "POST setState for each trigger that both have",
    ("serviceBusAlias", "protect"): "be the secondary of the alias, if it answers then: "
    + REMOVED.format("the queues and topics that are left in it"),
    ("eventHubsAlias", "protect"): "be the secondary of the alias, if it answers then: "
    + REMOVED.format("the event hubs that are left in it"),
    ("storageAccount", "protect"): "be geo-redundant again, if a failover has left it without a "
    "copy: PATCH its sku",
    ("cosmosDb", "protect"): "be online again, if the run has taken it offline: POST onlineRegion",
    ("apiManagement", "protect"): "be the standby's gateway, if it answers then: POST a backup of "
    "the one that serves, POST its restore here, PUT the overlay, PATCH what no backup carries",
}


def workflow_calls(act: dict, part: dict, seen: dict) -> list[dict]:
    verb = "enable" if act["verb"] == "promote" else "disable"
    return [call("POST", f"{part['resource']}/{verb}", LOGIC)]


def gateway_calls(act: dict, part: dict, seen: dict) -> list[dict]:
    """What differs from the overlay, in the overlay's order. Values stay in the plan."""
    bodies = overlay.shown(part, act["location"])
    differing = seen.get("differences", bodies)
    return [
        call("PUT", f"{part['resource']}/{path}", APIM, {"properties": body})
        for path, body in bodies.items()
        if path in differing
    ]


def traffic_calls(act: dict, part: dict, seen: dict) -> list[dict]:
    """The endpoint of the location first, then the others: callers always have one.

    Where the profile cannot be seen, every endpoint is named, and as an external one.
    """
    mine = part["endpoints"][act["location"]]
    rows = seen.get("rows", {})
    names = [mine, *sorted(name for name in part["endpoints"].values() if name != mine)]
    return [
        call(
            "PATCH",
            f"{part['resource']}/{rows[name]['kind'] if name in rows else EXTERNAL}/{name}",
            TRAFFIC,
            {"properties": {"endpointStatus": "Enabled" if name == mine else "Disabled"}},
        )
        for name in names
        if name not in rows or rows[name]["enabled"] != (name == mine)
    ]


def seen_calls(act: dict, part: dict, seen: dict) -> list[dict]:
    """What the kind's own observer says that the verb would send."""
    return seen.get("calls", {}).get(act["verb"], [])


def hook_calls(act: dict, part: dict, seen: dict) -> list[dict]:
    # A hook's query may hold a key, and what is shown here is read by more people than may call it.
    setting = part.get("urlSetting")
    url = f"(the URL in {setting})" if setting else part["url"].partition("?")[0]
    return [{"method": part["method"], "url": url}]


CALLS = {
    "logicWorkflow": workflow_calls,
    "apiManagement": gateway_calls,
    "trafficManager": traffic_calls,
    "http": hook_calls,
}


def call(method: str, path: str, version: str, body: dict | None = None) -> dict:
    row: dict = {"method": method, "url": f"{path}?api-version={version}"}
    return {**row, "body": body} if body else row
