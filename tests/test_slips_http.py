"""A run goes on without its Service Bus: the real app in a Functions host, its namespace dead."""

import json
from collections.abc import Iterator
from typing import Protocol, cast

import pytest
import requests

from shared import outbox, post, slip
from tests.doors import HERE, THERE, Doors, open_doors
from tests.host_process import ROOT, HostProcess, wait_for
from tests.papers import reserved

NEVER = dict.fromkeys(("WATCHDOG_SCHEDULE", "BACKUP_SCHEDULE"), "0 0 0 29 2 *")
DEAD_BUS = (
    "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=a;SharedAccessKey=b;UseDevelopmentEmulator=true;"
)
SECONDS_MAX = 60


class Closing(Protocol):
    """What of the client's sender is used here."""

    def close(self) -> None: ...


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """A Contoso that no other test has touched."""
    with open_doors(tmp_path_factory.mktemp("estate")) as opened:
        opened.lay("stcontosone", "understudy", "plans/contoso.yaml", opened.plan_text.encode())
        yield opened
        sender = outbox.handle(THERE, "slip-relay", False).opened
        if sender is not None:  # Left open it would be collected so, and warn in another test.
            cast(Closing, sender).close()


@pytest.fixture(scope="module")
def app(estate: Doors, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    """Northeurope's app, to whose own namespace there is no way."""
    settings = {**NEVER, "HEARTBEAT_SCHEDULE": "*/2 * * * * *", "SLIPS": DEAD_BUS}
    settings["AZURE_FUNCTIONS_DURABLE_STRICT_TYPING"] = "1"
    host = HostProcess(tmp_path_factory.mktemp("host"), str(ROOT), settings).start()
    yield host
    host.end()


@pytest.fixture
def paper(estate: Doors) -> dict:
    """The first slip of a watchdog's run, which will wait for a person at its claim."""
    return reserved(estate)


def seen(app: HostProcess, paper: dict) -> dict:
    """The run as the app tells of it; nothing while it is busy with its dead bus."""
    try:
        reply = app.call("GET", f"/api/runs/{paper['run']}")
    except requests.Timeout:
        return {}
    return reply.json() if reply.status_code == 200 else {}


def begun(app: HostProcess, paper: dict) -> list[str]:
    """When the stages of the run were started, once its claim waits for a person."""
    known = seen(app, paper)
    return [one["startedAt"] for one in known["stages"]] if known.get("waitsFor") else []


@pytest.mark.slow
def test_what_a_location_vouches_for_is_told_alone(app: HostProcess) -> None:
    """And at once, though its bus is dead: who asks cannot renew, and has seconds."""
    reply = app.call("GET", "/api/health?only=unclaimed", key=None)
    names = [check["name"] for check in reply.json()["checks"]]
    assert (reply.status_code, names) == (200, ["claims"])
    assert "contoso" in reply.json()["unclaimed"]


@pytest.mark.slow
def test_a_slip_in_the_outbox_starts_its_stage(app: HostProcess, paper: dict) -> None:
    post.keep(HERE, slip.queue(paper), paper)
    wait_for(lambda: begun(app, paper), SECONDS_MAX)
    wait_for(lambda: not post.read(HERE)["slips"], SECONDS_MAX)
    assert post.read(HERE)["gone"][-1]["how"] == "started"


@pytest.mark.slow
def test_a_slip_that_the_other_namespace_relays_starts_its_stage_once(
    app: HostProcess, paper: dict
) -> None:
    found: list[list[str]] = []
    outbox.send(THERE, "slip-relay", json.dumps(paper), slip.message_id(paper))
    wait_for(lambda: found.append(begun(app, paper)) or found[-1], SECONDS_MAX)
    post.keep(HERE, slip.queue(paper), paper)
    wait_for(lambda: not post.read(HERE)["slips"], SECONDS_MAX)
    wait_for(lambda: begun(app, paper) == found[-1], SECONDS_MAX)
    assert len(found[-1]) == 1
