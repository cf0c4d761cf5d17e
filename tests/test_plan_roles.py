"""Roles for one plan hold what its kinds ask and nothing of other kinds."""

import json
import subprocess
import sys

import pytest

from shared.kinds import KINDS
from shared.permissions import PERMISSIONS, PLAN, granted
from shared.plan_roles import asked, main, narrowed
from tests.app_index import ROOT

CONTOSO = {"logicWorkflow", "apiManagement", "trafficManager", "http"}


def template() -> dict:
    return json.loads((ROOT / "infra" / "access.json").read_text(encoding="utf-8"))


def actions(made: dict) -> set[str]:
    """Every action of both roles."""
    roles = [one for one in made["resources"] if one["type"].endswith("/roleDefinitions")]
    return {a for one in roles for p in one["properties"]["permissions"] for a in p["actions"]}


def test_a_kind_that_nobody_knows_is_refused():
    with pytest.raises(KeyError):
        asked(["mainframe"])


def test_a_plan_of_workflows_is_given_nothing_else():
    made = actions(narrowed(template(), ["logicWorkflow"]))
    own = {*PERMISSIONS["logicWorkflow"]["act"], *PERMISSIONS["logicWorkflow"]["read"]}
    assert made == own | {*PERMISSIONS[PLAN]["read"], *PERMISSIONS[PLAN]["act"]}


def test_a_plan_of_every_kind_is_given_everything():
    assert actions(narrowed(template(), KINDS)) == {*granted("read"), *granted("act")}


def test_the_template_itself_is_left_as_it_is():
    before = template()
    narrowed(before, [])
    assert before == template()


def test_the_command_writes_what_a_plan_asks_for():
    command = [sys.executable, "-m", "shared.plan_roles", "plans/contoso.yaml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert actions(json.loads(done.stdout)) == asked(CONTOSO)


def test_without_a_plan_the_command_says_what_it_wants(capsys: pytest.CaptureFixture[str]):
    assert (main([]), "which plan?" in capsys.readouterr().err) == (2, True)
