"""Forecast of one order: what this failover would take, by how long its steps took before.

Pure: takes the timelines of runs, the plan and what a dry run found. What nobody has measured yet
goes in with a default, and is named as such: a forecast of guesses must not look like one of facts.
"""

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from shared import pace
from shared.outcome import BUSY_PAUSE_SECONDS, BUSY_ROUNDS_MAX
from shared.plan import Plan
from shared.slip import ROUTES

CHUNK = 25  # As the run sends them; tests/test_forecast.py holds both to the same.
MOST = 0.9  # A chunk ends with its slowest: the duration that so many of the steps did not exceed.
HOP_SECONDS = 1.0  # From the end of a stage to the first step of the next: slip, queue, start.
# (verb, outcome) -> seconds for one component: looks and changes at 0.1 s for each call of ARM's,
# and the whole patience with a region that does not answer.
STEP_SECONDS = {"change": 0.5, "look": 0.2, "silence": 5.0}
WAITED_FOR = ("fence", "quiesce")  # What comes before the claim or beside it is not paced.
SERVED = "redirect"  # Callers are served from its end on; what follows is proof.
AWAKE = "verify"  # Whoever waits for a child plan waits until this has ended.
# Kinds that carry data of their own to the other location; of the others there is nothing to lose.
HOLDS_DATA = ("storageAccount", "sqlFailoverGroup", "cosmosDb", "serviceBusAlias", "eventHubsAlias")
UNKNOWN = "the age of its copy is not known"
NOBODY = "nobody knows of "


@dataclass(frozen=True)
class Steps:
    """How long steps took: (kind, verb, sort) -> seconds; hops between stages; of which run."""

    seconds: dict[tuple[str, str, str], float] = field(default_factory=dict)
    hop: float | None = None
    run: str | None = None
    count: int = 0


def measured(run: str, stages: dict[str, dict], plan: Plan) -> Steps:
    """What the timeline of a run tells. `stages`: stage -> output of its instance, with rows."""
    found: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for output in stages.values():
        for row in output.get("rows", []):
            if row["component"] in plan.parts and row.get("attempts"):
                kind = plan.part(row["component"]).kind
                found[kind, row["verb"], sort_of(row)].append(
                    between(row["startedAt"], row["endedAt"])
                )
    known = [
        stages[name] for name in (*ROUTES["graceful"][:1], *ROUTES["forced"]) if name in stages
    ]
    known = [one for one in known if one.get("startedAt") and one.get("endedAt")]
    hops = [
        max(0.0, between(first["endedAt"], then["startedAt"]))
        for first, then in zip(known, known[1:], strict=False)
    ]
    return Steps(
        {key: most(took) for key, took in found.items()},
        most(hops) if hops else None,
        run if found else None,
        sum(map(len, found.values())),
    )


def sort_of(row: dict) -> str:
    """change, look (it was so already) or silence (refused)."""
    return {"succeeded": "change", "skipped": "look"}.get(row["outcome"], "silence")


def between(first: str, then: str) -> float:
    return (datetime.fromisoformat(then) - datetime.fromisoformat(first)).total_seconds()


def most(took: list[float]) -> float:
    """What MOST of them did not exceed."""
    return sorted(took)[math.ceil(MOST * len(took)) - 1]


def forecast(plan: Plan, mode: str, acts: list[dict], steps: Steps) -> dict:
    """{"rtoSeconds", "meetsRto", "parts", "measured", "assumed"} of the acts of a dry run.

    `acts`: its differences, in their order. `parts`: seconds by name, detection and DNS included;
    `assumed` names each duration that stands on a default.
    """
    assumed: set[str] = set()
    parts = waiting(plan, mode) | staged(plan, mode, acts, steps, SERVED, assumed)
    parts["DNS"] = float(plan.ttl_seconds())
    total = round(sum(parts.values()), 1)
    return {
        "rtoSeconds": total,
        "meetsRto": total <= plan.objectives.rto_seconds,
        "parts": parts,
        "measured": {"run": steps.run, "steps": steps.count},
        "assumed": sorted(assumed),
    }


def staged(
    plan: Plan, mode: str, acts: list[dict], steps: Steps, last: str, assumed: set[str]
) -> dict[str, float]:
    """Stage -> seconds, until the `last` one; what stands on a default is put into `assumed`."""
    hop, parts, sent = HOP_SECONDS if steps.hop is None else steps.hop, {}, 0
    if steps.hop is None:
        assumed.add(f"hop between stages {HOP_SECONDS:g} s")
    took = taking(steps, assumed)
    for stage in ROUTES[mode]:
        mine = [act for act in acts if act["stage"] == stage]
        waves = verbs_of(mine) if stage in WAITED_FOR else waves_of(mine, plan, stage)
        seconds, sent = stage_seconds(waves, sent if stage not in WAITED_FOR else 0, took)
        parts[stage] = round(hop + seconds, 1)
        if stage == last:
            break
    return parts


def of_child(plan: Plan, mode: str, acts: list[dict], steps: Steps, lost: dict) -> dict:
    """What a child plan adds to its parent's act, which orders its run and waits for that.

    `child`: {"plan", "seconds", "measured", "assumed"} from its order until it serves: whoever is
    ordered waits for no detection, no lease and no DNS. `lost`: as `losing` gives it of the child.
    """
    assumed: set[str] = set()
    seconds = round(sum(staged(plan, mode, acts, steps, AWAKE, assumed).values()), 1)
    measured = {"run": steps.run, "steps": steps.count}
    own = {"plan": plan.name, "seconds": seconds, "measured": measured, "assumed": sorted(assumed)}
    words = lost["rpoBecause"].removeprefix(NOBODY)
    because = f"in {plan.name}, {words}"
    return {"child": own, "rpoSeconds": lost["rpoSeconds"], "rpoBecause": because}


