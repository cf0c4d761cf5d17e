"""What ARM asks before a provider is asked: who, which version, which type, is the region up."""

import asyncio

from rehearsal.arm_provider import Call, Principal, Provider, Refused
from rehearsal.identity import claims_of
from rehearsal.world import World

AUDIENCES = ("https://management.azure.com", "https://management.core.windows.net")
NOBODY = Principal("", "", "")
LOOK_SECONDS = 0.1


def authenticate(world: World, header: str) -> tuple[Principal, Refused | None]:
    """Who a bearer token is, and the 401 when it is nobody or no longer."""
    if not header.startswith("Bearer "):
        message = "Authentication failed. The 'Authorization' header is missing."
        return NOBODY, _unauthorized(world, "AuthenticationFailed", message)
    claims = claims_of(header.removeprefix("Bearer ").strip())
    if claims is None:
        return NOBODY, _unauthorized(world, "InvalidAuthenticationToken", "It is no JWT.")
    audience, oid = str(claims.get("aud", "")).rstrip("/"), str(claims.get("oid", ""))
    name, location = world.principals.get(oid, ("", ""))
    who = Principal(oid, name, location)
    if audience not in AUDIENCES and not audience.startswith("https://localhost:"):
        message = f"The access token is for audience {audience}, not for this one."
        return who, _unauthorized(world, "InvalidAuthenticationTokenAudience", message)
    if oid not in world.principals or claims.get("tid") != world.tenant_id:
        message = "The access token is of no principal of this tenant."
        return NOBODY, _unauthorized(world, "InvalidAuthenticationToken", message)
    if float(claims.get("exp", 0)) < world.now.timestamp():
        message = "The access token has expired."
        return who, _unauthorized(world, "ExpiredAuthenticationToken", message)
    return who, None


def _unauthorized(world: World, code: str, message: str) -> Refused:
    challenge = (
        f'Bearer authorization_uri="https://login.microsoftonline.com/{world.tenant_id}", '
        f'error="invalid_token", error_description="{message}"'
    )
    return Refused(401, code, message, {"WWW-Authenticate": challenge})


async def held(world: World, places: set[str]) -> None:
    """Hold a request to a lost region open, then give up as ARM's front end does."""
    for _ in range(int(world.hold_seconds / LOOK_SECONDS) + 1):
        if all(world.up(place, "arm") for place in places):
            return
        await asyncio.sleep(LOOK_SECONDS)
    message = "The gateway did not receive a response within the specified time period."
    raise Refused(504, "GatewayTimeout", message)


def find_provider(providers: dict[str, Provider], call: Call) -> tuple[Provider, str]:
    """The provider of a path, and whether the path is a resource, a collection or an action."""
    route = call.route
    if route.tail:
        collection = providers.get(route.collection.lower())
        if call.method == "GET" and collection is not None:
            return collection, "collection"
        owner = providers.get(route.type.lower())
        if owner is not None and (call.method, route.tail.lower()) in owner.actions:
            return owner, "action"
    else:
        owner = providers.get(route.type.lower())
        if owner is not None and call.method in owner.methods:
            return owner, "resource"
    raise Refused(501, "NotEmulated", f"The rehearsal does not emulate {_operation(call)}.")


def _operation(call: Call) -> str:
    route = call.route
    apart = "/" in route.tail or (call.method == "GET" and route.tail)
    what = route.collection if apart else "/".join(p for p in (route.type, route.tail) if p)
    return f"{call.method} {what or route.path}"


def check_version(call: Call, provider: Provider) -> None:
    """Every request names an api-version, and one that the provider has."""
    asked = call.api_version
    if not asked:
        message = "The api-version query parameter (?api-version=) is required for all requests."
        raise Refused(400, "MissingApiVersionParameter", message)
    if asked in provider.versions:
        return
    versions = ", ".join(provider.versions)
    if provider.type.startswith("Microsoft.Resources/"):
        message = f"The api-version '{asked}' is invalid. The supported versions are '{versions}'."
        raise Refused(400, "InvalidApiVersionParameter", message)
    namespace, _, kind = provider.type.partition("/")
    message = (
        f"No registered resource provider found for location '{call.route.location}' and API "
        f"version '{asked}' for type '{kind}' of '{namespace}'. The supported api-versions are "
        f"'{versions}'."
    )
    raise Refused(400, "NoRegisteredProviderFound", message)
