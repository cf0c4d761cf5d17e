"""`/metadata/endpoints`: what a client that registers a cloud asks first.

One object, not a list, with the keys that azure-cli 2.91.0 reads (tried against it).
Not emulated: the endpoints named here other than ARM itself.
"""

from rehearsal.arm_provider import Reply
from rehearsal.world import World


def endpoints(world: World, base_url: str) -> Reply:
    """The cloud as `az cloud register --endpoint-resource-manager` wants it."""
    return Reply(
        200,
        {
            "name": "Rehearsal",
            "portal": f"{base_url}/portal",
            "authentication": {
                "loginEndpoint": "https://login.microsoftonline.com",
                "audiences": [
                    "https://management.azure.com/",
                    "https://management.core.windows.net/",
                ],
                "tenant": "common",
                "identityProvider": "AAD",
            },
            "resourceManager": base_url,
            "graph": "https://graph.windows.net/",
            "graphAudience": "https://graph.windows.net/",
            "microsoftGraphResourceId": "https://graph.microsoft.com/",
            "gallery": f"{base_url}/gallery",
            "batch": "https://batch.core.windows.net/",
            "media": "https://rest.media.azure.net",
            "sqlManagement": "https://management.core.windows.net:8443/",
            "vmImageAliasDoc": f"{base_url}/aliases",
            "activeDirectoryDataLake": "https://datalake.azure.net/",
            "suffixes": {
                "storage": "core.windows.net",
                "keyVaultDns": "vault.azure.net",
                "sqlServerHostname": "database.windows.net",
                "acrLoginServer": "azurecr.io",
                "azureDataLakeStoreFileSystem": "azuredatalakestore.net",
                "azureDataLakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.net",
                "azureFrontDoorEndpointSuffix": "azurefd.net",
                "mysqlServerEndpoint": "mysql.database.azure.com",
                "postgresqlServerEndpoint": "postgres.database.azure.com",
                "mariadbServerEndpoint": "mariadb.database.azure.com",
                "synapseAnalytics": "dev.azuresynapse.net",
                "storageSyncEndpointSuffix": "afs.azure.net",
                "attestationEndpoint": "attest.azure.net",
                "mhsmDns": "managedhsm.azure.net",
            },
        },
    )
