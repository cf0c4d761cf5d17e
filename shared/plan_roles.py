"""Plan roles: the roles of infra/access.json, narrowed to what one plan's kinds ask.

`python -m shared.plan_roles PLAN [TEMPLATE]` writes the narrowed template to standard output. The
template as it stands knows every kind; a plan of workflows needs no right to delete queues.
"""

import copy
import json
import sys
from collections.abc import Iterable
from pathlib import Path

from shared.permissions import PERMISSIONS, PLAN, held
from shared.plan import BadPlan, load

TEMPLATE = Path(__file__).resolve().parents[1] / "infra" / "access.json"


def asked(kinds: Iterable[str]) -> set[str]:
    """What roles hold for these kinds, and for any plan. Raises KeyError for a stranger."""
    known = [PERMISSIONS[kind] for kind in (PLAN, *kinds)]
    return {held(action) for one in known for side in ("read", "act") for action in one[side]}


def narrowed(template: dict, kinds: Iterable[str]) -> dict:
    """A copy of access.json whose roles hold nothing that these kinds do not ask."""
    wanted, made = asked(kinds), copy.deepcopy(template)
    for one in made["resources"]:
        for permission in one["properties"].get("permissions", []):
            permission["actions"] = [a for a in permission["actions"] if a in wanted]
    return made


def main(arguments: list[str]) -> int:
    """Write the template that a plan file asks for; 1 and every problem when the plan is bad."""
    if not arguments:
        sys.stderr.write("which plan? python -m shared.plan_roles PLAN [TEMPLATE]\n")
        return 2
    file = Path(arguments[1]) if len(arguments) > 1 else TEMPLATE
    try:
        plan = load(Path(arguments[0]).read_text(encoding="utf-8"))
    except BadPlan as bad:
        sys.stderr.write(f"{bad}\n")
        return 1
    template = json.loads(file.read_text(encoding="utf-8"))
    kinds = sorted({part.kind for part in plan.components})
    sys.stdout.write(json.dumps(narrowed(template, kinds), indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
