"""Permissions: the control-plane actions that the app calls, stated once for each kind.

The roles of infra/access.json are exactly this table, but for PATTERNS: `read` is the reader's,
`act` the operator's. A kind that asks something new of ARM says so here, by the names under "Azure
permissions" in Microsoft's pages on role-based access control.
"""

PLAN = "(plan)"  # What is asked for any plan, whatever its components are.
FLOW = "Microsoft.Logic/workflows"
GATEWAY = "Microsoft.ApiManagement/service"
PARTNERS = "Microsoft.Logic/integrationAccounts"
PROFILE = "Microsoft.Network/trafficManagerProfiles"
BATCH = "Microsoft.Batch/batchAccounts"
DEPLOYMENT = "Microsoft.Resources/deployments"
FACTORY = "Microsoft.DataFactory/factories"
SCALE_SET = "Microsoft.Compute/virtualMachineScaleSets"
NAMESPACE = "Microsoft.ServiceBus/namespaces"
HUBS = "Microsoft.EventHub/namespaces"
GRANTS = "Microsoft.Authorization/roleAssignments/read"
SITE = "Microsoft.Web/sites"
HOST = f"{SITE}/hostruntime/webhooks/api/workflows"
# ARM calls these so by their paths, but Microsoft publishes no such names, and ARM takes no role
# with a name that is not published (InvalidActionOrNotAction). So the roles hold the narrowest
# pattern that a published name fits too: runs/read, triggers/read, triggers/run/action.
PATTERNS = {
    f"{HOST}/runs/cancel/action": f"{HOST}/runs/*",
    f"{HOST}/triggers/histories/read": f"{HOST}/*/read",
    f"{HOST}/triggers/histories/resubmit/action": f"{HOST}/triggers/*/action",
}

