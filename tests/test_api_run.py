"""One order over HTTP, carried to its end by the real app: what it said, and what it then did."""

import json
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests

from tests.doors import HERE, Doors, open_doors
from tests.host_process import KEYS, ROOT, HostProcess

pytestmark = pytest.mark.slow
QUIET = dict.fromkeys(
    ("WATCHDOG_SCHEDULE", "HEARTBEAT_SCHEDULE", "BACKUP_SCHEDULE"), "0 0 0 29 2 *"
)
GOOD = {"mode": "forced", "reason": "carry it to its end"}
KEY = "the-one-order"
RUN_SECONDS_MAX = 90
POLL_SECONDS = 0.3


class Story:
    """A dry run, the same order for real, a repeat midway, and what was seen at the end."""

    def __init__(self, estate: Doors, app: HostProcess) -> None:
        self.dry = order(app, {**GOOD, "dryRun": True}).json()
        self.mark = estate.mark()
        self.first = order(app, GOOD)
        self.address = self.first.headers["Location"]
        past_claim(app, self.address)
        self.repeat = order(app, GOOD)
        self.run = ended(app, self.address)
        self.plan = app.call("GET", "/api/plans/contoso").json()
        self.written = written(estate, self.mark)
        counts = estate.buses.counts("sb-contoso-we", "slip-claim")
        self.sent_back = estate.wire.run(counts)["messageCount"]


def order(app: HostProcess, body: dict) -> requests.Response:
    headers = {"x-functions-key": KEYS["master"], "Idempotency-Key": KEY}
    url = f"{app.url}/api/plans/contoso/failover"
    return requests.post(url, data=json.dumps(body), headers=headers, timeout=30)


def shown(app: HostProcess, address: str) -> dict:
    return app.call("GET", address).json()


def past_claim(app: HostProcess, address: str) -> None:
    for _ in range(int(RUN_SECONDS_MAX / POLL_SECONDS)):
        if shown(app, address)["phase"] not in ("requested", "claim"):
            return
        time.sleep(POLL_SECONDS)
    raise AssertionError(f"not claimed in time: {shown(app, address)}")


def ended(app: HostProcess, address: str) -> dict:
    for _ in range(int(RUN_SECONDS_MAX / POLL_SECONDS)):
        run = shown(app, address)
        if run["outcome"] != "running":
            return run
        time.sleep(POLL_SECONDS)
    raise AssertionError(f"not ended in time: {shown(app, address)}")


def written(estate: Doors, since: int) -> list[tuple[str, str]]:
    """(method, path with query) of the ARM requests since then that change something."""
    rows = [(r["method"], urlsplit(r["url"])) for r in estate.world.journal.after(since)]
    return [
        (method, f"{url.path}?{url.query}")
        for method, url in rows
        if method not in ("GET", "HEAD") and not url.path.endswith("/listValue")
    ]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Northeurope's app takes the plan over; its timers stay quiet."""
    with open_doors(tmp_path_factory.mktemp("estate")) as estate:
        # Northeurope is not protected within the minutes of a test, and the run ends saying so.
        text = estate.plan_text + "protectMinutes: 0\n"
        estate.lay("stcontosone", "understudy", "plans/contoso.yaml", text.encode())
        settings = {**QUIET, "AZURE_FUNCTIONS_DURABLE_STRICT_TYPING": "1"}
        app = HostProcess(tmp_path_factory.mktemp("run"), str(ROOT), settings).start()
        try:
            yield Story(estate, app)
        finally:
            app.end()


def test_a_repeat_midway_is_the_same_run(story: Story) -> None:
    assert story.repeat.status_code == 202
    first = {key: story.first.json()[key] for key in ("run", "to", "mode")}
    assert {key: story.repeat.json()[key] for key in first} == first
    assert story.repeat.headers["Location"] == story.address


def test_a_repeat_midway_sends_nothing_the_other_way(story: Story) -> None:
    assert story.sent_back == 0


def test_the_run_made_the_calls_that_the_dry_run_named(story: Story) -> None:
    """Inside a wave they go side by side, so their order there is nobody's promise."""
    named = [(c["method"], c["url"]) for c in story.dry["calls"] if c["url"].startswith("/")]
    assert named != []
    assert sorted(story.written) == sorted(named)


def test_the_run_kept_the_order_of_the_dry_run_by_kind(story: Story) -> None:
    named = [(c["method"], c["url"]) for c in story.dry["calls"] if c["url"].startswith("/")]
    assert [kind(url) for _, url in story.written] == [kind(url) for _, url in named]


def kind(url: str) -> str:
    """What of a call a stage decides: whom it stops, lays, wakes or points."""
    path = url.partition("?")[0]
    if "/workflows/" in path:
        return path.rsplit("/", 1)[-1]
    return path.partition("/providers/")[2].split("/")[1]


def test_the_plan_is_active_where_the_order_said(story: Story) -> None:
    assert (story.plan["active"], story.plan["epoch"]) == (HERE, 1)


def test_the_timeline_has_every_stage_in_its_order(story: Story) -> None:
    stages = [row["stage"] for row in story.run["stages"]]
    assert stages == ["claim", "fence", "promote", "activate", "redirect", "verify", "protect"]
    assert story.run["outcome"] == "finished"


def test_the_timeline_has_a_step_for_each_difference(story: Story) -> None:
    steps = {(s["stage"], s["component"], s["verb"]) for s in story.run["steps"]}
    # Verifying changes nothing; what hangs on a state of later, as the gateway's pipeline does,
    # is done in a step of its own only where that state is found.
    sure = [d for d in story.dry["differences"] if d["calls"] or d["stage"] != "protect"]
    differences = {(d["stage"], d["component"], d["verb"]) for d in sure}
    assert {row for row in differences if row[0] != "verify"} <= steps
