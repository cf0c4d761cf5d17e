"""Faults of faulty.yaml that are alone: each is planted in a world of its own, and found there.

Together with test_readiness_faulty.py each check that there is finds a fault of its own.
"""

import ast
import gc
import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from activities import readiness, readiness_world
from rehearsal import estate_faults, stage_storage
from rehearsal.estate import Scene, load
from rehearsal.estate_growth import grow
from rehearsal.estate_parts import Fault
from rehearsal.estate_seed import containers
from shared import clients
from shared import plan as plans
from tests.app_index import ROOT
from tests.doors import HERE, THERE, Doors, furnish, made_doors
from tests.test_readiness_faulty import ESTATE, FAULTY

# Of a namespace that is cut off the handle is dropped, not closed (shared/outbox.py).
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket"),
]
SCENE = load(FAULTY)
ALONE = [one for one in ESTATE.faults if one.alone]
FLOWS = 1_001
STANDING = {"notReplicated"}  # Said of every pairing: nothing can be done about it.
CHECKS = ("check", "row", "_row", "seen")  # What makes one, wherever it is looked at.
NAME = re.compile(r"[a-z][A-Za-z]+")
STATUSES = ("ok", "warn", "fail")
HEALTH = "func-contoso-ne.azurewebsites.net/api/health"


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """Doors whose world is made anew for each fault."""
    with made_doors(tmp_path_factory.mktemp("alone"), FAULTY, networked=True) as made:
        made.world.hold_seconds = 1.0  # What is lost is not waited for longer than it must.
        made.world.refuse_when_cut = True
        yield made


def anew(doors: Doors, scene: Scene) -> None:
    """The world as a stage has it that opens with this scene."""
    world = doors.world
    for resource in list(world.resources):
        world.resources.remove(resource.id)
    for name in list(world.locations):
        world.recover(name)
    world.stopped.clear()
    world.clock_seconds.clear()
    for account, container in containers(scene.estate):
        for name in doors.storage.names(account, container):
            doors.drop(account, container, name)
    vouched = {"status": "healthy", "unclaimed": [scene.plan_name]}
    doors.strangers.answers[HEALTH] = (200, json.dumps(vouched))
    furnish(world, scene.estate)
    stage_storage.lay_plan(doors.storage, scene)
    stage_storage.lay_blobs(doors.storage, scene.estate, world.now)
    doors.plan = plans.load(scene.plan_text)


def looked(doors: Doors, scene: Scene, to: str) -> list[dict]:
    """Every check of a failover to `to`, as the app in the standby sees it."""
    doors.fill_buckets()  # The look before has emptied them; a user does not look so often.
    with doors.led(), pytest.MonkeyPatch.context() as patch:
        for key, value in estate_faults.settings(scene.estate, HERE).items():
            patch.setenv(key, value)
        clients.forget()
        rows = readiness.assess(doors.plan.document, to, seconds=30)["checks"]
        clients.forget()
    gc.collect()
    return rows


def wrong(rows: list[dict], fault: Fault) -> set[str]:
    """What the check of a fault has against it."""
    return {
        row["because"]
        for row in rows
        if row["name"] == fault.finds
        and row["status"] != "ok"
        and (not fault.component or row["component"] == fault.component)
    }


@pytest.fixture(scope="module")
def sound(doors: Doors) -> dict[str, list[dict]]:
    """Location -> every check of it while nothing is wrong on purpose."""
    scene = replace(SCENE, estate=ESTATE.model_copy(update={"faults": []}))
    anew(doors, scene)
    return {to: looked(doors, scene, to) for to in (HERE, THERE)}


@pytest.mark.slow
@pytest.mark.parametrize("fault", ALONE, ids=lambda one: one.name)
def test_a_fault_that_is_alone_is_found_by_its_check(doors: Doors, sound: dict, fault) -> None:
    to = THERE if THERE in fault.at else HERE
    scene = estate_faults.planted(SCENE, fault.name)
    anew(doors, scene)
    rows = looked(doors, scene, to)
    assert wrong(rows, fault) and not wrong(sound[to], fault), wrong(rows, fault)
    assert all(row["fix"] for row in rows if row["status"] != "ok")


def test_workflows_in_more_subscriptions_fit_as_the_check_advises() -> None:
    document = plans.load(grow(load(), FLOWS).plan_text).document
    first, second = (f"/subscriptions/00000000-0000-4000-8000-00000000000{n}/" for n in (1, 2))
    group = f"{second}resourceGroups/rg-more-{{short}}/providers/Microsoft.Logic/workflows"
    names = [part["name"] for part in document["components"] if part["kind"] == "logicWorkflow"]
    moved = set(names[-FLOWS // 2 :])
    components = [
        {**part, "resource": f"{group}/{part['name']}"} if part["name"] in moved else part
        for part in document["components"]
    ]
    plan = plans.checked({**document, "components": components})
    rows = [row for row in readiness_world.quota(plan, HERE) if row["name"] == "quota"]
    assert [row["status"] for row in rows] == ["ok", "ok"]
    counts = [int(row["because"].split()[0]) for row in rows]
    assert counts == [len(names) - len(moved), len(moved)]
    assert first.strip("/").split("/")[1] in rows[0]["because"]


def named(path: str) -> Iterator[str]:
    """The checks that a module makes by a name that is written there."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        made = getattr(node.func, "attr", getattr(node.func, "id", ""))
        words = [a.value for a in node.args if isinstance(a, ast.Constant)]
        told = [one for one in words if isinstance(one, str) and one not in (*STATUSES, "")]
        if made in CHECKS and told and NAME.fullmatch(told[0]):
            yield told[0]


def test_every_check_that_there_is_has_a_fault_that_it_finds(sound: dict) -> None:
    files = [*(ROOT / "activities").glob("*.py"), *(ROOT / "shared").glob("*.py")]
    there = {name for file in files for name in named(str(file.relative_to(ROOT)))}
    there |= {row["name"] for row in sound[HERE]}
    assert there - {one.finds for one in ESTATE.faults} == STANDING
