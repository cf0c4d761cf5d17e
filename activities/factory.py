"""Data factories: look at their triggers, start them, stop them.

After Microsoft.DataFactory 2018-06-01. Stopping a trigger lets the pipeline runs in progress go on.
The factory and its pipelines are code: both locations have theirs deployed from one template.
"""

from shared import arm_calls, clients, dryrun, factory
from shared.denials import denied
from shared.guard import guarded, still
from shared.outcome import refused, skipped, succeeded
from shared.reply import Unreachable
from shared.stopping import stopped

ROLE = "Data Factory Contributor there"
WORDS = {"promote": ("start", "Started"), "demote": ("stop", "Stopped")}


def observe_factory(payload: dict) -> dict:
    """Facts `triggers` (name -> state, type, pipelines), `serving`; in a dry run `calls`, `would`.

    With verb `verify` a factory with a trigger that is not started is refused. Safe to repeat:
    reads.
    """
    part, verb = payload["component"], payload.get("verb", "promote")
    seen = _read(part, **(clients.HURRIED if verb in ("demote", "verify") else {}))
    if seen["status"] != "succeeded":
        return seen
    wanted = "demote" if verb in ("demote", "undo", "protect") else "promote"
    left = factory.differing(part, seen["triggers"], wanted)
    serving = (not left) if wanted == "promote" else bool(left)
    if verb == "verify" and not serving:
        return refused(f"{factory.listed(left)} not started", serving=False)
    if payload.get("dryRun"):
        seen["calls"] = {verb: _calls(part, seen["triggers"], verb) for verb in WORDS}
        seen["would"] = f"have {len(left)} triggers {WORDS[wanted][1]}"
    return {**seen, "serving": serving}


@guarded
def promote_factory(payload: dict) -> dict:
    """Start the triggers that are not started; what one refuses does not keep the others.

    Safe to repeat: a started one is left alone.
    """
    return _bring(payload, "promote")


@guarded
def demote_factory(payload: dict) -> dict:
    """Stop the triggers that are started; gives up within 5 s on a region that is silent.

    Safe to repeat: a stopped one is left alone.
    """
    return stopped(
        payload, lambda: _bring(payload, "demote", **clients.HURRIED), "its triggers may still fire"
    )


def check_factory(payload: dict) -> dict:
    """Facts `checks`: has this factory what the active one runs? Safe to repeat: reads."""
    part = payload["component"]
    mine = _read(part)
    try:
        other = _read(part["other"], **clients.HURRIED)
    except Unreachable as error:
        other = refused(str(error))
    alone = part.get("role") != "activeActive"
    return succeeded(checks=factory.checks(part, alone, mine, other))


def _bring(payload: dict, verb: str, **bounds: float) -> dict:
    part = payload["component"]
    seen = _read(part, **bounds)
    if seen["status"] != "succeeded":
        return seen
    lacking = factory.missing(part, seen["triggers"]) if verb == "promote" else []
    if lacking:
        return refused(f"{_named(part)} has no trigger {factory.listed(lacking)}: deploy it there")
    calls = _calls(part, seen["triggers"], verb)
    if not calls:
        return skipped(f"{seen['because']} already")
    noes: list[dict] = []
    for call in calls:
        path = call["url"].partition("?")[0]
        reply = clients.ask(call["method"], path, bounds=bounds, before=still(payload))
        no = denied(reply, f"trigger {path.rsplit('/', 2)[-2]}", ROLE)
        noes += [no] if no else []
    if noes:
        busy = {"busy": True} if all(no.get("busy") for no in noes) else {}
        return refused("; ".join(no["because"] for no in noes)[:300], **busy)
    late = _late(part, seen["triggers"], verb, **bounds)
    if late:
        return refused(f"{factory.listed(late)}: on the way, not yet {WORDS[verb][1]}", busy=True)
    return succeeded(f"{seen['because']}, {len(calls)} are told to {WORDS[verb][0]}")


def _late(part: dict, before: dict[str, dict], verb: str, **bounds: float) -> list[str]:
    """What is not yet as it was told: who hears events subscribes to them first, at leisure."""
    told = factory.differing(part, before, verb)
    if not any(before[name]["type"] in factory.EVENTS for name in told):
        return []
    seen = _read(part, **bounds)
    return factory.differing(part, seen.get("triggers", {}), verb)


def _read(part: dict, **bounds: float) -> dict:
    """Every trigger of the factory, over all pages. Of a trigger nothing is kept but these."""
    found: dict[str, dict] = {}
    for reply in arm_calls.pages(f"{part['resource']}/triggers", bounds=bounds):
        no = denied(reply, _named(part), ROLE)
        if no:
            return no
        for row in reply.document.get("value", []):
            found[str(row["name"])] = _trigger(row.get("properties") or {})
    return succeeded(factory.shown(part, found), triggers=found)


def _trigger(properties: dict) -> dict:
    """Tumbling windows start one pipeline, all others a list of them."""
    rows = properties.get("pipelines") or [properties.get("pipeline") or {}]
    names = [str((row.get("pipelineReference") or {}).get("referenceName", "")) for row in rows]
    return {
        "state": str(properties.get("runtimeState", "")),
        "type": str(properties.get("type", "")),
        "pipelines": sorted(name for name in names if name),
    }


def _calls(part: dict, triggers: dict[str, dict], verb: str) -> list[dict]:
    version = clients.version_of(part["resource"])
    return [
        dryrun.call("POST", f"{part['resource']}/triggers/{name}/{WORDS[verb][0]}", version)
        for name in factory.differing(part, triggers, verb)
    ]


def _named(part: dict) -> str:
    words = part["resource"].strip("/").split("/")
    return f"data factory {words[-1]} in {words[3]}"
