"""The OpenAPI document: it describes the routes that exist, whole and in the standard's shape."""

import json
import re

from shared import access, openapi
from tests.app_index import functions

# OpenAPI 3.1.0, section 4.8: what each object must have.
OPERATION = {"operationId", "summary", "security", "parameters", "responses"}
PARAMETER = {"name", "in", "schema"}
LEVELS = {"anonymous": openapi.OPEN, "function": openapi.READ, "admin": openapi.CHANGE}


def triggers() -> dict[tuple[str, str], dict]:
    """(path, method) -> the HTTP trigger that the host is told of."""
    bindings = [b for f in functions() for b in f["bindings"] if b["type"] == "httpTrigger"]
    return {(f"/{b['route']}", str(m).lower()): b for b in bindings for m in b["methods"]}


def operations() -> dict[tuple[str, str], dict]:
    """(path, method) -> the operation that the document has."""
    paths = openapi.document()["paths"]
    return {(path, method): op for path, item in paths.items() for method, op in item.items()}


def test_every_route_is_described():
    assert [key for key in triggers() if key not in operations()] == []


def test_every_described_route_is_there():
    assert [key for key in operations() if key not in triggers()] == []


def test_what_a_route_needs_is_what_the_host_asks_for():
    wanted = {(route.path, route.method): route.needs for route in openapi.ROUTES}
    asked = {key: LEVELS[str(b["authLevel"]).lower()] for key, b in triggers().items()}
    assert wanted == asked


def test_the_document_has_what_openapi_requires():
    document = openapi.document()
    assert document["openapi"].startswith("3.1.")
    assert {"title", "version"} <= set(document["info"])
    assert all(path.startswith("/") for path in document["paths"])


def test_every_operation_has_what_openapi_requires():
    assert [key for key, op in operations().items() if set(op) - {"requestBody"} != OPERATION] == []


def test_every_answer_is_described():
    wrong = [
        (key, status)
        for key, op in operations().items()
        for status, answer in op["responses"].items()
        if not re.fullmatch(r"[1-5][0-9]{2}", status) or not answer.get("description")
    ]
    assert wrong == []


def test_every_operation_has_an_answer_that_is_good():
    assert [k for k, op in operations().items() if not {"200", "202"} & set(op["responses"])] == []


def test_every_parameter_has_what_openapi_requires():
    found = [p for op in operations().values() for p in op["parameters"]]
    assert [p for p in found if not set(p) >= PARAMETER] == []
    assert [p for p in found if p["in"] == "path" and p.get("required") is not True] == []


def test_path_parameters_are_those_of_the_path():
    wrong = [
        path
        for (path, _), op in operations().items()
        if re.findall(r"{(\w+)}", path)
        != [p["name"] for p in op["parameters"] if p["in"] == "path"]
    ]
    assert wrong == []


def test_every_operation_has_its_own_name():
    names = [op["operationId"] for op in operations().values()]
    assert len(names) == len(set(names))


def test_health_alone_is_anonymous():
    assert [op["operationId"] for op in operations().values() if not op["security"]] == [
        "getHealth"
    ]


def test_every_security_scheme_that_is_asked_for_is_described():
    schemes = openapi.document()["components"]["securitySchemes"]
    asked = {n for op in operations().values() for row in op["security"] for n in row}
    assert asked == set(schemes)
    assert all({"type", "in", "name"} <= set(scheme) for scheme in schemes.values())


def test_what_needs_a_key_says_what_happens_without_one():
    wrong = [
        key for key, op in operations().items() if op["security"] and "401" not in op["responses"]
    ]
    assert wrong == []


def test_every_refusal_is_a_problem():
    """Health says no with its report: it is asked by probes, not by callers."""
    wrong = [
        (key, status)
        for key, op in operations().items()
        for status, answer in op["responses"].items()
        if status >= "400" and key != ("/health", "get")
        if list(answer["content"]) != ["application/problem+json"]
    ]
    assert wrong == []


def test_every_reference_of_the_document_is_there():
    text = json.dumps(openapi.document())
    schemas = openapi.document()["components"]["schemas"]
    used = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert used <= set(schemas)


def test_the_document_is_plain_json():
    assert json.loads(json.dumps(openapi.document())) == openapi.document()


def test_the_document_names_the_roles_of_the_entra_mode():
    text = json.dumps(openapi.document())
    assert access.READ in text
    assert access.OPERATE in text
