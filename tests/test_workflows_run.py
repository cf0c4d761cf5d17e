"""Logic Apps that run: what runs leave behind, and what an outage does to them."""

import asyncio
from contextlib import ExitStack
from pathlib import Path

from rehearsal.workflows import Workflows
from tests.flows import (
    HOOK,
    NORTH,
    RECURRENCE,
    REQUEST,
    SECOND,
    WEST,
    Play,
    at,
    play,
    poll,
)
from tests.wire import check_exchanges, open_wire, small_world


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


def test_a_run_shows_the_outputs_that_its_definition_says() -> None:
    async def story(stage: Play) -> list[dict]:
        own = stage.workflow(RECURRENCE, seconds="0.05")
        receipt = {"type": "String", "value": "r-1"}
        reckoned = {"type": "String", "value": "@outputs('x')"}
        own.properties["definition"] |= {"outputs": {"receipt": receipt, "reckoned": reckoned}}
        await stage.pass_time(1)
        before = stage.runtime.runs(own)[0]["properties"]["outputs"]
        await asyncio.sleep(0.1)
        return [before, stage.runtime.runs(own)[0]["properties"]["outputs"]]

    assert play(story) == [{}, {"receipt": {"type": "String", "value": "r-1"}}]


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


def field(row: object, name: str) -> object:
    """One attribute of an SDK model, which has no types."""
    return getattr(row, name)


def test_what_arm_shows_of_a_run_fits_the_published_contract(tmp_path: Path) -> None:
    """Runs, actions, triggers and histories through the official client and the oracle."""
    world = small_world()
    runtime = Workflows(world)
    world.workflows = runtime
    id = f"/subscriptions/{world.subscription_id}/resourceGroups/rg-we/providers"
    definition = {"$schema": "s", "contentVersion": "1.0.0.0", **RECURRENCE}
    definition["actions"] = {"note": {"type": "Compose"}}
    tags = {"rehearsal-run-seconds": "0"}
    properties = {"state": "Enabled", "definition": definition}
    body = {"location": WEST, "tags": tags, "properties": properties}
    world.resources.place(f"{id}/Microsoft.Logic/workflows/w", body)
    with open_wire(tmp_path, world) as wire, ExitStack() as stack:
        wire.run(runtime.begin())
        logic = stack.enter_context(wire.logic())
        runs = list(logic.workflow_runs.list("rg-we", "w"))
        for _ in range(20):
            if runs and field(runs[-1], "end_time") is not None:
                break
            wire.run(asyncio.sleep(0.1))
            runs = list(logic.workflow_runs.list("rg-we", "w"))
        name = str(field(runs[-1], "name"))
        actions = list(logic.workflow_run_actions.list("rg-we", "w", name))
        triggers = list(logic.workflow_triggers.list("rg-we", "w"))
        told = list(logic.workflow_trigger_histories.list("rg-we", "w", "tick"))
        wire.run(runtime.stop())
        check_exchanges(world.journal.after())
    assert field(runs[-1], "status") == field(actions[0], "status") == "Succeeded"
    assert (field(triggers[0], "state"), field(told[-1], "fired")) == ("Enabled", True)
