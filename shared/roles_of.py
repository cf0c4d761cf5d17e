"""Roles of definitions: what each workflow may be in two locations, before anything is deployed.

`python -m shared.roles PATH...` prints a table for workflow definitions (Consumption's JSON,
Standard's workflow.json, an ARM resource), and for every folder all that are in it. Exit 1 when
one cannot be read or has a trigger that is not known here, 2 when a path is not there.
"""

import json
import sys
from pathlib import Path

from shared import roles

BYTES_MAX = 10_000_000
FILES_MAX = 20_000
HEADS = ("workflow", "trigger", "state", "roles", "because")
SIDES = {
    "queue": "server",
    "orderedQueue": "server",
    "clientPolling": "client",
    "httpPolling": "client",
    "slidingWindow": "client",
    "recurrence": "client",
    "webhook": "service",
    "batch": "client",
    "request": "none",
}


def judged(name: str, text: str) -> dict | None:
    """One row: {"workflow", "trigger", "state", "roles", "because", "known"}.

    None for JSON that is no workflow definition. `known` is false for what was only guessed at or
    cannot be read.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as wrong:
        return unreadable(name, f"not JSON: {wrong}")
    definition = definition_in(document)
    if definition is None:
        return None
    triggers = definition.get("triggers")
    found = roles.trigger_class(definition)
    words = [found.because, roles.NOTES.get(found.trigger, roles.TRIGGERS[found.trigger].because)]
    count = len(triggers) if isinstance(triggers, dict) else 0
    if count > 1:
        words.append(f"the most exclusive of its {count} triggers decides")
    return {
        "workflow": name,
        "trigger": found.trigger,
        "state": SIDES[found.trigger],
        "roles": list(roles.ROLES[found.trigger]),
        "because": "; ".join(words),
        "known": found.known,
    }


def unreadable(name: str, because: str) -> dict:
    row = {"workflow": name, "trigger": "-", "state": "-", "roles": []}
    return {**row, "because": because, "known": False}


def definition_in(document: object) -> dict | None:
    """The definition in a file: as such, as Standard keeps it, or in an ARM resource."""
    for _ in range(3):
        if not isinstance(document, dict):
            return None
        if "triggers" in document:
            return document
        document = document.get("definition", document.get("properties"))
    return None


def read(path: Path, name: str) -> dict | None:
    try:
        if path.stat().st_size > BYTES_MAX:
            return unreadable(name, f"larger than {BYTES_MAX} bytes")
        return judged(name, path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as wrong:
        return unreadable(name, f"cannot be read: {wrong}")


def named(path: Path, root: Path) -> str:
    """The workflow's name: Standard names it by its folder."""
    own = path.parent if path.name == "workflow.json" else path.with_suffix("")
    inside = own.relative_to(root) if own.is_relative_to(root) and own != root else Path(own.name)
    return str(inside)


def rows_of(paths: list[Path]) -> list[dict]:
    """One row for each definition; what a folder holds besides is passed over, a file is not."""
    found = []
    for path in paths:
        if path.is_dir():
            inside = sorted(path.rglob("*.json"))[:FILES_MAX]
            found += [row for file in inside if (row := read(file, named(file, path)))]
        else:
            name = named(path, path.parent)
            found.append(read(path, name) or unreadable(name, "no workflow definition"))
    return found


def table(rows: list[dict]) -> str:
    """The rows as people read them, the columns under their heads."""
    shown = [HEADS] + [
        (row["workflow"], row["trigger"], row["state"], ", ".join(row["roles"]), row["because"])
        for row in rows
    ]
    widths = [max(len(line[n]) for line in shown) for n in range(len(HEADS) - 1)]
    lines = [
        "  ".join(
            [*(text.ljust(width) for text, width in zip(line, widths, strict=False)), line[-1]]
        )
        for line in shown
    ]
    return "".join(f"{line}\n" for line in [*lines, summary(rows)])


def summary(rows: list[dict]) -> str:
    both = sum("activeActive" in row["roles"] for row in rows)
    alone = sum(bool(row["roles"]) for row in rows) - both
    guessed = [row["workflow"] for row in rows if not row["known"]]
    words = f"{len(rows)} workflows: {both} may run in both locations, {alone} in one at a time"
    if both and alone:
        words += " (a combination: the plan gives each workflow its own role)"
    return f"{words}; not known here: {', '.join(guessed)}" if guessed else words


def main(arguments: list[str]) -> int:
    """Print the table of these files and folders; `--json` for machines."""
    wanted = [Path(one) for one in arguments if one != "--json"]
    missing = [str(path) for path in wanted if not path.exists()]
    if not wanted or missing:
        gone = f"{', '.join(missing)}: not there\n" if missing else ""
        sys.stderr.write(f"{gone}usage: python -m shared.roles [--json] PATH...\n")
        return 2
    rows = rows_of(wanted)
    sys.stdout.write(json.dumps(rows, indent=2) + "\n" if "--json" in arguments else table(rows))
    return 0 if all(row["known"] for row in rows) else 1
