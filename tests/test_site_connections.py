"""Connections of a Standard site: whose they are, judged by ids and by names of settings."""

import json

import pytest

from shared import site_connections

GROUPS = ("/subscriptions/s/resourceGroups/rg-ne", "/subscriptions/s/resourceGroups/rg-we")
HERE = "northeurope"


def managed(group: str = "rg-ne", api: str | None = HERE) -> dict:
    base = "/subscriptions/s"
    known = f"{base}/providers/Microsoft.Web/locations/{api}/managedApis/sql" if api else ""
    id = f"{base}/resourceGroups/{group}/providers/Microsoft.Web/connections/stock"
    return {"api": {"id": known}, "connection": {"id": id}}


def judged(
    entry: dict, settings: dict[str, str] | None = None, groups: tuple[str, str] = GROUPS
) -> dict:
    kind = site_connections.MANAGED
    names = [(kind, "stock")]
    return site_connections.connections(
        "flow", HERE, groups, {kind: {"stock": entry}}, names, settings
    )


@pytest.mark.parametrize(
    ("entry", "status"),
    [
        (managed(), "ok"),
        (managed("RG-NE", "North Europe"), "ok"),
        (managed(api=None), "ok"),
        (managed("rg-connections"), "ok"),
        (managed("rg-connections", None), "fail"),
        (managed("rg-we"), "fail"),
        (managed(api="westeurope"), "fail"),
        ({"connection": {"id": "stock"}, "api": {}}, "fail"),
        ({"connection": "stock", "api": 7}, "fail"),
        ({"connection": {"id": "@parameters('stock')"}}, "warn"),
    ],
)
def test_a_managed_connection_is_known_by_its_ids(entry: dict, status: str):
    assert judged(entry, {})["status"] == status


@pytest.mark.parametrize(
    ("entry", "status"),
    [
        (managed(), "ok"),
        (managed("RG-NE"), "ok"),
        (managed("rg-connections"), "ok"),
        (managed("rg-connections", None), "fail"),
        (managed(api="westeurope"), "fail"),
    ],
)
def test_in_one_group_for_both_sites_the_connector_says_whose_it_is(entry: dict, status: str):
    assert judged(entry, {}, (GROUPS[0], GROUPS[0]))["status"] == status


def shown(files: object) -> dict:
    return {"properties": {"files": files}}


FILE = {site_connections.MANAGED: {"stock": managed()}}


@pytest.mark.parametrize(
    ("answer", "file"),
    [
        (None, None),
        ([], None),
        ({}, None),
        ({"properties": "text"}, None),
        (shown(None), None),
        (shown(["connections.json"]), None),
        (shown({"connections.json": ["a list"]}), None),
        (shown({"connections.json": "no JSON"}), None),
        (shown({"connections.json": '"JSON, but text"'}), None),
        (shown({}), {}),
        (shown({"connections.json": FILE}), FILE),
        (shown({"connections.json": json.dumps(FILE)}), FILE),
        (shown(json.dumps({"connections.json": FILE})), FILE),
    ],
)
def test_only_what_is_a_file_is_taken_for_one(answer: object, file: dict | None):
    assert site_connections.file_of(answer) == file


@pytest.mark.parametrize("form", ["@appsetting('Where')", "@{appsetting('where')}"])
def test_a_setting_stands_for_its_value(form: str):
    for where, status in ((HERE, "ok"), ("westeurope", "fail"), ("@Microsoft.KeyVault(x)", "warn")):
        seen = judged(managed(api=form), {"WHERE": where})
        assert (seen["status"], where in seen["because"]) == (status, False)


def test_settings_that_are_not_shown_are_no_fault_of_the_site():
    assert judged(managed(api="@appsetting('where')"))["status"] == "warn"
    missing = judged(managed(api="@appsetting('where')"), {})
    assert (missing["status"], "where" in missing["because"]) == ("fail", True)


def test_a_failing_connection_is_told_before_what_is_not_seen():
    kind = site_connections.MANAGED
    file = {kind: {"a": {"connection": {"id": "@parameters('x')"}}, "b": managed("rg-we")}}
    names = [(kind, "a"), (kind, "b")]
    seen = site_connections.connections("flow", HERE, GROUPS, file, names, {})
    assert (seen["status"], seen["because"]) == ("fail", "b is not in rg-ne")


def test_every_connection_of_a_definition_is_found_once():
    host = {"inputs": {"host": {"connection": {"referenceName": "stock"}}}}
    provider = {"inputs": {"serviceProviderConfiguration": {"connectionName": "bus"}}}
    definition = {
        "triggers": {"t": provider},
        "actions": {"if": {"actions": {"a": host}, "else": {"cases": [{"a": host}]}}},
    }
    assert site_connections.used(definition) == [
        (site_connections.MANAGED, "stock"),
        (site_connections.BUILT_IN, "bus"),
    ]


def test_a_definition_without_connections_names_none():
    consumption = {"host": {"connection": {"name": "@parameters('$connections')['stock']"}}}
    assert site_connections.used({"actions": {"a": {"inputs": consumption}}}) == []
