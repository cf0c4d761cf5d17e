"""The stage: two locations of an embedded Azure on one machine, opened and closed as a whole.

Order is the design: the world, ARM, storage and buses stand before the planes that need them, the
network stands before the hosts, and everything is ended in reverse, however the stage ends.
"""

import shutil
from collections import deque
from contextlib import AsyncExitStack
from pathlib import Path

from rehearsal import (
    arm,
    control,
    estate_faults,
    estate_seed,
    identity,
    stage_buses,
    stage_hosts,
    stage_internet,
    stage_network,
    stage_planes,
    stage_storage,
    stage_templates,
)
from rehearsal.blobs import HttpBlobs
from rehearsal.certificates import Authority
from rehearsal.estate import Scene
from rehearsal.stage_hosts import MASTER_KEY, ROOT, Host, Wiring
from rehearsal.world import ALL, Address, World

OUTSIDER = "operator"


class Stage:
    """One rehearsal. `open` it, use it, `close` it; or use it as an async context."""

    def __init__(
        self,
        scene: Scene,
        folder: Path,
        seed: int = 1,
        settings: dict[str, str] | None = None,
        app: Path = ROOT,
    ) -> None:
        """`folder` is the stage's own: logs and data, emptied at the opening."""
        self.scene, self.estate, self.folder = scene, scene.estate, folder
        self.world = World(seed=seed)
        self.alerts: deque[dict] = deque(maxlen=control.ALERTS_MAX)
        self.hosts: dict[str, Host] = {}
        self._settings, self._app = settings or {}, app
        self._lost: set[str] = set()  # Hosts that an outage took, not a kill.
        # What was taken and given back, and when: {"at", "location", "scopes", "lost"}.
        self.losses: list[dict] = []
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "Stage":
        return await self.open()

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def open(self) -> "Stage":
        """Bring everything up, or raise with nothing left behind."""
        try:
            await self._open()
        except BaseException:
            await self.close()
            raise
        return self

    async def close(self) -> None:
        """End everything, the last thing first."""
        await self._stack.aclose()

    async def _open(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        world, estate, keep = self.world, self.estate, self._stack.push_async_callback
        bare = self.scene.templates is not None
        estate_seed.seed(world, estate, bare)
        estate_faults.spoil(world, estate)
        self.authority = Authority(self.folder / "ca")
        leaf = self.authority.leaf(
            "estate", "management.azure.com", *stage_planes.names(estate), regions=self._regions()
        )
        self.arm = await arm.serve(world, 0, leaf.server())
        keep(self.arm.stop)
        self.identity = await identity.start(world)
        keep(self.identity.stop)
        self.control = await control.start(self)
        keep(self.control.stop)
        self._register()
        self.internet = await stage_internet.start(world, self.scene, self.authority)
        keep(self.internet.stop)
        self.storage = await stage_storage.start(
            world, self.scene, leaf, self.authority.bundle, self.folder
        )
        keep(self.storage.stop)
        self.buses = await stage_buses.start(estate, self.folder, bare)
        keep(self.buses.stop)
        world.blobs, world.buses = HttpBlobs(world, self.authority.client()), self.buses
        self.network = await stage_network.start(
            world, estate, leaf, self.storage, self.buses, self.authority.client()
        )
        keep(self.network.stop)
        self.planes = await stage_planes.start(world, estate, leaf, self.authority, self.buses)
        keep(self.planes.stop)
        if self.scene.templates is not None:
            await stage_templates.deploy(self, self.scene.templates)
        await self._start_hosts()

    def _regions(self) -> tuple[str, ...]:
        return (*self.estate.locations, self.world.witness_location)

    def _register(self) -> None:
        """The names of what the cloud process itself serves."""
        door = Address(self.arm.port, stage_internet.INTERNET, "arm")
        self.world.hosts["management.azure.com"] = door
        self.world.hosts[f"localhost:{self.arm.port}"] = door
        alerts = stage_hosts.ALERTS.split("/")[2]
        self.world.hosts[alerts] = Address(self.control.port, stage_internet.INTERNET, "network")

    async def _start_hosts(self) -> None:
        for name, place in self.estate.locations.items():
            wiring = Wiring(
                egress_port=self.network.egresses[name].port,
                identity_endpoint=self.identity.endpoint,
                identity_header=self.identity.admit(place.app, name),
                bundle=self.authority.bundle,
                slips=self.network.slips_from(name, self.buses, self.estate),
            )
            deployed = stage_templates.settings_of(self, name)
            stage_templates.know(self, name, deployed)
            extra = {**self._settings, **estate_faults.settings(self.estate, name)}
            environment = stage_hosts.settings(self.estate, name, wiring, extra, deployed)
            host = Host(name, environment, self._app, self.folder, self._mover(name))
            host.clock_seconds = self.world.clock_seconds.get(name, 0.0)
            self.hosts[name] = host
            self._stack.push_async_callback(host.stop)
        down = {n for n in self.hosts if not self.world.up(n, "functions")}
        self._lost |= down
        wanted = self.hosts.keys() - self.world.stopped - down
        await stage_hosts.start_all({name: self.hosts[name] for name in sorted(wanted)})

    def _mover(self, location: str) -> stage_hosts.Moved:
        return lambda port: self.network.host_moved(location, port)

    async def lose(self, location: str, scopes: frozenset[str]) -> None:
        """Take scopes of a location down; with `functions` its host dies where it stands."""
        self.world.lose(location, scopes)
        self._note_loss(location, scopes, lost=True)
        host = self.hosts.get(location)
        if "functions" in scopes and host is not None and host.up:
            self._lost.add(location)
            await host.kill()

    async def recover(self, location: str, scopes: frozenset[str] = ALL) -> None:
        """Bring scopes of a location back; with `functions` the host that the outage took."""
        self.world.recover(location, scopes)
        self._note_loss(location, scopes, lost=False)
        if location in self._lost and "functions" in scopes:
            self._lost.discard(location)
            await self.hosts[location].start()

    def _note_loss(self, location: str, scopes: frozenset[str], lost: bool) -> None:
        row = {"at": self.world.now.isoformat(), "location": location, "lost": lost}
        self.losses.append({**row, "scopes": sorted(scopes)})

    async def kill_host(self, location: str) -> None:
        """SIGKILL a location's Functions host."""
        await self._host(location).kill()

    async def start_host(self, location: str) -> None:
        """Start it again, unless its location is lost."""
        host = self._host(location)
        if location in self._lost:
            raise control.Broken(409, f"{location} is lost: recover it first")
        await host.start()

    def _host(self, location: str) -> Host:
        if location not in self.hosts:
            raise control.Broken(404, f"no Functions host in {location}")
        return self.hosts[location]

    def clients(self) -> dict:
        """What a client that follows Traffic Manager sees now."""
        return self.planes.clients()

    def ready(self) -> dict:
        """The ready file of the Contract."""
        slips = self.network.slips_from(None, self.buses, self.estate)
        return {
            "arm": self.arm.url,
            "caBundle": str(self.authority.bundle),
            "identityEndpoint": self.identity.endpoint,
            "identityHeader": self.identity.admit(OUTSIDER, ""),
            "subscriptionId": self.estate.subscription,
            "plan": self.scene.plan_name,
            "control": self.control.url,
            "witness": {"blob": self.network.store(self.storage, self.estate.witness.storage)},
            "trafficManager": {"profile": self.estate.profile_id, "dns": self.planes.dns_url},
            "locations": {
                name: {
                    "resourceGroup": place.resourceGroup,
                    "functions": self.network.apps[name].url,
                    "functionKey": MASTER_KEY,
                    "blob": self.network.store(self.storage, place.storage),
                    "serviceBus": slips[name],
                }
                for name, place in self.estate.locations.items()
            },
        }
