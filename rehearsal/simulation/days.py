"""Days: how often a watchdog would act on nothing, and how soon it acts on a real loss.

Only verdict and permit run, round by round. A round in which fewer than two kinds of observers
fail can only end a suspicion, so that whole days of them are skipped.
"""

import math
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from shared import permit, slip, verdict, witness
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
    """`judged`: rounds not skipped; `permitted`: moves allowed though nothing was lost; `claimed`:
    those of them that the witness let happen."""

    days: int
    judged: int
    permitted: int
    claimed: int


class Losses(NamedTuple):
    """`bound_seconds`: rounds x interval + one timeout; `tail_seconds`: 99 % were seen by then."""

    seeds: int
    within: float
    bound_seconds: float
    tail_seconds: float


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
        self.forget(START)

    def forget(self, now: datetime) -> None:
        """Nothing was suspected until now; the lease was read in the last round, or before it."""
        self.verdict: dict | None = None
        age = self.watch["everySeconds"] * gap(self.random, 1 - self.missed)
        first = fresh(self.document, START)
        self.known = {**first, "leaseUntil": self.lease(now - timedelta(seconds=age))}

    def lease(self, now: datetime) -> str:
        """Until when the lease lives that a read at `now` finds, while its holder renews it."""
        age = self.random.uniform(0, HEARTBEAT_SECONDS)
        return stamp(now + timedelta(seconds=self.lease_seconds - age))

    def round(self, now: datetime, failing: set[str], until: str | None = None) -> bool:
        """One round in which these kinds fail; may a move begin? `until`: a lease not renewed."""
        misses = {kind for kind in KINDS if self.random.random() < self.missed}
        if "lease" not in misses:
            self.known = {**self.known, "leaseUntil": until or self.lease(now)}
        if not witness.lease_live(self.known, now):
            failing = failing | {"lease"}
        seen = [observation(kind, failing, misses) for kind in KINDS]
        self.verdict = verdict.judge(seen, CONTROLS, self.verdict, self.watch, now)
        here = self.here
        return permit.allow(self.verdict, self.known, self.document, here, now)["allowed"]

    def claims(self, now: datetime) -> bool:
        """Would the witness, which knows the lease better, let the permitted run claim?"""
        paper = slip.first(
            run=f"{self.document['name']}-1",
            plan=self.document["name"],
            digest="0" * 64,
            mode="forced",
            source=self.document["home"],
            target=self.here,
            reason="a false alarm",
            by=f"{witness.WATCHDOG} in {self.here}",
            now=now,
            facts={},
        )
        record = witness.reserve({**self.known, "leaseUntil": self.lease(now)}, paper, now)
        return not witness.refusal(witness.claim(record, paper, now))


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
    judged = permitted = claimed = 0
    for day in range(days):
        start = START + timedelta(days=day)
        for first, rounds in stretches(watcher, every):
            watcher.forget(start + timedelta(seconds=first * every))
            for number, failing in enumerate(rounds):
                now = start + timedelta(seconds=(first + number) * every)
                judged += 1
                if watcher.round(now, failing):
                    permitted += 1
                    claimed += watcher.claims(now)
    return Days(days, judged, permitted, claimed)


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
    took = sorted(detected(plan, seed, every, timeout) for seed in range(seeds))
    within = sum(seconds <= bound for seconds in took) / seeds
    return Losses(seeds, within, bound, took[int(TAIL * seeds)])


def detected(plan: Plan, seed: int, every: int, timeout: float) -> float:
    """Seconds from the loss to the permission; infinite when it never came."""
    watcher = Watcher(plan, seed)
    watcher.forget(START)
    until = watcher.lease(START)
    phase = watcher.random.uniform(0, every)
    for number in range(ROUNDS_MAX):
        asked = phase + number * every
        failing = failing_after(asked)
        # A round with a silent location ends with its timeout.
        now = START + timedelta(seconds=asked + timeout)
        if watcher.round(now, failing, until):
            return asked + timeout
    return math.inf
