"""HTTP triggers: routes, keys, and func.HttpRequest in, HttpResponse out."""

from __future__ import annotations

import hmac
import logging
import re
from dataclasses import dataclass

import azure.functions as func
from aiohttp import web

from rehearsal.host.index import Function, methods_of, route_of
from rehearsal.host.invoke import Invoker

log = logging.getLogger("host.http")
BODY_BYTES_MAX = 100 * 1024 * 1024
PARAMETER = re.compile(r"^\{(?P<star>\*?)(?P<name>\w+)(?P<type>:\w+)?(?P<optional>\??)\}$")
PATTERNS = {None: "[^/]+", ":int": r"-?\d+", ":alpha": "[A-Za-z]+", ":guid": "[0-9a-fA-F-]{36}"}


@dataclass(frozen=True)
class Keys:
    """The app's keys: `read` opens function level, `master` everything, `system` the webhooks."""

    read: str
    master: str
    system: str

    def allow(self, level: str, given: str | None) -> bool:
        """Whether a key opens an auth level (anonymous, function, admin or system)."""
        if level == "anonymous":
            return True
        accepted = {
            "function": (self.read, self.master),
            "system": (self.system, self.master),
            "admin": (self.master,),
        }[level]
        text = (given or "").encode()
        return any(hmac.compare_digest(text, each.encode()) for each in accepted)


@dataclass(frozen=True)
class Route:
    """One HTTP function's address."""

    function: Function
    pattern: re.Pattern[str]
    methods: frozenset[str]
    level: str
    # Literal segments win over parameters, as in ASP.NET routing.
    rank: tuple[int, ...]


def route(function: Function) -> Route:
    """The route of an HTTP function."""
    pattern, rank = "", []
    for segment in [each for each in route_of(function).split("/") if each]:
        found = PARAMETER.match(segment)
        rank.append(1 if found else 0)
        pattern += as_pattern(found) if found else "/" + re.escape(segment)
    level = function.trigger.get("authLevel", "function")
    return Route(
        function,
        re.compile(f"^{pattern}/?$", re.IGNORECASE),
        frozenset(methods_of(function)),
        str(getattr(level, "value", level)).lower(),
        tuple(rank),
    )


def as_pattern(found: re.Match[str]) -> str:
    """The regular expression of one `{parameter}` segment."""
    name = found["name"]
    if found["star"]:
        return f"(?:/(?P<{name}>.*))?"
    inner = PATTERNS.get(found["type"], "[^/]+")
    one = f"/(?P<{name}>{inner})"
    return f"(?:{one})?" if found["optional"] else one


class HttpTriggers:
    """Serves the HTTP functions under the prefix of host.json."""

    def __init__(
        self, functions: list[Function], invoker: Invoker, keys: Keys, prefix: str
    ) -> None:
        found = [route(each) for each in functions if each.kind == "httpTrigger"]
        self._routes = sorted(found, key=lambda each: each.rank)
        self._invoker = invoker
        self._keys = keys
        self._prefix = f"/{prefix}" if prefix else ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request: 404 for no route, 401 without the key, 500 when the app raises."""
        path = request.path
        if not path.startswith(self._prefix):
            return web.Response(status=404)
        for each in self._routes:
            found = each.pattern.match(path[len(self._prefix) :])
            if found and (not each.methods or request.method in each.methods):
                return await self._answer(each, found, request)
        return web.Response(status=404)

    async def _answer(
        self, each: Route, found: re.Match[str], request: web.Request
    ) -> web.StreamResponse:
        if not self._keys.allow(each.level, given_key(request)):
            return web.Response(status=401)
        incoming = func.HttpRequest(
            request.method,
            str(request.url),
            headers=dict(request.headers),
            params=query_of(request),
            route_params={k: v for k, v in found.groupdict().items() if v is not None},
            body=await request.read(),
        )
        try:
            result = await self._invoker.call(each.function, incoming)
        # The app's own failure is answered and logged; the host goes on.
        except Exception:
            log.exception("function failed", extra={"function": each.function.name})
            return web.Response(status=500)
        return as_response(result)


def query_of(request: web.Request) -> dict[str, str]:
    """The query as a worker gets it: what is given twice is joined by a comma, what is empty is
    left out (azure-functions-host, ToRpcHttp)."""
    told = {name: ",".join(request.query.getall(name)) for name in request.query}
    return {name: text for name, text in told.items() if text}


def given_key(request: web.Request) -> str | None:
    """The key that a request brings, by header or by query."""
    return request.headers.get("x-functions-key") or request.query.get("code")


def as_response(result: object) -> web.Response:
    """What an HTTP function returned, on the wire; nothing is 204 as in Azure."""
    if result is None:
        return web.Response(status=204)
    if not isinstance(result, func.HttpResponse):
        return web.Response(text=str(result))
    headers = dict(result.headers)
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = f"{result.mimetype}; charset={result.charset}"
    return web.Response(body=result.get_body(), status=result.status_code, headers=headers)
