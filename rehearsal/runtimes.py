"""What ARM hands on: the three seams between ARM providers and the planes that do the work.

Each is a protocol with a trivial default, so that ARM runs alone in a test and whole on a stage.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rehearsal.world import Resource


class WorkflowRuntime(Protocol):
    """Logic Apps that run. All calls are on ARM's loop and return at once; bodies are ARM JSON.

    A run: `{"id","type","name","properties":{"status","startTime","endTime",...}}`; ids may be
    left out (ARM adds id, type and name from `name`). A trigger likewise.
    """

    def enabled(self, workflow: Resource) -> None:
        """The workflow was created enabled, or went from Disabled to Enabled."""

    def disabled(self, workflow: Resource) -> None:
        """No new runs; those in flight go on."""

    def updated(self, workflow: Resource) -> None:
        """The definition was put again: trigger state is reset."""

    def deleted(self, workflow: Resource) -> None:
        """Runs in flight are cancelled."""

    def runs(self, workflow: Resource) -> list[dict]:
        """Every known run, newest first: `{"name", "properties": WorkflowRunProperties}`."""
        ...

    def actions(self, workflow: Resource, run: str) -> list[dict]:
        """The actions of one run: `{"name", "properties"}`."""
        ...

    def cancel(self, workflow: Resource, run: str) -> bool:
        """Cancel a run; False when it is no longer running."""
        ...

    def triggers(self, workflow: Resource) -> list[dict]:
        """Every trigger: `{"name", "properties": WorkflowTriggerProperties}`."""
        ...

    def histories(self, workflow: Resource, trigger: str) -> list[dict]:
        """What a trigger did: `{"name", "properties"}`, newest first."""
        ...

    def fire(self, workflow: Resource, trigger: str) -> str | None:
        """Run a trigger now; the run's name, or None when it found nothing to do."""
        ...

    def resubmit(self, workflow: Resource, trigger: str, history: str) -> str | None:
        """Run again with the same input; the run's name, or None for an unknown history."""
        ...

    def reset(self, workflow: Resource, trigger: str) -> None:
        """Forget the trigger's state."""

    def set_state(self, workflow: Resource, trigger: str, source: Resource, name: str) -> None:
        """Take the state of trigger `name` of another workflow (setState, api 2019-05-01)."""


class IdleWorkflows:
    """A runtime in which nothing ever runs; triggers are read from the definition."""

    def enabled(self, workflow: Resource) -> None:
        """Nothing starts."""

    def disabled(self, workflow: Resource) -> None:
        """Nothing stops."""

    def updated(self, workflow: Resource) -> None:
        """No state to reset."""

    def deleted(self, workflow: Resource) -> None:
        """No runs to cancel."""

    def runs(self, workflow: Resource) -> list[dict]:
        """No runs."""
        return []

    def actions(self, workflow: Resource, run: str) -> list[dict]:
        """No actions."""
        return []

    def cancel(self, workflow: Resource, run: str) -> bool:
        """Nothing runs."""
        return False

    def triggers(self, workflow: Resource) -> list[dict]:
        """The triggers that the definition names, in the workflow's state."""
        state = workflow.properties.get("state", "Enabled")
        named = (workflow.properties.get("definition") or {}).get("triggers") or {}
        return [
            {"name": name, "properties": {"provisioningState": "Succeeded", "state": state}}
            for name in named
        ]

    def histories(self, workflow: Resource, trigger: str) -> list[dict]:
        """No history."""
        return []

    def fire(self, workflow: Resource, trigger: str) -> str | None:
        """Nothing to do."""
        return None

    def resubmit(self, workflow: Resource, trigger: str, history: str) -> str | None:
        """No history to run again."""
        return None

    def reset(self, workflow: Resource, trigger: str) -> None:
        """No state to forget."""

    def set_state(self, workflow: Resource, trigger: str, source: Resource, name: str) -> None:
        """No state to take."""


class BlobRefused(Exception):
    """The storage data plane said no: HTTP status and storage error code."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status, self.code = status, code


@dataclass(frozen=True)
class BlobPlace:
    """One blob, and as whom it is asked for: an identity's oid, or an account key."""

    account: str
    container: str
    name: str
    principal: str = ""
    key: str = field(default="", repr=False)


class Blobs(Protocol):
    """The storage data plane as API Management's own backup uses it, and ARM's containers."""

    async def make(self, account: str, container: str) -> None:
        """Make a container that may be there already."""

    async def put(self, place: BlobPlace, data: bytes) -> None:
        """Write one blob, or raise BlobRefused."""

    async def get(self, place: BlobPlace) -> bytes:
        """Read one blob, or raise BlobRefused."""
        ...


class MemoryBlobs:
    """Blobs in memory; only containers named in `containers` exist."""

    def __init__(self, *containers: tuple[str, str]) -> None:
        self.containers = set(containers)
        self.keys: dict[str, str] = {}
        self.blobs: dict[tuple[str, str, str], bytes] = {}

    async def make(self, account: str, container: str) -> None:
        """Make a container."""
        self.containers.add((account, container))

    async def put(self, place: BlobPlace, data: bytes) -> None:
        """Keep the bytes, where the container exists."""
        self._admit(place)
        if (place.account, place.container) not in self.containers:
            raise BlobRefused(404, "ContainerNotFound")
        self.blobs[place.account, place.container, place.name] = data

    async def get(self, place: BlobPlace) -> bytes:
        """Give the bytes back."""
        self._admit(place)
        if (place.account, place.container, place.name) not in self.blobs:
            raise BlobRefused(404, "BlobNotFound")
        return self.blobs[place.account, place.container, place.name]

    def _admit(self, place: BlobPlace) -> None:
        if place.key and place.key != self.keys.get(place.account):
            raise BlobRefused(403, "AuthenticationFailed")


class Buses(Protocol):
    """The Service Bus players, one per namespace name."""

    async def create_queue(self, namespace: str, name: str, properties: dict) -> None:
        """Create or update a queue with ARM's SBQueueProperties."""

    async def delete_queue(self, namespace: str, name: str) -> None:
        """Delete a queue with what is in it."""

    async def counts(self, namespace: str, name: str) -> dict:
        """`{"messageCount", "sizeInBytes", "countDetails": {...}}` as ARM shows them."""
        ...


class NoBuses:
    """No player behind the namespaces: definitions are kept by ARM alone."""

    async def create_queue(self, namespace: str, name: str, properties: dict) -> None:
        """Nothing to tell."""

    async def delete_queue(self, namespace: str, name: str) -> None:
        """Nothing to tell."""

    async def counts(self, namespace: str, name: str) -> dict:
        """Empty queues."""
        return {"messageCount": 0, "sizeInBytes": 0, "countDetails": {}}
