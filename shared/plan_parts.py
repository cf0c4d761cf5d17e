"""Plan parts: the shapes of a plan document, and of each kind's options.

What pydantic can say of one field is said here; what concerns several is in shared/plan_rules.py.
Further kinds, and the union of all of them, are in shared/plan_kinds.py.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel
from pydantic.json_schema import SkipJsonSchema

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,39}$")]
Region = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{2,39}$")]
Url = Annotated[str, Field(pattern=r"^https://[^\s/]+(/\S*)?$", max_length=2000)]
Path = Annotated[str, Field(pattern=r"^/\S*$", max_length=1000)]
Text = Annotated[str, Field(min_length=1, max_length=1000)]
GroupId = Annotated[str, Field(pattern=r"^/subscriptions/[^/\s]+/resourceGroups/[^/\s]+$")]
Trigger = Literal[
    "request",
    "queue",
    "orderedQueue",
    "recurrence",
    "slidingWindow",
    "clientPolling",
    "httpPolling",
    "webhook",
    "batch",
]
# "standing" is what becomes of one half of a split job when a plan is read: shared/halves.py.
Role = Literal["activeActive", "activePassive", "split"] | SkipJsonSchema[Literal["standing"]]
Observer = Literal["health", "gateway", "trafficManager", "lease", "controlPlane"]
Stage = Literal["fence", "promote", "activate", "redirect", "verify", "protect"]


class Part(BaseModel):
    """Closed, frozen and strict: a misspelt key or a number in quotes is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, alias_generator=to_camel)


class Location(Part):
    short: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,9}$")]
    resource_group: GroupId
    app: Url
    health: Url


class Objectives(Part):
    rto_seconds: Annotated[int, Field(gt=0, le=86_400)]
    rpo_seconds: Annotated[int, Field(gt=0, le=30 * 86_400)]


class Witness(Part):
    blob_service_uri: Url
    container: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{2,62}$")]
    # A blob lease's own bounds do not apply: this lease is a time in the record.
    lease_seconds: Annotated[int, Field(ge=10, le=600)] = 30


class Watch(Part):
    every_seconds: Annotated[int, Field(ge=1, le=600)] = 10
    rounds: Annotated[int, Field(ge=1, le=100)] = 3
    timeout_seconds: Annotated[float, Field(gt=0, le=60, strict=False)] = 3
    observers: Annotated[list[Observer], Field(min_length=1)] = [
        "health",
        "gateway",
        "trafficManager",
        "lease",
    ]
    controls: Annotated[list[Url], Field(max_length=10)] = []


class Alerts(Part):
    webhook_setting: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,79}$")]


class Maintenance(Part):
    """A window in which nobody moves the plan: it opens when `cron` fires, in `timezone`."""

    cron: Annotated[str, Field(min_length=9, max_length=100)]
    minutes: Annotated[int, Field(ge=1, le=7 * 24 * 60)]
    timezone: Annotated[str, Field(max_length=60)] = "UTC"
    because: Text


class Backup(Part):
    # Azure refuses to restore a backup that is 30 days old.
    keep_days: Annotated[int, Field(ge=1, lt=30)] = 25
    keep_count: Annotated[int, Field(ge=1, le=1000)] = 10


class Queue(Part):
    """A queue whose depth the ledger keeps; `namespace` may be a template."""

    namespace: Annotated[
        str,
        Field(
            pattern=r"^(\{resourceGroup\}|/subscriptions/[^/\s]+/resourceGroups/[^/\s]+)"
            r"/providers/Microsoft\.ServiceBus/namespaces/([A-Za-z0-9-]|\{short\})+$"
        ),
    ]
    queue: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._~/-]{0,259}$")]


class Ledger(Part):
    """How the standby remembers what is in flight on the active side."""

    every_seconds: Annotated[int, Field(ge=5, le=3600)] = 60
    runs_max: Annotated[int, Field(ge=1, le=2000)] = 500
    queues: Annotated[list[Queue], Field(max_length=50)] = []


class Base(Part):
    """What every component has. `resource` is a template or `resources` names each location's."""

    name: Name
    role: Role = "activePassive"
    waits_for: list[Name] = []


class Half(Part):
    """Of which split job a component is the half that is at home in location `at`."""

    job: Name
    at: Region


