"""The workbook and the alert rules read what the app really logs."""

import json
import logging
import re

import pytest

from tests.doors import HERE, THERE, Doors
from tests.template_rig import OWN_WORKSPACE, location
from tests.test_activities_witness import change, paper

OTHER = "/subscriptions/s/resourceGroups/other/providers/Microsoft.OperationalInsights/workspaces/l"
ALERT = {"plan": "contoso", "title": "failover started", "because": "lost", "run": "contoso-1-a"}
LOOK = {"plan": "contoso", "location": HERE, "ready": False, "because": "no backup", "told": False}
CHECK = {"component": "gateway", "name": "backup", "status": "fail", "because": "none", "fix": ""}


def workbook(**given: object) -> dict:
    shown = location(**given).only("Microsoft.Insights/workbooks")["properties"]
    return json.loads(shown["serializedData"])


def parameters(**given: object) -> dict[str, dict]:
    items = [i for i in workbook(**given)["items"] if i["type"] == 9]
    return {one["name"]: one for item in items for one in item["content"]["parameters"]}


def queries() -> dict[str, str]:
    """Every query by its name: the workbook's and the rules'."""
    found = {i["name"]: i["content"]["query"] for i in workbook()["items"] if i["type"] == 3}
    for rule in location().of_type("Microsoft.Insights/scheduledQueryRules"):
        told = rule["properties"]
        found[told["displayName"]] = told["criteria"]["allOf"][0]["query"]
    return found


def logged(doors: Doors, caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the app logs of a run, an alert, and a look at readiness."""
    doors.drop("stcontosowitness", "understudy", "contoso.json")
    with caplog.at_level(logging.INFO):
        doors.call("alert", ALERT)
        doors.call("write_readiness", {"readiness": {**LOOK, "checks": [CHECK], "at": "now"}})
        assert change(doors, "reserve_run", paper(doors))["status"] == "succeeded"
    doors.drop("stcontosowitness", "understudy", "contoso.json")
    return [record.getMessage() for record in caplog.records]


def read(query: str, lines: list[str]) -> list[dict]:
    """What a query's `said` is of the lines: its `contains`, its regular expression, its member."""
    found = []
    for want, pattern, member in re.findall(
        r"contains '(\S+)' \| extend said = parse_json\(extract\(@'(.+?)', 0, Message\)\)\.(\w+)",
        query,
    ):
        for line in lines:
            match = re.search(pattern, line) if want in line else None
            if match:
                found.append(json.loads(match[0])[member])
    return found


def test_both_workspaces_are_asked():
    assert parameters(otherWorkspaceId=OTHER)["Workspaces"]["value"] == [OWN_WORKSPACE, OTHER]


def test_a_location_that_knows_no_other_asks_its_own():
    assert parameters()["Workspaces"]["value"] == [OWN_WORKSPACE]


def test_every_query_of_the_workbook_asks_the_chosen_workspaces():
    asked = [i["content"] for i in workbook()["items"] if i["type"] == 3]
    assert {tuple(one["crossComponentResources"]) for one in asked} == {("{Workspaces}",)}
    assert {one["timeContextFromParameter"] for one in asked} == {"Range"}


def test_what_is_asked_of_people_is_what_the_queries_use():
    assert set(parameters()) == {"Range", "Workspaces"}


@pytest.mark.parametrize("name", sorted(queries()))
def test_a_query_is_closed(name: str):
    """Every bracket and every quote; a text in quotes may hold either."""
    bare = re.sub(r"@?'[^']*'", "''", queries()[name])
    assert "'" not in bare.replace("''", "")
    assert [bare.count(mark) for mark in "([{"] == [bare.count(mark) for mark in ")]}"]


@pytest.mark.parametrize("name", ["runs", "timeline", "pace", "alerts", "readiness"])
def test_a_query_finds_every_field_that_it_names(
    doors: Doors, caplog: pytest.LogCaptureFixture, name: str
):
    query = queries()[name]
    rows = read(query, logged(doors, caplog))
    named = set(re.findall(r"\bsaid\.(\w+)", query))
    assert (
        rows and named - {"title"} and [named - set(row) for row in rows if named - set(row)] == []
    )


def test_the_timeline_tells_a_run_by_its_steps(doors: Doors, caplog: pytest.LogCaptureFixture):
    (row, *_) = read(queries()["timeline"], logged(doors, caplog))
    assert (row["plan"], row["run"], row["active"]) == ("contoso", "contoso-1-a", THERE)


def test_a_backup_that_is_too_old_is_heard_at_every_look(
    doors: Doors, caplog: pytest.LogCaptureFixture
):
    query = queries()["Understudy: backup-too-old (app)"]
    rows = read(query, logged(doors, caplog))
    assert "said.failing has 'backup'" in query
    assert [row["failing"] for row in rows if "failing" in row] == [["backup"]]


def test_what_a_standby_sees_of_itself_does_not_cover_what_the_active_location_sees():
    query = queries()["readiness"]
    assert "summarize arg_max(TimeGenerated, *) by plan, standby, own " in query


def test_a_location_is_compared_however_the_platform_writes_it():
    """FunctionAppLogs has "North Europe" where plans have northeurope."""
    query = queries()["Understudy: heartbeat-missing (app)"]
    assert "tolower(replace_string(Location, ' ', '')) == 'northeurope'" in query