PERMISSIONS: dict[str, dict[str, tuple[str, ...]]] = {
    PLAN: {
        "read": (
            "Microsoft.Authorization/permissions/read",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            f"{NAMESPACE}/read",
            f"{NAMESPACE}/queues/read",
        ),
        "act": (),
    },
    "logicWorkflow": {
        "read": (
            f"{FLOW}/read",
            f"{FLOW}/runs/read",
            f"{FLOW}/triggers/read",
            f"{FLOW}/triggers/histories/read",
        ),
        "act": (
            f"{FLOW}/disable/action",
            f"{FLOW}/enable/action",
            f"{FLOW}/runs/cancel/action",
            f"{FLOW}/triggers/histories/resubmit/action",
            f"{FLOW}/triggers/setState/action",
        ),
    },
    "logicAppWorkflow": {
        "read": (
            f"{SITE}/read",
            f"{SITE}/workflows/read",
            f"{HOST}/runs/read",
            f"{HOST}/triggers/read",
            f"{HOST}/triggers/histories/read",
        ),
        "act": (
            # Its state is a setting among all the others, which are listed and written as a whole.
            f"{SITE}/config/list/action",
            f"{SITE}/config/write",
            # Its connections name secrets, so who acts lists them.
            f"{SITE}/listWorkflowsConnections/action",
            f"{HOST}/runs/cancel/action",
            f"{HOST}/triggers/histories/resubmit/action",
        ),
    },
    "functionApp": {
        "read": (f"{SITE}/read", f"{SITE}/functions/read"),
        "act": (f"{SITE}/start/action", f"{SITE}/stop/action"),
    },
    "apiConnection": {
        "read": ("Microsoft.Web/connections/read",),
        "act": ("Microsoft.Web/connections/write",),
    },
    "dataGateway": {"read": ("Microsoft.Web/connectionGateways/read",), "act": ()},
    "diagnosticSetting": {
        "read": (
            "Microsoft.Insights/diagnosticSettings/read",
            "Microsoft.Storage/storageAccounts/read",
            f"{HUBS}/read",
            f"{HUBS}/disasterRecoveryConfigs/read",
        ),
        "act": ("Microsoft.Insights/diagnosticSettings/write",),
    },
    "apiManagement": {
        "read": (
            f"{GATEWAY}/read",
            f"{GATEWAY}/apiVersionSets/read",
            f"{GATEWAY}/apis/read",
            f"{GATEWAY}/apis/operations/read",
            f"{GATEWAY}/apis/operations/policies/read",
            f"{GATEWAY}/apis/policies/read",
            f"{GATEWAY}/backends/read",
            f"{GATEWAY}/certificates/read",
            f"{GATEWAY}/namedValues/read",
            f"{GATEWAY}/operationresults/read",
            f"{GATEWAY}/policies/read",
            f"{GATEWAY}/policyFragments/read",
            f"{GATEWAY}/products/read",
            f"{GATEWAY}/products/apis/read",
            f"{GATEWAY}/products/policies/read",
            f"{GATEWAY}/subscriptions/read",
        ),
        "act": (
            f"{GATEWAY}/backends/write",
            f"{GATEWAY}/backup/action",
            # A secret of an overlay is compared before it is laid anew; who acts reads it.
            f"{GATEWAY}/namedValues/listValue/action",
            f"{GATEWAY}/namedValues/write",
            f"{GATEWAY}/restore/action",
            # What no backup carries is written after a restore, where the plan says `apply`.
            f"{GATEWAY}/write",
            # Callback URLs of the workflows behind a gateway are read when its overlay is laid.
            f"{FLOW}/triggers/listCallbackUrl/action",
            f"{HOST}/triggers/listCallbackUrl/action",
        ),
    },
    "trafficManager": {
        "read": (f"{PROFILE}/read",),
        "act": (f"{PROFILE}/externalEndpoints/write",),
    },
    "integrationAccount": {
        "read": (
            f"{PARTNERS}/read",
            f"{PARTNERS}/agreements/read",
            f"{PARTNERS}/assemblies/read",
            f"{PARTNERS}/batchConfigurations/read",
            f"{PARTNERS}/certificates/read",
            f"{PARTNERS}/maps/read",
            f"{PARTNERS}/partners/read",
            f"{PARTNERS}/schemas/read",
            f"{PARTNERS}/sessions/read",
        ),
        "act": (
            f"{PARTNERS}/agreements/write",
            f"{PARTNERS}/assemblies/write",
            f"{PARTNERS}/batchConfigurations/write",
            f"{PARTNERS}/certificates/write",
            # Names of keys only; nobody but Logic Apps itself is let into a vault.
            f"{PARTNERS}/listKeyVaultKeys/action",
            f"{PARTNERS}/maps/write",
            f"{PARTNERS}/partners/write",
            f"{PARTNERS}/schemas/write",
            f"{PARTNERS}/sessions/write",
        ),
    },
    "serviceBusAlias": {
        "read": (
            f"{NAMESPACE}/read",
            f"{NAMESPACE}/disasterRecoveryConfigs/read",
            f"{NAMESPACE}/networkRuleSets/read",
            f"{NAMESPACE}/queues/read",
            f"{NAMESPACE}/topics/read",
            f"{NAMESPACE}/topics/subscriptions/read",
            GRANTS,
        ),
        "act": (
            f"{NAMESPACE}/failover/action",
            f"{NAMESPACE}/disasterRecoveryConfigs/breakPairing/action",
            f"{NAMESPACE}/disasterRecoveryConfigs/failover/action",
            f"{NAMESPACE}/disasterRecoveryConfigs/write",
            f"{NAMESPACE}/queues/delete",
            f"{NAMESPACE}/topics/delete",
        ),
    },
    "eventHubsAlias": {
        "read": (
            f"{HUBS}/read",
            f"{HUBS}/disasterRecoveryConfigs/read",
            f"{HUBS}/eventhubs/read",
            f"{HUBS}/networkRuleSets/read",
            GRANTS,
        ),
        "act": (
            f"{HUBS}/failover/action",
            f"{HUBS}/disasterRecoveryConfigs/breakPairing/action",
            f"{HUBS}/disasterRecoveryConfigs/failover/action",
            f"{HUBS}/disasterRecoveryConfigs/write",
            f"{HUBS}/eventhubs/delete",
        ),
    },
    "storageAccount": {
        "read": ("Microsoft.Storage/storageAccounts/read",),
        "act": (
            "Microsoft.Storage/storageAccounts/failover/action",
            "Microsoft.Storage/storageAccounts/write",
        ),
    },
    "sqlFailoverGroup": {
        "read": ("Microsoft.Sql/servers/failoverGroups/read",),
        "act": (
            "Microsoft.Sql/servers/failoverGroups/failover/action",
            "Microsoft.Sql/servers/failoverGroups/forceFailoverAllowDataLoss/action",
        ),
    },
    "cosmosDb": {
        "read": ("Microsoft.DocumentDB/databaseAccounts/read",),
        "act": (
            "Microsoft.DocumentDB/databaseAccounts/failoverPriorityChange/action",
            "Microsoft.DocumentDB/databaseAccounts/offlineRegion/action",
            "Microsoft.DocumentDB/databaseAccounts/onlineRegion/action",
        ),
    },
    "http": {"read": (), "act": ()},
    # What its data plane is asked is a data action: Azure Batch Job Submitter.
    "batch": {"read": (f"{BATCH}/read", f"{BATCH}/pools/read"), "act": ()},
    "manual": {"read": (), "act": ()},
    "plan": {"read": (), "act": ()},  # Its components say what they ask.
    "deployment": {
        "read": (f"{DEPLOYMENT}/read",),
        "act": (f"{DEPLOYMENT}/whatIf/action", f"{DEPLOYMENT}/write"),
    },
    "dataFactory": {
        "read": (f"{FACTORY}/triggers/read",),
        "act": (f"{FACTORY}/triggers/start/action", f"{FACTORY}/triggers/stop/action"),
    },
    "scaleSet": {"read": (f"{SCALE_SET}/read",), "act": (f"{SCALE_SET}/write",)},
}

