"""Desk: what the HTTP API says and does, put together from what several activities know.

The one module here that is no activity, and so the one that may ask its neighbours. It knows
nothing of HTTP but the status: a no is raised as a Problem and rendered once.
"""

import logging
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from activities import apim_backups, gateway, plans, slips, traffic, watches, witness, workflow
from shared import api, dryrun, permit, slip, store, views
from shared.plan import Plan
from shared.problem import Problem, problem
from shared.reply import Surprise

NAME = re.compile(r"[a-z][a-z0-9-]{1,39}")
DRY_RUN_THREADS = 16
OBSERVERS = {
    "logicWorkflow": workflow.observe_workflow,
    "apiManagement": gateway.observe_gateway,
    "trafficManager": traffic.observe_traffic,
}


def refuse(status: int, title: str, detail: str, **more: object) -> Problem:
    return Problem(problem(status, title, detail, **more))


def known_plan(name: str) -> dict:
    """{"plan", "digest"} of a plan; a 404 where there is none."""
    if not NAME.fullmatch(name):
        raise refuse(404, "Unknown plan", "that is no name of a plan")
    found = plans.load_plan({"plan": name})
    if found["status"] != "succeeded":
        raise refuse(404, "Unknown plan", found["because"])
    return found


def known_record(document: dict) -> dict | None:
    """The witness's record, or None when the witness is out of reach."""
    try:
        found = witness.read_witness({"plan": document["name"], "witness": document["witness"]})
    except Surprise as silent:
        logging.warning("witness of %s: %s", document["name"], silent)
        return None
    return found["record"] if found["status"] == "succeeded" else None


def reservation(run: str) -> dict | None:
    """The record whose run in progress is `run`: runs carry their plan's name in front."""
    for name in store.plan_names():
        if run.startswith(f"{name}-"):
            record = known_record(known_plan(name)["plan"])
            if record and record["run"] and record["run"]["id"] == run:
                return record
    return None


def overview(name: str) -> dict:
    document, now = known_plan(name)["plan"], datetime.now(UTC)
    watch = watches.read_watch({"plan": name})
    record = known_record(document)
    seen = watch["watch"] if watch["status"] == "succeeded" else None
    return views.plan_view(document, record, seen, backups_of(document, record), now)


def backups_of(document: dict, record: dict | None) -> list[dict]:
    """The manifests that lie in the standby's region; [] where they are out of reach."""
    plan = Plan.model_validate(document)
    name = plan.gateway()
    if name is None:
        return []
    active = record["active"] if record else plan.home
    part = plan.component(name, active)
    job = {"plan": plan.name, "target": part["backups"][plan.other(active)]}
    try:
        listed = apim_backups.list_manifests(job)
    except Surprise as silent:
        logging.warning("backups of %s: %s", plan.name, silent)
        return []
    return listed["manifests"] if listed["status"] == "succeeded" else []


def order_failover(name: str, body: bytes, key: str | None) -> tuple:
    """Validate, ask for permission, reserve the run at the witness, send its slip: 202."""
    found, now = known_plan(name), datetime.now(UTC)
    document = found["plan"]
    record = known_record(document)
    if record is None:
        raise refuse(503, "Witness out of reach", "without its record nobody moves a plan")
    try:
        order = api.failover_order(document, body, key, now, record["active"])
    except api.BadRequest as bad:
        raise refuse(400, "Bad request", str(bad), errors=bad.errors) from bad
    allowed = permit.allow(None, record, document, order["to"], now, "person", order["mode"])
    if order["dryRun"]:
        return 200, rehearse(document, order, allowed, now)
    run = record["run"]
    if not allowed["allowed"] and not (run and run["id"] == order["run"]):
        raise refuse(409, "Not now", allowed["because"])
    paper = slip.first(
        run=order["run"],
        plan=document["name"],
        digest=found["digest"],
        mode=order["mode"],
        source=Plan.model_validate(document).other(order["to"]),
        target=order["to"],
        reason=order["reason"],
        by="person",
        now=now,
        facts={"orderedAt": now.isoformat()},
    )
    return launch(document, paper)


def launch(document: dict, paper: dict) -> tuple:
    """Reserve and send. The same Idempotency-Key finds its own reservation and sends again."""
    reserved = witness.reserve_run({"slip": paper, "witness": document["witness"]})
    if reserved["status"] != "succeeded":
        raise refuse(409, "Not now", reserved["because"])
    slips.send_slip({"slip": paper, "queue": slip.queue(paper), "location": paper["to"]})
    location = {"Location": f"/api/runs/{paper['run']}"}
    return 202, {"run": paper["run"], "to": paper["to"], "mode": paper["mode"]}, location


def rehearse(document: dict, order: dict, allowed: dict, now: datetime) -> dict:
    """Observe every component as the run would, side by side, and say what would be called."""
    plan = Plan.model_validate(document)
    acts = dryrun.order(plan, order["to"], order["mode"])
    with ThreadPoolExecutor(DRY_RUN_THREADS) as pool:
        rows = list(pool.map(lambda act: compared(plan, act), acts))
    return views.dry_run(document, allowed, rows, now)


def compared(plan: Plan, act: dict) -> dict:
    part = plan.component(act["component"], act["location"])
    observe = OBSERVERS.get(part["kind"])
    task = {**act, "component": part, "plan": plan.name}
    try:
        seen = observe(task) if observe else {"status": "skipped", "because": "cannot be observed"}
    except Surprise as silent:
        seen = {"status": "refused", "because": str(silent)}
    return dryrun.difference(act, part, seen)


def every_plan() -> tuple:
    return 200, {"plans": [overview(name) for name in store.plan_names()]}


def one_plan(name: str) -> tuple:
    return 200, overview(name)


def every_backup(name: str) -> tuple:
    """The manifests of a plan's backups, newest first."""
    document = known_plan(name)["plan"]
    found = backups_of(document, known_record(document))
    return 200, {"backups": sorted(found, key=lambda m: m["startedAt"], reverse=True)}


def order_backup(name: str) -> tuple:
    known_plan(name)
    return 202, {"plan": name, "instance": f"backup.{name}"}


def one_run(run: str, instances: dict[str, dict]) -> tuple:
    """A run's timeline from the stages that this location carried."""
    view = views.run_view(run, reservation(run), instances)
    if view is None:
        raise refuse(404, "Unknown run", f"no run {run} here")
    return 200, view
