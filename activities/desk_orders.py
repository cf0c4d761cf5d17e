"""Orders' desk: a failover that a person orders, and what he is told of what he overrides.

As the desk, no activity. The run is reserved at the witness before its slip is sent, and before
anybody is told that it will be: a repeat finds what was begun.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from activities import desk, desk_dryrun, desk_runs, readiness, slips, witness
from shared import api, dryrun_text, evidence, permit, resumption, slip
from shared.plan import Plan
from shared.readiness import brief
from shared.reply import Surprise

AGAIN = "send it again with the same Idempotency-Key: it stays one run"
PERSON = "person"  # Whoever has the key.
UNSURE = "it may have been accepted: look at /api/runs/{run} before you send another"


@desk.answered
def order_failover(
    name: str,
    body: bytes,
    key: str | None,
    accepts: str = "",
    told: desk_dryrun.Told | None = None,
    who: str = PERSON,
) -> tuple:
    """Validate, ask for permission, reserve the run at the witness, send its slip: 202.

    With `dryRun` 200, and nothing is changed; for who `accepts` text/plain in words. `told`: the
    timeline of a run, as the host keeps it. `who` orders it: the caller, where he is known. The
    same Idempotency-Key finds its own run, and that run keeps its direction: after the claim the
    standby is another one. A forced order while a graceful run is under way to the same location
    makes that run a forced one; an order to where the plan is active goes on with a run that ended
    half way there.
    """
    found, came = desk.known_plan(name), datetime.now(UTC)
    document = found["plan"]
    try:
        order = {**api.failover_order(document, body, key, came), "by": who}
        record, now = desk.witnessed(document)
        begun = None if order["dryRun"] else api.begun(record, order)
    except api.BadRequest as bad:
        raise desk.refuse(400, "Bad request", str(bad), errors=bad.errors) from bad
    if begun and begun["phase"] != "requested":
        return accepted(begun)
    target = begun["to"] if begun else order["to"] or api.standby(document, record["active"])
    verdict = desk.judged(document, record["active"])
    allowed = permit.allow(verdict, record, document, target, now, "person", order["mode"])
    if order["dryRun"]:
        return rehearsed(document, record, {**order, "to": target}, allowed, accepts, told)
    again = None if begun else resumed(found, record, order, key, now)
    if again:
        return again
    run = None if begun else desk_runs.switched(document, record, {**order, "to": target}, now)
    if run:
        return accepted(run, switched=True, evidence=desk_runs.overridden(document, record, now))
    if not begun and not allowed["allowed"]:
        raise desk.refuse(409, "Not now", allowed["because"])
    if not begun and order["mode"] == "graceful" and (no := readiness.hindrance(document, target)):
        raise desk.refuse(409, "Not ready", f"{no['because']}; use forced", checks=no["checks"])
    by = begun["by"] if begun else order["by"]  # Who repeats an order has not given it.
    paper = first_slip(found, {**order, "to": target, "by": by}, came)
    if order["mode"] == "graceful":
        return launch(document, paper, key)
    shown = desk_runs.overridden(document, record, now)
    return launch(document, paper, key, readiness.warnings(document, target), shown)


def rehearsed(
    document: dict,
    record: dict,
    aim: dict,
    allowed: dict,
    accepts: str,
    told: desk_dryrun.Told | None,
) -> tuple:
    """What the order would do, and beside it whether the standby is ready; nothing is changed."""
    steps, now = desk_dryrun.past_steps(document, record, told), datetime.now(UTC)
    with ThreadPoolExecutor(1, thread_name_prefix="readiness") as pool:
        asked = pool.submit(readiness.recent, document, aim["to"])
        shown = desk_dryrun.rehearse(document, aim, allowed, now, steps, told)
        ready = None if aim["to"] == record["active"] else brief(asked.result())
    return dryrun_text.answer({**shown, "readiness": ready}, accepts)


def resumed(found: dict, record: dict, order: dict, key: str | None, now: datetime) -> tuple | None:
    """Go on with the run that ended half way in the active location, where a person names that.

    The caretaker does so by itself, but not for ever. None: there is none.
    """
    run, left = record["run"], resumption.abandoned(record, now)
    if order["to"] != record["active"] or not (left or (run and run["resumed"])):
        return None
    if left is None:
        return accepted(run)
    paper = resumption.slip_of(left, record["plan"], found["digest"], record["epoch"])
    asked = {"because": f"{order['by']}: {order['reason']}"}
    return launch(found["plan"], paper, key, enter=lambda p: witness.take_up_run({**p, **asked}))


def first_slip(found: dict, order: dict, now: datetime) -> dict:
    return slip.first(
        run=order["run"],
        plan=found["plan"]["name"],
        digest=found["digest"],
        mode=order["mode"],
        source=Plan.model_validate(found["plan"]).other(order["to"]),
        target=order["to"],
        reason=order["reason"],
        by=order["by"],
        now=now,
        facts={"orderedAt": now.isoformat()},
    )


def launch(
    document: dict,
    paper: dict,
    key: str | None,
    warnings: list[str] | None = None,
    shown: dict | None = None,
    enter: Callable[[dict], dict] = witness.reserve_run,
) -> tuple:
    """Reserve and send: whoever got no answer may repeat both under the same run id.

    `shown`: the evidence against this run; its words are kept with the reservation.
    """
    payload = {"slip": paper, "witness": document["witness"]}
    if shown:
        payload["evidence"] = evidence.words(shown)
    advice = AGAIN if key else UNSURE.format(run=paper["run"])
    try:
        reserved = enter(payload)
        if reserved["status"] != "succeeded" and "record" not in reserved:
            raise Surprise(reserved["because"])  # Not a no of the record: storage's own.
        if reserved["status"] != "succeeded":
            raise desk.refuse(409, "Not now", reserved["because"])
        slips.send_slip({"slip": paper, "queue": slip.queue(paper), "location": paper["to"]})
    except Surprise as silent:
        detail = f"{silent}; {advice}"
        raise desk.refuse(503, "Out of reach", detail, run=paper["run"]) from silent
    return accepted(reserved["record"]["run"], warnings=warnings, evidence=shown)


def accepted(run: dict, **more: object) -> tuple:
    """202 with the run's address; of `more` what there is."""
    location = {"Location": f"/api/runs/{run['id']}"}
    body = {"run": run["id"], "to": run["to"], "mode": run["mode"]}
    return 202, {**body, **{key: value for key, value in more.items() if value}}, location
