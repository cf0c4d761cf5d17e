"""Roles of definitions: what each workflow may be in two locations, before anything is deployed.

`python -m shared.roles PATH...` prints a table for workflow definitions (Consumption's JSON,
Standard's workflow.json, an ARM resource, every workflow of an ARM template), and for every
folder all that are in it. Exit 1 when one cannot be judged: it cannot be read, has no trigger or
one that is not known here; 2 when a path is not there.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from shared import roles

BYTES_MAX = 10_000_000
FILES_MAX = 20_000
NESTED_MAX = 20
FILE = "workflow.json"  # Standard's, whatever stands in it.
WORKFLOW = "microsoft.logic/workflows"
SCHEMA = "workflowdefinition"
NONE = "no workflow definition"
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


def judged(name: str, text: str) -> list[dict]:
    """A row for each workflow: {"workflow", "trigger", "state", "roles", "because", "known"}.

    No row for JSON that holds no workflow. `known` is false for what was only guessed at or cannot
    be judged.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as wrong:
        return [unreadable(name, f"not JSON: {wrong}")]
    return [
        unreadable(one, told) if isinstance(told, str) else row_of(one, told)
        for one, told in workflows_in(document, name)
    ]


def row_of(name: str, definition: dict) -> dict:
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


def workflows_in(document: object, name: str, depth: int = 0) -> Iterator[tuple[str, dict | str]]:
    """Each workflow of a file or a template's resource: its name, and its definition or why not.

    Resources may be nested, and a deployment in a template holds a template of its own.
    """
    if not isinstance(document, dict):
        return
    told = definition_in(document, listed=depth > 0)
    if told is not None:
        yield name, told
    template = roles.mapping(roles.mapping(document, "properties"), "template")
    for key, resource in [*resources_of(document), *resources_of(template)]:
        if depth >= NESTED_MAX:
            yield name, f"its template nests deeper than {NESTED_MAX}"
            return
        known = resource.get("name") if isinstance(resource, dict) else None
        yield from workflows_in(resource, f"{name}/{known or key}", depth + 1)


def resources_of(template: dict) -> list[tuple[str, object]]:
    """A template's resources; a newer one names them by keys."""
    found = template.get("resources")
    if isinstance(found, list):
        return [(str(n), resource) for n, resource in enumerate(found)]
    return list(found.items()) if isinstance(found, dict) else []


def definition_in(document: dict, listed: bool) -> dict | str | None:
    """The definition: as such, as Standard keeps it, or in an ARM resource; or why there is none.

    None for what is no workflow. `listed`: it is one of a template's resources, which say by
    their type what they are; one that is only referred to is none of the template's.
    """
    kind = str(document.get("type", "")).lower()
    if kind == WORKFLOW:
        own = roles.mapping(document, "properties").get("definition")
        return None if document.get("existing") is True else definition_or_why(own)
    if listed or "/" in kind:
        return None
    inner: object = document
    for _ in range(3):
        if not isinstance(inner, dict):
            return None
        if is_definition(inner):
            return inner
        inner = inner.get("definition", inner.get("properties"))
    return None


def is_definition(document: dict) -> bool:
    """One without a trigger is known by its actions or its schema."""
    schema = str(document.get("$schema", "")).lower()
    return "triggers" in document or isinstance(document.get("actions"), dict) or SCHEMA in schema


def definition_or_why(own: object) -> dict | str:
    if isinstance(own, dict):
        return own
    if isinstance(own, str) and own.startswith("["):
        return "its definition is a template expression, known when it is deployed"
    return NONE


def read(path: Path, name: str) -> list[dict]:
    try:
        if path.stat().st_size > BYTES_MAX:
            return [unreadable(name, f"larger than {BYTES_MAX} bytes")]
        rows = judged(name, path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as wrong:
        return [unreadable(name, f"cannot be read: {wrong}")]
    return rows or ([unreadable(name, NONE)] if path.name == FILE else [])


def named(path: Path, root: Path) -> str:
    """The workflow's name: Standard names it by its folder."""
    own = path.parent if path.name == FILE else path.with_suffix("")
    inside = own.relative_to(root) if own.is_relative_to(root) and own != root else Path(own.name)
    return str(inside)


def rows_of(paths: list[Path]) -> list[dict]:
    """One row for each workflow; what a folder holds besides is passed over, a file is not."""
    found = []
    for path in paths:
        if path.is_dir():
            inside = sorted(path.rglob("*.json"))
            found += [row for one in inside[:FILES_MAX] for row in read(one, named(one, path))]
            if len(inside) > FILES_MAX:
                found.append(
                    unreadable(path.name, f"more than {FILES_MAX} files: the rest is unread")
                )
        else:
            name = named(path, path.parent)
            found += read(path, name) or [unreadable(name, NONE)]
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
