"""Dry run in words: what a person reads before he orders a failover.

`python -m shared.dryrun_text FILE` prints the JSON answer of a dry run (`-`: standard input).
"""

import json
import sys
from pathlib import Path

TEXT = "text/plain"


def answer(view: dict, accepts: str) -> tuple:
    """200 with the view as JSON, or in words for who asks for those alone."""
    asked = accepts.lower()
    if TEXT in asked and "json" not in asked and "*/*" not in asked:
        return 200, words(view), {"Content-Type": TEXT}
    return 200, view


def words(view: dict) -> str:
    """The whole answer: of each component what would be called, then how long all of it takes."""
    allowed = "allowed" if view["allowed"] else "not allowed"
    head = f"{view['plan']}: dry run of {view['at']}; {allowed}: {view['because']}"
    acts = [line for one in view["differences"] for line in act_words(one)]
    ready = ready_words(view.get("readiness"))
    return "\n".join([head, "", *acts, *forecast_words(view["forecast"]), *ready, ""])


def ready_words(seen: dict | None) -> list[str]:
    """What is not as it should be there, the worst first, and what to do; nothing of a location
    in which the plan is active."""
    if seen is None:
        return []
    head = "ready to take over" if seen["ready"] else "not ready to take over"
    rows = [
        f"{one['status']:6}{one['component']} {one['name']}: {one['because']}; {one['fix']}"
        for one in seen["checks"]
    ]
    return ["", head, *rows]


def act_words(act: dict) -> list[str]:
    what = f"{act['stage']:9} {act['verb']} {act['component']} in {act['location']} ({act['kind']})"
    calls = [f"{'':12}{one['method']} {one['url']}" for one in act["calls"]]
    return [what, f"{'':10}is now: {act['seen']}; would {act['would']}", *calls]


def forecast_words(told: dict) -> list[str]:
    """The figures, what they consist of, and what stands on nothing but a default."""
    parts = ", ".join(f"{name} {seconds:g}" for name, seconds in told["parts"].items())
    known = told["measured"]
    source = f"{known['steps']} steps of run {known['run']}" if known["run"] else "no run of ours"
    late = told["rpoSeconds"]
    rpo = f"{late:g} s" if late is not None else "unknown"
    return [
        "",
        f"RTO {told['rtoSeconds']:g} s, {within(told['meetsRto'])} (seconds: {parts})",
        f"RPO {rpo}, {within(told['meetsRpo'])} ({told['rpoBecause']})",
        f"measured by {source}",
        *(f"assumed: {one}" for one in told["assumed"]),
    ]


def within(meets: bool) -> str:
    return "within the objective" if meets else "not within the objective"


def main(arguments: list[str]) -> int:
    """Print the answer that a file holds; 1 when it is none of a dry run."""
    name = arguments[0] if arguments else "-"
    text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    try:
        sys.stdout.write(words(json.loads(text)))
    except (ValueError, KeyError, TypeError) as wrong:
        sys.stderr.write(f"{name}: not the answer of a dry run: {type(wrong).__name__} {wrong}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
