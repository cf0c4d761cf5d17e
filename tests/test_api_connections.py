"""API connections at the wire: found, made where they are missing, judged in readiness."""

from collections.abc import Iterator

import pytest

from shared.api_connections import hosts_of, points_at, state_of
from tests.doors import HERE, THERE, Doors
from tests.parts import MARKER, both, called, laid, own

HOSTS = {HERE: "sql-ne.database.windows.net", THERE: "sql-we.database.windows.net"}


def connection_of(doors: Doors, location: str) -> str:
    return own(doors, location, "Microsoft.Web/connections/stock")


def body(location: str, **changes: object) -> dict:
    api = f"/subscriptions/x/providers/Microsoft.Web/locations/{location}/managedApis/sql"
    properties = {
        "api": {"id": api},
        "statuses": [{"status": "Connected"}],
        "nonSecretParameterValues": {"server": HOSTS[location], "database": "stock"},
        "customParameterValues": {"note": MARKER},
        **changes,
    }
    return {"location": location, "properties": properties}


def place(doors: Doors, location: str, **changes: object) -> None:
    doors.world.resources.place(connection_of(doors, location), body(location, **changes))


@pytest.fixture
def links(doors: Doors) -> Iterator[Doors]:
    """A connection in both locations, each to its own replica."""
    with laid(doors, {connection_of(doors, at): body(at) for at in (HERE, THERE)}):
        yield doors


def task(doors: Doors, verb: str, location: str = HERE, **more: object) -> dict:
    part = {
        "name": "stock",
        "kind": "apiConnection",
        "role": "activePassive",
        "resource": connection_of(doors, location),
        "api": "sql",
        "endpoint": "replica",
        "hosts": HOSTS,
        "values": {at: {"server": host, "database": "stock"} for at, host in HOSTS.items()},
        **more,
    }
    return {**doors.task("nightly-invoices", verb, location), "component": part}


def check(doors: Doors, **more: object) -> dict[str, dict]:
    part = task(doors, "check", HERE, **more)["component"]
    found = called(doors, "check_connection", both(part, connection_of(doors, THERE)))
    return {row["name"]: row for row in found["checks"]}


def gone(doors: Doors) -> None:
    doors.world.resources.remove(connection_of(doors, HERE))


def test_a_missing_connection_without_values_is_refused(links: Doors) -> None:
    gone(links)
    outcome = called(links, "promote_connection", task(links, "promote", values={}))
    assert (outcome["status"], "deploy it there" in outcome["because"]) == ("refused", True)


def test_what_a_person_must_consent_to_is_made_and_refused(links: Doors) -> None:
    gone(links)
    payload = task(links, "promote", api="office365", values={HERE: {}})
    outcome = called(links, "promote_connection", payload)
    assert outcome["status"] == "refused"
    assert "is made, but is Error Unauthenticated: authorize it" in outcome["because"]


def test_a_broken_connection_is_refused_and_left_as_it_is(links: Doors) -> None:
    error = {"code": "Unauthenticated", "message": f"token {MARKER} has expired"}
    place(links, HERE, statuses=[{"status": "Error", "error": {"properties": error}}])
    mark = links.mark()
    outcome = called(links, "promote_connection", task(links, "promote"))
    assert (outcome["status"], links.sent(mark, "PUT")) == ("refused", [])
    assert called(links, "observe_connection", task(links, "verify"))["status"] == "refused"


def test_a_stale_task_makes_nothing(links: Doors) -> None:
    gone(links)
    payload = task(links, "promote")
    links.hold(epoch=7)
    assert called(links, "promote_connection", payload)["stale"] is True
    assert links.world.resources.get(connection_of(links, HERE)) is None


def test_a_missing_connection_is_made_once(links: Doors) -> None:
    gone(links)
    outcome = called(links, "promote_connection", task(links, "promote"))
    assert outcome["status"] == "succeeded"
    mark = links.mark()
    assert called(links, "promote_connection", task(links, "promote"))["status"] == "skipped"
    assert links.sent(mark, "PUT") == []
    assert check(links)["endpoint"]["status"] == "ok"


