"""Long-running operations: started now, finished by the clock, asked by URL.

Both forms of the ARM RPC: `Location` answers 202 until the result is there, and
`Azure-AsyncOperation` answers a status document. An operation stands still while its region is
down, as it does in Azure.
"""

import asyncio
import inspect
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from rehearsal.arm_provider import ASYNC_OPERATION, LOCATION, Call, Refused, Reply, Running
from rehearsal.world import World

KEPT_MAX = 2000
STALLED_MAX = timedelta(hours=2)
LOOK_SECONDS = 0.25
WORDS = {LOCATION: "operationResults", ASYNC_OPERATION: "operationStatuses"}


@dataclass
class Operation:
    """One operation and how it stands."""

    id: str
    namespace: str
    subscription: str
    location: str
    resource_id: str
    api_version: str
    started_at: datetime
    status: str = "InProgress"
    ended_at: datetime | None = None
    result: dict | None = None
    error: dict | None = None
    error_status: int = 400

    def url(self, base_url: str, header: str) -> str:
        """Where to ask."""
        return (
            f"{base_url}/subscriptions/{self.subscription}/providers/{self.namespace}"
            f"/locations/{self.location}/{WORDS[header]}/{self.id}?api-version={self.api_version}"
        )


class Operations:
    """Every operation of one ARM; the oldest are forgotten."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._known: OrderedDict[str, Operation] = OrderedDict()
        self._tasks: set[asyncio.Task] = set()

    def start(self, call: Call, work: Running) -> Reply:
        """Begin an operation and give the answer that announces it."""
        route, world = call.route, self._world
        place = world.resources.get(route.id)
        operation = Operation(
            id=world.uuid(),
            namespace=route.type.split("/")[0],
            subscription=route.subscription,
            location=(place.location if place else "") or route.location or "global",
            resource_id=route.id,
            api_version=call.api_version,
            started_at=world.now,
        )
        self._known[operation.id] = operation
        while len(self._known) > KEPT_MAX:
            self._known.popitem(last=False)
        task = asyncio.get_running_loop().create_task(self._carry_out(operation, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        headers = {name: operation.url(call.base_url, name) for name in work.via}
        headers["Retry-After"] = str(world.poll_seconds)
        return Reply(work.status, work.body, headers)

    async def _carry_out(self, operation: Operation, work: Running) -> None:
        """Wait the time and, if the region is lost, for the region; then do it."""
        await asyncio.sleep(work.seconds)
        try:
            for _ in range(int(STALLED_MAX.total_seconds() / LOOK_SECONDS)):
                if self._world.up(operation.location, "arm"):
                    break
                await asyncio.sleep(LOOK_SECONDS)
            outcome = work.then()
            operation.result = await outcome if inspect.isawaitable(outcome) else outcome
            operation.status = "Succeeded"
        except Refused as refusal:
            operation.status, operation.error = "Failed", refusal.body
            operation.error_status = refusal.status
        except Exception as surprise:
            # An operation has no caller to raise to: whoever asks must see that it failed.
            operation.status, operation.error_status = "Failed", 500
            operation.error = {
                "error": {"code": "InternalServerError", "message": repr(surprise)},
            }
        finally:
            operation.ended_at = self._world.now

    def ask(self, call: Call, header: str) -> Reply:
        """How an operation stands, in the form that its header promises."""
        operation = self._known.get(call.route.name.lower())
        if operation is None:
            raise Refused(404, "OperationNotFound", f"No operation {call.route.name}.")
        wait = {"Retry-After": str(self._world.poll_seconds)}
        if header == ASYNC_OPERATION:
            unfinished = operation.status == "InProgress"
            return Reply(200, self._document(operation), wait if unfinished else {})
        if operation.status == "InProgress":
            return Reply(202, None, {**wait, LOCATION: operation.url(call.base_url, LOCATION)})
        if operation.status == "Failed":
            return Reply(operation.error_status, operation.error)
        return Reply(200, operation.result) if operation.result is not None else Reply(204)

    async def settled(self, reply: Reply) -> Reply:
        """The reply once the operation that it announces has ended; raises what it failed of."""
        told = reply.headers.get(ASYNC_OPERATION) or reply.headers.get(LOCATION)
        operation = self._known.get(told.partition("?")[0].rsplit("/", 1)[-1]) if told else None
        if operation is None:
            return reply
        for _ in range(int(STALLED_MAX.total_seconds() / LOOK_SECONDS)):
            if operation.status != "InProgress":
                break
            await asyncio.sleep(LOOK_SECONDS)
        if operation.error:
            error = operation.error["error"]
            raise Refused(operation.error_status, error["code"], error["message"])
        return Reply(200, operation.result)

    def _document(self, operation: Operation) -> dict:
        document: dict = {
            "id": operation.resource_id,
            "name": operation.id,
            "status": operation.status,
            "startTime": operation.started_at.isoformat(),
        }
        if operation.ended_at:
            document["endTime"] = operation.ended_at.isoformat()
        return {**document, **(operation.error or {})}

    async def stop(self) -> None:
        """End what is still waiting."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
