"""A run goes on without its Service Bus: the real app in a Functions host, its namespace dead."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from shared import clients, outbox, post, slip
from tests.doors import HERE, THERE, Doors, open_doors
from tests.host_process import ROOT, HostProcess, wait_for

NEVER = dict.fromkeys(("WATCHDOG_SCHEDULE", "BACKUP_SCHEDULE"), "0 0 0 29 2 *")
DEAD_BUS = (
    "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=a;SharedAccessKey=b;UseDevelopmentEmulator=true;"
)
SECONDS_MAX = 40


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """A Contoso that no other test has touched."""
    with open_doors(tmp_path_factory.mktemp("estate")) as opened:
        opened.lay("stcontosone", "understudy", "plans/contoso.yaml", opened.plan_text.encode())
        yield opened


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
    estate.drop("stcontosowitness", "understudy", "contoso.json")
    now = datetime.now(UTC)
    made = slip.first(
        run=f"contoso-{now:%H%M%S%f}",
        plan="contoso",
        digest=estate.plan.digest,
        mode="forced",
        source=THERE,
        target=HERE,
        reason="lost",
        by=f"watchdog in {HERE}",
        now=now,
        facts={},
    )
    estate.call("load_plan", {"plan": "contoso"})  # Keeps the version to which the slip is pinned.
    asked = {"slip": made, "witness": estate.plan.document["witness"], "approvalMinutes": 60}
    assert estate.call("reserve_run", asked)["status"] == "succeeded"
    return made


def waits(app: HostProcess, paper: dict) -> str | None:
    """What the run's claim waits for; None before it was started."""
    reply = app.call("GET", f"/api/runs/{paper['run']}")
    stages = reply.json().get("stages") if reply.status_code == 200 else None
    return reply.json()["waitsFor"] if stages else None


def test_a_slip_in_the_outbox_starts_its_stage(app: HostProcess, paper: dict) -> None:
    post.keep(HERE, slip.queue(paper), paper)
    wait_for(lambda: waits(app, paper), SECONDS_MAX)
    wait_for(lambda: not post.read(HERE)["slips"], SECONDS_MAX)
    assert post.read(HERE)["gone"][-1]["how"] == "started"


def test_a_slip_that_the_other_namespace_relays_starts_its_stage_once(
    app: HostProcess, paper: dict
) -> None:
    outbox.send(THERE, "slip-relay", json.dumps(paper), slip.message_id(paper))
    wait_for(lambda: waits(app, paper), SECONDS_MAX)
    begun = app.call("GET", f"/api/runs/{paper['run']}").json()["stages"]
    post.keep(HERE, slip.queue(paper), paper)
    wait_for(lambda: not post.read(HERE)["slips"], SECONDS_MAX)
    time.sleep(1)
    assert app.call("GET", f"/api/runs/{paper['run']}").json()["stages"] == begun
    clients.forget()
