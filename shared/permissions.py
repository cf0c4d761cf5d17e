"""Permissions: the control-plane actions that the app calls, stated once for each kind.

The roles of infra/access.json are exactly this table: `read` is the reader's, `act` the
operator's. A kind that asks something new of ARM says so here, by the names under "Azure
permissions" in Microsoft's pages on role-based access control.
"""

PLAN = "(plan)"  # What is asked for any plan, whatever its components are.
FLOW = "Microsoft.Logic/workflows"
GATEWAY = "Microsoft.ApiManagement/service"
PROFILE = "Microsoft.Network/trafficManagerProfiles"
SCALE_SET = "Microsoft.Compute/virtualMachineScaleSets"
NAMESPACE = "Microsoft.ServiceBus/namespaces"

PERMISSIONS: dict[str, dict[str, tuple[str, ...]]] = {
    PLAN: {
        "read": (
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
        ),
    },
    "trafficManager": {
        "read": (f"{PROFILE}/read",),
        "act": (f"{PROFILE}/externalEndpoints/write",),
    },
    "http": {"read": (), "act": ()},
    "scaleSet": {"read": (f"{SCALE_SET}/read",), "act": (f"{SCALE_SET}/write",)},
}


def granted(side: str) -> list[str]:
    """Every action of one side, `read` or `act`, sorted: what the role of access.json holds."""
    return sorted({action for kind in PERMISSIONS.values() for action in kind[side]})
