"""`python -m tests.record_history [NAME ...] [--replace]`: keep instances as code runs them today.

A history that is kept stands for an instance that is under way when the app is deployed anew:
`tests/test_replay.py` demands that new code replays it to the same end. A history that exists is
left alone unless it is to be replaced, which says that running instances may break.
"""

import argparse
import importlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from shared import slip
from tests.replay import START, Replay
from tests.sample_plan import DIGEST, GATEWAY, PLAN, record, slip_at

HISTORIES = Path(__file__).parent / "histories"
MANIFEST = {
    "name": "contoso-20260105T070000Z",
    "plan": "contoso",
    "service": GATEWAY,
    "sku": "Premium",
    "fingerprint": "f" * 64,
    "apiVersion": "2024-05-01",
    "startedAt": "2026-01-05T07:00:00+00:00",
    "completedAt": "2026-01-05T07:10:00+00:00",
    "bytes": 1000,
    "provenAt": None,
    "provenBecause": "",
}


def done(**facts: object) -> dict:
    return {"status": "succeeded", "because": "as told", **facts}


def refused(because: str) -> dict:
    return {"status": "refused", "because": because}


ROW = {"outcome": "succeeded", "because": "as told", "attempts": 1}
EVERYWHERE: dict[str, object] = {
    "load_plan": done(plan=PLAN, digest=DIGEST),
    "claim_epoch": done(record=record(epoch=2, active="northeurope")),
    "advance_run": done(record=record(epoch=2, active="northeurope")),
    "read_witness": done(record=record(epoch=1, active="westeurope")),
    "read_watch": done(watch={"verdict": {"state": "healthy"}, "at": START.isoformat()}),
    "component": lambda told: {**ROW, "component": told["task"]["component"]["name"]},
    "begin_backup": {
        "status": "running",
        "because": "accepted",
        "operation": "https://management.azure.com/operations/1",
        "retryAfterSeconds": 15,
    },
    "ask_operation": done(),
    "check_gateway": done(sku="Premium"),
    "fingerprint_gateway": done(fingerprint="e" * 64),
    "list_manifests": done(manifests=[MANIFEST]),
    "verify_backup_blob": done(bytes=1200),
    "assess_readiness": done(ready=True, checks=[], at=START.isoformat()),
    "read_readiness": done(readiness=None),
    "write_readiness": done(),
    "release_lease": done(record=record(epoch=1, active="westeurope")),
    "drain_workflow": done(count=0, runs=[]),
    **dict.fromkeys(
        (
            *("send_slip", "finish_run", "halt_run", "alert", "write_manifest", "prune_backups"),
            *("begin_restore", "promote_gateway", "compare_gateways", "verify_gateway"),
            *("mark_proven", "write_watch", "reserve_run", "note_rows"),
        ),
        done(),
    ),
}


@dataclass(frozen=True)
class Case:
    """One instance to record; `answers` are laid over those that hold everywhere.

    `minutes`: an eternal orchestration is recorded as it stands after so long, not at its end.
    """

    module: str
    orchestrator: str
    told: dict
    answers: Mapping[str, object] = field(default_factory=dict)
    minutes: float | None = None


def well(kind: str) -> dict:
    return {"observation": {"kind": kind, "ok": True, "because": "answers"}}


LEASED = {**well("lease"), "record": record(epoch=1, active="westeurope")}
CONTROL = {"control": {"name": "arm", "ok": True, "because": "answers"}}
OBSERVED: dict[str, object] = {
    "observe_health": well("health"),
    "observe_gateway_status": well("gateway"),
    "observe_traffic_manager": well("trafficManager"),
    "observe_lease": LEASED,
    "control_arm": CONTROL,
    "control_http": CONTROL,
}


def stage(name: str, **answers: object) -> Case:
    return Case("orchestrations.stages", "stage", slip_at(name), answers)


CASES = {
    "claim": stage("claim"),
    "claim-refused": stage("claim", claim_epoch=refused("epoch 2 belongs to another run")),
    "fence": stage("fence"),
    "activate": stage("activate"),
    "redirect": stage("redirect"),
    "verify": stage("verify"),
    "protect": stage("protect"),
    "quiesce": Case(
        "orchestrations.stages",
        "stage",
        {
            **slip_at("claim"),
            "mode": "graceful",
            "stage": "quiesce",
            "route": slip.ROUTES["graceful"][1:],
        },
        {"advance_run": done(record=record(epoch=1, active="westeurope"))},
    ),
    "backup": Case(
        "orchestrations.backup",
        "backup",
        {"plan": "contoso", "location": "westeurope", "by": "timer", "force": False},
    ),
    "restore": Case(
        "orchestrations.restore",
        "restore",
        {**slip_at("restore"), "facts": {"backup": MANIFEST["name"]}},
    ),
    "promote": stage("promote"),
    "ledger": Case(
        "orchestrations.ledger",
        "ledger",
        {"plan": "contoso", "location": "northeurope"},
        {
            "freeze_ledger": done(ended=[0]),
            "keep_ledger": done(cursor=0, runs=1),
            "review_ledger": done(more=False, orders=1),
            "settle_orders": done(done=0),
        },
        minutes=0.5,
    ),
    "watchdog": Case(
        "orchestrations.watchdog",
        "watchdog",
        {"plan": "contoso", "location": "northeurope", "memory": None},
        OBSERVED,
        minutes=0.5,
    ),
}


def recorded(case: Case) -> dict:
    """The history file of a case, by today's code. Raises RuntimeError if it does not end."""
    story = getattr(importlib.import_module(case.module), case.orchestrator)
    told = case.told
    instance = f"{told['run']}.{told['stage']}" if "run" in told else case.orchestrator
    replay = Replay(story, told, {**EVERYWHERE, **case.answers}, instance=instance)
    until = None if case.minutes is None else START + timedelta(minutes=case.minutes)
    replay.run(stop_at=until)
    ended = replay.done and not replay.left_open
    if replay.failure or ended == bool(until):
        raise RuntimeError(f"{instance} did not end well: {replay.failure} {replay.left_open}")
    return {"module": case.module, "orchestrator": case.orchestrator, **replay.record()}


def main(asked: list[str]) -> int:
    """Record the cases that are asked for (none: all that are missing)."""
    parser = argparse.ArgumentParser(prog="record_history", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(CASES))
    parser.add_argument("--replace", action="store_true", help="also those that exist")
    told = parser.parse_args(asked)
    for name in told.names or CASES:
        path = HISTORIES / f"{name}.json"
        if path.exists() and not told.replace:
            continue
        path.write_text(json.dumps(recorded(CASES[name]), indent=1) + "\n")
        sys.stdout.write(f"recorded {path.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
