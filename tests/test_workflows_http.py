"""Request triggers at the wire: who may call, and what the answer is."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from rehearsal import workflows
from rehearsal.certificates import Authority
from rehearsal.identity import mint
from rehearsal.network_calls import Answer, Caller
from rehearsal.providers.logic_names import callback
from rehearsal.world import Resource, World
from tests.flows import (
    REQUEST,
    WEST,
    Play,
)


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
