"""Ledger desk: what the HTTP API says of runs cut off by a failover, and takes as orders.

Like the desk, no activity: it answers HTTP from what the desk and the ledgers here know.
"""

from datetime import UTC, datetime

from activities import desk, witness
from shared import api, ledger, ledger_orders, ledger_store, ledger_views
from shared.plan import Plan
from shared.reply import Surprise
from shared.settings import settings

ENDED_MAX = 3  # As many as are looked after; an older one is shown when its epoch is asked for.


@desk.answered
def one_ledger(name: str, epoch: str | None) -> tuple:
    """What is in flight on the active side, and what became of what was when epochs ended."""
    document = desk.known_plan(name)["plan"]
    plan, now, warnings = Plan.model_validate(document), datetime.now(UTC), []
    record = desk.in_time("witness", warnings, desk.known_record, document)
    active = record["active"] if record else None
    current = ledger_store.read(name)
    kept = ended(name, record, now, number(epoch))
    if epoch is not None and not kept:
        raise desk.refuse(404, "Unknown epoch", f"no ledger of epoch {epoch} lies here")
    shown = current is not None and current["location"] != settings().location
    return 200, {
        "plan": name,
        "location": settings().location,
        "active": active,
        "epoch": record["epoch"] if record else None,
        "watching": ledger_views.watching(current, now) if current and shown else None,
        "ended": [ledger_views.evidence(held, plan, active) for held in kept],
        "warnings": warnings,
    }


def number(epoch: str | None) -> int | None:
    """The epoch in a query; a 400 where it is none."""
    if epoch is not None and not epoch.isdigit():
        raise desk.refuse(400, "Bad request", "epoch: a whole number", errors=["epoch: a number"])
    return int(epoch) if epoch is not None else None


def ended(name: str, record: dict | None, now: datetime, only: int | None = None) -> list[dict]:
    """The ledgers of epochs that have ended, newest first; also one that nobody has frozen yet."""
    kept = ledger_store.ended(name)
    current = ledger_store.read(name)
    found: list[dict] = []
    if current and record and current["epoch"] < record["epoch"] and current["epoch"] not in kept:
        claim = ledger.failover_after(ledger.claims(record), current["epoch"])
        found.append(ledger.frozen(current, claim, now))
    wanted = kept[:ENDED_MAX] if only is None else [n for n in kept if n == only]
    found += [held for n in wanted if (held := ledger_store.read(name, n))]
    return [held for held in found if only is None or held["epoch"] == only]


@desk.answered
def order(name: str, word: str, body: bytes, who: str = "") -> tuple:
    """Take an order for runs of an ended epoch: 202; the next rounds carry it out.

    The same order again finds what was ordered before. `who`: the caller's identity, where it is
    known.
    """
    document, now = desk.known_plan(name)["plan"], datetime.now(UTC)
    try:
        said = api.ledger_order(body, who)
    except api.BadRequest as bad:
        raise desk.refuse(400, "Bad request", str(bad), errors=bad.errors) from bad
    plan, record = Plan.model_validate(document), desk.known_record(document)
    claims = ledger.claims(record)
    ledger_store.freeze(name, record["epoch"], record["active"], claims, now)
    kept = ledger_store.ended(name)
    epoch = said.epoch if said.epoch is not None else next(iter(kept[:ENDED_MAX]), None)
    if epoch not in kept[:ENDED_MAX]:
        other = plan.other(settings().location)
        where = f"ask the app in {other}, which may have been the standby then"
        raise desk.refuse(404, "Unknown epoch", f"no ledger of that epoch lies here: {where}")
    held = ledger_store.read(name, epoch)
    if held is None:
        raise Surprise(f"the ledger of epoch {epoch} is gone")
    wary = ledger_views.cautions(plan, record["active"], held["location"])
    by = {"by": said.by, "comment": said.comment}
    _, answer = ledger_orders.ordered(held, word, said.runs, wary, by, now)
    if answer["ordered"]:
        new = entered(document, held, word, answer["ordered"], wary, by)
        already = [*answer["already"], *new["already"]]
        answer = {**answer, "ordered": new["ordered"], "already": already}
    within = {"withinSeconds": plan.ledger.every_seconds}
    return 202, {"plan": name, "epoch": epoch, "word": word, **answer, **within}


def entered(
    document: dict, held: dict, word: str, runs: list[str], wary: dict[str, str], by: dict
) -> dict:
    """Enter the order, noted at the witness first: what is carried out must be in the audit."""
    name, now, answers = document["name"], datetime.now(UTC), []
    words = f"{len(runs)} runs of epoch {held['epoch']}: {by['comment']}"
    told = {"plan": name, "witness": document["witness"], "word": word}
    noted = witness.note_order({**told, "by": by["by"], "comment": words})
    if noted["status"] != "succeeded":
        raise Surprise(noted["because"])

    def enter(was: dict) -> dict:
        changed, answer = ledger_orders.ordered(was, word, runs, wary, by, now)
        answers.append(answer)
        return changed

    ledger_store.change(name, enter, epoch=held["epoch"])
    return answers[-1]


@desk.answered
def one_run(run: str, instances: dict[str, dict]) -> tuple:
    """A run's timeline with what it abandoned: `abandoned`, null where no ledger of it is here."""
    status, view = desk.one_run(run, instances)
    warnings = view["warnings"]
    found = desk.in_time("ledger", warnings, abandoned_by, run)
    return status, {**view, "abandoned": found, "warnings": warnings}


def abandoned_by(run: str) -> dict | None:
    """The evidence of the epoch that this run ended, as it lies here."""
    record = desk.record_of(run)
    if record is None:
        return None
    plan = Plan.model_validate(desk.known_plan(record["plan"])["plan"])
    for held in ended(plan.name, record, datetime.now(UTC)):
        if ledger_views.of_run(held, run):
            return ledger_views.evidence(held, plan, record["active"])
    return None
