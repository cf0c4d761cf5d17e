"""Logic Apps workflows of the Standard plan: look, enable, disable, drain.

After Microsoft.Web 2025-05-01. The state is an app setting, and settings are replaced as a whole
without an ETag: so they are read again right before they are written and again after, until what
is there is what was wanted. What somebody else writes in the one round trip between the last
reading and the writing cannot be told; everything else of theirs stays. One writer per site in
this process; writers of other hosts are found by reading again.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from shared import clients, flow_runs, flow_state
from shared.clients import Bounds
from shared.denials import denied
from shared.guard import guarded, still
from shared.outcome import refused, skipped, succeeded
from shared.reply import Surprise, Unreachable
from shared.stopping import stopped

IN_FLIGHT = ("Running", "Waiting")
RUNS_ASKED, RUNS_NAMED_MAX = "50", 10
ROUNDS_MAX = 4  # Writings of one state; whoever else writes so often is no passer-by.
LOCK_SECONDS = 20.0
STATES = {"promote": "Enabled", "demote": "Disabled"}
_LOCKS: dict[str, threading.Lock] = {}
_LOCKING = threading.Lock()


def observe_logic_app_workflow(payload: dict) -> dict:
    """The workflow's state in a site that runs: facts `state`, `site`, `serving`.

    With verb `verify` a stopped one is refused. With `dryRun`: `calls` and `would`. Reads.
    """
    verb, part = str(payload.get("verb")), payload["component"]
    seen = _seen(part, clients.HURRIED if verb in ("demote", "verify") else None)
    if seen["status"] != "succeeded":
        return seen
    if verb == "verify" and not seen["serving"]:
        return refused(f"{part['name']} {seen['because']}", serving=False)
    if payload.get("dryRun"):
        version = clients.version_of(part["resource"])
        calls = {
            one: flow_state.calls(part["resource"], part["workflow"], state, version)
            for one, state in STATES.items()
        }
        return {**seen, "calls": calls, "would": f"be {STATES.get(verb, 'called')}"}
    return seen


@guarded
def promote_logic_app_workflow(payload: dict) -> dict:
    """Enable the workflow unless it is. Safe to repeat: only a setting that differs is written."""
    return _bring(payload, "Enabled", None)


@guarded
def demote_logic_app_workflow(payload: dict) -> dict:
    """Disable the workflow unless it is; gives up soon on a region that does not answer.

    Done only when the site's host shows it: until it has restarted the old one goes on. Safe to
    repeat: only a setting that differs is written.
    """
    return stopped(payload, lambda: _bring(payload, "Disabled", clients.HURRIED))


def drain_logic_app_workflow(payload: dict) -> dict:
    """Which runs of the workflow are in flight? Facts `count` (at least) and `runs`, some names.

    Succeeded when there are none, refused while there are. Safe to repeat: reads.
    """
    part, runs = payload["component"], list[str]()
    for status in IN_FLIGHT:
        query = {"$filter": f"status eq '{status}'", "$top": RUNS_ASKED}
        url = f"{flow_runs.root(part)}/runs"
        try:
            reply = clients.ask("GET", url, query=query, bounds=clients.HURRIED)
        except Unreachable as error:
            where = f"{part['name']} in {payload['location']}"
            return refused(f"{where} is unreachable: {error}"[:300], unseen=True)
        if reply.status == 400:
            return refused(f"the site's host does not run: {reply.code}", unseen=True)
        no = denied(reply, f"workflow {part['workflow']}")
        if no and no.get("missing"):
            return skipped("there is none that could run", count=0, runs=[])
        if no:
            return {**no, "unseen": True}
        runs += [str(row["name"]) for row in reply.document.get("value", [])]
    if not runs:
        return succeeded("nothing is in flight", count=0, runs=[])
    named = runs[:RUNS_NAMED_MAX]
    return refused(
        f"{len(runs)} runs are in flight: {', '.join(named)}", count=len(runs), runs=named
    )


def _seen(part: dict, bounds: Bounds | None) -> dict:
    """What the site's host says of the workflow; of a stopped site only that."""
    reply = clients.ask("GET", part["resource"], bounds=bounds)
    no = denied(reply, f"site {_name(part)}")
    if no:
        return no
    site = str(reply.properties.get("state", ""))
    if site != "Running":
        words = f"is in a site that is {site}"
        return succeeded(words, state="Disabled", site=site, serving=False)
    reply = clients.ask("GET", f"{part['resource']}/workflows/{part['workflow']}", bounds=bounds)
    no = denied(reply, f"workflow {part['workflow']} in site {_name(part)}")
    if no:
        return no
    state = str(reply.properties.get("flowState", ""))
    return succeeded(f"is {state}", state=state, site=site, serving=state == "Enabled")


