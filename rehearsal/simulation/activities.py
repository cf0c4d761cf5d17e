"""Activities as the simulation knows them: request by request, with the product's own decisions.

Each is a generator of requests, named as in `activities.ACTIVITIES`. Those of the witness record
are in `records`, the observers in `looks`, those of workflows, gateway and traffic in `components`.
"""

from collections.abc import Callable

from rehearsal.simulation import chain, components, looks, post, ready, records
from rehearsal.simulation.world import Ask, Asking, Source, World
from shared.outcome import succeeded

Model = Callable[[World, Source, dict], Asking]
Answering = Callable[[World, Source, dict], dict]


def load_plan(world: World, app: Source, payload: dict) -> dict:
    digest = world.plan.digest
    if payload.get("known") == digest:
        return succeeded(digest=digest, unchanged=True)
    return succeeded(plan=world.plan.document, digest=digest)


def write_watch(world: World, app: Source, payload: dict) -> dict:
    world.watches[app.here] = payload["watch"]
    return succeeded()


def alert(world: World, app: Source, payload: dict) -> Asking:
    world.judge.alerted(payload)
    yield Ask("internet", bool)
    return succeeded()


def keep_audit(world: World, app: Source, payload: dict) -> Asking:
    yield Ask("witness", bool)
    return succeeded(audited=payload["transitions"][-1]["n"])


def note_rows(world: World, app: Source, payload: dict) -> dict:
    kept = world.notes[app.here].setdefault(payload["run"], {})
    kept[payload["stage"]] = payload["rows"]
    return succeeded()


def read_rows(world: World, app: Source, payload: dict) -> dict:
    return succeeded(stages=dict(world.notes[app.here].get(payload["run"], {})))


MODELS: dict[str, Model] = {
    model.__name__: model
    for model in (
        records.reserve_run,
        records.claim_epoch,
        records.advance_run,
        records.finish_run,
        records.halt_run,
        records.take_up_run,
        records.renew_lease,
        records.give_back,
        records.release_lease,
        records.read_witness,
        records.ask_peer,
        alert,
        keep_audit,
        post.send_slip,
        chain.keep_audit,
        ready.assess_readiness,
        looks.observe_health,
        looks.observe_gateway_status,
        looks.observe_traffic_manager,
        looks.observe_lease,
        looks.observe_control_plane,
        looks.control_arm,
        looks.control_http,
        components.observe_workflow,
        components.promote_workflow,
        components.drain_workflow,
        components.transfer_workflow,
        components.demote_workflow,
        components.observe_gateway,
        components.promote_gateway,
        components.ask_operation,
        components.verify_gateway,
        components.observe_traffic,
        components.promote_traffic,
        components.verify_traffic,
        components.call_hook,
    )
}
SIMULATED = {"apiManagement", "http", "logicWorkflow", "trafficManager"}  # Kinds with models here.
# What asks nobody but this location's own storage, which does not fail here.
AT_ONCE: dict[str, Answering] = {
    answering.__name__: answering
    for answering in (
        load_plan,
        write_watch,
        note_rows,
        read_rows,
        records.yield_claim,
        records.note_claim,
        records.settle_claim,
    )
}
