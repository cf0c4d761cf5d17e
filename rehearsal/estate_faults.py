"""Everything wrong that an estate wants wrong: laid over its plan, its world, its blobs, its apps.

`planted` chooses the faults and changes the plan; the rest is asked for while a stage opens.
"""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar, cast

import yaml

from rehearsal.arm_crud import merged
from rehearsal.estate import BadEstate, Estate, Scene
from rehearsal.estate_growth import grow
from rehearsal.estate_parts import Fault
from rehearsal.estate_seed import places
from rehearsal.world import World
from shared import plan as plans

AGO = re.compile(r"\{(\d+) (minutes|hours|days) ago\}")
Blobs = dict[tuple[str, str, str], dict]  # (account, container, name) -> document
T = TypeVar("T")


def planted(scene: Scene, fault: str = "") -> Scene:
    """The scene with every fault that is not alone, or with the one of this name and no other.

    A fault's name is its check's, or `check:component` where several have that.
    """
    known = scene.estate.faults
    chosen = [one for one in known if not one.alone]
    if fault:
        chosen = [one for one in known if one.name == fault]
        chosen = chosen or [one for one in known if one.finds == fault]
        if len(chosen) != 1:
            those = ", ".join(one.name for one in chosen or known)
            raise BadEstate([f"fault {fault} is none or several of {those}"])
    for one in chosen:
        scene = grow(scene, one.workflows)
    estate = scene.estate.model_copy(update={"faults": chosen})
    return replace(scene, estate=estate, plan_text=changed(scene.plan_text, chosen))


def changed(text: str, faults: list[Fault]) -> str:
    """The text of a plan with everything wrong in it, or BadEstate."""
    wrong = [one for one in faults if one.change]
    if not wrong:
        return text
    found = yaml.safe_load(text)
    for one in wrong:
        if not one.component:
            found = merged(found, one.change)
            continue
        parts: list[dict] = found["components"]
        if one.component not in [part["name"] for part in parts]:
            raise BadEstate([f"faults.{one.name}: there is no component {one.component}"])
        found["components"] = [
            merged(part, one.change) if part["name"] == one.component else part for part in parts
        ]
    made = yaml.safe_dump(found, sort_keys=False)
    try:
        plans.load(made)
    except plans.BadPlan as bad:
        names = ", ".join(one.name for one in wrong)
        raise BadEstate([f"faults.{names}: {problem}" for problem in bad.problems]) from bad
    return made


def spoil(world: World, estate: Estate) -> None:
    """Make everything wrong in a world that is wanted wrong; BadEstate where it is not there."""
    for one in estate.faults:
        for location, scopes in one.outage.items():
            world.lose(location, scopes)
        if one.stopped:
            world.stopped |= set(one.at)
        if one.clockSeconds:
            world.clock_seconds |= dict.fromkeys(one.at, one.clockSeconds)
        if one.settleSeconds:
            world.timings["settle_seconds"] = one.settleSeconds
        if one.lies_in_arm:
            _lay(world, estate, one)


def _lay(world: World, estate: Estate, one: Fault) -> None:
    for id, location in places(estate, one):
        known = world.resources.get(id)
        if known is None and not one.new:
            raise BadEstate([f"faults.{one.name}: {id} is not there to be wrong"])
        if one.gone:
            world.resources.remove(id)
        else:
            was = known.body if known else {}
            world.resources.place(id, merged(was, estate.fill(one.body, location)))


def blobs(estate: Estate, now: datetime) -> Blobs:
    """The estate's own documents, in each location's container `understudy`, and the faults'."""
    found: Blobs = {}
    for location, place in estate.locations.items():
        for name, document in estate.fill(estate.blobs, location).items():
            found[place.storage, "understudy", name] = document
    for one in estate.faults:
        if not one.blob:
            continue
        account, container, name = one.blob.split("/", 2)
        was = found.pop((account, container, name), {})
        if not one.gone:
            told = aged(one.body, now)
            found[account, container, name] = merged(was, told) if was else told
    return found


def aged(value: T, now: datetime) -> T:
    """A copy with each `{9 hours ago}` filled in."""

    def told(ago: re.Match[str]) -> str:
        return (now - timedelta(**{ago[2]: int(ago[1])})).isoformat()

    if isinstance(value, str):
        return cast(T, AGO.sub(told, value))
    if isinstance(value, dict):
        return cast(T, {key: aged(item, now) for key, item in value.items()})
    if isinstance(value, list):
        return cast(T, [aged(item, now) for item in value])
    return value


def settings(estate: Estate, location: str) -> dict[str, str]:
    """What is wrong in the settings of a location's app."""
    found: dict[str, str] = {}
    for one in estate.faults:
        found |= one.settings if location in one.at else {}
    return found
