"""Observers, controls, health, traffic, hooks and alerts: what is seen, and what never raises."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from activities import health
from orchestrations.watchdog import OBSERVERS
from shared import clients, store, verdict
from tests.doors import HERE, THERE, Doors
from tests.patience import silent

APP = "func-contoso-we.azurewebsites.net/api/health"
# Of a look of 0.5 s: its own bound, or on a busy machine the one around it.
GIVEN_UP = r"no answer within (0\.5|1) s|read timeout=0\.5"
WORKFLOW = "prod-ne.northeurope.logic.azure.com/workflows/health-ne/triggers/manual/paths/invoke"


def seen(doors: Doors, name: str, **more: object) -> dict:
    return doors.call(name, doors.look(**more))["observation"]


def endpoint(doors: Doors, location: str) -> dict:
    resource = doors.plan.component("front", location)["resource"]
    found = doors.world.resources.get(f"{resource}/externalEndpoints/{location}")
    assert found is not None
    return found.properties


def reset(doors: Doors) -> None:
    for location in (HERE, THERE):
        endpoint(doors, location).update(endpointStatus="Enabled", endpointMonitorStatus="Online")


def lease(doors: Doors, until: str | None) -> None:
    asked = {"plan": "contoso", "witness": doors.plan.document["witness"]}
    record = doors.call("read_witness", asked)["record"]
    text = json.dumps({**record, "leaseUntil": until, "active": THERE, "run": None})
    doors.lay("stcontosowitness", "understudy", "contoso.json", text.encode())


def test_a_dead_region_is_seen_within_the_bound(doors: Doors) -> None:
    with silent(doors, THERE):
        observation = seen(doors, "observe_health")
    assert (observation["ok"], observation["kind"]) == (False, "health")
    assert re.search(GIVEN_UP, observation["because"]), observation


def test_a_failing_health_check_says_which_check_fails(doors: Doors) -> None:
    report = {"checks": [{"name": "slips", "status": "failing", "because": "silent"}]}
    doors.strangers.answers[APP] = (503, json.dumps(report))
    assert "slips: silent" in seen(doors, "observe_health")["because"]


def test_a_gateway_without_its_status_page_is_not_well(doors: Doors) -> None:
    where = "apim-contoso-we.azure-api.net/status-0123456789abcdef"
    doors.strangers.answers[where] = (502, "")
    assert seen(doors, "observe_gateway_status")["ok"] is False


def test_an_arm_that_is_silent_concludes_nothing_about_traffic(doors: Doors) -> None:
    doors.world.faults.add({"match": {"path": "trafficmanager"}, "effect": {"drop": True}})
    assert seen(doors, "observe_traffic_manager")["ok"] is None


def test_a_location_whose_resource_manager_is_silent_has_no_control_plane(doors: Doors) -> None:
    with silent(doors, THERE, "arm"):
        observation = seen(doors, "observe_control_plane")
    assert (observation["ok"], observation["kind"]) == (False, "controlPlane")
    assert re.search(GIVEN_UP, observation["because"]), observation


def test_a_refusal_of_the_control_plane_is_an_answer(doors: Doors) -> None:
    fault = {"match": {"path": "apim-contoso-we"}, "effect": {"status": 403}}
    doors.world.faults.add(fault)
    assert seen(doors, "observe_control_plane", timeoutSeconds=3)["ok"] is True


def test_a_location_without_its_control_plane_serves_on_and_is_called_so(doors: Doors) -> None:
    doors.world.lose(THERE, ["arm"])
    doors.drop("stcontosowitness", "understudy", "contoso.json")
    names = [OBSERVERS[kind] for kind in doors.plan.watch.observers]
    observations = [seen(doors, name, timeoutSeconds=2) for name in names]
    controls = [doors.call("control_arm", doors.look(timeoutSeconds=3))["control"]]
    watch, now = doors.plan.document["watch"], datetime.now(UTC)
    judged = verdict.judge(observations, controls, None, watch, now)
    assert judged["state"] == "controlPlaneOnly", judged


def test_a_witness_that_is_silent_concludes_nothing_about_the_lease(doors: Doors) -> None:
    doors.world.lose("swedencentral")
    assert seen(doors, "observe_lease")["ok"] is None


def test_an_observer_that_breaks_concludes_nothing(doors: Doors) -> None:
    assert seen(doors, "observe_health", location="nowhere")["ok"] is None


def test_a_lease_that_ran_out_is_seen(doors: Doors) -> None:
    lease(doors, "2026-01-01T00:00:00+00:00")
    outcome = doors.call("observe_lease", doors.look(timeoutSeconds=3))
    assert (outcome["observation"]["ok"], outcome["record"]["active"]) == (False, THERE)


def test_a_lease_that_is_held_is_seen(doors: Doors) -> None:
    lease(doors, "2099-01-01T00:00:00+00:00")
    assert seen(doors, "observe_lease", timeoutSeconds=3)["ok"] is True


def test_a_degraded_endpoint_is_seen(doors: Doors) -> None:
    reset(doors)
    endpoint(doors, THERE)["endpointMonitorStatus"] = "Degraded"
    assert seen(doors, "observe_traffic_manager", timeoutSeconds=3)["ok"] is False


def test_an_isolated_location_reaches_no_control(doors: Doors) -> None:
    doors.world.cut(HERE, "internet")
    outcome = doors.call("control_http", doors.look(url="https://control.example.net/"))
    assert outcome["control"]["ok"] is False


def test_a_control_plane_that_answers_is_well(doors: Doors) -> None:
    assert seen(doors, "observe_control_plane", timeoutSeconds=3)["ok"] is True


def test_controls_answer(doors: Doors) -> None:
    http = doors.call("control_http", doors.look(url="https://control.example.net/"))
    arm = doors.call("control_arm", doors.look(timeoutSeconds=3))
    assert (http["control"]["ok"], arm["control"]["ok"]) == (True, True)


def test_callers_are_let_in_before_the_others_are_shut_out(doors: Doors) -> None:
    reset(doors)
    endpoint(doors, HERE)["endpointStatus"] = "Disabled"
    mark = doors.mark()
    doors.call("promote_traffic", doors.task("front", "promote"))
    assert [url.split("?")[0].rsplit("/", 1)[-1] for url in doors.sent(mark, "PATCH")] == [
        HERE,
        THERE,
    ]


def test_traffic_that_is_held_already_is_not_touched(doors: Doors) -> None:
    reset(doors)
    doors.call("promote_traffic", doors.task("front", "promote"))
    mark = doors.mark()
    assert doors.call("promote_traffic", doors.task("front", "promote"))["status"] == "skipped"
    assert doors.sent(mark, "PATCH") == []
    assert doors.call("observe_traffic", doors.task("front", "observe"))["serving"] is True


def test_traffic_is_verified_only_when_the_endpoint_is_online(doors: Doors) -> None:
    reset(doors)
    doors.call("promote_traffic", doors.task("front", "promote"))
    endpoint(doors, HERE)["endpointMonitorStatus"] = "CheckingEndpoint"
    waiting = doors.call("verify_traffic", doors.task("front", "verify"))
    endpoint(doors, HERE)["endpointMonitorStatus"] = "Online"
    assert "not yet Online" in waiting["because"]
    assert doors.call("verify_traffic", doors.task("front", "verify"))["status"] == "succeeded"


def test_a_hook_that_answers_otherwise_is_refused(doors: Doors) -> None:
    task = doors.task("front", "verify")
    task["component"] = {"url": "https://control.example.net/order", "expect": 201}
    assert "answered 200, not 201" in doors.call("call_hook", task)["because"]


def test_a_posted_hook_can_tell_a_repeat_from_a_second_event(doors: Doors) -> None:
    task = doors.task("front", "verify")
    task["component"] = {"url": "https://control.example.net/order", "method": "POST"}
    assert doors.call("call_hook", task)["status"] == "succeeded"
    assert json.loads(doors.strangers.heard[-1]["body"])["understudy"]["run"] == "run-1"


def test_an_alert_that_cannot_be_sent_is_refused_and_not_raised(doors: Doors) -> None:
    doors.world.cut(HERE, "internet")
    outcome = doors.call("alert", {"plan": "contoso", "title": "t", "because": "b"})
    assert outcome["status"] == "refused"


def test_an_alert_that_is_told_again_is_none_for_the_rules_of_the_log(
    doors: Doors, caplog: pytest.LogCaptureFixture
) -> None:
    """They look for `"alert"` in a message."""
    doors.call("alert", {"plan": "contoso", "title": "t", "because": "b", "again": True})
    assert '"alertAgain"' in caplog.text and '"alert"' not in caplog.text
    assert json.loads(doors.strangers.heard[-1]["body"])["again"]


def test_an_alert_reaches_its_webhook(doors: Doors) -> None:
    doors.call("alert", {"plan": "contoso", "title": "t", "because": "westeurope is lost"})
    assert json.loads(doors.strangers.heard[-1]["body"])["because"] == "westeurope is lost"


def test_health_is_reported_in_time_and_vouches_for_nothing_without_storage(doors: Doors) -> None:
    clients.forget()  # A connection that is open already outlives the outage here.
    with silent(doors, HERE, "storage", seconds=3 * health.SECONDS_MAX):
        told = health.report()
        alone = health.vouch()
    assert (told["status"], told["unclaimed"]) == ("unhealthy", [])
    assert (alone["status"], alone["unclaimed"]) == ("unhealthy", [])


def test_who_cannot_renew_waits_for_nothing_but_what_the_peer_vouches_for(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole report may take longer than the peer has: it would stand down for that alone."""
    monkeypatch.setattr(health, "_check", lambda *told: pytest.fail("nothing else is asked"))
    told = health.vouch()
    assert (told["status"], [row["name"] for row in told["checks"]]) == ("healthy", ["claims"])
    doors.strangers.answers[APP] = (200, json.dumps(told))
    asked = {"plan": doors.plan.document, "location": THERE}
    assert doors.call("ask_peer", asked)["status"] == "succeeded"
    assert doors.strangers.heard[-1]["query"] == "only=unclaimed"


