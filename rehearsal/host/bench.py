"""`python -m rehearsal.host.bench`: what the embedded durable engine can do, as JSON.

Everything is real: the SDK's replay, a SQLite file, the thread pool; the figures vary with load.
"""

from __future__ import annotations

import asyncio
import json
import resource
import tempfile
import time
from pathlib import Path

import azure.durable_functions as df

from rehearsal.host import index, invoke
from rehearsal.host.durable.engine import Engine
from rehearsal.host.durable.store import Store

ORCHESTRATIONS = 1000
FAN = 1000
POLLS_MAX = 100_000
POLL_SECONDS = 0.002


def app() -> df.DFApp:
    """The smallest app that shows a hop and a fan-out."""
    made = df.DFApp()

    @made.activity_trigger(input_name="number")
    def double(number: int) -> int:
        return number * 2

    @made.orchestration_trigger(context_name="context")
    def one(context: df.DurableOrchestrationContext):
        return (yield context.call_activity("double", context.get_input()))

    @made.orchestration_trigger(context_name="context")
    def fan(context: df.DurableOrchestrationContext):
        work = [context.call_activity("double", each) for each in range(FAN)]
        return len((yield context.task_all(work)))

    return made


async def measure(folder: Path) -> dict:
    """Seconds and rates over a fresh store in `folder`."""
    functions = [index.as_function(each) for each in app().get_functions()]
    invoker = invoke.Invoker(threads=8)
    found = {each.name: each for each in functions}
    engine = Engine(
        Store(folder / "bench.db"),
        {name: invoke.orchestrator(found[name]) for name in ("one", "fan")},
        {"double": invoker.activity(found["double"])},
    )
    await engine.start()
    processor = time.process_time()
    many = await timed(engine, "one", ORCHESTRATIONS)
    processor = time.process_time() - processor
    wide = await timed(engine, "fan", 1)
    hop = await timed(engine, "one", 1)
    await engine.stop()
    invoker.close()
    return {
        "orchestrationsPerSecond": round(ORCHESTRATIONS / many),
        # Without what other programs take of the machine meanwhile.
        "orchestrationsPerProcessorSecond": round(ORCHESTRATIONS / processor),
        "fanOut1000Seconds": round(wide, 3),
        "oneOrchestrationSeconds": round(hop, 4),
        "residentMegabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


async def timed(engine: Engine, name: str, count: int) -> float:
    """Seconds until `count` orchestrations have ended; RuntimeError when they do not."""
    begun = time.monotonic()
    started = [engine.start_instance(name, None, '"1"') for _ in range(count)]
    waiting = list(started)
    for _ in range(POLLS_MAX):
        if not waiting:
            break
        if engine.instance(waiting[-1]).finished:
            waiting.pop()
        else:
            await asyncio.sleep(POLL_SECONDS)
    if any(engine.instance(each).status != "Completed" for each in started):
        raise RuntimeError(f"{name} did not complete")
    return time.monotonic() - begun


def bench() -> dict:
    """The figures of this machine, now."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(measure(Path(folder)))


if __name__ == "__main__":
    print(json.dumps(bench(), indent=2))
