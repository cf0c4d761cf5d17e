"""The stage: opens whole or not at all, keeps the Contract's ready file, leaves nothing behind."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
import requests
from azure.servicebus import ServiceBusClient, ServiceBusMessage
from azure.storage.blob import BlobServiceClient

from rehearsal.azurite import NotSetUp, find_node, script, start
from rehearsal.estate import Scene, load
from rehearsal.processes import Child, NotStarted, ready
from rehearsal.stage import Stage
from rehearsal.world import ALL

T = TypeVar("T")
SECONDS_MAX = 90
APP = """
import azure.functions as func

app = func.FunctionApp()


@app.route("health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def health(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("well")
"""
HOST = '{"version": "2.0"}'


def scene() -> Scene:
    """Contoso without its workload: the client library's aio half leaves sockets when cancelled."""
    whole = load()
    return replace(whole, estate=whole.estate.model_copy(update={"workload": None}))


class Running:
    """A stage on a loop of its own thread, so that tests may be plain functions."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()

    def do(self, work: Coroutine[object, object, T]) -> T:
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self.loop)
        return future.result(SECONDS_MAX)

    def end(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(SECONDS_MAX)
        self.loop.close()


def app_in(folder: Path, code: str = APP) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "function_app.py").write_text(code, encoding="utf-8")
    (folder / "host.json").write_text(HOST, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    if find_node() is None or not script().exists():
        pytest.skip("Azurite is not installed; `python -m rehearsal setup` does that")
    folder = tmp_path_factory.mktemp("stage")
    up = Running(Stage(scene(), folder / "stage", app=app_in(folder / "app")))
    try:
        up.do(up.stage.open())
        yield up
    finally:
        up.do(up.stage.close())
        up.end()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not Path(f"/proc/{pid}/stat").exists() or " Z " not in Path(
        f"/proc/{pid}/stat"
    ).read_text(encoding="utf-8")


def pids(stage: Stage) -> list[int]:
    children = [host.child for host in stage.hosts.values()]
    children += [player.child for player in stage.buses.players.values()]
    children += [azurite.child for azurite in stage.storage.accounts.values()]
    return [child.pid for child in children if child is not None]


def health(stage: Stage, location: str) -> int:
    url = f"{stage.network.apps[location].url}/api/health"
    return requests.get(url, timeout=10).status_code


def test_a_child_that_ends_too_soon_is_reported_with_its_last_words(tmp_path: Path):
    command = [sys.executable, "-c", "raise SystemExit('no such luck')"]
    child = Child("unlucky", command, tmp_path / "child.log")
    with pytest.raises(NotStarted, match="no such luck"):
        asyncio.run(ready(child, tmp_path / "never.json", 10))


def test_storage_that_is_not_installed_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("rehearsal.azurite.TOOLS", tmp_path)
    monkeypatch.setattr("rehearsal.azurite.script", lambda: tmp_path / "missing.js")
    pem = tmp_path / "x.pem"
    with pytest.raises(NotSetUp, match="rehearsal setup"):
        asyncio.run(start("account", tmp_path / "data", pem, pem, tmp_path))


def test_the_ready_file_has_the_shape_of_the_contract(running: Running):
    said = running.stage.ready()
    assert set(said) == {
        *("arm", "caBundle", "identityEndpoint", "identityHeader", "subscriptionId", "plan"),
        *("control", "witness", "trafficManager", "locations"),
    }
    keys = {"resourceGroup", "functions", "functionKey", "blob", "serviceBus"}
    assert {name: set(row) for name, row in said["locations"].items()} == {
        "westeurope": keys,
        "northeurope": keys,
    }


def test_an_outsider_finds_the_plan_in_each_location(running: Running):
    for row in running.stage.ready()["locations"].values():
        with BlobServiceClient.from_connection_string(row["blob"]) as service:
            blob = service.get_blob_client("understudy", "plans/contoso.yaml")
            assert blob.download_blob().readall().decode() == running.stage.scene.plan_text


def test_a_doubled_slip_is_taken_in_once(running: Running):
    connection = running.stage.ready()["locations"]["northeurope"]["serviceBus"]
    with (
        ServiceBusClient.from_connection_string(connection) as client,
        client.get_queue_sender("slip-protect") as sender,
    ):
        for _ in range(2):
            sender.send_messages(ServiceBusMessage("{}", message_id="run-1.protect"))
    counts = running.do(running.stage.buses.counts("sb-contoso-ne", "slip-protect"))
    assert counts["messageCount"] == 1


def test_arm_answers_an_outsider_who_trusts_the_bundle(running: Running):
    said = running.stage.ready()
    got = requests.get(
        said["identityEndpoint"],
        params={"api-version": "2019-08-01", "resource": "https://management.azure.com"},
        headers={"X-IDENTITY-HEADER": said["identityHeader"]},
        timeout=10,
    ).json()
    url = f"{said['arm']}/subscriptions?api-version=2022-12-01"
    bearer = {"Authorization": f"Bearer {got['access_token']}"}
    reply = requests.get(url, headers=bearer, verify=said["caBundle"], timeout=10)
    assert [row["subscriptionId"] for row in reply.json()["value"]] == [said["subscriptionId"]]


def test_the_customer_is_served_by_home(running: Running):
    for _ in range(100):
        if running.stage.clients()["answering"] == "westeurope":
            break
        time.sleep(0.1)
    assert running.stage.clients()["answering"] == "westeurope"


def test_a_killed_host_leaves_its_front_saying_503(running: Running):
    running.do(running.stage.kill_host("northeurope"))
    try:
        assert health(running.stage, "northeurope") == 503
    finally:
        running.do(running.stage.start_host("northeurope"))


def test_a_host_that_was_killed_can_be_started_again(running: Running):
    running.do(running.stage.kill_host("northeurope"))
    running.do(running.stage.start_host("northeurope"))
    assert health(running.stage, "northeurope") == 200


def test_a_lost_location_takes_its_host_with_it_until_it_recovers(running: Running):
    running.do(running.stage.lose("westeurope", ALL))
    assert not running.stage.hosts["westeurope"].up
    running.do(running.stage.recover("westeurope"))
    assert health(running.stage, "westeurope") == 200


@pytest.mark.slow
def test_an_app_that_does_not_load_leaves_no_process_behind(tmp_path: Path, running: Running):
    broken = app_in(tmp_path / "app", "raise RuntimeError('broken app')")
    stage = Stage(scene(), tmp_path / "stage", app=broken)
    with pytest.raises(NotStarted, match="broken app"):
        running.do(stage.open())
    left = [pid for pid in pids(stage) if alive(pid)]
    assert not left


@pytest.mark.slow
def test_the_command_ends_everything_on_sigterm(tmp_path: Path):
    file = tmp_path / "ready.json"
    command = [sys.executable, "-m", "rehearsal", "stage", "--ready-file", str(file)]
    with subprocess.Popen(command, start_new_session=True) as process:
        try:
            for _ in range(900):
                if file.exists() or process.poll() is not None:
                    break
                time.sleep(0.1)
            assert json.loads(file.read_text(encoding="utf-8"))["plan"] == "contoso"
            children = children_of(process.pid)
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
            assert not [pid for pid in children if alive(pid)]
        finally:
            process.kill()


def children_of(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8")
    return [int(word) for word in text.split()]