def test_a_location_that_suspects_the_active_one_vouches_for_nothing(doors: Doors) -> None:
    """It may claim at any moment, and who cannot renew asks again only with the next beat."""
    now = datetime.now(UTC)
    for state, age, vouches in (("suspect", 5, False), ("lost", 5, False), ("lost", 200, True)):
        at = (now - timedelta(seconds=age)).isoformat()
        store.write_watch({"plan": "contoso", "at": at, "verdict": {"state": state}})
        assert ("contoso" in store.unclaimed()) is vouches
    healthy = {"plan": "contoso", "at": now.isoformat(), "verdict": {"state": "healthy"}}
    store.write_watch(healthy)
    assert "contoso" in store.unclaimed()
    doors.drop("stcontosone", "understudy", "watch/contoso.json")


def test_health_is_unhealthy_when_the_health_workflow_fails(doors: Doors) -> None:
    doors.strangers.answers[WORKFLOW] = (502, "")
    report = health.check_location(timeout_seconds=4)
    failing = [c["name"] for c in report["checks"] if c["status"] == "failing"]
    assert (report["status"], failing) == ("unhealthy", ["contoso:workflow"])


def watched_at(doors: Doors, moment: datetime) -> dict:
    """The health check of a standby whose watchdog looked at `moment` for the last time."""
    lease(doors, None)
    verdict_of = {"state": "healthy", "because": "", "since": moment.isoformat()}
    words = {"plan": "contoso", "location": HERE, "watches": THERE, "verdict": verdict_of}
    seen_so = {"observations": [], "controls": [], "refusal": "", "at": moment.isoformat()}
    doors.call("write_watch", {"watch": {**words, **seen_so}})
    report = health.check_location(timeout_seconds=4)
    doors.drop("stcontosone", "understudy", "watch/contoso.json")
    return next(c for c in report["checks"] if c["name"] == "contoso:watchdog")


