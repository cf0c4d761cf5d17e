"""What is wrong on purpose in an estate: refused where it cannot be, planted where it is said."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import yaml
from pydantic import ValidationError

from rehearsal import estate_faults
from rehearsal.__main__ import main
from rehearsal.estate import DEFAULT, BadEstate, Scene, load, parse
from rehearsal.estate_parts import Fault
from rehearsal.estate_seed import seed
from rehearsal.world import World
from shared import plan as plans

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ORDERS = "Microsoft.Logic/workflows/orders-intake"
HERE = ["northeurope"]


def scene(*faults: dict) -> Scene:
    known = load()
    made = [Fault.model_validate({"finds": "x", **one}) for one in faults]
    return replace(known, estate=known.estate.model_copy(update={"faults": made}))


def spoilt(*faults: dict) -> World:
    world, estate = World(), scene(*faults).estate.model_copy(update={"rolesEnforced": True})
    seed(world, estate)
    estate_faults.spoil(world, estate)
    return world


@pytest.mark.parametrize(
    ("said", "because"),
    [
        ({}, "nothing is wrong"),
        ({"body": {"a": 1}}, "a body of nothing"),
        ({"gone": True}, "a body of nothing"),
        ({"stopped": True}, "at says where"),
        ({"settings": {"A": "b"}}, "at says where"),
        ({"change": {"quietMinutes": 1}}, "is alone"),
        ({"workflows": 5}, "is alone"),
        ({"outage": {"northeurope": ["sky"]}}, "outage"),
        ({"path": "nowhere", "gone": True}, "path"),
        ({"blob": "short", "gone": True}, "blob"),
        ({"path": ORDERS, "gone": True, "colour": "blue"}, "colour"),
    ],
)
def test_a_fault_that_says_nothing_or_what_is_unknown_is_refused(said: dict, because: str) -> None:
    with pytest.raises(ValidationError, match=because):
        Fault.model_validate({"finds": "x", **said})


@pytest.mark.parametrize(
    ("fault", "because"),
    [
        ({"path": ORDERS, "at": ["mars"], "gone": True}, r"faults.x.at: mars is not"),
        ({"outage": {"mars": ["arm"]}}, r"faults.x.outage: mars is not"),
        ({"blob": "stmars/understudy/a", "gone": True}, r"faults.x.blob: stmars is not"),
        ({"resourceGroup": "rg-mars", "body": {"a": 1}}, r"faults.x.resourceGroup: rg-mars"),
    ],
)
def test_a_fault_in_a_place_that_is_not_there_is_refused(fault: dict, because: str) -> None:
    document = yaml.safe_load(DEFAULT.read_text(encoding="utf-8"))
    with pytest.raises(BadEstate, match=because):
        parse(yaml.safe_dump({**document, "faults": [{"finds": "x", **fault}]}))


def test_the_same_fault_twice_is_refused() -> None:
    document = yaml.safe_load(DEFAULT.read_text(encoding="utf-8"))
    twice = [{"finds": "x", "outage": {"northeurope": ["arm"]}}] * 2
    with pytest.raises(BadEstate, match="faults: x is there twice"):
        parse(yaml.safe_dump({**document, "faults": twice}))


def test_a_fault_of_a_resource_that_is_not_there_is_refused() -> None:
    with pytest.raises(BadEstate, match="is not there to be wrong"):
        spoilt({"path": "Microsoft.Logic/workflows/none", "gone": True})


def test_a_fault_of_a_component_that_is_not_there_is_refused() -> None:
    wrong = {"component": "none", "alone": True, "change": {"role": "x"}}
    with pytest.raises(BadEstate, match="there is no component none"):
        estate_faults.planted(scene(wrong), "x")


def test_a_change_that_no_plan_can_have_is_refused() -> None:
    wrong = {"alone": True, "change": {"objectives": {"rtoSeconds": -1}}}
    with pytest.raises(BadEstate, match=r"faults.x: .*rtoSeconds"):
        estate_faults.planted(scene(wrong), "x")


def test_a_name_that_no_fault_or_more_than_one_has_is_refused(capsys) -> None:
    two = [{"component": part, "path": ORDERS, "gone": True} for part in ("a", "b")]
    for name in ("x", "y"):
        with pytest.raises(BadEstate, match="x:a, x:b"):
            estate_faults.planted(scene(*two), name)
    faulty = str(DEFAULT.parent / "faulty.yaml")
    given = ["stage", "--ready-file", "none", "--estate", faulty, "--fault", "y"]
    assert main(given) == 2
    assert "fault y is none" in capsys.readouterr().err


def test_what_is_alone_is_planted_by_its_name_and_by_nothing_else() -> None:
    both = scene(
        {"finds": "a", "path": ORDERS, "gone": True},
        {"finds": "b", "alone": True, "component": "c", "path": ORDERS, "gone": True},
    )
    for name, wanted in {"": ["a"], "a": ["a"], "b": ["b:c"], "b:c": ["b:c"]}.items():
        assert [one.name for one in estate_faults.planted(both, name).estate.faults] == wanted


def test_a_change_is_laid_over_the_plan_with_more_workflows() -> None:
    wrong = {"alone": True, "workflows": 7, "change": {"objectives": {"rtoSeconds": 7}}}
    before = plans.load(load().plan_text)
    made = estate_faults.planted(scene(wrong), "x")
    known = plans.load(made.plan_text)
    assert known.objectives.rto_seconds == 7 and known.objectives.rpo_seconds > 0
    assert len(known.components) == len(before.components) + 7
    assert len(made.estate.workflows) == len(load().estate.workflows) + 7


def test_the_world_gets_what_is_wrong_in_it() -> None:
    world = spoilt(
        {"path": ORDERS, "at": HERE, "gone": True},
        {"path": f"{ORDERS}-new", "at": HERE, "new": True, "body": {"location": "here"}},
        {"resourceGroup": "rg-contoso-ne", "body": {"location": "westeurope"}},
        {"outage": {"northeurope": ["servicebus"]}, "settleSeconds": 600},
        {"at": HERE, "stopped": True, "clockSeconds": -60},
        {
            "path": "Microsoft.Authorization/roleAssignments/func-contoso-ne-operator",
            "at": HERE,
            "gone": True,
        },
    )
    rows = {row.id.partition("/resourceGroups/")[2]: row for row in world.resources}
    assert not [id for id in rows if id.startswith("rg-contoso-ne/") and id.endswith(ORDERS)]
    assert rows[f"rg-contoso-ne/providers/{ORDERS}-new"].location == "here"
    assert rows["rg-contoso-ne"].location == "westeurope"
    assert not world.up("northeurope", "servicebus") and world.up("northeurope", "arm")
    assert world.timings["settle_seconds"] == 600
    assert world.stopped == {"northeurope"} and world.clock_seconds == {"northeurope": -60}
    held = [id for id in rows if id.endswith("/func-contoso-ne-operator")]
    assert held and not [id for id in held if id.startswith("rg-contoso-ne/")]


def test_a_blob_is_made_changed_or_gone_and_knows_its_age() -> None:
    own = {"plans/child.yaml": {"name": "child", "home": "x"}, "spare": {"a": 1}}
    known = scene(
        {"blob": "stcontosone/understudy/plans/child.yaml", "body": {"home": None, "b": 2}},
        {"blob": "stcontosone/understudy/spare", "gone": True},
        {"blob": "stcontosone/apim-backups/b.json", "body": {"at": ["{9 hours ago}"], "c": None}},
    ).estate.model_copy(update={"blobs": own})
    found = estate_faults.blobs(known, NOW)
    assert found["stcontosowe", "understudy", "plans/child.yaml"] == own["plans/child.yaml"]
    assert found["stcontosone", "understudy", "plans/child.yaml"] == {"name": "child", "b": 2}
    assert ("stcontosone", "understudy", "spare") not in found
    made = found["stcontosone", "apim-backups", "b.json"]
    assert made == {"at": ["2026-05-01T03:00:00+00:00"], "c": None}


def test_an_apps_settings_are_wrong_where_it_is_said() -> None:
    known = scene({"at": HERE, "settings": {"SLIPS": "elsewhere"}}).estate
    assert estate_faults.settings(known, "northeurope") == {"SLIPS": "elsewhere"}
    assert estate_faults.settings(known, "westeurope") == {}
