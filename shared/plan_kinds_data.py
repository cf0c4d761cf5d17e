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


class StorageAccount(Placed):
    """One geo-redundant account.

    `container`: where the copy is probed for being readable; needed with `failover: none`.
    """

    kind: Literal["storageAccount"]
    failover: Literal["none", "customerManaged"] = "none"
    container: Annotated[str | None, Field(pattern=r"^[a-z0-9][a-z0-9-]{2,62}$")] = None
    sync_seconds_max: Annotated[int, Field(ge=60, le=30 * 86_400)] = 3600


class SqlFailoverGroup(Placed):
    """A failover group between two SQL servers, one in each location."""

    kind: Literal["sqlFailoverGroup"]
    group: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]


class CosmosDb(Placed):
    """One Cosmos DB account with a region in each location."""

    kind: Literal["cosmosDb"]
