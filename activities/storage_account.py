"""Storage accounts: read where the copy is, and fail the account over where the plan says so.

After Microsoft.Storage 2025-08-01. With `failover: none` nothing is moved: readers use the
`-secondary` endpoint while the primary is gone, and the run sees that they can.
"""

from datetime import UTC, datetime

from shared import arm_calls, blobs, dryrun, storage_account
from shared.alias import name_of
from shared.alias_checks import row
from shared.denials import refusal
from shared.guard import guarded
from shared.outcome import refused, skipped, succeeded
from shared.reply import Surprise

PROBE = "understudy-probe"  # It need not be there: to be told so is to have read.
PROBE_SECONDS = 3.0


def observe_storage(payload: dict) -> dict:
    """Where the account is and how old its copy: facts `serving` where it can move, `account`.

    `rpoSeconds`: what a run towards `location` would lose, None where nobody knows; absent where
    the primary is there already. Asked with `dryRun` it names `calls`. With verb `verify` what does
    not serve is refused. Safe to repeat: reads.
    """
    part, outcome = payload["component"], _seen(payload["component"])
    if outcome["status"] != "succeeded":
        return outcome
    outcome |= _losing(payload, outcome["account"])
    if payload.get("dryRun") and payload.get("verb") == "protect":
        return outcome | _protection(payload, outcome["account"])
    if part["failover"] == "none":
        would = {"calls": {"promote": []}, "would": "be read at its -secondary endpoint"}
        return {**outcome, **(would if payload.get("dryRun") else {})}
    outcome["serving"] = outcome["account"]["primary"] == payload["location"]
    if payload.get("dryRun"):
        sent = storage_account.failover(part["resource"], _graceful(payload))
        outcome |= {"calls": {"promote": [sent]}, "would": "have its primary here"}
    if payload.get("verb") == "verify" and not outcome["serving"]:
        return refused(f"{part['name']} is {outcome['because']}", serving=False)
    return outcome


@guarded
def promote_storage(payload: dict) -> dict:
    """Fail the account over to `location`, or see that its copy can be read there.

    Azure takes up to an hour for it; the run does not wait that long. Safe to repeat: a failover in
    progress is busy, one that is done is skipped.
    """
    part, outcome = payload["component"], _seen(payload["component"])
    if outcome["status"] != "succeeded":
        return outcome
    seen = outcome["account"]
    if seen["primary"] == payload["location"]:
        return skipped(f"is in {seen['primary']} already: {outcome['because']}", serving=True)
    if part["failover"] == "none":
        no = None if seen["up"] else _unread(part)
        words = "readers use the -secondary endpoint" if not seen["up"] else "its primary answers"
        return refused(f"{outcome['because']}: {no}") if no else skipped(words)
    no = storage_account.hindrance(seen, payload["location"], _graceful(payload))
    if no:
        return {**no, "because": f"{no['because']}: {outcome['because']}"}
    asked = storage_account.failover(part["resource"], _graceful(payload))
    words = f"{outcome['because']}, before the failover"
    return arm_calls.begun(arm_calls.send(payload, asked), _thing(part), words)


@guarded
def protect_storage(payload: dict) -> dict:
    """Make an account geo-redundant again that a failover left locally redundant.

    One whose primary still is where the plan has left is as its owner made it: it is left alone.
    Azure's own word on a failover, lastGeoFailoverTime, is for geo-redundant accounts only. Safe to
    repeat: the tier is set once.
    """
    part, outcome = payload["component"], _seen(payload["component"])
    if outcome["status"] != "succeeded":
        return outcome
    sku, primary = outcome["account"]["sku"], outcome["account"]["primary"]
    if primary == payload["location"]:
        return skipped(f"is {sku} in {primary}, was not failed over: nothing is to be changed")
    if part["failover"] == "none" or sku not in storage_account.LOCAL:
        return skipped(f"is {sku}: nothing is to be changed")
    asked = storage_account.protection(part["resource"], sku)
    reply = arm_calls.send(payload, asked)
    if not reply.ok:
        return refusal(reply, _thing(part))
    return succeeded(f"was {sku}, is told to be {storage_account.LOCAL[sku]}")


def check_storage(payload: dict) -> dict:
    """Is there a young copy in `location`, and can it be read? Fact `checks`. Reads."""
    part, outcome = payload["component"], _seen(payload["component"])
    if outcome["status"] != "succeeded":
        return outcome
    seen, now = outcome["account"], datetime.now(UTC)
    rows = storage_account.checks(part, seen, payload["location"], now)
    if seen["sku"] in storage_account.READABLE and part.get("container"):
        no = _unread(part)
        words = no or "the -secondary endpoint answers"
        fix = "let the app's identity and network read the account"
        rows.append(row("reads", "fail" if no else "ok", words, fix))
    return succeeded(checks=rows)


def _protection(payload: dict, seen: dict) -> dict:
    sides = (payload["location"], payload["away"])
    calls = storage_account.protects(payload["component"], seen, *sides, _graceful(payload))
    tier = calls[0]["body"]["sku"]["name"] if calls else ""
    would = f"be {tier}, once a failover has left it locally redundant" if calls else dryrun.SAME
    return {"calls": {"protect": calls}, "would": would}


def _losing(payload: dict, seen: dict) -> dict:
    """The age of the copy that would be gone on with; a planned failover copies all of it first."""
    if seen["primary"] == payload["location"]:
        return {}
    late = 0.0 if _graceful(payload) else storage_account.age_seconds(seen, datetime.now(UTC))
    return {"rpoSeconds": late}


def _graceful(payload: dict) -> bool:
    # A run that is undone moves nothing back by force.
    return payload.get("mode") == "graceful"


def _thing(part: dict) -> str:
    return f"storage account {name_of(part['resource'])}"


def _seen(part: dict) -> dict:
    version = storage_account.VERSION
    reply = arm_calls.read(part["resource"], version, **storage_account.STATS)
    if not reply.ok:
        return refusal(reply, _thing(part))
    seen = storage_account.seen_of(reply.document)
    return succeeded(storage_account.words_of(seen, datetime.now(UTC)), account=seen)


def _unread(part: dict) -> str:
    """Why the copy cannot be read, for all that a look at a container shows; empty when it can."""
    if not part.get("container"):  # Of a plan from before it had to name one.
        return "whether its copy can be read is not known: the plan names no container to read in"
    uri = f"https://{name_of(part['resource'])}-secondary.blob.core.windows.net"
    try:
        blobs.Place(uri, part["container"], PROBE_SECONDS).size(PROBE)
    except Surprise as no:
        return str(no)
    return ""
