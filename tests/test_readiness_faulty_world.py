"""Readiness of what an estate's resources cannot break, and of faults that hide others.

Together with test_readiness_faulty.py each check that there is finds a fault of its own.
"""

import ast
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import cast

import pytest
from aiohttp import web

from activities import readiness, readiness_world
from rehearsal.estate import DEFAULT, BadEstate, Estate, load, spoiled
from rehearsal.estate_growth import grow
from rehearsal.estate_parts import PlanFault
from rehearsal.world import Address
from shared import clients
from shared import plan as plans
from tests import test_readiness_faulty as faulty
from tests.app_index import ROOT
from tests.doors import HERE, THERE, Doors, made_doors

WORLD = DEFAULT.parent / "faulty-world.yaml"
ESTATE: Estate = load(WORLD).estate
PLANTED = [*ESTATE.faults, *ESTATE.planFaults]
BROKEN = {"witness", "slips", "clock", "quota", "writes", "permissions"}
LATE = timedelta(minutes=10)
FLOWS = 1_001
STANDING = {"notReplicated"}  # Said of every pairing: nothing can be done about it.
CHECKS = ("check", "row", "_row", "seen")  # What makes one, wherever it is looked at.
NAME = re.compile(r"[a-z][A-Za-z]+")
STATUSES = ("ok", "warn", "fail")
APP = "func-contoso-we.azurewebsites.net"


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """The estate with its faults behind its doors."""
    with made_doors(tmp_path_factory.mktemp("world"), WORLD) as made, made.led():
        made.world.hold_seconds = 1.0  # What is lost is not waited for longer than it must.
        yield made


@pytest.fixture(scope="module")
def found(doors: Doors) -> list[dict]:
    """Every check, of the standby."""
    return readiness.assess(doors.plan.document, HERE, seconds=30)["checks"]


def wrong(checks: list[dict], name: str, component: str = "") -> list[dict]:
    """The findings of one check."""
    return [
        row
        for row in checks
        if row["name"] == name
        and row["status"] != "ok"
        and (not component or row["component"] == component)
    ]


SEEN = [one for one in PLANTED if one.finds != "slipsApart"]  # That one needs a real host's name.


@pytest.mark.parametrize("fault", SEEN, ids=lambda one: f"{one.finds}-{one.component}")
def test_a_fault_that_hides_others_is_found_by_its_check(found: list[dict], fault) -> None:
    rows = wrong(found, fault.finds, fault.component)
    assert rows and all(row["because"] and row["fix"] for row in rows), rows


def test_slips_in_a_namespace_that_the_plan_moves_are_found(doors: Doors) -> None:
    with pytest.MonkeyPatch.context() as patch:
        moved = "sb://sb-contoso-ne.servicebus.windows.net"
        patch.setenv("SLIPS", re.sub(r"sb://[^;]+", moved, doors.settings["SLIPS"]))
        clients.forget()
        rows = readiness_world.namespaces(doors.plan, HERE)
    clients.forget()
    assert wrong(rows, "slipsApart")


def test_a_witness_that_is_silent_is_found(doors: Doors) -> None:
    doors.world.lose(doors.world.witness_location)
    rows = readiness.assess(doors.plan.document, HERE, seconds=30)["checks"]
    doors.world.recover(doors.world.witness_location)
    assert wrong(rows, "witness")


def test_slips_that_nobody_takes_are_found(doors: Doors) -> None:
    with pytest.MonkeyPatch.context() as patch:
        nobody = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:1", doors.settings["SLIPS"])
        patch.setenv("SLIPS", nobody)
        clients.forget()
        rows = readiness.assess(doors.plan.document, HERE, seconds=30)["checks"]
    clients.forget()
    assert wrong(rows, "slips")


@pytest.fixture
def late(doors: Doors) -> Iterator[Doors]:
    """The other location's app has a clock that is slow."""
    leaf = doors.wire.authority.leaf("late", APP)
    known = doors.world.hosts[APP]

    async def health(_: web.Request) -> web.Response:
        told = format_datetime(datetime.now(UTC) - LATE, usegmt=True)
        return web.Response(text=json.dumps({"status": "healthy"}), headers={"Date": told})

    app = web.Application()
    app.router.add_get("/api/health", health)
    runner = web.AppRunner(app, access_log=None)

    async def listen() -> int:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=leaf.server()).start()
        return cast(int, runner.addresses[0][1])

    doors.world.hosts[APP] = Address(doors.wire.run(listen()), THERE, "functions")
    doors.hold()
    yield doors
    doors.world.hosts[APP] = known
    doors.wire.run(runner.cleanup())


def test_a_clock_that_is_minutes_off_is_found(late: Doors) -> None:
    (row,) = wrong(readiness_world.record(late.plan.document, THERE), "clock")
    assert "-600" in row["because"] or "-59" in row["because"]


@pytest.mark.parametrize("name", ["quota", "writes"])
def test_more_workflows_than_a_region_takes_are_found(name: str) -> None:
    scene = grow(load(), FLOWS)
    document = plans.load(scene.plan_text).document
    tight = {**document, "objectives": {**document["objectives"], "rtoSeconds": 60}}
    assert wrong(readiness_world.quota(plans.checked(tight), HERE), name)


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


def test_a_fault_of_a_component_that_is_not_there_is_refused() -> None:
    with pytest.raises(BadEstate, match="there is no component none"):
        spoiled(load().plan_text, [PlanFault(finds="x", component="none", change={})])


def test_a_fault_of_the_plan_itself_is_laid_over_it() -> None:
    change = {"objectives": {"rtoSeconds": 7}}
    known = plans.load(spoiled(load().plan_text, [PlanFault(finds="x", change=change)]))
    assert known.objectives.rto_seconds == 7 and known.objectives.rpo_seconds > 0


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


def test_every_check_that_there_is_has_a_fault_that_it_finds(found: list[dict]) -> None:
    files = [*(ROOT / "activities").glob("*.py"), *(ROOT / "shared").glob("*.py")]
    there = {name for file in files for name in named(str(file.relative_to(ROOT)))}
    there |= {row["name"] for row in found}
    planted = {one.finds for one in (*faulty.ESTATE.faults, *PLANTED)}
    assert there - planted - faulty.ELSEWHERE - BROKEN - STANDING == set()
