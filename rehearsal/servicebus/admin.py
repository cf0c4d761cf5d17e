"""The player's own HTTP: queues and faults, for ARM's provider and for tests. JSON throughout.

`PUT/GET/DELETE /queues/{name}` with ARM's SBQueueProperties, `GET /queues`, `POST /faults`,
`GET /health`. Each request is done by the broker's thread and answered after its commit.
"""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote, urlsplit

from rehearsal.servicebus.broker import Broker
from rehearsal.servicebus.options import BadOptions
from rehearsal.servicebus.refusal import Refusal
from rehearsal.servicebus.server import Server

BODY_MAX_BYTES = 1 << 20
REQUEST_SECONDS_MAX = 30


class NoSuchPath(Exception):
    """Neither queues, faults nor health."""


def perform(server: Server, method: str, path: str, body: dict) -> dict:
    """One request's answer, in the broker's thread; raises what `STATUSES` names."""
    broker: Broker = server.hub.broker
    parts = [unquote(part) for part in urlsplit(path).path.strip("/").split("/", 1)]
    name = parts[1] if len(parts) > 1 else None
    if (method, parts[0], name) == ("GET", "health", None):
        return {
            "status": "ok",
            "queues": len(broker.properties),
            "connections": len(server.clients),
        }
    if (method, parts[0], name) == ("POST", "faults", None):
        times = body.get("times", 1)
        if not isinstance(times, int):
            raise ValueError("times must be a number")
        broker.fail(str(body.get("effect")), body.get("entity"), times)
        return {"faults": len(broker.faults)}
    if parts[0] != "queues":
        raise NoSuchPath(f"nothing at {path}")
    if method == "GET" and name is None:
        names = sorted(broker.properties)
        return {"value": [{"name": one, "properties": broker.describe(one)} for one in names]}
    return perform_on_queue(server, method, str(name), body)


def perform_on_queue(server: Server, method: str, name: str, body: dict) -> dict:
    broker = server.hub.broker
    if method == "PUT":
        properties = body.get("properties", body)
        return {"name": name, "properties": broker.put(name, properties)}
    if method == "GET":
        return {"name": name, "properties": broker.describe(name)}
    if method == "DELETE":
        broker.delete(name)
        server.hub.drop(name.lower())
        return {}
    raise NoSuchPath(f"no {method} of a queue")


STATUSES = {Refusal: 404, NoSuchPath: 404, BadOptions: 400, ValueError: 400, TimeoutError: 503}


def start_admin(server: Server, port: int = 0) -> ThreadingHTTPServer:
    """Serve on 127.0.0.1 in threads of its own; the port is in `server_port`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = REQUEST_SECONDS_MAX

        def handle_any(self) -> None:
            try:
                body = self.read_body()
                answer = server.call(lambda: perform(server, self.command, self.path, body))
                self.reply(200, answer)
            except tuple(STATUSES) as no:
                status = next(code for kind, code in STATUSES.items() if isinstance(no, kind))
                self.reply(status, {"error": {"code": type(no).__name__, "message": str(no)}})

        do_GET = do_PUT = do_POST = do_DELETE = handle_any

        def read_body(self) -> dict:
            length = int(self.headers.get("Content-Length") or 0)
            if length > BODY_MAX_BYTES:
                raise ValueError("the body is too large")
            body = json.loads(self.rfile.read(length) or b"{}")
            if not isinstance(body, dict):
                raise ValueError("the body must be an object")
            return body

        def reply(self, status: int, body: object) -> None:
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet: the stage logs what it asks for."""

    admin = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    admin.daemon_threads = True
    Thread(target=admin.serve_forever, name="servicebus-admin", daemon=True).start()
    return admin
