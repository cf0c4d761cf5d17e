"""Cost: what one plan costs a month at rest and per failover, with the arithmetic.

`python -m bench.cost [PLAN]` prints the tables of docs/cost.md. How often something runs comes from
the plan; how many activities one round takes is counted in the histories that the tests replay;
what one activity costs in storage transactions is an assumption, and prices are list prices that
change: both stand here by name, so that anybody can put in their own.
"""

import json
import sys
from pathlib import Path
from typing import NamedTuple

from shared.plan import Plan, load

ROOT = Path(__file__).resolve().parents[1]
HISTORIES = ROOT / "tests" / "histories"
TEMPLATE = ROOT / "infra" / "main.json"
MONTH_SECONDS = 730 * 3600
HOST_GB = 2.0  # instanceMemoryMB of infra/main.json.
ALWAYS_READY = 2  # One instance for orchestrations and one for HTTP.
# Durable on Azure Storage: an activity is a work item and an answer (two queue messages: put, get,
# delete each) and about three rows of history and state. Not measured against Azure.
STORAGE_PER_ACTIVITY = 9
LOG_BYTES_PER_ACTIVITY = 400
ACTIVITY_SECONDS = 0.2
HEARTBEAT_ACTIVITIES = (
    3  # load_plan, renew_lease, and one for the looks that are not at every beat.
)
SCHEDULED = 4  # EventType TaskScheduled


class Price(NamedTuple):
    """A list price in USD, West Europe, as remembered in 2025: look it up before you rely on it."""

    usd: float
    per: str


PRICES = {
    "ready": Price(0.000004, "GB-second of an always ready instance"),
    "running": Price(0.000016, "GB-second of its executions"),
    "executions": Price(0.40, "million executions"),
    "storage": Price(0.0004, "ten thousand queue and table transactions"),
    "bus": Price(10.0, "month of a Standard namespace, 13 million operations included"),
    "logs": Price(2.76, "GB of logs taken in"),
    "rule": Price(1.50, "month of a log alert rule that looks every five minutes"),
    "premium": Price(2795.0, "month of one API Management Premium unit"),
    "standard": Price(686.0, "month of one API Management Standard unit"),
}


class Line(NamedTuple):
    """One line of the bill."""

    what: str
    how: str
    usd: float


def scheduled(history: str) -> list[str]:
    """The activities that a recorded history asked for."""
    found = json.loads((HISTORIES / f"{history}.json").read_text(encoding="utf-8"))
    return [event["Name"] for event in found["history"] if event.get("EventType") == SCHEDULED]


def monthly(plan: Plan) -> float:
    """Executions a month: of the watchdog in one location and of the heartbeats in both."""
    names = scheduled("watchdog")
    watching = len(names) / names.count("write_watch") / plan.watch.every_seconds
    beating = 2 * HEARTBEAT_ACTIVITIES / (plan.witness.lease_seconds / 4)
    return (watching + beating) * MONTH_SECONDS


def at_rest(plan: Plan) -> list[Line]:
    """The bill of a month in which nothing happens, both locations together."""
    count = monthly(plan)
    ready = 2 * ALWAYS_READY * HOST_GB * MONTH_SECONDS
    running = count * ACTIVITY_SECONDS * HOST_GB
    logs = count * LOG_BYTES_PER_ACTIVITY / 1e9 * 2  # To both workspaces.
    transactions = count * STORAGE_PER_ACTIVITY
    p = {name: price.usd for name, price in PRICES.items()}
    return [
        Line("always ready", f"2 x {ALWAYS_READY} x {HOST_GB:g} GB x 730 h", ready * p["ready"]),
        Line("executions", f"{count / 1e6:.2f} million", count / 1e6 * p["executions"]),
        Line("their run time", f"{ACTIVITY_SECONDS} s each", running * p["running"]),
        Line(
            "storage",
            f"{transactions / 1e6:.0f} million transactions",
            transactions / 1e4 * p["storage"],
        ),
        Line("Service Bus", "2 namespaces", 2 * p["bus"]),
        Line("logs", f"{logs:.1f} GB", logs * p["logs"]),
        Line("alert rules", f"2 x {rules()}", 2 * rules() * p["rule"]),
    ]


def rules() -> int:
    """How many alert rules a location has."""
    resources = json.loads(TEMPLATE.read_text(encoding="utf-8"))["resources"]
    return sum(one["type"].endswith("/scheduledQueryRules") for one in resources)


def one_failover(plan: Plan) -> list[Line]:
    """What a failover adds: its figures are shown, since its price is a fraction of a cent."""
    stages = ("claim", "fence", "promote", "activate", "redirect", "verify", "protect")
    own = sum(len(scheduled(stage)) for stage in stages)
    parts = len(plan.components)
    count = own + 3 * parts  # Look, change, look again.
    transactions = count * STORAGE_PER_ACTIVITY
    running, logs = count * ACTIVITY_SECONDS * HOST_GB, count * LOG_BYTES_PER_ACTIVITY / 1e9 * 2
    p = {name: price.usd for name, price in PRICES.items()}
    return [
        Line(
            "executions",
            f"{count}: {own} of the stages, 3 for each of {parts} components",
            count / 1e6 * p["executions"] + running * p["running"],
        ),
        Line("storage", f"{transactions} transactions", transactions / 1e4 * p["storage"]),
        Line("Service Bus", f"{len(stages)} slips", 0.0),
        Line("logs", f"{logs * 1e6:.0f} kB in both workspaces", logs * p["logs"]),
    ]


def table(lines: list[Line]) -> str:
    """Markdown, with the sum."""
    together = sum(one.usd for one in lines)
    places = 2 if together >= 1 else 5
    rows = [f"| {one.what} | {one.how} | {one.usd:.{places}f} |" for one in lines]
    total = f"| **together** | | **{together:.{places}f}** |"
    return "\n".join(["| what | how much | USD |", "|---|---|---:|", *rows, total])


def page(plan: Plan) -> str:
    """Both tables, and the comparison that decides."""
    rest = sum(one.usd for one in at_rest(plan))
    premium, standard = PRICES["premium"].usd, PRICES["standard"].usd
    saved = 2 * premium - 2 * standard - rest
    return "\n\n".join(
        [
            "A month at rest, both locations:",
            table(at_rest(plan)),
            "A failover adds:",
            table(one_failover(plan)),
            f"API Management in two regions: {2 * premium:.0f} USD a month for two Premium units, "
            f"{2 * standard:.0f} for two Standard ones. With Understudy that is {saved:.0f} less.",
        ]
    )


def main(arguments: list[str]) -> int:
    """Print the page for a plan file; Contoso's when none is named."""
    file = Path(arguments[0]) if arguments else ROOT / "plans" / "contoso.yaml"
    print(page(load(file.read_text(encoding="utf-8"))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
