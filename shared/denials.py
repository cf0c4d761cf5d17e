"""Denials: the no's of a resource manager that are to be expected, and what to do about each.

Waiting helps where somebody else changes the resource; it does not help against a lock, a quota, a
missing role or another tenant. An error's own message is repeated only of codes that
quote nothing: what a service says of a request may quote the request, and so a secret.
"""

from shared.outcome import refused
from shared.reply import Reply, Surprise, Unheard

ROLE = "the roles of infra/access.json there"
ADVICE = {  # By code. These messages quote nothing of a request.
    "InvalidAuthenticationTokenTenant": "it belongs to another tenant: give the plan one of ours",
    "ScopeLocked": "take its lock away",
    "QuotaExceeded": "ask for more quota in that region",
    "OperationNotAllowed": "where a quota is spent, ask for more quota in that region",
    "SkuNotAvailable": "choose a size that the region has",
    "InvalidTemplate": "mend the template",
    "InvalidTemplateDeployment": "mend the template",
}
BARRED = (401, 403)
BUSY = (409, 412, 423)
BAD = (400, 405, 422)


def denied(reply: Reply, what: str, role: str = ROLE) -> dict | None:
    """The refusal in an answer about `what`; None where it worked.

    `role`: what the app's identity has to be given there. Facts: `missing` where there is none,
    `busy` where waiting helps. Raises Surprise, or Unheard after a 504, for what nobody expects.
    """
    return None if reply.ok else refusal(reply, what, role)


def refusal(reply: Reply, what: str, role: str = ROLE) -> dict:
    """The same of an answer that is known not to have worked."""
    if reply.status == 404:
        return refused(f"no {what}: deploy it there", missing=True)
    said = f"{what}: {reply.status} {reply.code}".strip()
    if reply.status not in BARRED + BUSY + BAD:
        raise Unheard(said) if reply.status == 504 else Surprise(said)
    if reply.code in ADVICE and not _passing(reply):
        return refused(f"{what}: {reply.words}: {ADVICE[reply.code]}")
    if reply.status in BARRED:
        return refused(f"{what}: {reply.words}: give the app's identity {role}")
    if reply.status in BUSY:
        return refused(f"{said}: it is being changed by somebody else: wait", busy=True)
    return refused(said)


def _passing(reply: Reply) -> bool:
    """OperationNotAllowed is said of a spent quota, and of what is in the midst of a change."""
    spent = "quota" in reply.words.lower()
    return reply.code == "OperationNotAllowed" and reply.status in BUSY and not spent
