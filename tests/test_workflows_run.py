"""Logic Apps that run: when triggers fire, what runs leave behind, what an outage does to them."""

import asyncio
import gc
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from aiohttp import ClientSession
from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient
from hypothesis import given
from hypothesis import strategies as st

from rehearsal import workflows
from rehearsal.certificates import Authority
from rehearsal.identity import mint
from rehearsal.network import start_forwarder
from rehearsal.network_calls import Answer, Caller
from rehearsal.processes import Child
from rehearsal.providers.logic_names import callback
from rehearsal.stage_buses import Player
from rehearsal.workflows import Workflows
from rehearsal.workflows_due import Memory, Trigger, due, enable, read_triggers
from rehearsal.world import Address, Resource, World

T = TypeVar("T")
WEST, NORTH = "westeurope", "northeurope"
START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
EVERY_10 = Trigger("t", "recurrence", "Second", 10)
WINDOW_10 = Trigger("t", "slidingWindow", "Second", 10)


def at(seconds: float) -> datetime:
    """A time after the start."""
    return START + timedelta(seconds=seconds)


def fired(trigger: Trigger, *times: float, down: tuple[float, ...] = ()) -> list[float]:
    """When a trigger, enabled at the start, fires if it is looked at at these seconds."""
    memory, seen = Memory(), []
    enable(trigger, memory, START)
    for time in times:
        seen += due(trigger, memory, at(time), time not in down)
    return [(time - START).total_seconds() for time in seen]


def test_a_recurrence_without_start_fires_at_once() -> None:
    assert fired(EVERY_10, 0, 9, 10.1) == [0, 10]


def test_a_missed_recurrence_is_not_made_up() -> None:
    assert fired(EVERY_10, 0, 10, 20, 30, 40.1, down=(10, 20, 30)) == [0, 40]


def test_a_missed_window_is_made_up() -> None:
    assert fired(WINDOW_10, 0, 10, 20, 30, 40.1, down=(10, 20, 30)) == [0, 10, 20, 30, 40]


def test_a_recurrence_with_a_past_start_waits_for_its_grid() -> None:
    trigger = Trigger("t", "recurrence", "Second", 10, at(-4))
    assert fired(trigger, 0, 5, 6.1) == [6]


def test_a_future_start_is_waited_for() -> None:
    assert fired(Trigger("t", "recurrence", "Second", 10, at(3)), 0, 2, 3) == [3]


def test_a_window_goes_on_where_it_was_disabled() -> None:
    memory = Memory(next=at(10))
    enable(WINDOW_10, memory, at(35))
    assert len(due(WINDOW_10, memory, at(35), True)) == 3


def test_a_month_keeps_its_day_where_it_can() -> None:
    end = datetime(2026, 1, 31, tzinfo=UTC)
    assert Trigger("t", "recurrence", "Month", 1).after(end) == datetime(2026, 2, 28, tzinfo=UTC)


@given(st.lists(st.floats(0.01, 60), min_size=1, max_size=30))
def test_no_window_is_lost_or_done_twice(steps: list[float]) -> None:
    memory, now, seen = Memory(), START, []
    enable(WINDOW_10, memory, now)
    for step in steps:
        now += timedelta(seconds=step)
        seen += due(WINDOW_10, memory, now, True)
    assert seen == [at(10 * n) for n in range(len(seen))]
    assert now < at(10 * len(seen))


def poll(path: str, session: str = "None") -> dict:
    """A definition with one managed connector's trigger."""
    inputs = {"path": path, "queries": {"sessionId": session}}
    own = {"type": "ApiConnection", "recurrence": {"frequency": "Second", "interval": 1}}
    return {"triggers": {"start": {**own, "inputs": inputs}}}


PEEK = "/@{encodeURIComponent(encodeURIComponent('orders'))}/messages/head/peek"


