"""Roles: what it costs when a workflow's trigger fires in both locations at once.

Request triggers and server-side polling (the queue knows who took what) may run in both. What
remembers its place on its own side, or is called back, must be exclusive: it waits for the fence.
`python -m shared.roles PATH...` tells it of workflow definitions.
"""

import re
from typing import NamedTuple

from shared.connectors import BROWSES, BUILT_IN, MANAGED, Connector


class Trigger(NamedTuple):
    """A trigger class. `wave`: its place in activation, safe and consuming ones first."""

    exclusive: bool
    wave: int
    because: str


TRIGGERS: dict[str, Trigger] = {
    "queue": Trigger(False, 0, "the queue gives each message to one consumer"),
    "orderedQueue": Trigger(False, 0, "the session's lock gives each session to one consumer"),
    "request": Trigger(False, 0, "it runs only where a caller calls it"),
    "webhook": Trigger(True, 1, "both sides would be subscribed and get every event twice"),
    "batch": Trigger(True, 1, "each side would collect a part of one batch"),
    "clientPolling": Trigger(True, 2, "each side remembers for itself what it has read"),
    "httpPolling": Trigger(True, 2, "each side remembers for itself what it has read"),
    "recurrence": Trigger(True, 3, "both clocks would fire"),
    "slidingWindow": Trigger(True, 3, "both clocks would work on the same windows"),
}

# What a trigger remembers that its copy needs to go on where it stopped; the others remember
# nothing, or what only the side that subscribed or collected can use.
STATE: dict[str, str] = {
    "clientPolling": "what it has read would be read again",
    "httpPolling": "what it has read would be read again",
    "recurrence": "its next time; a copy without it fires at once, twice in one period",
    "slidingWindow": "the windows that are done; a copy without them leaves out or repeats some",
}

TYPES: dict[str, str] = {
    "request": "request",
    "manual": "request",
    "recurrence": "recurrence",
    "slidingwindow": "slidingWindow",
    "http": "httpPolling",
    "httpwebhook": "webhook",
    "apiconnectionwebhook": "webhook",
    "apiconnectionnotification": "webhook",
    "batch": "batch",
}
UNKNOWN = "clientPolling"  # What is not known is treated as what must not overlap.
CONNECTION = re.compile(r"\['([^'\[\]]+)'\]")
NUMBER = re.compile(r"[-_]\d+$")

# What each class allows, in the words of a plan: the first is what it is best used as.
ROLES: dict[str, tuple[str, ...]] = {
    "request": ("activeActive", "activePassive"),
    "queue": ("activeActive", "activePassive"),
    "orderedQueue": ("activeActive", "activePassive"),
    "recurrence": ("activePassive", "split"),
}
ROLES |= {name: ("activePassive",) for name in TRIGGERS if name not in ROLES}

# How two copies share the work where both may run, and what else there is to say.
NOTES: dict[str, str] = {
    "request": "callers or a gateway in front balance the load",
    "queue": "competing consumers; where order counts take sessions, or activePassive",
    "orderedQueue": "competing consumers, in order within each session (sequential convoy)",
    "recurrence": "split: two schedules half a period apart, one in each location",
}


class Found(NamedTuple):
    """`trigger`: its class; `known`: whether that is more than the cautious guess."""

    trigger: str
    because: str
    known: bool = True


def exclusive(trigger: str) -> bool:
    """Must a workflow with this trigger class run in one location at a time?"""
    return TRIGGERS[trigger].exclusive


def wave(trigger: str) -> int:
    """The wave of this trigger class in an activation; 0 wakes first."""
    return TRIGGERS[trigger].wave


def overlap(trigger: str) -> dict:
    """May both copies run at once? {"allowed", "because"}."""
    known = TRIGGERS[trigger]
    return {"allowed": not known.exclusive, "because": known.because}


def state(trigger: str) -> dict:
    """Is the state of this trigger class worth carrying over? {"worth", "because"}."""
    because = STATE.get(trigger, "it remembers nothing that its copy could use")
    return {"worth": trigger in STATE, "because": because}


def trigger_class(definition: dict) -> Found:
    """The trigger class of a workflow definition, Consumption's or Standard's, and why.

    Of several triggers the most exclusive decides. Without any known one: treated as polling
    that remembers its place, the cautious guess.
    """
    triggers = definition.get("triggers")
    found = [
        of_trigger(name, trigger)
        for name, trigger in (triggers.items() if isinstance(triggers, dict) else ())
        if isinstance(trigger, dict)
    ]
    if not found:
        known = " that is known here" if triggers else ""
        return Found(UNKNOWN, f"the definition has no trigger{known}", False)
    worst = max(found, key=lambda one: (TRIGGERS[one.trigger].wave, not one.known))
    return worst._replace(known=all(one.known for one in found))


def of_trigger(name: str, trigger: dict) -> Found:
    kind = str(trigger.get("type", "")).lower()
    if kind in ("apiconnection", "serviceprovider"):
        return of_connection(name, trigger)
    if kind in TYPES:
        return Found(TYPES[kind], f"trigger {name} is of type {trigger['type']}")
    because = f"trigger {name} is of type {trigger.get('type')}, which is not known here"
    return Found(UNKNOWN, because, False)


def of_connection(name: str, trigger: dict) -> Found:
    """A trigger that polls a connector: by the side on which the connector's memory lies."""
    inputs = mapping(trigger, "inputs")
    title, connector = connector_of(trigger)
    if connector is None:
        return Found(UNKNOWN, f"trigger {name} polls {title}, which is not known here", False)
    if connector.side != "server":
        side = {"client": UNKNOWN, "push": "webhook"}[connector.side]
        return Found(side, f"trigger {name}, {title}: {connector.because}")
    if in_sessions(inputs):
        return Found("orderedQueue", f"trigger {name}, {title}, takes one session at a time")
    return Found("queue", f"trigger {name}, {title}: {connector.because}")


def connector_of(trigger: dict) -> tuple[str, Connector | None]:
    """What a trigger polls: its name, and what is known of it. Connections may be numbered."""
    inputs = mapping(trigger, "inputs")
    provider = mapping(inputs, "serviceProviderConfiguration")
    host = mapping(inputs, "host")
    connection = mapping(host, "connection")
    if provider:
        name = str(provider.get("serviceProviderId", "")).rsplit("/", 1)[-1].lower()
        known = BUILT_IN.get(name)
    else:
        told = str(connection.get("referenceName") or connection.get("name") or "")
        quoted = CONNECTION.search(told)
        path = str(mapping(host, "api").get("runtimeUrl", "")).rstrip("/").rsplit("/", 1)[-1]
        name = NUMBER.sub("", (path or (quoted[1] if quoted else told)).lower())
        known = MANAGED.get(name)
    browsing = "browse" in f"{inputs.get('path')} {provider.get('operationId')}".lower()
    return name or "a connector without a name", BROWSES if known and browsing else known


def in_sessions(inputs: dict) -> bool:
    """Does a queue's trigger take whole sessions?"""
    session = mapping(inputs, "queries").get("sessionId")
    switch = mapping(inputs, "parameters").get("isSessionsEnabled")
    return session not in (None, "", "None") or str(switch).lower() == "true"


def mapping(holder: dict, key: str) -> dict:
    value = holder.get(key)
    return value if isinstance(value, dict) else {}


if __name__ == "__main__":
    import sys

    from shared import roles_of

    sys.exit(roles_of.main(sys.argv[1:]))
