"""azure.yaml and the workflows keep the rules of who reads them, as far as we use their languages.

The rules are our own words, closed, so that a misspelt key is found: after azd's published schema
(schemas/v1.0/azure.yaml.json) and GitHub's "Workflow syntax for GitHub Actions".
"""

import re
from collections.abc import Iterator
from typing import Protocol, cast

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.app_index import ROOT
from tests.test_pipeline_files import workflow

NAMES = ("deploy", "location")
TEXT = {"type": "string", "minLength": 1}
LEVEL = {"enum": ["read", "write", "none"]}
VALUE = {"type": ["string", "number", "boolean"]}


class Wrong(Protocol):
    """What a judge finds."""

    json_path: str
    message: str


class Judge(Protocol):
    """The part of a validator that is used here, which is hardly typed."""

    def iter_errors(self, instance: object) -> Iterator[Wrong]: ...


def closed(required: tuple[str, ...] = (), /, **properties: object) -> dict:
    """An object with these keys and no other."""
    shape = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**shape, "required": list(required)}


def named(inside: dict) -> dict:
    """An object whose keys are names, at least one."""
    pattern = {"pattern": "^[_a-zA-Z][a-zA-Z0-9_-]*$"}
    shape = {"type": "object", "minProperties": 1, "propertyNames": pattern}
    return {**shape, "additionalProperties": inside}


AZURE = closed(
    ("name", "services"),
    name={"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "minLength": 2},
    services=named(
        closed(
            ("project", "host", "language", "resourceName", "resourceGroup"),
            project=TEXT,
            host={"enum": ["function"]},
            language={"enum": ["py", "python"]},
            resourceName=TEXT,
            resourceGroup=TEXT,
            remoteBuild={"type": "boolean"},
        )
    ),
)
PERMISSIONS = closed(**{"contents": LEVEL, "id-token": LEVEL})
STEP = {
    **closed(name=TEXT, uses=TEXT, run=TEXT, **{"with": named(VALUE)}),
    "oneOf": [{"required": ["uses"]}, {"required": ["run"]}],
    "dependentRequired": {"with": ["uses"]},
}
RUNS = closed(
    ("runs-on", "timeout-minutes", "steps"),
    needs=TEXT,
    environment=TEXT,
    steps={"type": "array", "minItems": 1, "items": STEP},
    **{"runs-on": {"enum": ["ubuntu-24.04"]}, "timeout-minutes": {"type": "integer", "minimum": 1}},
)
CALLS = closed(("uses",), needs=TEXT, uses=TEXT, **{"with": named(VALUE)})
INPUT = closed(("type",), description=TEXT, required={"type": "boolean"}, type={"enum": ["string"]})
TRIGGERS = closed(
    push=closed(("tags",), tags={"type": "array", "items": TEXT, "minItems": 1}),
    workflow_dispatch=closed(),
    workflow_call=closed(inputs=named(INPUT)),
)
WORKFLOW = closed(
    ("name", "on", "permissions", "jobs"),
    name=TEXT,
    on=TRIGGERS,
    permissions=PERMISSIONS,
    concurrency=closed(("group",), group=TEXT, **{"cancel-in-progress": {"type": "boolean"}}),
    jobs=named({"oneOf": [RUNS, CALLS]}),
)
CONTEXT = re.compile(r"(inputs|vars)\.([A-Za-z_][A-Za-z0-9_]*)")


def wrong(rules: dict, document: object) -> list[str]:
    """Every rule that is broken, with where."""
    judge = cast("Judge", Draft202012Validator(rules))
    return [f"{one.json_path}: {one.message}" for one in judge.iter_errors(document)]


def plain(name: str) -> dict:
    """A workflow with `on` under its own name alone."""
    return {key: value for key, value in workflow(name).items() if key is not True}


def texts(value: object) -> Iterator[str]:
    """Every text in a document."""
    if isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value


def expressions(name: str) -> list[str]:
    """What stands between `${{` and `}}`."""
    found = [e for text in texts(plain(name)) for e in re.findall(r"\$\{\{(.*?)\}\}", text, re.S)]
    return [one.strip() for one in found]


@pytest.mark.parametrize("key", ["projekt", "remotebuild"])
def test_a_key_that_azd_does_not_know_is_found(key: str):
    document = yaml.safe_load((ROOT / "azure.yaml").read_text(encoding="utf-8"))
    document["services"]["standby"][key] = "x"
    assert wrong(AZURE, document)


def test_azure_yaml_is_what_azd_reads():
    document = yaml.safe_load((ROOT / "azure.yaml").read_text(encoding="utf-8"))
    assert wrong(AZURE, document) == []


def test_every_project_of_azure_yaml_is_there():
    services = yaml.safe_load((ROOT / "azure.yaml").read_text(encoding="utf-8"))["services"]
    for one in services.values():
        assert (ROOT / one["project"] / "function_app.py").is_file()


def test_a_step_that_neither_runs_nor_uses_is_found():
    document = plain("location")
    document["jobs"]["deploy"]["steps"].append({"name": "nothing"})
    assert wrong(WORKFLOW, document)


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_is_what_github_reads(name: str):
    assert wrong(WORKFLOW, plain(name)) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_job_waits_for_jobs_that_are_there(name: str):
    jobs = plain(name)["jobs"]
    assert {job["needs"] for job in jobs.values() if "needs" in job} <= set(jobs)


@pytest.mark.parametrize("name", NAMES)
def test_every_expression_is_closed_and_names_what_is_known(name: str):
    for text in texts(plain(name)):
        assert text.count("${{") == text.count("}}")
    assert [one for one in expressions(name) if not CONTEXT.fullmatch(one)] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_input_that_is_used_is_declared(name: str):
    declared = (plain(name)["on"].get("workflow_call") or {}).get("inputs", {})
    used = {m[2] for one in expressions(name) if (m := CONTEXT.fullmatch(one)) and m[1] == "inputs"}
    assert used == set(declared)


def test_what_calls_a_workflow_gives_what_it_needs_and_no_more():
    inputs = plain("location")["on"]["workflow_call"]["inputs"]
    calls = [job for job in plain("deploy")["jobs"].values() if "uses" in job]
    assert {(ROOT / job["uses"]).is_file() for job in calls} == {True}
    assert [set(job["with"]) for job in calls] == [set(inputs)] * 2


def test_what_calls_a_workflow_may_do_what_that_asks():
    """A called workflow gets no more than its caller has."""
    assert plain("location")["permissions"].items() <= plain("deploy")["permissions"].items()


def test_every_variable_of_the_pipeline_is_explained():
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    found = {m[2] for n in NAMES for one in expressions(n) if (m := CONTEXT.fullmatch(one))}
    assert [name for name in sorted(found - {"environment"}) if f"`{name}`" not in page] == []


@pytest.mark.parametrize("name", NAMES)
def test_no_script_takes_an_expression_that_a_stranger_writes(name: str):
    """Inputs and variables are the maintainers'; `github.*` may be anybody's words."""
    assert [one for one in expressions(name) if one.startswith("github.")] == []