@pytest.mark.parametrize(
    ("definition", "kind", "queue"),
    [
        (poll(PEEK), "queue", "orders"),
        (poll(PEEK, "Next Available"), "orderedQueue", "orders"),
        (poll("/Mail/OnNewEmail"), "mailbox", ""),
        (poll("/datasets/x"), "unknown", ""),
    ],
)
def test_a_connector_is_known_by_its_path(definition: dict, kind: str, queue: str) -> None:
    trigger = read_triggers(definition)[0]
    assert (trigger.kind, trigger.queue) == (kind, queue)


SECOND = {"recurrence": {"frequency": "Second", "interval": 1}}
RECURRENCE = {"triggers": {"tick": {"type": "Recurrence", **SECOND}}, "actions": {"note": {}}}
MANUAL = {"type": "Request", "kind": "Http"}
ANSWER = {"type": "Response", "inputs": {"statusCode": 201, "body": {"ok": True}}}
REQUEST = {"triggers": {"manual": MANUAL}, "actions": {"respond": ANSWER}}
HOOK = {"triggers": {"hook": {"type": "HttpWebhook", "inputs": {}}}}


class Play:
    """A runtime under a clock that the test moves."""

    def __init__(self) -> None:
        self.now = START
        self.world = World(clock=lambda: self.now)
        self.world.recover(WEST)
        self.world.recover(NORTH)
        self.runtime = Workflows(self.world)

    def workflow(
        self, definition: dict, name: str = "w", location: str = WEST, seconds: str = "0"
    ) -> Resource:
        """An enabled workflow."""
        id = (
            f"/subscriptions/s/resourceGroups/{location}/providers/Microsoft.Logic/workflows/{name}"
        )
        tags = {"rehearsal-run-seconds": seconds}
        properties = {"state": "Enabled", "definition": definition}
        body = {"location": location, "tags": tags, "properties": properties}
        made = self.world.resources.place(id, body)
        self.runtime.enabled(made)
        return made

    def switch(self, workflow: Resource, on: bool) -> None:
        """What ARM does on enable and disable."""
        workflow.properties["state"] = "Enabled" if on else "Disabled"
        (self.runtime.enabled if on else self.runtime.disabled)(workflow)

    async def pass_time(self, seconds: int) -> None:
        """Second by second; runs get the loop in between."""
        for _ in range(seconds):
            self.now += timedelta(seconds=1)
            self.runtime.tick()
            await asyncio.sleep(0.002)

    def keys(self, location: str = WEST) -> list[str]:
        """The effects of one location."""
        return [row["key"] for row in self.world.effects if row["location"] == location]


def play(story: Callable[[Play], Awaitable[T]]) -> T:
    """Play one story within a bound, then end what it left running."""

    async def bounded() -> T:
        stage = Play()
        async with asyncio.timeout(10):
            try:
                return await story(stage)
            finally:
                await stage.runtime.stop()

    return asyncio.run(bounded())


def test_a_disabled_workflow_does_not_fire() -> None:
    async def story(stage: Play) -> list[str]:
        stage.switch(stage.workflow(RECURRENCE), on=False)
        await stage.pass_time(3)
        return stage.keys()

    assert play(story) == []


def test_disabling_lets_a_run_end() -> None:
    async def story(stage: Play) -> str:
        own = stage.workflow(RECURRENCE, seconds="0.05")
        await stage.pass_time(1)
        stage.switch(own, on=False)
        await asyncio.sleep(0.1)
        return stage.runtime.runs(own)[0]["properties"]["status"]

    assert play(story) == "Succeeded"


def test_a_recurrence_ticks_once_a_period() -> None:
    async def story(stage: Play) -> list[str]:
        stage.workflow(RECURRENCE)
        await stage.pass_time(5)
        return stage.keys()

    keys = play(story)
    assert len(keys) == len(set(keys)) == 5


def test_two_locations_ticking_share_their_keys() -> None:
    async def story(stage: Play) -> set[str]:
        stage.workflow(RECURRENCE)
        stage.workflow(RECURRENCE, location=NORTH)
        await stage.pass_time(3)
        return set(stage.keys(WEST)) & set(stage.keys(NORTH))

    assert len(play(story)) == 3


