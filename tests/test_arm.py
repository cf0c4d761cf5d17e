"""The ARM kernel over HTTPS: who may ask, what is refused, and what a region's loss does."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from rehearsal.arm_throttle import LIMITS
from tests.wire import Wire, check_exchanges, open_wire

V = "api-version=2025-04-01"


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with open_wire(tmp_path_factory.mktemp("arm")) as opened:
        yield opened


@pytest.fixture(autouse=True)
def whole(wire: Wire) -> Iterator[None]:
    """Every test finds a world in which nothing is wrong."""
    yield
    wire.world.faults.clear()
    wire.world.heal()
    for name in wire.world.locations:
        wire.world.recover(name)


def code(reply: requests.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["error"]["code"]


def test_a_request_without_a_token_is_refused(wire: Wire) -> None:
    reply = wire.ask("GET", f"/subscriptions?{V}", token="")
    assert code(reply) == (401, "AuthenticationFailed")
    assert "Bearer authorization_uri" in reply.headers["WWW-Authenticate"]


def test_a_token_of_nobody_is_refused(wire: Wire) -> None:
    assert code(wire.ask("GET", f"/subscriptions?{V}", token="a.e30.b"))[0] == 401


def test_a_request_without_an_api_version_is_refused(wire: Wire) -> None:
    reply = wire.ask("GET", f"{wire.subscription}/resourceGroups/rg-we")
    assert code(reply) == (400, "MissingApiVersionParameter")


def test_an_api_version_that_is_not_the_providers_is_refused_with_those_that_are(
    wire: Wire,
) -> None:
    path = f"{wire.subscription}/providers/Microsoft.Logic/workflows?api-version=2001-01-01"
    reply = wire.ask("GET", path)
    assert code(reply) == (400, "NoRegisteredProviderFound")
    assert "2019-05-01" in reply.json()["error"]["message"]


def test_what_is_not_emulated_says_so_by_name(wire: Wire) -> None:
    path = f"{wire.subscription}/resourceGroups/rg-we/providers/Microsoft.Foo/bars/b/explode?{V}"
    reply = wire.ask("POST", path)
    assert code(reply) == (501, "NotEmulated")
    assert "POST Microsoft.Foo/bars/explode" in reply.json()["error"]["message"]


def test_a_body_that_is_not_json_is_refused(wire: Wire) -> None:
    reply = wire.ask("PUT", f"{wire.subscription}/resourceGroups/rg-new?{V}", body="{nope")
    assert code(reply) == (400, "InvalidRequestContent")


def test_a_resource_in_no_group_is_refused(wire: Wire) -> None:
    path = f"{wire.subscription}/resourceGroups/none/providers/Microsoft.Logic/workflows/w"
    reply = wire.ask("PUT", f"{path}?api-version=2019-05-01", {"location": "westeurope"})
    assert code(reply) == (404, "ResourceGroupNotFound")


def test_a_stale_etag_is_refused(wire: Wire) -> None:
    path = f"{wire.subscription}/resourceGroups/rg-we?{V}"
    reply = wire.ask("PUT", path, {"location": "westeurope"}, {"If-Match": '"old"'})
    assert code(reply) == (412, "PreconditionFailed")


def test_paths_are_read_without_regard_to_case(wire: Wire) -> None:
    reply = wire.ask("GET", f"{wire.subscription.upper()}/RESOURCEGROUPS/RG-WE?{V}")
    assert reply.json()["name"] == "rg-we"


def test_every_answer_carries_a_request_id_and_what_is_left_of_the_bucket(wire: Wire) -> None:
    reply = wire.ask("GET", f"{wire.subscription}/resourceGroups?{V}")
    assert reply.headers["x-ms-request-id"]
    assert reply.headers["x-ms-correlation-request-id"]
    assert int(reply.headers["x-ms-ratelimit-remaining-subscription-reads"]) < 250


def test_an_empty_bucket_answers_429_with_the_time_to_wait(wire: Wire) -> None:
    wire.arm.throttle.set_limit("deletes", 1, 0.5)
    try:
        path = f"{wire.subscription}/resourceGroups/rg-none?{V}"
        replies = [wire.ask("DELETE", path) for _ in range(2)]
    finally:
        wire.arm.throttle.set_limit("deletes", *LIMITS["deletes"])
    assert [reply.status_code for reply in replies] == [204, 429]
    assert int(replies[1].headers["Retry-After"]) >= 1


def test_a_lost_region_does_not_answer_in_time(wire: Wire) -> None:
    wire.world.lose("westeurope", {"arm"})
    reply = wire.ask("GET", f"{wire.subscription}/resourceGroups/rg-we?{V}")
    assert code(reply) == (504, "GatewayTimeout")


def test_a_resource_is_out_of_reach_when_only_its_groups_region_is_lost(wire: Wire) -> None:
    id = f"{wire.subscription}/resourceGroups/rg-we/providers/Microsoft.Logic/workflows/abroad"
    wire.world.resources.place(id, {"location": "northeurope", "properties": {}})
    wire.world.lose("westeurope")
    reply = wire.ask("GET", f"{id}?api-version=2019-05-01")
    assert reply.status_code == 504


def test_the_other_region_answers_while_one_is_lost(wire: Wire) -> None:
    wire.world.lose("westeurope")
    reply = wire.ask("GET", f"{wire.subscription}/resourceGroups/rg-ne?{V}")
    assert reply.status_code == 200


def test_a_fault_answers_in_the_providers_stead_as_often_as_asked(wire: Wire) -> None:
    effect = {"status": 503, "headers": {"Retry-After": "7"}}
    wire.world.faults.add({"match": {"path": "rg-we$"}, "effect": effect, "times": 1})
    path = f"{wire.subscription}/resourceGroups/rg-we?{V}"
    replies = [wire.ask("GET", path) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [503, 200]
    assert replies[0].headers["Retry-After"] == "7"


def test_a_fault_may_answer_html(wire: Wire) -> None:
    wire.world.faults.add({"effect": {"status": 502, "body": "HTML"}, "times": 1})
    reply = wire.ask("GET", f"{wire.subscription}/resourceGroups?{V}")
    assert reply.headers["Content-Type"].startswith("text/html")


def test_a_dropped_request_gets_no_answer_and_changes_nothing(wire: Wire) -> None:
    wire.world.faults.add({"effect": {"drop": True}, "times": 1})
    with pytest.raises(requests.ConnectionError):
        wire.ask("PUT", f"{wire.subscription}/resourceGroups/dropped?{V}", {"location": "x"})
    assert wire.world.resources.get(f"{wire.subscription}/resourceGroups/dropped") is None


def test_a_lost_answer_has_done_its_work(wire: Wire) -> None:
    wire.world.faults.add({"effect": {"loseAnswer": True}, "times": 1})
    path = f"{wire.subscription}/resourceGroups/silent"
    with pytest.raises(requests.ConnectionError):
        wire.ask("PUT", f"{path}?{V}", {"location": "northeurope"})
    assert wire.world.resources.get(path) is not None


def test_the_journal_keeps_every_exchange_without_the_token(wire: Wire) -> None:
    last = len(wire.world.journal.after())
    wire.ask("GET", f"{wire.subscription}/resourceGroups/rg-we?{V}")
    row = wire.world.journal.after(last)[-1]
    assert (row["method"], row["status"], row["principal"]) == ("GET", 200, "tester")
    assert row["request_headers"]["Authorization"] == "REDACTED"


def test_identity_refuses_an_unknown_header(wire: Wire) -> None:
    reply = requests.get(wire.identity.endpoint, headers={"X-IDENTITY-HEADER": "x"}, timeout=5)
    assert reply.status_code == 401


def test_identity_gives_a_user_assigned_identity_to_its_client_id(wire: Wire) -> None:
    header = wire.identity.admit("func-we", "westeurope", client_id="client-1")
    query = {"api-version": "2019-08-01", "resource": "https://storage.azure.com"}
    reply = requests.get(
        wire.identity.endpoint,
        params=query | {"client_id": "client-1"},
        headers={"X-IDENTITY-HEADER": header},
        timeout=5,
    )
    assert reply.json()["client_id"] == "client-1"


def test_metadata_is_one_object_that_names_this_arm(wire: Wire) -> None:
    reply = wire.ask("GET", "/metadata/endpoints?api-version=2022-09-01", token="").json()
    assert reply["resourceManager"] == wire.arm.url


def test_groups_are_made_listed_and_taken_away_as_published(wire: Wire) -> None:
    last = len(wire.world.journal.after())
    path = f"{wire.subscription}/resourcegroups/rg-short?{V}"
    assert wire.ask("PUT", path, {"location": "northeurope"}).status_code == 201
    assert wire.ask("HEAD", path).status_code == 204
    names = wire.ask("GET", f"{wire.subscription}/resourcegroups?{V}").json()["value"]
    assert "rg-short" in [row["name"] for row in names]
    gone = wire.ask("DELETE", path)
    assert gone.status_code == 202
    assert wire.ask("GET", gone.headers["Location"]).status_code in (202, 204)
    wire.ask("GET", f"{wire.subscription}/resources?{V}")
    wire.ask("GET", f"{wire.subscription}/providers?{V}")
    check_exchanges(wire.world.journal.after(last))


def test_a_certificate_of_another_authority_is_not_trusted(wire: Wire) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(wire.arm.url, timeout=5)


def test_the_authority_signs_two_level_logic_names(wire: Wire, tmp_path: Path) -> None:
    leaf = wire.authority.leaf("planes", regions=("westeurope",))
    assert leaf.certificate.exists()
