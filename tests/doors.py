"""Doors: Contoso behind one egress, so that activities meet real wires under Azure's names.

ARM, identity, Azurites and a Service Bus player are the rehearsal's; `Strangers` are every other
host. One set serves all tests of a session.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import cast

import pytest
from aiohttp import web

from activities import ACTIVITIES, health, slips, witness
from rehearsal import batch, estate_faults, stage_buses, stage_storage
from rehearsal import estate as estates
from rehearsal.arm_throttle import LIMITS
from rehearsal.blobs import HttpBlobs
from rehearsal.estate import Estate
from rehearsal.estate_seed import seed
from rehearsal.network import Forwarder, start_egress, start_forwarder
from rehearsal.stage_buses import Players
from rehearsal.stage_storage import Storage
from rehearsal.traffic_answers import Resolver
from rehearsal.world import Address, World
from shared import clients, guard
from shared.plan import Plan, load
from shared.record import fresh, stamp
from tests.judgement import WORLDS
from tests.wire import Wire, open_wire

CALLS = {one.__name__: one for one in (*ACTIVITIES, slips.poison_slip, witness.renew_lease)}
HERE, THERE = "northeurope", "westeurope"
HOSTS = {
    "apim-contoso-we.azure-api.net": THERE,
    "apim-contoso-ne.azure-api.net": HERE,
    "func-contoso-we.azurewebsites.net": THERE,
    "func-contoso-ne.azurewebsites.net": HERE,
    "prod-we.westeurope.logic.azure.com": THERE,
    "prod-ne.northeurope.logic.azure.com": HERE,
    "control.example.net": "",
    "alerts.example.net": "",
}
NOWHERE = Address(0, "", "data")


@dataclass
class Strangers:
    """Answers for hosts that are not under test: 200, or what a test puts into `answers`.

    An app that the world wants stopped answers as its front does; one with a wrong clock tells it.
    """

    world: World
    answers: dict[str, tuple[int, str]] = field(default_factory=dict)  # host + path -> answer
    heard: list[dict] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        """One answer, and a note of what was asked."""
        where = f"{request.host}{request.path}"
        text = await request.text()
        bearer = request.headers.get("Authorization", "")
        asked = {"query": request.query_string, "body": text, "bearer": bearer}
        self.heard.append({"where": where, "method": request.method, **asked})
        at = self.world.hosts.get(request.host) or NOWHERE
        if at.scope == "functions" and at.location in self.world.stopped:
            return web.Response(status=503, text="The service is unavailable.")
        status, body = self.answers.get(where, (200, "{}"))
        reply = web.Response(status=status, text=body, content_type="application/json")
        off = self.world.clock_seconds.get(at.location, 0.0) if at.scope == "functions" else 0.0
        if off:
            told = datetime.now(UTC) + timedelta(seconds=off)
            reply.headers["Date"] = format_datetime(told, usegmt=True)
        return reply


@dataclass
class Doors:
    """Contoso, and how to call an activity in it."""

    wire: Wire
    storage: Storage
    buses: Players
    strangers: Strangers
    plan: Plan
    plan_text: str
    settings: dict[str, str] = field(default_factory=dict)  # Of the app in northeurope.

    @property
    def world(self) -> World:
        """The truth behind the doors."""
        return self.wire.world

    def call(self, name: str, payload: dict) -> dict:
        """Call an activity as the host does: JSON in, JSON out."""
        return json.loads(json.dumps(CALLS[name](json.loads(json.dumps(payload)))))

    def hold(self, **changes: object) -> None:
        """The witness's record: run-1 moves the plan here at epoch 1, but for these changes."""
        self.write(**changes)
        guard.forget()

    def write(self, **changes: object) -> None:
        """The same, while the guard remembers what it was before."""
        run = {"id": "run-1", "phase": "activate", "mode": "forced", "from": THERE, "to": HERE}
        run |= {"at": stamp(datetime.now(UTC)), "by": "test", "reason": "", "because": ""}
        record = fresh(self.plan.document, datetime.now(UTC))
        held = {**record, "epoch": 1, "active": HERE, "run": run, **changes}
        self.lay(
            "stcontosowitness", "understudy", f"{self.plan.name}.json", json.dumps(held).encode()
        )

    def task(self, component: str, verb: str, location: str = HERE) -> dict:
        """A Task as orchestrations make them, of the run that holds the record."""
        self.hold()
        return {
            "plan": self.plan.name,
            "run": "run-1",
            "stage": "activate",
            "epoch": 1,
            "verb": verb,
            "location": location,
            "component": self.plan.component(component, location),
            "witness": self.plan.document["witness"],
        }

    def look(self, **more: object) -> dict:
        """What an observer of the active location is told."""
        document = self.plan.document
        common = {"plan": document, "location": THERE, "witness": document["witness"]}
        return {**common, "timeoutSeconds": 0.5, **more}

    def sent(self, since: int, method: str) -> list[str]:
        """The URLs of ARM requests with this method after journal row `since`."""
        rows = self.world.journal.after(since)
        return [row["url"] for row in rows if row["method"] == method]

    def mark(self) -> int:
        """The journal's end as of now."""
        rows = self.world.journal.after(0)
        return rows[-1]["n"] if rows else 0

    def lay(self, account: str, container: str, name: str, data: bytes) -> None:
        """Write a blob from outside the world."""
        with self.storage.client(account) as service:
            service.get_blob_client(container, name).upload_blob(data, overwrite=True)

    def drop(self, account: str, container: str, name: str) -> None:
        """Delete a blob from outside the world, if it is there."""
        if name in self.storage.names(account, container):
            with self.storage.client(account) as service:
                service.get_blob_client(container, name).delete_blob()

    def empty(self, queue: str) -> None:
        """Take every message out of a slip queue of this location."""
        from azure.servicebus import ServiceBusReceiveMode

        told = self.wire.run(self.buses.counts("sb-contoso-ne", queue.partition("/")[0]))
        if not any(told["countDetails"].values()):
            return  # To open a receiver takes a second.
        with clients.bus(HERE).get_queue_receiver(
            queue, receive_mode=ServiceBusReceiveMode.RECEIVE_AND_DELETE, prefetch_count=0
        ) as receiver:
            receiver.receive_messages(max_message_count=50, max_wait_time=1)

    @contextmanager
    def led(self) -> Iterator["Doors"]:
        """This process is the app until the block ends: its settings, its way out."""
        with pytest.MonkeyPatch.context() as patch:
            for key, value in self.settings.items():
                patch.setenv(key, value)
            yield self

    def fill_buckets(self) -> None:
        """As much may be asked of ARM as after a long silence."""
        for kind, limit in LIMITS.items():
            self.wire.arm.throttle.set_limit(kind, *limit)

    def whole(self) -> None:
        """Nothing is wrong in the world any more, and ARM's buckets are full."""
        self.fill_buckets()
        self.world.faults.clear()
        self.world.heal()
        for name in list(self.world.locations):
            self.world.recover(name)
        self.strangers.answers.clear()
        self.strangers.heard.clear()
        health.forget()
        guard.forget()
        for name in self.storage.names("stcontosone", "understudy"):
            if name in (f"claims/{self.plan.name}.json", f"watch/{self.plan.name}.json"):
                self.drop("stcontosone", "understudy", name)  # What it vouches for hangs on both.


