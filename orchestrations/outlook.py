"""Outlook: now and then, where the plan is active, see whether its standby could take over.

Nobody looks at a standby until it is needed: a workflow that somebody enabled there, a backup that
is proven no more, an app that does not start are told here, once, and that they are well again.
"""

from azure.durable_functions import DurableOrchestrationContext

from orchestrations import Flow
from orchestrations.steps import attempt, plan_of
from shared import readiness, witness

ONE_TRY = 1  # The timer is the retry.


def look_ahead(context: DurableOrchestrationContext, told: dict) -> Flow:
    """Look at the standby's readiness, keep it for pages, and tell when it changes for long.

    `told`: {"plan", "location": mine}. Nothing where the plan is not active or a run is under way.
    """
    loaded = yield from attempt(context, "load_plan", {"plan": told["plan"]}, ONE_TRY)
    if loaded["status"] != "succeeded" or told["location"] not in loaded["plan"]["locations"]:
        return
    plan, document, here = plan_of(loaded), loaded["plan"], told["location"]
    asked = {"plan": plan.name, "witness": document["witness"]}
    known = yield from attempt(context, "read_witness", asked, ONE_TRY)
    if known["status"] != "succeeded" or known["record"]["active"] != here:
        return
    if witness.in_progress(known["record"]["run"], context.current_utc_datetime):
        return
    there = plan.other(here)
    seen = yield from attempt(
        context, "assess_readiness", {"plan": document, "location": there}, ONE_TRY
    )
    before = yield from attempt(context, "read_readiness", {"plan": plan.name}, ONE_TRY)
    if seen["status"] != "succeeded" or before.get("surprised"):
        return
    state, title = readiness.remembered(before.get("readiness"), seen, plan.name, there)
    if title:
        payload = {"plan": plan.name, "title": title, "because": seen["because"]}
        yield from attempt(context, "alert", payload, ONE_TRY)
    yield from attempt(context, "write_readiness", {"readiness": state}, ONE_TRY)
