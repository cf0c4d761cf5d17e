"""Microsoft.Web/connections and connectionGateways: kept as given, with what the service adds.

After api-version 2016-06-01. A connector of OAuth is made without consent, and says so.
Not emulated: consent links, test links, access policies, parameter value sets, the installations
behind gateways, and whatever a connector does.
"""

import re

from rehearsal.arm_provider import Call, Provider, Refused
from rehearsal.providers.logic_names import stamp
from rehearsal.world import Resource, normal

VERSIONS = ("2016-06-01",)
connections = Provider("Microsoft.Web/connections", VERSIONS)
gateways = Provider("Microsoft.Web/connectionGateways", VERSIONS)
PROVIDERS = [connections, gateways]
CONSENT = ("office365", "outlook", "sharepointonline", "salesforce", "onedrive", "teams")
API = re.compile(r"(?i).*/locations/([^/]+)/managedApis/([^/]+)$")
SECRET = re.compile(r"password|secret|token|connectionstring|key$", re.IGNORECASE)


@connections.put
def put_connection(call: Call, body: dict, known: Resource | None) -> None:
    """A connection is of a managed API of its own location; what is secret is never shown."""
    properties = body.setdefault("properties", {})
    where = body.get("location")
    if not isinstance(where, str):
        raise Refused(400, "LocationRequired", "The location property is required.")
    found = API.fullmatch(str((properties.get("api") or {}).get("id", "")))
    if found is None:
        raise Refused(400, "InvalidApiConnection", "The connection names no managed API.")
    if normal(found.group(1)) != normal(where):
        message = f"The API is in location '{found.group(1)}', the connection in '{where}'."
        raise Refused(400, "ApiConnectionLocationMismatch", message)
    name = found.group(2).lower()
    given = properties.pop("parameterValues", {})
    shown = {key: value for key, value in given.items() if not SECRET.search(key)}
    properties["nonSecretParameterValues"] = shown
    now = stamp(call.world.now)
    properties |= {"createdTime": stamp(known.created_at) if known else now, "changedTime": now}
    properties["api"] |= {"name": name, "type": "Microsoft.Web/locations/managedApis"}
    properties["statuses"] = [{"status": "Connected"}]
    if name in CONSENT:
        error = {"code": "Unauthenticated", "message": "This connection is not authenticated."}
        row = {"status": "Error", "target": "token", "error": {"properties": error}}
        properties["statuses"] = [row]


@gateways.put
def put_gateway(call: Call, body: dict, known: Resource | None) -> None:
    """A gateway belongs to an installation."""
    properties = body.setdefault("properties", {})
    if not (properties.get("connectionGatewayInstallation") or {}).get("id"):
        message = "The gateway names no connectionGatewayInstallation."
        raise Refused(400, "InvalidConnectionGateway", message)
    properties.setdefault("status", "Installed")
