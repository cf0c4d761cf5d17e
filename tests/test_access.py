"""Who an identity is written down as: somebody who can be found again, and never a watchdog."""

import base64
import json
from collections.abc import Mapping

import pytest
from pydantic import TypeAdapter, ValidationError

from shared import access, api, witness
from shared.slip import RunId

OBJECT, SERVICE = "8d7b0f6e-2f5c-4a3e-9f43-0d6f4a1c0003", "a7c1b2d3-0000-4a3e-9f43-0d6f4a1c0004"
EVERY = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
OID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
ADA = "person ada@contoso.com"


def header(claims: Mapping[str, object], *roles: str) -> str:
    """What App Service says of a caller, after its mapping of claims."""
    rows = [{"typ": typ, "val": val} for typ, val in claims.items()]
    rows += [{"typ": "roles", "val": role} for role in roles]
    told = {"auth_typ": "aad", "claims": rows, "name_typ": f"{EVERY}/emailaddress"}
    return base64.b64encode(json.dumps(told).encode()).decode()


@pytest.mark.parametrize(
    "claims",
    [
        {"preferred_username": "ada@contoso.com", OID: OBJECT, "name": "Ada Lovelace"},
        {f"{EVERY}/upn": "ada@contoso.com", OID: OBJECT, "appid": SERVICE},
        {f"{EVERY}/name": "ada@contoso.com", OID: OBJECT},
        {"upn": "ada@contoso.com", "oid": OBJECT},
    ],
)
def test_a_person_is_the_name_that_he_signs_in_with(claims: dict):
    assert access.who(header(claims)) == ADA


@pytest.mark.parametrize(
    "claims",
    [
        {OID: SERVICE, "appid": OBJECT},
        {"oid": SERVICE},
        {f"{EVERY}/nameidentifier": SERVICE, "azp": OBJECT},
        {"appid": SERVICE},
        {"azp": SERVICE},
    ],
)
def test_a_service_is_its_id(claims: dict):
    assert access.who(header(claims)) == f"principal {SERVICE}"


@pytest.mark.parametrize(
    "name", ["x" * 181, "ada lovelace", "ada\nlost", "ada\u202emoc", "", 7, None, ["ada"], "\ud800"]
)
def test_a_name_that_no_record_should_hold_is_left_for_the_id(name: object):
    assert access.who(header({"preferred_username": name, OID: OBJECT})) == f"principal {OBJECT}"


@pytest.mark.parametrize("name", ["watchdog", "watchdog@contoso.com", "watchdog-in-ne"])
@pytest.mark.parametrize("claim", ["preferred_username", "oid"])
def test_nobody_passes_for_a_watchdog(claim: str, name: str):
    """A watchdog waits for leases and quiet periods; and a run that it began is called off so."""
    assert not witness.automatic({"by": access.who(header({claim: name}))})


def test_nobody_passes_for_a_run():
    """The record finds a run's transitions by who they are of."""
    with pytest.raises(ValidationError):
        TypeAdapter(RunId).validate_python(access.who(header({"oid": "contoso-1"})))


@pytest.mark.parametrize("told", [None, "", "?", "bm8=", header({"name": "Ada"})])
def test_who_has_neither_name_nor_id_is_nobody(told: str | None):
    assert access.who(told) == ""


def test_nobody_changes_anything():
    told = access.admits(header({"name": "Ada"}, access.OPERATE), access.OPERATE)
    assert (told["allowed"], told["status"]) == (False, 401)
    assert access.admits(header({"name": "Ada"}, access.OPERATE), access.READ)["allowed"]


def test_an_identity_with_a_name_and_the_role_may_change_things():
    claims = {"preferred_username": "ada@contoso.com"}
    assert access.admits(header(claims, access.OPERATE), access.OPERATE)["allowed"]


@pytest.mark.parametrize("by", ["bob", "person bob@contoso.com", "watchdog in ne"])
@pytest.mark.parametrize("read", [api.decision, api.ledger_order])
def test_nobody_speaks_for_somebody_else(by: str, read):
    body = json.dumps({"by": by, "comment": "game day"}).encode()
    with pytest.raises(api.BadRequest) as bad:
        read(body, who=ADA)
    assert bad.value.errors[0].startswith("by: ") and ADA in bad.value.errors[0]


@pytest.mark.parametrize("body", [{}, {"by": "ada@contoso.com"}, {"by": "Ada@Contoso.com"}])
@pytest.mark.parametrize("read", [api.decision, api.ledger_order])
def test_who_is_known_need_not_say_it(body: dict, read):
    assert read(json.dumps(body).encode(), who=ADA).by == ADA


def test_who_is_not_known_says_it():
    with pytest.raises(api.BadRequest):
        api.decision(b"{}")
    assert api.decision(b'{"by": "bob"}').by == "bob"
