"""Aliases at the wire: what ARM shows of a namespace of Service Bus or Event Hubs."""

from shared import alias, arm_calls

GRANTS_VERSION = "2022-04-01"  # Of Microsoft.Authorization/roleAssignments.


def every(path: str, version: str = alias.VERSION) -> list[dict]:
    """Every item of a collection; raises Surprise where it is not shown."""
    return list(arm_calls.rows(path, version=version))


def entities(part: dict) -> list[dict]:
    """The queues and topics, or event hubs, of this side's namespace as `alias.entity` has them."""
    return [alias.entity(kind, row) for kind, row in shown(part)]


def shown(part: dict) -> list[tuple[str, dict]]:
    """(kind, as ARM shows it) of the same."""
    return [
        (kind, row)
        for kind in alias.SORTS[part["kind"]].entities
        for row in every(f"{part['resource']}/{kind}")
    ]


def rules(namespace: str) -> dict:
    """The properties of a namespace's one network rule set, which every namespace has."""
    return arm_calls.read(f"{namespace}/networkRuleSets/default", alias.VERSION).expect().properties


def grants(namespace: str) -> list[dict]:
    """The properties of every role assignment at a namespace, above it and below it."""
    path = f"{namespace}/providers/Microsoft.Authorization/roleAssignments"
    return [row.get("properties") or {} for row in every(path, GRANTS_VERSION)]
