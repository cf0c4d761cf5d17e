"""The forecast of a dry run, from the steps of the plan's latest run."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from activities import desk_orders
from tests.doors import HERE, THERE, Doors
from tests.test_desk_dryrun import DRY, dry_run
from tests.test_desk_dryrun import unmoved as unmoved


def past_run(doors: Doors, seconds: float) -> dict[str, dict]:
    """A timeline as the host keeps it: each step took so long, each stage began 2 s later."""
    began, stages = datetime(2026, 1, 5, 8, 0, tzinfo=UTC), {}
    for number, stage in enumerate(("claim", "fence", "promote", "activate", "redirect")):
        start = began + timedelta(seconds=number * (seconds + 2))
        end = start + timedelta(seconds=seconds)
        names = [name for wave in doors.plan.waves(stage, HERE) for name in wave]
        times = {"startedAt": start.isoformat(), "endedAt": end.isoformat()}
        common = {"verb": "promote", "attempts": 1, "outcome": "succeeded", **times}
        rows = [{**common, "component": name} for name in names]
        stages[stage] = {"output": {"stage": stage, "rows": rows, **times}}
    return stages


def forecast(doors: Doors, told: dict[str, dict[str, dict]]) -> dict:
    """The forecast of a dry run where the runs in `told` have ended."""
    whole = {"n": 1, "epoch": 1, "at": "2026-01-05T08:10:00+00:00", "what": "finished", "why": ""}
    doors.hold(run=None, active=THERE, transitions=[{**whole, "who": run} for run in told])
    asked: list[str] = []

    def timeline(run: str) -> dict[str, dict]:
        asked.append(run)
        return told[run]

    text = json.dumps(DRY).encode()
    _, body, *_ = desk_orders.order_failover("contoso", text, None, "", timeline)
    return body["forecast"]


def test_a_forecast_without_a_run_of_ours_names_what_it_assumes(doors: Doors) -> None:
    told = dry_run()["forecast"]
    assert told["measured"] == {"run": None, "steps": 0}
    assert "hop between stages 1 s" in told["assumed"]


def test_a_forecast_takes_the_steps_of_the_latest_run(doors: Doors) -> None:
    slow = forecast(doors, {"run-7": past_run(doors, 4.0)})
    quick = forecast(doors, {"run-8": past_run(doors, 0.1)})
    assert (slow["measured"]["run"], quick["measured"]["run"]) == ("run-7", "run-8")
    assert slow["parts"]["redirect"] - quick["parts"]["redirect"] == pytest.approx(3.9)
    assert slow["parts"]["redirect"] == pytest.approx(2 + 4.0)


def test_a_run_whose_timeline_lies_elsewhere_is_passed_over(doors: Doors) -> None:
    """The other location carried the latest one."""
    told = forecast(doors, {"run-7": past_run(doors, 4.0), "run-8": {}})
    assert told["measured"]["run"] == "run-7"


def test_a_gateway_without_a_proven_backup_has_no_rpo(doors: Doors) -> None:
    told = dry_run()["forecast"]
    assert (told["rpoSeconds"], told["meetsRpo"]) == (None, False)
    assert "the backup of gateway" in told["rpoBecause"]
