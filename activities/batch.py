"""Batch: look at an account and its job schedules, enable them, disable them.

After Microsoft.Batch 2024-07-01, and of the data plane 2024-07-01.20.0, where job schedules are;
the app signs in by its identity there, keys are never listed. Jobs that run go on to their end.
"""

from collections.abc import Callable

from shared import arm_calls, batch, clients, data_plane, dryrun
from shared.denials import denied
from shared.guard import guarded, still
from shared.outcome import refused, skipped, succeeded
from shared.reply import Reply, Surprise
from shared.stopping import stopped

ROLE = "Azure Batch Job Submitter, and the roles of infra/access.json,"
VERSION = "2024-07-01.20.0"
QUOTAS = ("dedicatedCoreQuota", "lowPriorityCoreQuota", "poolQuota", "activeJobAndJobScheduleQuota")
SHOWN = ("accountEndpoint", "provisioningState", "poolAllocationMode", *QUOTAS)
WORDS = {"promote": "enable", "demote": "disable"}


def observe_batch(payload: dict) -> dict:
    """Facts `states` (schedule -> state), `serving`; in a dry run `calls`, `would`.

    With verb `verify` a schedule that is not active is refused. Safe to repeat: reads.
    """
    part, verb = payload["component"], payload.get("verb", "promote")
    seen = _seen(part, **(clients.HURRIED if verb in ("demote", "verify") else {}))
    if seen["status"] != "succeeded":
        return seen
    wanted = "demote" if verb in ("demote", "undo", "protect") else "promote"
    left = batch.differing(seen["states"], wanted)
    serving = (not left) if wanted == "promote" else bool(left)
    if verb == "verify" and not serving:
        return refused(f"not active: {', '.join(left)}", serving=False)
    if payload.get("dryRun"):
        seen["calls"] = {one: _calls(seen, one) for one in WORDS}
        seen["would"] = f"have {', '.join(left)} {batch.WANTED[wanted]}"
    return {**seen, "serving": serving}


@guarded
def promote_batch(payload: dict) -> dict:
    """Enable the job schedules that are not active. Safe to repeat: an active one is left alone."""
    return _bring(payload, "promote")


@guarded
def demote_batch(payload: dict) -> dict:
    """Disable the job schedules that are active; gives up soon on a region that is silent.

    Safe to repeat: a disabled one is left alone.
    """
    return stopped(
        payload,
        lambda: _bring(payload, "demote", **clients.HURRIED),
        "its schedules may still start",
    )


def check_batch(payload: dict) -> dict:
    """Facts `checks`: account, schedules, pools and quotas. Safe to repeat: reads."""
    part = payload["component"]
    mine, other = _whole(part), refused("")
    try:
        other = _whole(part["other"], **clients.HURRIED)
    except Surprise as error:  # The active side may be lost; it is only compared with.
        other = refused(str(error))
    return succeeded(checks=batch.checks(part, mine, other))


def _bring(payload: dict, verb: str, **bounds: float) -> dict:
    seen = _seen(payload["component"], **bounds)
    if seen["status"] != "succeeded":
        return seen
    missing = [name for name, state in seen["states"].items() if not state]
    if missing and verb == "promote":
        return refused(f"no job schedule {', '.join(missing)}: add it there, disabled")
    calls, noes = _calls(seen, verb), []
    if not calls:
        return skipped(f"{batch.shown(seen['states'])} already")
    for call in calls:
        reply = _data("POST", call["url"], bounds, still(payload))
        if not reply.ok:
            noes.append(_no(reply, call["url"]))
    if noes:
        return refused("; ".join(noes)[:300])
    return succeeded(f"{len(calls)} job schedules are told to {WORDS[verb]}")


def _calls(seen: dict, verb: str) -> list[dict]:
    root = f"https://{seen['account']['accountEndpoint']}/jobschedules"
    return [
        dryrun.call("POST", f"{root}/{name}/{WORDS[verb]}", VERSION)
        for name in batch.differing(seen["states"], verb)
    ]


def _seen(part: dict, **bounds: float) -> dict:
    """The account and the state of each schedule, empty for one that is not there."""
    reply = clients.ask("GET", part["resource"], bounds=bounds)
    no = denied(reply, _named(part), ROLE)
    if no:
        return no
    account = {key: reply.properties.get(key) for key in SHOWN}
    root = f"https://{account['accountEndpoint']}/jobschedules"
    states: dict[str, str] = {}
    for name in part["schedules"]:
        found = _data("GET", f"{root}/{name}?api-version={VERSION}", bounds)
        if found.status in (401, 403):
            return refused(_no(found, name))
        if found.status != 404:
            found.expect()
        states[name] = str(found.document.get("state", "")) if found.ok else ""
    return succeeded(batch.shown(states), account=account, states=states)


def _whole(part: dict, **bounds: float) -> dict:
    """The same with the account's pools: name -> what a comparison needs."""
    seen = _seen(part, **bounds)
    if seen["status"] != "succeeded":
        return seen
    pools = {
        str(row["name"]): {"vmSize": (row.get("properties") or {}).get("vmSize")}
        for row in arm_calls.rows(f"{part['resource']}/pools", bounds=bounds)
    }
    return {**seen, "pools": pools}


def _data(
    method: str, url: str, bounds: clients.Bounds, before: Callable[[], None] | None = None
) -> Reply:
    return data_plane.ask(data_plane.BATCH, method, url, bounds=bounds, before=before)


def _no(reply: Reply, where: str) -> str:
    """A refusal of the data plane, whose messages are objects; its code says enough."""
    name = where.partition("?")[0].partition("/jobschedules/")[2].partition("/")[0] or where
    advice = f": give the app's identity {ROLE} there" if reply.status in (401, 403) else ""
    return f"job schedule {name}: {reply.status} {reply.code}{advice}"


def _named(part: dict) -> str:
    words = part["resource"].strip("/").split("/")
    return f"Batch account {words[-1]} in {words[3]}"
