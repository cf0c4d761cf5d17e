"""The watchdog, driven through the SDK's own replay."""

from datetime import timedelta

from orchestrations.watchdog import watchdog
from shared.outcome import succeeded
from tests.replay import START, Replay
from tests.stories import (
    HERE,
    LOST,
    PLAN,
    fine,
    loaded,
    record,
)


def saw(kind: str, ok: bool | None, because: str = "seen") -> dict:
    at = START.isoformat()
    return {"kind": kind, "ok": ok, "because": because, "seconds": 0.1, "at": at}


def watched(ok: bool | None, live: bool, known: dict | None = None, **changes: object) -> dict:
    """Answers in which the direct observers say `ok` and the lease is live or not."""
    answers = {
        "load_plan": loaded,
        "observe_health": succeeded(observation=saw("health", ok)),
        "observe_gateway_status": succeeded(observation=saw("gateway", ok)),
        "observe_traffic_manager": succeeded(observation=saw("trafficManager", ok)),
        "observe_lease": succeeded(observation=saw("lease", live), record=known or record()),
        "control_arm": succeeded(control={"name": "arm", "ok": True, "because": "200"}),
        "control_http": succeeded(control={"name": "web", "ok": True, "because": "200"}),
        "reserve_run": fine,
        "send_slip": fine,
        "write_watch": fine,
        "alert": fine,
    }
    return {**answers, **changes}


def on_watch(answers: dict, minutes: float = 2) -> Replay:
    told = {"plan": "contoso", "location": HERE}
    return Replay(watchdog, told, answers).run(stop_at=START + timedelta(minutes=minutes))


def test_a_healthy_region_is_only_watched():
    run = on_watch(watched(True, True))
    assert not run.named("reserve_run")
    assert [told["title"] for told in run.named("alert")] == ["westeurope is healthy"]


def test_a_watchdog_that_reaches_nothing_does_nothing():
    dead = {"name": "arm", "ok": False, "because": "no route"}
    answers = watched(
        False,
        False,
        control_arm=succeeded(control=dead),
        control_http=succeeded(control={**dead, "name": "web"}),
    )
    run = on_watch(answers)
    assert not run.named("reserve_run")
    assert run.named("write_watch")[-1]["watch"]["verdict"]["state"] == "isolated"


def test_a_region_that_still_renews_its_lease_is_suspect_and_not_lost():
    run = on_watch(watched(False, True))
    assert not run.named("reserve_run")
    assert run.named("write_watch")[-1]["watch"]["verdict"]["state"] == "suspect"


def test_a_refused_failover_is_alerted_once_and_not_every_round():
    run = on_watch(watched(False, False, record(paused=True)), minutes=3)
    refusals = [t for t in run.named("alert") if t["title"] == "failover refused"]
    assert len(refusals) == 1 and "paused" in refusals[0]["because"]


def test_a_lost_region_starts_a_run_after_the_configured_rounds():
    run = on_watch(watched(False, False))
    reserved = run.named("reserve_run")[0]["slip"]
    sent = run.named("send_slip")[0]
    assert reserved == sent["slip"] and sent["queue"] == "slip-claim"
    assert reserved["to"] == HERE and reserved["from"] == LOST
    started = next(call.at for call in run.calls if call.name == "reserve_run")
    bound = PLAN.watch.rounds * PLAN.watch.every_seconds + PLAN.watch.timeout_seconds
    assert started - START <= timedelta(seconds=bound)


def test_a_watchdog_stands_down_where_the_plan_is_active():
    run = on_watch(watched(True, True, record(2, HERE)))
    assert run.done and not run.continued
    assert "nothing to watch" in str(run.output)


def test_a_watchdog_lives_for_ever_in_short_generations():
    run = on_watch(watched(True, True), minutes=30)
    assert run.continued
    assert isinstance(run.again, dict) and run.again["memory"]["verdict"]["state"] == "healthy"
