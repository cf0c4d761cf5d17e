"""Plan kinds of what workflows lean on: connections, data gateways, settings of diagnostics."""

from typing import Annotated, Literal

from pydantic import Field

from shared.plan_parts import Base, Placed, Region, Text

Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$")]
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$")]
WorkspaceId = Annotated[
    str,
    Field(
        pattern=r"^/subscriptions/[^/\s]+/resourceGroups/[^/\s]+"
        r"/providers/Microsoft\.OperationalInsights/workspaces/[^/\s]+$"
    ),
]
ScopeId = Annotated[
    str,
    Field(
        pattern=r"^(\{resourceGroup\}|/subscriptions/[^/\s]+/resourceGroups/[^/\s]+)"
        r"/providers/[A-Za-z.]+(/[^/\s]+/[^/\s]+)+$"
    ),
]


class ApiConnection(Placed):
    """A managed connector's connection, one in each location.

    `endpoint`: do both point at one system outside, or each at its location's own? `hosts`: which.
    `values`: the parameters with which a missing one is made; never secrets.
    """

    kind: Literal["apiConnection"]
    api: Word
    endpoint: Literal["shared", "replica"] = "shared"
    hosts: dict[Region, Host] = {}
    values: dict[Region, dict[Word, Text]] = {}


class DataGateway(Placed):
    """An on-premises data gateway. `members`: the machines of each location's cluster."""

    kind: Literal["dataGateway"]
    members: dict[Region, Annotated[list[Host], Field(min_length=1, max_length=10)]]


class DiagnosticSetting(Base):
    """What a resource tells, sent to the workspaces of both locations. `resource`: a template.

    One setting for each workspace, named `{setting}-{location of the workspace}`.
    """

    kind: Literal["diagnosticSetting"]
    resource: ScopeId
    setting: Word = "understudy"
    workspaces: dict[Region, WorkspaceId]
    logs: Annotated[list[Word], Field(min_length=1, max_length=50)] = ["allLogs"]
