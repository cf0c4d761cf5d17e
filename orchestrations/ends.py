"""Ends: how a run ends before its route does: halted, ended by people, or cancelled and undone."""

from datetime import datetime

from azure.durable_functions import DurableOrchestrationContext

from orchestrations import Flow
from orchestrations.people import page
from orchestrations.steps import PATIENCE, attempt
from orchestrations.undo import undo
from shared import witness
from shared.plan import Plan

SILENT_ROUNDS_MAX = 5  # Of PATIENCE each; a run is taken for dead after an hour.
BECAUSE_MAX = 1000


def stop(context: DurableOrchestrationContext, plan: Plan, paper: dict, entered: dict) -> Flow:
    """End the run at the entry of a stage that it may not enter; `entered` says why."""
    record = entered.get("record")
    run = record["run"] if record else None
    keeper = plan.document["witness"]
    if record and run and run["id"] == paper["run"]:
        paper = {**paper, "epoch": record["epoch"]}
        if run["cancel"]:
            return (yield from take_back(context, plan, paper, run["cancel"]))
        rows = (yield from undo(context, plan, paper)) if run["phase"] == "quiesce" else []
        return (yield from halt(context, paper, keeper, entered["because"], rows))
    end = witness.ended(record, paper["run"]) if record else ""
    if record and end in OUTCOMES:
        return (yield from over(context, paper, record, end))
    return (yield from halt(context, paper, keeper, entered["because"]))


def take_back(context: DurableOrchestrationContext, plan: Plan, paper: dict, told: dict) -> Flow:
    """Undo the run, then give its epoch back: until then nobody else may touch what it changed."""
    started = context.current_utc_datetime
    rows = yield from undo(context, plan, paper)
    payload = {
        "slip": paper,
        "witness": plan.document["witness"],
        "quietMinutes": plan.quiet_minutes,
    }
    given = yield from outwait(context, paper, "give_back", payload)
    if given["status"] != "succeeded":
        return (yield from halt(context, paper, payload["witness"], given["because"], rows))
    failed = troubles(rows)
    because = f"cancelled by {told['by']}: {told['comment']}"
    if failed:
        because = f"{because}; {len(failed)} could not be undone: {reasons(failed)}"
    yield from page(context, paper, "run cancelled", because)
    return output(context, paper, "cancelled", because, rows, started)


OUTCOMES = {"cancelled": "cancelled", "declined": "refused", "expired": "refused"}


def over(context: DurableOrchestrationContext, paper: dict, record: dict, end: str) -> Flow:
    """The run was ended at the witness before it had changed anything."""
    why = [line["why"] for line in record["transitions"] if line["who"] == paper["run"]][-1]
    because = f"halted: {why}" if end == "expired" else f"{end} by {why}"
    yield from page(context, paper, f"run {end}", because)
    return output(context, paper, OUTCOMES[end], because, [], context.current_utc_datetime)


def halt(
    context: DurableOrchestrationContext,
    paper: dict,
    keeper: dict,
    because: str,
    rows: list[dict] | None = None,
) -> Flow:
    """End the run here and say so; the reservation is given back so that a new run may start."""
    payload = {"slip": paper, "witness": keeper, "because": because}
    halted = (yield from attempt(context, "halt_run", payload)) if keeper else {}
    yield from page(context, paper, f"run halted at {paper['stage']}", because)
    if halted.get("surprised"):
        # Unheard it would stand in the way of every other run until it is taken for dead.
        yield from attempt(context, "halt_run", payload, PATIENCE)
    return output(context, paper, "refused", because, rows or [], context.current_utc_datetime)


def outwait(context: DurableOrchestrationContext, paper: dict, activity: str, told: dict) -> Flow:
    """A claimed run that ends half way leaves nobody to go on: it outwaits a silent witness for
    half an hour and pages meanwhile."""
    answer = yield from attempt(context, activity, told, PATIENCE)
    for _ in range(SILENT_ROUNDS_MAX):
        if not answer.get("surprised"):
            break
        yield from page(context, paper, f"{paper['stage']} waits", answer["because"])
        answer = yield from attempt(context, activity, told, PATIENCE)
    return answer


def troubles(rows: list[dict]) -> list[dict]:
    return [one for one in rows if one["outcome"] == "refused"]


def reasons(failed: list[dict]) -> str:
    return "; ".join(f"{one['component']}: {one['because']}" for one in failed)[:BECAUSE_MAX]


def output(
    context: DurableOrchestrationContext,
    paper: dict,
    outcome: str,
    because: str,
    rows: list[dict],
    started: datetime,
) -> dict:
    """What the orchestration of a stage gives, for the run's timeline."""
    return {
        "stage": paper["stage"],
        "outcome": outcome,
        "because": because,
        "rows": rows,
        "slip": paper,
        "startedAt": started.isoformat(),
        "endedAt": context.current_utc_datetime.isoformat(),
    }
