"""Past runs: what workflows have done, without waiting for them to do it.

`python -m tests.past_runs` measures what a first page of them takes, for the bench.
"""

import json
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from activities import history_desk, ledger
from rehearsal.workflows import Workflows
from rehearsal.workflows_flow import Run
from rehearsal.world import Resource
from tests.doors import Doors, open_doors

RUNS = 10_000  # Of each location.
APART = timedelta(seconds=30)
LATENCY_SECONDS = 0.1
TRIES = 5


def fill(running: Workflows, found: Resource, count: int, apart: timedelta, first: float) -> None:
    """So many runs, as if they had been: the last one 100 s ago, every tenth failed."""
    flow, start = running.flow(found), datetime.now(UTC) - timedelta(seconds=100 + first)
    for number in reversed(range(count)):
        at, name = start - number * apart, f"{found.location}-{found.name}-{number:05d}"
        run = Run(name, flow.triggers[0].name, name, name, at, at)
        run.end("Succeeded" if number % 10 else "Failed", at + timedelta(seconds=1))
        flow.runs.appendleft(run)


def crowd(doors: Doors, running: Workflows) -> None:
    """RUNS in each location, spread over the workflows of the plan."""
    names = ledger.workflows(doors.plan)
    for place in doors.plan.locations:
        for first, name in enumerate(names):
            found = doors.world.resources.get(doors.plan.component(name, place)["resource"])
            assert found is not None
            fill(running, found, RUNS // len(names), APART, first)


def first_page(doors: Doors) -> dict:
    """{"seconds", "processorSeconds", "rows", "warnings"} of a first page of all workflows."""
    history_desk.forget()
    started, worked = time.monotonic(), time.process_time()
    _, view, _ = history_desk.one_history(doors.plan.name)
    return {
        "seconds": time.monotonic() - started,
        "processorSeconds": time.process_time() - worked,
        "rows": len(view["rows"]),
        "warnings": view["warnings"],
    }


def main() -> None:
    """Print the best of some first pages; the machine may have other work."""
    with tempfile.TemporaryDirectory() as folder, open_doors(Path(folder)) as doors:
        running = Workflows(doors.world)
        doors.world.workflows = running
        crowd(doors, running)
        doors.world.latency_seconds = LATENCY_SECONDS
        found = [first_page(doors) for _ in range(TRIES)]
        doors.wire.run(running.stop())
    best = min(found, key=lambda one: one["seconds"])
    sys.stdout.write(json.dumps({"firstPageSeconds": best["seconds"], **best}) + "\n")


if __name__ == "__main__":
    main()