def test_a_dry_run_names_what_would_be_made_and_makes_nothing(links: Doors) -> None:
    gone(links)
    mark = links.mark()
    seen = called(links, "observe_connection", {**task(links, "promote"), "dryRun": True})
    put = seen["calls"]["promote"][0]
    assert (put["method"], put["body"]["location"], links.sent(mark, "PUT")) == ("PUT", HERE, [])


def test_readiness_says_whether_a_missing_one_would_be_made(links: Doors) -> None:
    gone(links)
    assert check(links)["connection"]["status"] == "warn"
    assert check(links, values={})["connection"]["status"] == "fail"


def test_a_connection_that_is_not_authorized_is_found(links: Doors) -> None:
    place(links, HERE, statuses=[{"status": "Error", "error": {"properties": {"code": "X"}}}])
    assert check(links)["connection"]["status"] == "fail"


def test_a_connector_of_the_other_location_is_found(links: Doors) -> None:
    api = f"/subscriptions/x/providers/Microsoft.Web/locations/{THERE}/managedApis/sql"
    place(links, HERE, api={"id": api})
    assert check(links)["api"]["status"] == "fail"


def test_a_connection_of_another_connector_is_found(links: Doors) -> None:
    assert check(links, api="servicebus")["api"]["status"] == "fail"


def test_a_standby_that_points_at_the_active_replica_is_found(links: Doors) -> None:
    place(links, HERE, nonSecretParameterValues={"server": HOSTS[THERE], "database": "stock"})
    row = check(links)["endpoint"]
    assert (row["status"], HOSTS[THERE] in row["because"]) == ("fail", True)


def test_a_standby_that_points_elsewhere_is_found(links: Doors) -> None:
    place(links, HERE, nonSecretParameterValues={"server": "sql-old.database.windows.net"})
    assert check(links)["endpoint"]["status"] == "fail"


def test_a_connection_that_shows_nothing_is_only_a_warning(links: Doors) -> None:
    place(links, HERE, nonSecretParameterValues={})
    seen = check(links)
    assert (seen["endpoint"]["status"], seen["parameters"]["status"]) == ("warn", "warn")


BOTH = {"server": "erp.example.net", "database": "stock"}


@pytest.mark.parametrize(
    "kind, mine, theirs, status, words",
    [
        ("shared", BOTH, BOTH, "ok", "points at erp.example.net, as the active one does"),
        ("replica", BOTH, BOTH, "fail", "as the active one does: no replica of its own"),
        ("shared", BOTH, {"server": "we.example.net"}, "warn", "the active one at we.example.net"),
        ("replica", BOTH, {"server": "we.example.net"}, "ok", "the active one at we.example.net"),
        ("shared", {}, {}, "warn", "the plan names no host and not both sides show one"),
        ("replica", BOTH, {"database": "stock"}, "warn", "nobody can tell where it points"),
        ("shared", {"server": "erp"}, {"server": "erp"}, "warn", "nobody can tell"),
    ],
)
def test_where_the_plan_names_no_host_both_sides_are_compared(
    links: Doors, kind: str, mine: dict, theirs: dict, status: str, words: str
) -> None:
    place(links, HERE, nonSecretParameterValues=mine)
    place(links, THERE, nonSecretParameterValues=theirs)
    row = check(links, endpoint=kind, hosts={})["endpoint"]
    assert (row["status"], words in row["because"]) == (status, True)


def test_a_host_of_the_other_location_alone_is_none_of_this_one(links: Doors) -> None:
    row = check(links, hosts={THERE: HOSTS[THERE]})["endpoint"]
    assert (row["status"], HOSTS[HERE] in row["because"]) == ("ok", True)


def test_an_active_side_that_is_silent_is_said_where_the_plan_names_no_host(links: Doors) -> None:
    links.world.faults.add({"match": {"location": THERE}, "effect": {"status": 500}})
    row = check(links, hosts={})["endpoint"]
    assert (row["status"], "does not answer" in row["because"]) == ("warn", True)


