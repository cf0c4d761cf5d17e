"""The roles hold exactly what the app calls: no action is missing, none is too many."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rehearsal.arm_roles import matches
from rehearsal.deployments.template import Template
from shared.kinds import KINDS
from shared.permissions import HOST, PATTERNS, PERMISSIONS, PLAN, called, granted
from tests.app_index import ROOT
from tests.judgement import unused, whole

# What Microsoft's page on permissions has of a Standard site's host.
HOST_NAMES = (
    "runs/read",
    "triggers/listCallbackUrl/action",
    "triggers/read",
    "triggers/run/action",
)
PUBLISHED = {f"{HOST}/{name}" for name in HOST_NAMES}
GROUP = "/subscriptions/s/resourceGroups/rg"
WHOLE_ACTION = re.compile(r"Microsoft\.\w+(/\w+)+/(read|write|delete|action)")


def template() -> dict:
    return json.loads((ROOT / "infra" / "access.json").read_text(encoding="utf-8"))


def role(name: str) -> list[str]:
    """The actions of `reader` or `operator`."""
    for one in template()["resources"]:
        if one["type"].endswith("/roleDefinitions") and f"'{name}'" in one["name"]:
            return one["properties"]["permissions"][0]["actions"]
    raise AssertionError(f"access.json has no role {name}")


def who_acts(other_acts: bool) -> dict[str, list[str]]:
    """Role -> who has it, of a deployment into one group."""
    given = {"principalId": "own", "otherPrincipalId": "other", "otherActs": other_acts}
    made = Template(template(), {k: {"value": v} for k, v in given.items()}, GROUP, "x", "t")
    found: dict[str, list[str]] = {}
    for one in made.wanted():
        if one.type.endswith("/roleAssignments"):
            told = made.body(one, lambda *_: {})["properties"]
            named = next(n for n in ("reader", "operator") if f"'{n}'" in one.raw["name"])
            found.setdefault(named, []).append(told["principalId"])
    return found


def test_every_kind_says_what_it_asks():
    assert set(PERMISSIONS) == {PLAN, *KINDS}


@pytest.mark.parametrize("action", called("read") + called("act"))
def test_an_action_is_whole(action: str):
    """`*` would grant what nobody calls, today's or tomorrow's."""
    assert WHOLE_ACTION.fullmatch(action)


def test_who_looks_changes_nothing():
    assert [action for action in granted("read") if not action.endswith("/read")] == []


def test_who_acts_is_given_nothing_that_only_looks():
    assert [action for action in granted("act") if action.endswith("/read")] == []


@pytest.mark.parametrize("action", [one for one in called("read") + called("act") if HOST in one])
def test_a_role_names_only_what_microsoft_publishes(action: str):
    """ARM takes no role with another name; of a pattern it is enough that one name fits."""
    assert action in PUBLISHED or (action in PATTERNS and matches(PATTERNS[action], action))
    assert any(matches(PATTERNS.get(action, action), name) for name in PUBLISHED)


@pytest.mark.parametrize("side, name", [("read", "reader"), ("act", "operator")])
def test_a_role_holds_what_the_kinds_say_and_no_more(side: str, name: str):
    assert role(name) == granted(side)


def test_the_other_location_looks_and_does_not_act_where_it_should_not():
    assert who_acts(other_acts=False) == {"reader": ["own", "other"], "operator": ["own"]}


def test_the_standby_acts_on_both_sides():
    assert who_acts(other_acts=True)["operator"] == ["own", "other"]


def test_what_nobody_did_is_named():
    """The judgement of a whole run is in `tests/judgement.py`."""
    every = called("read") + called("act")
    assert unused({action.upper() for action in every[1:]}) == every[:1]


def test_a_run_of_a_few_files_is_not_judged():
    assert not whole({"test_permissions.py"})


def judged(folder: Path, done: list[list[str]], *options: str) -> str:
    """What a run of its own prints, with a test file for each list of what its world permits."""
    judge = "from tests.judgement import *\ndef pytest_configure(config):\n"
    judge += "    config.pluginmanager.register(Judgement(whole=lambda ran: True))\n"
    (folder / "conftest.py").write_text(judge)
    for number, actions in enumerate(done):
        text = "from types import SimpleNamespace\nfrom tests.judgement import WORLDS\n"
        text += f"def test_it():\n    WORLDS.append(SimpleNamespace(permitted={set(actions)}))\n"
        (folder / f"test_{number}.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:hypothesispytest", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [*command, str(folder)], cwd=folder, env=environment, capture_output=True, text=True
    )
    return ran.stdout


@pytest.mark.parametrize("options", [(), ("-n", "2", "--dist", "loadfile")])
def test_what_several_files_did_is_judged_together(tmp_path: Path, options: tuple[str, ...]):
    """Of all that is called one action is left that no file did."""
    every = called("read") + called("act")
    said = judged(tmp_path, [every[:9], every[10:]], *options)
    assert "1 failed, 2 passed" in said
    assert [one for one in every if f"\n{one}\n" in said] == [every[9]]
