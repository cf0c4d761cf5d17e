"""Declined: what it means when Azure Resource Manager says no, and what to do about it.

Waiting helps where somebody else changes the resource; it does not help against a lock, a quota, a
missing role or another tenant.
"""

from shared.outcome import refused
from shared.reply import Reply

LOCKED = ("ScopeLocked",)
SPENT = ("QuotaExceeded", "OperationNotAllowed", "SkuNotAvailable")
STRANGE = ("InvalidAuthenticationTokenTenant",)
ADVICE = {
    "ScopeLocked": "take its lock away",
    "QuotaExceeded": "ask for more quota in that region",
    "OperationNotAllowed": "ask for more quota in that region",
    "SkuNotAvailable": "choose a size that the region has",
    "InvalidAuthenticationTokenTenant": "it belongs to another tenant: give the plan one of ours",
}


def declined(reply: Reply, what: str, role: str, missing: str = "deploy it there") -> dict | None:
    """The refusal in an answer; None where it is a yes. Anything else raises Surprise.

    `what`: the resource in words; `role`: whom the app's identity has to be there.
    """
    if reply.ok:
        return None
    advice = ADVICE.get(reply.code)
    if reply.status in (401, 403) and reply.code in STRANGE:
        return refused(f"{what}: {reply.words}: {advice}")
    if reply.status == 404:
        return refused(f"no {what}: {missing}", missing=True)
    if reply.status == 403:
        return refused(f"{what}: {reply.words}: give the app's identity {role}")
    if reply.status in (400, 409, 412, 422, 423):
        waits = reply.status in (409, 412, 423) and reply.code not in (*LOCKED, *SPENT)
        advice = advice or ("it is being changed: wait" if waits else "")
        words = f"{what}: {reply.words}" + (f": {advice}" if advice else "")
        return refused(words, **({"busy": True} if waits else {}))
    reply.expect()
    return None