def test_health_fails_where_the_watchdog_should_watch_and_is_silent(doors: Doors) -> None:
    check = watched_at(doors, datetime.now(UTC) - timedelta(hours=1))
    assert check["status"] == "failing" and "silent since" in check["because"]


def test_health_is_well_where_the_watchdog_watches(doors: Doors) -> None:
    assert watched_at(doors, datetime.now(UTC))["status"] == "ok"


def test_health_warns_of_a_letter_that_was_poisoned(doors: Doors) -> None:
    kept = {"because": "not JSON", "body": "{", "messageId": "m1", "queue": "slip-claim"}
    doors.call("poison_slip", kept)
    report = health.check_location(timeout_seconds=4)
    doors.empty("slip-poison")
    told = next(c for c in report["checks"] if c["name"] == "leftovers")
    assert (told["status"], "slip-poison" in told["because"]) == ("warning", True)
    assert report["status"] == "healthy"


def test_health_says_when_the_newest_plan_is_bad(doors: Doors) -> None:
    doors.call("load_plan", {"plan": "contoso"})
    doors.lay("stcontosone", "understudy", "plans/contoso.yaml", b"name: contoso\n")
    report = health.check_location(timeout_seconds=4)
    doors.lay("stcontosone", "understudy", "plans/contoso.yaml", doors.plan_text.encode())
    told = next(c for c in report["checks"] if c["name"] == "contoso:plan")
    assert (report["status"], told["status"]) == ("healthy", "warning")


def test_health_asks_everything_and_calls_the_workflow_with_a_token(doors: Doors) -> None:
    report = health.check_location(timeout_seconds=4)
    assert sorted(c["name"] for c in report["checks"]) == [
        "contoso:gateway",
        "contoso:plan",
        "contoso:watchdog",
        "contoso:workflow",
        "leftovers",
        "outbox",
        "slips",
        "storage",
    ]
    assert report["status"] == "healthy", report
    called = next(h for h in doors.strangers.heard if h["where"] == WORKFLOW)
    assert called["bearer"].startswith("Bearer ")


def test_health_is_kept_for_a_few_seconds(doors: Doors) -> None:
    health.check_location(timeout_seconds=4)
    count = len(doors.strangers.heard)
    health.check_location(timeout_seconds=4)
    assert len(doors.strangers.heard) == count