def unknown_child(name: str, because: str) -> dict:
    """The same of a child that would not move, or of which nobody can say."""
    own = {"plan": name, "seconds": None, "because": because}
    return {"child": own, "rpoSeconds": None, "rpoBecause": because}


def waiting(plan: Plan, mode: str) -> dict[str, float]:
    """Before the run begins: what a disaster takes to be seen. Nobody waits in a planned move."""
    if mode == "graceful":
        return {}
    seen = float(plan.watch.rounds * plan.watch.every_seconds)
    return {"detection": seen, "lease": max(0.0, plan.witness.lease_seconds - seen)}


def verbs_of(acts: list[dict]) -> list[list[dict]]:
    """The acts of a stage, verb after verb: memory is carried over from what stands still."""
    return [list(rows) for _, rows in groupby(acts, key=lambda act: act["verb"])]


def waves_of(acts: list[dict], plan: Plan, stage: str) -> list[list[dict]]:
    """The acts of a stage, wave after wave: one begins when the one before has ended."""
    by_name = {act["component"]: act for act in acts}
    waves = plan.waves(stage, acts[0]["location"]) if acts else []
    return [[by_name[name] for name in wave if name in by_name] for wave in waves]


def taking(steps: Steps, assumed: set[str]) -> Callable[[dict], float]:
    """What one act takes; notes what stands on a default."""

    def took(act: dict) -> float:
        if "child" in act and act["child"]["seconds"] is not None:
            assumed.update(act["child"]["assumed"])
            return waited(act, assumed)
        if "child" in act:
            assumed.add(f"{act['component']} waits for nothing: {act['child']['because']}")
        sort = "look" if not act["calls"] else "silence" if act["silent"] else "change"
        known = steps.seconds.get((act["kind"], act["verb"], sort))
        if known is not None:
            return known
        assumed.add(f"{act['verb']} of {act['kind']} ({sort}) {STEP_SECONDS[sort]:g} s")
        return STEP_SECONDS[sort]

    return took


def waited(act: dict, assumed: set[str]) -> float:
    """How long a run waits for a child: looks with pauses, and goes on without it in the end."""
    seconds, most = act["child"]["seconds"], BUSY_PAUSE_SECONDS * BUSY_ROUNDS_MAX
    if seconds > most:
        assumed.add(f"{act['component']} serves after {seconds:g} s, waited for {most:g} s")
    return min(math.ceil(seconds / BUSY_PAUSE_SECONDS) * BUSY_PAUSE_SECONDS, most)


def stage_seconds(
    waves: list[list[dict]], sent: int, took: Callable[[dict], float]
) -> tuple[float, int]:
    """Seconds of the waves one after another, and how many acts ARM's bucket has paid for then.

    As the run does it: a chunk side by side, never before the bucket has paid for all of it. A
    region that answers nobody is given up after its first chunk.
    """
    begun, now = pace.bound_seconds(sent), pace.bound_seconds(sent)
    for wave in waves:
        for first in range(0, len(wave), CHUNK):
            chunk = wave[first : first + CHUNK]
            if first and all(act["silent"] for act in wave[:first]):
                break
            sent += len(chunk)
            now = max(now, pace.bound_seconds(sent)) + max(map(took, chunk))
    return now - begun, sent


def behind(kind: str, seen: dict) -> dict:
    """What one act would lose: {"rpoSeconds", "rpoBecause"} of its observer's outcome `seen`.

    Both may be absent: nothing is copied. None is unknown, as is what could not be looked at of a
    kind that holds data.
    """
    if kind in HOLDS_DATA and seen["status"] != "succeeded":
        return {"rpoSeconds": None, "rpoBecause": seen["because"]}
    return {key: seen[key] for key in ("rpoSeconds", "rpoBecause") if key in seen}


def losing(plan: Plan, backups: dict[str, float | None], acts: list[dict]) -> dict:
    """{"rpoSeconds", "meetsRpo", "rpoBecause"}: the oldest state that would be gone on with.

    `backups`: gateway -> age of its newest proven backup in seconds, None where there is none; and
    what observers say of their own replicas (`behind` of an act). One that nobody knows makes the
    whole unknown.
    """
    ages = {f"the backup of {name}": age for name, age in backups.items()}
    why = dict.fromkeys(ages, "nothing is proven")
    for act in acts:
        if "rpoSeconds" in act:
            ages[act["component"]] = act["rpoSeconds"]
            why[act["component"]] = act.get("rpoBecause", "")
    unknown = [f"{name}: {why[name] or UNKNOWN}" for name, age in ages.items() if age is None]
    if unknown:
        because = f"{NOBODY}{'; '.join(unknown)}"
        return {"rpoSeconds": None, "meetsRpo": False, "rpoBecause": because}
    if not ages:
        because = "nothing in the plan is copied: what is in flight is the ledger's to say"
        return {"rpoSeconds": 0.0, "meetsRpo": True, "rpoBecause": because}
    name, age = max(ages.items(), key=lambda one: one[1] or 0.0)
    worst = round(age or 0.0, 1)
    meets = worst <= plan.objectives.rpo_seconds
    because = f"{name}: {why[name]}" if why[name] else f"{name} is {worst:g} s old"
    return {"rpoSeconds": worst, "meetsRpo": meets, "rpoBecause": because}
