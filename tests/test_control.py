"""The control API: what it refuses, and what each route does to the world."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from rehearsal import control
from rehearsal.world import ALL, World

Ask = Callable[..., Awaitable[tuple[int, object]]]


class Bare:
    """A stage with a world and nothing else."""

    def __init__(self) -> None:
        self.world = World()
        for name in ("westeurope", "northeurope"):
            self.world.recover(name)
        self.alerts: deque[dict] = deque(maxlen=10)
        self.did: list[tuple[str, str]] = []

    async def lose(self, location: str, scopes: frozenset[str]) -> None:
        self.world.lose(location, scopes)

    async def recover(self, location: str) -> None:
        self.world.recover(location)

    async def kill_host(self, location: str) -> None:
        self.did.append(("kill", location))

    async def start_host(self, location: str) -> None:
        self.did.append(("start", location))

    def clients(self) -> dict:
        return {"answering": "westeurope", "failures": 0}


def with_control(story: Callable[[Bare, Ask], Awaitable[None]]) -> Bare:
    """Run a story against a served control API."""
    stage = Bare()

    async def main() -> None:
        served = await control.start(stage)
        async with aiohttp.ClientSession(trust_env=False) as session:

            async def ask(method: str, path: str, body: object = None) -> tuple[int, object]:
                async with session.request(method, f"{served.url}{path}", json=body) as reply:
                    return reply.status, await reply.json(content_type=None)

            try:
                await story(stage, ask)
            finally:
                await served.stop()

    asyncio.run(main())
    return stage


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/locations/atlantis/outage", {}, 404),
        ("POST", "/locations/atlantis/recover", None, 404),
        ("POST", "/locations/westeurope/outage", {"scope": ["moon"]}, 400),
        ("POST", "/locations/westeurope/outage", {"scope": "arm"}, 400),
        ("POST", "/locations/westeurope/outage", ["arm"], 400),
        ("POST", "/faults", {"match": {}}, 400),
        ("POST", "/faults", {"match": {"methd": "GET"}, "effect": {"status": 500}}, 400),
        ("POST", "/faults", {"match": {"method": None}, "effect": {}}, 400),
        ("POST", "/faults", {"effect": {"status": "abc"}}, 400),
        ("POST", "/locations/westeurope/outage", {"scope": [{}]}, 400),
        ("POST", "/faults", {"effect": {"status": 500}, "times": 0}, 400),
        ("POST", "/faults", {"match": {"path": "("}, "effect": {"status": 500}}, 400),
        ("POST", "/partition", {"between": ["westeurope"]}, 400),
        ("POST", "/partition", {"between": ["westeurope", "westeurope"]}, 400),
        ("POST", "/partition", {"between": ["westeurope", "atlantis"]}, 400),
        ("POST", "/processes/atlantis/functions/kill", None, 404),
        ("GET", "/journal?after=x", None, 400),
    ],
)
def test_what_makes_no_sense_is_refused(method: str, path: str, body: object, status: int):
    async def story(stage: Bare, ask: Ask) -> None:
        got, said = await ask(method, path, body)
        assert got == status
        assert isinstance(said, dict) and said["because"]

    with_control(story)


def test_a_refused_outage_changes_nothing():
    async def story(stage: Bare, ask: Ask) -> None:
        await ask("POST", "/locations/westeurope/outage", {"scope": ["arm", "moon"]})

    assert with_control(story).world.up("westeurope", "arm")


def test_an_outage_takes_all_scopes_by_default():
    async def story(stage: Bare, ask: Ask) -> None:
        await ask("POST", "/locations/westeurope/outage")

    assert with_control(story).world.locations["westeurope"].outages == ALL


def test_an_outage_of_one_scope_leaves_the_others():
    async def story(stage: Bare, ask: Ask) -> None:
        await ask("POST", "/locations/westeurope/outage", {"scope": ["data"]})

    world = with_control(story).world
    assert not world.up("westeurope", "data")
    assert world.up("westeurope", "arm")


def test_recover_brings_everything_back():
    async def story(stage: Bare, ask: Ask) -> None:
        await ask("POST", "/locations/westeurope/outage")
        await ask("POST", "/locations/westeurope/recover")

    assert not with_control(story).world.locations["westeurope"].outages


def test_a_fault_is_taken_as_often_as_it_says():
    async def story(stage: Bare, ask: Ask) -> None:
        effect = {"status": 429, "headers": {"Retry-After": "1"}}
        await ask("POST", "/faults", {"match": {"path": "x"}, "effect": effect, "times": 1})

    faults = with_control(story).world.faults
    assert faults.take("GET", "/x", "westeurope", None) is not None
    assert faults.take("GET", "/x", "westeurope", None) is None


def test_faults_are_forgotten_when_told_so():
    async def story(stage: Bare, ask: Ask) -> None:
        await ask("POST", "/faults", {"effect": {"drop": True}})
        await ask("DELETE", "/faults")

    assert not with_control(story).world.faults.rows


def test_a_partition_can_be_healed():
    async def story(stage: Bare, ask: Ask) -> None:
        await ask("POST", "/partition", {"between": ["westeurope", "witness"]})
        assert stage.world.partitions
        await ask("DELETE", "/partition")

    assert not with_control(story).world.partitions


def test_hosts_are_killed_and_started_by_location():
    async def story(stage: Bare, ask: Ask) -> None:
        await ask("POST", "/processes/northeurope/functions/kill")
        await ask("POST", "/processes/northeurope/functions/start")

    assert with_control(story).did == [("kill", "northeurope"), ("start", "northeurope")]


def test_the_journal_is_given_from_a_number_on():
    async def story(stage: Bare, ask: Ask) -> None:
        for url in ("/a", "/b"):
            stage.world.journal.append({"url": url})
        status, rows = await ask("GET", "/journal?after=1")
        assert (status, rows) == (200, [{"n": 2, "url": "/b"}])

    with_control(story)


def test_the_world_shows_its_resources():
    async def story(stage: Bare, ask: Ask) -> None:
        stage.world.resources.place("/subscriptions/s/resourceGroups/rg", {"location": "x"})
        _, shown = await ask("GET", "/world")
        assert isinstance(shown, dict)
        assert [row["name"] for row in shown["resources"]] == ["rg"]

    with_control(story)


def test_the_clients_are_shown():
    async def story(stage: Bare, ask: Ask) -> None:
        _, shown = await ask("GET", "/clients")
        assert shown == {"answering": "westeurope", "failures": 0}

    with_control(story)


def test_an_alert_is_kept():
    async def story(stage: Bare, ask: Ask) -> None:
        await ask("POST", "/alerts", {"title": "westeurope is lost"})

    assert with_control(story).alerts[0]["title"] == "westeurope is lost"
