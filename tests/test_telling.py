"""The watchdog tells again what the webhook did not take, and never what it took."""

from collections.abc import Callable
from datetime import datetime, timedelta

from orchestrations import telling
from orchestrations.watchdog import ROUNDS_PER_GENERATION, watchdog
from shared import plan
from shared.outcome import refused, succeeded
from tests.replay import START, Replay
from tests.stories import DOCUMENT, HERE, PLAN, loaded, record
from tests.test_watchdog import on_watch, refusals_of, saw, watched

NO = refused("alert not sent: the webhook answered 503")
ALERTING = plan.checked({**DOCUMENT, "automation": "alert"})
ASKING = plan.checked({**DOCUMENT, "automation": "approval"})


def away(times: int) -> Callable[[dict], dict]:
    """A webhook that takes nothing so many times, and then everything."""
    count = iter(range(100_000))
    return lambda told: NO if next(count) < times else succeeded("sent")


def lost(alert: object, of: plan.Plan = ALERTING, **more: object) -> dict:
    load = succeeded(plan=of.document, digest=of.digest)
    return watched(False, False, **{"load_plan": load, "alert": alert, **more})


def watched_for(rounds: int, answers: dict) -> list[dict]:
    """The alerts of so many rounds, generation after generation, while time goes on."""
    told: dict = {"plan": "contoso", "location": HERE}
    now, alerts = START, []
    for _ in range(rounds // ROUNDS_PER_GENERATION):
        run = Replay(watchdog, told, answers, now=now).run()
        assert isinstance(run.again, dict) and not run.failure
        told, now = run.again, run.now
        alerts += run.named("alert")
    return alerts


def titles(alerts: list[dict]) -> list[str]:
    return [told["title"] for told in alerts]


def test_a_refusal_that_the_webhook_did_not_take_is_told_again_until_it_does() -> None:
    """`automation: alert`, and the webhook is away while the region is lost."""
    tries = iter(range(1000))

    def silent_at_first(told: dict) -> dict:
        missed = told["title"] == "failover refused" and next(tries) < 3
        return NO if missed else succeeded("sent")

    assert len(refusals_of(watched_for(30, lost(silent_at_first)))) == 4


def test_a_webhook_that_raises_has_taken_nothing() -> None:
    def broken(told: dict) -> dict:
        raise ConnectionError("the worker was killed")

    assert len(refusals_of(watched_for(12, lost(broken)))) > 2


def test_a_log_without_a_webhook_is_told_once() -> None:
    assert len(refusals_of(watched_for(30, lost(succeeded("logged; no webhook is set"))))) == 1


def test_a_verdict_that_the_webhook_did_not_take_is_told_again() -> None:
    alerts = watched_for(12, watched(True, True, alert=away(2)))
    assert titles(alerts) == ["westeurope is healthy"] * 3


def test_a_verdict_that_was_overtaken_is_not_told_late() -> None:
    """First suspect, then healthy: who hears at last is told what holds."""
    count = iter(range(1000))

    def health(told: dict) -> dict:
        return succeeded(observation=saw("health", next(count) > 1))

    alerts = watched_for(12, watched(True, True, observe_health=health, alert=away(3)))
    assert titles(alerts)[0] == "westeurope is degraded"
    assert titles(alerts)[-1] == "westeurope is healthy"
    assert titles(alerts).count("westeurope is degraded") <= 3


def test_a_refusal_is_told_again_in_the_words_of_now() -> None:
    count = iter(range(1000))

    def no(told: dict) -> dict:
        return refused(f"run r-{next(count)} is in progress")

    alerts = refusals_of(watched_for(12, lost(away(4), of=PLAN, reserve_run=no)))
    assert len(alerts) > 1 and len(set(alerts)) == len(alerts)


def test_a_refusal_that_is_over_is_not_told_late() -> None:
    """The region is well again before the webhook is."""
    count = iter(range(1000))

    def tide(kind: str) -> Callable[[dict], dict]:
        mine = iter(range(1000))
        return lambda told: succeeded(
            observation=saw(kind, next(mine) >= 6), record=record(paused=True)
        )

    kinds = {"observe_health": "health", "observe_gateway_status": "gateway"}
    kinds |= {"observe_traffic_manager": "trafficManager", "observe_lease": "lease"}
    heard: list[dict] = []

    def alert(told: dict) -> dict:
        heard.append(told)
        return NO if next(count) < 8 else succeeded("sent")

    tides = {name: tide(kind) for name, kind in kinds.items()}
    watched_for(24, {**watched(True, True, alert=alert), **tides})
    well = next(n for n, told in enumerate(heard) if told["title"].endswith("is healthy"))
    assert refusals_of(heard[:well]) and not refusals_of(heard[well:])


def test_a_request_for_approval_that_was_not_taken_is_told_again() -> None:
    alerts = on_watch(lost(away(5), of=ASKING), minutes=2).named("alert")
    assert titles(alerts).count("failover asks for approval") > 1


def test_a_webhook_that_takes_nothing_is_asked_once_a_round_at_most() -> None:
    run = Replay(watchdog, {"plan": "contoso", "location": HERE}, lost(NO)).run()
    assert run.again is not None
    again = [call.at for call in run.calls if call.name == "alert"][2:]
    rounds = [call.at for call in run.calls if call.name == "write_watch"]
    assert len(again) <= len(rounds) == ROUNDS_PER_GENERATION


def test_a_webhook_that_is_wrong_for_ever_is_asked_ever_less() -> None:
    """Half an hour of rounds."""
    alerts = watched_for(180, watched(True, True, alert=NO))
    assert 10 < len(alerts) < 50


def test_the_plan_that_cannot_be_loaded_is_told_again_too() -> None:
    bad = refused("no such container")
    alerts = watched_for(6, watched(True, True, load_plan=bad, alert=away(2)))
    assert titles(alerts) == ["plan cannot be loaded"] * 3


def test_what_an_older_version_remembers_owes_nothing() -> None:
    known = {"verdict": None, "record": record(), "refusal": "", "told": [], "asked": None}
    told = {"plan": "contoso", "location": HERE, "memory": known}
    run = Replay(watchdog, told, {**watched(True, True), "load_plan": loaded}).run()
    assert not run.failure and titles(run.named("alert")) == ["westeurope is healthy"]


def test_what_is_owed_is_bounded_and_the_pause_too() -> None:
    now, memory = START + timedelta(days=3), {**telling.NEW}
    memory["deaf"] = {"since": START.isoformat(), "until": START.isoformat()}
    until = datetime.fromisoformat(telling.silence(memory, now)["until"])
    assert until - now == timedelta(seconds=telling.PAUSE_MOST_SECONDS)


def test_what_is_told_again_says_so_and_what_is_new_does_not() -> None:
    """The log's rules page for each alert: a repeat is none."""
    alerts = watched_for(12, watched(True, True, alert=away(2)))
    assert [told.get("again", False) for told in alerts] == [False, True, True]


def remembering(**more: object) -> dict:
    """A watchdog's memory with a run's start, a verdict and a reason owed."""
    owed = {
        "run": ["failover started", "lost"],
        "verdict": ["it is lost", ""],
        "send_slip": ["x", ""],
    }
    asked, known = {"run": "r1"}, record(run={"id": "r1"})
    return {"owed": owed, "deaf": None, "refusal": "", "asked": asked, "record": known, **more}


def test_a_run_that_is_gone_is_not_told_of_late() -> None:
    assert telling.over(remembering(refusal="no")) == []
    assert telling.over(remembering(refusal="no", record=record(run=None))) == ["run"]


def test_a_reason_that_hinders_nothing_any_more_is_not_told_late() -> None:
    assert telling.over(remembering()) == ["send_slip"]


def test_a_watchdog_that_ends_tells_what_it_owes_without_waiting() -> None:
    """A run claims within seconds of its start: the next round ends the watch."""
    run, told = {"id": "r1"}, {"plan": "contoso", "location": HERE}
    memory = remembering(record=record(active=HERE, run=run), deaf={"since": "", "until": "9"})
    memory |= {"verdict": None, "told": [], "audited": 0}
    done = Replay(watchdog, {**told, "memory": memory}, watched(True, True)).run()
    assert done.done and titles(done.named("alert")) == ["failover started", "it is lost"]
