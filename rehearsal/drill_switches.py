"""When what may not run twice went to work, and stopped: every kind but Consumption workflows.

ARM's journal says of a Consumption workflow when it was told, which is when it obeys. A Standard
workflow follows its setting when its site has restarted, a trigger of events follows a while after
the answer, and job schedules are told over a data plane that no journal hears. So of these the
world's own changes are noted as they happen, by the looks of `drill_still`.
"""

from rehearsal.drill_still import LOOKS
from rehearsal.world import World
from shared.plan import Plan

Switch = tuple[float, bool]  # (when, at work from then on?)
JOURNALED = "logicWorkflow"


class Switches:
    """What of a plan is at work in which location, from the moment that this is made on.

    `told`: component -> location -> its switches in order, the first of them at time 0.
    """

    def __init__(self, world: World, plan: Plan) -> None:
        self.world, self.since = world, world.now.timestamp()
        self.parts = {
            (name, at): plan.component(name, at)
            for at in plan.locations
            for name in plan.exclusive(at)
            if plan.part(name).kind != JOURNALED
        }
        self.told: dict[str, dict[str, list[Switch]]] = {}
        for name, at in self.parts:
            self.told.setdefault(name, {})[at] = [(0.0, self._at_work(name, at))]
        world.resources.heard.append(self.note)

    def kind(self, name: str) -> str:
        """The kind of a component."""
        return next((p["kind"] for (n, _), p in self.parts.items() if n == name), JOURNALED)

    def flow(self, name: str, location: str) -> str | None:
        """The id of a Standard workflow; None of anything else."""
        part = self.parts.get((name, location), {})
        return f"{part['resource']}/workflows/{part['workflow']}" if "workflow" in part else None

    def flows(self) -> dict[str, str]:
        """Standard workflow's own name -> its component."""
        return {p["workflow"]: name for (name, _), p in self.parts.items() if "workflow" in p}

    def note(self, id: str) -> None:
        """A resource was changed, made or taken away."""
        path = f"{id.lower()}/"
        for (name, at), part in self.parts.items():
            own = f"{part['resource'].lower()}/"
            if path.startswith(own) or own.startswith(path):
                self._look(name, at)

    def _look(self, name: str, at: str) -> None:
        rows, on = self.told[name][at], self._at_work(name, at)
        if rows[-1][1] != on:
            rows.append((self.world.now.timestamp(), on))

    def _at_work(self, name: str, at: str) -> bool:
        part = self.parts[name, at]
        return LOOKS[part["kind"]](self.world, part, at)
