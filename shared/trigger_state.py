"""What a workflow's triggers remember, as the calls that carry it over from another workflow.

After Microsoft.Logic 2019-05-01, WorkflowTriggers_SetState: it is published and hardly described.
The service reads the source itself, so that it is for leaving a region that lives.
"""

from shared import arm_calls, clients


def calls(part: dict, bounds: clients.Bounds = clients.HURRIED) -> list[dict] | str:
    """One setState for each trigger of `part` that `part["source"]` has too; or why none is sent.

    Reads both workflows' triggers.
    """
    mine = names(part["resource"], bounds)
    theirs = names(part["source"], bounds)
    if isinstance(mine, str) or isinstance(theirs, str):
        return mine if isinstance(mine, str) else str(theirs)
    shared = [name for name in mine if name in theirs]
    if not shared:
        return "no trigger has the same name at the source: nothing is carried over"
    return [_call(part, name) for name in shared]


def name_of(call: dict) -> str:
    """The trigger whose memory a call carries over."""
    return call["url"].partition("/setState?")[0].rpartition("/")[2]


def names(resource: str, bounds: clients.Bounds) -> list[str] | str:
    """The names of a workflow's triggers, or why they are not known."""
    found: list[str] = []
    for reply in arm_calls.pages(f"{resource}/triggers", bounds=bounds):
        if reply.status in (403, 404):
            return reply.words
        found += [str(row["name"]) for row in reply.expect().document.get("value", [])]
    return found


def _call(part: dict, name: str) -> dict:
    path = f"{part['resource']}/triggers/{name}/setState"
    body = {"source": {"id": f"{part['source']}/triggers/{name}"}}
    return arm_calls.call("POST", path, clients.version_of(path), body)
