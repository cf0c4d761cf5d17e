"""Properties: what must hold after every change, said independently of the code that keeps it.

A breach is a violation, unless its cause is a safety feature of NOT_YET: then it is counted under
that name, so that whoever builds the feature takes its row out and sees the simulator agree.
"""

from typing import TYPE_CHECKING, cast

from rehearsal.simulation import chain
from rehearsal.simulation.evidence import LOOKS
from rehearsal.simulation.register import Register
from shared import slip

if TYPE_CHECKING:
    from rehearsal.simulation.durable import Instance
    from rehearsal.simulation.world import World

PHASES = ["requested", *slip.STAGES]
ACTIVATE = PHASES.index("activate")
# An app that lives and reaches its own ARM steps back within a lease; twice that, for troubles.
STEP_BACK_SECONDS = 40.0
ENDING = ("stage", "component")


class Judge(Register):
    """Watches one world; `violations` are (property, what happened), `notes` count NOT_YET."""

    def __init__(self, world: "World") -> None:
        super().__init__(world)
        self.exclusive = [
            part.name
            for part in world.plan.components
            if part.kind == "logicWorkflow" and part.role == "activePassive"
        ]
        self._unfenced: set[tuple[int, str]] = set()  # (epoch, workflow): the fence missed it
        self._last: dict[tuple[str, str], dict] = {}  # who switched a workflow last
        self._left: dict[tuple[str, str], dict] = {}  # component rows that were refused
        self._half: set[tuple[str, str]] = set()  # A heartbeat heard no answer when stopping it.
        self._begun: dict[str, int] = {}

    # --- what activities do ---------------------------------------------------------------

    def called(self, here: str, name: str, payload: dict) -> None:
        """An activity begins; a watchdog's reservation is weighed on what it saw until now."""
        if name == "reserve_run":
            run = payload["slip"]["run"]
            self.baseless.setdefault(run, self.evidence.lacking(here))

    def answered(self, here: str, name: str, told: dict, ok: bool, value: object) -> None:
        """An activity's answer reaches its orchestrator."""
        answer = cast(dict, value) if ok else {"status": "raised", "because": str(value)}
        if answer["status"] in ("refused", "raised") and not answer["because"]:
            self.breach("unexplained", name, "is", answer["status"], "without a reason")
        if name in LOOKS:
            self.evidence.saw(here, answer)
        elif name == "demote_workflow" and answer["status"] in ("refused", "raised"):
            self._unfenced.add((told["epoch"], told["component"]["name"]))

    def switched(self, task: dict, on: bool) -> None:
        """A workflow was enabled or disabled."""
        name, here, record = task["component"]["name"], task["location"], self.world.record
        self.world.tell(task["run"], "enables" if on else "disables", name, "in", here)
        self._last[here, name] = task
        if on:
            self._half.discard((here, name))
        active_here = record["active"] == here
        if self.stale(task) or (on != active_here and not by_heartbeat(task)):
            name_of = "stale-effect" if self.stale(task) else "wrong-side"
            self.breach(name_of, name, "in", here, "by a task of epoch", task["epoch"])
            return
        run = record["run"]
        if on and run and run["to"] == here and PHASES.index(run["phase"]) < ACTIVATE:
            self.breach("before-its-stage", name, "is enabled in phase", run["phase"])
        other = self.world.plan.other(here)
        both = name in self.exclusive and self.world.enabled[other, name]
        if on and both and self.world.alive(other):
            self.breach(self._why_both(task, other), name, "is enabled in both, by", task["run"])

    def _why_both(self, task: dict, other: str) -> str:
        """Which property is broken by an exclusive workflow that is enabled in a second place."""
        world, app = self.world, self.world.apps[other]
        if (task["epoch"], task["component"]["name"]) not in self._unfenced:
            return "two-at-once"
        run = world.record["run"]
        if run and run["by"] == "person":
            return "both-live"  # A person may override a lease that lives, and is shown what it is.
        able = app.up and world.reaches(other, f"arm.{other}")
        long = world.now - app.booted > STEP_BACK_SECONDS
        return "stepped-back-late" if able and long else "both-live"

    def stale(self, task: dict) -> bool:
        """Is this the work of an epoch, or of a run, that is over?"""
        run, record = self.world.record["run"], self.world.record
        if by_heartbeat(task):
            here = record["active"] == task["location"]
            if task["verb"] == "promote":
                return not here or task["epoch"] != record["epoch"]
            return task["epoch"] is not None and here
        return task["epoch"] != record["epoch"] or not run or run["id"] != task["run"]

    def pointed(self) -> None:
        """An endpoint was enabled or disabled."""
        self.world.tell("endpoints:", self.world.endpoints)
        if not any(self.world.endpoints.values()):
            self.breach("no-door", "no endpoint is enabled")

    def alerted(self, payload: dict) -> None:
        self.world.tell("alert:", payload["title"], "-", payload["because"])
        if not payload["title"] or not payload["because"]:
            self.breach("unexplained", "an alert without words:", payload)

    # --- orchestrations -------------------------------------------------------------------

    def began(self, here: str, instance: "Instance") -> None:
        if instance.name == "watchdog":
            self.evidence.forget(here)
        if instance.name not in ENDING:
            return
        if instance.id in self._begun:
            self.breach("twice", instance.id, "is started again")
        self._begun[instance.id] = self.world.troubled

    def ended(self, here: str, instance: "Instance") -> None:
        output = cast(dict, instance.output)
        if instance.failure:
            self.breach("failed", instance.id, "has failed:", instance.failure)
            return
        if instance.name not in ENDING:
            return
        if output["outcome"] == "refused" and not output["because"]:
            self.breach("unexplained", instance.id, "is refused without a reason")
        if instance.name == "component":
            task = cast(dict, instance.told)["task"]
            self._rowed(instance, task, output)
        else:
            self.world.tell(instance.id, output["outcome"], output["because"])

    def _rowed(self, instance: "Instance", task: dict, row: dict) -> None:
        name, here = task["component"]["name"], task["location"]
        if by_heartbeat(task) and task["verb"] == "demote" and row["outcome"] != "succeeded":
            self._half.add((here, name))
        if row["outcome"] == "refused":
            self._left[here, name] = task
            calm = self._begun[instance.id] == self.world.troubled
            last = self._last.get((here, name), task)
            crossed = by_heartbeat(last) != by_heartbeat(task)
            if calm and task["verb"] != "verify" and not self.stale(task) and not crossed:
                self.breach("groundless", instance.id, "is refused:", row["because"])
        elif task["verb"] != "verify":
            self._left.pop((here, name), None)
            if not self.stale(task) and not self._shown(task):
                last = self._last.get((here, name), task)
                self.breach(
                    "stale-effect" if last["run"] != task["run"] else "shown",
                    f"{instance.id} says {row['outcome']}, but it is not so",
                )

    def _shown(self, task: dict) -> bool:
        part, here = task["component"], task["location"]
        if part["kind"] == "logicWorkflow":
            return self.world.enabled[here, part["name"]] == (task["verb"] == "promote")
        if part["kind"] == "trafficManager":
            return [n for n, on in self.world.endpoints.items() if on] == [here]
        return True

    # --- in the end -----------------------------------------------------------------------

    def conclude(self) -> None:
        """Long after everything went well again: what must be so by now."""
        world, record = self.world, self.world.record
        because = chain.broken(world)
        if because:
            self.breach("audit", because)
        if self.in_progress(record):
            self.breach("run-ends", record["run"]["id"], "is still in", record["run"]["phase"])
        for app in world.apps.values():
            left = [i.id for i in app.hub.values() if not i.done and i.name in ENDING]
            if left:
                self.breach("run-ends", "still running:", left)
            bus = world.buses[app.here]
            for message in [*bus.messages, *bus.dead]:
                self.breach("run-ends", "undelivered:", message.id)
        other = world.plan.other(record["active"])
        for name in self.exclusive:
            if world.enabled[other, name]:
                last = self._last.get((other, name))
                late = last is not None and last["verb"] == "promote"
                self.breach("stale-effect" if late else "old-side", name, "stays on in", other)
            if not world.enabled[record["active"], name]:
                self.breach(self._why_none(name), name, "is not enabled in", record["active"])

    def _why_none(self, name: str) -> str:
        """Which property is broken by an exclusive workflow that runs nowhere."""
        here, record = self.world.record["active"], self.world.record
        claimed = [t["who"] for t in record["transitions"] if t["what"] == "claimed"]
        run = claimed[-1] if claimed else ""
        last = self._last.get((here, name))
        if last and last["verb"] == "demote":
            half = (here, name) in self._half
            return "half-stopped" if half else "none" if by_heartbeat(last) else "stale-effect"
        if self.runs.get(run) in ("stranded", "claimed"):
            return "nobody-resumes"
        row = self._left.get((here, name))
        return "left-behind" if row and row["run"] == run else "none"


def by_heartbeat(task: dict) -> bool:
    """Is this task of a heartbeat that steps back or serves again, rather than of a run?"""
    return "-heartbeat-" in task["run"]
