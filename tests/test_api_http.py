"""The HTTP API on the wire: the real app in a Functions host, over a Contoso of its own.

The app is westeurope's, where the plan is active: its slips go to northeurope, where nobody takes
them here, so an order stays as it was given.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from shared import access, openapi
from tests.doors import HERE, THERE, Doors, open_doors
from tests.host_process import KEYS, ROOT, HostProcess, wait_for

PROBLEM = "application/problem+json"
STORE, WITNESS, PLAN = "stcontosone", "stcontosowitness", "plans/contoso.yaml"
NEVER = dict.fromkeys(
    ("WATCHDOG_SCHEDULE", "HEARTBEAT_SCHEDULE", "BACKUP_SCHEDULE"), "0 0 0 29 2 *"
)
GOOD = {"mode": "forced", "reason": "the region is lost"}
FAILOVER = "/api/plans/contoso/failover"
GUARDED = [(r.method, r.path) for r in openapi.ROUTES if r.needs != openapi.OPEN]
CHANGES = [(r.method, r.path) for r in openapi.ROUTES if r.needs == openapi.CHANGE]


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """A Contoso that no other test has touched."""
    with open_doors(tmp_path_factory.mktemp("estate")) as opened:
        yield opened


def serve(estate: Doors, folder: Path, ahead_seconds: float = 0, **more: str) -> HostProcess:
    """Westeurope's app, whose timers stay quiet; its machine's clock may be ahead."""
    buses = estate.buses.players
    settings = {
        "LOCATION": THERE,
        "SLIPS": buses["sb-contoso-we"].connection_string(),
        "SLIPS_NORTHEUROPE": buses["sb-contoso-ne"].connection_string(),
        "AZURE_FUNCTIONS_DURABLE_STRICT_TYPING": "1",
    }
    return HostProcess(folder, str(ROOT), {**settings, **NEVER, **more}, ahead_seconds).start()


@pytest.fixture(scope="module")
def running(estate: Doors, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    """The app with keys."""
    host = serve(estate, tmp_path_factory.mktemp("keys"))
    yield host
    host.end()


@pytest.fixture(scope="module")
def entra(estate: Doors, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    """The app behind App Service's authentication."""
    host = serve(
        estate, tmp_path_factory.mktemp("entra"), API_AUTH="entra", WEBSITE_AUTH_ENABLED="True"
    )
    yield host
    host.end()


@pytest.fixture
def app(running: HostProcess, estate: Doors) -> Iterator[HostProcess]:
    """The app with the good plan and no record yet."""
    estate.drop(WITNESS, "understudy", "contoso.json")
    yield running
    estate.lay(STORE, "understudy", PLAN, estate.plan_text.encode())


def filled(path: str, plan: str = "contoso", run: str = "contoso-none") -> str:
    return "/api" + path.replace("{plan}", plan).replace("{run}", run)


def order(app: HostProcess, body: object = GOOD, key: str | None = None) -> requests.Response:
    """A failover asked for with the master key."""
    headers = {"x-functions-key": KEYS["master"]} | ({"Idempotency-Key": key} if key else {})
    data = body if isinstance(body, bytes) else json.dumps(body)
    return requests.post(f"{app.url}{FAILOVER}", data=data, headers=headers, timeout=30)


def check_problem(reply: requests.Response, status: int) -> dict:
    """The answer is a problem of RFC 9457 with this status; gives it."""
    assert reply.status_code == status, reply.text
    assert reply.headers["Content-Type"].startswith(PROBLEM)
    body = reply.json()
    assert {"type", "title", "status", "detail"} <= set(body)
    assert body["status"] == status
    return body


def principal(*roles: str) -> dict[str, str]:
    """The header in which App Service says who is there."""
    claims = [{"typ": "roles", "val": role} for role in roles]
    text = json.dumps({"auth_typ": "aad", "claims": claims})
    return {"x-ms-client-principal": base64.b64encode(text.encode()).decode()}


def ask(host: HostProcess, method: str, path: str, headers: dict[str, str]) -> requests.Response:
    return requests.request(method, f"{host.url}{path}", headers=headers, timeout=30)


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_no_key_is_401(app: HostProcess, method: str, path: str) -> None:
    assert app.call(method, filled(path), key=None).status_code == 401


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_the_read_key_changes_nothing(app: HostProcess, method: str, path: str) -> None:
    assert app.call(method, filled(path), GOOD).status_code == 401


