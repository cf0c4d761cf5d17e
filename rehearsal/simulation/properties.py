"""Properties: what must hold after every change, said independently of the code that keeps it.

A breach is a violation, unless its cause is a safety feature of NOT_YET: then it is counted under
that name, so that whoever builds the feature takes its row out and sees the simulator agree.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from rehearsal.simulation import chain
from rehearsal.simulation.beside import Beside
from rehearsal.simulation.detection import Detection
from rehearsal.simulation.effects import Effects, kept
from rehearsal.simulation.evidence import LOOKS
from rehearsal.simulation.register import Register
from shared import halves

if TYPE_CHECKING:
    from rehearsal.simulation.durable import Instance
    from rehearsal.simulation.world import World

ENDING = ("stage", "component")
POINTING_SECONDS = 6.0  # From a look at the endpoints to the sending of the last that follows.
NEVER = float("-inf")
ROUND = timedelta(seconds=5)  # Of a watchdog, from its looks to what it asks for.


class Judge(Register):
    """Watches one world; `violations` are (property, what happened), `notes` count NOT_YET."""

    def __init__(self, world: "World") -> None:
        super().__init__(world)
        self.exclusive = [
            part.name
            for part in world.plan.components
            if part.kind == "logicWorkflow" and part.role != "activeActive"
        ]
        self.effects = Effects(world)
        self.beside = Beside(world, self.exclusive)
        self.detection = Detection(world)
        self._kept: dict[str, list[str]] = {}  # By a run that was cancelled: what it left on.
        self._strayed = NEVER  # When an endpoint was changed too late, until that is mended.
        self._begun: dict[str, tuple[float, int]] = {}  # When, and after how many troubles.

    def wrote(self, before: dict, after: dict) -> None:
        """The record was changed."""
        run = before["run"]
        if run and run["cancel"] and not after["run"]:
            self._kept[run["id"]] = self.effects.enabled_by(run)
        self.effects.wrote(before, after)
        super().wrote(before, after)
        if after["epoch"] != before["epoch"]:
            self.beside.look()

    # --- what activities do ---------------------------------------------------------------

    def called(self, here: str, name: str, payload: dict) -> None:
        """An activity begins; a watchdog's reservation is weighed on what it saw until now."""
        if name == "reserve_run":
            run = payload["slip"]["run"]
            self.baseless.setdefault(run, self.evidence.lacking(here))
            now = self.world.server_time  # It may have opened since the round's looks.
            self.closed.setdefault(run, self.window(now - ROUND) and self.window(now))

    def answered(self, here: str, name: str, told: dict, ok: bool, value: Any) -> None:
        """An activity's answer reaches its orchestrator."""
        answer = value if ok else {"status": "raised", "because": str(value)}
        if answer["status"] in ("refused", "raised") and not answer["because"]:
            self.breach("unexplained", name, "is", answer["status"], "without a reason")
        if name in LOOKS:
            self.evidence.saw(here, answer)
        elif name == "demote_workflow" and unanswered(answer):
            self.effects.missed(here, told)
        elif name == "observe_workflow" and unanswered(answer):
            self.effects.unseen(here, told)

    def switched(self, task: dict, on: bool, sent: float) -> None:
        """A workflow was enabled or disabled, by a request that was sent at `sent`."""
        name, here = task["component"]["name"], task["location"]
        self.world.tell(task["run"], "enables" if on else "disables", name, "in", here)
        broken = self.effects.switched(task, on, sent)
        if broken:
            self.breach(broken.name, name, "in", here, "by", task["run"], broken.why)
        self.beside.look()

    def pointed(self, task: dict, sent: float) -> None:
        """An endpoint was enabled or disabled, by a request that was sent at `sent`."""
        self.world.tell("endpoints:", self.world.endpoints)
        active = self.world.record["active"]
        stale = self.effects.stale(task, self.world.record)
        if stale and self.effects.stale_since(task, sent):
            self.breach("stale-effect", "an endpoint is changed by", task["run"])
        strayed = sent - self._strayed < POINTING_SECONDS  # However late this one lands.
        if not (stale or strayed or any(self.world.endpoints.values())):
            self.breach("no-door", "no endpoint is enabled")
        if stale:  # It meets whoever has just pointed them where they belong, or is about to.
            self.world.troubled += 1
            self._strayed = self.world.now
        elif [name for name, on in self.world.endpoints.items() if on] == [active]:
            self._strayed = NEVER

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
        self._begun[instance.id] = self.world.now, self.world.troubled

    def ended(self, here: str, instance: "Instance") -> None:
        output = instance.output
        if instance.failure:
            self.breach("failed", instance.id, "has failed:", instance.failure)
            return
        if instance.name not in ENDING:
            return
        if output["outcome"] == "refused" and not output["because"]:
            self.breach("unexplained", instance.id, "is refused without a reason")
        if instance.name == "component":
            task = instance.told["task"]
            self._rowed(instance, task, output)
        else:
            self.world.tell(instance.id, output["outcome"], output["because"])
            if output["stage"] == "fence":
                self.effects.fenced(output["rows"])
        if output["outcome"] == "cancelled":
            self._taken_back(output)

    def _taken_back(self, output: dict) -> None:
        """What a cancelled run had enabled where it went was off again, or people are told."""
        refused = {one["component"] for one in output["rows"] if one["outcome"] == "refused"}
        for name in self._kept.pop(output["slip"]["run"], []):
            if name not in refused or name not in output["because"]:
                self.breach("undone", output["slip"]["run"], "is cancelled and leaves", name, "on")

    def _rowed(self, instance: "Instance", task: dict, row: dict) -> None:
        effects, record = self.effects, self.world.record
        if task["verb"] == "demote" and row["outcome"] != "refused":
            effects.heard(task)
        spot, (begun, troubled) = (
            (task["location"], task["component"]["name"]),
            self._begun[instance.id],
        )
        last = effects.last.get(spot, task)
        if task["verb"] == "verify" or effects.stale(task, record) or last["run"] != task["run"]:
            return  # It says nothing of now, or somebody else was at it meanwhile.
        late = effects.sent.get(spot, begun) < begun <= effects.at.get(spot, -1.0)
        if last["verb"] != task["verb"] and late:
            return  # What the same one had sent before, and given up, has landed meanwhile.
        calm = troubled == self.world.troubled
        run, left = record["run"], record["unfinished"]
        claimed = run and run["to"] == record["active"] and run["phase"] != "protect"
        # Keepers stand aside, also while a claimed run waits for somebody to go on with it.
        aside = kept(task) and (self.in_progress(record) or claimed or left)
        over = not kept(task) and record["run"]["cancel"] and task["stage"] != "undo"
        # The epoch has moved while a keeper was at it, and back: what he refuses now is of before.
        over = over or (kept(task) and task["epoch"] not in (None, record["epoch"]))
        if row["outcome"] == "refused" and calm and not aside and not over:
            self.breach("groundless", instance.id, "is refused:", row["because"])
        elif row["outcome"] != "refused" and not self._shown(task):
            self.breach("shown", f"{instance.id} says {row['outcome']}, but it is not so")

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
        if self.in_progress(record) and not self.held(record):
            self.breach("run-ends", record["run"]["id"], "is still in", record["run"]["phase"])
        for app in world.apps.values():
            left = [i.id for i in app.hub.values() if not i.done and i.name in ENDING]
            if left and not self.held(record):
                self.breach("run-ends", "still running:", left)
            bus = world.buses[app.here]
            for message in [*bus.messages, *bus.dead]:
                self.breach("run-ends", "undelivered:", message.id)
            for book in app.outboxes.values():
                for entry in book["slips"]:
                    self.breach("run-ends", "still in the outbox:", entry["id"])
        run = record["run"]
        if run and run["phase"] == "protect" and not self.held(record):
            self.breach("run-ends", run["id"], "is left in protect")
        if record["unfinished"] and not self.held(record):
            self.breach("run-ends", "nobody goes on with", record["unfinished"]["id"])
        if world.claims[world.plan.other(record["active"])]["mine"] and not self.held(record):
            self.breach("vouching", "the standby vouches for nobody any more")
        for name, place in [] if self.held(record) else self.wanting():
            self.breach("old-side" if world.enabled[place, name] else "none", name, "in", place)
        for words in [] if self.held(record) else self.astray():
            self.breach("callers", words)

    def held(self, record: dict) -> bool:
        """Does a person hold the run? Then it may go on for as long as the person likes."""
        run = record["run"]
        wanted = run and run["approval"] and run["approval"]["state"] == "wanted"
        return bool(run and (run["paused"] or wanted)) or record["paused"]

    def astray(self) -> list[str]:
        """What is wrong with the way of callers: the endpoints, and the gateway that they reach."""
        world, kinds, found = self.world, {part.kind for part in self.world.plan.components}, []
        active = world.record["active"]
        shown = [name for name, on in world.endpoints.items() if on]
        if "trafficManager" in kinds and shown != [active]:
            found.append(f"{active} is active, and callers are sent to {shown}")
        if "apiManagement" in kinds and not world.laid[active]:
            found.append(f"the gateway of {active} lacks what is its own there")
        return found

    def wanting(self) -> list[tuple[str, str]]:
        """(exclusive workflow, location) of all that is not as the record has it."""
        plan, enabled = self.world.plan, self.world.enabled
        rows: list[tuple[str, str]] = []
        for name in self.exclusive:
            place = halves.stands_in(plan.part(name)) or self.world.record["active"]
            wanted = {place: True, plan.other(place): False}
            rows += [(name, at) for at, on in wanted.items() if enabled[at, name] != on]
        return rows


def unanswered(answer: dict) -> bool:
    """Did a stop come to nothing? What the app's own guard kept back was never sent."""
    return answer["status"] in ("refused", "raised") and not answer.get("stale")
