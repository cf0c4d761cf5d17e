"""What a no of the resource manager becomes: what to do about it, and whether waiting helps."""

import pytest

from shared.denials import ADVICE, denied
from shared.reply import Reply, Surprise, Unheard

SAID = "said the service"


def answered(status: int, code: str, said: str) -> Reply:
    return Reply(status, {}, {"error": {"code": code, "message": said}})


def refused(status: int, code: str, said: str = SAID) -> dict:
    no = denied(answered(status, code, said), "account x", "the role Keeper")
    assert no and no["status"] == "refused" and "account x" in no["because"]
    return no


@pytest.mark.parametrize("status", [429, 500])
def test_what_nobody_expects_is_a_surprise(status: int):
    with pytest.raises(Surprise):
        refused(status, "InternalServerError")


def test_a_gateway_that_heard_nothing_leaves_open_whether_it_was_done():
    with pytest.raises(Unheard):
        refused(504, "GatewayTimeout")


def test_what_is_not_there_is_to_be_deployed():
    assert refused(404, "ResourceNotFound")["missing"]


def test_a_missing_permission_names_the_role_and_what_was_lacking():
    because = refused(403, "AuthorizationFailed")["because"]
    assert "the role Keeper" in because and SAID in because


@pytest.mark.parametrize("status", [401, 403])
def test_a_resource_of_another_tenant_is_refused(status: int):
    assert "another tenant" in refused(status, "InvalidAuthenticationTokenTenant")["because"]


@pytest.mark.parametrize("status", [409, 412, 423])
def test_what_is_being_changed_is_waited_for(status: int):
    assert refused(status, "AnotherOperationInProgress")["busy"]


@pytest.mark.parametrize("code", sorted(ADVICE))
def test_what_has_its_advice_is_not_waited_for(code: str):
    no = refused(409, code, "it exceeds the approved Total Regional Cores quota")
    assert ("busy" in no, no["because"].endswith(ADVICE[code])) == (False, True)


def test_what_may_not_be_done_just_now_is_waited_for():
    """OperationNotAllowed is a quota's code, and that of a failover while another one goes on."""
    assert refused(409, "OperationNotAllowed")["busy"]


@pytest.mark.parametrize("status", [400, 409, 422])
def test_what_a_service_says_of_a_request_is_not_repeated(status: int):
    """It may quote the request."""
    assert SAID not in refused(status, "BadRequest")["because"]


def test_what_worked_is_no_refusal():
    assert denied(Reply(202), "account x") is None