@pytest.mark.parametrize(
    "value",
    [
        "stock",
        "10",
        "me@example.net",
        "a b.example.net",
        MARKER,
        "",
        "https://john.doe:pa/ss@erp.example.net",
        "https://john.doe:p@ss@erp.example.net",
        "https://john.doe:pass",
        "john.doe:pass@erp.example.net",
        "tcp:john.doe@erp.example.net,1433",
    ],
)
def test_what_is_no_host_is_not_shown_for_one(value: str) -> None:
    assert hosts_of({"nonSecretParameterValues": {"server": value}}) == []


NOT_OF_HOSTS = ["any", "username", "password", "tenant", "tenantId", "domain", "database", "token"]
NOT_OF_HOSTS += [
    "emailAddress",
    "userName",
    "serverPassword",
    "url_key",
    "siteOwner",
    "name",
    "",
    "1",
]


@pytest.mark.parametrize("name", NOT_OF_HOSTS)
def test_of_a_parameter_that_does_not_say_that_it_is_a_host_nothing_is_shown(name: str) -> None:
    assert hosts_of({"nonSecretParameterValues": {name: "john.doe"}}) == []


OF_HOSTS = ["server", "SqlServerName", "hostName", "hostname", "sshHostAddress", "siteUrl", "URL"]
OF_HOSTS += ["endpoint", "baseURI", "fullyQualifiedNamespace", "accountFqdn", "site_address"]


@pytest.mark.parametrize("name", OF_HOSTS)
def test_a_host_is_shown_where_the_name_of_its_parameter_says_so(name: str) -> None:
    assert hosts_of({"nonSecretParameterValues": {name: "ERP.example.net"}}) == ["erp.example.net"]


@pytest.mark.parametrize(
    "value",
    [
        f"https://erp.example.net/x?sig={MARKER}",
        f"https://john.doe:{MARKER}@erp.example.net:8443/x",
        "https://john.doe@erp.example.net",
        "tcp:erp.example.net,1433",
        "erp.example.net\\stock",
    ],
)
def test_of_a_url_its_host_alone_is_shown(value: str) -> None:
    assert hosts_of({"nonSecretParameterValues": {"url": value}}) == ["erp.example.net"]


def test_readiness_shows_no_user_and_no_domain(links: Doors) -> None:
    """Neither side's, whatever looks like a host."""
    people = {"username": "john.doe", "tenant": "contoso.example.org", "token": "a.b.cd"}
    url = f"https://john.doe:{MARKER}@erp.example.net/"
    for at in (HERE, THERE):
        place(links, at, nonSecretParameterValues={**people, "url": url})
    row = check(links, endpoint="shared", hosts={})["endpoint"]
    assert (row["status"], row["because"]) == (
        "ok",
        "points at erp.example.net, as the active one does",
    )


def test_without_the_active_side_nothing_is_compared(links: Doors) -> None:
    links.world.faults.add({"match": {"location": THERE}, "effect": {"status": 500}})
    assert check(links)["parameters"]["status"] == "warn"


def test_all_is_well(links: Doors) -> None:
    seen = {name: row["status"] for name, row in check(links).items()}
    assert seen == dict.fromkeys(("connection", "api", "endpoint", "parameters"), "ok")


@pytest.mark.parametrize(
    "value",
    [
        "SQL-ne.example.net",
        "sb://sql-ne.example.net/",
        "tcp:sql-ne.example.net,1433",
        "https://me:word@SQL-ne.example.net:8443/x",
    ],
)
def test_a_host_is_found_however_it_is_written(value: str) -> None:
    held = {"parameterValueSet": {"values": {"endpoint": {"value": value}}}}
    assert points_at(held, "sql-ne.example.net") == "endpoint"


def test_a_host_is_not_found_in_a_longer_name() -> None:
    held = {"nonSecretParameterValues": {"server": "mysql-ne.example.net"}}
    assert points_at(held, "sql-ne.example.net") is None


def test_a_connection_without_a_status_is_not_taken_for_connected() -> None:
    assert state_of({}) == ("Unknown", "")