def test_a_run_in_a_lost_location_stays_running() -> None:
    async def story(stage: Play) -> list[dict]:
        own = stage.workflow(RECURRENCE, seconds="5")
        await stage.pass_time(1)
        stage.world.lose(WEST)
        await stage.pass_time(3)
        return stage.runtime.runs(own)

    rows = play(story)
    assert [row["properties"]["status"] for row in rows] == ["Running"]
    assert "endTime" not in rows[0]["properties"]


def test_an_abandoned_run_has_failed_when_its_location_is_back() -> None:
    async def story(stage: Play) -> str:
        own = stage.workflow(RECURRENCE, seconds="5")
        await stage.pass_time(1)
        stage.world.lose(WEST)
        await stage.pass_time(2)
        stage.world.recover(WEST)
        await stage.pass_time(1)
        return stage.runtime.runs(own)[-1]["properties"]["status"]

    assert play(story) == "Failed"


def test_an_enabled_workflow_fires_again_after_recovery() -> None:
    async def story(stage: Play) -> tuple[int, int]:
        stage.workflow(RECURRENCE)
        stage.world.lose(WEST)
        await stage.pass_time(5)
        lost = len(stage.keys())
        stage.world.recover(WEST)
        await stage.pass_time(3)
        return lost, len(stage.keys())

    assert play(story) == (0, 3)


def test_a_cancelled_run_leaves_no_effect() -> None:
    async def story(stage: Play) -> tuple[bool, str, list[str]]:
        own = stage.workflow(REQUEST, seconds="0.05")
        run = stage.runtime.fire(own, "manual") or ""
        done = stage.runtime.cancel(own, run)
        await asyncio.sleep(0.1)
        return done, stage.runtime.runs(own)[0]["properties"]["status"], stage.keys()

    assert play(story) == (True, "Cancelled", [])


def test_a_mailbox_first_finds_out_where_it_is() -> None:
    async def story(stage: Play) -> list[str]:
        stage.now = at(300)
        stage.workflow(poll("/Mail/OnNewEmail"))
        await stage.pass_time(7)
        return stage.keys()

    assert play(story) == ["w:101", "w:102"]


def test_a_mailbox_enabled_again_takes_up_what_came_since() -> None:
    async def story(stage: Play) -> list[str]:
        own = stage.workflow(poll("/Mail/OnNewEmail"))
        await stage.pass_time(4)
        stage.switch(own, on=False)
        await stage.pass_time(6)
        stage.switch(own, on=True)
        await stage.pass_time(2)
        return stage.keys()

    assert play(story) == ["w:1", "w:2", "w:3", "w:4"]


def test_a_webhook_hears_while_it_is_enabled() -> None:
    async def story(stage: Play) -> list[str]:
        own = stage.workflow(HOOK)
        await stage.pass_time(5)
        stage.switch(own, on=False)
        await stage.pass_time(8)
        return stage.keys()

    assert play(story) == ["w:1"]


def test_a_dead_location_cannot_unsubscribe() -> None:
    async def story(stage: Play) -> int:
        own = stage.workflow(HOOK)
        stage.world.lose(WEST)
        stage.switch(own, on=False)
        return len(stage.runtime.outside.subscriptions)

    assert play(story) == 1


def test_a_saved_workflow_forgets_its_state() -> None:
    async def story(stage: Play) -> list[str]:
        own = stage.workflow(poll("/Mail/OnNewEmail"))
        await stage.pass_time(4)
        stage.switch(own, on=False)
        await stage.pass_time(6)
        stage.runtime.updated(own)
        stage.switch(own, on=True)
        await stage.pass_time(1)
        return stage.keys()

    assert play(story) == ["w:1"]


