"""Command: `python -m rehearsal simulate`, what it plays and what it prints.

Exit codes: 0 every property held, 1 one did not (or a mutant was not found, or time was up before
all seeds were played), 2 could not run.
"""

import argparse
import gc
import json
import math
from collections.abc import Callable
from pathlib import Path

from rehearsal.simulation import days, story
from rehearsal.simulation.activities import SIMULATED
from rehearsal.simulation.hunt import SEEDS_MAX, hunt
from rehearsal.simulation.missing import NOT_YET
from rehearsal.simulation.mutants import MUTANTS
from rehearsal.simulation.play import Sum, play
from rehearsal.simulation.weather import TROUBLES
from shared.plan import Plan, load

PLAN = Path(__file__).with_name("plan.yaml")
SHOWN_MAX = 3
EXAMPLES_MAX = 3
FAILED_MAX = 20


def add(commands: "argparse._SubParsersAction") -> None:
    """Add `simulate` to the rehearsal's commands."""
    given = commands.add_parser("simulate", help="play seeds in virtual time, check properties")
    given.add_argument("--seeds", type=at_least(1), default=10_000, help="how many")
    given.add_argument("--start", type=int, default=1, help="the first seed")
    given.add_argument("--plan", type=Path, default=PLAN, help="a plan's YAML file")
    given.add_argument("--mutants", action="store_true", help="plant bugs and find each")
    given.add_argument("--days", type=at_least(1), help="count false alarms in so many days")
    given.add_argument("--workers", type=at_least(1), default=1, help="processes that share them")
    given.add_argument("--minutes", type=positive, help="begin nothing more after so long")
    given.add_argument("--figures", action="store_true", help="print the figures as JSON, last")
    given.add_argument("--show", metavar="PROPERTY", help="tell the first seed that breaks this")


def at_least(least: int) -> Callable[[str], int]:
    """What reads a whole number that is not smaller."""

    def read(text: str) -> int:
        number = int(text)
        if number < least:
            raise argparse.ArgumentTypeError(f"{number} is less than {least}")
        return number

    read.__name__ = "whole number"  # So argparse names what it cannot read.
    return read


def positive(text: str) -> float:
    number = float(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not more than nothing")
    return number


def run(given: argparse.Namespace) -> int:
    """Carry out the command; gives its exit code. BadPlan, ValueError and OSError, where it cannot
    run, are the caller's."""
    plan = load(given.plan.read_text(encoding="utf-8"))
    if given.days:
        return watch_days(plan, given.days, given.start)
    strange = sorted({part.kind for part in plan.components} - SIMULATED)
    if strange:
        known = ", ".join(sorted(SIMULATED))
        words = f"no seed plays {', '.join(strange)}, only {known}; drills play every kind"
        raise ValueError(f"{given.plan}: {words}")
    if given.mutants:
        return hunt_all(plan, given.start, given.seeds)
    if given.show:
        return show(plan, given.show, given.start, given.seeds)
    return play_all(plan, given)


def play_all(plan: Plan, given: argparse.Namespace) -> int:
    """Play the seeds; print the story of the first few that fail, and the figures."""
    minutes = given.minutes * 60 if given.minutes else None
    total = play(plan, given.start, given.seeds, given.workers, minutes)
    failed = total.failed
    shown = [given.start] if given.seeds == 1 else [seed for seed, _ in failed[:SHOWN_MAX]]
    for seed in shown:
        print_story(story.tell(seed, plan))
    print(
        f"{total.seeds} seeds from {given.start}: {len(failed)} violate a property, "
        f"{total.claims} failovers; {total.rate(total.seeds):.0f} seeds/s and "
        f"{total.rate(total.claims):.0f} failovers/s of processor time on one core, "
        f"{total.rate(total.virtual_seconds):.0f} times faster than life"
    )
    if total.losses:
        share = total.seen / total.losses
        print(
            f"{total.losses} losses before a watchdog that saw, with up to {max(TROUBLES):.0%} of "
            f"all requests in trouble: {share:.2%} were told in time"
        )
    for name, count in sorted(total.notes.items()):
        seen = ", ".join(str(seed) for seed in total.examples[name][:EXAMPLES_MAX])
        print(f"  not yet: {name} x {count} (seeds {seen}): {NOT_YET[name]}")
    for seed, broken in failed[:FAILED_MAX]:
        print(f"  {broken}: python -m rehearsal simulate --start {seed} --seeds 1")
    missing = given.seeds - total.seeds
    if missing:
        print(
            f"{given.minutes:g} minutes were up: {missing} of {given.seeds} seeds were not played, "
            f"from {given.start + total.seeds} on"
        )
    if given.figures:
        print(json.dumps(figures(total)))
    return 1 if failed or missing else 0


def figures(total: Sum) -> dict:
    """What `make bench` compares with its promises."""
    return {"failoversPerSecond": total.rate(total.claims), "violations": len(total.failed)}


def print_story(told: story.Told) -> None:
    print(f"seed {told.seed}")
    print("\n".join(told.lines))
    for name, text in told.violations:
        print(f"VIOLATION of {name}: {text}")


def show(plan: Plan, name: str, start: int, seeds: int) -> int:
    """Tell the story of the first seed in which this property, or NOT_YET row, is broken."""
    for seed in range(start, start + seeds):
        told = story.tell(seed, plan, telling=False)
        if told.notes[name] or any(broken == name for broken, _ in told.violations):
            print_story(story.tell(seed, plan))
            return 1
    print(f"no seed of {seeds} from {start} breaks {name}")
    return 0


def hunt_all(plan: Plan, start: int, seeds: int) -> int:
    """Plant every mutant in turn; print which seed found it and by which property."""
    most = min(seeds, SEEDS_MAX)
    missed = 0
    print(f"{'mutant':30} {'seed':>6}  {'property':18} what was seen")
    for name in MUTANTS:
        found = hunt(name, plan, start, most)
        missed += found.seed is None
        print(f"{name:30} {found.seed or '-':>6}  {found.property:18} {found.text[:90]}")
        gc.collect()
    print(f"{len(MUTANTS) - missed} of {len(MUTANTS)} mutants were found")
    return 1 if missed else 0


def watch_days(plan: Plan, count: int, seed: int) -> int:
    """Count permissions on days without a loss, and how soon real losses are seen."""
    quiet = days.false_alarms(plan, count, seed)
    lost = days.losses(plan, count)
    print(
        f"{quiet.days} days with 1 % lost probes, 5 % slow ones and a brownout a day: "
        f"{quiet.permitted} false failovers; in {quiet.doubted} of {quiet.judged} rounds judged it "
        "was taken for lost"
    )
    print(
        f"{lost.seeds} losses: {lost.seen:.2%} seen within {lost.bound_seconds:g} s, "
        f"in {lost.moved:.2%} a move could begin by then"
    )
    return 1 if quiet.permitted or lost.seen < days.TAIL else 0
