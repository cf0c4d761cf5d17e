"""Mutants: bugs planted on purpose, one at a time, to prove that the properties see them.

Each is a small patch of the functions that the simulation runs, made when it is asked for and
taken back afterwards. A mutant that no seed finds says that a property is blind.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from azure.durable_functions import DurableOrchestrationContext

from orchestrations import Flow, component, heartbeat, stages
from orchestrations.steps import attempt
from rehearsal.simulation import activities, bus, components, records
from rehearsal.simulation.apps import App
from rehearsal.simulation.bus import Bus, Message
from rehearsal.simulation.mutants_afterwards import AFTERWARDS
from rehearsal.simulation.mutants_people import PEOPLE
from rehearsal.simulation.mutants_permit import PERMIT, without
from rehearsal.simulation.patches import Patch
from rehearsal.simulation.world import Ask, Asking, Source, World
from shared import permit, slip, verdict, witness
from shared.outcome import succeeded
from shared.plan import Plan


def forget_the_cas() -> list[Patch]:
    def any_etag(world: World, etag: int) -> bool:
        return True

    return [(records, "matches", any_etag)]


def claim_at_every_repeat() -> list[Patch]:
    claim = witness.claim

    def again(record: dict, paper: dict, now: datetime, *windows: list) -> dict:
        run = record["run"]
        if not run or run["id"] != paper["run"]:
            return claim(record, paper, now, *windows)
        unclaimed = {**record, "active": paper["from"], "run": {**run, "phase": "requested"}}
        return claim(unclaimed, paper, now, *windows)

    return [(witness, "claim", again)]


def claim_over_a_lease() -> list[Patch]:
    def person(paper: dict) -> bool:
        return False

    return [(witness, "automatic", person)]


def skip_an_epoch() -> list[Patch]:
    claim = witness.claim

    def two(record: dict, paper: dict, now: datetime, *windows: list) -> dict:
        claimed = claim(record, paper, now, *windows)
        grown = claimed is not record and not witness.refusal(claimed)
        return {**claimed, "epoch": claimed["epoch"] + 1} if grown else claimed

    return [(witness, "claim", two)]


def reserve_over_another() -> list[Patch]:
    reserve = witness.reserve

    def over(record: dict, paper: dict, now: datetime, *more: Any) -> dict:
        return reserve({**record, "run": None}, paper, now, *more)

    return [(witness, "reserve", over), *without("alone", "person", "watchdog")]


def ignore_the_pause() -> list[Patch]:
    reserve = witness.reserve

    def anyway(record: dict, paper: dict, now: datetime, *more: Any) -> dict:
        reserved = reserve({**record, "paused": False}, paper, now, *more)
        return reserved if witness.refusal(reserved) else {**reserved, "paused": record["paused"]}

    return [(witness, "reserve", anyway), *without("paused", "person", "watchdog")]


def forget_the_quiet_period() -> list[Patch]:
    """Nobody is told of it: the permit asks, and the reservation once more."""

    def never(record: dict, now: datetime) -> str:
        return ""

    return [(witness, "quiet", never)]


def act_without_being_told() -> list[Patch]:
    return without("automation", "watchdog")


def believe_one_observer() -> list[Patch]:
    concluded = verdict.concluded

    def one(observations: list[dict], controls: list[dict], failing: list[str]) -> str:
        state = concluded(observations, controls, failing)
        return "lost" if failing and state != "isolated" else state

    return [(verdict, "concluded", one)]


def ignore_the_controls() -> list[Patch]:
    concluded = verdict.concluded

    def blind(observations: list[dict], controls: list[dict], failing: list[str]) -> str:
        return concluded(observations, [], failing)

    return [(verdict, "concluded", blind)]


def forget_the_rounds() -> list[Patch]:
    def at_once(state: str, previous: dict | None, watch: dict, now: datetime) -> int:
        return watch["rounds"] if state in verdict.TROUBLE else 0

    return [(verdict, "counted", at_once)]


def never_be_sure() -> list[Patch]:
    counted = verdict.counted

    def doubting(state: str, previous: dict | None, watch: dict, now: datetime) -> int:
        return min(counted(state, previous, watch, now), watch["rounds"] - 1)

    return [(verdict, "counted", doubting)]


def ignore_a_living_lease() -> list[Patch]:
    lost: Patch = (verdict.JUDGED, ("several", "lease"), "lost")
    return [lost, *without("lapsed", "watchdog")]


def leave_the_old_door_open() -> list[Patch]:
    def only_enable(world: World, app: Source, task: dict) -> Asking:
        node, mine = f"arm.{world.profile_location}", task["location"]
        yield Ask(node, lambda: components.point(world, task, mine, True, world.now))
        return succeeded("enabled")

    return [(activities.MODELS, "promote_traffic", only_enable)]


def close_the_old_door_first() -> list[Patch]:
    def disable_first(world: World, app: Source, task: dict) -> Asking:
        node, mine = f"arm.{world.profile_location}", task["location"]
        for name in sorted(world.endpoints, key=lambda name: name == mine):
            yield Ask(node, partial(components.point, world, task, name, name == mine, world.now))
        return succeeded("only that endpoint is enabled")

    return [(activities.MODELS, "promote_traffic", disable_first)]


def wake_before_the_fence() -> list[Patch]:
    order = ["claim", "promote", "activate", "fence", "redirect", "verify", "protect"]
    return [(slip.ROUTES, "forced", order)]


def skip_the_fence() -> list[Patch]:
    return [(stages.STORIES, "fence", stages.protect)]


def send_the_slip_before_acting() -> list[Patch]:
    act = stages.tell_story

    def early(context: DurableOrchestrationContext, plan: Plan, paper: dict) -> Flow:
        onward = slip.onward(paper, {})
        if onward:
            told = {"slip": onward, "queue": slip.queue(onward), "location": paper["to"]}
            yield from attempt(context, "send_slip", told)
        return (yield from act(context, plan, paper))

    return [(stages, "tell_story", early)]


def complete_before_starting() -> list[Patch]:
    def careless(app: App, held: Bus, message: Message) -> Asking:
        paper = bus.read(app, message)
        yield Ask(f"bus.{held.location}", lambda: held.complete(message))
        app.did()
        yield Ask(f"bus.{held.location}", bool)
        if slip.instance_id(paper) not in app.hub:
            app.start("stage", slip.instance_id(paper), paper)
        return {}

    return [(bus, "take", careless)]


def start_a_stage_again() -> list[Patch]:
    def every_time(app: App, held: Bus, message: Message) -> Asking:
        paper = bus.read(app, message)
        yield Ask(f"bus.{held.location}", bool)
        app.start("stage", slip.instance_id(paper), paper)
        yield Ask(f"bus.{held.location}", lambda: held.complete(message))
        return {}

    return [(bus, "take", every_time)]


def believe_a_202() -> list[Patch]:
    def unseen(
        context: DurableOrchestrationContext, observe: str, task: dict, outcome: dict
    ) -> Flow:
        yield from ()
        return outcome

    return [(component, "prove", unseen)]


def forget_to_finish() -> list[Patch]:
    def kept(record: dict, *more: Any) -> dict:
        return record

    return [(witness, "finish", kept)]


def stay_on_beside_the_new_side() -> list[Patch]:
    def proud(
        context: DurableOrchestrationContext,
        plan: Plan,
        here: str,
        memory: dict,
        epoch: int | None,
        because: str,
    ) -> Flow:
        yield from ()
        down = {"epoch": epoch, "because": because, "stopped": [], "left": []}
        return {**memory, "stoodDown": down}

    return [(heartbeat, "stand_down", proud)]


def never_serve_again() -> list[Patch]:
    def shy(
        context: DurableOrchestrationContext, plan: Plan, here: str, memory: dict, epoch: int
    ) -> Flow:
        yield from ()
        return {**memory, "stoodDown": None}

    return [(heartbeat, "serve_again", shy)]


def refuse_without_a_word() -> list[Patch]:
    def mute(reason: str, because: str, needs: str | None = None) -> dict:
        return {"allowed": False, "because": "", "reason": reason, "needs": needs}

    return [(permit, "answer", mute)]


MUTANTS: dict[str, Callable[[], list[Patch]]] = {
    plant.__name__.replace("_", "-"): plant
    for plant in (
        forget_the_cas,
        claim_at_every_repeat,
        claim_over_a_lease,
        skip_an_epoch,
        reserve_over_another,
        ignore_the_pause,
        forget_the_quiet_period,
        act_without_being_told,
        believe_one_observer,
        ignore_the_controls,
        forget_the_rounds,
        never_be_sure,
        ignore_a_living_lease,
        leave_the_old_door_open,
        close_the_old_door_first,
        wake_before_the_fence,
        skip_the_fence,
        send_the_slip_before_acting,
        complete_before_starting,
        start_a_stage_again,
        believe_a_202,
        forget_to_finish,
        stay_on_beside_the_new_side,
        never_serve_again,
        refuse_without_a_word,
        *AFTERWARDS,
        *PEOPLE,
        *PERMIT,
    )
}
