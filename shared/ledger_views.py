"""Ledger views: what the HTTP API shows of ledgers, and what it offers for each run."""

from datetime import datetime

from shared import ledger, ledger_orders
from shared.plan import Plan
from shared.plan_kinds_web import LogicAppWorkflow
from shared.plan_parts import LogicWorkflow

ADVICE = (
    "they are delivered again to whoever takes from this queue once the namespace is back; "
    "if nobody does there, enable its consumer"
)


QUEUES = ("queue", "orderedQueue")
AGAIN = "its message was not completed, so that the queue delivers it again"
TWO = "its workflow is exclusive and active elsewhere"


def cautions(plan: Plan, active: str | None, location: str) -> dict[str, str]:
    """workflow -> why one more run of it in `location` might be one too many."""
    found: dict[str, str] = {}
    alone = plan.exclusive(location) if active != location else []
    for part in plan.components:
        if isinstance(part, LogicWorkflow | LogicAppWorkflow) and part.trigger in QUEUES:
            found[part.name] = AGAIN
        elif part.name in alone:
            found[part.name] = TWO
    return found


def watching(held: dict, now: datetime) -> dict:
    """A current ledger: what is in flight over there, how old that is, and what is left out."""
    seen_at = held["at"]
    age = (now - datetime.fromisoformat(seen_at)).total_seconds() if seen_at else None
    return {
        "epoch": held["epoch"],
        "location": held["location"],
        "at": seen_at,
        "ageSeconds": age,
        "completeSince": held["sweep"]["completeSince"],
        "missed": held["sweep"].get("missed", {}),
        "silent": held["silent"],
        "runs": held["runs"],
        "cut": held["cut"],
        "queues": held["queues"],
        "b2b": held["b2b"],
    }


def evidence(held: dict, plan: Plan, active: str | None) -> dict:
    """A frozen ledger: runs abandoned, messages stranded, and what may be done about them."""
    wary = cautions(plan, active, held["location"])
    return {
        "epoch": held["epoch"],
        "location": held["location"],
        "failover": held["failover"],
        "at": held["at"],
        "ageSeconds": ledger.age_seconds(held),
        "completeSince": held["sweep"]["completeSince"],
        "missed": held["sweep"].get("missed", {}),
        "abandoned": [abandoned(held, row, wary) for row in held["runs"]],
        "late": held["late"],
        "cut": held["cut"],
        "stranded": [{**row, "because": ADVICE} for row in ledger.stranded(held)],
        "b2b": held["b2b"],
    }


def abandoned(held: dict, row: dict, wary: dict[str, str]) -> dict:
    """A run that was in flight: how it was last found, what was ordered, what is offered."""
    found = held["found"].get(row["run"], {})
    orders = [one for one in held["orders"].values() if one["run"] == row["run"]]
    status, known = found.get("status"), {one["word"] for one in orders}
    offer, because = None, ""
    for word in ledger_orders.WORDS:
        no = ledger_orders.objection(status, word, wary.get(row["workflow"], ""), named=False)
        if not no and word not in known:
            offer, because = word, ""
            break
        because = because or no
    if orders and not offer:
        because = f"{orders[-1]['word']} {orders[-1]['state']}: {orders[-1]['because']}"
    return {
        **row,
        "now": status,
        "foundAt": found.get("at"),
        "orders": orders,
        "offer": offer,
        "because": because,
    }


def of_run(held: dict, run: str) -> bool:
    """Is this the ledger of the epoch that this run ended?"""
    failover = held.get("failover")
    return bool(failover and failover["run"] == run)
