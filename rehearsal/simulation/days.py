"""Days: how often a watchdog would act on nothing, and how soon it acts on a real loss.

Only verdict and permit run, round by round. A round in which fewer than two kinds of observers
fail can only end a suspicion, so that whole days of them are skipped.
"""

import math
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from shared import permit, verdict, witness
from shared.plan import Plan
from shared.record import fresh, stamp

LOST, SLOW = 0.01, 0.05  # Shares of probes that get no answer, and that take long.
SLOW_SECONDS = (1.0, 6.0)
BROWNOUT_SECONDS = 60.0
HEARTBEAT_SECONDS = 5.0
START = datetime.fromisoformat("2026-01-05T08:00:00+00:00")
KINDS = ("health", "gateway", "trafficManager", "lease")
MONITOR_SECONDS = 25.0  # So late does Traffic Manager see what the direct probes see.
ROUNDS_MAX = 60
TAIL = 0.99
CONTROLS = [{"name": "internet", "ok": True, "because": "answered"}]


class Days(NamedTuple):
    """`judged`: rounds not skipped; `doubted`: in which the verdict was `lost` though nothing was;
    `permitted`: in which a move could have begun: each of them is a false failover."""

    days: int
    judged: int
    doubted: int
    permitted: int


class Losses(NamedTuple):
    """`bound_seconds`: rounds x interval + one timeout; `seen`, `moved`: shares of the losses of
    which the verdict was `lost`, and a move could begin, by then."""

    seeds: int
    seen: float
    moved: float
    bound_seconds: float


class Watcher:
    """What a watchdog in the standby remembers from round to round, and what it looks at."""

    def __init__(self, plan: Plan, seed: int) -> None:
        self.random = Random(seed)
        self.document, self.watch = plan.document, plan.document["watch"]
        self.lease_seconds = plan.witness.lease_seconds
        self.here = plan.other(plan.home)
        slow = (SLOW_SECONDS[1] - self.watch["timeoutSeconds"]) / (
            SLOW_SECONDS[1] - SLOW_SECONDS[0]
        )
        self.missed = LOST + SLOW * max(0.0, min(1.0, slow))  # Share without an answer in time.
        self.first = fresh(self.document, START)
        self.forget()

    def forget(self) -> None:
        """Nothing was suspected until now."""
        self.verdict: dict | None = None

    def lease(self, now: datetime) -> str:
        """Until when the lease lives that a read at `now` finds, while its holder renews it."""
        age = self.random.uniform(0, HEARTBEAT_SECONDS)
        return stamp(now + timedelta(seconds=self.lease_seconds - age))

    def round(
        self, now: datetime, failing: set[str], until: str | None = None
    ) -> tuple[bool, bool]:
        """One round in which these kinds fail: (is it taken for lost, may a move begin)?

        `until`: a lease not renewed. A record that was not read in the round counts as none, as in
        the watchdog, which reads once more when it takes the location for lost.
        """
        misses = {kind for kind in KINDS if self.random.random() < self.missed}
        record = {**self.first, "leaseUntil": until or self.lease(now)}
        if "lease" not in misses and not witness.lease_live(record, now):
            failing = failing | {"lease"}
        seen = [observation(kind, failing, misses) for kind in KINDS]
        self.verdict = verdict.judge(seen, CONTROLS, self.verdict, self.watch, now)
        if self.verdict["state"] != "lost":
            return False, False
        read = "lease" not in misses or self.random.random() >= self.missed
        held, here = record if read else None, self.here
        return True, permit.allow(self.verdict, held, self.document, here, now)["allowed"]


def observation(kind: str, failing: set[str], misses: set[str]) -> dict:
    """A direct probe without an answer fails; of the others its absence says nothing."""
    silent = kind in misses and kind not in verdict.DIRECT
    ok = None if silent else kind not in failing | misses
    return {"kind": kind, "ok": ok, "because": ""}


def gap(random: Random, share: float) -> int:
    """How many rounds on the next one is for which something holds that holds for `share`."""
    return 1 + int(math.log(1 - random.random()) / math.log(1 - share))


def false_alarms(plan: Plan, days: int, seed: int) -> Days:
    """Watch a location that lives and renews its lease, with a brownout a day."""
    watcher, every = Watcher(plan, seed), plan.watch.every_seconds
    judged = doubted = permitted = 0
    for day in range(days):
        start = START + timedelta(days=day)
        for first, rounds in stretches(watcher, every):
            watcher.forget()
            for number, failing in enumerate(rounds):
                now = start + timedelta(seconds=(first + number) * every)
                judged += 1
                lost, allowed = watcher.round(now, failing)
                doubted += lost
                permitted += allowed
    return Days(days, judged, doubted, permitted)


def stretches(watcher: Watcher, every: int) -> list[tuple[int, list[set[str]]]]:
    """A day's stretches of rounds in which both direct kinds fail: (first round, who fails)."""
    random, rounds_of_day = watcher.random, 86_400 // every
    found: list[tuple[int, list[set[str]]]] = []
    at = gap(random, watcher.missed**2)
    while at < rounds_of_day:
        if found and at == found[-1][0] + len(found[-1][1]):
            found[-1][1].append(set(verdict.DIRECT))
        else:
            found.append((at, [set(verdict.DIRECT)]))
        at += gap(random, watcher.missed**2)
    rounds = math.ceil(BROWNOUT_SECONDS / every)
    return [*found, (random.randrange(rounds_of_day - rounds), brownout(rounds, every))]


def brownout(rounds: int, every: int) -> list[set[str]]:
    """Nobody is served for a minute, though the app lives and renews its lease."""
    return [failing_after(number * every) for number in range(rounds)]


def failing_after(seconds: float) -> set[str]:
    """Which kinds fail so long after the data plane fell silent."""
    late = ["trafficManager"] if seconds > MONITOR_SECONDS else []
    return {*verdict.DIRECT, *late}


def losses(plan: Plan, seeds: int) -> Losses:
    """Lose the active location at any moment of a round; when may the standby begin to move?"""
    every, timeout = plan.watch.every_seconds, plan.watch.timeout_seconds
    bound = plan.watch.rounds * every + timeout
    took = [detected(plan, seed, every, timeout) for seed in range(seeds)]
    seen, moved = (sum(one[n] <= bound for one in took) / seeds for n in (0, 1))
    return Losses(seeds, seen, moved, bound)


def detected(plan: Plan, seed: int, every: int, timeout: float) -> tuple[float, float]:
    """Seconds from the loss to the verdict and to the permission; infinite when it never came."""
    watcher, seen = Watcher(plan, seed), math.inf
    until = watcher.lease(START)
    phase = watcher.random.uniform(0, every)
    for number in range(ROUNDS_MAX):
        asked = phase + number * every
        failing = failing_after(asked)
        # A round with a silent location ends with its timeout.
        now = START + timedelta(seconds=asked + timeout)
        lost, allowed = watcher.round(now, failing, until)
        seen = min(seen, asked + timeout) if lost else seen
        if allowed:
            return seen, asked + timeout
    return seen, math.inf
