"""Desk: a person's order at the HTTP API of one location, as `activities.desk` carries it out."""

import json
from typing import cast

from rehearsal.simulation.activities import send_slip
from rehearsal.simulation.apps import App
from rehearsal.simulation.records import changed, reserve_run
from rehearsal.simulation.world import Asking, World
from shared import api, permit, slip
from shared.outcome import refused, succeeded
from shared.plan import Plan


def order(world: World, app: App, to: str | None, key: str | None) -> Asking:
    """POST failover at the app's own desk; an outcome, or a Surprise where it says 503."""
    document = world.plan.document
    text = json.dumps({"mode": "forced", "to": to, "reason": "a person's order"}).encode()
    told = api.failover_order(document, text, key, app.now)
    record = (yield from changed(world, lambda r, now: r))["record"]
    try:
        begun = api.begun(record, told)
    except api.BadRequest as bad:
        return refused(str(bad))
    if begun and begun["phase"] != "requested":
        return succeeded("has begun already")
    target = begun["to"] if begun else told["to"] or api.standby(document, record["active"])
    allowed = permit.allow(None, record, document, target, app.now, "person", told["mode"])
    if not begun and not allowed["allowed"]:
        return refused(allowed["because"])
    paper = slip.first(
        run=told["run"],
        plan=document["name"],
        digest=world.plan.digest,
        mode=told["mode"],
        source=cast(Plan, world.plan).other(target),
        target=target,
        reason=told["reason"],
        by="person",
        now=app.now,
        facts={"orderedAt": app.now.isoformat()},
    )
    reserved = yield from reserve_run(world, app, {"slip": paper})
    if reserved["status"] == "succeeded":
        told_slip = {"slip": paper, "queue": slip.queue(paper), "location": target}
        yield from send_slip(world, app, told_slip)
    return reserved


def pause(world: World, paused: bool) -> Asking:
    """Set or lift the pause, by compare-and-swap like everything else."""
    return (yield from changed(world, lambda r, now: {**r, "paused": paused}))
