"""Plan kinds that are no resource: what a person has to do, and plans that move along."""

from typing import Annotated, Literal

from pydantic import Field

from shared.plan_parts import Base, Name, Text


class Manual(Base):
    """What a person has to do when the plan moves: `ask` says what, within `minutes`."""

    kind: Literal["manual"]
    stage: Literal["promote", "activate", "redirect"] = "activate"
    ask: Text
    # The caretaker looks for the word for an hour at most.
    minutes: Annotated[int, Field(ge=1, le=60)] = 30


class ChildPlan(Base):
    """Another plan of the same app, `plan`, that moves along to the same location."""

    kind: Literal["plan"]
    plan: Name
    stage: Literal["promote", "activate"] = "promote"
