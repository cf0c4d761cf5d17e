"""Whole drills: each scenario, told and judged; every ARM exchange of a drill is sound.

What is read here is the report and the journal that a drill leaves, as a user would find them.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from rehearsal.azurite import find_node, script
from rehearsal.drill_story import Scenario, laid_over
from rehearsal.estate import DEFAULT, load
from rehearsal.scenarios import SCENARIOS
from tests.wire import check_exchanges, definitions_at_hand

ROOT = Path(__file__).resolve().parents[1]
SECONDS_MAX = 420
LANES, TOLD = 2, "test_a_scenario_meets_its_objectives"
RATIO_MAX = 1.25  # The RTO of region-outage against its lower bound.


def drill(scenario: str, out: Path, *more: str) -> dict:
    """Run a drill as a command and give its report."""
    if find_node() is None or not script().exists():
        pytest.skip("Azurite is not installed; `python -m rehearsal setup` does that")
    command = [sys.executable, "-m", "rehearsal", "drill", "--scenario", scenario]
    done = subprocess.run(
        [*command, "--out", str(out), *more],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    found = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return found


def test_an_unknown_scenario_is_refused():
    command = [sys.executable, "-m", "rehearsal", "drill", "--scenario", "flood"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "region-outage" in done.stderr


def test_an_estate_that_is_not_there_could_not_run(tmp_path: Path):
    command = [sys.executable, "-m", "rehearsal", "drill", "--estate", str(tmp_path / "no.yaml")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "could not run" in done.stderr


@pytest.fixture(scope="module")
def lanes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, tuple[Path, Future]]]:
    """Scenario -> (folder, report to come) of those that are tested: two at a time.

    A drill is mostly waiting; one that is timed against its bound runs alone, after these.
    """
    wanted = [
        str(item.callspec.params["scenario"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.originalname == TOLD
    ]
    folders = {name: tmp_path_factory.mktemp(name) for name in wanted}
    with ThreadPoolExecutor(LANES) as pool:
        yield {name: (folders[name], pool.submit(drill, name, folders[name])) for name in wanted}
        pool.shutdown(cancel_futures=True)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", sorted(set(SCENARIOS) - {"region-outage"}))
def test_a_scenario_meets_its_objectives(scenario: str, lanes: dict[str, tuple[Path, Future]]):
    out, told = lanes[scenario]
    found = told.result()
    assert found["outcome"] == "met", found["because"]
    assert found["invariants"]["neverTwo"]
    check_published(rows_of(out))


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=list(SCENARIOS))
def test_what_a_scenario_lays_over_the_plan_is_sound(scenario: Scenario):
    scene = load(DEFAULT.parent / scenario.estate)
    assert laid_over(scene, scenario.changes).plan_name == "contoso"


@pytest.mark.slow
def test_the_standby_takes_over_a_lost_region_in_time(tmp_path: Path):
    found = drill("region-outage", tmp_path)
    assert found["rtoSeconds"] <= RATIO_MAX * found["rtoLowerBoundSeconds"], found["because"]
    assert all(found["invariants"].values())
    check_published(rows_of(tmp_path))


def rows_of(out: Path) -> list[dict]:
    """The journal of a drill."""
    text = (out / "arm.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def check_published(rows: list[dict]) -> None:
    """A drill that was told well has passed, also where nobody can judge its exchanges."""
    if definitions_at_hand():
        check_exchanges(rows)


def test_the_definitions_that_judge_a_drill_are_at_hand():
    if not definitions_at_hand():
        pytest.skip("Microsoft's published definitions not at hand: drills' exchanges unjudged")
    assert definitions_at_hand()
