"""A split job runs each of its halves in one location at a time, and in one while any is active."""

from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from shared import halves
from shared.plan import BadPlan, Plan, checked

PLAN = Path(__file__).resolve().parents[1] / "plans" / "contoso.yaml"
CONTOSO = yaml.safe_load(PLAN.read_text(encoding="utf-8"))
HOME, OTHER = "westeurope", "northeurope"
IN_GROUP = "{resourceGroup}/providers/Microsoft.Logic/workflows/"
JOB = {
    "name": "ticker",
    "kind": "logicWorkflow",
    "trigger": "recurrence",
    "role": "split",
    "halves": {HOME: f"{IN_GROUP}ticker-a", OTHER: f"{IN_GROUP}ticker-b"},
}


def document(**changes: object) -> dict:
    data = deepcopy(CONTOSO)
    kept = [part for part in data["components"] if part.get("role") != "split"]
    return {**data, "components": [*kept, {**JOB, **changes}]}


def plan_of(**changes: object) -> Plan:
    return checked(document(**changes))


def problems(data: dict) -> str:
    with pytest.raises(BadPlan) as bad:
        checked(data)
    return "\n".join(bad.value.problems)


@pytest.mark.parametrize("trigger", ["queue", "slidingWindow", "request"])
def test_only_a_recurrence_is_split(trigger: str):
    assert "role: only a recurrence can be split" in problems(document(trigger=trigger))


def test_a_split_without_halves_is_refused():
    assert "halves: name the workflow of each location's half" in problems(document(halves=None))


def test_one_half_alone_is_refused():
    data = document(halves={HOME: JOB["halves"][HOME]})
    assert "halves: northeurope is missing" in problems(data)


def test_a_half_in_a_strange_location_is_refused():
    data = document(halves={**JOB["halves"], "uksouth": f"{IN_GROUP}ticker-c"})
    assert "halves.uksouth: no location of the plan" in problems(data)


def test_halves_without_a_split_are_refused():
    assert "halves: only with role: split" in problems(document(role="activePassive"))


def test_a_split_with_a_resource_of_its_own_is_refused():
    assert "a split job gives halves, no resource" in problems(document(resource=f"{IN_GROUP}x"))


def test_one_workflow_for_both_halves_is_refused():
    same = {HOME: f"{IN_GROUP}ticker", OTHER: f"{IN_GROUP}Ticker"}
    assert "is the resource of components[17].halves.westeurope too" in problems(
        document(halves=same)
    )


def test_a_half_that_is_no_workflow_is_refused():
    wrong = {**JOB["halves"], HOME: "{resourceGroup}/providers/Microsoft.Web/sites/x"}
    assert "halves.westeurope: " in problems(document(halves=wrong))


def test_a_half_with_an_unknown_variable_is_refused():
    wrong = {**JOB["halves"], HOME: f"{IN_GROUP}x-{{region}}"}
    assert "halves.westeurope: {region} is none of" in problems(document(halves=wrong))


def test_a_half_with_another_components_name_is_refused():
    data = document(name="front")
    front = next(part for part in data["components"] if part["name"] == "front")
    front["name"] = "front-we"
    assert "its half would be front-we" in problems(data)


def test_a_half_with_too_long_a_name_is_refused():
    assert "over 40 characters" in problems(document(name="a" * 39))


def test_standing_is_not_for_people_to_write():
    one = {"role": "standing", "halves": None, "resource": f"{IN_GROUP}x"}
    assert "a plan says split" in problems(document(**one))


def test_a_split_job_becomes_one_component_for_each_half():
    plan = plan_of()
    assert halves.jobs(plan.components) == {"ticker": ["ticker-we", "ticker-ne"]}


def test_both_workflows_are_in_both_locations():
    plan = plan_of()
    found = {
        plan.component(name, at)["resource"].rsplit("/", 1)[-1] + "@" + at
        for name in ("ticker-we", "ticker-ne")
        for at in plan.locations
    }
    assert found == {f"ticker-{half}@{at}" for half in "ab" for at in (HOME, OTHER)}


