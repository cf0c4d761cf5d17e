"""Microsoft.ApiManagement/service/*: what a gateway is configured with.

After api-version 2024-05-01: APIs, operations, policies, products, subscriptions, named values,
backends, version sets, fragments, certificates, gateways. Secret values leave only by listValue
and listSecrets.
Not emulated: `count` in lists (the published contract has none), imports of APIs, revisions,
schemas, releases, tags, wikis, refreshSecret, key regeneration, gateway keys.
"""

import re
from xml.etree import ElementTree

from rehearsal.arm_provider import Call, Provider, Refused, Reply, Running, running
from rehearsal.providers import apim_vaults
from rehearsal.providers.apim import BASE, VERSIONS, service_of
from rehearsal.world import Resource


def _kind(path: str) -> Provider:
    """One configuration type: pages of 100, and If-Match wanted for changes."""
    return Provider(
        f"{BASE}/{path}",
        VERSIONS,
        page_size=100,
        head_status=200,
        if_match_required=True,
    )


apis, operations = _kind("apis"), _kind("apis/operations")
products, links = _kind("products"), _kind("products/apis")
named_values, backends = _kind("namedValues"), _kind("backends")
fragments, version_sets = _kind("policyFragments"), _kind("apiVersionSets")
subscriptions, certificates = _kind("subscriptions"), _kind("certificates")
gateways = _kind("gateways")
policies = [
    _kind(path)
    for path in (
        "policies",
        "apis/policies",
        "apis/operations/policies",
        "products/policies",
    )
]
links.methods = frozenset({"HEAD", "PUT", "DELETE"})
links.head_status, links.if_match_required = 204, False
PROVIDERS = [
    apis,
    operations,
    products,
    links,
    named_values,
    backends,
    fragments,
    version_sets,
    subscriptions,
    certificates,
    gateways,
    *policies,
]
NAMED = re.compile(r"\{\{\s*([A-Za-z0-9._-]+)\s*\}\}")
BACKEND = re.compile(r"""backend-id\s*=\s*["']([^"'@]+)["']""")
FRAGMENT = re.compile(r"""fragment-id\s*=\s*["']([^"'@]+)["']""")


def _invalid(message: str) -> Refused:
    return Refused(400, "ValidationError", message)


def _require(body: dict, *keys: str) -> dict:
    properties = body.setdefault("properties", {})
    for key in keys:
        if not properties.get(key) and properties.get(key) != "":
            raise _invalid(f"'{key}' must not be empty.")
    return properties


def _children(call: Call, kind: str) -> list[Resource]:
    return call.world.resources.under(service_of(call).id, f"{BASE}/{kind}")


@apis.put
def put_api(call: Call, body: dict, known: Resource | None) -> None:
    """Names and paths; no two APIs have one path."""
    properties = _require(body, "displayName", "path")
    if "value" in properties or "format" in properties:
        raise Refused(501, "NotEmulated", "The rehearsal does not emulate the import of an API.")
    for other in _children(call, "apis"):
        same = other.properties.get("path") == properties["path"]
        if same and other.id.lower() != call.route.id.lower() and not properties.get("apiVersion"):
            raise _invalid(f"API path '{properties['path']}' is in use by '{other.name}'.")
    for key in ("apiType", "wsdlSelector", "translateRequiredQueryParameters"):
        properties.pop(key, None)
    defaults = {"apiRevision": "1", "isCurrent": True, "protocols": ["https"]}
    body["properties"] = {**defaults, "subscriptionRequired": True, **properties}


@apis.removed
def remove_api(call: Call, api: Resource) -> Running:
    """An API leaves its products too; that takes a moment."""
    for link in _children(call, "products/apis"):
        if link.name.lower() == api.name.lower():
            call.world.resources.remove(link.id)
    return running(call.world.timings["settle_seconds"], lambda: None)


@operations.put
def put_operation(call: Call, body: dict, known: Resource | None) -> None:
    """A method and a template, with a parameter for each `{name}` in it."""
    properties = _require(body, "displayName", "method", "urlTemplate")
    declared = {row.get("name") for row in properties.get("templateParameters") or []}
    for name in re.findall(r"\{\*?([^}]+)\}", properties["urlTemplate"]):
        if name not in declared:
            raise _invalid(
                f"All template parameters used in the UriTemplate must be defined: {name}."
            )


@products.put
def put_product(call: Call, body: dict, known: Resource | None) -> None:
    """Products start unpublished."""
    properties = _require(body, "displayName")
    body["properties"] = {"state": "notPublished", "subscriptionRequired": True, **properties}


@links.put
def put_link(call: Call, body: dict, known: Resource | None) -> None:
    """Only an API that is there can be in a product."""
    _api_of(call, call.route.name)


def _api_of(call: Call, name: str) -> Resource:
    found = call.world.resources.get(f"{service_of(call).id}/apis/{name}")
    if found is None:
        raise Refused(404, "ResourceNotFound", f"API {name} not found.")
    return found


@links.shown
def show_link(call: Call, link: Resource) -> dict:
    """A product's API is shown as the API, under the product."""
    api = call.world.resources.get(f"{service_of(call).id}/apis/{link.name}")
    return {**link.shown(), "properties": dict(api.properties) if api else {}}