class Placed(Base):
    """A component with a resource in each location: a template, or each location's id."""

    resource: Text | None = None
    resources: dict[Region, Text] | None = None


class LogicWorkflow(Placed):
    kind: Literal["logicWorkflow"]
    trigger: Trigger
    halves: dict[Region, Text] | None = None  # With role split: the workflow of each half.
    half: SkipJsonSchema[Half | None] = None  # Never written by people: shared/halves.py.
    # JSON pointers into the definition where the two locations' copies are meant to differ.
    differs: Annotated[list[Path], Field(max_length=50)] = []


class BackupTarget(Part):
    account: Annotated[str, Field(pattern=r"^[a-z0-9]{3,24}$")]
    container: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{2,62}$")]


class Backend(Part):
    url: Url


class Callback(Part):
    """A backend that leads to a workflow of the location, by a callback URL read when it is laid.

    `up_to`: how much of the URL goes into the backend; policies add the rest, the signature as
    `{{namedValue}}`.
    """

    workflow: Name
    trigger: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,80}$")] = "manual"
    named_value: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,256}$")]
    up_to: Literal["triggers", "invoke"] = "triggers"


class SecretReference(Part):
    """Where a gateway fetches a secret with its own identity; of a user-assigned one its client.

    Without a version the gateway follows the secret's newest one, within four hours.
    """

    secret_identifier: Annotated[
        str,
        Field(
            pattern=r"^https://[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]\.vault\."
            r"(azure\.net|azure\.cn|usgovcloudapi\.net)"
            r"/secrets/[A-Za-z0-9-]{1,127}(/[0-9a-f]{32})?$"
        ),
    ]
    identity_client_id: Annotated[str, Field(pattern=r"^[0-9a-fA-F-]{36}$")] | None = None


class VaultValue(Part):
    """A named value that is a secret of a vault: never the value, its identifier alone."""

    key_vault: SecretReference


class Member(Part):
    """A backend in a pool. Those of the smallest priority share the load by weight."""

    backend: Text
    weight: Annotated[int, Field(ge=0, le=100)] | None = None
    priority: Annotated[int, Field(ge=0, le=100)] | None = None


class Overlay(Part):
    """What a gateway must have of its own after a restore brought the other location's values."""

    backends: dict[Text, Backend] = {}
    named_values: dict[Text, Annotated[str, Field(max_length=4096)] | VaultValue] = {}
    callbacks: dict[Text, Callback] | None = None
    pools: dict[Text, Annotated[list[Member], Field(min_length=1, max_length=30)]] | None = None


class NotInBackup(Part):
    """Something that no backup carries, and `by` what it comes to the standby's gateway.

    `component`: the plan's component that brings it. `expect`: what ARM must show of it there.
    `apply`: it is written after each restore, as `expect` has it or by the component.
    """

    what: Literal[
        "analytics",
        "customDomainCertificates",
        "caCertificates",
        "virtualNetwork",
        "managedIdentity",
        "diagnostics",
        "protocolsAndCiphers",
        "developerPortal",
    ]
    by: Text
    component: Name | None = None
    expect: dict[Region, JsonValue] | None = None
    apply: bool | None = None


class ApiManagement(Placed):
    kind: Literal["apiManagement"]
    gateway_url: Url
    backups: dict[Region, BackupTarget]
    overlay: dict[Region, Overlay] = {}
    not_in_backup: Annotated[list[NotInBackup], Field(max_length=8)] | None = None
    probe: Path


class TrafficManager(Base):
    kind: Literal["trafficManager"]
    resource: Text
    endpoints: dict[Region, Text]
    ttl_seconds: Annotated[int, Field(ge=0, le=3600)] = 10


class Http(Base):
    kind: Literal["http"]
    stage: Literal["promote", "activate", "redirect", "verify"]
    url: Url | None = None
    # Which setting of the app holds the whole URL, where that is a secret. Only such names: a plan
    # must not make the app send any other setting's value anywhere.
    url_setting: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,72}WEBHOOK$")] | None = None
    method: Literal["GET", "POST"] = "GET"
    body: dict[str, JsonValue] | None = None
    expect: Annotated[int, Field(ge=100, le=599)] = 200
