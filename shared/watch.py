"""Watch: what a watchdog has observers look at, and the state that it leaves in its own storage."""

import json
from datetime import datetime, timedelta

from shared import overlay
from shared.outcome import refused
from shared.verdict import TROUBLE

BYTES_MAX = 64 * 1024
STALE_ROUNDS = 6
DOUBT = timedelta(minutes=2)  # A watchdog that is silent for longer reserves nothing soon.
# Every key of a watch state, and the types that its value may have.
SHAPE: dict[str, tuple[type, ...]] = {
    "plan": (str,),
    "location": (str,),
    "watches": (str,),
    "verdict": (dict,),
    "at": (str,),
    "observations": (list,),
    "controls": (list,),
    "refusal": (str,),
}


def parse(body: str | bytes) -> dict:
    """The watch state in a blob, or a refusal that says what is wrong with it."""
    if len(body) > BYTES_MAX:
        return refused(f"a watch state of {len(body)} bytes: at most {BYTES_MAX} are read")
    try:
        state = json.loads(body)
    except (ValueError, RecursionError) as error:
        return refused(f"watch state is not JSON: {error}")
    return shaped(state) if isinstance(state, dict) else refused("watch state is no object")


def shaped(state: dict) -> dict:
    """The very state, or a refusal where it is not one: another version of the app wrote it."""
    wrong = [key for key, types in SHAPE.items() if not isinstance(state.get(key), types)]
    if wrong:
        return refused(f"watch state: missing or of a wrong type: {', '.join(wrong)}")
    return state


def suspects(state: dict, now: datetime) -> bool:
    """Does this location hold the active one for lost, or nearly? It may claim at any moment."""
    verdict = state.get("verdict") or {}
    young = now - datetime.fromisoformat(state["at"]) < DOUBT
    return young and verdict.get("state") in TROUBLE


def stale(state: dict, every_seconds: float, now: datetime) -> bool:
    """Has the watchdog been silent for so long that its verdict says nothing about now?"""
    silence = (now - datetime.fromisoformat(state["at"])).total_seconds()
    return silence > STALE_ROUNDS * every_seconds


def alive(
    state: dict | None, record: dict | None, here: str, every_seconds: float, now: datetime
) -> tuple[str, str]:
    """(ok, warning or failing, because): does the watchdog of `here` watch where it should?

    `record`: the witness's, None where it cannot be read. Who watches changes with a run.
    """
    if record is None:
        return "warning", "the witness cannot be read: nobody knows who is to watch"
    if record["active"] == here or record["run"]:
        return "ok", "active here" if record["active"] == here else "a run is under way"
    if state is None:
        return "warning", "nobody here has watched yet"
    if stale(state, every_seconds, now):
        return "failing", f"the watchdog is silent since {state['at']}: restart the app"
    return "ok", f"watched at {state['at']}"


def seen_from_outside(document: dict) -> dict:
    """The plan with only what observers look at: every round writes it down for each of them."""
    parts = document["components"]
    shown = [part for part in parts if part["kind"] in ("apiManagement", "trafficManager")]
    workflows = [part for part in parts if part["kind"] == "logicWorkflow"]
    # A gateway is not to be read without the workflows that its callbacks lead to.
    named = [name for part in shown for name in overlay.led_to(part)]
    also = [part for part in parts if part["name"] in named and part not in workflows[:1]]
    return {**document, "components": [*shown, *workflows[:1], *also] or parts[:1]}
