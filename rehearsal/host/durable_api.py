"""The Durable HTTP API, as the SDK's client and the status URLs call it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from aiohttp import web

from rehearsal.host.durable import history
from rehearsal.host.durable.engine import Engine, Gone, NotFound
from rehearsal.host.durable.ledger import AlreadyRunning, BadInstanceId
from rehearsal.host.durable.store import FINISHED, Instance

PAGE = 100
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn the engine's refusals into the extension's status codes."""
    try:
        return await handler(request)
    except NotFound as problem:
        return web.json_response({"Message": str(problem)}, status=404)
    except Gone as problem:
        return web.json_response({"Message": str(problem)}, status=410)
    except AlreadyRunning as problem:
        return web.json_response({"Message": str(problem)}, status=409)
    except (BadInstanceId, json.JSONDecodeError) as problem:
        return web.json_response({"ExceptionMessage": str(problem)}, status=400)


class DurableApi:
    """Handlers over one engine; `management` gives the status URLs of an instance."""

    def __init__(self, engine: Engine, management: Callable[[str], dict]) -> None:
        self._engine = engine
        self._management = management

    def routes(self, prefix: str) -> list[web.RouteDef]:
        """Every route under `prefix`."""
        one = f"{prefix}/instances/{{instance}}"
        return [
            web.post(f"{prefix}/orchestrators/{{name}}", self.start),
            web.post(f"{prefix}/orchestrators/{{name}}/{{instance}}", self.start),
            web.get(f"{prefix}/instances", self.list),
            web.get(f"{prefix}/instances/", self.list),
            web.delete(f"{prefix}/instances", self.purge_many),
            web.delete(f"{prefix}/instances/", self.purge_many),
            web.get(one, self.status),
            web.delete(one, self.purge),
            web.post(f"{one}/raiseEvent/{{event}}", self.raise_event),
            web.post(f"{one}/{{verb:terminate|suspend|resume}}", self.control),
            web.post(f"{one}/restart", self.restart),
        ]

    async def start(self, request: web.Request) -> web.Response:
        """Start an orchestration; 400 for an unknown one, 409 for an id that is running."""
        text = await request.text()
        check_json(text)
        name, instance = request.match_info["name"], request.match_info.get("instance")
        version = request.query.get("version")
        try:
            chosen = self._engine.start_instance(name, instance, text or None, version)
        except NotFound as problem:
            return web.json_response({"ExceptionMessage": str(problem)}, status=400)
        return self._accepted(chosen)

    def _accepted(self, instance: str) -> web.Response:
        links = self._management(instance)
        headers = {"Location": links["statusQueryGetUri"], "Retry-After": "10"}
        return web.json_response(links, status=202, headers=headers)

    async def status(self, request: web.Request) -> web.Response:
        """The status of an instance: 202 while it goes on, 200 when it has ended."""
        found = self._engine.instance(request.match_info["instance"])
        body = describe(found, flag(request, "showInput", True))
        if flag(request, "showHistory", False):
            with_output = flag(request, "showHistoryOutput", False)
            rows = self._engine.store.history(found.id)
            body["historyEvents"] = [readable(each, with_output) for each in rows]
        status = 200 if found.finished else 202
        if found.status == "Failed" and flag(request, "returnInternalServerErrorOnFailure", False):
            status = 500
        return web.json_response(body, status=status)

    async def list(self, request: web.Request) -> web.Response:
        """Instances by status, time of creation and prefix of the id."""
        top = int(request.query.get("top", PAGE))
        skip = int(request.headers.get("x-ms-continuation-token") or 0)
        found = self._select(request, skip + top + 1)[skip:]
        show = flag(request, "showInput", True)
        token = str(skip + top) if len(found) > top else ""
        headers = {"x-ms-continuation-token": token}
        return web.json_response([describe(each, show) for each in found[:top]], headers=headers)

    def _select(self, request: web.Request, limit: int = -1) -> list[Instance]:
        where, values = ["1 = 1"], []
        statuses = [each for each in request.query.get("runtimeStatus", "").split(",") if each]
        if statuses:
            where.append(f"status in ({','.join('?' * len(statuses))})")
            values.extend(statuses)
        for key, operator in (("createdTimeFrom", ">="), ("createdTimeTo", "<=")):
            if key in request.query:
                where.append(f"created_at {operator} ?")
                values.append(history.stamp(moment(request.query[key])))
        prefix = request.query.get("instanceIdPrefix")
        if prefix:
            where.append("substr(id, 1, ?) = ?")
            values.extend([len(prefix), prefix])
        return self._engine.store.instances(" and ".join(where), tuple(values), limit)

    async def purge(self, request: web.Request) -> web.Response:
        """Forget an ended instance; 404 for any other."""
        found = self._engine.instance(request.match_info["instance"])
        if not found.finished:
            raise NotFound(f"Instance {found.id} has not ended.")
        return self._purge([found])

    async def purge_many(self, request: web.Request) -> web.Response:
        """Forget ended instances by the filters of `list`."""
        found = [each for each in self._select(request) if each.status in FINISHED]
        if not found:
            raise NotFound("No instance to purge.")
        return self._purge(found)

    def _purge(self, found: list[Instance]) -> web.Response:
        with self._engine.store.transaction():
            for each in found:
                self._engine.store.purge(each.id)
        return web.json_response({"instancesDeleted": len(found)})

    async def raise_event(self, request: web.Request) -> web.Response:
        """Deliver an event; the body is its payload, JSON."""
        text = await request.text()
        check_json(text)
        info = request.match_info
        self._engine.raise_event(info["instance"], info["event"], text or None)
        return web.Response(status=202)

    async def control(self, request: web.Request) -> web.Response:
        """Terminate, suspend or resume."""
        act = getattr(self._engine, request.match_info["verb"])
        act(request.match_info["instance"], request.query.get("reason", ""))
        return web.Response(status=202)

    async def restart(self, request: web.Request) -> web.Response:
        """Start an ended instance's orchestration again with the same input and a new id."""
        found = self._engine.instance(request.match_info["instance"])
        same = not flag(request, "restartWithNewInstanceId", True)
        chosen = self._engine.start_instance(found.name, found.id if same else None, found.input)
        return self._accepted(chosen)


def describe(found: Instance, show_input: bool) -> dict:
    """An instance as the status API shows it."""
    return {
        "name": found.name,
        "instanceId": found.id,
        "runtimeStatus": found.status,
        "input": parse(found.input) if show_input else None,
        "customStatus": parse(found.custom_status),
        "output": parse(found.output),
        "createdTime": found.created_at,
        "lastUpdatedTime": found.updated_at,
    }


def readable(row: history.Row, with_output: bool) -> dict:
    """A history event as the status API shows it: its type as a word."""
    event = json.loads(row.data)
    event["EventType"] = history.EVENT_NAMES[row.type]
    event.pop("Of", None)
    if not with_output:
        event.pop("Result", None)
        event.pop("Input", None)
    return event


def flag(request: web.Request, name: str, default: bool) -> bool:
    """A true-or-false query parameter."""
    return request.query.get(name, str(default)).lower() == "true"


def moment(text: str) -> datetime:
    """An instant of a query; without a zone it is UTC."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def check_json(text: str) -> None:
    """JSONDecodeError unless the text is empty or JSON."""
    if text:
        json.loads(text)


def parse(text: str | None) -> object:
    """A JSON text's value; None for no text."""
    return None if text is None else json.loads(text)