def test_set_state_hands_a_sliding_window_over() -> None:
    async def story(stage: Play) -> list[str]:
        window = {"triggers": {"win": {"type": "SlidingWindow", **SECOND}}}
        old = stage.workflow(window)
        new = stage.workflow(window, location=NORTH)
        stage.switch(new, on=False)
        await stage.pass_time(3)
        stage.switch(old, on=False)
        stage.runtime.set_state(new, "win", old, "win")
        await stage.pass_time(3)
        stage.switch(new, on=True)
        await stage.pass_time(1)
        return sorted(stage.keys(WEST) + stage.keys(NORTH))

    keys = play(story)
    assert len(keys) == len(set(keys)) == 8


def test_runs_have_actions_and_triggers_histories() -> None:
    async def story(stage: Play) -> tuple[list[dict], list[dict]]:
        own = stage.workflow(RECURRENCE)
        await stage.pass_time(1)
        name = stage.runtime.runs(own)[0]["name"]
        return stage.runtime.actions(own, name), stage.runtime.histories(own, "tick")

    actions, histories = play(story)
    assert actions[0]["name"] == "note" and actions[0]["properties"]["status"] == "Succeeded"
    assert histories[0]["properties"]["fired"] is True


@pytest.fixture(name="authority", scope="module")
def make_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    yield Authority(tmp_path_factory.mktemp("ca"))


def called(
    authority: Authority, url: Callable[[World, Resource], str], on: bool = True, token: str = ""
) -> Answer:
    """The answer of a request trigger; `token` names the principal that calls."""

    async def bounded() -> Answer:
        stage = Play()
        stage.now = datetime.now(UTC)
        workflow = stage.workflow(REQUEST)
        workflow.properties["state"] = "Enabled" if on else "Disabled"
        tls = authority.leaf("logic", regions=(WEST,)).server()
        stage.world.principals["oid-1"] = ("app", WEST)
        runtime = await workflows.start(stage.world, tls, {WEST: "we"})
        caller = Caller(stage.world, None, authority.client())
        headers = {"Authorization": f"Bearer {mint(stage.world, token, 'a', stage.now)}"}
        try:
            async with asyncio.timeout(5):
                target = url(stage.world, workflow)
                return await caller.call("POST", target, 2, headers if token else None)
        finally:
            await caller.close()
            await runtime.stop()

    return asyncio.run(bounded())


def signed(world: World, workflow: Resource) -> str:
    """The callback URL."""
    return callback(world, workflow, "manual")["value"]


def bare(world: World, workflow: Resource) -> str:
    """The callback URL without its signature."""
    return signed(world, workflow).split("?")[0]


def test_a_call_without_a_signature_is_refused(authority: Authority) -> None:
    assert called(authority, bare).status == 401


def test_a_wrong_signature_is_refused(authority: Authority) -> None:
    assert called(authority, lambda w, r: f"{bare(w, r)}?sig=no").status == 401


def test_a_token_of_nobody_is_refused(authority: Authority) -> None:
    assert called(authority, bare, token="oid-2").status == 401


def test_a_disabled_workflow_refuses_calls_by_name(authority: Authority) -> None:
    reply = called(authority, signed, on=False)
    assert reply.status == 404 and b"WorkflowTriggerIsNotEnabled" in reply.body


def test_a_signed_call_gets_the_response_action(authority: Authority) -> None:
    reply = called(authority, signed)
    assert (reply.status, reply.body) == (201, b'{"ok": true}')


def test_a_bearer_token_opens_the_trigger(authority: Authority) -> None:
    assert called(authority, bare, token="oid-1").status == 201


async def player(folder: Path) -> tuple[Child, Player]:
    """A Service Bus player with a queue and a queue with sessions."""
    ready_file = folder / "ready.json"
    command = [sys.executable, "-m", "rehearsal.servicebus", "--namespace", "sb-test"]
    command += ["--db", str(folder / "sb.sqlite"), "--ready-file", str(ready_file)]
    child = Child("player", command, folder / "player.log")
    for _ in range(200):
        if ready_file.exists():
            break
        await asyncio.sleep(0.05)
    facts = json.loads(ready_file.read_text(encoding="utf-8"))
    async with ClientSession() as session:
        for queue, sessions in (("orders", False), ("shipments", True)):
            body = {"lockDuration": "PT5S", "maxDeliveryCount": 10, "requiresSession": sessions}
            async with session.put(f"{facts['admin']}/queues/{queue}", json=body) as reply:
                reply.raise_for_status()
    return child, Player("sb-test", child, facts["amqp"], facts["admin"])


