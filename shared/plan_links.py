"""Plan links: what must hold of connections and gateways beyond one field.

A plan is read by more people than may know a password: what sounds like one is refused.
"""

import re
from collections.abc import Iterator

TELLING = re.compile(
    r"password|passphrase|secret|token|credential|connectionstring|sas|(access|account|api)?key$",
    re.IGNORECASE,
)


def problems(parts: list[tuple[str, dict]]) -> Iterator[str]:
    """What is wrong with the links of a raw document, each with its path."""
    for path, part in parts:
        rule = RULES.get(str(part.get("kind")))
        if rule:
            yield from rule(path, part)


def connection(path: str, part: dict) -> Iterator[str]:
    given = part.get("values")
    for location, values in given.items() if isinstance(given, dict) else ():
        for name in values if isinstance(values, dict) else ():
            if TELLING.search(str(name)):
                yield (
                    f"{path}.values.{location}.{name}: a plan holds no secrets: make this "
                    "connection by a template or by hand, or let it use a managed identity"
                )
    hosts = part.get("hosts")
    told = list(hosts.values()) if isinstance(hosts, dict) else []
    same = len({str(host).lower() for host in told}) == 1
    replica = part.get("endpoint") == "replica"
    if replica and not told:
        yield f"{path}.hosts: name the host of each location's replica"
    if replica and len(told) == 2 and same:
        yield f"{path}.hosts: both are {told[0]}: that is one system, endpoint: shared"
    if not replica and len(told) == 2 and not same:
        yield f"{path}.hosts: {' and '.join(map(str, told))} are two systems: endpoint: replica"


def gateway(path: str, part: dict) -> Iterator[str]:
    given = part.get("members")
    lists = list(given.values()) if isinstance(given, dict) else []
    if len(lists) == 2 and all(isinstance(one, list) for one in lists):
        both = {str(m).lower() for m in lists[0]} & {str(m).lower() for m in lists[1]}
        for name in sorted(both):
            yield f"{path}.members: {name} is in both clusters: it can be lost with either"


RULES = {"apiConnection": connection, "dataGateway": gateway}
