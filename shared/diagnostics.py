"""Diagnostics: who receives what a resource tells, and what is to be added. Pure.

After Microsoft.Insights 2021-05-01-preview. A setting has one destination of each sort, so two
workspaces need two settings; a category goes to one destination by one setting only.
"""

VERSION = "2021-05-01-preview"
PATH = "providers/Microsoft.Insights/diagnosticSettings"
GEO = ("GRS", "RAGRS", "GZRS", "RAGZRS")


def receivers(settings: list[dict]) -> list[str]:
    """The workspaces that receive at least one kind of log, ids in lower case."""
    return [
        str(one["properties"]["workspaceId"]).lower()
        for one in settings
        if one.get("properties", {}).get("workspaceId") and logs_of(one)
    ]


def logs_of(setting: dict) -> list[str]:
    """The categories, and groups of them, that a setting sends."""
    rows = setting.get("properties", {}).get("logs") or []
    return [str(r.get("category") or r.get("categoryGroup")) for r in rows if r.get("enabled")]


def lacking(part: dict, settings: list[dict]) -> list[str]:
    """The locations whose workspace does not receive."""
    told = receivers(settings)
    return [at for at, id in part["workspaces"].items() if id.lower() not in told]


def destinations(settings: list[dict], key: str) -> list[str]:
    """The ids under `key` (storageAccountId, eventHubAuthorizationRuleId), each once."""
    found = [str(one["properties"][key]) for one in settings if one.get("properties", {}).get(key)]
    return list(dict.fromkeys(found))


def namespace_of(rule: str) -> str:
    """The event hubs namespace of an authorization rule's id."""
    at = rule.lower().find("/authorizationrules/")
    return rule[:at] if at >= 0 else rule


def geo_redundant(sku: str) -> bool:
    """Does a storage account of this SKU keep a copy in another region?"""
    return sku.partition("_")[2] in GEO


def creation(part: dict, location: str) -> dict:
    """The request that lets the workspace of `location` receive, as a dry run names it."""
    groups = ("allLogs", "audit")
    logs = [
        {"categoryGroup" if name in groups else "category": name, "enabled": True}
        for name in part["logs"]
    ]
    url = f"{part['resource']}/{PATH}/{part['setting']}-{location}?api-version={VERSION}"
    properties = {"workspaceId": part["workspaces"][location], "logs": logs}
    return {"method": "PUT", "url": url, "body": {"properties": properties}}
