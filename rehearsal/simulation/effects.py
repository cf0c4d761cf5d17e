"""Effects: may this workflow be switched now, by whom, and what if it runs in both locations?

Said again here in plain words, apart from `shared.stale` and the orchestrations.
"""

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from orchestrations.waves import CHUNK
from rehearsal.simulation.beside import STEP_BACK_LEASES, bound, could_stop
from shared import guard, slip

if TYPE_CHECKING:
    from rehearsal.simulation.world import World

PHASES = ["requested", *slip.STAGES]
ACTIVATE = PHASES.index("activate")
RECORDS_MAX = 200
LATENCY_SECONDS = 0.5  # Between the witness's answer and what is sent because of it.
KEEPERS = ("-heartbeat-", "-caretaker-")
# So often a location's own ARM may leave a stop, or the look before it, without an answer, the last
# one just now or still, and what runs on there is not its app's fault.
STEP_BACK_TRIES = 4


class Breach(NamedTuple):
    """A property that does not hold, and why in short."""

    name: str
    why: str


class Effects:
    """What was switched in one world, and what was tried and missed."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.last: dict[tuple[str, str], dict] = {}  # Who switched a workflow last.
        self._records = deque([(0.0, world.record)], maxlen=RECORDS_MAX)
        # (epoch, workflow): would not stop; in which stage it was last tried.
        self._missed: dict[tuple[int, str], str] = {}
        # (epoch, stage): how many in a row had no answer there, up to the last one told to stop.
        self._silent: dict[tuple[int, str], int] = {}
        # When a location could not stop its own, nor see what runs there.
        self._vain: dict[tuple[str, str], list[float]] = {}
        self._unseen: dict[tuple[str, str], list[float]] = {}
        self.sent: dict[tuple[str, str], float] = {}  # When a workflow's last switch was sent,
        self.at: dict[tuple[str, str], float] = {}  # and when it landed.
        self.strays: set[tuple[str, str]] = set()  # Enabled by what was sent in time, and late.
        self._claimed_at = 0.0

    def wrote(self, before: dict, after: dict) -> None:
        """The witness's record was changed."""
        self._records.append((self.world.now, after))
        if after["epoch"] != before["epoch"]:
            self._claimed_at = self.world.now

    def missed(self, here: str, task: dict) -> None:
        """The app of `here`, or its fence, told a location to stop this, and no answer came."""
        name = task["component"]["name"]
        self._missed[task["epoch"], name] = task["stage"]
        at = task["epoch"], task["stage"]
        self._silent[at] = self._silent.get(at, 0) + 1
        if kept(task) and here == task["location"]:
            self._vain.setdefault((task["location"], name), []).append(self.world.now)

    def fenced(self, rows: list[dict]) -> None:
        """A fence is over; what it did not try, others in its chunk have missed."""
        for one in rows:
            if one["verb"] == "demote" and one["outcome"] == "refused" and not one["attempts"]:
                self._missed.setdefault((one["epoch"], one["component"]), one["stage"])

    def missed_in(self, epoch: int, name: str) -> str | None:
        """In which stage this was last tried in vain. That a region is silent, a chunk of the
        second fence says for those behind it, if nothing in it was answered."""
        stage = self._missed.get((epoch, name))
        chunk = self.world.weather.sizes.get("chunk", CHUNK)
        behind = self._silent.get((epoch, "activate"), 0) >= chunk
        return "activate" if stage == "fence" and behind else stage

    def heard(self, task: dict) -> None:
        """A location has answered that this is stopped."""
        self._silent[task["epoch"], task["stage"]] = 0

    def unseen(self, here: str, task: dict) -> None:
        """A location looked at what is its own before it would stop it, and no answer came."""
        if kept(task) and here == task["location"]:
            spot = task["location"], task["component"]["name"]
            self._unseen.setdefault(spot, []).append(self.world.now)

    def switched(self, task: dict, on: bool, sent: float) -> Breach | None:
        """A workflow was enabled or disabled by a request that was sent at `sent`."""
        name, here, record = task["component"]["name"], task["location"], self.world.record
        self.last[here, name] = task
        self.sent[here, name], self.at[here, name] = sent, self.world.now
        self.strays.discard((here, name))
        if self.stale(task, record):
            old = self.stale_since(task, sent)
            if on and not old:
                self.strays.add((here, name))
            return (
                Breach("stale-effect", "was sent when its epoch or run was over") if old else None
            )
        if on != (record["active"] == here) and not (kept(task) or taken_back(record)):
            return Breach("wrong-side", f"by a task of epoch {task['epoch']}")
        run = record["run"]
        early = run and run["to"] == here and PHASES.index(run["phase"]) < ACTIVATE
        if on and early and not run["cancel"]:
            return Breach("before-its-stage", f"is enabled in phase {run['phase']}")
        other = self.world.plan.other(here)
        if on and name in self.world.judge.exclusive and self.world.enabled[other, name]:
            return self._both(task, other) if self.world.alive(other) else None
        return None

    def _both(self, task: dict, other: str) -> Breach | None:
        """An exclusive workflow is enabled in a second place, in a region that lives.

        That is nobody's fault only where the fence was tried just now and could not reach it, and
        where its own app cannot have stepped back yet; or where what enabled it there was under way
        when the fence went by.
        """
        world, name = self.world, task["component"]["name"]
        spot = other, name
        if spot in self.strays and world.now - self.at[spot] <= bound(world, spot):
            return None
        missed = self.missed_in(task["epoch"], name)
        if missed is None:
            return Breach("two-at-once", "and the other side was never fenced")
        if missed == "fence":
            return Breach("both-live", "the fence missed it, and nobody tried again")
        if not could_stop(world, other):
            return None
        since = max(world.apps[other].booted, world.mended.get((other, f"arm.{other}"), 0.0))
        if self._by_person():  # Who overrides a lease that lives is shown what it is.
            since = max(since, self._claimed_at)
        lease = world.plan.witness.lease_seconds
        if world.now - since <= STEP_BACK_LEASES * lease:
            return None
        tries = self._tries(spot)
        if sum(at >= since for at in tries) >= STEP_BACK_TRIES and world.now - tries[-1] <= lease:
            return None
        return Breach(
            "stepped-back-late", f"its app could have stopped it for {world.now - since:.0f} s"
        )

    def enabled_by(self, run: dict) -> list[str]:
        """What this run has enabled where it went, and what is on there still."""
        found = []
        for (place, name), task in self.last.items():
            mine = place == run["to"] and task["run"] == run["id"] and task["verb"] == "promote"
            if mine and self.world.enabled[place, name] and (place, name) not in self.strays:
                found.append(name)
        return found

    def _tries(self, spot: tuple[str, str]) -> list[float]:
        """When requests of a place to stop its own, or to see it, had no answer, or have none."""
        place, name = spot
        waits = any(
            not one.done and one.name == "component" and asks(one.told["task"], name)
            for one in self.world.apps[place].hub.values()
        )
        now = [self.world.now] if waits else []
        spots = self._beside(spot)
        vain = [
            at for known in (self._vain, self._unseen) for one in spots for at in known.get(one, [])
        ]
        return sorted([*vain, *now])

    def _beside(self, spot: tuple[str, str]) -> list[tuple[str, str]]:
        """What waits for one another when a location stops what is its own: chunk after chunk all
        of it, else each for itself."""
        place, name = spot
        names = self.world.judge.exclusive if self._chunks() else [name]
        return [(place, one) for one in names]

    def _chunks(self) -> bool:
        """Is more to be stopped than is done at once?"""
        return bool(self.world.weather.sizes) or len(self.world.judge.exclusive) > CHUNK

    def vain_since(self, spot: tuple[str, str], since: float) -> int:
        """How often a location has tried in vain to stop its own since then."""
        return sum(at >= since for at in self._vain.get(spot, []))

    def _by_person(self) -> bool:
        run = self.world.record["run"]
        given = run and run["approval"] and run["approval"]["state"] == "given"
        return bool(run and (run["by"] == "person" or given))

    def stale(self, task: dict, record: dict) -> bool:
        """Is this the work of an epoch, or of a run, that is over?"""
        run = record["run"]
        if kept(task):
            here = record["active"] == task["location"]
            if task["verb"] == "promote":
                drains = run and run["phase"] == "quiesce" and self.world.judge.in_progress(record)
                return bool(not here or task["epoch"] != record["epoch"] or drains)
            return task["epoch"] is not None and here
        if not run or run["id"] != task["run"]:
            return True
        onward = (task["verb"], task["location"]) in (
            ("promote", run["to"]),
            ("demote", run["from"]),
        )
        if run["cancel"] and onward and task["stage"] != "undo":
            return True
        return task["epoch"] not in (record["epoch"], None)

    def stale_since(self, task: dict, sent: float) -> bool:
        """Was it stale for longer than the record may be old, when it was sent?"""
        window = sent - guard.AGE_SECONDS_MAX - LATENCY_SECONDS
        past = list(self._records)
        ends = [at for at, _ in past[1:]] + [self.world.now]
        return all(
            self.stale(task, record)
            for (_, record), end in zip(past, ends, strict=True)
            if end >= window
        )


def asks(task: dict, name: str) -> bool:
    """Is this a task of a keeper that stops, or looks at, this workflow?"""
    return kept(task) and task["verb"] != "promote" and task["component"]["name"] == name


def kept(task: dict) -> bool:
    """Is this a task of a heartbeat or a caretaker, rather than of a run?"""
    run = task["run"]
    return KEEPERS[0] in run or KEEPERS[1] in run


def taken_back(record: dict) -> bool:
    """Does the run drain the side that is active still, or is it being undone?"""
    run = record["run"]
    return bool(run and (run["phase"] in ("requested", "quiesce") or run["cancel"]))
