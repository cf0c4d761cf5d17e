"""A durable engine in virtual time over the durable test app, for the tests of the engine."""

from __future__ import annotations

import asyncio
import functools
import importlib.util
import json
import sys
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from rehearsal.host import index, invoke
from rehearsal.host.durable.clock import VirtualClock
from rehearsal.host.durable.engine import Engine
from rehearsal.host.durable.store import Instance, Store

T = TypeVar("T")
START = datetime(2026, 1, 1, tzinfo=UTC)
SPINS_MAX = 2_000_000
APP = Path(__file__).parent / "apps" / "durable"


@functools.cache
def functions() -> list[index.Function]:
    """The test app's functions; get_functions works once per process."""
    spec = importlib.util.spec_from_file_location("engine_app", APP / "function_app.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.path.append(str(APP))
    spec.loader.exec_module(module)
    return index.index(module)


class Rig:
    """An engine in virtual time, with what tests do to it."""

    def __init__(self, path: Path | str = ":memory:") -> None:
        self.invoker = invoke.Invoker(threads=8)
        self.clock = VirtualClock(START)
        self.store = Store(path)
        by_kind: dict[str, dict[str, index.Function]] = {}
        for each in functions():
            by_kind.setdefault(each.kind, {})[each.name] = each
        orchestrators = by_kind["orchestrationTrigger"].items()
        activities = by_kind["activityTrigger"].items()
        self.engine = Engine(
            self.store,
            {name: invoke.orchestrator(each) for name, each in orchestrators},
            {name: self.invoker.activity(each) for name, each in activities},
            clock=self.clock,
            timeout_seconds=0.3,
        )

    async def until(self, instance: str, *statuses: str) -> Instance:
        """The instance once it has one of the statuses; by default once it has ended."""
        for _ in range(SPINS_MAX):
            found = self.engine.instance(instance)
            if found.status in statuses or (not statuses and found.finished):
                return found
            await asyncio.sleep(0)
        raise AssertionError(f"{instance} stays {self.engine.instance(instance).status}")

    async def close(self) -> None:
        """Stop the engine."""
        await self.engine.stop()
        self.invoker.close()
        self.store.close()


def on_rig(work: Callable[[Rig], Coroutine[object, object, T]], path: str = ":memory:") -> T:
    """The result of `work` on a running rig."""

    async def main() -> T:
        rig = Rig(path)
        await rig.engine.start()
        try:
            return await work(rig)
        finally:
            await rig.close()

    return asyncio.run(main())


def run(name: str, given_input: object = None, instance: str = "it") -> Instance:
    """An orchestration run to its end. The input is encoded as the SDK's client encodes it."""

    async def work(rig: Rig) -> Instance:
        text = json.dumps(json.dumps(given_input))
        return await rig.until(rig.engine.start_instance(name, instance, text))

    return on_rig(work)


def output(found: Instance) -> object:
    """The output of an instance."""
    return json.loads(found.output or "null")
