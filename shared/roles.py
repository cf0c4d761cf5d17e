"""Roles: what it costs when a workflow's trigger fires in both locations at once.

Request triggers and server-side polling (the queue knows who took what) may run in both. What
remembers its place on its own side, or is called back, must be exclusive: it waits for the fence.
"""

from typing import NamedTuple


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
QUEUES = ("servicebus", "azurequeues")
UNKNOWN = "clientPolling"  # What is not known is treated as what must not overlap.


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


def trigger_class(definition: dict) -> tuple[str, str]:
    """The trigger class of a Consumption workflow definition, and why.

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
        return UNKNOWN, "the definition has no trigger that is known here"
    return max(found, key=lambda pair: TRIGGERS[pair[0]].wave)


def of_trigger(name: str, trigger: dict) -> tuple[str, str]:
    kind = str(trigger.get("type", "")).lower()
    if kind == "apiconnection":
        return of_connection(name, trigger)
    if kind in TYPES:
        return TYPES[kind], f"trigger {name} is of type {trigger['type']}"
    return UNKNOWN, f"trigger {name} is of type {trigger.get('type')}, which is not known here"


def of_connection(name: str, trigger: dict) -> tuple[str, str]:
    """A managed connector: a queue when its connection and its path say so."""
    inputs = trigger.get("inputs")
    inputs = inputs if isinstance(inputs, dict) else {}
    host, queries = str(inputs.get("host", "")).lower(), inputs.get("queries")
    if not any(queue in host for queue in QUEUES):
        return UNKNOWN, f"trigger {name} polls a connector that keeps no place for its readers"
    session = (queries if isinstance(queries, dict) else {}).get("sessionId")
    if session in (None, "", "None"):
        return "queue", f"trigger {name} takes messages from a queue"
    return "orderedQueue", f"trigger {name} takes sessions from a queue"
