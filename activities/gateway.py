"""API Management as a component: the location's overlay, and a call through the gateway.

A restore makes a gateway exactly like the one it came from, so its backends and named values
point at the lost region until the overlay is laid. After Microsoft.ApiManagement 2024-05-01.
"""

from shared import arm_calls, clients, named_values, not_in_backup, overlay, probe
from shared.alias import name_of
from shared.denials import refusal
from shared.guard import guarded, still
from shared.outcome import refused, running, skipped, succeeded
from shared.reply import Reply, Unreachable, brief

PROBE_SECONDS = 10.0
FOREIGN_MAX = 3
OPERATOR = "Logic App Operator (Logic Apps Standard Operator for a Standard workflow)"


def observe_gateway(payload: dict) -> dict:
    """Does the gateway have its overlay? Facts `serving`, `differences`.

    Asked with `dryRun` for `protect`: `would`, what the pipeline turned round does with it. Safe to
    repeat: reads.
    """
    if payload.get("dryRun") and payload.get("verb") == "protect":
        return _turned_round(payload)
    found = _differences(payload)
    if isinstance(found, str):
        return refused(found)
    names = sorted(path for path, _ in found)
    because = f"differs from its overlay in {', '.join(names)}" if names else "has its overlay"
    return succeeded(because, serving=not names, differences=names)


@guarded
def promote_gateway(payload: dict) -> dict:
    """Lay the overlay of `location`: read each item, write only what differs.

    Safe to repeat. Running while the last named value settles; `observe_gateway` tells the rest.
    Refused with fact `busy` while somebody else changes the gateway: ask again.
    """
    found = _differences(payload)
    if isinstance(found, str):
        return refused(found)
    if not found:
        return skipped("has its overlay already")
    replies = []
    for path, body in found:
        where = f"{payload['component']['resource']}/{path}"
        reply = clients.ask("PUT", where, body, before=still(payload))
        if not reply.ok:
            no = refusal(reply, path)
            more = ", perhaps restored" if no.get("busy") else ""
            return {**no, "because": f"{no['because']}{more}"}
        replies.append(reply)
    done = ", ".join(path for path, _ in found)
    pending = [url for url in map(_operation, replies) if url]
    if pending:
        return running(pending[-1], _retry_after(replies[-1]), changed=done)
    return succeeded(f"laid {done}")


def verify_gateway(payload: dict) -> dict:
    """Does the gateway answer its probe with 200, with no backend of the other location's?

    Safe to repeat: reads, and one GET through the gateway.
    """
    part = payload["component"]
    rows = listed(part, "backends")
    if isinstance(rows, str):
        return refused(rows)
    foreign = overlay.foreign(part, payload["location"], rows)
    if foreign:
        return refused(f"{'; '.join(foreign[:FOREIGN_MAX])}: lay the overlay")
    url = f"{part['gatewayUrl'].rstrip('/')}{part['probe']}"
    where = probe.shown(url)
    try:
        reply = probe.call("GET", url, PROBE_SECONDS)
    except Unreachable as error:
        return refused(f"{where}: {error}")
    if reply.status != 200:
        return refused(f"{where} answered {reply.status}, not 200")
    return succeeded(f"{where} answered 200")


def _turned_round(payload: dict) -> dict:
    """What would be sent for the gateway that was left, should no proven backup lie there then.

    Which items of the overlay a restore leaves to be laid only it shows; what no backup carries
    stays with the gateway, so that the PATCH is known now.
    """
    part = payload["component"]
    mine, theirs = (name_of(one["resource"]) for one in (part, part["other"]))
    reply = clients.ask("GET", part["resource"])
    if not reply.ok:
        return refusal(reply, f"gateway {mine}")
    applied = not_in_backup.change(part.get("notInBackup", []), payload["location"], reply.document)
    laid = len(overlay.shown(part, payload["location"]))
    steps = [f"POST {theirs}/backup", f"POST {mine}/restore"]
    steps += [f"PUT what differs then of the {laid} items of its overlay"] if laid else []
    steps += [f"PATCH {mine} ({', '.join(applied.names)})"] if applied.names else []
    would = f"be the standby's: if no proven backup of {theirs} lies there by then, "
    because = f"is there, {reply.properties.get('provisioningState', 'in no state that it shows')}"
    return succeeded(because, would=would + ", ".join(steps), calls={})


