"""Stories: answers of a made-up world for Contoso's orchestrations, and slips to begin them."""

from pathlib import Path

from orchestrations.component import component
from orchestrations.stages import stage
from orchestrations.waves import block
from shared import plan, slip
from shared.outcome import succeeded
from shared.record import fresh
from tests import papers
from tests.replay import START, Replay

HERE, LOST = "northeurope", "westeurope"
PLAN = plan.load((Path(__file__).parents[1] / "plans" / "contoso.yaml").read_text())
DOCUMENT = PLAN.document
WORKFLOWS = [c.name for c in PLAN.components if c.kind == "logicWorkflow"]
EXCLUSIVE = [
    c.name for c in PLAN.components if c.kind == "logicWorkflow" and c.role != "activeActive"
]


def loaded(told: dict) -> dict:
    return succeeded(plan=DOCUMENT, digest=PLAN.digest)


def record(epoch: int = 1, active: str = LOST, **more: object) -> dict:
    return {**fresh(DOCUMENT, START), "epoch": epoch, "active": active, **more}


def paper(name: str, epoch: int | None = 2) -> dict:
    run = "contoso-2-20260105T080000Z"
    first = papers.paper(run, by="watchdog", digest=PLAN.digest, source=LOST, target=HERE)
    route = slip.ROUTES["forced"]
    ahead = route[route.index(name) :]
    return {**first, "stage": ahead[0], "route": ahead[1:], "epoch": epoch}


def fine(told: dict) -> dict:
    return succeeded("done")


def world(**changes: object) -> dict:
    """Answers of a world in which everything works."""
    serving = succeeded("serving", serving=True)
    answers = {
        "load_plan": loaded,
        "claim_epoch": succeeded(record=record(2, HERE)),
        "advance_run": succeeded(record=record(2, HERE)),
        "finish_run": fine,
        "assess_readiness": succeeded("29 checks, none fails", ready=True, checks=[]),
        "halt_run": fine,
        "give_back": fine,
        "note_rows": fine,
        "read_rows": succeeded(stages={}),
        "read_witness": succeeded(record=record(2, HERE)),
        "send_slip": fine,
        "alert": fine,
        "observe_workflow": serving,
        "observe_gateway": serving,
        "observe_traffic": serving,
        "promote_workflow": fine,
        "demote_workflow": fine,
        "promote_gateway": fine,
        "verify_gateway": fine,
        "promote_traffic": fine,
        "verify_traffic": fine,
        "call_hook": fine,
    }
    return {**answers, **changes}


def grown(count: int, trigger: str = "request") -> plan.Plan:
    """Contoso with `count` workflows of one trigger class instead of its own."""
    kept = [c for c in DOCUMENT["components"] if c["kind"] != "logicWorkflow"]
    workflow = next(c for c in DOCUMENT["components"] if c.get("trigger") == trigger)
    at = workflow["resource"].rpartition("/")[0]
    many = [{**workflow, "name": f"w{n:04}", "resource": f"{at}/w{n:04}"} for n in range(count)]
    return plan.checked({**DOCUMENT, "components": [*kept, *many]})


def at_stage(name: str, epoch: int | None = 2, **changes: object) -> Replay:
    answers, children = world(**changes), {"component": component, "block": block}
    return Replay(stage, paper(name, epoch), answers, children, instance=f"run.{name}").run()


def done(replay: Replay) -> dict:
    assert isinstance(replay.output, dict), replay.failure
    assert not replay.left_open
    return replay.output


def acted(replay: Replay, activity: str) -> list[str]:
    return [told["component"]["name"] for told in replay.named(activity)]
