"""Children's desk: order for another plan what a person would order, and see how it stands.

These are activities; like the desks they ask their neighbours, because an order is what several of
them know together. The child's own pause, windows and readiness hold it as they would for anybody.
"""

import json

from activities import desk, desk_orders, readiness
from shared import api, child
from shared.guard import guarded, still
from shared.outcome import refused, skipped, succeeded
from shared.problem import Problem
from shared.reply import Surprise

READY_SECONDS = 7.0  # The parent's own look has twelve.
SILENT = 503


def observe_child(payload: dict) -> dict:
    """Is the child active in `location`, and awake? Fact `serving`; in a dry run `calls`, `would`.

    Safe to repeat: reads.
    """
    name, location = payload["component"]["plan"], payload["location"]
    found = _known(payload)
    if found["status"] != "succeeded":
        return found
    record = desk.known_record(found["document"])
    serving = child.serves(record, location)
    body = {"mode": payload.get("mode", "forced"), "to": location}
    calls = [] if serving else [{"method": "POST", "url": f"plans/{name}/failover", "body": body}]
    words = f"{name} is active in {record['active']}"
    would = f"move along to {location}"
    return succeeded(words, serving=serving, calls={"promote": calls}, would=would)


@guarded
def promote_child(payload: dict) -> dict:
    """Order the child's failover to `location`; busy until its record says that it serves there.

    Safe to repeat: one move of the parent is one run of the child.
    """
    part, location = payload["component"], payload["location"]
    found = _known(payload)
    if found["status"] != "succeeded":
        return found
    record, now = desk.witnessed(found["document"])
    key = child.key(payload["plan"], payload["epoch"], location, part["name"])
    run = api.run_id(part["plan"], key, now)
    seen = child.standing(record, location, run, now)
    if seen["state"] == "serves":
        return skipped(seen["because"], serving=True)
    if seen["state"] != "to order":
        return refused(seen["because"], busy=seen["state"] == "under way")
    still(payload)()
    return _order(payload, key)


def check_child(payload: dict) -> dict:
    """Facts `checks`: could the child move along to `location`? Safe to repeat: reads."""
    found = _known(payload)
    if found["status"] != "succeeded":
        row = child.check("child", "fail", found["because"], "lay the child's plan in both apps")
        return succeeded(checks=[row])
    document, location = found["document"], payload["location"]
    record = desk.known_record(document)
    ready = {"because": "", "checks": []}
    if record["active"] != location:
        ready = readiness.assess(document, location, READY_SECONDS)
    rows = child.checks(document["name"], location, payload["away"], record, ready)
    return succeeded(checks=rows)


def _known(payload: dict) -> dict:
    """The child's plan as `document`, or why it cannot move along."""
    name = payload["component"]["plan"]
    try:
        document = desk.known_plan(name)["plan"]
    except Problem as no:
        return refused(f"child plan {name}: {no.body['detail']}")
    because = child.unfit(payload["plan"], document, payload["location"])
    return refused(because) if because else succeeded(document=document)


def _order(payload: dict, key: str) -> dict:
    name, location = payload["component"]["plan"], payload["location"]
    # What is undone goes back without losing anything, or not at all.
    undoing = payload.get("verb") == "undo"
    mode = "graceful" if undoing else payload.get("mode", "graceful")
    order = {"mode": mode, "to": location}
    order["reason"] = f"moves along with {payload['plan']}, run {payload['run']}"
    try:
        answer = desk_orders.order_failover(name, json.dumps(order).encode(), key)
    except Problem as no:
        if no.body["status"] == SILENT:
            raise Surprise(f"{name}: {no.body['detail']}") from no
        return refused(f"{name} is not moved: {no.body['detail']}"[:300])
    return refused(f"{name} is on its way: run {answer[1]['run']} was ordered", busy=True)