def test_what_waits_for_the_job_waits_for_both_halves():
    data = document()
    front = next(part for part in data["components"] if part["name"] == "front")
    front["waitsFor"] = ["ticker"]
    assert checked(data).part("front").waits_for == ["ticker-we", "ticker-ne"]


def test_reading_what_was_read_changes_nothing():
    plan = plan_of()
    assert Plan.model_validate(plan.document).digest == checked(plan.document).digest == plan.digest


def test_a_plan_without_a_split_keeps_its_digest():
    data = document()
    data["components"].pop()
    plan = checked(data)
    assert "half" not in str(plan.document)


def test_the_failover_starts_both_halves_and_the_failback_one():
    woken = {
        to: sorted(
            name for wave in plan_of().waves("activate", to) for name in wave if "ticker" in name
        )
        for to in (OTHER, HOME)
    }
    assert woken == {OTHER: ["ticker-ne", "ticker-we"], HOME: ["ticker-we"]}


def test_a_standing_half_is_not_stopped_in_its_place():
    plan = plan_of()
    assert "ticker-ne" not in plan.exclusive(OTHER)


def test_a_copy_of_a_standing_half_elsewhere_is_stopped():
    assert "ticker-ne" in plan_of().exclusive(HOME)


class Estate:
    """Which halves are enabled where, as runs and the sides that step back leave them."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.active = plan, plan.home
        self.on = {("ticker-we", HOME), ("ticker-ne", OTHER)}

    def stop(self, location: str) -> None:
        self.on -= {(name, location) for name in self.plan.exclusive(location)}

    def move(self, to: str) -> None:
        self.stop(self.plan.other(to))
        self.active = to
        woken = {name for wave in self.plan.waves("activate", to) for name in wave}
        self.on |= {(name, to) for name in woken if "ticker" in name}

    def places(self, half: str) -> list[str]:
        return [place for name, place in self.on if name == half]


@given(st.lists(st.sampled_from(["over", "return", "isolated"]), max_size=12))
def test_every_half_runs_in_one_place_whatever_has_happened(history: list[str]):
    estate = Estate(plan_of())
    for event in history:
        if event == "over":
            estate.move(estate.plan.other(estate.active))
        elif event == "return":  # A side that is not active steps back, as often as it likes.
            estate.stop(estate.plan.other(estate.active))
        else:  # The active side steps back, and serves again with its lease.
            was = set(estate.on)
            estate.stop(estate.active)
            assert all(len(estate.places(half)) <= 1 for half in ("ticker-we", "ticker-ne"))
            estate.on = was
        assert [len(estate.places(half)) for half in ("ticker-we", "ticker-ne")] == [1, 1]


def recurrence(interval: int = 20, start: str | None = "2026-01-01T00:00:00Z") -> dict:
    rule = {"frequency": "Minute", "interval": interval, "startTime": start}
    return {"triggers": {"tick": {"type": "Recurrence", "recurrence": rule}}}


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"triggers": {}}, "b has no recurrence"),
        ({"triggers": {"x": {"recurrence": {"frequency": "Month", "interval": 1}}}}, "b has no"),
        (recurrence(start=None), "b has no startTime"),
        (recurrence(start="soon"), "b has no startTime"),
        (recurrence(interval=30), "a runs every 0:20:00, b every 0:30:00"),
        (recurrence(), "0:00:00 apart"),
        (recurrence(start="2026-01-01T00:17:00Z"), "0:03:00 apart"),
    ],
)
def test_schedules_that_do_not_take_turns_are_told_why(other: dict, words: str):
    held, because = halves.interleaving({"a": recurrence(), "b": other})
    assert not held
    assert words in because


@given(st.integers(min_value=1, max_value=500), st.integers(min_value=0, max_value=10_000))
def test_half_a_period_apart_is_interleaved_whenever_they_start(minutes: int, periods: int):
    hours, rest = divmod(minutes * (2 * (periods % 7) + 1), 60)
    days, hours = divmod(hours, 24)
    later = f"2026-02-{1 + days:02}T{hours:02}:{rest:02}:00Z" if days < 28 else None
    first, second = recurrence(2 * minutes, "2026-02-01T00:00:00Z"), recurrence(2 * minutes, later)
    held, _ = halves.interleaving({"a": first, "b": second})
    assert held == (later is not None)
