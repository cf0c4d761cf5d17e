"""Undo: take back what a cancelled run has really changed, the last first.

Only what its journal says it changed: what was so before is left alone, and so is what a person
did. What cannot be stopped at the target is not started at the source, for two are worse than
none; it is written down, paged and left to the keepers of both locations.
"""

from azure.durable_functions import DurableOrchestrationContext

from orchestrations import Flow
from orchestrations.component import row
from orchestrations.quiesce import carry_over
from orchestrations.steps import ATTEMPTS_MAX, attempt
from orchestrations.waves import act, order, untried
from shared import resumption, slip
from shared.kinds import KINDS, ONCE, UNSEEN, Verb
from shared.outcome import refused, skipped
from shared.plan import Plan

STOP_TURN, START_TURN, AGAIN_TURN = 0, 1, 2  # Keep the ids of the passes over a component apart.


def undo(context: DurableOrchestrationContext, plan: Plan, paper: dict) -> Flow:
    """Undo every stage of the slip's run, and give a row for each component.

    Safe to repeat: what is so already is skipped. `paper` carries the epoch that holds now.
    """
    paper = {**paper, "stage": "undo"}
    stages, unnoted = {}, list(paper["facts"].get("unnoted", []))
    for run in resumption.lineage(paper["run"]):
        noted = yield from attempt(context, "read_rows", {"run": run})
        unnoted += [] if noted["status"] == "succeeded" else [run]
        for name, found in noted.get("stages", {}).items():
            stages[name] = [*stages.get(name, []), *found]
    rows = [lost(context, paper, name) for name in unnoted]
    for name in reversed(slip.STAGES):
        unsure = [*plan.exclusive(paper["to"]), *unseen(plan)]
        names = changed(stages, name, "promote") + doubtful(stages, name, unsure)
        names += beside(plan, paper, changed(stages, "fence", "demote"))
        rows += yield from take_back(context, plan, paper, name, names)
    kept = [one["component"] for one in rows if one["outcome"] == "refused"]
    stopped = [name for stage in stages for name in changed(stages, stage, "demote")]
    woken = [name for stage in stages for name in changed(stages, stage, "promote")]
    carried = [name for name in changed(stages, "quiesce", "transfer") if name in woken]
    # What the target has worked on since is not to be worked on again at the source.
    turned = {**paper, "from": paper["to"], "to": paper["from"]}
    rows += yield from carry_over(context, plan, turned, [n for n in carried if n not in kept])
    return rows + (yield from start_again(context, plan, paper, stopped, kept))


def changed(stages: dict[str, list[dict]], stage: str, verb: str) -> list[str]:
    """The components on which this stage really did `verb`."""
    return [
        one["component"]
        for one in stages.get(stage, [])
        if one["verb"] == verb and one["outcome"] == "succeeded"
    ]


def beside(plan: Plan, paper: dict, fenced: list[str]) -> list[str]:
    """What may run at the target though this run has not started it.

    Before a run was taken up, another one may have come and gone, whose journal is not this one's.
    And a target that was lost before may be back with all that it ran then: nobody could fence it,
    and its own keepers leave it alone since the claim. So what was `fenced` at the source is seen
    stopped at the target before it starts again there.
    """
    taken_up = len(resumption.lineage(paper["run"])) > 1
    return [name for name in plan.exclusive(paper["to"]) if taken_up or name in fenced]


def unseen(plan: Plan) -> list[str]:
    """The components that are told to move and never answer that they did."""
    return [part.name for part in plan.components if part.kind in UNSEEN]


def doubtful(stages: dict[str, list[dict]], stage: str, unsure: list[str]) -> list[str]:
    """What was refused or found done, but may have been started: no answer came, or its host died.

    Only of `unsure`, what must not run in two places or is apart otherwise: the rest may have run
    here before.
    """
    rows = [one for one in stages.get(stage, []) if one["component"] in unsure]
    return [
        one["component"]
        for one in rows
        if one["verb"] == "promote" and one["outcome"] in ("refused", "skipped")
    ]


def take_back(
    context: DurableOrchestrationContext, plan: Plan, paper: dict, stage: str, names: list[str]
) -> Flow:
    """Undo what `stage` promoted, its last wave first."""
    rows: list[dict] = []
    for wave in reversed(plan.waves(stage, paper["to"]) if names else []):
        for where in (paper["to"], paper["from"]):
            able = [n for n in wave if n in names and undone_in(plan, n, paper) == where]
            rows += yield from act(
                context, plan, paper, "undo", where, able, ATTEMPTS_MAX, turn=STOP_TURN
            )
        rows += [
            unable(context, plan, paper, name)
            for name in wave
            if name in names and undone_in(plan, name, paper) is None
        ]
    return rows


def undone_in(plan: Plan, name: str, paper: dict) -> str | None:
    """In which location's favour the kind's `undo` is done; None where it has none.

    What is undone by promoting (whom callers are sent to) is promoted where it was before.
    """
    kind = KINDS[plan.part(name).kind]
    back: Verb | None = kind.get("undo")
    if back is None:
        return None
    return paper["from"] if back.activity == kind["promote"].activity else paper["to"]


def start_again(
    context: DurableOrchestrationContext,
    plan: Plan,
    paper: dict,
    stopped: list[str],
    kept: list[str],
) -> Flow:
    """Promote at the source what the run stopped there, but for what still runs at the target."""
    back, rows = paper["from"], []
    for wave in plan.waves("activate", back) if stopped else []:
        able = [name for name in wave if name in stopped and name not in kept]
        first = yield from act(
            context, plan, paper, "promote", back, able, turn=START_TURN, futile=True
        )
        # Accepted and not shown, mostly: nobody else looks after what no epoch was claimed for.
        again = [one["component"] for one in first if one["outcome"] == "refused"]
        rows += [one for one in first if one["outcome"] != "refused"]
        rows += yield from act(
            context, plan, paper, "promote", back, again, turn=AGAIN_TURN, futile=True
        )
        rows += [
            untried(
                context,
                order(plan, paper, "promote", back, name, ATTEMPTS_MAX)["task"],
                f"not tried: it may still run in {paper['to']}",
            )
            for name in wave
            if name in stopped and name in kept
        ]
    return rows


def unable(context: DurableOrchestrationContext, plan: Plan, paper: dict, name: str) -> dict:
    task = order(plan, paper, "promote", paper["to"], name, ATTEMPTS_MAX)["task"]
    now = context.current_utc_datetime
    kind = plan.part(name).kind
    words = f"a {kind} has no undo: it stays as it is"
    stays = refused(words) if kind in ONCE else skipped(words)
    return row({**task, "verb": "undo"}, now, now, stays)


def lost(context: DurableOrchestrationContext, paper: dict, stage: str) -> dict:
    """The row of a stage whose journal is not there: nobody knows what to undo."""
    task = {**paper, "verb": "undo", "location": paper["to"], "component": {"name": stage}}
    now = context.current_utc_datetime
    because = f"what {stage} changed was not written down: compare both locations by hand"
    return row(task, now, now, refused(because))
