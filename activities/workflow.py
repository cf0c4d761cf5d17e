"""Logic Apps workflows of the Consumption plan: look, enable, disable.

After Microsoft.Logic 2019-05-01. Enabling makes a trigger fire for what is new since it last ran;
disabling lets the runs in progress go on to their end (manage-logic-apps-with-azure-portal).
"""

from shared import clients, dryrun, trigger_state
from shared.denials import denied
from shared.guard import guarded, still
from shared.outcome import refused, skipped, succeeded
from shared.reply import Surprise
from shared.resource_ids import parts
from shared.stopping import stopped

SILENCE_MAX = 300


def observe_workflow(payload: dict) -> dict:
    """The workflow's state: facts `state`, `serving`. With verb `verify` a stopped one is refused.

    With these verbs it gives up as soon as demote itself does: somebody asks again soon, or must
    not be kept waiting. Asked with `dryRun` for `transfer`: `calls` and `would`. Safe to repeat:
    reads.
    """
    bounds = clients.HURRIED if payload.get("verb") in ("demote", "verify") else {}
    seen = _read(payload["component"]["resource"], **bounds)
    if seen["status"] == "succeeded" and payload.get("verb") == "verify" and not seen["serving"]:
        because = f"{payload['component']['name']} is {seen['state']}, not Enabled"
        return refused(because, serving=False)
    if seen["status"] == "succeeded" and payload.get("dryRun") and payload["verb"] == "transfer":
        return {**seen, **_carried(payload["component"], seen)}
    return seen


@guarded
def promote_workflow(payload: dict) -> dict:
    """Enable the workflow unless it is. Safe to repeat: a second enabling is not sent."""
    return _bring(payload, "enable", "Enabled")


@guarded
def demote_workflow(payload: dict) -> dict:
    """Disable the workflow unless it is; gives up within 5 s on a region that does not answer.

    Safe to repeat: a second disabling is not sent.
    """
    return stopped(payload, lambda: _bring(payload, "disable", "Disabled", **clients.HURRIED))


def _bring(payload: dict, verb: str, wanted: str, **bounds: float) -> dict:
    seen = _read(payload["component"]["resource"], **bounds)
    if seen["status"] != "succeeded":
        return seen
    if seen["state"] == wanted:
        return skipped(f"is {wanted} already", state=wanted)
    id = parts(payload["component"]["resource"])
    operation = getattr(clients.logic(id.subscription).workflows, verb)
    reply = clients.answer(operation, id.group, id.name, before=still(payload), **bounds)
    no = denied(reply, f"workflow {id.name} in {id.group}")
    return no or succeeded(f"was {seen['state']}, is told to be {wanted}", was=seen["state"])


def _carried(part: dict, seen: dict) -> dict:
    """What a graceful run would carry over from `part["source"]`, once that is stopped.

    A source that cannot be read now may answer then: only why is told.
    """
    if seen["serving"]:
        return {"calls": {}, "would": dryrun.SAME}
    try:
        asked = trigger_state.calls(part, clients.PACED)
    except Surprise as error:
        return {"because": f"{seen['because']}, its source cannot be read: {error}"[:SILENCE_MAX]}
    if isinstance(asked, str):
        return {"calls": {}, "would": f"be refused: {asked}"}
    done = ", ".join(map(trigger_state.name_of, asked))
    return {"calls": {"transfer": asked}, "would": f"go on where its source stopped: {done}"}


def _read(resource: str, **bounds: float) -> dict:
    id = parts(resource)
    operation = clients.logic(id.subscription).workflows.get
    reply = clients.answer(operation, id.group, id.name, **bounds)
    no = denied(reply, f"workflow {id.name} in {id.group}")
    if no:
        return no
    state = str(reply.properties.get("state", ""))
    return succeeded(f"is {state}", state=state, serving=state == "Enabled")
