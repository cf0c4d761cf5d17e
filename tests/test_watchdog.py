"""The watchdog, driven through the SDK's own replay."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from orchestrations.watchdog import OBSERVERS, ROUNDS_PER_GENERATION, watchdog
from shared import plan
from shared.outcome import refused, succeeded
from shared.record import noted
from shared.watch import seen_from_outside
from tests.replay import START, Replay
from tests.stories import (
    DOCUMENT,
    HERE,
    LOST,
    PLAN,
    fine,
    grown,
    loaded,
    record,
)

EVERYTHING = Path(__file__).resolve().parents[1] / "plans" / "everything.yaml"


def saw(kind: str, ok: bool | None, because: str = "seen") -> dict:
    at = START.isoformat()
    return {"kind": kind, "ok": ok, "because": because, "seconds": 0.1, "at": at}


def watched(
    ok: bool | None, live: bool | None, known: dict | None = None, **changes: object
) -> dict:
    """Answers in which the direct observers say `ok` and the lease is live or not."""
    answers = {
        "load_plan": loaded,
        "observe_health": succeeded(observation=saw("health", ok)),
        "observe_gateway_status": succeeded(observation=saw("gateway", ok)),
        "observe_traffic_manager": succeeded(observation=saw("trafficManager", ok)),
        "observe_lease": succeeded(observation=saw("lease", live), record=known or record()),
        "observe_control_plane": succeeded(observation=saw("controlPlane", True)),
        "control_arm": succeeded(control={"name": "arm", "ok": True, "because": "200"}),
        "control_http": succeeded(control={"name": "web", "ok": True, "because": "200"}),
        "read_witness": succeeded(record=known or record()),
        "reserve_run": fine,
        "send_slip": fine,
        "write_watch": fine,
        "keep_audit": lambda told: succeeded(audited=told["transitions"][-1]["n"]),
        "alert": fine,
    }
    return {**answers, **changes}


def on_watch(answers: dict, minutes: float = 2, here: str = HERE, **told: object) -> Replay:
    told = {"plan": "contoso", "location": here, **told}
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


def test_a_silent_control_plane_is_alerted_once_and_moves_nothing():
    silent = succeeded(observation=saw("controlPlane", False))
    run = on_watch(watched(True, True, observe_control_plane=silent), minutes=3)
    assert not run.named("reserve_run")
    titles = [told["title"] for told in run.named("alert")]
    assert titles == ["westeurope is controlPlaneOnly"]


def test_what_is_new_in_the_record_is_audited_once():
    assert len(on_watch(watched(True, True)).named("keep_audit")) == 1


def test_what_could_not_be_audited_is_tried_in_the_next_round_and_moves_nothing_back():
    no = refused("audit: no answer within 2 s")
    run = on_watch(watched(False, False, keep_audit=no))
    assert len(run.named("keep_audit")) > 3 and run.named("reserve_run")


def test_only_the_last_audited_transition_and_what_follows_it_are_handed_on():
    held = record()
    lines = iter(range(100))

    def look(told: dict) -> dict:
        nonlocal held
        if next(lines) % 3 == 2:
            held = noted(held, START, "ada", "paused", "")
        return succeeded(observation=saw("lease", True), record=held)

    told = on_watch(watched(True, True, observe_lease=look)).named("keep_audit")
    assert [[one["n"] for one in t["transitions"]] for t in told[:3]] == [[1], [1, 2], [2, 3]]


def test_a_round_writes_down_little_of_a_large_plan():
    many = grown(500)
    answers = watched(True, True, load_plan=succeeded(plan=many.document, digest=many.digest))
    told = on_watch(answers, minutes=0.1).named("observe_gateway_status")[0]
    assert len(json.dumps(told)) < 8000
    assert plan.Plan.model_validate(told["plan"]).gateway() == "gateway"


def test_what_observers_are_told_of_a_plan_can_be_read_by_itself():
    """A gateway's callbacks lead to workflows: without those it could not be looked at at all."""
    told = seen_from_outside(plan.load(EVERYTHING.read_text(encoding="utf-8")).document)
    seen = plan.Plan.model_validate(told)
    for part in seen.components:
        assert seen.component(part.name, HERE)["resource"]
    kinds = [part.kind for part in seen.components]
    assert kinds == ["apiManagement", "trafficManager", "logicWorkflow", "logicWorkflow"]


def test_a_region_that_still_renews_its_lease_is_suspect_and_not_lost():
    run = on_watch(watched(False, True))
    assert not run.named("reserve_run")
    assert run.named("write_watch")[-1]["watch"]["verdict"]["state"] == "suspect"


