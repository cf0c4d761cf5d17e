"""Plan links: what must hold of connections, gateways and hooks beyond one field."""

from collections.abc import Iterator


def problems(parts: list[tuple[str, dict]]) -> Iterator[str]:
    """What is wrong with the links of a raw document, each with its path."""
    for path, part in parts:
        rule = RULES.get(str(part.get("kind")))
        if rule:
            yield from rule(path, part)


def connection(path: str, part: dict) -> Iterator[str]:
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


def hook(path: str, part: dict) -> Iterator[str]:
    if ("url" in part) == ("urlSetting" in part):
        yield f"{path}: give url, or urlSetting where the URL holds a secret"


RULES = {"apiConnection": connection, "dataGateway": gateway, "http": hook}
