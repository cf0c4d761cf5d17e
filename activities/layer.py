"""Layers: redeploy what holds no state from an ARM template, after what-if has said what changes.

After Microsoft.Resources/deployments 2025-04-01, mode Incremental, which deletes nothing. The app
needs the roles that the template itself asks for; infra/access.json cannot know them.
"""

import time

from shared import clients, dryrun, layer, store
from shared.denials import denied
from shared.guard import guarded, still
from shared.outcome import refused, running, skipped, succeeded
from shared.readiness import unseen
from shared.reply import Surprise

WHAT_IF_SECONDS_MAX = 40.0
POLL_SECONDS = 2.0
RETRY_SECONDS = 5.0
SETTLED = ("Succeeded", "Failed", "Canceled")
ROLE = "the operator role of infra/access.json, and what the template asks for"
DRY = "(dry run)"


def observe_layer(payload: dict) -> dict:
    """How this run's deployment stands: facts `state`, `serving`. In a dry run: what would change.

    Safe to repeat: reads, and what-if changes nothing.
    """
    part = payload["component"]
    if payload.get("dryRun"):
        return _foretold(part, payload["location"])
    return _state(part, layer.path_of(part, payload["run"]))


@guarded
def promote_layer(payload: dict) -> dict:
    """Deploy the layer, unless what-if says that nothing, or something else, would change.

    Safe to repeat: the deployment is named after the run, and one that is there is waited for.
    """
    part = payload["component"]
    path = layer.path_of(part, payload["run"])
    made = _state(part, path)
    if made["status"] != "succeeded":
        return made
    state = made["state"]
    if state == "Succeeded":
        return skipped("this run has deployed it already")
    if state and state not in SETTLED:
        return running(_address(path), RETRY_SECONDS)
    found = _layer(part, payload["location"])
    if found["status"] != "succeeded":
        return found
    seen = _what_if(part, path, layer.body(found["layer"]))
    if seen["status"] != "succeeded" or not layer.changing(seen["changes"]):
        return seen if seen["status"] != "succeeded" else skipped("all is as the template says")
    body, words = layer.body(found["layer"]), layer.named(layer.changing(seen["changes"]))
    reply = clients.ask("PUT", path, body, version=layer.VERSION, before=still(payload))
    no = denied(reply, f"deployment of {part['template']}", ROLE)
    if no:
        return no
    url = reply.headers.get("azure-asyncoperation") or _address(path)
    if reply.properties.get("provisioningState") in SETTLED[:1]:
        return succeeded(words)
    return running(url, RETRY_SECONDS, changes=words)


def check_layer(payload: dict) -> dict:
    """Facts `checks`: do template and parameters lie here, whole and without a secret?

    They lie in the storage of the location's own app. Safe to repeat: reads.
    """
    part, location = payload["component"], payload["location"]
    if clients.settings().location != location:
        return succeeded(checks=[unseen("template", location)])
    found = _layer(part, location)
    fix = "lay both files into the container understudy, secrets as references to a vault"
    status = "ok" if found["status"] == "succeeded" else "fail"
    return succeeded(checks=[_check("template", status, found["because"], fix)])


def _check(name: str, status: str, because: str, fix: str = "") -> dict:
    return {"name": name, "status": status, "because": because, "fix": fix}


def _foretold(part: dict, location: str) -> dict:
    found = _layer(part, location)
    if found["status"] != "succeeded":
        return found
    path = layer.path_of(part, DRY)
    seen = _what_if(part, path, layer.body(found["layer"]))
    if seen["status"] != "succeeded":
        return seen
    changes = layer.changing(seen["changes"])
    shown = layer.body({key: f"({key} of {part['template']})" for key in found["layer"]})
    calls = [dryrun.call("PUT", path, layer.VERSION, shown)] if changes else []
    would = layer.named(changes) if changes else dryrun.SAME
    words = f"{len(changes)} of {len(seen['changes'])} resources differ from the template"
    return succeeded(words, serving=not changes, calls={"promote": calls}, would=would)


def _layer(part: dict, location: str) -> dict:
    """The template with its parameters as `layer`, or why it cannot be deployed."""
    texts = []
    for name in layer.blobs(part["template"], location):
        blob = store.place().get(name)
        if blob is None:
            return refused(f"no {name} in the app's own container {store.CONTAINER}")
        texts.append(blob.data)
    try:
        found = layer.read(*texts)
    except layer.BadLayer as bad:
        return refused(f"{part['template']} is not deployed: {bad}")
    return succeeded(f"{part['template']} can be deployed", layer=found)


def _what_if(part: dict, path: str, body: dict) -> dict:
    """What the deployment would change, as `changes`; refused where the plan does not allow it."""
    until = time.monotonic() + WHAT_IF_SECONDS_MAX
    reply = clients.ask("POST", f"{path}/whatIf", body, version=layer.VERSION)
    while reply.status == 202:
        url = reply.headers.get("location")
        if not url:
            raise Surprise("what-if was accepted without saying where to ask")
        if time.monotonic() > until:
            return refused("what-if has not answered yet", busy=True)
        time.sleep(min(POLL_SECONDS, float(reply.headers.get("retry-after", POLL_SECONDS))))
        asked = clients.ask("GET", url)
        reply = asked if asked.headers.get("location") or asked.status != 202 else reply
    no = denied(reply, f"what-if of {part['template']}", ROLE)
    if no:
        return no
    found = reply.document
    if found.get("error"):
        return refused(f"what-if of {part['template']}: {reply.words}"[:300])
    changes = reply.properties.get("changes") or []
    because = layer.refusal(changes, part["types"])
    if because:
        return refused(f"{part['template']} is not deployed: {because}"[:300])
    return succeeded(changes=changes)


def _state(part: dict, path: str) -> dict:
    """The deployment's provisioningState as `state`, empty where there is none; `serving`."""
    reply = clients.ask("GET", path, version=layer.VERSION)
    if reply.status == 404:
        return succeeded("deployment is not made", state="", serving=False)
    no = denied(reply, f"deployment of {part['template']}", ROLE)
    if no:
        return no
    state = str(reply.properties.get("provisioningState"))
    return succeeded(f"deployment is {state}", state=state, serving=state == SETTLED[0])


def _address(path: str) -> str:
    return f"{clients.settings().arm_endpoint}{path}?api-version={layer.VERSION}"
