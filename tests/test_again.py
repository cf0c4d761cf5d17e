"""What the fence missed and what would not start, within the run, by the SDK's own replay."""

import json
from collections.abc import Callable

from orchestrations.component import component
from orchestrations.stages import stage
from orchestrations.waves import CHUNK
from shared import slip
from shared.outcome import refused, skipped, succeeded
from tests.replay import Replay
from tests.stories import (
    EXCLUSIVE,
    HERE,
    LOST,
    PLAN,
    WORKFLOWS,
    acted,
    at_stage,
    done,
    grown,
    paper,
    world,
)

AWAY = PLAN.exclusive(LOST)


def waking(unfenced: list[str], **changes: object) -> Replay:
    """Stage activate with what the fence has missed."""
    told = {**paper("activate"), "facts": {"unfenced": unfenced}}
    answers, children = world(**changes), {"component": component}
    return Replay(stage, told, answers, children, instance="run.activate").run()


def at(run: Replay, activity: str, names: list[str]) -> list[object]:
    return [c.at for c in run.calls if c.name == activity and named(c.told) in names]


def named(told: object) -> str:
    assert isinstance(told, dict)
    return told["component"]["name"]


def test_what_the_fence_missed_travels_with_the_slip() -> None:
    missed = AWAY[0]

    def demote(task: dict) -> dict:
        return refused("unreachable") if task["component"]["name"] == missed else succeeded()

    facts = at_stage("fence", demote_workflow=demote).named("send_slip")[0]["slip"]["facts"]
    assert facts["unfenced"] == [missed]


def test_a_fence_that_missed_nothing_names_nothing() -> None:
    facts = at_stage("fence").named("send_slip")[0]["slip"]["facts"]
    assert "unfenced" not in facts


def test_what_was_missed_is_fenced_again_before_anything_exclusive_wakes() -> None:
    run = waking(AWAY)
    fenced, woken = at(run, "demote_workflow", AWAY), at(run, "promote_workflow", EXCLUSIVE)
    assert len(fenced) == len(AWAY) and max(map(str, fenced)) < min(map(str, woken))
    assert {told["location"] for told in run.named("demote_workflow")} == {LOST}


def test_a_block_that_breaks_off_says_so_of_what_was_fenced_beside_it() -> None:
    many = grown(200)
    document = succeeded(plan=many.document, digest=many.digest)
    told = {**paper("activate"), "facts": {"unfenced": ["w0007"]}}

    def break_off(_: dict) -> dict:
        raise MemoryError("the worker was killed")

    answers = world(load_plan=document, block=break_off)
    run = Replay(stage, told, answers, {"component": component}, instance="run.activate").run()
    rows = [row for row in done(run)["rows"] if row["verb"] == "demote"]
    assert [row["component"] for row in rows] == ["w0007"]
    assert "the worker was killed" in rows[0]["because"]


def test_what_may_overlap_does_not_wait_for_the_fence() -> None:
    run = waking(AWAY)
    asked = [call for call in run.calls if call.name == "component"]
    first = [
        named(c.told["task"]) for c in asked if c.at == asked[0].at and isinstance(c.told, dict)
    ]
    safe = [name for name in WORKFLOWS if name not in EXCLUSIVE]
    assert set(first) & set(safe) and set(first) >= set(AWAY)


def test_a_region_that_stays_dead_holds_nothing_back_and_pages_nobody_anew() -> None:
    run = waking(AWAY, demote_workflow=refused("unreachable"))
    assert sorted(set(acted(run, "promote_workflow"))) == sorted(done_here())
    assert not [t for t in run.named("alert") if "refused" in t["title"]]
    assert run.named("send_slip")[0]["slip"]["facts"]["troubles"] == 0


def done_here() -> list[str]:
    return [name for wave in PLAN.waves("activate", HERE) for name in wave]


def test_nothing_is_fenced_again_where_the_fence_missed_nothing() -> None:
    assert not waking([]).named("demote_workflow")


def test_more_than_a_slip_can_name_are_all_fenced_again() -> None:
    assert sorted(acted(waking(["*"]), "demote_workflow")) == sorted(AWAY)
    assert len(AWAY) <= CHUNK


def refusing(times: int) -> tuple[Callable[[dict], dict], list[str]]:
    """Refuses one workflow so many times."""
    tries: list[str] = []

    def promote(task: dict) -> dict:
        if task["component"]["name"] != "orders-intake":
            return skipped("is Enabled already")
        tries.append("orders-intake")
        return refused("409") if len(tries) <= times else succeeded()

    return promote, tries


def test_what_would_not_start_is_tried_once_more_at_the_end_of_its_stage() -> None:
    promote, tries = refusing(1)
    output = done(at_stage("activate", promote_workflow=promote))
    assert (output["outcome"], len(tries)) == ("succeeded", 2)
    assert len(output["rows"]) == len(done_here())


def test_it_is_tried_no_more_than_once_more() -> None:
    promote, tries = refusing(9)
    assert done(at_stage("activate", promote_workflow=promote))["outcome"] == "partial"
    assert len(tries) == 2


def test_what_waits_for_it_is_tried_again_with_it() -> None:
    waiting = [name for name in done_here() if "orders-intake" in PLAN.part(name).waits_for]
    promote, _ = refusing(1)
    rows = done(at_stage("activate", promote_workflow=promote))["rows"]
    assert all(row["outcome"] == "skipped" for row in rows if row["component"] in waiting)


def test_a_slip_with_its_facts_is_still_a_slip() -> None:
    told = {**paper("activate"), "facts": {"unfenced": ["*"]}}
    assert slip.parse(json.dumps(told), "activate", HERE) == told


def test_what_does_not_serve_at_verification_is_promoted_once_more() -> None:
    seen: list[str] = []

    def verify_traffic(task: dict) -> dict:
        seen.append("verify")
        return refused("no endpoint is enabled") if len(seen) < 4 else succeeded()

    run = at_stage("verify", verify_traffic=verify_traffic)
    assert done(run)["outcome"] == "succeeded"
    assert acted(run, "promote_traffic") == ["front"] and not run.named("promote_gateway")
