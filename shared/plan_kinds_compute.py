"""Plan kinds of computing: scale sets, data factories, Batch accounts and redeployed layers."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from shared.plan_parts import Placed, Region, Role

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
