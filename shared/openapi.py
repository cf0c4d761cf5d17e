"""OpenAPI: the document that describes the HTTP API, built from one table of routes."""

from typing import NamedTuple

from pydantic.json_schema import models_json_schema

from shared import access, runs
from shared.api import Decision, Failover, LedgerOrder
from shared.history import TOP_DEFAULT, TOP_MAX

VERSION = "0.1.0"
READ, CHANGE, OPEN = "read", "change", "open"


class Route(NamedTuple):
    """One operation. `answers`: status -> what it means."""

    path: str
    method: str
    name: str
    says: str
    needs: str
    answers: dict[int, str]


ROUTES: tuple[Route, ...] = (
    Route(
        "/health",
        "get",
        "getHealth",
        "Can this location do its work?",
        OPEN,
        {200: "healthy", 503: "a check fails; the body says which and why"},
    ),
    Route("/openapi.json", "get", "getOpenapi", "This document", READ, {200: "OpenAPI 3.1"}),
    Route("/plans", "get", "getPlans", "Every plan at a glance", READ, {200: "the plans"}),
    Route(
        "/plans/{plan}",
        "get",
        "getPlan",
        "One plan: who is active, the verdict, the backup's age, what a failover takes",
        READ,
        {200: "the plan; `warnings` say why something is null or old", 404: "no such plan"},
    ),
    Route(
        "/plans/{plan}/readiness",
        "get",
        "getReadiness",
        "What would make a failover to the standby fail today, the worst first",
        READ,
        {200: "ready or not, and every check with what to do", 404: "no such plan"},
    ),
    Route(
        "/plans/{plan}/failover",
        "post",
        "postFailover",
        "Start a failover, or with dryRun show what one would do",
        CHANGE,
        {
            200: "dry run: what would be called and how the world would differ",
            202: "reserved and sent; Location is the run, the same for the same Idempotency-Key; "
            "`evidence` is what a forced order overrides, `switched` a graceful run made forced",
            400: "the body or the key is wrong; every error is named",
            404: "no such plan",
            409: "not now: a run is in progress, the plan is paused, or (graceful) not ready",
        },
    ),
    Route(
        "/plans/{plan}/backup",
        "post",
        "postBackup",
        "Back the active gateway up, if it has changed",
        CHANGE,
        {202: "started", 404: "no such plan"},
    ),
    *(
        Route(
            f"/plans/{{plan}}/{word}",
            "post",
            f"post{word.capitalize()}",
            says,
            CHANGE,
            {
                200: "what holds now",
                400: "the body is wrong; every error is named",
                404: "no such plan",
                503: "the witness cannot be reached",
            },
        )
        for word, says in (
            ("pause", "Nobody moves the plan until it is resumed"),
            ("resume", "The plan may move again"),
            ("acknowledge", "End the quiet period after a run"),
        )
    ),
    Route(
        "/plans/{plan}/backups",
        "get",
        "getBackups",
        "Every backup with its manifest, newest first",
        READ,
        {200: "the backups", 404: "no such plan"},
    ),
    Route(
        "/plans/{plan}/audit",
        "get",
        "getAudit",
        "The hash-chained lines of what was decided and done, a page at a time",
        READ,
        {
            200: "lines after the first `after`; `next` goes on",
            400: "no number",
            404: "no such plan",
        },
    ),
    Route(
        "/plans/{plan}/history",
        "get",
        "getHistory",
        "Trigger and run history of both locations' workflows in one list, newest first",
        READ,
        {
            200: "the newest `top` rows, of one `component` if asked; see `warnings`",
            400: "top or component is wrong; every error is named",
            404: "no such plan",
            429: "asked so often that a failover's own reads would wait; it says for how long",
        },
    ),
    Route(
        "/plans/{plan}/ledger",
        "get",
        "getLedger",
        "Runs in flight on the active side; after a failover those abandoned, and what is offered",
        READ,
        {200: "the ledgers that lie here", 400: "epoch is no number", 404: "no such plan or epoch"},
    ),
    *(
        Route(
            f"/plans/{{plan}}/ledger/{word}",
            "post",
            f"post{word.capitalize()}",
            says,
            CHANGE,
            {
                202: "what is ordered, what was before, and what is refused and why",
                400: "the body is wrong; every error is named",
                404: "no such plan, or no ledger of such an epoch here",
            },
        )
        for word, says in (
            ("resubmit", "Run again, once, what a failover cut off and did not end well"),
            ("drain", "Cancel what still runs of it in the region that came back"),
        )
    ),
    *(
        Route(
            f"/runs/{{run}}/{word}",
            "post",
            f"postRun{word.capitalize()}",
            says,
            CHANGE,
            {
                200: "what holds now; an approval over verdict or lease has the evidence with it",
                400: "the body is wrong; every error is named",
                404: "no such run",
                409: "not now, and why: it has ended, or is past its point of no return",
            },
        )
        for word, says in (
            ("approve", "Let a run begin that waits for a person"),
            ("decline", "End a run that waits for a person: nothing is moved"),
            ("pause", "Stop a run where it next can, for a day at most"),
            ("resume", "Let a paused run go on"),
            ("cancel", "Undo what a run has done, in reverse order, before its point of no return"),
        )
    ),
    Route(
        "/runs/{run}",
        "get",
        "getRun",
        "A run's timeline",
        READ,
        {200: "the run", 404: "no such run"},
    ),
)
WHOLE: dict = {"type": "integer"}
BODIES = {
    "postFailover": "Failover",
    **{f"postRun{word.capitalize()}": "Decision" for word in runs.WORDS},
    "postPause": "Decision",
    "postResume": "Decision",
    "postAcknowledge": "Decision",
    "postResubmit": "LedgerOrder",
    "postDrain": "LedgerOrder",
}
QUERIES = {
    "getLedger": {"epoch": WHOLE},
    "getAudit": {"after": WHOLE},
    "getHistory": {
        "top": {**WHOLE, "minimum": 1, "maximum": TOP_MAX, "default": TOP_DEFAULT},
        "component": {"type": "string"},
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
        [(Failover, "validation"), (Decision, "validation"), (LedgerOrder, "validation")],
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
        "responses": {str(s): response(s, says) for s, says in answers(route).items()},
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


def response(status: int, says: str) -> dict:
    """Health answers 503 with its report; everything else that is no success is a problem."""
    if status < 400 or says.startswith("a check fails"):
        return {"description": says, "content": {"application/json": {"schema": {}}}}
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": says, "content": {"application/problem+json": {"schema": schema}}}


def parameters(route: Route) -> list[dict]:
    text = {"type": "string"}
    found: list[dict] = [
        {"name": part[1:-1], "in": "path", "required": True, "schema": text}
        for part in route.path.split("/")
        if part.startswith("{")
    ]
    if route.name == "postFailover":
        found.append({"name": "Idempotency-Key", "in": "header", "schema": text})
    queries = QUERIES.get(route.name, {}).items()
    return found + [{"name": name, "in": "query", "schema": schema} for name, schema in queries]
