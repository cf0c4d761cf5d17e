"""Permit: may a failover to this location begin now, and if not, why not.

Diagnosis is not permission. A row of questions, each with its reason; the first that says no
decides. "Refused because ..." is an alert of its own, so every reason names what to do. The words
change with the clock; `reason`, the name of the question, does not.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from shared import witness
from shared.maintenance import holds

MODES = ("forced", "graceful")
HELD = ("declined", "expired")  # How a run ends that waited for a person in vain.


class Case(NamedTuple):
    """Everything that the questions look at."""

    verdict: dict | None
    record: dict
    plan: dict
    location: str
    now: datetime
    mode: str


def allow(
    verdict: dict | None,
    record: dict | None,
    plan: dict,
    location: str,
    now: datetime,
    origin: str = "watchdog",
    mode: str = "forced",
) -> dict:
    """May the plan move to `location`? {"allowed", "because", "reason", "needs"}.

    `plan` is the plan document, `record` the witness's (null: it cannot be read). A `watchdog`
    answers every question; a `person` overrides verdict, lease, quiet period and automation, but
    never a maintenance window, a pause or a run in progress. `reason`: the name of the question
    that said no, or ""; `needs`: "approval" where a person's would help.
    """
    if record is None:
        return answer("witness", "the witness cannot be read, and nobody moves a plan without it")
    case = Case(verdict, record, plan, location, now, mode)
    for question in QUESTIONS[origin]:
        because = question(case)
        if because:
            asks = question is automation and plan["automation"] == "approval"
            return answer(question.__name__, because, "approval" if asks else None)
    return {"allowed": True, "because": grounds(case, origin), "reason": "", "needs": None}


def answer(reason: str, because: str, needs: str | None = None) -> dict:
    """A no, and for which question."""
    return {"allowed": False, "because": because, "reason": reason, "needs": needs}


def grounds(case: Case, origin: str) -> str:
    if origin == "person" or case.verdict is None:
        return f"a person asked, and nothing is under way at epoch {case.record['epoch']}"
    return case.verdict["because"]


def maintenance(case: Case) -> str:
    """A maintenance window stands above everything: people work on one of the two sides."""
    windows = case.plan.get("maintenance", [])
    return holds(case.plan["name"], windows, case.record.get("liftedAt"), case.now)


def known(case: Case) -> str:
    return "" if case.mode in MODES else f"mode {case.mode} is none of {', '.join(MODES)}"


def gentle(case: Case) -> str:
    """A graceful run drains and asks for the lease: there must be somebody to ask."""
    if case.mode != "graceful" or case.verdict is None or case.verdict["state"] != "lost":
        return ""
    return f"{case.record['active']} is lost, nothing there can be drained: use forced"


def elsewhere(case: Case) -> str:
    if case.location not in case.plan["locations"]:
        return f"{case.location} is no location of {case.plan['name']}"
    if case.record["active"] == case.location:
        return f"{case.plan['name']} is active in {case.location} already"
    return ""


def paused(case: Case) -> str:
    return f"{case.plan['name']} is paused: resume it first" if case.record["paused"] else ""


def alone(case: Case) -> str:
    run = case.record["run"]
    if not witness.in_progress(run, case.now):
        return ""
    words = f"run {run['id']} is in progress ({run['phase']} since {run['at']})"
    wanted = run["approval"] and run["approval"]["state"] == "wanted"
    return f"{words}: POST /api/runs/{run['id']}/approve or /decline" if wanted else words


def lost(case: Case) -> str:
    if case.verdict is None:
        return "there is no verdict yet"
    state = case.verdict["state"]
    return "" if state == "lost" else f"the verdict is {state}: {case.verdict['because']}"


def lapsed(case: Case) -> str:
    if not witness.lease_live(case.record, case.now):
        return ""
    holder, until = case.record["holder"], case.record["leaseUntil"]
    return f"the lease of {holder} lives until {until}: waiting for it to run out"


def quiet(case: Case) -> str:
    return witness.quiet(case.record, case.now)


def answered(case: Case) -> str:
    """Has a person said no to this very suspicion, or nobody anything? Then it is held.

    A new suspicion is asked about anew; so is this one by a watchdog that forgot when it began.
    """
    if case.plan["automation"] != "approval" or case.verdict is None:
        return ""
    since = datetime.fromisoformat(case.verdict["since"])
    for line in reversed(case.record["transitions"]):
        told = line["what"] in HELD and line["epoch"] == case.record["epoch"]
        if told and datetime.fromisoformat(line["at"]) >= since:
            return (
                f"run {line['who']} was {line['what']} for this suspicion ({line['why']}): held "
                "until the verdict changes, or a person forces it"
            )
    return ""


def automation(case: Case) -> str:
    return {
        "automatic": "",
        "approval": "the plan asks a person to approve",
        "alert": "the plan only alerts: a person may POST /api/plans/{plan}/failover",
    }[case.plan["automation"]].replace("{plan}", case.plan["name"])


Question = Callable[[Case], str]
ALWAYS: tuple[Question, ...] = (maintenance, known, elsewhere, paused, alone, gentle)
QUESTIONS: dict[str, tuple[Question, ...]] = {
    "person": ALWAYS,
    "watchdog": (*ALWAYS, lost, lapsed, quiet, answered, automation),
}
