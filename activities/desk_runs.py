"""Runs' desk: what a person says to a run in progress, and what he is shown who overrides.

As the desk, no activity: the witness keeps what was said, and the caller of `order_word` wakes
whoever waits for it.
"""

from datetime import datetime

from activities import desk, plans, witness
from shared import api, evidence, maintenance, runs, store
from shared import witness as witness_rules
from shared.plan import Plan
from shared.reply import Surprise


@desk.answered
def order_word(run: str, word: str, body: bytes, who: str = "") -> tuple:
    """Say `word` to a run: 200 with what holds now, 404 for an unknown run, 409 with a reason.

    `who`: the caller's identity, where it is known.
    """
    try:
        said = api.decision(body, who=who)
    except api.BadRequest as bad:
        raise desk.refuse(400, "Bad request", str(bad), errors=bad.errors) from bad
    document, record, now = owner(run)
    if word == "approve":
        refuse_in_a_window(document, record, run, now)
    shown = overridden(document, record, now) if word == "approve" else None
    told = say(document, run, word, said.by, said.comment, shown)
    if told["status"] != "succeeded":
        raise desk.refuse(409, "Not now", told["because"], run=run)
    answer = {"run": run, "word": word, "by": said.by, **runs.state(told["record"], run)}
    return 200, {**answer, "evidence": shown} if shown else answer


def refuse_in_a_window(document: dict, record: dict, run: str, now: datetime) -> None:
    """An approved run would be refused its claim while people work on one of the two sides."""
    windows, lifted = document["maintenance"], record.get("liftedAt")
    closed = maintenance.holds(document["name"], windows, lifted, now)
    if closed and not witness_rules.ended(record, run):
        raise desk.refuse(409, "Not now", closed, run=run)


def say(
    document: dict, run: str, word: str, by: str, comment: str, shown: dict | None = None
) -> dict:
    """Have the witness keep it; its outcome with the record. A Surprise when it cannot be had."""
    payload = {
        "plan": document["name"],
        "witness": document["witness"],
        "run": run,
        "word": word,
        "by": by,
        "comment": comment,
        "point": Plan.model_validate(document).no_return,
        "quietMinutes": document["quietMinutes"],
        "evidence": evidence.words(shown) if shown else "",
    }
    told = witness.hear(payload)
    if told["status"] != "succeeded" and "record" not in told:
        raise Surprise(told["because"])  # Not a no of the record: storage's own.
    return told


def switched(document: dict, record: dict, order: dict, now: datetime) -> dict | None:
    """The graceful run under way that this order makes a forced one, as it then is; else None.

    Whoever sends the order once more finds the run that he has switched. `now`: the witness's time,
    here as in the others.
    """
    run = record["run"]
    if order["mode"] != "forced" or not run or run["to"] != order["to"]:
        return None
    if run["mode"] != "graceful" and not runs.was_switched(record, run["id"]):
        return None
    shown = overridden(document, record, now)
    told = say(document, run["id"], "switch", order["by"], order["reason"], shown)
    if told["status"] != "succeeded":
        raise desk.refuse(409, "Not now", told["because"], run=run["id"])
    return told["record"]["run"]


def overridden(document: dict, record: dict, now: datetime) -> dict | None:
    """Verdict and lease where a watchdog would have refused for one of them; else None."""
    shown = evidence.gathered(record, desk.judged(document, record["active"]), now)
    return shown if evidence.overrides(shown) else None


def owner(run: str) -> tuple[dict, dict, datetime]:
    """(plan document, witness record, the witness's time) of a run, in progress or ended.

    A 404 where nobody has it. A run begins with its plan's name.
    """
    for name in store.plan_names() if desk.RUN.fullmatch(run) else []:
        if not run.startswith(f"{name}-"):
            continue
        found = plans.load_plan({"plan": name})
        if found["status"] != "succeeded":
            continue
        record, now = desk.witnessed(found["plan"])
        if any(line["who"] == run for line in record["transitions"]):
            return found["plan"], record, now
    raise desk.refuse(404, "Unknown run", "no plan that is known here has this run")
