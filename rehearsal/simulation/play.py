"""Play: many seeds, in one process or several, summed up in the order of the seeds.

What comes of a seed depends on nothing but the seed and the plan, so that the sum is the same
however many processes share the work. Time is processor time, added up over all of them.
"""

import gc
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context

from rehearsal.simulation import story
from shared.plan import Plan

SEEDS_PER_BATCH = 100  # Between two sweeps of the collector; worlds let go of nearly all.
EXAMPLES_MAX = 10


@dataclass
class Sum:
    """What came of some seeds. `failed`: (seed, the property that it violated first)."""

    seeds: int = 0
    claims: int = 0
    losses: int = 0
    seen: int = 0
    virtual_seconds: float = 0.0
    processor_seconds: float = 0.0
    failed: list[tuple[int, str]] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[int]] = field(default_factory=dict)

    def add(self, other: "Sum") -> None:
        self.seeds += other.seeds
        self.claims += other.claims
        self.losses += other.losses
        self.seen += other.seen
        self.virtual_seconds += other.virtual_seconds
        self.processor_seconds += other.processor_seconds
        self.failed += other.failed
        self.notes += other.notes
        for name, seeds in other.examples.items():
            known = self.examples.setdefault(name, [])
            known += seeds[: EXAMPLES_MAX - len(known)]

    def rate(self, count: float) -> float:
        """So many a second on one core."""
        return count / max(self.processor_seconds, 1e-9)


def play(
    plan: Plan,
    start: int,
    seeds: int,
    workers: int = 1,
    seconds: float | None = None,
    per_batch: int = SEEDS_PER_BATCH,
) -> Sum:
    """Play the seeds from `start`; with `seconds` no batch begins after so long."""
    began, total = time.monotonic(), Sum()
    firsts = range(start, start + seeds, per_batch)
    batches = [(first, min(per_batch, start + seeds - first)) for first in firsts]
    try:
        with spread(plan, batches, workers) as sums:
            for one in sums:
                total.add(one)
                if seconds is not None and time.monotonic() - began > seconds:
                    break
    finally:
        gc.unfreeze()
    return total


@contextmanager
def spread(plan: Plan, batches: list[tuple[int, int]], workers: int) -> Iterator[Iterator[Sum]]:
    """The sums of the batches, in their order."""
    work = partial(batch, plan)
    if workers == 1:
        yield map(work, batches)
        return
    with get_context("spawn").Pool(workers) as pool:
        yield pool.imap(work, batches)


def batch(plan: Plan, which: tuple[int, int]) -> Sum:
    """Play (first seed, how many), with the collector at rest meanwhile.

    What is there stays frozen until all are played: each sweep looks at the last batch's rest only.
    """
    first, count = which
    total = Sum()
    gc.collect()
    gc.freeze()
    gc.disable()
    began = time.process_time()
    try:
        for seed in range(first, first + count):
            note(total, story.tell(seed, plan, telling=False))
    finally:
        gc.enable()
    total.processor_seconds = time.process_time() - began
    return total


def note(total: Sum, told: story.Told) -> None:
    total.seeds += 1
    total.claims += told.claims
    total.losses += told.losses
    total.seen += told.seen
    total.virtual_seconds += told.seconds
    total.notes += told.notes
    for name in told.notes:
        total.examples.setdefault(name, []).append(told.seed)
    if told.violations:
        total.failed.append((told.seed, told.violations[0][0]))
