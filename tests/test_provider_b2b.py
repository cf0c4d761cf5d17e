"""Integration accounts in ARM, judged by their contract, and the contents behind their links."""

import copy
from collections.abc import Iterator
from typing import cast

import pytest
from aiohttp.test_utils import make_mocked_request
from azure.core.exceptions import HttpResponseError

from rehearsal import estate
from rehearsal.arm_crud import merged
from rehearsal.providers import integration_account
from rehearsal.workflows_http import Invocations
from tests.wire import Wire, check_exchanges, open_wire, small_world

VERSION = "api-version=2019-05-01"
KIND = "Microsoft.Logic/integrationAccounts/ia-contoso-{short}"
SCHEMA = {"schemaType": "Xml", "content": "<schema/>", "contentType": "application/xml"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with open_wire(tmp_path_factory.mktemp("b2b"), small_world()) as opened:
        yield opened


@pytest.fixture
def wire(served: Wire) -> Iterator[Wire]:
    last = len(served.world.journal.after())
    body = {"location": "westeurope", "sku": {"name": "Standard"}, "properties": {}}
    assert served.ask("PUT", path(served), body).status_code in (200, 201)
    yield served
    check_exchanges(served.world.journal.after(last))


def path(wire: Wire, below: str = "") -> str:
    base = f"{wire.subscription}/resourceGroups/rg-we/providers/Microsoft.Logic"
    return f"{base}/integrationAccounts/ia{below}?{VERSION}"


def put(wire: Wire, below: str, properties: dict) -> tuple[int, dict]:
    reply = wire.ask("PUT", path(wire, f"/{below}"), {"properties": properties})
    return reply.status_code, reply.json()


def sample(name: str) -> dict:
    """The properties of an artifact of the sample estate."""
    scene = estate.load(estate.DEFAULT.parent / "everything.yaml").estate
    found = next(one for one in scene.resources if one.path == f"{KIND}/{name}")
    return copy.deepcopy(cast("dict", merged(found.body, {})["properties"]))


def test_an_account_without_a_tier_is_refused(wire: Wire) -> None:
    other = path(wire).replace("/ia?", "/bare?")
    reply = wire.ask("PUT", other, {"location": "westeurope", "properties": {}})
    assert reply.json()["error"]["code"] == "InvalidSku"


def test_an_agreement_of_partners_that_are_not_there_is_refused(wire: Wire) -> None:
    status, body = put(wire, "agreements/early", sample("agreements/fabrikam-x12"))
    assert (status, body["error"]["code"]) == (400, "PartnerNotFound")


def test_a_certificate_whose_vault_is_not_there_is_refused(wire: Wire) -> None:
    status, body = put(wire, "certificates/signing", sample("certificates/edi-signing"))
    assert (status, body["error"]["code"]) == (400, "KeyVaultNotFound")


def test_a_schema_without_a_content_is_refused(wire: Wire) -> None:
    status, _ = put(wire, "schemas/empty", {"schemaType": "Xml"})
    assert status == 400


def test_the_keys_of_a_vault_that_is_not_there_are_refused(wire: Wire) -> None:
    asked = {"keyVault": {"id": "/none"}}
    reply = wire.ask("POST", path(wire, "/listKeyVaultKeys"), asked)
    assert reply.status_code == 404


def test_agreements_are_as_published(wire: Wire) -> None:
    for name in ("contoso", "fabrikam"):
        put(wire, f"partners/{name}", sample(f"partners/{name}"))
    for name in ("fabrikam-x12", "fabrikam-edifact"):
        assert put(wire, f"agreements/{name}", sample(f"agreements/{name}"))[0] in (200, 201)
    with wire.logic() as client:
        rows = list(client.integration_account_agreements.list("rg-we", "ia"))
    # The client's own types say that its pages are rows.
    assert {getattr(row, "name", "") for row in rows} == {"fabrikam-x12", "fabrikam-edifact"}


def test_a_content_is_shown_as_a_link_with_its_hash(wire: Wire) -> None:
    put(wire, "schemas/order", SCHEMA)
    with wire.logic() as client:
        shown = client.integration_account_schemas.get("rg-we", "ia", "order")
    assert shown.content is None and shown.content_link is not None
    assert shown.content_link.content_size == len("<schema/>")


def test_a_session_that_is_not_there_is_a_404(wire: Wire) -> None:
    with wire.logic() as client, pytest.raises(HttpResponseError) as refusal:
        client.integration_account_sessions.get("rg-we", "ia", "none-ICN")
    assert refusal.value.status_code == 404


@pytest.mark.parametrize("signed, status", [(True, 200), (False, 401)])
def test_a_content_lies_behind_its_signature(wire: Wire, signed: bool, status: int) -> None:
    put(wire, "schemas/signed", SCHEMA)
    child = wire.world.resources.get(path(wire, "/schemas/signed").partition("?")[0])
    assert child is not None
    uri = integration_account.link(wire.world, child)["uri"] if signed else "https://x/?sig=none"
    told = {"account": "ia", "kind": "schemas", "name": "signed"}
    asked = make_mocked_request("GET", "/?" + uri.partition("?")[2], match_info=told)
    door = Invocations(wire.world, "westeurope", lambda *_: None)
    answered = wire.run(door.contents(asked))
    assert answered.status == status
