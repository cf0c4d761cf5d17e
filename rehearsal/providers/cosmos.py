"""Microsoft.DocumentDB: accounts in several regions, one of which writes.

After api-versions 2025-10-15 and 2026-03-15. An account of the table has no location of its own:
ARM reaches it while its resource group's region is up. Error codes are recollections.
Not emulated: databases, consistency, many write regions, a lost region that Azure takes offline by
itself (`consistencyPolicy` and `enableAutomaticFailover` are shown and do nothing).
"""

from rehearsal.arm_provider import Call, Provider, Refused, Running, running
from rehearsal.world import Resource, normal

VERSIONS = ("2025-10-15", "2026-03-15")
accounts = Provider("Microsoft.DocumentDB/databaseAccounts", VERSIONS, methods=frozenset({"GET"}))
PROVIDERS = [accounts]
PLAIN = (
    "enableAutomaticFailover",
    "databaseAccountOfferType",
    "provisioningState",
    "consistencyPolicy",
)


def regions(account: Resource) -> list[str]:
    """Every region by priority, offline ones last."""
    return account.properties["regions"]


def gone(account: Resource) -> list[str]:
    """Regions that are offline."""
    return account.properties.setdefault("offline", [])


def region_row(account: Resource, name: str, priority: int) -> dict:
    """A region as ARM lists it."""
    short = normal(name)
    return {
        "id": f"{account.name}-{short}",
        "locationName": name,
        "documentEndpoint": f"https://{account.name}-{short}.documents.azure.com:443/",
        "provisioningState": "Offline" if name in gone(account) else "Succeeded",
        "failoverPriority": priority,
    }


@accounts.shown
def show(call: Call, account: Resource) -> dict:
    """An account with its regions."""
    rows = [region_row(account, name, at) for at, name in enumerate(regions(account))]
    live = [row for row in rows if row["provisioningState"] == "Succeeded"]
    policies = [
        {key: row[key] for key in ("id", "locationName", "failoverPriority")} for row in rows
    ]
    properties = {key: v for key, v in account.properties.items() if key in PLAIN}
    properties |= {
        "documentEndpoint": f"https://{account.name}.documents.azure.com:443/",
        "writeLocations": live[:1],
        "readLocations": live,
        "locations": rows,
        "failoverPolicies": policies,
    }
    known = {"id": account.id, "name": account.name, "type": account.type}
    tags = account.body.get("tags", {})
    place = regions(account)[0]
    return {
        **known,
        "location": place,
        "tags": tags,
        "kind": "GlobalDocumentDB",
        **{"properties": properties},
    }


def ready(call: Call) -> Resource:
    """The account, if nobody changes it just now; from here on we do."""
    account = call.found()
    if account.properties.get("provisioningState") == "Updating":
        message = "There is already an operation in progress which requires exclusive lock."
        raise Refused(412, "PreconditionFailed", message)
    return account


def changing(call: Call, account: Resource, order: list[str], offline: list[str]) -> Running:
    """The account gets another order of regions after a while."""
    account.properties["provisioningState"] = "Updating"

    def then() -> None:
        account.properties.update(
            {"regions": order, "offline": offline, "provisioningState": "Succeeded"}
        )

    return running(call.world.timings["settle_seconds"], then)


@accounts.action("failoverPriorityChange")
def change(call: Call) -> Running:
    """Other priorities, of every region; the one that writes must be alive."""
    account = ready(call)
    given = sorted(
        call.body.get("failoverPolicies", []), key=lambda row: row.get("failoverPriority", 0)
    )
    order = [str(row.get("locationName")) for row in given]
    if sorted(map(normal, order)) != sorted(map(normal, regions(account))):
        raise Refused(400, "BadRequest", "Every region of the account needs a priority.")
    if not call.world.up(normal(regions(account)[0]), "data"):
        message = "The write region is not available: priorities cannot be changed now."
        raise Refused(409, "Conflict", message)
    return changing(call, account, order, gone(account))


def named(call: Call, account: Resource) -> str:
    """The region that a request is about."""
    asked = normal(str(call.body.get("region", "")))
    found = [name for name in regions(account) if normal(name) == asked]
    if not found:
        raise Refused(400, "BadRequest", f"The account has no region '{asked}'.")
    return found[0]


@accounts.action("offlineRegion")
def offline(call: Call) -> Running:
    """A region goes offline; if it wrote, the next one by priority writes."""
    account = ready(call)
    name = named(call, account)
    others = [one for one in regions(account) if one != name and one not in gone(account)]
    if not others:
        raise Refused(400, "BadRequest", "The last region cannot be taken offline.")
    order = [one for one in regions(account) if one != name] + [name]
    return changing(call, account, order, [*gone(account), name])


@accounts.action("onlineRegion")
def online(call: Call) -> Running:
    """A region that was offline reads again; it does not get its priority back."""
    account = ready(call)
    name = named(call, account)
    if not call.world.up(normal(name), "data"):
        raise Refused(409, "Conflict", f"Region '{name}' is not available.")
    return changing(call, account, regions(account), [n for n in gone(account) if n != name])
