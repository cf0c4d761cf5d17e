"""Plan hosts: where workflows may stand, and that both locations have the same sort of place.

A Consumption workflow and a Standard one are no copies of each other: different definitions,
connections, triggers' memories and ways to be switched. Integration service environments are gone.
"""

import re
from collections.abc import Iterator

HOSTS = {
    "microsoft.logic/workflows": "Consumption",
    "microsoft.web/sites": "Standard",
}
TYPE = re.compile(r"/providers/([^/]+/[^/]+)/", re.IGNORECASE)
RETIRED = "integrationserviceenvironments"


def problems(parts: list[tuple[str, dict]]) -> Iterator[str]:
    """What is wrong with the hosts of a raw document's components, each with its path."""
    for path, part in parts:
        if part.get("kind") in ("logicWorkflow", "logicAppWorkflow"):
            yield from mixed(path, part)
        if RETIRED in str(part).lower():
            yield (
                f"{path}: integration service environments were retired on 31 August 2024: "
                "move what is in them to a Standard logic app"
            )


def mixed(path: str, part: dict) -> Iterator[str]:
    """One location on Consumption and the other one on Standard."""
    given = part.get("resources")
    hosts = {
        str(at): HOSTS.get(found.group(1).lower(), "")
        for at, id in (given.items() if isinstance(given, dict) else ())
        if isinstance(id, str) and (found := TYPE.search(id))
    }
    if len({host for host in hosts.values() if host}) > 1:
        told = ", ".join(f"{at} has {host}" for at, host in sorted(hosts.items()))
        yield f"{path}.resources: both locations need the same host type: {told}"


def own(path: str, ids: list[str], apps: set[str]) -> Iterator[str]:
    """A plan must not stop the app that carries it out: `apps` are the URLs of Understudy's."""
    hosts = {app.removeprefix("https://").partition("/")[0].partition(".")[0] for app in apps}
    for id in ids:
        name = id.rsplit("/", 1)[-1]
        if name.lower() in {host.lower() for host in hosts}:
            yield f"{path}.resource: {name} is Understudy's own app, which this would stop"
