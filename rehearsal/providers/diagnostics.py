"""Microsoft.Insights/diagnosticSettings: on any resource, at most five, each with a destination.

After api-version 2021-05-01-preview. Nothing is sent anywhere.
Not emulated: categories that a resource does not have, and settings of a subscription.
"""

from rehearsal.arm_provider import Call, Provider, Refused
from rehearsal.world import Resource

VERSIONS = ("2021-05-01-preview",)
TYPE = "Microsoft.Insights/diagnosticSettings"
SINKS = ("workspaceId", "storageAccountId", "eventHubAuthorizationRuleId", "marketplacePartnerId")
SETTINGS_MAX = 5
settings = Provider(TYPE, VERSIONS, created_status=200)
PROVIDERS = [settings]


@settings.put
def put_setting(call: Call, body: dict, known: Resource | None) -> None:
    """A destination is needed, and a category goes there once."""
    properties = body.setdefault("properties", {})
    sinks = {key: str(properties[key]).lower() for key in SINKS if properties.get(key)}
    if not sinks:
        raise Refused(400, "BadRequest", "At least one data sink needs to be specified.")
    if call.world.resources.get(call.route.parent_id) is None:
        message = f"The resource '{call.route.parent_id}' was not found."
        raise Refused(404, "ResourceNotFound", message)
    others = [
        row
        for row in call.world.resources.under(call.route.parent_id, TYPE)
        if row.id.lower() != call.route.id.lower()
    ]
    if known is None and len(others) >= SETTINGS_MAX:
        message = f"A resource has at most {SETTINGS_MAX} diagnostic settings."
        raise Refused(400, "BadRequest", message)
    sent = _categories(properties)
    for row in others:
        same = any(str(row.properties.get(key, "")).lower() == id for key, id in sinks.items())
        if same and sent & _categories(row.properties):
            message = f"Data sink is already used in diagnostic setting '{row.name}'."
            raise Refused(409, "Conflict", message)


def _categories(properties: dict) -> set[str]:
    rows = [row for row in properties.get("logs") or [] if row.get("enabled")]
    return {str(row.get("category") or row.get("categoryGroup")) for row in rows}