def _bring(payload: dict, wanted: str, bounds: Bounds | None) -> dict:
    part = payload["component"]
    seen = _seen(part, bounds)
    if seen["status"] != "succeeded":
        return seen
    if wanted == "Enabled" and seen["site"] != "Running":
        because = f"the site {_name(part)} is {seen['site']}: start it, or let a functionApp do so"
        return refused(because)
    with _writer(part["resource"]) as mine:
        if not mine:
            return refused(f"other workflows of {_name(part)} are being changed", busy=True)
        written = _write(payload, wanted, bounds)
    if written["status"] == "refused" or seen["site"] != "Running":
        return written
    if written["status"] == "succeeded":
        seen = _seen(part, bounds)
    if seen.get("state") != wanted:
        because = f"is told to be {wanted}, the host of {_name(part)} still has it {seen['state']}"
        return refused(because, busy=True)
    return written


def _write(payload: dict, wanted: str, bounds: Bounds | None) -> dict:
    """Read, write and read again until the settings have what is wanted.

    What is written is made of a reading right before it: what anybody has changed since the
    first one stays changed.
    """
    part, was = payload["component"], ""
    for _ in range(ROUNDS_MAX):
        known = _settings(part, bounds)
        if "refusal" in known:
            return known["refusal"]
        state = flow_state.state_of(known["settings"], part["workflow"])
        was = was or state
        if state == wanted and was == wanted:
            return skipped(f"is {wanted} already", state=wanted)
        if state == wanted:
            return succeeded(f"was {was}, is told to be {wanted}", was=was)
        still(payload)()  # What it may have to wait for must not lie behind the last reading.
        known = _settings(part, bounds)
        if "refusal" in known:
            return known["refusal"]
        body = {"properties": flow_state.changed(known["settings"], part["workflow"], wanted)}
        url = f"{part['resource']}/config/appsettings"
        reply = clients.ask("PUT", url, body, bounds=bounds, before=still(payload))
        no = denied(reply, f"settings of {_name(part)}")
        if no:
            return no
    because = f"the settings of {_name(part)} are overwritten by somebody else all the time"
    return refused(because, busy=True)


def _settings(part: dict, bounds: Bounds | None) -> dict:
    """{"settings"} or {"refusal"}. An empty set is not believed: writing it would wipe the app."""
    url = f"{part['resource']}/config/appsettings/list"
    reply = clients.ask("POST", url, bounds=bounds)
    no = denied(reply, f"settings of {_name(part)}")
    if no:
        return {"refusal": no}
    found = reply.body.get("properties") if isinstance(reply.body, dict) else None
    if not isinstance(found, dict):  # Its text may hold secrets: it is not repeated.
        raise Surprise(f"the settings of {_name(part)} are no JSON object")
    if not found:
        return {"refusal": refused(f"{_name(part)} shows no settings at all: none are written")}
    return {"settings": found}


@contextmanager
def _writer(site: str) -> Iterator[bool]:
    """Be the only writer of a site's settings in this process, or find out that one is not."""
    with _LOCKING:
        lock = _LOCKS.setdefault(site.lower(), threading.Lock())
    mine = lock.acquire(timeout=LOCK_SECONDS)
    try:
        yield mine
    finally:
        if mine:
            lock.release()


def _name(part: dict) -> str:
    return str(part["resource"]).rsplit("/", 1)[-1]
