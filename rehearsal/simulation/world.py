"""World: virtual time, who can reach whom, and the state that both locations can change.

A request takes effect at one instant. Its caller may hear of it, hear nothing, or be dead by then.
"""

import heapq
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Protocol

from rehearsal.simulation.durable import START, Clock
from rehearsal.simulation.weather import Weather
from shared import halves
from shared.plan import Plan
from shared.record import fresh, stamp
from shared.reply import Surprise, Unreachable

if TYPE_CHECKING:
    from rehearsal.simulation.apps import App
    from rehearsal.simulation.bus import Bus
    from rehearsal.simulation.properties import Judge

STORY_LINES_MAX = 4000
LAGGING = 0.15  # Share of requests.
DEGRADED_AFTER_SECONDS = 25.0  # Traffic Manager: two probes of ten seconds that failed, and five.
Effect = Callable[[], object]


@dataclass(slots=True)
class Ask:
    """One request: to which node, what it does there, and how long its caller waits."""

    node: str
    effect: Effect
    seconds: float = 10.0
    switches: bool = False  # Does it enable or disable a workflow?


Asking = Generator[Ask, Any, dict]  # Each is sent what its request was answered.


class Source(Protocol):
    """A process that sends requests."""

    here: str
    seen: Any  # What its epoch guard last heard; gone with the process.

    def did(self) -> None: ...


