"""Ledger orders: what people want done with the runs that a failover cut off, each at most once.

    wanted -> intended -> sent | refused | uncertain

`intended` is written down before the request leaves. Who finds it there later does not know
whether the request arrived: only a run history that shows nothing came of it lets it go out once
more, and where that cannot be known the order ends `uncertain`, for a person to look.
"""

from datetime import datetime, timedelta

from shared.ledger import GONE, ILL, WELL, WORDS_MAX, status_of
from shared.record import stamp

WORDS = ("resubmit", "drain")
OPEN = ("wanted", "intended")
# ARM gives a request up after two minutes; what was not executed by then never will be.
SETTLE = timedelta(minutes=2)
SENDS_MAX = 3
NAMED_MAX = 500


def key(word: str, run: str) -> str:
    return f"{word}:{run}"


def objection(status: str | None, word: str, caution: str, named: bool) -> str:
    """Why `word` is not for a run that was last found so; empty when it is.

    `caution`: why a second run of it might be one too many. Then it is for a person to name it.
    """
    if status is None:
        return "its region has not answered since: how it ended is not known"
    if status == GONE:
        return "it is not in the run history any more"
    if status in WELL:
        return f"it ran to its end: {status}"
    if word == "drain":
        return "" if status not in ILL else f"it does not run any more: {status}"
    if status not in ILL:
        return f"it is {status}: wait for its end, or drain it first"
    return f"{caution}: name the run to have it all the same" if caution and not named else ""


def ordered(
    ledger: dict,
    word: str,
    runs: list[str] | None,
    cautions: dict[str, str],
    said: dict,
    now: datetime,
) -> tuple[dict, dict]:
    """Enter `word` for these runs (None: for all); gives (ledger, answer).

    `cautions`: workflow -> why a second run of it might be one too many. `said`: {"by",
    "comment"}. Answer: {"ordered": [...], "already": [...], "refused": [{"run", "because"}]}. The
    same again changes nothing: a run is ordered once.
    """
    known = {row["run"]: row for row in ledger["runs"]}
    orders, answer = dict(ledger["orders"]), {"ordered": [], "already": [], "refused": []}
    for run in dict.fromkeys(runs if runs is not None else known):
        row = known.get(run)
        if key(word, run) in orders:
            answer["already"].append(run)
            continue
        because = (
            objection(
                status_of(ledger, run), word, cautions.get(row["workflow"], ""), runs is not None
            )
            if row
            else "no run of this ledger"
        )
        if because:
            answer["refused"].append({"run": run, "because": because})
            continue
        answer["ordered"].append(run)
        orders[key(word, run)] = {
            "word": word,
            "run": run,
            "state": "wanted",
            "at": stamp(now),
            "sends": 0,
            "because": "",
            **said,
        }
    return ({**ledger, "orders": orders} if answer["ordered"] else ledger), answer


def due(ledger: dict, now: datetime) -> list[dict]:
    """The orders to act on now, oldest first; an intent is left alone until it has settled."""
    found = [
        one
        for one in ledger["orders"].values()
        if one["state"] == "wanted"
        or (one["state"] == "intended" and now - datetime.fromisoformat(one["at"]) >= SETTLE)
    ]
    return sorted(found, key=lambda one: (one["at"], one["run"]))


def intended(ledger: dict, one: dict, now: datetime) -> dict | None:
    """The ledger with the intent to send; None when somebody else has moved this order on."""
    held = ledger["orders"].get(key(one["word"], one["run"]))
    if held != one or held["state"] != "wanted":
        return None
    return moved(ledger, one, "intended", now, sends=one["sends"] + 1)


def moved(ledger: dict, one: dict, state: str, now: datetime, **facts: object) -> dict:
    """The ledger with an order in its next state; `facts`: because, result."""
    row = {**ledger["orders"][key(one["word"], one["run"])], "state": state, "at": stamp(now)}
    row |= facts
    row["because"] = str(row["because"])[:WORDS_MAX]
    return {**ledger, "orders": {**ledger["orders"], key(one["word"], one["run"]): row}}


def came_of(one: dict, tracking: str, since: list[dict], complete: bool) -> dict:
    """What became of an intended resubmission: {"state", "because", "result"?}.

    `since`: the workflow's runs that began after the intent, as ARM shows them; `complete`: all of
    them. The service shows on a resubmitted run the `sourceHistoryName` it came of, and the
    tracking id of the first; its published contract promises neither. So a run that does not say
    by `originHistoryName` that its own trigger began it may be ours.
    """
    for run in since:
        if source(run) == one["run"] or (tracking and tracked(run) == tracking):
            return {"state": "sent", "because": "found in the run history", "result": run["name"]}
    if not complete:
        words = "more runs began since than are listed"
        return {"state": "uncertain", "because": f"{words}: look at the run history"}
    strange = [run["name"] for run in since if not own(run)]
    if strange:
        words = f"{len(strange)} runs began since and do not say of what, {strange[0]} first"
        return {"state": "uncertain", "because": f"{words}: look at the run history"}
    if spent(one):
        return {"state": "refused", "because": f"{one['sends']} requests came to nothing"}
    return {"state": "wanted", "because": "the request did not arrive: it is sent again"}


def spent(one: dict) -> bool:
    """Has it been sent as often as it may be?"""
    return one["sends"] >= SENDS_MAX


def drained(one: dict) -> tuple[str, dict]:
    """What is next for an intended cancel of a run that is not known to have ended."""
    if spent(one):
        words = f"it still runs after {one['sends']} requests whose answers tell nothing"
        return "uncertain", {"because": f"{words}: look at the run history"}
    return "wanted", {"because": "whether it was cancelled is not known: it is asked again"}


def source(run: dict) -> str:
    """The run of whose trigger this one is a repetition, where the service says so."""
    return str(trigger(run).get("sourceHistoryName") or "")


def tracked(run: dict) -> str:
    correlation = run["properties"].get("correlation")
    return str((correlation or {}).get("clientTrackingId") or "")


def own(run: dict) -> bool:
    """Does this run say that a trigger began it, and no resubmission?"""
    return bool(trigger(run).get("originHistoryName")) and not source(run)


def trigger(run: dict) -> dict:
    found = run["properties"].get("trigger")
    return found if isinstance(found, dict) else {}


def open_orders(ledger: dict) -> int:
    """How many orders of a frozen ledger have not come to their end."""
    return sum(one["state"] in OPEN for one in ledger["orders"].values())
