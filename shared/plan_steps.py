"""Plan steps: what must hold of the components that are no resource.

What waits for a person must be promoted in the stage that asks him: a run goes on to the next one
without him.
"""

from collections.abc import Iterator

from shared.kinds import KINDS


def problems(data: dict) -> Iterator[str]:
    """Every rule on `manual` and `plan` components that a plan document breaks."""
    given = data.get("components")
    parts = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    persons = {str(one.get("name")): stage_of(one) for one in parts if one.get("kind") == "manual"}
    children: dict[str, str] = {}
    for n, part in enumerate(given if isinstance(given, list) else []):
        if not isinstance(part, dict):
            continue
        waits = part.get("waitsFor")
        for name in waits if isinstance(waits, list) else []:
            if name in persons and persons[name] != stage_of(part):
                yield (
                    f"components[{n}].waitsFor: {name} asks a person in stage {persons[name]}, "
                    "which holds only what is promoted there"
                )
        if part.get("kind") == "plan":
            child = str(part.get("plan"))
            if child == data.get("name"):
                yield f"components[{n}].plan: a plan cannot be its own child"
            if child in children:
                yield f"components[{n}].plan: {child} is the child of {children[child]} too"
            children.setdefault(child, f"components[{n}]")


def stage_of(part: dict) -> str | None:
    """The stage that promotes this raw component; None for one that nothing promotes."""
    verb = KINDS.get(str(part.get("kind")), {}).get("promote")
    if verb is None:
        return None
    default = {"manual": "activate", "plan": "promote"}.get(str(part.get("kind")))
    return verb.stage or part.get("stage") or default
