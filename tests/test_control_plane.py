"""A region whose resource manager falls silent, simulated: told, and nobody moves."""

from pathlib import Path
from random import Random

from rehearsal.simulation import story, variants
from rehearsal.simulation.patches import planted
from rehearsal.simulation.weather import Weather
from rehearsal.simulation.world import World
from shared.plan import Plan, load

PLAN = load((Path(story.__file__).parent / "plan.yaml").read_text(encoding="utf-8"))
SECONDS = 120.0


def blue(plan: Plan) -> Weather:
    """A sky without a cloud."""
    none = {"trouble": 0.0, "lost_202": 0.0, "late_seconds": 5, "doubled": 0.0, "late": 0.0}
    skews = dict.fromkeys(plan.locations, 0.0)
    bounds = {"request_minutes": 10, "stalled_minutes": 60, "calm_seconds": SECONDS}
    return Weather(**none, **bounds, skews=skews, options={}, lagging="")


def without_arm(location: str) -> World:
    """The world after two minutes in which nobody answers for this location's resources."""
    sky = blue(PLAN)
    with planted(variants.QUICK):
        world = story.build(Random(1), sky, PLAN, [PLAN.home, PLAN.other(PLAN.home)])
        world.telling = True
        world.at(0.0, world.down.add, f"arm.{location}")
        world.run(SECONDS)
    return world


def alerts(world: World) -> list[str]:
    return [words for _, words in world.lines if words.startswith("alert:")]


def test_a_silent_control_plane_is_alerted_once_and_moves_nothing():
    world = without_arm(PLAN.home)
    told = [words for words in alerts(world) if "controlPlaneOnly" in words]
    assert len(told) == 1 and world.record["epoch"] == 0 and world.judge.claims == 0


def test_the_standbys_own_control_plane_says_nothing_of_the_active_side():
    world = without_arm(PLAN.other(PLAN.home))
    assert not [words for words in alerts(world) if "controlPlaneOnly" in words]
