"""The desk on the wire: Entra says who it is that spoke, and storage what time it is.

Two hosts of westeurope's app over one Contoso: one behind App Service's authentication, and one on
a machine whose clock is ten minutes ahead.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest
import requests

from shared import access
from tests.doors import HERE, THERE, Doors
from tests.host_process import KEYS, HostProcess
from tests.papers import paper_of
from tests.test_access import ADA, OBJECT, OID, header
from tests.test_api_http import FAILOVER, PLAN, STORE, WITNESS, check_problem, serve
from tests.test_api_http import entra as entra
from tests.test_api_http import estate as estate

AHEAD_SECONDS = 600
BACKUP = "/api/plans/contoso/backup"
FORCED = {"mode": "forced", "reason": "the region is lost"}
NAMES = {"preferred_username": "ada@contoso.com", OID: OBJECT}


@pytest.fixture(scope="module")
def late(estate: Doors, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    """The app with keys, on a machine that believes that it is later."""
    host = serve(estate, tmp_path_factory.mktemp("late"), AHEAD_SECONDS)
    yield host
    host.end()


@pytest.fixture(autouse=True)
def fresh(estate: Doors) -> Iterator[None]:
    """No record yet, and afterwards the good plan."""
    estate.drop(WITNESS, "understudy", "contoso.json")
    yield
    estate.lay(STORE, "understudy", PLAN, estate.plan_text.encode())


def known(estate: Doors) -> dict:
    asked = {"plan": "contoso", "witness": estate.plan.document["witness"]}
    return estate.call("read_witness", asked)["record"]


def spoken(
    host: HostProcess, path: str, body: object, claims: Mapping[str, object] = NAMES
) -> requests.Response:
    """POST as the identity with these claims, which may operate."""
    heads = {"x-ms-client-principal": header(claims, access.OPERATE)}
    return requests.post(f"{host.url}{path}", data=json.dumps(body), headers=heads, timeout=30)


def ordered(host: HostProcess, **more: object) -> requests.Response:
    return host.call("POST", FAILOVER, {**FORCED, **more}, KEYS["master"])


def wanted(estate: Doors, mode: str = "forced", **more: object) -> str:
    """A reserved run that nobody carries."""
    paper = paper_of(estate, f"contoso-{mode}", mode, f"watchdog in {HERE}")
    asked = {"slip": paper, "witness": estate.plan.document["witness"], **more}
    assert estate.call("reserve_run", asked)["status"] == "succeeded"
    return paper["run"]


def renewed(estate: Doors) -> None:
    asked = {"plan": "contoso", "location": THERE, "witness": estate.plan.document["witness"]}
    assert estate.call("renew_lease", asked)["status"] == "succeeded"


@pytest.mark.parametrize(
    "path", ["plans/contoso/pause", "runs/contoso-forced/approve", "plans/contoso/ledger/drain"]
)
def test_nobody_speaks_for_somebody_else(entra: HostProcess, estate: Doors, path: str) -> None:
    wanted(estate, approvalMinutes=60)
    body = check_problem(spoken(entra, f"/api/{path}", {"by": "bob@contoso.com"}), 400)
    assert "ada@contoso.com" in body["detail"]
    assert [line["what"] for line in known(estate)["transitions"]] == ["created", "requested"]


def test_whom_nobody_can_name_changes_nothing(entra: HostProcess, estate: Doors) -> None:
    check_problem(spoken(entra, FAILOVER, FORCED, {"name": "Ada"}), 401)
    assert known(estate)["run"] is None


def test_who_forced_it_is_in_the_record_and_in_the_audit(entra: HostProcess, estate: Doors) -> None:
    assert spoken(entra, FAILOVER, FORCED).status_code == 202
    record = known(estate)
    line = record["transitions"][-1]
    assert (record["run"]["by"], line["what"]) == (ADA, "requested")
    assert f"{ADA}: the region is lost" in line["why"]
    asked = {"plan": "contoso", "witness": estate.plan.document["witness"]}
    estate.call("keep_audit", {**asked, "transitions": record["transitions"]})
    shown = requests.get(
        f"{entra.url}/api/plans/contoso/audit",
        headers={"x-ms-client-principal": header(NAMES, access.READ)},
        timeout=30,
    )
    assert any(ADA in one["why"] for one in shown.json()["lines"])


def test_who_repeats_an_order_has_not_given_it(entra: HostProcess, estate: Doors) -> None:
    """The slip that goes out once more says what the record says."""
    heads, bodies = {"Idempotency-Key": "once"}, []
    for name in ("ada@contoso.com", "bob@contoso.com"):
        said = header({"preferred_username": name}, access.OPERATE)
        told = {**heads, "x-ms-client-principal": said}
        bodies.append(
            requests.post(f"{entra.url}{FAILOVER}", json=FORCED, headers=told, timeout=30)
        )
    assert bodies[0].json()["run"] == bodies[1].json()["run"]
    record = known(estate)
    assert record["run"]["by"] == ADA
    assert len(record["transitions"]) == 2


def test_without_entra_it_is_a_person_who_orders(late: HostProcess, estate: Doors) -> None:
    """Nobody strips that header there, so nobody looks at it."""
    told = {"x-functions-key": KEYS["master"], "x-ms-client-principal": header(NAMES)}
    answer = requests.post(f"{late.url}{FAILOVER}", json=FORCED, headers=told, timeout=30)
    assert (answer.status_code, known(estate)["run"]["by"]) == (202, "person")


def test_a_service_that_forces_it_is_its_object_id(entra: HostProcess, estate: Doors) -> None:
    assert spoken(entra, FAILOVER, FORCED, {OID: OBJECT}).status_code == 202
    assert known(estate)["run"]["by"] == f"principal {OBJECT}"


def test_who_is_called_like_a_watchdog_is_a_person(entra: HostProcess, estate: Doors) -> None:
    """A watchdog never moves a plan in a quiet period: see `witness.reserve`."""
    quiet = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    held = {**known(estate), "quietUntil": quiet}
    estate.lay(WITNESS, "understudy", "contoso.json", json.dumps(held).encode())
    answer = spoken(entra, FAILOVER, FORCED, {"preferred_username": "watchdog@contoso.com"})
    assert answer.status_code == 202


def test_who_made_a_graceful_run_a_forced_one_is_in_the_record(
    entra: HostProcess, estate: Doors
) -> None:
    wanted(estate, "graceful")
    assert spoken(entra, FAILOVER, {**FORCED, "to": HERE}).json()["switched"]
    line = known(estate)["transitions"][-1]
    assert line["what"] == "forced" and line["why"].startswith(f"{ADA}: the region is lost")


def test_who_goes_on_with_a_run_is_in_the_record(entra: HostProcess, estate: Doors) -> None:
    run = wanted(estate)
    paper = {**paper_of(estate, run), "run": run}
    told = {"slip": paper, "witness": estate.plan.document["witness"], "because": "no plan"}
    assert estate.call("claim_epoch", told)["status"] == "succeeded"
    assert estate.call("halt_run", told)["status"] == "succeeded"
    assert spoken(entra, FAILOVER, {**FORCED, "to": HERE}).status_code == 202
    assert known(estate)["transitions"][-1]["why"] == (
        f"goes on with {run}; {ADA}: the region is lost"
    )


def test_who_decides_is_in_the_record_whether_he_says_so_or_not(
    entra: HostProcess, estate: Doors
) -> None:
    assert spoken(entra, "/api/plans/contoso/pause", {"comment": "x"}).status_code == 200
    assert spoken(entra, "/api/plans/contoso/resume", {"by": "ada@contoso.com"}).status_code == 200
    run = wanted(estate, approvalMinutes=60)
    approved = spoken(entra, f"/api/runs/{run}/approve", {"comment": "go"})
    assert approved.json()["by"] == ADA
    lines = known(estate)["transitions"]
    assert [line["who"] for line in lines if line["what"] in ("paused", "resumed")] == [ADA, ADA]
    assert lines[-1]["why"].startswith(f"{ADA}: go")


def test_a_lease_that_lives_is_shown_as_alive_to_who_forces_over_it(
    late: HostProcess, estate: Doors
) -> None:
    renewed(estate)
    shown = ordered(late).json()["evidence"]
    assert (shown["lease"]["holder"], shown["lease"]["live"]) == (THERE, True)
    assert f"lease of {THERE} lives" in known(estate)["transitions"][-1]["why"]


def test_a_lease_that_lives_is_shown_as_alive_to_who_approves_over_it(
    late: HostProcess, estate: Doors
) -> None:
    run = wanted(estate, approvalMinutes=60)
    renewed(estate)
    said = late.call("POST", f"/api/runs/{run}/approve", {"by": "ada"}, KEYS["master"])
    assert said.json()["evidence"]["lease"]["live"]


def test_a_maintenance_window_opens_by_the_clock_of_storage(
    late: HostProcess, estate: Doors
) -> None:
    """It opens in five minutes; the host believes that it did five minutes ago."""
    opens = datetime.now(UTC) + timedelta(seconds=AHEAD_SECONDS / 2)
    cron = f"{opens.minute} {opens.hour} * * *"
    window = {"cron": cron, "minutes": 60, "because": "patching"}
    text = f"{estate.plan_text}\nmaintenance: [{json.dumps(window)}]\n"
    run = wanted(estate, approvalMinutes=60)
    estate.lay(STORE, "understudy", PLAN, text.encode())
    shown = late.call("GET", "/api/plans/contoso").json()["maintenance"]
    approved = late.call("POST", f"/api/runs/{run}/approve", {"by": "ada"}, KEYS["master"])
    late.call("POST", f"/api/runs/{run}/cancel", {"by": "ada"}, KEYS["master"])
    dry = ordered(late, dryRun=True).json()
    assert (shown["now"], approved.status_code) == (None, 200)
    assert dry["allowed"], dry["because"]


def test_a_run_is_in_progress_by_the_clock_of_storage(late: HostProcess, estate: Doors) -> None:
    """A reservation is forgotten after ten minutes, and this one is young."""
    run = wanted(estate)
    assert run in ordered(late, dryRun=True).json()["because"]
    assert run in check_problem(late.call("POST", BACKUP, key=KEYS["master"]), 409)["detail"]
