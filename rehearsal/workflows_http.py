"""The data plane of request triggers: `https://prod-{short}.{location}.logic.azure.com`.

`sig` of the callback URL, or a bearer token of this world's identities, opens it. A Response
action answers at once; without one the answer is 202.
Not emulated: expressions in the answer, schemas, relative paths, asynchronous responses.
"""

import json
from collections.abc import Callable

from aiohttp import web

from rehearsal.identity import claims_of
from rehearsal.providers import integration_account
from rehearsal.providers.logic_names import signature
from rehearsal.workflows_due import Trigger
from rehearsal.workflows_flow import Flow
from rehearsal.world import World

CONTENTS = "/integrationAccounts/{account}/{kind}/{name}/contents"
ROUTE = "/workflows/{workflow}/triggers/{trigger}/paths/invoke"
TRACKING = "x-ms-client-tracking-id"


def _no(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status)


def _answer(flow: Flow) -> dict | None:
    """The inputs of the definition's Response action, if it has one."""
    actions = (flow.workflow.properties.get("definition") or {}).get("actions") or {}
    for action in actions.values():
        if str(action.get("type", "")).lower() == "response":
            return action.get("inputs") or {}
    return None


def _refusal(world: World, flow: Flow, trigger: Trigger, request: web.Request) -> str | None:
    """Why this caller may not come in; None when it may."""
    sig, header = request.query.get("sig"), request.headers.get("Authorization", "")
    if sig is not None:
        known = signature(world, flow.workflow, trigger.name)
        return None if sig == known else "The provided signature is not valid."
    claims = claims_of(header.removeprefix("Bearer ")) if header.startswith("Bearer ") else None
    if claims is None:
        return "The request must be authenticated by Shared Access scheme or a bearer token."
    if claims.get("oid") not in world.principals:
        return "The token is of a principal that this tenant does not know."
    if float(claims.get("exp", 0)) < world.now.timestamp():
        return "The token has expired."
    return None


class Invocations:
    """The request triggers of one location."""

    def __init__(
        self, world: World, location: str, flow_of: Callable[[str, str], Flow | None]
    ) -> None:
        self.world, self.location, self._flow_of = world, location, flow_of

    async def serve(self, request: web.Request) -> web.Response:
        """One call of a request trigger."""
        name, wanted = request.match_info["workflow"], request.match_info["trigger"]
        flow = self._flow_of(self.location, name)
        trigger = flow.trigger(wanted) if flow else None
        if flow is None or trigger is None or trigger.kind not in ("request", "webhook"):
            return _no(404, "WorkflowNotFound", f"The workflow '{name}' could not be found.")
        why = _refusal(self.world, flow, trigger, request)
        if why is not None:
            return _no(401, "DirectApiAuthorizationRequired", why)
        if not flow.on:
            message = (
                f"Could not execute workflow '{name}' trigger '{trigger.name}' with state "
                "'Disabled': trigger is not enabled."
            )
            return _no(404, "WorkflowTriggerIsNotEnabled", message)
        method = str((trigger.definition.get("inputs") or {}).get("method", request.method))
        if method.upper() != request.method:
            return _no(405, "MethodNotAllowed", f"The trigger takes {method} only.")
        return self._run(flow, trigger, request)

    async def contents(self, request: web.Request) -> web.Response:
        """What an artifact of an integration account holds, for who has its signed link."""
        told = request.match_info
        found = integration_account.find(
            self.world, self.location, told["account"], told["kind"], told["name"]
        )
        if found is None:
            return _no(404, "ArtifactNotFound", "The artifact could not be found.")
        if request.query.get("sig") != integration_account.signature(self.world, found):
            return _no(401, "DirectApiAuthorizationRequired", "The signature is not valid.")
        return web.Response(body=integration_account.content(found))

    def _run(self, flow: Flow, trigger: Trigger, request: web.Request) -> web.Response:
        tracking = request.headers.get(TRACKING, "")
        run = flow.begin(trigger, tracking, tracking=tracking)
        run.key = run.tracking
        headers = {"x-ms-workflow-run-id": run.name, TRACKING: run.tracking}
        answer = _answer(flow)
        if answer is None:
            return web.Response(status=202, headers=headers)
        body = answer.get("body")
        own = {str(k): str(v) for k, v in (answer.get("headers") or {}).items()}
        text = body if isinstance(body, str) else json.dumps(body) if body is not None else ""
        kind = "text/plain" if isinstance(body, str) else "application/json"
        headers = {"Content-Type": kind, **headers, **own}
        status = int(answer.get("statusCode", 200))
        return web.Response(status=status, text=text, headers=headers)


def application(invocations: Invocations, middleware: Callable) -> web.Application:
    """The application of one location."""
    app = web.Application(middlewares=[middleware])
    app.router.add_route("*", ROUTE, invocations.serve)
    app.router.add_get(CONTENTS, invocations.contents)
    return app