def _differences(payload: dict) -> list[tuple[str, dict]] | str:
    """(path, body to put) of every overlay item that is not as it should be; or why not known."""
    part = payload["component"]
    links = _links(part, payload["location"])
    if isinstance(links, str):
        return links
    found = []
    for path, values in overlay.items(part, payload["location"], links):
        reply = clients.ask("GET", f"{part['resource']}/{path}")
        barred = _barred(reply, path)
        if barred:
            return barred
        if reply.status == 404 and reply.code == "ResourceNotFound" and _absent(part["resource"]):
            return f"no gateway at {part['resource']}"
        known = {} if reply.status == 404 else reply.expect().properties
        # Nobody is told the value of a reference into a vault, and none is to be compared where a
        # reference is laid: it says enough.
        told = known.get("secret") and not named_values.referred(known) and "value" in values
        if path.startswith("namedValues/") and told:
            shown = clients.ask("POST", f"{part['resource']}/{path}/listValue")
            barred = _barred(shown, path)
            if barred:
                return barred
            known = {**known, "value": shown.expect().document.get("value")}
        if overlay.differs(known, values):
            kept = named_values.replaced(known, values)
            found.append((path, {"properties": {**_base(path, values), **kept, **values}}))
    return found


def _links(part: dict, location: str) -> dict[str, dict] | str:
    """backend -> {"url", "sig"}, read from the workflow at this moment; or why one cannot be."""
    found: dict[str, dict] = {}
    for name, link in overlay.callbacks(part, location).items():
        where = f"{link['resource']}/triggers/{link['trigger']}/listCallbackUrl"
        reply = clients.ask("POST", where)
        if reply.status == 404:
            return f"no trigger {link['trigger']} of {link['workflow']} in {location}: deploy it"
        if reply.status == 403:
            return f"{reply.status} {reply.code}: give the app's identity {OPERATOR} there"
        if reply.status == 400:  # As a Standard site answers whose host does not run.
            words = f"{link['workflow']} does not say its callback URL: {brief(reply.words)}"
            return f"{words}: see that its site runs, and that {link['trigger']} takes requests"
        barred = _barred(reply, link["workflow"])
        if barred:
            return barred
        read = overlay.link_of(reply.expect().document, link["upTo"])
        if read is None:
            return f"{link['workflow']} has no signed callback URL for {link['trigger']}"
        found[name] = read
    return found


def _absent(resource: str) -> bool:
    return clients.ask("GET", resource).status == 404


def _base(path: str, values: dict) -> dict:
    """What an item needs that the restore did not bring."""
    kind, _, name = path.partition("/")
    if "pool" in values:
        return {}
    return {"protocol": "http"} if kind == "backends" else {"displayName": name, "secret": False}


def _barred(reply: Reply, thing: str) -> str:
    """Why `thing` is not shown, where neither waiting nor asking again helps; else empty."""
    if reply.status in (401, 403) or reply.code == "ScopeLocked":
        return str(refusal(reply, thing)["because"])
    return ""


def _operation(reply: Reply) -> str:
    """Where to ask about a change that was only accepted; empty when it is done.

    Location rather than Azure-AsyncOperation: the contract names it as the final state.
    """
    return reply.headers.get("location") or reply.headers.get("azure-asyncoperation", "")


def _retry_after(reply: Reply) -> float:
    said = reply.headers.get("retry-after", "")
    return float(said) if said.isdigit() else 1.0


def listed(part: dict, kind: str) -> list[dict] | str:
    """Every item of one kind that the gateway has; a sentence where they are not shown."""
    seen: list[dict] = []
    for reply in arm_calls.pages(f"{part['resource']}/{kind}"):
        if reply.status == 404:
            return f"no gateway at {part['resource']}"
        barred = _barred(reply, part["name"])
        if barred:
            return barred
        seen += reply.expect().document.get("value", [])
    return seen
