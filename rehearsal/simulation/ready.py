"""Ready: what is seen of a location that is to be the standby, weighed by `shared.readiness`.

Backups are always good here: the gateway's pipeline is not simulated.
"""

from collections.abc import Callable, Iterator

from rehearsal.simulation.world import Ask, Asking, Source, World
from shared import readiness
from shared.outcome import succeeded
from shared.plan import LogicWorkflow
from shared.reply import Surprise

LOOK_SECONDS = 3.0
Look = Callable[[], list[dict]]


def assess_readiness(world: World, app: Source, payload: dict) -> Asking:
    """The looks of `activities.readiness`, one after the other; who is silent is a check."""
    to, checks = payload["location"], []
    for name, node, look in looks(world, to):
        try:
            checks += yield Ask(node, look, LOOK_SECONDS)
        except Surprise as silent:
            words = str(silent)
            checks.append(readiness.check(readiness.WHOLE, to, name, "fail", words, "look again"))
    return succeeded(**readiness.brief(readiness.summed(checks, world.server_time)))


def looks(world: World, to: str) -> Iterator[tuple[str, str, Look]]:
    def well(name: str) -> Look:
        return lambda: [readiness.check(readiness.WHOLE, to, name, "ok", "answers")]

    def app() -> list[dict]:
        up = world.apps[to].up
        status, words = ("ok", "answers") if up else ("fail", "answers 503")
        return [readiness.check(readiness.WHOLE, to, "app", status, words, "start the app")]

    def states() -> list[dict]:
        alone = world.plan.exclusive(to)
        return [
            readiness.workflow(
                part.name,
                "activePassive" if part.name in alone else part.role,
                part.trigger,
                to,
                STATES[world.enabled[to, part.name]],
            )
            for part in world.plan.components
            if isinstance(part, LogicWorkflow)
        ]

    yield "witness", "witness", well("witness")
    yield "app", to, app
    yield "slips", f"bus.{to}", well("slips")
    yield "state", f"arm.{to}", states


STATES = {True: "Enabled", False: "Disabled"}
