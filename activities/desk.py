"""Desk: what the HTTP API says and does, put together from what several activities know.

The one module here that is no activity, and so the one that may ask its neighbours. It knows
nothing of HTTP but the status: a no is raised as a Problem and rendered once.
"""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import wraps
from typing import ParamSpec, TypeVar

from activities import apim_backups, desk_dryrun, plans, readiness, slips, watches, witness
from shared import api, permit, slip, store, views, watch
from shared.plan import Plan
from shared.problem import Problem, problem
from shared.reply import Surprise
from shared.settings import settings
from shared.witness import in_progress

P = ParamSpec("P")
T = TypeVar("T")
NAME = re.compile(r"[a-z][a-z0-9-]{1,39}")
RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}")  # As a slip has it.
THREADS = 16
# A page about a lost region must not wait for it: what does not answer in time is a warning.
VIEW_SECONDS = 4.0
AGAIN = "send it again with the same Idempotency-Key: it stays one run"
UNSURE = "it may have been accepted: look at /api/runs/{run} before you send another"


def refuse(status: int, title: str, detail: str, **more: object) -> Problem:
    return Problem(problem(status, title, detail, **more))


def answered(work: Callable[P, T]) -> Callable[P, T]:
    """A service that is silent is a 503 to the caller, who may ask again; not our own fault."""

    @wraps(work)
    def asked(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return work(*args, **kwargs)
        except Surprise as silent:
            raise refuse(503, "Out of reach", str(silent)) from silent

    return asked


def known_plan(name: str) -> dict:
    """{"plan", "digest", "stale"} of a plan; a 404 where there is none that can be run with."""
    if not NAME.fullmatch(name):
        raise refuse(404, "Unknown plan", "that is no name of a plan")
    found = plans.load_plan({"plan": name})
    if found["status"] != "succeeded":
        raise refuse(404, "Unknown plan", found["because"], errors=found.get("problems", []))
    return found


def known_record(document: dict) -> dict:
    """The witness's record of a plan; a Surprise when it cannot be had."""
    found = witness.read_witness({"plan": document["name"], "witness": document["witness"]})
    if found["status"] != "succeeded":
        raise Surprise(found["because"])
    return found["record"]


def backups_of(document: dict, active: str) -> list[dict]:
    """The manifests that lie in the standby's region; a Surprise when they cannot be had."""
    plan = Plan.model_validate(document)
    name = plan.gateway()
    if name is None:
        return []
    target = plan.component(name, active)["backups"][plan.other(active)]
    listed = apim_backups.list_manifests({"plan": plan.name, "target": target})
    if listed["status"] != "succeeded":
        raise Surprise(listed["because"])
    return listed["manifests"]


@answered
def every_plan() -> tuple:
    """Every plan at a glance; one that cannot be run with says why, and hides no other."""
    with ThreadPoolExecutor(THREADS) as pool:
        return 200, {"plans": list(pool.map(glance, store.plan_names()))}


def glance(name: str) -> dict:
    try:
        return overview(name)
    except Problem as no:
        return {"name": name, "warnings": [no.body["detail"]]}


@answered
def one_plan(name: str) -> tuple:
    return 200, overview(name)


def overview(name: str) -> dict:
    found = known_plan(name)
    document, warnings = found["plan"], [f"bad new plan: {error}" for error in found["stale"]]
    seen = watched(name, warnings)
    record = in_time("witness", warnings, known_record, document)
    active = record["active"] if record else document["home"]
    manifests = in_time("backups", warnings, backups_of, document, active)
    ready = in_time(
        "readiness", warnings, readiness.recent, document, api.standby(document, active)
    )
    now = datetime.now(UTC)
    return views.plan_view(document, record, seen, manifests or [], warnings, now, ready)


@answered
def one_readiness(name: str) -> tuple:
    """What would make a failover to the standby of the moment fail, check by check."""
    document, warnings = known_plan(name)["plan"], list[str]()
    record = in_time("witness", warnings, known_record, document)
    active = record["active"] if record else document["home"]
    found = readiness.recent(document, api.standby(document, active))
    return 200, {"plan": name, "active": active, **found}


def watched(name: str, warnings: list[str]) -> dict | None:
    """The watch state, or None where nobody has watched or what was left is none."""
    found = watches.read_watch({"plan": name})
    if found["status"] != "succeeded":
        return None
    state = watch.shaped(found["watch"])
    if state.get("status") != "refused":
        return state
    warnings.append(state["because"])
    return None


def in_time(what: str, warnings: list[str], work: Callable[..., T], *args: object) -> T | None:
    """What `work` gives within VIEW_SECONDS, or None and a warning that says why not."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="desk")
    try:
        return pool.submit(work, *args).result(VIEW_SECONDS)
    except (Surprise, TimeoutError) as silent:
        warnings.append(f"{what}: {str(silent) or f'no answer within {VIEW_SECONDS:g} s'}")
        return None
    finally:
        pool.shutdown(wait=False)  # What hangs is left to its own timeouts.


@answered
def order_failover(name: str, body: bytes, key: str | None) -> tuple:
    """Validate, ask for permission, reserve the run at the witness, send its slip: 202.

    With `dryRun` 200, and nothing is changed. The same Idempotency-Key finds its own run, and
    that run keeps its direction: after the claim the standby is another one.
    """
    found, now = known_plan(name), datetime.now(UTC)
    document = found["plan"]
    try:
        order = api.failover_order(document, body, key, now)
        record = known_record(document)
        begun = None if order["dryRun"] else api.begun(record, order)
    except api.BadRequest as bad:
        raise refuse(400, "Bad request", str(bad), errors=bad.errors) from bad
    if begun and begun["phase"] != "requested":
        return accepted(begun)
    target = begun["to"] if begun else order["to"] or api.standby(document, record["active"])
    known = watched(name, []) if order["mode"] == "graceful" else None
    verdict = known["verdict"] if known and known["watches"] == record["active"] else None
    allowed = permit.allow(verdict, record, document, target, now, "person", order["mode"])
    if order["dryRun"]:
        return 200, desk_dryrun.rehearse(document, {**order, "to": target}, allowed, now)
    if not begun and not allowed["allowed"]:
        raise refuse(409, "Not now", allowed["because"])
    if not begun and order["mode"] == "graceful" and (no := readiness.hindrance(document, target)):
        raise refuse(409, "Not ready", f"{no['because']}; use forced", checks=no["checks"])
    said = readiness.warnings(document, target) if order["mode"] == "forced" else []
    return launch(document, first_slip(found, {**order, "to": target}, now), key, said)


def first_slip(found: dict, order: dict, now: datetime) -> dict:
    return slip.first(
        run=order["run"],
        plan=found["plan"]["name"],
        digest=found["digest"],
        mode=order["mode"],
        source=Plan.model_validate(found["plan"]).other(order["to"]),
        target=order["to"],
        reason=order["reason"],
        by="person",
        now=now,
        facts={"orderedAt": now.isoformat()},
    )


def launch(document: dict, paper: dict, key: str | None, warnings: list[str]) -> tuple:
    """Reserve and send: whoever got no answer may repeat both under the same run id."""
    advice = AGAIN if key else UNSURE.format(run=paper["run"])
    try:
        reserved = witness.reserve_run({"slip": paper, "witness": document["witness"]})
        if reserved["status"] != "succeeded" and "record" not in reserved:
            raise Surprise(reserved["because"])  # Not a no of the record: storage's own.
        if reserved["status"] != "succeeded":
            raise refuse(409, "Not now", reserved["because"])
        slips.send_slip({"slip": paper, "queue": slip.queue(paper), "location": paper["to"]})
    except Surprise as silent:
        detail = f"{silent}; {advice}"
        raise refuse(503, "Out of reach", detail, run=paper["run"]) from silent
    return accepted(reserved["record"]["run"], warnings)


def accepted(run: dict, warnings: list[str] | None = None) -> tuple:
    location = {"Location": f"/api/runs/{run['id']}"}
    body = {"run": run["id"], "to": run["to"], "mode": run["mode"]}
    return 202, {**body, "warnings": warnings} if warnings else body, location


@answered
def every_backup(name: str) -> tuple:
    """The manifests of a plan's backups, newest first."""
    document = known_plan(name)["plan"]
    found = backups_of(document, known_record(document)["active"])
    return 200, {"backups": sorted(found, key=lambda m: m["startedAt"], reverse=True)}


@answered
def order_backup(name: str) -> tuple:
    record, here = known_record(known_plan(name)["plan"]), settings().location
    if record["active"] != here:
        raise refuse(409, "Not here", f"{name} is active in {record['active']}: ask its app")
    if in_progress(record["run"], datetime.now(UTC)):
        raise refuse(409, "Not now", f"run {record['run']['id']} is under way")
    return 202, {"plan": name, "instance": f"backup.{name}"}


@answered
def order_decision(name: str, word: str, body: bytes) -> tuple:
    """Pause, resume or acknowledge a plan at the witness: 200 with what holds now."""
    document = known_plan(name)["plan"]
    try:
        said = api.decision(body)
    except api.BadRequest as bad:
        raise refuse(400, "Bad request", str(bad), errors=bad.errors) from bad
    payload = {"plan": name, "witness": document["witness"], "word": word, **said.model_dump()}
    decided = witness.decide({**payload, "maintenance": document["maintenance"]})
    if decided["status"] != "succeeded":
        raise refuse(409, "Not now", decided["because"])
    record = decided["record"]
    shown = ("paused", "liftedAt", "quietUntil")
    return 200, {"plan": name, **{key: record[key] for key in shown}}


@answered
def one_run(run: str, instances: dict[str, dict]) -> tuple:
    """A run's timeline from the stages that this location carried, and from the witness."""
    warnings: list[str] = []
    record = in_time("witness", warnings, record_of, run)
    if warnings and not instances:
        raise Surprise(warnings[0])
    view = views.run_view(run, record, instances)
    if view is None:
        raise refuse(404, "Unknown run", "no location of a plan that is known here has this run")
    return 200, {**view, "warnings": warnings}


def record_of(run: str) -> dict | None:
    """The record that knows the run, in progress or ended: runs begin with their plan's name."""
    for name in store.plan_names():
        if not run.startswith(f"{name}-"):
            continue
        found = plans.load_plan({"plan": name})
        record = known_record(found["plan"]) if found["status"] == "succeeded" else None
        if record and any(line["who"] == run for line in record["transitions"]):
            return record
    return None
