"""One function app, served: HTTP, timers, Service Bus and durable functions in one process."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from rehearsal.host import index, invoke
from rehearsal.host.bus import Listener
from rehearsal.host.config import Config
from rehearsal.host.durable.clock import Clock, SystemClock
from rehearsal.host.durable.engine import Engine
from rehearsal.host.durable.store import Store
from rehearsal.host.durable_api import DurableApi, Handler, refusals
from rehearsal.host.http import BODY_BYTES_MAX, HttpTriggers, Keys, given_key
from rehearsal.host.index import Function
from rehearsal.host.timers import Timers

WEBHOOKS = "/runtime/webhooks/durabletask"
RPC = "/durabletask"
SHUTDOWN_SECONDS = 3.0


@dataclass(frozen=True)
class Options:
    """How to serve an app; port 0 takes any. Keys left out are made up."""

    name: str
    database: Path | str
    port: int = 0
    read_key: str | None = None
    master_key: str | None = None


class Host:
    """A running function app: `url`, `functions`, and `stop()`."""

    def __init__(
        self,
        functions: list[Function],
        config: Config,
        options: Options,
        clock: Clock | None = None,
    ) -> None:
        self.functions = functions
        self._options = options
        self._begun = time.monotonic()
        self._invoker = invoke.Invoker(config.threads)
        self._store = Store(options.database)
        self.keys = Keys(
            read=options.read_key or secrets.token_urlsafe(24),
            master=options.master_key or secrets.token_urlsafe(24),
            system=self._store.fact("system-key", secrets.token_urlsafe(24)),
        )
        self._config = config
        self._clock = clock or SystemClock()
        self.engine = self._engine(config)
        self._timers = Timers(functions, self._invoker, config, self._clock)
        found = [each for each in functions if each.kind == "serviceBusTrigger"]
        self._listeners = [Listener(each, self._invoker, config) for each in found]
        self._triggers = HttpTriggers(functions, self._invoker, self.keys, config.route_prefix)
        self._runners: list[web.AppRunner] = []
        self.url = ""

    def _engine(self, config: Config) -> Engine:
        by_kind = {
            kind: [each for each in self.functions if each.kind == kind]
            for kind in ("orchestrationTrigger", "activityTrigger")
        }
        return Engine(
            self._store,
            {
                each.trigger.get("orchestration") or each.name: invoke.orchestrator(each)
                for each in by_kind["orchestrationTrigger"]
            },
            {
                each.trigger.get("activity") or each.name: self._invoker.activity(each)
                for each in by_kind["activityTrigger"]
            },
            clock=self._clock,
            activities_max=config.activities_max,
            timeout_seconds=config.timeout_seconds,
        )

    async def start(self) -> None:
        """Open the ports, then take up the work; OSError when a port is taken."""
        api = DurableApi(self.engine, self._management)
        # Azure's workers speak to the extension over a port of their own, without keys.
        rpc = web.Application(middlewares=[refusals], client_max_size=BODY_BYTES_MAX)
        rpc.add_routes(api.routes(RPC))
        rpc_url = await self._serve(rpc, 0)
        app = web.Application(client_max_size=BODY_BYTES_MAX)
        hooks = web.Application(middlewares=[self._webhook_key, refusals])
        hooks.add_routes(api.routes(""))
        app.add_subapp(WEBHOOKS, hooks)
        app.router.add_get("/admin/host/status", self._status)
        app.router.add_route("*", "/{path:.*}", self._triggers.handle)
        self.url = await self._serve(app, self._options.port)
        self._invoker.client_binding = invoke.client_binding(
            self._config.hub, f"{rpc_url}{RPC}/", self.url, self.keys.system
        )
        await self.engine.start()
        self._timers.start()
        for each in self._listeners:
            each.start()

    async def _serve(self, app: web.Application, port: int) -> str:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        self._runners.append(runner)
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Stop taking work, end what runs within seconds, close the ports."""
        # A client takes up to a second to close; all at once, a stop stays within seconds.
        await asyncio.gather(*(each.stop() for each in self._listeners), self._timers.stop())
        await self.engine.stop()
        for runner in reversed(self._runners):
            await runner.cleanup()
        self._invoker.close()
        self._store.close()

    @web.middleware
    async def _webhook_key(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not self.keys.allow("system", given_key(request)):
            return web.Response(status=401)
        return await handler(request)

    def _management(self, instance: str) -> dict:
        base = f"{self.url}{WEBHOOKS}/instances/{instance}"
        query = f"taskHub={self._config.hub}&connection=Storage&code={self.keys.system}"
        return {
            "id": instance,
            "statusQueryGetUri": f"{base}?{query}",
            "sendEventPostUri": f"{base}/raiseEvent/{{eventName}}?{query}",
            "terminatePostUri": f"{base}/terminate?reason={{text}}&{query}",
            "suspendPostUri": f"{base}/suspend?reason={{text}}&{query}",
            "resumePostUri": f"{base}/resume?reason={{text}}&{query}",
            "purgeHistoryDeleteUri": f"{base}?{query}",
        }

    async def _status(self, request: web.Request) -> web.Response:
        if not self.keys.allow("admin", given_key(request)):
            return web.Response(status=401)
        return web.json_response(
            {
                "id": self._options.name,
                "state": "Running",
                "version": "4.0.0-understudy",
                "processUptime": int((time.monotonic() - self._begun) * 1000),
                "functions": [each.name for each in self.functions],
            }
        )


def load(folder: Path, config: Config, options: Options, clock: Clock | None = None) -> Host:
    """A host for the app in `folder`, not yet started; IndexingRefused."""
    return Host(index.load(folder), config, options, clock)