async def send(connection: str, queue: str, count: int, sessions: int = 0) -> None:
    """Numbered messages, as the stage's producers send them."""
    async with ServiceBusClient.from_connection_string(connection) as bus:
        sender = bus.get_queue_sender(queue)
        async with sender:
            for n in range(count):
                id, session = f"{queue}-{n}", f"s{n % sessions}" if sessions else None
                await sender.send_messages(
                    ServiceBusMessage(str(n), message_id=id, session_id=session)
                )


async def until(holds: Callable[[], bool], bound_seconds: float) -> bool:
    """Wait until something holds; False when it does not in time."""
    for _ in range(int(bound_seconds / 0.05)):
        if holds():
            return True
        await asyncio.sleep(0.05)
    return False


def worked(
    folder: Path, definition: dict, story: Callable[[World, Workflows, str], Awaitable[T]]
) -> T:
    """Play a story over a real clock and a real player with one workflow in westeurope."""

    async def bounded() -> T:
        child, bus = await player(folder)
        world = World()
        world.recover(WEST)
        target = Address(bus.port, "swedencentral", "servicebus")
        way = await start_forwarder(world, WEST, target, own="data")
        runtime = Workflows(world, {WEST: bus.connection_string(way.port)})
        id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Logic/workflows/w"
        tags = {"rehearsal-run-seconds": "0.1"}
        properties = {"state": "Enabled", "definition": definition}
        world.resources.place(id, {"location": WEST, "tags": tags, "properties": properties})
        await runtime.begin()
        try:
            async with asyncio.timeout(30):
                return await story(world, runtime, bus.connection_string())
        finally:
            await runtime.stop()
            await way.stop()
            await child.stop()

    return asyncio.run(bounded())


def test_messages_are_handled_once_each(tmp_path: Path) -> None:
    async def story(world: World, runtime: Workflows, bus: str) -> list[str]:
        await send(bus, "orders", 12)
        await until(lambda: len(world.effects) >= 12, 15)
        return sorted(row["key"] for row in world.effects)

    assert worked(tmp_path, poll(PEEK), story) == sorted(f"orders-{n}" for n in range(12))


@pytest.mark.slow
def test_sessions_are_handled_in_their_order(tmp_path: Path) -> None:
    async def story(world: World, runtime: Workflows, bus: str) -> list[list[int]]:
        await send(bus, "shipments", 8, sessions=2)
        await until(lambda: len(world.effects) >= 8, 20)
        numbers = [int(row["key"].split("-")[1]) for row in world.effects]
        return [[n for n in numbers if n % 2 == side] for side in (0, 1)]

    ordered = poll(PEEK.replace("orders", "shipments"), "Next Available")
    assert worked(tmp_path, ordered, story) == [[0, 2, 4, 6], [1, 3, 5, 7]]


@pytest.mark.slow
# azure-servicebus leaves the socket of a cut connection to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_lost_location_takes_no_messages_until_it_is_back(tmp_path: Path) -> None:
    async def story(world: World, runtime: Workflows, bus: str) -> tuple[int, bool]:
        await asyncio.sleep(1)
        world.lose(WEST)
        await asyncio.sleep(0.3)
        await send(bus, "orders", 3)
        await asyncio.sleep(1)
        lost = len(world.effects)
        world.recover(WEST)
        return lost, await until(lambda: len(world.effects) == 3, 20)

    seen = worked(tmp_path, poll(PEEK), story)
    gc.collect()  # So that the warning comes here and in no other test.
    assert seen == (0, True)
