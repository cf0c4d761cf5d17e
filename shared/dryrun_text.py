"""Dry run in words: what a person reads before he orders a failover.

`python -m shared.dryrun_text FILE` prints the JSON answer of a dry run (`-`: standard input).
"""

import json
import re
import sys
import textwrap
from pathlib import Path

from shared.dryrun import SAME

TEXT = "text/plain"
GROUPS = re.compile(r"/subscriptions/[^/]+/resourceGroups/", re.IGNORECASE)
DEFAULT = re.compile(r"(\w+) of (\w+) (\(.+)")  # What `forecast_steps` assumes of a kind's verb.
WIDTH, BODY_MAX = 120, 200
LONG = "(with a body, see the JSON answer)"
NOTES = {"protect": ": after the callers were answered, so no part of the RTO"}


def answer(view: dict, accepts: str) -> tuple:
    """200 with the view as JSON, or in words for who asks for those alone."""
    asked = accepts.lower()
    if TEXT in asked and "json" not in asked and "*/*" not in asked:
        return 200, words(view), {"Content-Type": TEXT}
    return 200, view


def words(view: dict) -> str:
    """The whole answer: stage by stage what would be called, then how long all of it takes."""
    allowed = "allowed" if view["allowed"] else "not allowed"
    told = f"{view['plan']}: dry run of a {view['mode']} run to {view['to']}, {view['at'][:19]}Z"
    below = common(view["differences"])
    head = [told, f"{allowed}: {view['because']}"]
    if below:
        head += ["", f"Paths that begin with ... are below {below}"]
    stages = dict.fromkeys(act["stage"] for act in view["differences"])
    acts = [line for stage in stages for line in stage_words(stage, view["differences"], below)]
    ready = ready_words(view.get("readiness"))
    return "\n".join([*head, *acts, *forecast_words(view["forecast"]), *ready, ""])


def common(acts: list[dict]) -> str:
    """The subscription's resource groups, where all calls of ARM go to one; else empty."""
    urls = [call["url"] for act in acts for call in act["calls"]]
    found = {match[0] for url in urls if (match := GROUPS.match(url))}
    return found.pop() if len(found) == 1 else ""


def stage_words(stage: str, acts: list[dict], below: str) -> list[str]:
    """One stage: what it would change, then by name what stays as it is."""
    mine = [act for act in acts if act["stage"] == stage]
    rows = [act for act in mine if act["would"] != SAME or act["calls"]]
    lines = [line for act in rows for line in act_words(act, below)]
    same = [act for act in mine if act not in rows]
    for location in dict.fromkeys(act["location"] for act in same):
        names = [f"{a['component']} ({a['seen']})" for a in same if a["location"] == location]
        lines += filled(f"as it should be in {location}: {', '.join(names)}", 2)
    return ["", f"{stage}{NOTES.get(stage, '')}", *lines]


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
    return ["", head, *(line for row in rows for line in filled(row))]


def act_words(act: dict, below: str) -> list[str]:
    what = f"  {act['verb']} {act['component']} in {act['location']} ({act['kind']})"
    calls = [f"{'':6}{line}" for one in act["calls"] for line in call_words(one, below)]
    would = f"would {act['would']}{child_words(act.get('child'))}"
    return [what, *filled(f"now: {act['seen']}", 4), *filled(would, 4), *calls]


def child_words(own: dict | None) -> str:
    """How long a child plan's own run takes; nothing of another act."""
    if own is None:
        return ""
    known = own["seconds"] is not None
    took = f"{own['seconds']:g} s until it serves" if known else f"unknown: {own['because']}"
    return f"; the run of {own['plan']}: {took}"


def call_words(call: dict, below: str) -> list[str]:
    """One request on a line, and what it says on another; a long body is in the JSON answer."""
    url, body = call["url"], json.dumps(call["body"]) if call.get("body") else ""
    if below:
        url, body = url.replace(below, "..."), body.replace(below, "...")
    body = body if len(body) <= BODY_MAX else LONG
    return [f"{call['method']} {url}", *([f"  {body}"] if body else [])]


def forecast_words(told: dict) -> list[str]:
    """The figures, what they consist of, and what stands on nothing but a default."""
    parts = ", ".join(f"{name} {seconds:g}" for name, seconds in told["parts"].items())
    known = told["measured"]
    source = f"{known['steps']} steps of run {known['run']}" if known["run"] else "no run of ours"
    late = told["rpoSeconds"]
    rpo = f"{late:g} s" if late is not None else "unknown"
    return [
        "",
        *filled(f"RTO {told['rtoSeconds']:g} s, {within(told['meetsRto'])} (seconds: {parts})"),
        *filled(f"RPO {rpo}, {within(told['meetsRpo'])} ({told['rpoBecause']})"),
        f"measured by {source}",
        *(filled(f"assumed: {'; '.join(together(told['assumed']))}") if told["assumed"] else []),
    ]


def together(assumed: list[str]) -> list[str]:
    """Defaults with the kinds that they stand in for: `demote (change) 0.5 s: batch, scaleSet`."""
    kinds: dict[str, list[str]] = {}
    for one in assumed:
        match = DEFAULT.fullmatch(one)
        title, kind = (f"{match[1]} {match[3]}", match[2]) if match else (one, "")
        kinds.setdefault(title, []).append(kind)
    return [
        f"{title}: {', '.join(names)}" if any(names) else title for title, names in kinds.items()
    ]


def filled(text: str, indent: int = 0) -> list[str]:
    """A long sentence on several lines; names and paths stay whole."""
    first, more = " " * indent, " " * (indent + 2)
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=more,
        break_long_words=False,
        break_on_hyphens=False,
    )


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
