"""Draining a workflow: what still runs in it, and what its triggers remember.

After Microsoft.Logic 2019-05-01. A disabled workflow starts nothing new and lets its runs end.
`setState` is published and hardly described: it carries one trigger's memory to another, and the
service must be able to read the source, so that it is for leaving a region that lives.
"""

from shared import clients
from shared.guard import guarded, still
from shared.outcome import refused, skipped, succeeded
from shared.reply import Surprise, Unreachable

IN_FLIGHT = ("Running", "Waiting")
RUNS_NAMED_MAX = 10
RUNS_ASKED = "50"
PAGES_MAX = 10


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
        names = _triggers(part["resource"])
        theirs = _triggers(part["source"])
        if isinstance(names, str) or isinstance(theirs, str):
            return refused(names if isinstance(names, str) else str(theirs))
        done = [name for name in names if name in theirs]
        for name in done:
            body = {"source": {"id": f"{part['source']}/triggers/{name}"}}
            url = f"{part['resource']}/triggers/{name}/setState"
            reply = clients.ask("POST", url, body, bounds=clients.HURRIED, before=still(payload))
            if not reply.ok:
                return refused(f"{name} does not take the state of its source: {reply.words}")
    except Unreachable as error:
        return refused(f"the state cannot be carried over: {error}"[:300])
    if not done:
        return refused("no trigger has the same name at the source: nothing was carried over")
    return succeeded(f"{', '.join(done)} goes on where its source stopped")


def _triggers(resource: str) -> list[str] | str:
    """The names of a workflow's triggers, or why they are not known."""
    names: list[str] = []
    url: str | None = f"{resource}/triggers"
    for _ in range(PAGES_MAX):
        if url is None:
            return names
        reply = clients.ask("GET", url, bounds=clients.HURRIED)
        if reply.status in (403, 404):
            return reply.words
        page = reply.expect().document
        names += [str(row["name"]) for row in page.get("value", [])]
        url = page.get("nextLink") or None
    raise Surprise(f"more than {PAGES_MAX} pages of triggers")
