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

from activities import apim_backups, plans, readiness, watches, witness
from shared import api, audit_reading, leftovers, store, views, watch
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
    return witnessed(document)[0]


def witnessed(document: dict) -> tuple[dict, datetime]:
    """The same, and storage's own time then: what a record says is judged by that.

    Of two hosts' clocks one is wrong, and a lease that lives must not look as if it had run out.
    """
    found = witness.read_witness({"plan": document["name"], "witness": document["witness"]})
    if found["status"] != "succeeded":
        raise Surprise(found["because"])
    return found["record"], datetime.fromisoformat(found["serverTime"])


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
        return overview(name, readiness.remembered)
    except Problem as no:
        return {"name": name, "warnings": [no.body["detail"]]}


@answered
def one_plan(name: str) -> tuple:
    return 200, overview(name)


def overview(name: str, look: Callable[[dict, str], dict | None] = readiness.recent) -> dict:
    """One plan; `look` gives what is known of the standby's readiness."""
    found = known_plan(name)
    document, warnings = found["plan"], [f"bad new plan: {error}" for error in found["stale"]]
    seen = watched(name, warnings)
    record, there = in_time("witness", warnings, witnessed, document) or (None, None)
    active = record["active"] if record else document["home"]
    manifests = in_time("backups", warnings, backups_of, document, active)
    ready = in_time("readiness", warnings, look, document, api.standby(document, active))
    left = in_time("leftovers", warnings, leftovers.look, settings().location)
    if left:
        warnings.append(f"messages that nobody takes: {', '.join(left)} in {settings().location}")
    chain = in_time("audit", warnings, audit_reading.summary, document, record) if record else None
    now = datetime.now(UTC)
    view = views.plan_view(document, record, seen, manifests or [], warnings, now, ready, there)
    return {**view, "audit": chain}


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


def judged(document: dict, active: str) -> dict | None:
    """What the watchdog here says of the active location, unless that is old.

    By the clock of this location, which the watchdog wrote it by.
    """
    known = watched(document["name"], [])
    if known is None or known["watches"] != active:
        return None
    old = watch.stale(known, document["watch"]["everySeconds"], datetime.now(UTC))
    return None if old else known["verdict"]


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
def every_backup(name: str) -> tuple:
    """The manifests of a plan's backups, newest first."""
    document = known_plan(name)["plan"]
    found = backups_of(document, known_record(document)["active"])
    return 200, {"backups": sorted(found, key=lambda m: m["startedAt"], reverse=True)}


@answered
def order_backup(name: str) -> tuple:
    (record, now), here = witnessed(known_plan(name)["plan"]), settings().location
    if record["active"] != here:
        raise refuse(409, "Not here", f"{name} is active in {record['active']}: ask its app")
    if in_progress(record["run"], now):
        raise refuse(409, "Not now", f"run {record['run']['id']} is under way")
    return 202, {"plan": name, "instance": f"backup.{name}"}


@answered
def order_decision(name: str, word: str, body: bytes, who: str = "") -> tuple:
    """Pause, resume or acknowledge a plan at the witness: 200 with what holds now.

    `who`: the caller's identity, where it is known.
    """
    document = known_plan(name)["plan"]
    try:
        said = api.decision(body, word, who)
    except api.BadRequest as bad:
        raise refuse(400, "Bad request", str(bad), errors=bad.errors) from bad
    manual = [part["name"] for part in document["components"] if part["kind"] == "manual"]
    done = getattr(said, "component", None)
    if done is not None and done not in manual:
        raise refuse(404, "Unknown step", f"{name} has no manual component {done}")
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
