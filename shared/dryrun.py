"""Dry run: what a failover would call and change, from what the observers see now.

Named is what changes something, and the hooks; what a run only reads is left out.
"""

from shared import overlay
from shared.plan import Plan
from shared.slip import ROUTES

LOGIC = "2019-05-01"
APIM = "2024-05-01"
TRAFFIC = "2022-04-01"
EXTERNAL = "externalEndpoints"
SAME = "stay as it is"


def order(plan: Plan, to: str, mode: str) -> list[dict]:
    """Every act of a run in its order: {"stage", "verb", "component", "location"}."""
    acts: list[dict] = []
    for stage in ROUTES[mode]:
        if stage in ("fence", "quiesce"):
            away = plan.other(to)
            acts += [
                {"stage": stage, "verb": "demote", "component": name, "location": away}
                for name in plan.exclusive(away)
            ]
            continue
        acts += [
            {"stage": stage, "verb": "promote", "component": name, "location": to}
            for wave in plan.waves(stage, to)
            for name in wave
        ]
    return acts


def difference(act: dict, part: dict, seen: dict) -> dict:
    """One act with what is seen now, what it would be, and the exact calls that would be sent.

    `seen`: the outcome of the kind's `observe`; with `calls` (verb -> requests) it names them
    itself, and `would` says what comes of them.
    """
    wanted = act["verb"] == "promote"
    known = seen["status"] == "succeeded"
    same = known and seen.get("serving") == wanted
    named = CALLS.get(part["kind"], seen_calls)
    would = seen.get("would", OUTCOMES.get((part["kind"], act["verb"]), "be called"))
    return {
        **act,
        "kind": part["kind"],
        "seen": seen["because"],
        "would": SAME if same else would,
        "calls": [] if same else named(act, part, seen),
    }


OUTCOMES = {
    ("logicWorkflow", "promote"): "be Enabled",
    ("logicWorkflow", "demote"): "be Disabled",
    ("apiManagement", "promote"): "have this location's overlay",
    ("trafficManager", "promote"): "send callers here only",
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
