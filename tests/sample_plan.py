"""A small plan, its slips and its record: enough to drive an orchestrator through a stage."""

from datetime import datetime

from shared import slip
from tests.replay import START

SUBSCRIPTION = "/subscriptions/00000000-0000-4000-8000-000000000001"
WEST = f"{SUBSCRIPTION}/resourceGroups/rg-contoso-we"
NORTH = f"{SUBSCRIPTION}/resourceGroups/rg-contoso-ne"
GATEWAY = f"{WEST}/providers/Microsoft.ApiManagement/service/apim-contoso-we"
PROFILES = f"{SUBSCRIPTION}/resourceGroups/rg-contoso-global/providers/Microsoft.Network"
DIGEST = "d" * 64
RUN = "contoso-2-20260105T080000Z"


def place(group: str, name: str, short: str) -> dict:
    return {
        "short": short,
        "resourceGroup": group,
        "app": f"https://func-contoso-{short}.azurewebsites.net",
        "health": f"https://prod-{short}.{name}.logic.azure.com/workflows/health-{short}"
        "/triggers/manual/paths/invoke?api-version=2016-10-01",
    }


def workflow(name: str, trigger: str, role: str, waits_for: list[str]) -> dict:
    return {
        "name": name,
        "kind": "logicWorkflow",
        "trigger": trigger,
        "role": role,
        "resource": f"{{resourceGroup}}/providers/Microsoft.Logic/workflows/{name}",
        "waitsFor": waits_for,
    }


def overlay(region: str) -> dict:
    return {
        "backends": {"orders": {"url": f"https://orders.{region}.example.net"}},
        "namedValues": {"region": region},
    }


PLAN = {
    "name": "contoso",
    "home": "westeurope",
    "locations": {
        "westeurope": place(WEST, "westeurope", "we"),
        "northeurope": place(NORTH, "northeurope", "ne"),
    },
    "objectives": {"rtoSeconds": 120, "rpoSeconds": 3600},
    "witness": {
        "blobServiceUri": "https://stcontosowitness.blob.core.windows.net",
        "container": "understudy",
        "leaseSeconds": 30,
    },
    "watch": {
        "everySeconds": 10,
        "rounds": 3,
        "timeoutSeconds": 3,
        "observers": ["health", "gateway", "trafficManager", "lease"],
        "controls": ["https://control.example.net/"],
    },
    "automation": "automatic",
    "quietMinutes": 30,
    "alerts": {"webhookSetting": "ALERT_WEBHOOK"},
    "backup": {"keepDays": 25, "keepCount": 10},
    "components": [
        {
            "name": "gateway",
            "kind": "apiManagement",
            "resource": "{resourceGroup}/providers/Microsoft.ApiManagement/service/"
            "apim-contoso-{short}",
            "gatewayUrl": "https://apim-contoso-{short}.azure-api.net",
            "backups": {
                "northeurope": {"account": "stcontosone", "container": "apim-backups"},
                "westeurope": {"account": "stcontosowe", "container": "apim-backups"},
            },
            "overlay": {
                "northeurope": overlay("northeurope"),
                "westeurope": overlay("westeurope"),
            },
            "probe": "/orders/health",
        },
        workflow("orders-intake", "request", "activeActive", ["gateway"]),
        workflow("nightly-report", "recurrence", "activePassive", ["orders-intake"]),
        {
            "name": "front",
            "kind": "trafficManager",
            "resource": f"{PROFILES}/trafficmanagerprofiles/contoso",
            "endpoints": {"westeurope": "westeurope", "northeurope": "northeurope"},
            "ttlSeconds": 10,
        },
        {
            "name": "synthetic-order",
            "kind": "http",
            "stage": "verify",
            "url": "https://contoso.trafficmanager.net/orders/health",
            "expect": 200,
        },
    ],
}


def slip_at(stage: str, now: datetime = START) -> dict:
    """A slip of the forced run to northeurope (or of a restore there) as it stands at `stage`."""
    common = {
        "plan": "contoso",
        "digest": DIGEST,
        "source": "westeurope",
        "target": "northeurope",
        "by": "watchdog in northeurope",
        "now": now,
        "facts": {},
    }
    if stage == "restore":
        return slip.restore(run="contoso-restore-20260105T080000Z", **common)
    paper = slip.first(run=RUN, mode="forced", reason="3 of 4 observers see it lost", **common)
    for _ in slip.STAGES:
        if paper["stage"] == stage:
            return paper
        onward = slip.onward(paper, {})
        if onward is None:
            break
        paper = {**onward, "epoch": 2}
    raise ValueError(f"no stage {stage} on the way of a forced run")


def record(epoch: int, active: str, **more: object) -> dict:
    """A witness record in which nothing else is under way."""
    return {
        "version": 1,
        "plan": "contoso",
        "epoch": epoch,
        "active": active,
        "leaseUntil": None,
        "holder": None,
        "run": None,
        "quietUntil": None,
        "paused": False,
        "transitions": [],
        **more,
    }
