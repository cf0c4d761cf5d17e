"""Plan kinds of business-to-business work: integration accounts."""

from typing import Annotated, Literal

from pydantic import Field

from shared.plan_parts import Placed, Region

Vault = Annotated[
    str,
    Field(
        pattern=r"^/subscriptions/[^/\s]+/resourceGroups/[^/\s]+"
        r"/providers/Microsoft\.KeyVault/vaults/[A-Za-z0-9-]{3,24}$"
    ),
]
Artifact = Annotated[
    str,
    Field(
        pattern=r"^(certificates|schemas|maps|assemblies|partners|agreements|batchConfigurations)"
        r"/\S{1,200}$"
    ),
]


class IntegrationAccount(Placed):
    """`bump`: how far control numbers jump at a failover, more than is sent between two mirrors.

    `vaults`: where each location's certificates have their private keys. `differences`: patterns
    of "kind/name" that the accounts have each of their own.
    """

    kind: Literal["integrationAccount"]
    bump: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    vaults: dict[Region, Vault] = {}
    differences: Annotated[list[Artifact], Field(max_length=200)] = []