@pytest.mark.parametrize(
    ("method", "path"), [pair for pair in GUARDED if "{plan}" in pair[1]], ids=str
)
def test_an_unknown_plan_is_404(app: HostProcess, method: str, path: str) -> None:
    check_problem(app.call(method, filled(path, plan="nobody"), GOOD, KEYS["master"]), 404)


@pytest.mark.parametrize("run", ["contoso-none", "nobody", "a%3Fb=1", "a%2Fb", "%22%27", "x" * 300])
def test_an_unknown_run_is_404(app: HostProcess, run: str) -> None:
    assert app.call("GET", f"/api/runs/{run}").status_code == 404


def test_an_unknown_run_is_told_as_a_problem(app: HostProcess) -> None:
    check_problem(app.call("GET", "/api/runs/contoso-none"), 404)


def test_a_wrong_body_is_400_with_every_error(app: HostProcess) -> None:
    body = check_problem(order(app, {"mode": "maybe", "dryRun": "yes", "x": 1}), 400)
    assert [error.split(":")[0] for error in body["errors"]] == ["mode", "reason", "dryRun", "x"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[]", b"null", b"[" * 9000])
def test_what_is_no_json_object_is_400(app: HostProcess, body: bytes) -> None:
    check_problem(order(app, body), 400)


def test_a_graceful_run_is_409(app: HostProcess) -> None:
    check_problem(order(app, {**GOOD, "mode": "graceful"}), 409)


def test_two_runs_at_once_are_409(app: HostProcess) -> None:
    first = order(app, key="a").json()["run"]
    assert first in check_problem(order(app, key="b"), 409)["detail"]


def test_without_an_identity_entra_mode_is_401(entra: HostProcess) -> None:
    check_problem(ask(entra, "GET", "/api/plans", {}), 401)


@pytest.mark.parametrize("header", ["?", "bm8=", "x" * 8000])
def test_an_identity_that_cannot_be_read_is_401(entra: HostProcess, header: str) -> None:
    reply = ask(entra, "GET", "/api/plans", {"x-ms-client-principal": header})
    check_problem(reply, 401)


def test_an_identity_without_the_role_is_403(entra: HostProcess) -> None:
    check_problem(ask(entra, "GET", "/api/plans", principal("Other")), 403)


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_who_may_read_may_not_change(entra: HostProcess, method: str, path: str) -> None:
    check_problem(ask(entra, method, filled(path), principal(access.READ)), 403)


def test_a_bad_new_plan_is_told_by_health_and_the_last_good_one_is_in_force(
    app: HostProcess, estate: Doors
) -> None:
    app.call("GET", "/api/plans/contoso")
    estate.lay(STORE, "understudy", PLAN, b"name: contoso\nhome: nowhere\n")

    def warned() -> bool:
        checks = app.call("GET", "/api/health", key=None).json()["checks"]
        return ("contoso:plan", "warning") in {(c["name"], c["status"]) for c in checks}

    wait_for(warned)
    assert app.call("GET", "/api/plans/contoso").json()["home"] == THERE


def test_health_is_anonymous_and_has_a_reason_per_check(app: HostProcess) -> None:
    reply = app.call("GET", "/api/health", key=None)
    body = reply.json()
    assert (reply.status_code, body["status"], body["location"]) == (200, "healthy", THERE)
    wanted = {"slips", "leftovers", "outbox", "storage", "contoso:plan", "contoso:workflow"}
    wanted |= {"contoso:gateway", "contoso:watchdog"}
    assert {check["name"] for check in body["checks"]} == wanted
    assert all(check["because"] for check in body["checks"])


def test_the_openapi_document_is_served(app: HostProcess) -> None:
    assert app.call("GET", "/api/openapi.json").json() == openapi.document()


def test_every_plan_is_listed(app: HostProcess) -> None:
    plans = app.call("GET", "/api/plans").json()["plans"]
    assert [(plan["name"], plan["active"]) for plan in plans] == [("contoso", THERE)]


def test_a_plan_is_shown_as_the_contract_has_it(app: HostProcess) -> None:
    plan = app.call("GET", "/api/plans/contoso").json()
    assert (plan["active"], plan["epoch"], plan["phase"]) == (THERE, 0, "steady")
    assert {"verdict", "backup", "readiness", "forecast"} <= set(plan)


def test_an_audit_is_read_by_a_cursor_that_is_a_number(app: HostProcess) -> None:
    path = "/api/plans/contoso/audit"
    assert app.call("GET", f"{path}?after=x").status_code == 400
    shown = app.call("GET", f"{path}?after=0").json()
    assert (shown["count"], shown["lines"], shown["next"]) == (0, [], None)


def test_a_history_names_each_error_of_its_query(app: HostProcess) -> None:
    query = "top=201&component=nobody&component=none&set=x&status=x&from=x&to=x&after=x&format=x"
    wrong = app.call("GET", f"/api/plans/contoso/history?{query}")
    assert (wrong.status_code, len(wrong.json()["errors"])) == (400, 9)


def test_a_dry_run_is_told_in_words_to_who_accepts_nothing_else(app: HostProcess) -> None:
    """Over a host: the timelines that the forecast asks for are its own to give."""
    headers = {"x-functions-key": KEYS["master"], "Accept": "text/plain"}
    body = {"mode": "forced", "reason": "rehearse", "dryRun": True}
    path = f"{app.url}/api/plans/contoso/failover"
    got = requests.post(path, json=body, headers=headers, timeout=20)
    assert got.headers["Content-Type"].startswith("text/plain")
    assert "measured by no run of ours" in got.text


@pytest.mark.parametrize("query, accept", [("&format=csv", "*/*"), ("", "text/csv")])
def test_a_history_is_csv_for_who_wants_it(app: HostProcess, query: str, accept: str) -> None:
    headers = {"x-functions-key": KEYS["read"], "Accept": accept}
    path = f"{app.url}/api/plans/contoso/history?component=orders-worker{query}"
    got = requests.get(path, headers=headers, timeout=10)
    assert got.headers["Content-Type"].startswith("text/csv")
    assert got.text.startswith("at,location,component,kind,status,name,correlation,because\r\n")


def test_a_history_of_one_component_is_its_own(app: HostProcess) -> None:
    good = app.call("GET", "/api/plans/contoso/history?top=5&component=orders-worker")
    assert good.json() == {
        "plan": "contoso",
        "component": "orders-worker",
        "set": 1,
        "sets": 1,
        "status": None,
        "rows": [],
        "warnings": [],
        "next": None,
    }


def test_a_history_of_several_components_may_name_them_one_by_one(app: HostProcess) -> None:
    query = "component=orders-worker&component=orders-intake&format="
    good = app.call("GET", f"/api/plans/contoso/history?{query}")
    assert good.json()["component"] == "orders-intake,orders-worker"


def test_the_backups_are_listed(app: HostProcess) -> None:
    assert app.call("GET", "/api/plans/contoso/backups").json() == {"backups": []}


def test_a_dry_run_is_200_and_no_run(app: HostProcess) -> None:
    reply = order(app, {**GOOD, "dryRun": True})
    assert (reply.status_code, reply.json()["dryRun"]) == (200, True)
    assert app.call("GET", "/api/plans/contoso").json()["run"] is None


def test_an_order_is_202_with_the_address_of_its_run(app: HostProcess) -> None:
    reply = order(app)
    assert (reply.status_code, reply.json()["to"]) == (202, HERE)
    run = app.call("GET", reply.headers["Location"]).json()
    assert (run["run"], run["outcome"]) == (reply.json()["run"], "running")


def test_the_same_key_twice_is_the_same_run(app: HostProcess) -> None:
    first, second = order(app, key="c"), order(app, key="c")
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.headers["Location"] == second.headers["Location"]


def test_with_the_role_a_reader_reads(entra: HostProcess) -> None:
    assert ask(entra, "GET", "/api/plans", principal(access.READ)).status_code == 200


def test_who_may_operate_may_read_too(entra: HostProcess) -> None:
    assert ask(entra, "GET", "/api/plans", principal(access.OPERATE)).status_code == 200


@pytest.mark.slow
def test_a_backup_that_is_ordered_is_made(app: HostProcess, estate: Doors) -> None:
    path = "/api/plans/contoso/backup"
    assert app.call("POST", path, key=KEYS["master"]).status_code == 202
    wait_for(lambda: app.call("GET", f"{path}s").json()["backups"])
    made = app.call("GET", f"{path}s").json()["backups"][0]
    assert made["name"] in estate.storage.names(STORE, "apim-backups")
