"""Audit: hand what is new in a witness record to the audit, behind everything else.

Whoever reads the record anyway does it: the heartbeat where active, the watchdog where not. What
cannot be written now is tried again with the next look, as long as the record remembers it.
"""

from azure.durable_functions import DurableOrchestrationContext

from orchestrations import Flow
from orchestrations.steps import attempt


def write_behind(
    context: DurableOrchestrationContext, document: dict, record: dict | None, audited: int
) -> Flow:
    """The number of the last transition that the audit is known to have; asks nobody without news.

    `document`: the plan's; `record`: as it was just read, or None; `audited`: what this gave last.
    """
    transitions = record["transitions"] if record else []
    last = transitions[-1].get("n", 0) if transitions else 0
    if last in (0, audited):
        return audited
    # The one that is there already goes along: it shows whether the record is still the same one.
    news = [one for one in transitions if one.get("n", 0) >= audited]
    told = news if audited < last else transitions
    payload = {"plan": document["name"], "witness": document["witness"], "transitions": told}
    kept = yield from attempt(context, "keep_audit", payload, attempts_max=1)
    return kept.get("audited", audited)