class World:
    """All that is outside of the apps."""

    judge: "Judge"
    buses: "dict[str, Bus]"

    def __init__(self, random: Random, weather: Weather, plan: Plan, names: list[str]) -> None:
        self.random, self.weather, self.plan = random, weather, plan
        self.now = 0.0
        self.record, self.etag = fresh(plan.document, START), 0
        self.down: set[str] = set()
        self.cuts: set[tuple[str, str]] = set()
        self.mended: dict[tuple[str, str], float] = {}  # When a cut between two was healed.
        self.lost_at: dict[str, float] = {}
        self.curt: set[str] = set()  # What is lost, and says 503 at once instead of nothing.
        self.apps: dict[str, App] = {}
        self.watches: dict[str, dict] = {}  # What the watchdog of each location last wrote down.
        self.claims = {name: {"epoch": 0, "mine": False} for name in names}
        self.notes: dict[str, dict[str, dict]] = {
            name: {} for name in names
        }  # run -> stage -> rows
        self.audit: list[dict] = []
        self.empty_at: dict[tuple[str, str], float] = {}  # When a stopped workflow's runs end.
        home = plan.home
        self.profile_location = plan.other(home)
        self.enabled = {
            (name, part.name): name == (halves.stands_in(part) or home)
            or part.role == "activeActive"
            for name in names
            for part in plan.components
            if part.kind == "logicWorkflow"
        }
        self.laid = {name: name == home for name in names}
        self.endpoints = {name: name == home for name in names}
        self.switches = 0  # How many have been sent.
        self.troubled = 0  # How many requests have met trouble so far.
        self.calm, self.telling = False, True
        self.lines: deque[tuple[float, str]] = deque(maxlen=STORY_LINES_MAX)
        self._queue: list[tuple[float, int, Callable, tuple]] = []
        self._order = 0
        self._roll = random.random
        self._clock = Clock()

    def at(self, delay: float, act: Callable, *args: object) -> None:
        """Do something `delay` seconds from now."""
        self._order += 1
        heapq.heappush(self._queue, (self.now + delay, self._order, act, args))

    def run(self, until: float) -> None:
        """Let everything happen that is due before `until`, in its order."""
        queue = self._queue
        while queue and queue[0][0] <= until:
            self.now, _, act, args = heapq.heappop(queue)
            act(*args)
        self.now = until

    def forget(self) -> None:
        """Let go of everything at the end of a seed, without a sweep of the collector's.

        A world is full of circles; left alone, each seed takes memory that no cache has seen.
        """
        for app in self.apps.values():
            vars(app).clear()
        for bus in self.buses.values():
            vars(bus).clear()
        self._queue.clear()
        self.apps, self.buses = {}, {}
        del self.judge

    def tell(self, *words: object) -> None:
        """One line of the story, if anybody reads it."""
        if self.telling:
            self.lines.append((self.now, " ".join(map(str, words))))

    @property
    def server_time(self) -> datetime:
        """The time of the storage service: the only clock that is right."""
        return self._clock.at(self.now)

    def time_of(self, seconds: float) -> str:
        """The storage service's time so many seconds from now, as it is written in records."""
        return stamp(self.server_time + timedelta(seconds=seconds))

    def reaches(self, source: str, node: str) -> bool:
        return node not in self.down and (source, node) not in self.cuts

    def alive(self, location: str) -> bool:
        """Does this region run at all?"""
        return location not in self.down

    def lose(self, location: str) -> None:
        self.down |= {location, f"arm.{location}", f"bus.{location}"}
        self.lost_at[location] = self.now

    def recover(self, location: str) -> None:
        self.down -= {location, f"arm.{location}", f"bus.{location}"}
        self.curt -= {location, f"arm.{location}", f"bus.{location}"}
        self.lost_at.pop(location, None)

    def monitor(self, location: str) -> str:
        """What Traffic Manager shows of a location's endpoint: late by its interval."""
        if not self.endpoints[location]:
            return "Disabled"
        lost = self.lost_at.get(location)
        return (
            "Degraded"
            if lost is not None and self.now - lost > DEGRADED_AFTER_SECONDS
            else "Online"
        )

    def send(self, source: Source, ask: Ask, then: Callable[[object], None]) -> None:
        """Carry one request; `then` gets its answer, or a Surprise."""
        if not self.reaches(source.here, ask.node):
            self.troubled += 1
            if ask.node in self.curt and (source.here, ask.node) not in self.cuts:
                self.at(0.1, then, Surprise(f"503 from {ask.node}"))
                return
            self.at(ask.seconds, then, Unreachable(f"no answer within {ask.seconds:g} s"))
            return
        latency = 0.02 + 0.1 * self._roll()
        if not self.calm and self._roll() < self.weather.trouble:
            self.troubled += 1
            self.random.choice(TROUBLES)(self, source, ask, then, latency)
        elif not self.calm and self._is_late(ask):
            self.troubled += 1
            self._arrive_late(source, ask, then, latency)
        else:
            self.at(latency, self._land, source, ask, then)

    def _is_late(self, ask: Ask) -> bool:
        """Is this one of those requests that land when nobody waits for them any more?"""
        if ask.node == self.weather.lagging and self._roll() < LAGGING:
            return True
        self.switches += ask.switches
        return ask.switches and self.switches in self.weather.strays

    def _land(self, source: Source, ask: Ask, then: Callable[[object], None]) -> None:
        """The request arrives; its caller may die of what comes next, but the effect stands."""
        if ask.node in self.down:
            self.troubled += 1
            self.at(ask.seconds, then, Unreachable("the connection broke"))
            return
        answer = ask.effect()
        source.did()
        then(answer)

    def _refuse(self, source: Source, ask: Ask, then: Callable, latency: float) -> None:
        status = self.random.choice((429, 500, 503, 504))
        self.at(latency, then, Surprise(f"{status} from {ask.node}"))

    def _lose_request(self, source: Source, ask: Ask, then: Callable, latency: float) -> None:
        self.at(ask.seconds, then, Unreachable(f"no answer within {ask.seconds:g} s"))

    def _lose_answer(self, source: Source, ask: Ask, then: Callable, latency: float) -> None:
        self.at(latency, self._land, source, ask, ignore)
        self._lose_request(source, ask, then, latency)

    def _arrive_late(self, source: Source, ask: Ask, then: Callable, latency: float) -> None:
        late = ask.seconds + self._roll() * self.weather.late_seconds
        self.at(late, self._land, source, ask, ignore)
        self._lose_request(source, ask, then, latency)

    def _be_slow(self, source: Source, ask: Ask, then: Callable, latency: float) -> None:
        self.at(self._roll() * ask.seconds, self._land, source, ask, then)


def ignore(answer: object) -> None:
    """Nobody waits for this answer any more."""


TROUBLES = (
    World._refuse,
    World._lose_request,
    World._lose_answer,
    World._arrive_late,
    World._be_slow,
)
