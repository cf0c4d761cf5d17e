"""What a gateway has that no backup carries, written where ARM takes it.

After Microsoft.ApiManagement 2024-05-01, PATCH of the service. The plan says what, with `apply`;
everything that the gateway has besides stays as it is.
"""

from shared import arm_calls, clients, not_in_backup
from shared.denials import refusal
from shared.guard import guarded, still
from shared.outcome import refused, skipped

SETTLED = ("Succeeded", "Failed", "Canceled", "Created", "")


@guarded
def provide_gateway(payload: dict) -> dict:
    """Give the gateway of `location` what its plan applies and a restore does not bring.

    Safe to repeat: it is read first, and only what differs is written, in one request. Running
    while the service takes it; refused, fact `busy`, while somebody else changes it. A change under
    way, perhaps ours from before, is never sent over: fact `operation` is the URL to wait at.
    """
    part = payload["component"]
    thing = f"gateway {part['resource'].rsplit('/', 1)[-1]}"
    reply = clients.ask("GET", part["resource"])
    if not reply.ok:
        return refusal(reply, thing)
    state = str(reply.properties.get("provisioningState", ""))
    if state not in SETTLED:
        asked = arm_calls.call("GET", part["resource"], clients.version_of(part["resource"]))
        where = arm_calls.whole(asked)
        return refused(f"{thing} is {state}: wait for its end", busy=True, operation=where)
    found = not_in_backup.change(part.get("notInBackup", []), payload["location"], reply.document)
    if found.barred:
        return refused(f"{thing}: {found.barred}")
    if not found.body:
        return skipped(f"{thing} has what the plan applies")
    sent = clients.ask("PATCH", part["resource"], found.body, before=still(payload))
    return arm_calls.begun(sent, thing, f"wrote {', '.join(found.names)}")
