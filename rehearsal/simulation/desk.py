"""Desk: what people order and say at one location's HTTP API, as `activities.desk*` does it."""

import json
from collections.abc import Generator
from functools import partial
from typing import cast

from rehearsal.simulation.apps import App
from rehearsal.simulation.post import send_slip
from rehearsal.simulation.ready import assess_readiness
from rehearsal.simulation.records import changed, reserve_run
from rehearsal.simulation.world import Ask, Asking, World
from shared import api, decisions, permit, runs, slip
from shared.outcome import refused, succeeded
from shared.plan import Plan
from shared.reply import Surprise

PERSON = "person"
PROBE_SECONDS = 3.0


def order(world: World, app: App, to: str | None, key: str | None, mode: str) -> Asking:
    """POST failover at the app's own desk; an outcome, or a Surprise where it says 503."""
    document = world.plan.document
    text = json.dumps({"mode": mode, "to": to, "reason": "a person's order"}).encode()
    told = api.failover_order(document, text, key, app.now)
    record = (yield from changed(world, lambda r, now: r))["record"]
    try:
        begun = api.begun(record, told)
    except api.BadRequest as bad:
        return refused(str(bad))
    if begun and begun["phase"] != "requested":
        return succeeded("has begun already")
    target = begun["to"] if begun else told["to"] or api.standby(document, record["active"])
    allowed = permit.allow(None, record, document, target, world.server_time, PERSON, mode)
    run = record["run"]
    if not begun and mode == "forced" and run and run["to"] == target and run["mode"] != mode:
        return (yield from say(world, app, "switch"))
    if not begun and not allowed["allowed"]:
        return refused(allowed["because"])
    if not begun and mode == "graceful":
        hindered = yield from hindrance(world, app, target)
        if hindered:
            return refused(hindered)
    return (yield from launch(world, app, {**told, "to": target}))


def hindrance(world: World, app: App, target: str) -> Generator[Ask, object, str]:
    """Why a graceful run must not begin; nothing when it may. As `readiness.hindrance`."""
    source = world.plan.other(target)
    try:
        well = yield Ask(source, lambda: world.apps[source].up, PROBE_SECONDS)
    except Surprise as silent:
        return f"{source} does not answer: {silent}"
    if not well:
        return f"{source} is not well"
    told = {"plan": world.plan.document, "location": target}
    seen = yield from assess_readiness(world, app, told)
    return "" if seen["ready"] else f"{target} is not ready: {seen['because']}"


def launch(world: World, app: App, told: dict) -> Asking:
    """Reserve the run, then send its slip."""
    target = told["to"]
    paper = slip.first(
        run=told["run"],
        plan=world.plan.name,
        digest=world.plan.digest,
        mode=told["mode"],
        source=cast(Plan, world.plan).other(target),
        target=target,
        reason=told["reason"],
        by=PERSON,
        now=app.now,
        facts={"orderedAt": app.now.isoformat()},
    )
    reserved = yield from reserve_run(world, app, {"slip": paper})
    if reserved["status"] == "succeeded":
        told_slip = {"slip": paper, "queue": slip.queue(paper), "location": target}
        yield from send_slip(world, app, told_slip)
    return reserved


def say(world: World, app: App, word: str) -> Asking:
    """POST a word on the run in progress: kept at the witness, then whoever waits here is woken."""
    record = (yield from changed(world, lambda r, now: r))["record"]
    if not record["run"]:
        return refused("no run is in progress")
    plan, run = world.plan, record["run"]["id"]
    said = partial(
        runs.Said,
        run=run,
        by=PERSON,
        comment="",
        point=plan.point_of_no_return,
        quiet_minutes=plan.quiet_minutes,
    )
    heard = yield from changed(world, lambda r, now: runs.hear(r, word, said(now=now)))
    if heard["status"] == "succeeded":
        wake(app, run)
    return heard


def wake(app: App, run: str) -> None:
    """Raise the event that the custom status of a waiting stage of this run names."""
    for id, instance in list(app.hub.items()):
        if instance.done or not id.startswith(f"{run}."):
            continue
        status = instance.status
        name = status.get("waitsFor") if isinstance(status, dict) else None
        if name:
            app.raise_event(id, name, {"run": run})


def decide(world: World, word: str) -> Asking:
    """POST pause, resume or acknowledge of the plan."""
    windows = world.plan.document["maintenance"]
    return (
        yield from changed(
            world, lambda r, now: decisions.decide(r, word, PERSON, "", now, windows)
        )
    )
