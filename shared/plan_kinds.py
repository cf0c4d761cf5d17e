"""Plan kinds: the options of the kinds beyond workflows, gateways and profiles.

Adding a kind is a class here and its name in `Component`, which a plan's `components` are made of.
"""

from typing import Annotated

from pydantic import Field

from shared.plan_kinds_b2b import IntegrationAccount
from shared.plan_kinds_compute import Batch, DataFactory, Deployment, ScaleSet
from shared.plan_kinds_data import (
    CosmosDb,
    EventHubsAlias,
    ServiceBusAlias,
    SqlFailoverGroup,
    StorageAccount,
)
from shared.plan_kinds_links import ApiConnection, DataGateway, DiagnosticSetting
from shared.plan_kinds_steps import ChildPlan, Manual
from shared.plan_kinds_web import FunctionApp, LogicAppWorkflow
from shared.plan_parts import ApiManagement, Http, LogicWorkflow, TrafficManager

Component = Annotated[
    IntegrationAccount
    | LogicWorkflow
    | LogicAppWorkflow
    | FunctionApp
    | ApiConnection
    | DataGateway
    | DiagnosticSetting
    | ApiManagement
    | TrafficManager
    | Http
    | DataFactory
    | Deployment
    | Manual
    | Batch
    | ChildPlan
    | ScaleSet
    | ServiceBusAlias
    | EventHubsAlias
    | StorageAccount
    | SqlFailoverGroup
    | CosmosDb,
    Field(discriminator="kind"),
]
