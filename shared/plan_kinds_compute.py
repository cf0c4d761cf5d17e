"""Plan kinds of computing: scale sets, data factories, Batch accounts and redeployed layers."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from shared.plan_parts import Base, Name, Placed, Region, Role

ResourceType = Annotated[str, Field(pattern=r"^[A-Za-z]+(\.[A-Za-z0-9]+)+(/[A-Za-z0-9]+)+$")]
BatchName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
TriggerName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][^<>*#.%&:\\+?/]{0,259}$")]

Count = Annotated[int, Field(ge=0, le=1000)]  # A scale set has at most 1,000 instances.


class ScaleSet(Placed):
    """Virtual machines by the number: `capacity` where the plan is active, else `standbyCapacity`.

    Both by location. Without `standbyCapacity` a set that is left goes down to none.
    """

    kind: Literal["scaleSet"]
    role: Role = "activeActive"
    capacity: dict[Region, Annotated[int, Field(ge=1, le=1000)]]
    standby_capacity: dict[Region, Count] = {}

    @model_validator(mode="after")
    def _grows(self) -> "ScaleSet":
        for at, count in self.standby_capacity.items():
            if count > self.capacity.get(at, count):
                raise ValueError(f"standbyCapacity.{at} is more than capacity.{at}")
        return self


class DataFactory(Placed):
    """A data factory: its triggers run where the plan is active, all of them or those named."""

    kind: Literal["dataFactory"]
    triggers: Annotated[list[TriggerName], Field(max_length=200)] = []


class Deployment(Base):
    """A stateless layer, redeployed from `template` where the plan goes.

    The app finds it in its own storage, `templates/{template}.json`, with the location's parameters
    beside it. `types`: what it may make or change; anything else refuses the whole.
    """

    kind: Literal["deployment"]
    template: Name
    types: Annotated[list[ResourceType], Field(min_length=1, max_length=50)]
    group: Annotated[
        str, Field(pattern=r"^(\{resourceGroup\}|/subscriptions/[^/\s]+/resourceGroups/[^/\s{}]+)$")
    ] = "{resourceGroup}"


class Batch(Placed):
    """A Batch account: its job `schedules` run where the plan is active, on its `pools`."""

    kind: Literal["batch"]
    schedules: Annotated[list[BatchName], Field(min_length=1, max_length=50)]
    pools: Annotated[list[BatchName], Field(max_length=50)] = []
