"""The forecast of a failover: measured steps, ARM's bucket, and what stands on a default."""

import re

import pytest

from orchestrations import waves
from shared import alias, cosmos, dryrun_text, failover_group, forecast_steps, pace
from shared.forecast_steps import Steps, behind, forecast, losing, measured
from shared.plan import Plan, load
from tests.app_index import ROOT

CONTOSO = load((ROOT / "plans" / "contoso.yaml").read_text(encoding="utf-8"))
TO, AWAY = CONTOSO.other(CONTOSO.home), CONTOSO.home
CHANGE = ("logicWorkflow", "promote", "change")


def crowd(count: int) -> Plan:
    """Contoso with so many request workflows more, all of one wave."""
    document = {**CONTOSO.document, "components": list(CONTOSO.document["components"])}
    first = next(one for one in document["components"] if one.get("trigger") == "request")
    for number in range(count):
        document["components"].append({**first, "name": f"load-{number}", "waitsFor": []})
    return Plan.model_validate(document)


def acts(plan: Plan, silent: bool = False) -> list[dict]:
    """Everything that a forced run would do, and nothing of it is so yet."""
    from shared import dryrun

    return [
        {
            **act,
            "kind": plan.part(act["component"]).kind,
            "calls": [{}],
            "silent": silent and act["location"] == AWAY,
        }
        for act in dryrun.order(plan, TO, "forced")
    ]


def told(plan: Plan, seconds: float = 1.0, mode: str = "forced", silent: bool = False) -> dict:
    return forecast(plan, mode, acts(plan, silent), Steps({CHANGE: seconds}, 0.0, "run-1", 1))


def test_what_nobody_has_measured_is_named() -> None:
    assumed = forecast(CONTOSO, "forced", acts(CONTOSO), Steps())["assumed"]
    assert "promote of logicWorkflow (change) 0.5 s" in assumed
    assert "promote of logicWorkflow (change) 0.5 s" not in told(CONTOSO)["assumed"]


def test_the_whole_is_the_sum_of_its_parts() -> None:
    found = told(CONTOSO)
    assert found["rtoSeconds"] == pytest.approx(sum(found["parts"].values()))


def test_a_planned_move_waits_for_no_detection() -> None:
    assert "detection" not in told(CONTOSO, mode="graceful")["parts"]


def test_a_thousand_changes_wait_for_arms_tokens() -> None:
    few, many = told(crowd(10)), told(crowd(1000))
    assert many["parts"]["activate"] >= pace.bound_seconds(1000)
    assert many["parts"]["activate"] <= 1.1 * (pace.bound_seconds(1000) + few["parts"]["activate"])


def test_steps_slower_than_the_tokens_decide() -> None:
    chunks = 1000 / forecast_steps.CHUNK
    assert told(crowd(1000), seconds=4.0)["parts"]["activate"] >= chunks * 4.0


def test_a_region_that_is_silent_is_given_up_after_one_chunk() -> None:
    fence = told(crowd(1000), silent=True)["parts"]["fence"]
    assert fence == forecast_steps.STEP_SECONDS["silence"]


def test_what_is_so_already_costs_a_look() -> None:
    same = [{**act, "calls": []} for act in acts(CONTOSO)]
    assert all(
        "(change)" not in one for one in forecast(CONTOSO, "forced", same, Steps())["assumed"]
    )


def test_a_late_standby_does_not_meet_the_objective() -> None:
    assert told(CONTOSO)["meetsRto"]
    assert not told(CONTOSO, seconds=60.0)["meetsRto"]


def test_a_row_that_was_not_tried_measures_nothing() -> None:
    name = next(part.name for part in CONTOSO.components if part.kind == "logicWorkflow")
    at = "2026-01-05T08:00:00+00:00"
    row = {"component": name, "verb": "promote", "outcome": "skipped", "attempts": 0}
    output = {"rows": [{**row, "startedAt": at, "endedAt": at}], "startedAt": at, "endedAt": at}
    assert measured("run-1", {"activate": output}, CONTOSO).run is None


