"""Tests at the wire: an in-process ARM on a thread, with its authority, tokens and SDK clients.

`open_wire(folder)` gives a `Wire`; `check_exchanges(rows)` lets Microsoft's published contracts
judge what went over it.
"""

import asyncio
import functools
import importlib.util
import threading
import warnings
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TypeVar, cast
from urllib.parse import urlsplit

import pytest
import requests
from azure.core.credentials import AccessToken
from azure.mgmt.apimanagement import ApiManagementClient
from azure.mgmt.logic import LogicManagementClient
from azure.mgmt.trafficmanager import TrafficManagerManagementClient

from rehearsal import arm, certificates, identity
from rehearsal.world import World

T = TypeVar("T")
DEFINITIONS = Path(__file__).resolve().parents[1].parent / "shared" / "azure-api"
AUDIENCE = "https://management.azure.com"
READY_SECONDS = 20
# Azure answers these too, but the published documents that are at hand do not have them.
UNPUBLISHED = ("/metadata/endpoints", "/subscriptions", "/tenants")
# A nextLink is opaque to clients; what the service puts into it is its own affair.
NEXT_LINK = "unknown query parameter $skiptoken"


class Token:
    """A credential whose tokens say that they are `oid`'s."""

    def __init__(self, world: World, oid: str) -> None:
        self._world, self._oid = world, oid

    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        """A fresh token for the scope's audience."""
        audience = scopes[0].removesuffix("/.default") if scopes else AUDIENCE
        now = self._world.now
        token = identity.mint(self._world, self._oid, audience, now)
        return AccessToken(token, int((now + identity.TOKEN_LIFE).timestamp()))


@dataclass
class Wire:
    """An ARM that answers, and ways to ask it."""

    world: World
    arm: arm.Arm
    identity: identity.Identity
    authority: certificates.Authority
    loop: asyncio.AbstractEventLoop
    oid: str
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def subscription(self) -> str:
        """`/subscriptions/{id}`."""
        return f"/subscriptions/{self.world.subscription_id}"

    @property
    def bundle(self) -> str:
        """What clients trust."""
        return str(self.authority.bundle)

    def run(self, work: Coroutine[object, object, T]) -> T:
        """Do something on ARM's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(READY_SECONDS)

    def ask(
        self,
        method: str,
        path: str,
        body: dict | str | None = None,
        headers: dict[str, str] | None = None,
        token: str | None = None,
    ) -> requests.Response:
        """One request with the test's token; `path` is a whole URL or starts at the root."""
        url = path if path.startswith("https://") else f"{self.arm.url}{path}"
        bearer = Token(self.world, self.oid).get_token().token if token is None else token
        known = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return self.session.request(
            method,
            url,
            json=body if isinstance(body, dict) else None,
            data=body if isinstance(body, str) else None,
            headers=known | (headers or {}),
            verify=self.bundle,
            timeout=READY_SECONDS,
        )

    def logic(self) -> LogicManagementClient:
        """The official client of Microsoft.Logic."""
        return LogicManagementClient(**self._options())

    def apim(self) -> ApiManagementClient:
        """The official client of Microsoft.ApiManagement."""
        return ApiManagementClient(**self._options())

    def traffic(self) -> TrafficManagerManagementClient:
        """The official client of Traffic Manager."""
        return TrafficManagerManagementClient(**self._options())

    def _options(self) -> dict:
        return {
            "credential": Token(self.world, self.oid),
            "subscription_id": self.world.subscription_id,
            "base_url": self.arm.url,
            "credential_scopes": [f"{AUDIENCE}/.default"],
            "connection_verify": self.bundle,
            "polling_interval": 0.05,
            "retry_total": 0,
        }


def small_world() -> World:
    """Two locations, a resource group in each and one between them; everything is quick."""
    world = World(latency_seconds=0.0, hold_seconds=0.2, poll_seconds=0)
    world.timings = dict.fromkeys(world.timings, 0.1)
    root = f"/subscriptions/{world.subscription_id}"
    world.resources.place(root, {})
    for name, location in (("rg-we", "westeurope"), ("rg-ne", "northeurope")):
        world.recover(location)
        world.resources.place(f"{root}/resourceGroups/{name}", {"location": location})
    return world


@contextmanager
def open_wire(folder: Path, world: World | None = None) -> Iterator[Wire]:
    """Serve a world on a thread of its own until the block ends."""
    world = world or small_world()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def run(work: Coroutine[object, object, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result(READY_SECONDS)

    authority = certificates.Authority(folder)
    served = run(arm.start(world, authority.leaf("arm").server()))
    tokens = run(identity.start(world))
    tokens.admit("tester", "northeurope")
    oid = next(iter(tokens.headers.values()))
    wire = Wire(world, served, tokens, authority, loop, oid)
    try:
        yield wire
    finally:
        wire.session.close()
        run(tokens.stop())
        run(served.stop())
        run(asyncio.sleep(0.05))  # TLS connections say goodbye before the loop ends.
        loop.call_soon_threadsafe(loop.stop)
        thread.join(READY_SECONDS)
        loop.close()


@functools.cache
def _oracle_module() -> ModuleType | None:
    file = DEFINITIONS / "oracle.py"
    spec = importlib.util.spec_from_file_location("oracle", file) if file.exists() else None
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@functools.cache
def _documents() -> object:
    module = _oracle_module()
    if module is None:
        pytest.skip("Microsoft's published definitions not at hand")
    with warnings.catch_warnings():
        # The judge leaves its files to the collector; that is not what is on trial here.
        warnings.simplefilter("ignore", ResourceWarning)
        return module.Oracle(["openapi-sdk", "openapi"], strict=True, tolerate_enums=True)


def problems_of(rows: list[dict]) -> list[str]:
    """What the published contracts have against these journal rows (enum notes left out)."""
    oracle = cast("ModuleType", _documents())
    oracle.polls.clear()
    found = []
    for row in rows:
        path = urlsplit(row["url"]).path.rstrip("/")
        body = row["response_body"]
        injected = isinstance(body, str) or row["status"] in (0, 501)
        if path in UNPUBLISHED or path.count("/") == 2 and path.startswith("/subscriptions/"):
            continue
        # A request that was refused as bad may well break the contract.
        ask = (row["method"], row["url"], row["request_headers"], row["request_body"])
        told = [] if row["status"] in (400, 501) else oracle.check_request(*ask)
        if not injected:
            told += oracle.check_response(
                row["method"], row["url"], row["status"], row["response_headers"], body
            )
        found += [
            f"{row['n']}: {row['method']} {path} -> {row['status']}: {problem}"
            for problem in told
            if not problem.startswith("~") and problem != NEXT_LINK
        ]
    return found


def definitions_at_hand() -> bool:
    """Do Microsoft's published definitions lie beside the project?"""
    return _oracle_module() is not None


def check_exchanges(rows: list[dict]) -> None:
    """Every exchange is as Microsoft published it; skips where the definitions are not at hand."""
    problems = problems_of(rows)
    assert not problems, "\n".join(problems)
