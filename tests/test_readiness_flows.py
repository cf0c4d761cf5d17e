"""Readiness of workflows: what differs between two locations, and what is meant to."""

from hypothesis import given
from hypothesis import strategies as st

from shared import readiness_flows as flows

WORDS = {"group": "rg-contoso-ne", "location": "northeurope", "short": "ne"}
GROUP = "/subscriptions/s/resourceGroups/rg-ne"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


def recurrence(minutes: int) -> dict:
    every = {"frequency": "Minute", "interval": minutes}
    return {"triggers": {"tick": {"type": "Recurrence", "recurrence": every}}, "actions": {}}


def test_a_changed_definition_fails_and_says_where():
    seen = flows.definition("a", "here", recurrence(5), recurrence(6), [])
    assert seen["status"] == "fail" and "/triggers/tick/recurrence/interval" in seen["because"]


def test_a_declared_difference_is_none():
    told = flows.definition("a", "here", recurrence(5), recurrence(6), ["/triggers/tick"])
    assert told["status"] == "ok"


def test_a_declared_path_does_not_cover_its_namesakes():
    mine, theirs = {"actions": {"a": 1}}, {"actions": {"ab": 1}}
    assert flows.definition("x", "here", mine, theirs, ["/actions/a"])["status"] == "fail"


def test_what_cannot_be_compared_is_a_warning():
    assert flows.definition("a", "here", recurrence(5), None, [])["status"] == "warn"


def test_the_name_of_a_location_is_no_difference():
    mine = flows.neutral({"uri": "https://api-ne.northeurope.example"}, WORDS)
    assert mine == {"uri": "https://api-{short}.{location}.example"}


def test_a_short_name_inside_a_word_stays():
    assert flows.neutral({"name": "line"}, WORDS) == {"name": "line"}


@given(JSON)
def test_what_is_equal_differs_nowhere(value: object):
    assert list(flows.differences(value, value)) == []


@given(JSON, JSON)
def test_what_is_not_equal_differs_somewhere(mine: object, theirs: object):
    assert (mine == theirs) == (not list(flows.differences(mine, theirs)))


def test_a_recurrence_that_the_plan_takes_for_a_request_fails():
    seen = flows.role("a", "here", "request", "activeActive", recurrence(5))
    assert seen["status"] == "fail" and "recurrence" in seen["fix"]


def test_a_role_that_its_trigger_allows_is_well():
    assert flows.role("a", "here", "recurrence", "activePassive", recurrence(5))["status"] == "ok"


def connected(group: str, api: str) -> dict:
    row = {
        "connectionId": f"{group}/providers/Microsoft.Web/connections/bus",
        "id": f"/subscriptions/s/providers/Microsoft.Web/locations/{api}/managedApis/servicebus",
    }
    return {"parameters": {"$connections": {"value": {"bus": row}}}}


def test_a_connection_of_the_other_location_fails():
    other = GROUP.replace("ne", "we")
    seen = flows.connections("a", "northeurope", GROUP, connected(other, "northeurope"))
    assert seen and seen["status"] == "fail"


def test_a_connector_of_the_other_location_fails():
    seen = flows.connections("a", "northeurope", GROUP, connected(GROUP, "westeurope"))
    assert seen and "westeurope" in seen["because"]


def test_connections_of_its_own_are_well_and_none_are_none():
    own = flows.connections("a", "northeurope", GROUP, connected(GROUP, "northeurope"))
    assert own and own["status"] == "ok"
    assert flows.connections("a", "northeurope", GROUP, {}) is None


def test_a_workflow_that_only_one_location_has_is_a_warning():
    assert flows.same_set("here", {"a"}, {"a", "b"})["status"] == "warn"
    assert flows.same_set("here", {"a", "b"}, {"a"})["status"] == "warn"
    assert flows.same_set("here", {"a"}, {"a"})["status"] == "ok"


def test_a_half_keeps_its_name_in_both_locations():
    found = flows.named(["/x/rates-sync-ne", "/x/health-ne"], WORDS, {"rates-sync-ne"})
    assert found == {"rates-sync-ne", "health-{short}"}
