"""Flow runs: where the runs and triggers of a workflow are asked for, and which kinds have any.

Consumption's are the resource manager's, Standard's lie with the site's own host and are reached
through it (Microsoft.Web 2025-05-01); below the root the paths and the filters are the same.
"""

from shared.reply import Reply

KINDS = ("logicWorkflow", "logicAppWorkflow")
STANDARD = "logicAppWorkflow"
HOSTS_MAX = 3  # Sites whose hosts are silent; so many at once are their region after all.
OF_HOST = "from host runtime"
RUNTIME = "hostruntime/runtime/webhooks/workflow/api/management/workflows"


def root(part: dict) -> str:
    """The path that `/runs` and `/triggers` of this component follow."""
    if part["kind"] == STANDARD:
        return f"{part['resource']}/{RUNTIME}/{part['workflow']}"
    return str(part["resource"])


def hostless(part: dict, status: int) -> bool:
    """Does this answer to a GET mean that the site's host does not run, so that nobody can say?"""
    return part["kind"] == STANDARD and status == 400


def host_failed(part: dict, reply: Reply) -> bool:
    """Does this answer to a change mean that the site's host failed at it, done or not?

    Of that ARM makes a 400 "Encountered an error (InternalServerError) from host runtime."
    (Azure/logicapps#1397); the host's own no, a 400 too, says what it does not like.
    """
    return hostless(part, reply.status) and OF_HOST in reply.words