# What no run calls, but looks, histories and the orders of the ledger: to lack it is a pity and
# keeps nobody from moving.
BESIDE: dict[str, tuple[str, ...]] = {
    "logicWorkflow": (
        f"{FLOW}/triggers/histories/read",
        f"{FLOW}/runs/cancel/action",
        f"{FLOW}/triggers/histories/resubmit/action",
    ),
    "logicAppWorkflow": (
        f"{HOST}/triggers/read",
        f"{HOST}/triggers/histories/read",
        f"{SITE}/listWorkflowsConnections/action",
        f"{HOST}/runs/cancel/action",
        f"{HOST}/triggers/histories/resubmit/action",
    ),
    "functionApp": (f"{SITE}/functions/read",),
    # What a pairing does not carry over is compared by looks alone.
    "serviceBusAlias": (
        f"{NAMESPACE}/networkRuleSets/read",
        f"{NAMESPACE}/topics/subscriptions/read",
        GRANTS,
    ),
    "eventHubsAlias": (f"{HUBS}/networkRuleSets/read", GRANTS),
    "diagnosticSetting": (
        "Microsoft.Storage/storageAccounts/read",
        f"{HUBS}/read",
        f"{HUBS}/disasterRecoveryConfigs/read",
    ),
    # A run calls them where the plan's overlay has callbacks, of the workflows that those name.
    "apiManagement": (
        f"{FLOW}/triggers/listCallbackUrl/action",
        f"{HOST}/triggers/listCallbackUrl/action",
    ),
    "integrationAccount": (f"{PARTNERS}/listKeyVaultKeys/action",),
    "batch": (f"{BATCH}/pools/read",),
}


def called(side: str) -> list[str]:
    """Every action of one side, `read` or `act`, sorted: what the app calls."""
    return sorted({action for kind in PERMISSIONS.values() for action in kind[side]})


def granted(side: str) -> list[str]:
    """What the role of access.json holds, so that it is given all that is called, sorted."""
    return sorted({held(action) for action in called(side)})


def held(action: str) -> str:
    """The name or pattern by which a role holds an action."""
    return PATTERNS.get(action, action)
