"""What people say to a run over HTTP: the real app in a Functions host, waiting at its claim."""

import time
from collections.abc import Iterator

import pytest
import requests

from orchestrations.people import LOOK_LEAST_SECONDS
from shared import runs
from tests.doors import HERE, Doors, open_doors
from tests.host_process import KEYS, ROOT, HostProcess, wait_for
from tests.papers import reserved

NEVER = dict.fromkeys(
    ("WATCHDOG_SCHEDULE", "HEARTBEAT_SCHEDULE", "BACKUP_SCHEDULE"), "0 0 0 29 2 *"
)
GOOD = {"by": "ada", "comment": "game day"}
SECONDS_MAX = 40


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """A Contoso that no other test has touched."""
    with open_doors(tmp_path_factory.mktemp("estate")) as opened:
        yield opened


@pytest.fixture(scope="module")
def app(estate: Doors, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    """Northeurope's app, to which slips come; its timers stay quiet."""
    settings = {**NEVER, "AZURE_FUNCTIONS_DURABLE_STRICT_TYPING": "1"}
    host = HostProcess(tmp_path_factory.mktemp("host"), str(ROOT), settings).start()
    yield host
    host.end()


@pytest.fixture
def run(app: HostProcess, estate: Doors) -> str:
    """A watchdog's run that waits for a person at its claim."""
    estate.lay("stcontosone", "understudy", "plans/contoso.yaml", estate.plan_text.encode())
    paper = reserved(estate)
    estate.call("send_slip", {"slip": paper, "queue": "slip-claim", "location": HERE})
    wait_for(lambda: seen(app, paper["run"])["waitsFor"], SECONDS_MAX)
    return paper["run"]


def seen(app: HostProcess, run: str) -> dict:
    return app.call("GET", f"/api/runs/{run}").json()


def say(app: HostProcess, run: str, word: str, body: object = GOOD) -> requests.Response:
    return app.call("POST", f"/api/runs/{run}/{word}", body, key=KEYS["master"])


def test_a_word_to_an_unknown_run_is_404(app: HostProcess) -> None:
    assert say(app, "contoso-none", "approve").status_code == 404


def test_a_word_without_a_name_is_400_with_every_error(app: HostProcess) -> None:
    reply = say(app, "contoso-none", "pause", {"comment": 7, "why": "x"})
    assert (reply.status_code, len(reply.json()["errors"])) == (400, 3)


@pytest.mark.parametrize("word", runs.WORDS)
def test_the_read_key_says_nothing_to_a_run(app: HostProcess, word: str) -> None:
    assert app.call("POST", f"/api/runs/contoso-none/{word}", GOOD).status_code == 401


def test_a_word_wakes_the_run_that_waits_at_once(app: HostProcess, run: str) -> None:
    """It would look by itself ten seconds after its last look; it hears sooner."""
    said_at, reply = time.monotonic(), say(app, run, "decline")
    assert (reply.status_code, reply.json()["state"]) == (200, "declined")
    wait_for(lambda: seen(app, run)["stages"][0]["endedAt"], SECONDS_MAX)
    assert time.monotonic() - said_at < LOOK_LEAST_SECONDS
    view = seen(app, run)
    assert (view["outcome"], "declined by ada" in view["because"]) == ("refused", True)


def test_words_are_kept_until_the_run_may_go_on_and_a_repeat_says_the_same(
    app: HostProcess, run: str
) -> None:
    """Approved while it is paused, it goes on only when it is resumed; cancelled, never."""
    assert say(app, run, "pause").json()["state"] == "paused"
    approved = say(app, run, "approve").json()
    assert (approved["state"], approved["by"]) == ("paused", "ada")
    assert approved["evidence"]["verdict"] is None and "live" in approved["evidence"]["lease"]
    assert seen(app, run)["approval"]["state"] == "given"
    first, again = say(app, run, "cancel"), say(app, run, "cancel")
    assert first.json()["state"] == "cancelled" and again.json() == first.json()
    assert say(app, run, "resume").status_code == 409
    wait_for(lambda: seen(app, run)["stages"][0]["endedAt"], SECONDS_MAX)
    assert seen(app, run)["outcome"] == "cancelled"
