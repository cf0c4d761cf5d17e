"""A standby that could not take over is told once, and once more when it could again."""

import pytest

from orchestrations.backup import backup
from shared import readiness
from shared.outcome import refused, skipped, succeeded
from tests.replay import Replay
from tests.stories import HERE, LOST, loaded, record

AT = "2026-01-05T08:00:00+00:00"
READY = succeeded("29 checks, none fails", ready=True, checks=[], at=AT)
UNREADY = succeeded("no proven backup", ready=False, checks=[], at=AT)


def kept(ready: bool, told: bool = False, location: str = HERE) -> dict:
    return {"plan": "contoso", "location": location, "ready": ready, "told": told}


def looking(seen: dict, before: dict | None = None, by: str = "timer", **changes: object) -> Replay:
    """The timer's round where westeurope is active."""
    known = succeeded(readiness=before) if before else refused("nobody here has looked yet")
    answers = {
        "load_plan": loaded,
        "read_witness": succeeded(record=record()),
        "assess_readiness": seen,
        "read_readiness": known,
        "write_readiness": succeeded(),
        "check_gateway": skipped("the gateway is Updating"),
        "alert": succeeded(),
        **changes,
    }
    return Replay(backup, {"plan": "contoso", "location": LOST, "by": by}, answers).run()


def titles(run: Replay) -> list[str]:
    assert run.done, run.failure
    return [told["title"] for told in run.named("alert")]


def test_what_fails_at_one_look_is_told_to_nobody():
    assert titles(looking(UNREADY, kept(True))) == []


def test_the_first_look_of_all_tells_nobody():
    assert titles(looking(UNREADY)) == []


def test_what_was_told_is_not_told_again():
    assert titles(looking(UNREADY, kept(False, told=True))) == []


def waiting(seen: dict, before: dict | None = None) -> Replay:
    """The timer's round in westeurope while northeurope is active."""
    return looking(seen, before, read_witness=succeeded(record=record(2, HERE)))


def test_the_standby_looks_at_nothing_but_what_only_it_can_see():
    run = waiting(UNREADY)
    (asked,) = run.named("assess_readiness")
    assert (asked["location"], asked["own"]) == (LOST, True)
    assert [told["own"] for told in run.named("read_readiness")] == [True]


def test_the_active_location_looks_at_all_that_it_can_see():
    assert [told.get("own") for told in looking(READY).named("assess_readiness")] == [None]


def test_the_standby_tells_nobody_what_fails_at_one_look_alone():
    assert titles(waiting(UNREADY, kept(True, location=LOST))) == []


def test_what_fails_at_two_looks_of_the_standby_is_told_once():
    run = waiting(UNREADY, kept(False, location=LOST))
    assert titles(run) == ["westeurope, as its own app sees it, is not ready to take over"]
    state = run.named("write_readiness")[0]["readiness"]
    assert (state["told"], state["own"]) == (True, True)
    assert titles(waiting(UNREADY, state)) == []


def test_the_standby_tells_when_it_sees_nothing_wrong_any_more():
    run = waiting(READY, kept(False, told=True, location=LOST))
    assert titles(run) == ["westeurope, as its own app sees it, is ready again"]


def test_the_standby_looks_at_nothing_while_a_run_is_under_way():
    under_way = {"id": "r", "phase": "claim", "at": AT, "paused": False}
    held = succeeded(record=record(2, HERE, run=under_way))
    run = looking(UNREADY, read_witness=held)
    assert titles(run) == [] and not run.named("assess_readiness")


def test_the_standby_looks_when_all_else_is_done():
    """An instance that was under way before it looked at all replays to its end."""
    asked = [call.name for call in waiting(UNREADY).calls]
    assert asked[:4] == ["load_plan", "read_witness"] * 2
    assert asked[4:] == ["assess_readiness", "read_readiness", "write_readiness"]


def test_nothing_is_looked_at_while_storage_is_silent():
    def silent(told: dict) -> dict:
        raise ConnectionError("away")

    run = looking(UNREADY, read_readiness=silent)
    assert titles(run) == [] and not run.named("write_readiness")


def test_a_backup_that_somebody_asks_for_looks_at_nothing_else():
    assert not looking(UNREADY, by="person").named("assess_readiness")


def test_what_fails_at_two_looks_is_told():
    run = looking(UNREADY, kept(False))
    assert titles(run) == ["northeurope is not ready to take over"]
    assert run.named("write_readiness")[0]["readiness"]["told"] is True


def test_a_standby_that_is_ready_again_is_told_once():
    run = looking(READY, kept(False, told=True))
    assert titles(run) == ["northeurope is ready again"]
    assert run.named("write_readiness")[0]["readiness"]["told"] is False


@pytest.mark.parametrize("told", [True, False])
def test_what_was_seen_of_the_other_location_does_not_count(told: bool):
    before = kept(False, told, location=LOST)
    assert readiness.remembered(before, UNREADY, "contoso", HERE)[1] == ""


def failing(*names: str) -> dict:
    checks = [{"component": "gateway", "name": one, "status": "fail"} for one in names]
    return {**UNREADY, "checks": checks}


def looked(*names: str, told_of: tuple[str, ...] = ("gateway tier",)) -> dict:
    seen = [f"gateway {one}" for one in names]
    return {**kept(False, told=True), "failing": seen, "toldOf": list(told_of)}


def test_what_fails_besides_what_was_told_is_told_at_its_second_look():
    first = readiness.remembered(looked("tier"), failing("tier", "backup"), "contoso", HERE)
    assert first[1] == ""
    again = readiness.remembered(first[0], failing("tier", "backup"), "contoso", HERE)
    assert again[1] == "northeurope is less ready than before: gateway backup"
    assert readiness.remembered(again[0], failing("tier", "backup"), "contoso", HERE)[1] == ""
