"""Denials: the no's of a resource manager that are to be expected, in words that help.

An error's own message is repeated only where the resource manager itself has written it: what a
service says of a request may quote the request, and so a secret.
"""

from shared.outcome import refused
from shared.reply import Reply, Surprise, Unheard

FOREIGN = ("InvalidAuthenticationTokenTenant",)
LOCKED = ("ScopeLocked",)
BUSY = (409, 423)


def denied(reply: Reply, what: str) -> dict | None:
    """The refusal in an answer about `what`; None where it worked; a Surprise for the rest.

    Facts: `missing` where there is none, `busy` where waiting helps.
    """
    if reply.ok:
        return None
    said = f"{what}: {reply.status} {reply.code}".strip()
    if reply.status == 404:
        return refused(f"no {what}: deploy it there", missing=True)
    if reply.code in FOREIGN:
        return refused(f"{said}: it belongs to another tenant: give the plan one of ours")
    if reply.status in (401, 403):
        return refused(f"{reply.words}: give the app's identity the roles of access.json there")
    if reply.code in LOCKED:
        return refused(f"{said}: a lock holds it as it is; take the lock away")
    if reply.status in BUSY:
        return refused(f"{said}: it is being changed by somebody else: wait", busy=True)
    raise Unheard(said) if reply.status == 504 else Surprise(said)
