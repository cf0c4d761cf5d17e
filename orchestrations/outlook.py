"""Outlook: now and then see whether the standby could take over.

Nobody looks at a standby until it is needed: a workflow that somebody enabled there, a backup that
is proven no more, an app that does not start are told where the plan is active, once, and that they
are well again. What only the standby's own app can see, as what it may do, it tells by itself.
"""

from azure.durable_functions import DurableOrchestrationContext

from orchestrations import Flow
from orchestrations.steps import attempt, plan_of
from shared import readiness, witness

ONE_TRY = 1  # The timer is the retry.


def look_ahead(context: DurableOrchestrationContext, told: dict) -> Flow:
    """Look at the standby's readiness, keep it for pages, and tell when it changes for long.

    `told`: {"plan", "location": mine}. Gives the plan's document where the plan waits in this
    location, for `look_within`; nothing else is looked at there, or while a run is under way.
    """
    loaded = yield from attempt(context, "load_plan", {"plan": told["plan"]}, ONE_TRY)
    if loaded["status"] != "succeeded" or told["location"] not in loaded["plan"]["locations"]:
        return None
    plan, document, here = plan_of(loaded), loaded["plan"], told["location"]
    asked = {"plan": plan.name, "witness": document["witness"]}
    known = yield from attempt(context, "read_witness", asked, ONE_TRY)
    if known["status"] != "succeeded":
        return None
    if witness.in_progress(known["record"]["run"], context.current_utc_datetime):
        return None
    if known["record"]["active"] != here:
        return document
    yield from _look(context, document, plan.other(here), {})
    return None


def look_within(context: DurableOrchestrationContext, document: dict, here: str) -> Flow:
    """Look at what only this location, the standby, can see, and tell when it changes for long.

    Whatever else is wrong here the active location tells.
    """
    yield from _look(context, document, here, {"own": True})


def _look(context: DurableOrchestrationContext, document: dict, there: str, how: dict) -> Flow:
    name = document["name"]
    seen = yield from attempt(
        context, "assess_readiness", {"plan": document, "location": there, **how}, ONE_TRY
    )
    before = yield from attempt(context, "read_readiness", {"plan": name, **how}, ONE_TRY)
    if seen["status"] != "succeeded" or before.get("surprised"):
        return
    state, title = readiness.remembered(before.get("readiness"), seen, name, there, **how)
    if title:
        payload = {"plan": name, "title": title, "because": seen["because"]}
        yield from attempt(context, "alert", payload, ONE_TRY)
    yield from attempt(context, "write_readiness", {"readiness": state}, ONE_TRY)
