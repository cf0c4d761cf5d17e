"""The parts of an estate file: what each key means and what it may hold."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rehearsal.world import ALL

PATH = r"^[A-Za-z.]+/[A-Za-z]+/[^/]+(/[^/]+/[^/]+)*$"


class Part(BaseModel):
    """Every part of an estate refuses keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Place(Part):
    """What one location has of its own."""

    short: str = Field(pattern=r"^[a-z0-9]{1,8}$")
    resourceGroup: str
    app: str
    storage: str = Field(pattern=r"^[a-z0-9]{3,24}$")
    slips: str


class Witness(Part):
    """The storage account in a third region."""

    location: str
    resourceGroup: str
    storage: str = Field(pattern=r"^[a-z0-9]{3,24}$")


class Producer(Part):
    """Puts numbered messages into a queue; `sessions` spreads them over that many sessions."""

    queue: str
    everySeconds: float = Field(gt=0)
    sessions: int = Field(default=0, ge=0)


class Workload(Part):
    """The namespace whose queues both locations work on; queues carry ARM's queue properties."""

    namespace: str
    location: str
    resourceGroup: str
    queues: dict[str, dict]
    producers: list[Producer] = []


class Client(Part):
    """The customer: what it calls and how often."""

    host: str
    path: str = Field(pattern="^/")
    everySeconds: float = Field(default=0.2, gt=0)


class Monitor(Part):
    """Traffic Manager's probe, in ARM's words."""

    protocol: Literal["HTTP", "HTTPS"] = "HTTPS"
    port: int = 443
    path: str = "/"
    intervalInSeconds: int = 10
    toleratedNumberOfFailures: int = 3
    timeoutInSeconds: int = 5


class TrafficManager(Part):
    """A profile with priority routing; endpoints are location -> host name, first one first."""

    name: str
    resourceGroup: str
    dnsName: str
    ttlSeconds: int = Field(default=10, ge=0)
    monitor: Monitor = Monitor()
    endpoints: dict[str, str]


class Sku(Part):
    """The tier of a gateway."""

    name: str
    capacity: int = 1


class Operation(Part):
    """One operation of an API."""

    method: str
    urlTemplate: str
    policy: str | None = None


class Api(Part):
    """One API of the gateway."""

    path: str
    displayName: str
    subscriptionRequired: bool = True
    policy: str | None = None
    operations: dict[str, Operation] = {}


class Product(Part):
    """One product, with the names of its APIs."""

    displayName: str
    subscriptionRequired: bool = True
    apis: list[str] = []


class Gateway(Part):
    """API Management: the services' name and tier, and the home service's configuration."""

    name: str
    sku: Sku
    publisherName: str
    publisherEmail: str
    namedValues: dict[str, dict] = {}
    backends: dict[str, dict] = {}
    policyFragments: dict[str, str] = {}
    policy: str | None = None
    apis: dict[str, Api] = {}
    products: dict[str, Product] = {}
    subscriptions: dict[str, dict] = {}


class Workflow(Part):
    """A Consumption workflow that exists in both locations, and its state in each at the start."""

    name: str
    home: Literal["Enabled", "Disabled"] = "Enabled"
    standby: Literal["Enabled", "Disabled"]
    runSeconds: float = Field(default=0.2, ge=0)
    definition: dict


class Timings(Part):
    """How long API Management takes, in the drill's time."""

    apimBackupSeconds: float = 4
    apimRestoreSeconds: float = 8


class Other(Part):
    """Any other resource, as ARM has it, made in each location (`at`: only there).

    `path` is what follows the resource group's /providers/; `standby` is laid over the body in the
    standby. With `resourceGroup` there is one for both locations, as of home.
    """

    path: str = Field(pattern=PATH)
    at: list[str] = []
    resourceGroup: str = ""
    body: dict
    standby: dict = {}


class Fault(Other):
    """Something that is wrong on purpose, in the world that a stage opens.

    `finds`: the name of the readiness check that must find it, of `component` where it has one.
    `alone`: it hides other faults, or is in the plan: it is planted by its name, in a world of its
    own. Any of these may be wrong, in locations (`at`) where it is about one:

    A resource (`path`; without one a whole `resourceGroup`) or a blob (`blob`, account/container/
    name, JSON): `body` is laid over it, a null takes a key away, or it is `gone`; `new`: it need
    not be there yet. In a blob `{9 hours ago}` stands for that time.
    The plan: `change` is laid over `component`, or over the whole; so many `workflows` more.
    An app: `settings` are laid over its own, it is `stopped`, or its clock is `clockSeconds` off.
    A place: `outage`, as the control API has it, its scopes by location. `settleSeconds`: so long
    takes what Azure does by itself.
    """

    path: str = Field(default="", pattern=rf"^$|{PATH}")
    body: dict = {}
    finds: str
    component: str = ""
    alone: bool = False
    blob: str = Field(default="", pattern=r"^$|^[a-z0-9]{3,24}/[a-z0-9-]{3,63}/[^/].*$")
    gone: bool = False
    new: bool = False
    change: dict = {}
    workflows: int = Field(default=0, ge=0, le=5_000)
    settings: dict[str, str] = {}
    stopped: bool = False
    clockSeconds: float = 0
    outage: dict[str, list[str]] = {}
    settleSeconds: float = Field(default=0, ge=0)

    @property
    def name(self) -> str:
        """What it is planted by: the check, and the component where there is one."""
        return f"{self.finds}:{self.component}" if self.component else self.finds

    @property
    def lies_in_arm(self) -> bool:
        """Is it about a resource or a resource group?"""
        return not self.blob and bool(self.path or self.resourceGroup)

    @model_validator(mode="after")
    def _says_something(self) -> "Fault":
        of_app = self.settings or self.stopped or self.clockSeconds
        said = of_app or self.change or self.workflows or self.outage or self.settleSeconds
        laid = self.body or self.gone
        unknown = {scope for scopes in self.outage.values() for scope in scopes} - ALL
        if unknown:
            raise ValueError(f"{self.name}: outage of unknown scopes {', '.join(sorted(unknown))}")
        if not said and not laid:
            raise ValueError(f"{self.name}: nothing is wrong")
        if laid and not (self.blob or self.lies_in_arm):
            raise ValueError(f"{self.name}: a body of nothing: say path, resourceGroup or blob")
        if of_app and not self.at:
            raise ValueError(f"{self.name}: at says where the app is")
        if (self.change or self.workflows) and not self.alone:
            raise ValueError(f"{self.name}: what changes the plan is alone")
        return self