def test_the_oldest_copy_is_what_is_lost() -> None:
    found = losing(CONTOSO, {"gateway": 60.0}, [{"component": "ledger", "rpoSeconds": 90.0}])
    assert (found["rpoSeconds"], found["meetsRpo"]) == (90.0, True)
    assert found["rpoBecause"] == "ledger is 90 s old"


PAIRING, REPLICA = {"mode": "pairing"}, {"mode": "replication"}
SECONDARY = failover_group.seen_of({"properties": {"replicationRole": "Secondary"}})
SESSION = {**cosmos.seen_of({}), "consistency": "Session"}
UNKNOWN = {
    "an account that was never synchronised": {"rpoSeconds": None},
    "a forced failover group": failover_group.losing(SECONDARY, graceful=False),
    "a forced pairing": alias.losing(PAIRING, {"serving": False}, graceful=False),
    "a replica of unknown lag": alias.losing(
        REPLICA, {"serving": False, "lagSeconds": None}, graceful=False
    ),
    "regions without a bound": cosmos.losing(SESSION, TO, graceful=False),
    "what could not be seen": behind("cosmosDb", {"status": "refused", "because": "HTTP 403"}),
}


@pytest.mark.parametrize("what", UNKNOWN)
def test_an_age_that_nobody_knows_is_no_zero(what: str) -> None:
    one = {"component": "documents", **UNKNOWN[what]}
    known = {"component": "ledger", "rpoSeconds": 90.0}
    for found in (losing(CONTOSO, {}, [one]), losing(CONTOSO, {"gateway": 1.0}, [one, known])):
        assert (found["rpoSeconds"], found["meetsRpo"]) == (None, False)
        assert found["rpoBecause"].startswith("nobody knows of documents: ")
        assert len(found["rpoBecause"]) > len("nobody knows of documents: ")


def test_a_gateway_without_a_proven_backup_has_no_age() -> None:
    found = losing(CONTOSO, {"gateway": None}, [{"component": "ledger", "rpoSeconds": 90.0}])
    assert (found["rpoSeconds"], found["meetsRpo"]) == (None, False)
    assert found["rpoBecause"] == "nobody knows of the backup of gateway: nothing is proven"


def test_where_nothing_is_copied_nothing_is_lost() -> None:
    assert behind("logicWorkflow", {"status": "refused", "because": "HTTP 403"}) == {}
    found = losing(CONTOSO, {}, [{"component": "orders-intake"}])
    assert (found["rpoSeconds"], found["meetsRpo"]) == (0.0, True)


def test_a_bound_is_told_in_its_own_words() -> None:
    seen = alias.losing(REPLICA, {"serving": False, "lagSeconds": 300}, graceful=False)
    found = losing(CONTOSO, {}, [{"component": "bus", **seen}])
    assert found["rpoSeconds"] == 300.0
    assert found["rpoBecause"] == "bus: is replicated up to 300 s late"


def test_a_chunk_of_the_forecast_is_a_chunk_of_the_run() -> None:
    assert forecast_steps.CHUNK == waves.CHUNK


def test_words_name_every_call_and_both_figures() -> None:
    call = {"method": "POST", "url": "/subscriptions/x/enable?api-version=1"}
    act = {**acts(CONTOSO)[0], "seen": "is Disabled", "would": "be Enabled", "calls": [call]}
    shown = {**told(CONTOSO), **losing(CONTOSO, {}, [])}
    view = {"plan": "contoso", "mode": "forced", "to": TO, "at": "now", "allowed": True}
    view["because"] = "yes"
    said = dryrun_text.words({**view, "differences": [act], "forecast": shown})
    assert f"POST {call['url']}" in said
    assert re.search(r"^RTO [\d.]+ s, within", said, re.MULTILINE)
    assert re.search(r"^RPO 0 s, within", said, re.MULTILINE)


def test_a_file_that_holds_no_dry_run_is_named(capsys: pytest.CaptureFixture, tmp_path) -> None:
    file = tmp_path / "answer.json"
    file.write_text('{"plan": "contoso"}')
    assert dryrun_text.main([str(file)]) == 1
    assert "not the answer of a dry run" in capsys.readouterr().err
