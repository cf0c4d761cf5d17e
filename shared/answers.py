"""Answers: what HTTP callers get, from work that knows nothing of HTTP but the status."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import azure.functions as func

from shared import access
from shared.problem import Problem, problem
from shared.reply import Surprise
from shared.settings import settings

PROBLEM = "application/problem+json"
AGAIN = "ask again, the same request may be repeated"
PRINCIPAL = "x-ms-client-principal"


async def answer(
    req: func.HttpRequest,
    role: str,
    work: Callable[..., tuple],
    gather: Callable[[], Awaitable[object]] | None = None,
) -> func.HttpResponse:
    """Admit the caller and do the blocking `work` in a thread; a Problem is an answer too.

    `gather` finds, once the caller is admitted, what `work` takes.
    """
    try:
        admit(req, role)
        told = [await gather()] if gather else []
        status, body, *headers = await asyncio.to_thread(work, *told)
    except Problem as trouble:
        return reply(trouble.body["status"], trouble.body)
    except Surprise as silent:
        return reply(503, problem(503, "Out of reach", f"{silent}: {AGAIN}"))
    return reply(status, body, *headers)


def reply(status: int, body: dict | str, headers: dict | None = None) -> func.HttpResponse:
    """JSON, a problem where the body is one, or a text of the Content-Type in `headers`."""
    more = dict(headers or {})
    kind = more.pop("Content-Type", PROBLEM if "detail" in body else "application/json")
    text = body if isinstance(body, str) else json.dumps(body)
    return func.HttpResponse(text, status_code=status, mimetype=kind, headers=more)


def admit(req: func.HttpRequest, role: str) -> None:
    """In `entra` mode the platform let every identity in; here its role decides."""
    if settings().api_auth != "entra":
        return
    verdict = access.admits(req.headers.get(PRINCIPAL), role)
    if not verdict["allowed"]:
        raise Problem(problem(verdict["status"], "Not allowed", verdict["because"]))


def caller(req: func.HttpRequest) -> str:
    """Who asks, as `access.who` writes it; "" in `key` mode, where that is for the body to say."""
    return access.who(req.headers.get(PRINCIPAL)) if settings().api_auth == "entra" else ""