def test_a_refused_failover_is_alerted_once_and_not_every_round():
    run = on_watch(watched(False, False, record(paused=True)), minutes=3)
    refusals = [t for t in run.named("alert") if t["title"] == "failover refused"]
    assert len(refusals) == 1 and "paused" in refusals[0]["because"]


def test_a_maintenance_window_is_watched_through_and_refuses_aloud_once():
    window = {"cron": "0 0 * * *", "minutes": 2 * 24 * 60, "because": "patching"}
    document = {**DOCUMENT, "maintenance": [window]}
    load = succeeded(plan=document, digest=PLAN.digest)
    run = on_watch({**watched(False, False), "load_plan": load}, minutes=0.9)
    assert not run.named("reserve_run") and len(run.named("write_watch")) > 3
    titles = [told["title"] for told in run.named("alert")]
    assert titles == ["westeurope is suspect", "failover refused", "westeurope is lost"]


def watched_for(rounds: int, answers: dict) -> list[dict]:
    """The alerts of so many rounds, generation after generation."""
    told: dict = {"plan": "contoso", "location": HERE}
    alerts: list[dict] = []
    for _ in range(rounds // ROUNDS_PER_GENERATION):
        run = Replay(watchdog, told, answers).run()
        assert isinstance(run.again, dict) and not run.failure
        alerts += run.named("alert")
        told = run.again
    return alerts


def refusals_of(alerts: list[dict]) -> list[str]:
    return [told["because"] for told in alerts if told["title"] == "failover refused"]


def test_fifty_rounds_of_one_refusal_are_one_alert_though_its_words_change():
    count = iter(range(1000))

    def no(told: dict) -> dict:
        n = next(count)
        return refused(f"run r-{n} is in progress (fence since 2026-01-05T08:00:{n:02}+00:00)")

    alerts = watched_for(54, watched(False, False, reserve_run=no))
    assert next(count) > 50 and len(refusals_of(alerts)) == 1


def test_a_new_reason_is_alerted_again_and_an_old_one_that_returns_is_not():
    reasons = ["contoso is paused", "westeurope is active, not northeurope"]
    count = iter(range(1000))

    def no(told: dict) -> dict:
        return refused(reasons[next(count) // 10 % 2])

    assert refusals_of(watched_for(54, watched(False, False, reserve_run=no))) == reasons


def test_a_refusal_is_alerted_again_after_the_region_was_well():
    """Six rounds of loss, six in which all is well, six of loss."""

    def tide(kind: str) -> Callable[[dict], dict]:
        count = iter(range(1000))
        return lambda told: succeeded(
            observation=saw(kind, next(count) // 6 % 2 == 1), record=record(paused=True)
        )

    observers = {OBSERVERS[kind]: tide(kind) for kind in PLAN.watch.observers}
    assert len(refusals_of(watched_for(18, {**watched(True, True), **observers}))) == 2


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


def test_a_plan_that_cannot_be_loaded_now_does_not_end_the_watch():
    tries: list[dict] = []

    def load(told: dict) -> dict:
        tries.append(told)
        if len(tries) in (2, 3):
            raise ConnectionError("storage is away")
        return loaded(told)

    run = on_watch(watched(False, False, load_plan=load), minutes=3)
    assert len(run.named("reserve_run")) >= 1
    titles = [told["title"] for told in run.named("alert")]
    assert titles.count("plan cannot be loaded") == 1


def test_a_plan_that_is_gone_ends_the_watch():
    run = on_watch(watched(True, True, load_plan=refused("no plan contoso here", missing=True)))
    assert run.done and not run.continued


def test_a_round_whose_activities_cannot_run_concludes_nothing_and_goes_on():
    def dead(told: dict) -> dict:
        raise MemoryError("the worker was killed")

    run = on_watch(watched(False, False, observe_health=dead))
    assert run.failure is None and not run.named("reserve_run")
    verdict = run.named("write_watch")[-1]["watch"]["verdict"]
    assert verdict["state"] == "inconclusive" and "the worker was killed" in verdict["because"]


def test_home_watches_once_the_plan_is_active_elsewhere():
    run = on_watch(watched(False, False, record(2, HERE)), here=LOST)
    assert run.named("observe_health")[0]["location"] == HERE
    assert run.named("reserve_run")[0]["slip"]["to"] == LOST


def test_home_stands_down_while_it_is_active():
    run = on_watch(watched(True, True), here=LOST)
    assert run.done and not run.named("observe_health") and not run.named("alert")
