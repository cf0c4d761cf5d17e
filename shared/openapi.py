"""OpenAPI: the document that describes the HTTP API, built from one table of routes."""

from pydantic.json_schema import models_json_schema

from shared import access, runs
from shared.api import Acknowledgement, Decision, Failover, LedgerOrder
from shared.history import TOP_DEFAULT, TOP_MAX
from shared.history_question import AFTER_LENGTH_MAX, COMPONENTS_MAX, CSV, FORMATS, STATUSES
from shared.openapi_routes import CHANGE, OPEN, READ, ROUTES, Route

VERSION = "0.1.0"


WHOLE: dict = {"type": "integer"}
TEXT: dict = {"type": "string"}
OTHERS = {  # Content beside JSON.
    "getHistory": {CSV: {"schema": TEXT}},
    "postFailover": {"text/plain": {"schema": TEXT}},
}
BODIES = {
    "postFailover": "Failover",
    **{f"postRun{word.capitalize()}": "Decision" for word in runs.WORDS},
    "postPause": "Decision",
    "postResume": "Decision",
    "postAcknowledge": "Acknowledgement",
    "postResubmit": "LedgerOrder",
    "postDrain": "LedgerOrder",
}
QUERIES = {
    "getHealth": {"only": {"type": "string", "enum": ["unclaimed"]}},
    "getLedger": {"epoch": WHOLE},
    "getAudit": {"after": WHOLE},
    "getHistory": {
        "top": {**WHOLE, "minimum": 1, "maximum": TOP_MAX, "default": TOP_DEFAULT},
        "component": {"type": "array", "maxItems": COMPONENTS_MAX, "items": TEXT},
        "set": {**WHOLE, "minimum": 1, "default": 1},
        "status": {**TEXT, "enum": list(STATUSES)},
        "from": {**TEXT, "format": "date-time"},
        "to": {**TEXT, "format": "date-time"},
        "after": {**TEXT, "maxLength": AFTER_LENGTH_MAX},
        "format": {**TEXT, "enum": list(FORMATS), "default": FORMATS[0]},
    },
}
KEYS: dict = {
    "readKey": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
    "masterKey": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
}
ROLES = {READ: access.READ, CHANGE: access.OPERATE}
SILENT = "storage, the witness or the slip namespace does not answer; ask again"
SECURITY: dict[str, list[dict]] = {
    OPEN: [],
    READ: [{"readKey": []}],
    CHANGE: [{"masterKey": []}],
}
PROBLEM: dict = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "string"}},
    },
}


def document() -> dict:
    """The OpenAPI 3.1 document, as plain JSON."""
    paths: dict[str, dict] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method] = operation(route)
    _, models = models_json_schema(
        [(body, "validation") for body in (Failover, Decision, Acknowledgement, LedgerOrder)],
        ref_template="#/components/schemas/{model}",
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Understudy",
            "version": VERSION,
            "summary": "Moves an Azure integration workload from a lost region to its standby.",
        },
        "servers": [{"url": "/api"}],
        "paths": paths,
        "components": {
            "securitySchemes": KEYS,
            "schemas": {**models["$defs"], "Problem": PROBLEM},
        },
    }


def operation(route: Route) -> dict:
    made: dict = {
        "operationId": route.name,
        "summary": route.says,
        "security": SECURITY[route.needs],
        "parameters": parameters(route),
        "responses": {
            str(s): response(s, says, OTHERS.get(route.name, {}))
            for s, says in answers(route).items()
        },
    }
    body = BODIES.get(route.name)
    if body:
        schema = {"$ref": f"#/components/schemas/{body}"}
        made["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    return made


def answers(route: Route) -> dict[int, str]:
    """Its own answers, and those of everything that looks behind the door."""
    if route.needs == OPEN:
        return route.answers
    doors = {
        401: "no key (then the host answers, without a body), or no Entra identity",
        403: f"in entra mode: the identity lacks the role {ROLES[route.needs]}",
    }
    return {**route.answers, **doors, **({503: SILENT} if route.name != "getOpenapi" else {})}


def response(status: int, says: str, others: dict) -> dict:
    """Health answers 503 with its report; everything else that is no success is a problem."""
    if status < 400 or says.startswith("a check fails"):
        return {"description": says, "content": {"application/json": {"schema": {}}, **others}}
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": says, "content": {"application/problem+json": {"schema": schema}}}


def parameters(route: Route) -> list[dict]:
    found: list[dict] = [
        {"name": part[1:-1], "in": "path", "required": True, "schema": TEXT}
        for part in route.path.split("/")
        if part.startswith("{")
    ]
    if route.name == "postFailover":
        found.append({"name": "Idempotency-Key", "in": "header", "schema": TEXT})
    queries = QUERIES.get(route.name, {}).items()
    return found + [{"name": name, "in": "query", "schema": schema} for name, schema in queries]
