"""The Functions host as a process: HTTP triggers, keys, timers, the Durable client, kills."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.host_process import KEYS, HostProcess, wait_for


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    """A host that serves the durable test app."""
    folder = tmp_path_factory.mktemp("host")
    settings = {"TICKS": "* * * * * *", "TICK_FILE": str(folder / "ticks")}
    running = HostProcess(folder, "durable", settings).start()
    yield running
    running.end()


def test_no_key_is_401(host: HostProcess) -> None:
    """Function level is the app's default."""
    assert host.call("GET", "/api/echo/a", key=None).status_code == 401


def test_a_wrong_key_is_401(host: HostProcess) -> None:
    """Any other text."""
    assert host.call("GET", "/api/echo/a", key="guess").status_code == 401


def test_the_read_key_does_not_open_admin_level(host: HostProcess) -> None:
    """Only the master key does."""
    assert host.call("GET", "/api/master").status_code == 401


def test_the_host_status_wants_the_master_key(host: HostProcess) -> None:
    """A function key is not enough."""
    assert host.call("GET", "/admin/host/status").status_code == 401


def test_status_urls_want_the_system_key(host: HostProcess) -> None:
    """The function key is another one."""
    reply = host.call("GET", "/runtime/webhooks/durabletask/instances/none")
    assert reply.status_code == 401


def test_an_unknown_route_is_404(host: HostProcess) -> None:
    """Under the prefix or not."""
    assert host.call("GET", "/api/none").status_code == 404


def test_another_method_is_404(host: HostProcess) -> None:
    """The route knows GET and PUT."""
    assert host.call("DELETE", "/api/echo/a").status_code == 404


def test_an_unknown_instance_is_404(host: HostProcess) -> None:
    """With the system key it is the instance that is missing."""
    path = "/runtime/webhooks/durabletask/instances/none"
    assert host.call("GET", path, key=KEYS["master"]).status_code == 404


def test_an_unknown_orchestrator_is_500_from_its_starter(host: HostProcess) -> None:
    """The SDK's client raises what the host's 400 says, inside the function."""
    assert host.call("POST", "/api/start/none").status_code == 500


def test_starting_a_running_id_is_refused(host: HostProcess) -> None:
    """The SDK's client raises; the instance goes on."""
    host.start_orchestration("approval", "twice", 60)
    assert host.call("POST", "/api/start/approval?id=twice", 60).status_code == 500


def test_a_bad_id_is_refused(host: HostProcess) -> None:
    """Instance ids contain no number sign."""
    path = "/runtime/webhooks/durabletask/orchestrators/one/a%23b"
    assert host.call("POST", path, 1, key=KEYS["master"]).status_code == 400


def test_a_body_that_is_not_json_is_refused(host: HostProcess) -> None:
    """An event's payload is JSON."""
    url = f"{host.url}/runtime/webhooks/durabletask/instances/x/raiseEvent/approve"
    reply = requests.post(f"{url}?code={KEYS['master']}", data="{no", timeout=10)
    assert reply.status_code == 400


def test_a_function_that_raises_is_500(host: HostProcess) -> None:
    """And the host goes on."""
    assert host.call("GET", "/api/raises").status_code == 500


def test_an_ended_instance_is_gone_for_events(host: HostProcess) -> None:
    """410, as in the extension."""
    links = host.start_orchestration("one", "gone", 1)
    host.ended(links)
    url = links["sendEventPostUri"].replace("{eventName}", "late")
    assert requests.post(url, json={}, timeout=10).status_code == 410


def test_the_key_may_stand_in_the_query(host: HostProcess) -> None:
    """`?code=` is the other way."""
    assert host.call("GET", f"/api/echo/a?code={KEYS['read']}", key=None).status_code == 201


def test_the_master_key_opens_everything(host: HostProcess) -> None:
    """Admin level too; the function gets its context."""
    assert host.call("GET", "/api/master", key=KEYS["master"]).text == "master_only"


def test_anonymous_needs_no_key_and_sees_the_principal_header(host: HostProcess) -> None:
    """EasyAuth's header passes through."""
    headers = {"x-ms-client-principal": "somebody"}
    assert requests.get(f"{host.url}/api/open", headers=headers, timeout=10).text == "somebody"


def test_route_parameters_query_and_body_arrive(host: HostProcess) -> None:
    """And the function's status goes out."""
    reply = host.call("PUT", "/api/echo/a/b?c=d", "text")
    assert reply.text == "PUT [('first', 'a'), ('second', 'b')] [('c', 'd')]\"text\""


def test_a_literal_segment_wins_over_a_parameter(host: HostProcess) -> None:
    """As in ASP.NET routing."""
    assert host.call("GET", "/api/echo/literal").text == "literal"


