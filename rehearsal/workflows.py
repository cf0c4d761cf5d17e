"""Logic Apps that run: the `WorkflowRuntime` behind ARM's Microsoft.Logic.

Triggers fire by `workflows_due`, queues are worked with the real client, and every effect lands
in `world.effects` as `{"at", "location", "workflow", "run", "key", "kind"}`, so that doubles and
gaps can be counted by key. Nothing happens in a lost location.
"""

import asyncio
import ssl
from dataclasses import replace

from rehearsal.network_calls import Server, open_server, plane
from rehearsal.providers.logic_names import BASE
from rehearsal.providers.sites import FLOWS
from rehearsal.workflows_due import CLOCKS, POLLS, Trigger, due, enable
from rehearsal.workflows_flow import Flow
from rehearsal.workflows_http import Invocations, application
from rehearsal.workflows_outside import Outside
from rehearsal.workflows_queue import SESSION_WORKERS, work
from rehearsal.world import Address, Resource, World

TICK_SECONDS = 0.1


class Workflows:
    """Every workflow of the world. See `rehearsal.runtimes.WorkflowRuntime` for ARM's half."""

    def __init__(self, world: World, buses: dict[str, str] | None = None) -> None:
        self.world, self.buses = world, buses or {}
        self.outside = Outside(world.now)
        self.servers: dict[str, Server] = {}
        self._flows: dict[str, Flow] = {}
        self._names: dict[tuple[str, str], Flow] = {}
        self._works: dict[str, bool] = {}
        self._workers: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None

    def flow(self, workflow: Resource) -> Flow:
        """A workflow at work."""
        key = workflow.id.lower()
        if key not in self._flows:
            flow = self._flows[key] = Flow(self.world, workflow)
            self._names[workflow.location, workflow.name.lower()] = flow
        return self._flows[key]

    def find(self, location: str, name: str) -> Flow | None:
        """A workflow by location and name."""
        return self._names.get((location, name.lower()))

    # What ARM tells.

    def enabled(self, workflow: Resource) -> None:
        """Triggers take up what they remember; webhooks subscribe."""
        flow = self.flow(workflow)
        for trigger in flow.triggers:
            enable(trigger, flow.memory(trigger.name), self.world.now)
        self._subscribe(flow)
        self._hire(flow)

    def disabled(self, workflow: Resource) -> None:
        """No new runs; webhooks unsubscribe, if the partner can be reached."""
        flow = self.flow(workflow)
        if self._reaches_partner(flow):
            self.outside.subscriptions.discard((flow.workflow.location, flow.workflow.id))

    def updated(self, workflow: Resource) -> None:
        """Saved again: triggers forget, and an enabled workflow begins anew."""
        flow = self.flow(workflow)
        flow.read()
        flow.memories.clear()
        if flow.on:
            self.enabled(workflow)

    def deleted(self, workflow: Resource) -> None:
        """Runs in flight are cancelled."""
        flow = self._flows.pop(workflow.id.lower(), None)
        if flow is None:
            return
        self._names.pop((workflow.location, workflow.name.lower()), None)
        for run in list(flow.runs):
            flow.cancel(run.name)
        self.outside.subscriptions.discard((workflow.location, workflow.id))
        self._dismiss(flow)

    def runs(self, workflow: Resource) -> list[dict]:
        """Every known run, newest first."""
        return [run.shown() for run in self.flow(workflow).runs]

    def actions(self, workflow: Resource, run: str) -> list[dict]:
        """The actions of one run: all of them share its state."""
        for row in self.runs(workflow):
            if row["name"].lower() == run.lower():
                kept = ("startTime", "endTime", "status", "code", "correlation")
                own = {key: row["properties"][key] for key in kept if key in row["properties"]}
                named = (workflow.properties.get("definition") or {}).get("actions") or {}
                return [{"name": name, "properties": dict(own)} for name in named]
        return []

    def cancel(self, workflow: Resource, run: str) -> bool:
        """Cancel a run; False when it is no longer running."""
        return self.flow(workflow).cancel(run)

    def triggers(self, workflow: Resource) -> list[dict]:
        """Every trigger."""
        return self.flow(workflow).shown_triggers()

    def histories(self, workflow: Resource, trigger: str) -> list[dict]:
        """What a trigger did, newest first."""
        return list(self.flow(workflow).histories.get(trigger, []))

    def fire(self, workflow: Resource, trigger: str) -> str | None:
        """Run a trigger now; None when it found nothing to do."""
        flow = self.flow(workflow)
        own = flow.trigger(trigger)
        if own is None or own.kind in ("queue", "orderedQueue", "unknown") or not flow.working:
            return None
        if own.kind in POLLS:
            names = self._poll(flow, own)
            return names[0] if names else None
        return flow.begin(own, f"{workflow.name}:manual-{self.world.uuid()}").name

    def resubmit(self, workflow: Resource, trigger: str, history: str) -> str | None:
        """Run again with the same input, and so with the same key and tracking id.

        Also in a workflow that is disabled; in a location that is lost nothing begins.
        """
        flow = self.flow(workflow)
        own = flow.trigger(trigger)
        old = next((run for run in flow.runs if run.name.lower() == history.lower()), None)
        if own is None or old is None or not flow.working:
            return None
        return flow.begin(own, old.key, tracking=old.tracking).name

    def reset(self, workflow: Resource, trigger: str) -> None:
        """Forget the trigger's state."""
        self.flow(workflow).memories.pop(trigger, None)

    def set_state(self, workflow: Resource, trigger: str, source: Resource, name: str) -> None:
        """Take over what another workflow's trigger remembers."""
        known = self.flow(source).memory(name)
        self.flow(workflow).memories[trigger] = replace(known, carried=True)

    # What happens by itself.

    def tick(self) -> None:
        """Fire what is due now."""
        now = self.world.now
        self._notice_losses()
        for flow in list(self._flows.values()):
            for trigger in flow.triggers if flow.on else ():
                if trigger.kind in CLOCKS or trigger.kind in POLLS:
                    self._fire_due(flow, trigger)
        for event in self.outside.events(now):
            self._tell(event)

    def _fire_due(self, flow: Flow, trigger: Trigger) -> None:
        memory = flow.memory(trigger.name)
        times = due(trigger, memory, self.world.now, flow.working)
        if trigger.kind in POLLS:
            if times:
                self._poll(flow, trigger)
            return
        for time in times:
            flow.begin(trigger, f"{flow.workflow.name}:{trigger.slot(time)}", time)

    def _poll(self, flow: Flow, trigger: Trigger) -> list[str]:
        if not self._reaches_partner(flow):
            flow.note(trigger, "Failed", None)
            return []
        memory = flow.memory(trigger.name)
        items, memory.seen = self.outside.fresh(trigger.kind, memory.seen, self.world.now)
        if not items:
            flow.note(trigger, "Skipped", None)
        return [flow.begin(trigger, f"{flow.workflow.name}:{n}").name for n in items]

    def _tell(self, event: int) -> None:
        """The partner calls every subscriber once; who does not answer loses the event."""
        for location, id in sorted(self.outside.subscriptions):
            flow = self._flows.get(id.lower())
            if flow is None or not flow.on or not self.world.reaches(None, location, "data"):
                continue
            for trigger in flow.triggers:
                if trigger.kind == "webhook":
                    flow.begin(trigger, f"{flow.workflow.name}:{event}")

    def _reaches_partner(self, flow: Flow) -> bool:
        return flow.working and self.world.reaches(flow.workflow.location, "", "data")

    def _subscribe(self, flow: Flow) -> None:
        hooks = any(trigger.kind == "webhook" for trigger in flow.triggers)
        if hooks and self._reaches_partner(flow):
            self.outside.subscriptions.add((flow.workflow.location, flow.workflow.id))

    def _notice_losses(self) -> None:
        """Abandon what ran in a location that is lost; let it fail when the location is back."""
        for name in self.world.locations:
            up = self.world.up(name, "data")
            was, self._works[name] = self._works.get(name, True), up
            for flow in self._flows.values() if up != was else ():
                if flow.workflow.location != name:
                    continue
                if up:
                    flow.wake()
                    self._hire(flow)
                else:
                    flow.abandon()
                    self._dismiss(flow)

    def _hire(self, flow: Flow) -> None:
        """One worker per queue trigger (more for sessions), where the location has a bus."""
        connection = self.buses.get(flow.workflow.location)
        for trigger in flow.triggers if connection and flow.working else ():
            if trigger.kind not in ("queue", "orderedQueue"):
                continue
            for number in range(SESSION_WORKERS if trigger.kind == "orderedQueue" else 1):
                key = flow.workflow.id.lower(), number
                if key not in self._workers and self._loop is not None:
                    task = asyncio.create_task(work(flow, trigger, str(connection)))
                    self._workers[key] = task

    def _dismiss(self, flow: Flow) -> None:
        for key in [key for key in self._workers if key[0] == flow.workflow.id.lower()]:
            task = self._workers.pop(key)
            task.cancel()
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def _keep_ticking(self) -> None:
        while True:
            self.tick()
            await asyncio.sleep(TICK_SECONDS)

    async def begin(self) -> None:
        """Take up every workflow of the world and let time run."""
        self._loop = asyncio.create_task(self._keep_ticking())
        for kind in (BASE, FLOWS):
            for workflow in self.world.resources.of_type(kind):
                if self.flow(workflow).on:
                    self.enabled(workflow)

    async def stop(self) -> None:
        """Everything ends, without a trace in the history."""
        runs = [task for flow in self._flows.values() for task in flow.tasks.values()]
        doing = [
            *self._workers.values(),
            *self._ending,
            *runs,
            *([self._loop] if self._loop else []),
        ]
        for task in doing:
            task.cancel()
        await asyncio.gather(*doing, return_exceptions=True)
        for server in self.servers.values():
            await server.stop()


async def start(
    world: World,
    tls: ssl.SSLContext,
    shorts: dict[str, str],
    buses: dict[str, str] | None = None,
) -> Workflows:
    """Open `prod-{short}.{location}.logic.azure.com` per location and let the workflows run.

    `shorts` is location -> short; `buses` is location -> connection string of the workload's
    namespace as reached from there (a forwarder's port). `world.workflows` becomes the runtime.
    """
    runtime = Workflows(world, buses)
    for location, short in shorts.items():
        name = f"prod-{short}.{location}.logic.azure.com"
        app = application(
            Invocations(world, location, runtime.find), plane(world, location, "data", name)
        )
        server = await open_server(app, tls)
        runtime.servers[location] = server
        world.hosts[name] = Address(server.port, location, "data")
    world.workflows = runtime
    await runtime.begin()
    return runtime
