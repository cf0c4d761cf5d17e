"""Verdict: what several kinds of observers together say about the active location.

No clock and no socket: observations, controls and the previous verdict come in, a word with its
reason comes out. Only `lost` may ever act, and one kind of observer never makes it.

Kinds differ in what their word is worth. `health` and `gateway` ask the data plane directly: one
of them answering well ends every doubt. `trafficManager` sees the data plane too, but late by its
interval times its tolerated failures, so its "Online" is no comfort while the direct ones fail,
and its "Degraded" is evidence. `lease` is the active side's own word: while it is renewed the
location lives, whatever the data plane does, and a person must decide. `controlPlane` says whether
anything there can be changed, not whether it serves: it never counts towards a loss, nor against.
"""

from datetime import datetime

DIRECT = ("health", "gateway")
LAGGING = ("trafficManager",)
LEASE = "lease"
CONTROL = "controlPlane"
KINDS_MIN = 2  # Confirmed by at least two kinds of observers.
STALE_ROUNDS = 6  # A count from before a long silence of the watchdog itself is worth nothing.
TROUBLE = ("suspect", "lost")
BECAUSE_MAX = 300

# (how many kinds fail: none, the control plane alone, one, several), (who says well: direct, lease,
# late, nobody) -> state. Only `lost` may act.
JUDGED: dict[tuple[str, str], str] = {
    ("none", "direct"): "healthy",
    ("none", "lease"): "healthy",
    ("none", "late"): "healthy",
    ("none", "nobody"): "inconclusive",
    ("control", "direct"): "controlPlaneOnly",
    ("control", "lease"): "degraded",
    ("control", "late"): "degraded",
    ("control", "nobody"): "inconclusive",
    ("one", "direct"): "degraded",
    ("one", "lease"): "degraded",
    ("one", "late"): "degraded",
    ("one", "nobody"): "inconclusive",
    ("several", "direct"): "degraded",
    ("several", "lease"): "suspect",
    ("several", "late"): "lost",
    ("several", "nobody"): "lost",
}
MEANS: dict[str, str] = {
    "healthy": "the active location answers",
    "degraded": "something fails, but not everything",
    "controlPlaneOnly": "its workload answers, but nothing can be changed there",
    "suspect": "it may be lost",
    "lost": "it is lost",
    "isolated": "this location reaches nothing at all: it is me",
    "inconclusive": "too little is known",
}


def judge(
    observations: list[dict],
    controls: list[dict],
    previous: dict | None,
    watch: dict,
    now: datetime,
) -> dict:
    """The verdict of one round.

    `observations`: {"kind", "ok": true | false | null, "because", ...}; `controls`: {"name",
    "ok", "because"}; `previous`: the last verdict; `watch`: the plan's, with everySeconds, rounds.
    Gives {"state", "because", "since", "rounds", "kinds", "at"}: `rounds` counts how long in a row
    loss is suspected, `kinds` are those that fail and count, `since` is when this state, or for a
    loss its first suspicion, began.
    """
    failing = [kind for kind in kinds_that(observations, False) if kind != CONTROL]
    state = concluded(observations, controls, failing)
    rounds = counted(state, previous, watch, now)
    if state == "lost" and rounds < watch["rounds"]:
        state = "suspect"
    return {
        "state": state,
        "because": reason(state, observations, controls, rounds, watch["rounds"]),
        "since": began(state, previous, rounds, now),
        "rounds": rounds,
        "kinds": failing,
        "at": now.isoformat(),
    }


def kinds_that(observations: list[dict], ok: bool) -> list[str]:
    """The kinds that say so; a kind that contradicts itself is taken at its best word."""
    well = {o["kind"] for o in observations if o["ok"] is True}
    ill = {o["kind"] for o in observations if o["ok"] is False} - well
    return sorted(well if ok else ill)


def concluded(observations: list[dict], controls: list[dict], failing: list[str]) -> str:
    """What this round alone says."""
    well = kinds_that(observations, True)
    if controls and not any(c["ok"] for c in controls):
        return "isolated"
    return JUDGED[counting(observations, failing), best(well)]


def counting(observations: list[dict], failing: list[str]) -> str:
    """How many kinds fail; the control plane counts only where nothing else does."""
    if failing:
        return "one" if len(failing) < KINDS_MIN else "several"
    return "control" if CONTROL in kinds_that(observations, False) else "none"


def best(well: list[str]) -> str:
    """The weightiest of the kinds that say all is well."""
    if set(well) & set(DIRECT):
        return "direct"
    if LEASE in well:
        return LEASE
    return "late" if set(well) & set(LAGGING) else "nobody"


def counted(state: str, previous: dict | None, watch: dict, now: datetime) -> int:
    """For how many rounds in a row, this one included, loss has been suspected."""
    if state not in TROUBLE:
        return 0
    if previous is None or previous["state"] not in TROUBLE:
        return 1
    silence = (now - datetime.fromisoformat(previous["at"])).total_seconds()
    if silence > STALE_ROUNDS * watch["everySeconds"]:
        return 1
    return previous["rounds"] + 1


def began(state: str, previous: dict | None, rounds: int, now: datetime) -> str:
    if previous is None:
        return now.isoformat()
    same = rounds > 1 if state in TROUBLE else previous["state"] == state
    return previous["since"] if same else now.isoformat()


def reason(
    state: str, observations: list[dict], controls: list[dict], rounds: int, rounds_needed: int
) -> str:
    """One sentence with what was seen; never empty."""
    if state == "isolated":
        seen = "; ".join(f"{c['name']}: {c['because']}" for c in controls)
    else:
        seen = "; ".join(f"{o['kind']}: {said(o)}" for o in observations) or "nobody was asked"
    held = f" (round {rounds} of {rounds_needed})" if state in TROUBLE else ""
    return f"{MEANS[state]}{held}: {seen}"


def said(observation: dict) -> str:
    word = {True: "ok", False: "failing", None: "no answer either way"}[observation["ok"]]
    because = str(observation.get("because") or "")[:BECAUSE_MAX]
    return f"{word}, {because}" if because else word
