"""Plan kinds of what holds data: messaging namespaces, storage accounts and databases."""

from typing import Annotated, Literal

from pydantic import Field

from shared.plan_parts import Placed

Alias = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{4,48}[A-Za-z0-9]$")]


class Paired(Placed):
    """Two paired namespaces behind an alias, or one that is replicated.

    `leftovers`: what becomes of entities in the namespace that was left, before it is paired anew:
    those are kept, or deleted if they are empty, or deleted with all that is in them.
    """

    mode: Literal["pairing", "replication"] = "pairing"
    alias: Alias | None = None
    leftovers: Literal["keep", "empty", "delete"] = "empty"


class ServiceBusAlias(Paired):
    kind: Literal["serviceBusAlias"]


class EventHubsAlias(Paired):
    kind: Literal["eventHubsAlias"]
