"""Mutants, people: bugs in what persons may say to a run, and in leaving a location that lives."""

from collections.abc import Callable
from datetime import datetime

from azure.durable_functions import DurableOrchestrationContext

from orchestrations import Flow, again, ends, people, stages, waves
from rehearsal.simulation import chain, plots, weather
from rehearsal.simulation.patches import Patch
from rehearsal.simulation.world import World
from shared import runs, witness
from shared.plan import Plan


def unhindered(waits: str) -> list[Patch]:
    """Let go on what people hold for this reason ("": what they have cancelled)."""
    hindered = witness.hindered

    def deaf(record: dict) -> dict | None:
        stop = hindered(record)
        return None if stop and stop.get("waits", "") == waits else stop

    return [(witness, "hindered", deaf)]


def claim_without_approval() -> list[Patch]:
    return unhindered("approval")


def go_on_though_paused() -> list[Patch]:
    return unhindered("paused")


def go_on_though_cancelled() -> list[Patch]:
    return unhindered("")


def cancel_at_any_time() -> list[Patch]:
    cancel = runs.cancel

    def late(record: dict, said: runs.Said) -> dict:
        return cancel(record, said._replace(point="restore"))

    return [(runs.TRANSITIONS, "cancel", late)]


def leave_at_once() -> list[Patch]:
    """A graceful run that stops nothing, waits for nothing, and claims what nobody released."""
    claim = witness.claim

    def greedy(record: dict, paper: dict, now: datetime, *windows: list) -> dict:
        run = record["run"]
        if not run or run["mode"] != "graceful":
            return claim(record, paper, now, *windows)
        given = {**record, "leaseUntil": None, "run": {**run, "released": True}}
        return claim(given, paper, now, *windows)

    return [(stages.STORIES, "quiesce", stages.claim), (witness, "claim", greedy)]


def renew_what_was_released() -> list[Patch]:
    def never(record: dict, now: datetime) -> bool:
        return False

    return [(witness, "handed_over", never)]


def give_back_to_nobody() -> list[Patch]:
    give_back = runs.give_back

    def kept(record: dict, paper: dict, now: datetime, quiet_minutes: float) -> dict:
        given = give_back(record, paper, now, quiet_minutes)
        if witness.refusal(given) or given is record:
            return given
        return {**given, "active": record["active"], "holder": record["holder"]}

    return [(runs, "give_back", kept)]


def forget_to_undo() -> list[Patch]:
    def nothing(context: DurableOrchestrationContext, plan: Plan, paper: dict) -> Flow:
        yield from ()
        return []

    return [(ends, "undo", nothing)]


def append_without_looking() -> list[Patch]:
    def blind(world: World, size: int, lines: list[dict]) -> bool:
        world.audit += lines
        return True

    return [(chain, "append", blind)]


def ask_people_while_stopping() -> list[Patch]:
    """Keepers, and an undo, ask the witness between two chunks, as a stage does."""

    class Attentive(people.Ear):
        def __init__(
            self, context: DurableOrchestrationContext, known: dict, paper: dict, deaf: bool = False
        ) -> None:
            super().__init__(context, known, paper, deaf)
            self.deaf = False

    return [(waves, "Ear", Attentive), (weather, "LATER", ((plots.pieces, 1.0),))]


def believe_one_silent_workflow() -> list[Patch]:
    """Fence nothing behind the first chunk of a region that is back, but for one of its answers."""

    def all_of_them(rows: list[dict]) -> bool:
        stops = [row["outcome"] for row in rows if row.get("verb") == "demote"]
        return bool(stops) and "refused" not in stops

    return [(again, "answered", all_of_them), (weather, "LATER", ((plots.pieces, 1.0),))]


PEOPLE: tuple[Callable[[], list[Patch]], ...] = (
    claim_without_approval,
    go_on_though_paused,
    go_on_though_cancelled,
    cancel_at_any_time,
    leave_at_once,
    renew_what_was_released,
    give_back_to_nobody,
    forget_to_undo,
    append_without_looking,
    ask_people_while_stopping,
    believe_one_silent_workflow,
)
