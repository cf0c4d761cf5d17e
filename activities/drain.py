"""Draining a workflow: what still runs in it, and what its triggers remember.

After Microsoft.Logic 2019-05-01. A disabled workflow starts nothing new and lets its runs end.
"""

from shared import arm_calls, clients, trigger_state
from shared.guard import guarded, still
from shared.outcome import refused, skipped, succeeded
from shared.reply import Unreachable

IN_FLIGHT = ("Running", "Waiting")
RUNS_NAMED_MAX = 10
RUNS_ASKED = "50"


def drain_workflow(payload: dict) -> dict:
    """Which runs of the workflow are in flight? Facts `count` (at least) and `runs`, some names.

    Succeeded when there are none, refused while there are. Safe to repeat: reads.
    """
    runs: list[str] = []
    for status in IN_FLIGHT:
        query = {"$filter": f"status eq '{status}'", "$top": RUNS_ASKED}
        url = f"{payload['component']['resource']}/runs"
        try:
            reply = clients.ask("GET", url, query=query, bounds=clients.HURRIED)
        except Unreachable as error:
            where = f"{payload['component']['name']} in {payload['location']}"
            return refused(f"{where} is unreachable: {error}"[:300], unseen=True)
        if reply.status == 404:
            return skipped("there is none that could run", count=0, runs=[])
        if reply.status == 403:
            return refused(f"{reply.words}: let the app's identity read its runs", unseen=True)
        runs += [str(row["name"]) for row in reply.expect().document.get("value", [])]
    if not runs:
        return succeeded("nothing is in flight", count=0, runs=[])
    named = runs[:RUNS_NAMED_MAX]
    words = f"{len(runs)} runs are in flight: {', '.join(named)}"
    return refused(words, count=len(runs), runs=named)


@guarded
def transfer_workflow(payload: dict) -> dict:
    """Give the workflow's triggers the memory of those of the same name in `component.source`.

    Safe to repeat until the workflow is enabled: then its memory is its own, and nothing is done.
    """
    part = payload["component"]
    try:
        seen = clients.ask("GET", part["resource"], bounds=clients.HURRIED)
        if seen.status in (403, 404):
            return refused(seen.words)
        if seen.expect().properties.get("state") == "Enabled":
            return skipped("it runs already: what its triggers remember is their own")
        asked = trigger_state.calls(part)
        if isinstance(asked, str):
            return refused(asked)
        for one in asked:
            url, before = arm_calls.whole(one), still(payload)
            reply = clients.ask("POST", url, one["body"], bounds=clients.HURRIED, before=before)
            if not reply.ok:
                name = trigger_state.name_of(one)
                return refused(f"{name} does not take the state of its source: {reply.words}")
    except Unreachable as error:
        return refused(f"the state cannot be carried over: {error}"[:300])
    done = ", ".join(map(trigger_state.name_of, asked))
    return succeeded(f"{done} goes on where its source stopped")
