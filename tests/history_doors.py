"""Run histories to test: workflows at work in both locations, and what the desk shows of them."""

import json
from collections.abc import Iterator

import pytest

from activities import history_desk
from rehearsal.runtimes import IdleWorkflows
from rehearsal.workflows import Workflows
from rehearsal.world import Resource
from shared.problem import Problem
from tests.doors import Doors

WORKFLOW = "orders-worker"


@pytest.fixture(autouse=True)
def rested(doors: Doors) -> None:
    """History has all its reads; other tests have used some."""
    history_desk.forget()


@pytest.fixture
def running(doors: Doors) -> Iterator[Workflows]:
    """Logic Apps at work; what a test starts takes ten minutes."""
    runtime = Workflows(doors.world)
    doors.world.workflows = runtime
    yield runtime
    doors.wire.run(runtime.stop())
    doors.world.workflows = IdleWorkflows()


def workflow(doors: Doors, location: str, name: str = WORKFLOW) -> Resource:
    found = doors.world.resources.get(doors.plan.component(name, location)["resource"])
    assert found is not None
    return found


def begin(
    doors: Doors, running: Workflows, location: str, name: str = WORKFLOW, tracking: str = "order-7"
) -> str:
    """Start a run; gives its name."""
    found = workflow(doors, location, name)
    found.body["tags"] = {"rehearsal-run-seconds": "600"}

    async def start() -> str:
        flow = running.flow(found)
        return flow.begin(flow.triggers[0], "key", tracking=tracking).name

    return doors.wire.run(start())


def answer(**told: str | None) -> tuple:
    """What the desk answers to a query; `since` stands for from, and `until` for to."""
    words = {"from": told.pop("since", None), "to": told.pop("until", None), **told}
    return history_desk.one_history("contoso", *(words.get(key) for key in history_desk.QUERY))


def seen(top: str | None = None, component: str | None = None, **more: str | None) -> dict:
    status, view, _ = answer(top=top, component=component, **more)
    assert status == 200
    return json.loads(json.dumps(view))


def asked(doors: Doors, since: int, word: str = "") -> set[str]:
    """What history asked ARM for, each once: what a lost region held may come to its end here."""
    return {url for url in doors.sent(since, "GET") if "/workflows/" in url and word in url}


def pages(doors: Doors, **told: str | None) -> list[dict]:
    """Every page that follows, the first one too; waits for no purse."""
    found, after = [], None
    for _ in range(50):
        history_desk.forget()
        found.append(seen(after=after, **told))
        after = found[-1]["next"]
        if after is None:
            return found
    raise AssertionError("the pages do not end")


def refusal(top: str | None = None, component: str | None = None, name: str = "contoso") -> dict:
    with pytest.raises(Problem) as no:
        history_desk.one_history(name, top, component)
    return no.value.body
