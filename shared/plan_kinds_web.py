"""Plan kinds of Microsoft.Web: Standard's workflows, and apps that are started and stopped."""

from typing import Annotated, Literal

from pydantic import Field

from shared.plan_parts import Path, Placed, Trigger

Workflow = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$")]


class LogicAppWorkflow(Placed):
    """A workflow in a Standard logic app; `resource` is the site.

    `differs`: JSON pointers into the definition where the two copies are meant to differ.
    """

    kind: Literal["logicAppWorkflow"]
    trigger: Trigger
    workflow: Workflow
    differs: Annotated[list[Path], Field(max_length=50)] = []


class FunctionApp(Placed):
    """An app that runs where the plan is active; with role activeActive it runs in both."""

    kind: Literal["functionApp"]