@named_values.put
def put_named_value(call: Call, body: dict, known: Resource | None) -> Running:
    """Settles after a while; a value is kept when a secret is saved without one."""
    properties = _require(body, "displayName")
    for other in _children(call, "namedValues"):
        same = other.properties.get("displayName") == properties["displayName"]
        if same and other.id.lower() != call.route.id.lower():
            raise _invalid(f"Named value '{properties['displayName']}' already exists.")
    status = 202 if call.method == "PATCH" else 201
    if "keyVault" in properties:
        then = apim_vaults.fetching(call, service_of(call), properties, known)
        return running(call.world.timings["settle_seconds"], then, status=status)
    if known and "value" not in properties and "keyVault" not in known.properties:
        properties["value"] = known.properties.get("value", "")
    if not properties.get("value"):
        raise _invalid("'value' must not be empty.")
    return running(call.world.timings["settle_seconds"], lambda: None, status=status)


@named_values.shown
def show_named_value(call: Call, named: Resource) -> dict:
    """A secret is shown without its value."""
    properties = dict(named.properties)
    properties.setdefault("secret", False)
    if properties["secret"]:
        properties.pop("value", None)
    return {**named.shown(), "properties": properties}


@named_values.action("listValue")
def list_value(call: Call) -> Reply:
    """The value, also of a secret."""
    named = call.found()
    if "keyVault" in named.properties:
        message = f"Operation not allowed for keyVault derived NamedValue with id '{named.name}'."
        raise _invalid(message)
    return Reply(200, {"value": named.properties.get("value", "")}, {"ETag": f'"{named.etag}"'})


@backends.put
def put_backend(call: Call, body: dict, known: Resource | None) -> None:
    """A URL and a protocol, unless it is a pool."""
    properties = body.setdefault("properties", {})
    if properties.get("type") == "Pool":
        _check_pool(call, (properties.get("pool") or {}).get("services") or [])
    else:
        _require(body, "url", "protocol")
        if not re.match(r"https?://", properties["url"]):
            raise _invalid("'url' must be an absolute URL.")


def _check_pool(call: Call, services: list[dict]) -> None:
    """A pool has members, at most 30, and each of them is there."""
    known = {row.id.lower() for row in _children(call, "backends")}
    if not 1 <= len(services) <= 30:
        raise _invalid("A pool has from 1 to 30 services.")
    for service in services:
        if str(service.get("id", "")).lower() not in known:
            raise _invalid(f"Backend '{service.get('id')}' of the pool was not found.")


@fragments.put
def put_fragment(call: Call, body: dict, known: Resource | None) -> Running:
    """A fragment is XML as a policy is; it settles after a while."""
    check_policy(call, _require(body, "value"), "fragment")
    return running(call.world.timings["settle_seconds"], lambda: None, status=201)


def put_policy(call: Call, body: dict, known: Resource | None) -> None:
    """The one policy of its level, named `policy`."""
    if call.route.name.lower() != "policy":
        raise _invalid("The identifier of the policy must be 'policy'.")
    check_policy(call, _require(body, "value"), "policies")


for _level in policies:
    _level.put(put_policy)


def check_policy(call: Call, properties: dict, root: str) -> None:
    """Well-formed, and every named value, backend and fragment that it names is there."""
    text = properties["value"]
    properties.setdefault("format", "xml")
    if properties["format"] not in ("xml", "rawxml"):
        raise Refused(501, "NotEmulated", f"The rehearsal does not emulate {properties['format']}.")
    # Only plain XML can be read as XML: rawxml may hold unescaped expressions.
    if properties["format"] == "xml" or "@" not in text:
        try:
            found = ElementTree.fromstring(text).tag
        except ElementTree.ParseError as error:
            raise _invalid(f"Error in element '{root}': {error}.") from error
        if found != root:
            raise _invalid(f"Error in element '{found}': the root must be '{root}'.")
    named = {row.properties.get("displayName") for row in _children(call, "namedValues")}
    for pattern, known, what in (
        (NAMED, named, "a property"),
        (BACKEND, {row.name for row in _children(call, "backends")}, "a backend"),
        (FRAGMENT, {row.name for row in _children(call, "policyFragments")}, "a fragment"),
    ):
        for name in pattern.findall(text):
            if name not in known:
                raise _invalid(f"Cannot find {what} '{name}'.")


@subscriptions.put
def put_subscription(call: Call, body: dict, known: Resource | None) -> None:
    """Keys are made when none are given, and kept when the subscription is saved again."""
    properties, world = _require(body, "displayName", "scope"), call.world
    if properties["scope"].startswith("/") and not properties["scope"].startswith("/subscr"):
        properties["scope"] = service_of(call).id + properties["scope"]
    kept = known.properties if known else {}
    for key in ("primaryKey", "secondaryKey"):
        properties.setdefault(key, kept.get(key) or f"{world.random.getrandbits(128):032x}")
    properties.setdefault("state", "active")
    properties.setdefault("createdDate", kept.get("createdDate") or world.now.isoformat())


@subscriptions.shown
def show_subscription(call: Call, subscription: Resource) -> dict:
    """Keys are shown by listSecrets only."""
    hidden = ("primaryKey", "secondaryKey")
    shown = {key: value for key, value in subscription.properties.items() if key not in hidden}
    return {**subscription.shown(), "properties": shown}


@subscriptions.action("listSecrets")
def list_secrets(call: Call) -> Reply:
    """Both keys."""
    found = call.found()
    keys = {key: found.properties.get(key, "") for key in ("primaryKey", "secondaryKey")}
    return Reply(200, keys, {"ETag": f'"{found.etag}"'})


@certificates.shown
def show_certificate(call: Call, certificate: Resource) -> dict:
    """What can be seen of a certificate; its key cannot."""
    shown = ("subject", "thumbprint", "expirationDate", "keyVault")
    properties = {
        key: certificate.properties[key] for key in shown if key in certificate.properties
    }
    return {**certificate.shown(), "properties": properties}