def test_the_host_status_names_the_functions(host: HostProcess) -> None:
    """For whoever waits until the app is up."""
    status = host.call("GET", "/admin/host/status", key=KEYS["master"]).json()
    assert status["state"] == "Running" and "chain" in status["functions"]


def test_an_orchestration_runs_through_the_sdk_client(host: HostProcess) -> None:
    """Started by the app, followed by its status URL."""
    status = host.ended(host.start_orchestration("chain", "through", 3))
    assert (status["runtimeStatus"], status["output"]) == ("Completed", 24)


def test_the_client_reads_a_status_with_history(host: HostProcess) -> None:
    """The history is in historyEvents."""
    host.ended(host.start_orchestration("one", "read", 3))
    assert host.call("POST", "/api/probe/read/status").text == "Completed 8"


def test_an_event_of_the_client_arrives_encoded_twice(host: HostProcess) -> None:
    """durable-python's client does so; apps accept both."""
    links = host.start_orchestration("approval", "client-event", 60)
    host.call("POST", "/api/probe/client-event/event")
    assert host.ended(links)["output"] == '{"by": "me"}'


def test_an_event_of_the_http_api_arrives_as_an_object(host: HostProcess) -> None:
    """The other encoding."""
    links = host.start_orchestration("approval", "http-event", 60)
    url = links["sendEventPostUri"].replace("{eventName}", "approve")
    requests.post(url, json={"by": "you"}, timeout=10)
    assert host.ended(links)["output"] == {"by": "you"}


def test_the_client_suspends_resumes_and_terminates(host: HostProcess) -> None:
    """Each is visible in the status."""
    links = host.start_orchestration("approval", "held", 60)
    seen = []
    for verb in ("suspend", "resume", "terminate"):
        host.call("POST", f"/api/probe/held/{verb}")
        wait_for(lambda: len(seen) < len(SEEN) and status_of(links) == SEEN[len(seen)])
        seen.append(status_of(links))
    assert seen == SEEN


SEEN = ["Suspended", "Running", "Terminated"]


def status_of(links: dict) -> str:
    """The runtime status by the status URL."""
    return requests.get(links["statusQueryGetUri"], timeout=10).json()["runtimeStatus"]


def test_the_client_purges_and_lists(host: HostProcess) -> None:
    """One by its prefix, gone after the purge."""
    host.ended(host.start_orchestration("one", "purge-me", 1))
    before = host.call("POST", "/api/probe/purge-/all").text
    host.call("POST", "/api/probe/purge-me/purge")
    assert (before, host.call("POST", "/api/probe/purge-/all").text) == ("1", "0")


def test_instances_are_listed_by_status(host: HostProcess) -> None:
    """Filters as the extension has them."""
    host.ended(host.start_orchestration("failing", "list-failed", "x"))
    path = "/runtime/webhooks/durabletask/instances?runtimeStatus=Failed&instanceIdPrefix=list-"
    found = host.call("GET", path, key=KEYS["master"]).json()
    assert [each["instanceId"] for each in found] == ["list-failed"]


def test_a_timer_fires_every_second(host: HostProcess) -> None:
    """Its schedule is an app setting."""
    ticks = host.folder / "ticks"
    wait_for(lambda: ticks.exists() and len(ticks.read_text().splitlines()) >= 2)
    assert set(ticks.read_text().split()) == {"False"}


def test_a_killed_host_loses_nothing(tmp_path: Path) -> None:
    """SIGKILL three times in the middle; every line is written, in order, and the run ends."""
    lines = tmp_path / "lines"
    settings = {"TICKS": "0 0 0 1 1 *", "TICK_FILE": str(tmp_path / "ticks")}
    host = HostProcess(tmp_path, "durable", settings).start()
    given = {"path": str(lines), "lines": 12}
    instance = "killed"
    host.start_orchestration("writing", instance, given)
    for count in (2, 6, 13):
        wait_for(lambda least=count: lines.exists() and len(lines.read_text().split("\n")) > least)
        host.end(signal.SIGKILL)
        host.start()
    path = f"/runtime/webhooks/durabletask/instances/{instance}"
    wait_for(lambda: host.call("GET", path, key=KEYS["master"]).status_code == 200)
    host.end()
    written = lines.read_text().splitlines()
    wanted = [str(n) for n in range(12)] + [f"fan {n}" for n in range(10)]
    assert sorted(set(written), key=wanted.index) == wanted
    assert [each for each in dict.fromkeys(written) if "fan" not in each] == wanted[:12]


def test_sigterm_ends_gracefully(tmp_path: Path) -> None:
    """Exit code 0."""
    settings = {"TICKS": "0 0 0 1 1 *", "TICK_FILE": str(tmp_path / "ticks")}
    assert HostProcess(tmp_path, "durable", settings).start().end() == 0
