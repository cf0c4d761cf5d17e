"""Plan gateways: what must hold of an apiManagement component beyond one field."""

from collections.abc import Iterator

from shared import flow_runs, not_in_backup, overlay


def problems(parts: list[tuple[str, dict]], places: set[str]) -> Iterator[str]:
    """What is wrong with the gateways of a raw document, each with its path."""
    named = {p["name"]: p for _, p in parts if isinstance(p.get("name"), str)}
    flows = {
        name
        for name, part in named.items()
        if part.get("kind") in flow_runs.KINDS and part.get("role") != "split"
    }
    for path, part in parts:
        if part.get("kind") == "apiManagement":
            yield from overlay.problems(path, part, flows)
            kinds = {name: str(one.get("kind")) for name, one in named.items()}
            yield from not_in_backup.problems(path, part, kinds, places)