@contextmanager
def open_doors(folder: Path) -> Iterator[Doors]:
    """Contoso on loopback until the block ends, and this process led through its doors."""
    with made_doors(folder) as doors, doors.led():
        yield doors


@contextmanager
def made_doors(
    folder: Path, estate: Path = estates.DEFAULT, networked: bool = False
) -> Iterator[Doors]:
    """Contoso on loopback until the block ends; who goes through its doors is `led`.

    What is wrong in the estate is wrong here too, but for what is alone. `networked`: an outage
    meets the slips too, which else are reached by no network.
    """
    scene = estate_faults.planted(estates.load(estate))
    world = World(latency_seconds=0.0, hold_seconds=8.0, poll_seconds=0, refuse_when_cut=False)
    furnish(world, scene.estate)
    WORLDS.append(world)
    with open_wire(folder, world) as wire:
        leaf = wire.authority.leaf("doors", *HOSTS, regions=(HERE, THERE))
        strangers = Strangers(world)
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", strangers.handle)
        runner = web.AppRunner(app, access_log=None)

        async def listen() -> int:
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=leaf.server()).start()
            return cast(int, runner.addresses[0][1])

        port = wire.run(listen())
        for host, location in HOSTS.items():
            world.hosts[host] = Address(port, location, "functions" if "func" in host else "data")
        storage = wire.run(stage_storage.start(world, scene, leaf, wire.authority.bundle, folder))
        buses = wire.run(stage_buses.start(scene.estate, folder))
        world.blobs = HttpBlobs(world, wire.authority.client())
        accounts = wire.run(batch.start(world, leaf.server()))
        egress = wire.run(start_egress(world, HERE, Resolver(world).find))
        ways = _ways(wire, buses, scene.estate) if networked else {}
        clients.forget()
        known = load(scene.plan_text)
        settings = environment(wire, scene.estate, buses, ways, egress.url)
        try:
            yield Doors(wire, storage, buses, strangers, known, scene.plan_text, settings)
        finally:
            clients.forget()
            for end in (egress.stop, accounts.stop, storage.stop, buses.stop, runner.cleanup):
                wire.run(end())
            for way in ways.values():
                wire.run(way.stop())


