"""Beside: for how long does an exclusive workflow run in two places, though its app could stop it?

Looked at after every event that may begin or end it: a switch, a claim, a region or an app that
goes or comes back, a cut or an outage that begins or ends. What lasts too long is judged when it
does, not when somebody switches the next time.
"""

from typing import TYPE_CHECKING

from shared import halves

if TYPE_CHECKING:
    from rehearsal.simulation.world import World

Spot = tuple[str, str]  # (location, workflow), as in `World.enabled`.
# An app that lives and reaches its own ARM steps back within a lease; half of one for troubles.
STEP_BACK_LEASES = 1.5
# What lands when its caller has given up is found by a look. Looks are made in rounds, one in a
# lease: one round sees that an epoch began, the first look is this long after that, and the next
# one as long after it; nothing lands later than between these two.
LOOK_SECONDS = 30.0
REQUESTS_SECONDS = 10.0  # Of a look's own requests, which may be slow.
# A look in vain puts off the next one, each time longer; so many in one spell are nobody's fault.
VAIN_TRIES = 4


class Beside:
    """The spells of one world in which a workflow runs where it should stand still, too."""

    def __init__(self, world: "World", exclusive: list[str]) -> None:
        self.world, self._exclusive = world, exclusive
        self.spells: dict[Spot, float] = {}  # Since when each lasts.

    def look(self) -> None:
        """Something has changed: which spells begin, and which are over?"""
        world = self.world
        for name in self._exclusive:
            wanted = halves.stands_in(world.plan.part(name)) or world.record["active"]
            for place in world.apps:
                spot = place, name
                if place == wanted or not self._lasts(spot):
                    self.spells.pop(spot, None)
                elif spot not in self.spells:
                    self.spells[spot] = world.now
                    world.at(bound(world, spot), self._judge, spot, world.now)

    def _lasts(self, spot: Spot) -> bool:
        """Does it run in both, in regions that live, and could the app there stop it?"""
        world, (place, name) = self.world, spot
        other = world.plan.other(place)
        both = world.enabled[spot] and world.enabled[other, name]
        return both and world.alive(other) and could_stop(world, place)

    def _judge(self, spot: Spot, since: float) -> None:
        """So long a spell may last; after looks in vain longer."""
        if self.spells.get(spot) != since:
            return
        world, (place, name) = self.world, spot
        vain = min(VAIN_TRIES, world.judge.effects.vain_since(spot, since))
        longer = vain * 2 * bound(world, spot) if late(world, spot) else 0.0
        due = since + bound(world, spot) + longer
        if world.now < due:
            world.at(due - world.now, self._judge, spot, since)
        else:
            lasted = f"{world.now - since:.0f} s"
            world.judge.breach("beside", name, "runs in", place, "too, its app lives, for", lasted)


def could_stop(world: "World", place: str) -> bool:
    """Does the region live, and its app, and reaches it its own resource manager?"""
    return world.alive(place) and world.apps[place].up and world.reaches(place, f"arm.{place}")


def late(world: "World", spot: Spot) -> bool:
    """Was it enabled by what was sent in time, and landed when its work was over?"""
    return spot in world.judge.effects.strays


def bound(world: "World", spot: Spot) -> float:
    """How long it may run beside the active one, in seconds."""
    lease = world.plan.witness.lease_seconds
    if late(world, spot):
        return LOOK_SECONDS + lease + REQUESTS_SECONDS
    return STEP_BACK_LEASES * lease
