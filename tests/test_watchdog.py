"""The watchdog, driven through the SDK's own replay."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrations.watchdog import OBSERVERS, ROUNDS_PER_GENERATION, watchdog
from shared import plan, slip, witness
from shared.outcome import refused, succeeded
from shared.record import YOUNGER_OF_RUN, noted, stamp
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


def requested(to: str = HERE, **more: object) -> dict:
    run = {"id": "contoso-abc", "phase": "requested", "mode": "forced", "from": LOST, "to": to}
    words = {"by": "person", "reason": "lost", "because": "", **YOUNGER_OF_RUN}
    return record(run={**run, "at": START.isoformat(), **words, **more})


def test_a_run_that_somebody_reserved_and_never_sent_is_sent_by_the_watchdog():
    run = on_watch(watched(False, False, requested()))
    assert not run.named("reserve_run")
    sent = run.named("send_slip")[0]
    assert sent["slip"]["run"] == "contoso-abc" and sent["queue"] == "slip-claim"
    assert slip.parse(json.dumps(sent["slip"]), "claim")


def test_a_run_to_elsewhere_is_not_sent_by_this_watchdog():
    assert not on_watch(watched(False, False, requested(to=LOST))).named("send_slip")


def test_a_slip_that_cannot_be_sent_is_alerted_once_and_sent_again():
    def away(told: dict) -> dict:
        raise ConnectionError("the namespace is away")

    run = on_watch(watched(False, False, requested(), send_slip=away), minutes=3)
    titles = [told["title"] for told in run.named("alert")]
    assert titles.count("slip not sent") == 1 and len(run.named("send_slip")) > 3


def test_a_witness_that_cannot_be_read_in_this_round_moves_nothing():
    """The record of an earlier round says nothing of the lease."""
    read = succeeded(observation=saw("lease", None), record=record())
    silent = succeeded(observation=saw("lease", None))
    answers, first = [read] + [silent] * 30, [succeeded(record=record())]
    run = on_watch(
        watched(
            False,
            None,
            observe_lease=lambda told: answers.pop(0),
            read_witness=lambda told: first.pop() if first else refused("witness: no answer"),
        )
    )
    assert not run.named("reserve_run")
    refusals = [t for t in run.named("alert") if t["title"] == "failover refused"]
    assert refusals and "witness cannot be read" in refusals[0]["because"]


def test_a_lost_look_at_the_lease_is_made_up_for_in_the_same_round():
    """One probe in twenty may be lost; it must not cost a round of an outage."""
    silent = succeeded(observation=saw("lease", None))
    run = on_watch(watched(False, None, observe_lease=silent))
    assert run.named("reserve_run")


@pytest.mark.parametrize("seconds, reads", [(1, 0), (30, 1)])
def test_what_was_read_before_the_process_died_is_read_again(seconds: float, reads: int):
    """Half a round is of before; people may have closed a window since, or another has claimed."""
    slow = [0.0, 0.0, seconds]  # Of the third round, which permits.

    def outlasted(told: dict) -> dict:
        run.now += timedelta(seconds=slow.pop(0) if slow else 0)
        return succeeded(observation=saw("health", False))

    told = {"plan": "contoso", "location": HERE}
    run = Replay(watchdog, told, watched(False, False, observe_health=outlasted))
    run.run(stop_at=START + timedelta(minutes=2))
    asked = [call.name for call in run.calls if call.name in ("read_witness", "reserve_run")]
    before = asked[: asked.index("reserve_run")]
    assert len(before) == 1 + reads  # The first one is the watchdog's own beginning.


@pytest.mark.parametrize(("minutes", "moves"), [(10, True), (-10, False)])
def test_whether_the_lease_lives_is_asked_of_storages_clock_not_of_this_one(
    minutes: float, moves: bool
):
    """A standby whose clock is slow would wait longer, and one whose clock is fast ask too soon."""
    until, there = START + timedelta(minutes=minutes / 2), START + timedelta(minutes=minutes)
    held = {**record(), "leaseUntil": stamp(until), "holder": LOST}
    seen = succeeded(observation=saw("lease", False), record=held, serverTime=stamp(there))
    run = on_watch(watched(False, False, observe_lease=seen), minutes=1)
    assert bool(run.named("reserve_run")) == moves


ASKING = plan.checked({**PLAN.document, "automation": "approval"})


def asking(**changes: object) -> Replay:
    """Contoso is lost, and its plan wants a person to approve."""
    document = succeeded(plan=ASKING.document, digest=ASKING.digest)
    return on_watch({**watched(False, False, load_plan=document), **changes})


def test_a_plan_that_wants_approval_reserves_a_run_that_waits_for_it():
    run = asking(reserve_run=refused("enough for this test"))
    assert run.named("reserve_run")[0]["approvalMinutes"] == ASKING.approval_minutes
    assert "approvalMinutes" not in on_watch(watched(False, False)).named("reserve_run")[0]


def test_a_run_that_waits_for_approval_gets_its_slip_once():
    known: dict = {}

    def reserve(told: dict) -> dict:
        known["record"] = witness.reserve(record(), told["slip"], START, told["approvalMinutes"])
        return succeeded(record=known["record"])

    def lease(told: dict) -> dict:
        return succeeded(observation=saw("lease", False), record=known.get("record", record()))

    run = asking(reserve_run=reserve, observe_lease=lease)
    assert len(run.named("send_slip")) == 1
    assert "failover asks for approval" in [told["title"] for told in run.named("alert")]
