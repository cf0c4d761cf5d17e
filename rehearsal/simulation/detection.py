"""Detection: is a lost location seen as soon as the plan promises, in the weather of every seed?

Within `rounds` times `everySeconds` and one `timeoutSeconds`, by a watchdog that was watching when
it was lost and that reached what it looks at until then. Where no request is in trouble and no
process dies, always; else it is counted how often.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.verdict import TROUBLE

if TYPE_CHECKING:
    from rehearsal.simulation.world import World

LATENCY_SECONDS = 2.0  # Of the rounds' own requests.
WATCHED_ROUNDS = 2  # So long ago at most was the last round of one that watches.
LOOKED_AT = ("witness", "internet")  # Who does not reach these knows that it knows nothing.


class Detection:
    """`losses` that a watchdog should have seen by now, and how many of them it has `seen`."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.watch = world.plan.document["watch"]
        self.losses = self.seen = 0

    def lost(self, location: str) -> None:
        """This location is lost now: will the other one see it in time?"""
        world, here = self.world, self.world.plan.other(location)
        if world.record["active"] == location and self._watches(here, location):
            bound = self.watch["rounds"] * self.watch["everySeconds"] + self.watch["timeoutSeconds"]
            due = bound + LATENCY_SECONDS
            life, before = world.apps[here].life, self._moved()
            world.at(due, self._look, location, here, world.now, life, before)

    def _watches(self, here: str, location: str) -> bool:
        app, state = self.world.apps[here], self.world.watches.get(here)
        if not app.up or state is None or state["watches"] != location:
            return False
        old = app.now - timedelta(seconds=WATCHED_ROUNDS * self.watch["everySeconds"])
        return state["at"] > old.isoformat()

    def _look(self, location: str, here: str, since: float, life: int, before: tuple) -> None:
        world = self.world
        if world.lost_at.get(location) != since or world.apps[here].life != life:
            return  # It is back, or nobody could watch.
        if any(self._missed(here, node, since) for node in LOOKED_AT):
            return
        judged = world.watches[here]["verdict"]
        seen = judged["state"] in TROUBLE and judged["rounds"] >= self.watch["rounds"]
        if not seen and (world.record["run"] or self._moved() != before):
            return  # People were quicker, even if they have taken it back since.
        self.losses += 1
        self.seen += seen
        if not seen and self._fair():
            world.judge.breach("detection", location, "is lost since", since, "-", judged)

    def _moved(self) -> tuple[int, set[str]]:
        """What changes with each run that is asked for, that moves the plan or is taken back."""
        return self.world.record["epoch"], set(self.world.judge.runs)

    def _missed(self, here: str, node: str, since: float) -> bool:
        """Was this out of reach, now or at any time since then?"""
        return not self.world.reaches(here, node) or (
            self.world.mended.get((here, node), -1.0) >= since
        )

    def _fair(self) -> bool:
        sky = self.world.weather
        return not (sky.trouble or sky.lagging or sky.kills)
