"""Call the app's functions: async ones on the loop, the others in the thread pool."""

from __future__ import annotations

import asyncio
import inspect
import json
import uuid
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import cast

from azure.functions import meta
from azure.functions.durable_functions import ActivityTriggerConverter

from rehearsal.host.durable.turn import Orchestrator
from rehearsal.host.durable.work import Activity
from rehearsal.host.index import Function


@dataclass(frozen=True)
class InvocationContext:
    """What a function gets that asks for `context: func.Context`."""

    function_name: str
    function_directory: str = ""
    invocation_id: str = field(default_factory=lambda: str(uuid.uuid4()))


class Invoker:
    """Calls functions; `threads` bounds how many synchronous ones run at once."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="function")
        self.client_binding = "{}"

    def close(self) -> None:
        """End the pool without waiting for functions that hang."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def call(self, function: Function, trigger: object) -> object:
        """The function's result for its trigger's value; whatever it raises."""
        arguments = {function.trigger["name"]: trigger}
        for name in function.names("durableClient"):
            arguments[name] = self.client_binding
        if "context" in function.parameters and "context" not in arguments:
            arguments["context"] = InvocationContext(function.name)
        if is_async(function):
            work = cast(Coroutine[object, object, object], function.call(**arguments))
            return await work
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, partial(function.call, **arguments))

    def activity(self, function: Function) -> Activity:
        """An activity as the engine calls it: JSON text in, JSON text out."""
        return partial(self._perform, function)

    async def _perform(self, function: Function, text: str | None) -> str | None:
        datum = meta.Datum(type="json", value="null" if text is None else text)
        value = ActivityTriggerConverter.decode(datum, trigger_metadata=None)
        result = await self.call(function, value)
        return str(ActivityTriggerConverter.encode(result, expected_type=None).value)


def is_async(function: Function) -> bool:
    """Whether calling the function gives a coroutine."""
    return inspect.iscoroutinefunction(function.call)


def orchestrator(function: Function) -> Orchestrator:
    """An orchestrator as the engine calls it: the context's JSON in, the state's JSON out."""
    return cast(Callable[[str], str], function.call)


def client_binding(hub: str, rpc_base_url: str, public_url: str, key: str) -> str:
    """The JSON that a durable client binding hands to the SDK."""
    base = f"{public_url}/runtime/webhooks/durabletask"
    query = f"taskHub={hub}&connection=Storage&code={key}"
    one = f"{base}/instances/INSTANCEID"
    verbs = ("terminate", "rewind", "suspend", "resume")
    posts = {f"{verb}PostUri": f"{one}/{verb}?reason={{text}}&{query}" for verb in verbs}
    start = f"{base}/orchestrators/{{functionName}}[/{{instanceId}}]?code={key}"
    return json.dumps(
        {
            "taskHubName": hub,
            "creationUrls": {
                "createNewInstancePostUri": start,
                "createAndWaitOnNewInstancePostUri": start,
            },
            "managementUrls": {
                "id": "INSTANCEID",
                "statusQueryGetUri": f"{one}?{query}",
                "sendEventPostUri": f"{one}/raiseEvent/{{eventName}}?{query}",
                "purgeHistoryDeleteUri": f"{one}?{query}",
                "restartPostUri": f"{one}/restart?{query}",
                **posts,
            },
            "rpcBaseUrl": rpc_base_url,
        }
    )
