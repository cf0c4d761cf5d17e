"""A register: a plan's witness record in one hand, for stages that are driven through replay."""

from collections.abc import Callable
from datetime import timedelta

from orchestrations.component import component
from orchestrations.stages import stage
from shared import runs, witness
from shared.outcome import succeeded
from shared.record import fresh, stamp
from tests.replay import START, Replay
from tests.stories import DOCUMENT, paper, world

RUN = paper("claim")["run"]
APPROVAL_MINUTES = 60


class Register:
    """A witness record in one hand: what the product's transitions make of it, by this clock."""

    def __init__(self, mode: str = "forced", by: str = "person", wanted: bool = False) -> None:
        self.now = START
        first = {**paper("claim", None), "by": by, "mode": mode}
        minutes = APPROVAL_MINUTES if wanted else None
        self.record = witness.reserve(fresh(DOCUMENT, START), first, START, minutes)
        self.looks = 0
        self.on_look: dict[int, Callable[[], None]] = {}

    def claimed(self) -> "Register":
        told = {**paper("claim", None), "by": "person"}
        self.record = witness.claim(self.record, told, START)
        return self

    def say(self, word: str, after: timedelta = timedelta()) -> None:
        said = runs.Said(RUN, "ada", "because", START + after, "redirect", 30)
        self.put(runs.hear(self.record, word, said))

    def put(self, changed: dict) -> dict:
        if witness.refusal(changed):
            return {**changed, "record": self.record}
        self.record = changed
        return succeeded(record=changed, serverTime=stamp(self.now))

    def answers(self, **more: object) -> dict:
        quiet = {"now": START, "quiet_minutes": 30}
        made = {
            "claim_epoch": lambda t: self.put(witness.claim(self.record, t["slip"], START)),
            "advance_run": lambda t: self.put(
                witness.advance(self.record, t["slip"], t["phase"], START)
            ),
            "halt_run": lambda t: self.put(
                witness.halt(self.record, t["slip"], t["because"], START, t.get("end", "halted"))
            ),
            "give_back": lambda t: self.put(runs.give_back(self.record, t["slip"], **quiet)),
            "read_witness": self.look,
        }
        return world(**{**made, **more})

    def look(self, told: dict) -> dict:
        self.looks += 1
        self.on_look.get(self.looks, lambda: None)()
        return succeeded(record=self.record, serverTime=stamp(self.now))


def at(name: str, register: Register, epoch: int | None = 1, **more: object) -> Replay:
    told = {**paper(name, epoch), "by": register.record["run"]["by"]}
    answers = register.answers(**more)
    return Replay(stage, told, answers, {"component": component}, instance=f"{RUN}.{name}")