def furnish(world: World, estate: Estate) -> None:
    """Make the estate in a world, and what is wrong in it: quick, and with roles enforced."""
    seed(world, estate.model_copy(update={"rolesEnforced": True}))
    world.latency_seconds = 0.0
    world.timings = dict.fromkeys(world.timings, 0.2)
    estate_faults.spoil(world, estate)


def _ways(wire: Wire, buses: Players, estate: Estate) -> dict[str, Forwarder]:
    """The way from here to each location's slips."""
    made = {}
    for name, place in estate.locations.items():
        target = Address(buses.players[place.slips].port, name, "servicebus")
        made[name] = wire.run(start_forwarder(wire.world, HERE, target))
    return made


def environment(
    wire: Wire, estate: Estate, buses: Players, ways: dict[str, Forwarder], proxy: str
) -> dict[str, str]:
    """The settings of the app in northeurope."""
    header = wire.identity.admit("func-contoso-ne", HERE)
    slips = {
        name: buses.players[place.slips].connection_string(ways[name].port if ways else None)
        for name, place in estate.locations.items()
    }
    wire.world.principals[wire.oid] = ("tester", "")  # A person, whom no role binds.
    return {
        "LOCATION": HERE,
        "ARM_ENDPOINT": wire.arm.url,
        "ARM_AUDIENCE": "https://management.azure.com",
        "AzureWebJobsStorage__blobServiceUri": "https://stcontosone.blob.core.windows.net",
        "SLIPS": slips[HERE],
        "SLIPS_WESTEUROPE": slips[THERE],
        "WATCHDOG_SCHEDULE": "*/5 * * * * *",
        "HEARTBEAT_SCHEDULE": "*/10 * * * * *",
        "BACKUP_SCHEDULE": "0 */5 * * * *",
        "ALERT_WEBHOOK": "https://alerts.example.net/hook",
        "IDENTITY_ENDPOINT": wire.identity.endpoint,
        "IDENTITY_HEADER": header,
        "REQUESTS_CA_BUNDLE": wire.bundle,
        "SSL_CERT_FILE": wire.bundle,
        "HTTPS_PROXY": proxy,
        "HTTP_PROXY": proxy,
        "NO_PROXY": "127.0.0.1,localhost",
        **estate_faults.settings(estate, HERE),
    }
