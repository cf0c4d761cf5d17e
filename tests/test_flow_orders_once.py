"""Orders for runs of Standard workflows that are carried out, and each once."""

import copy

from rehearsal.workflows import Workflows
from shared import ledger_views
from shared.plan import Plan
from tests.doors import HERE, THERE, Doors
from tests.test_flow_orders import aged, asked, begun_since, cut_off, order, ordered, settle
from tests.test_flow_runs import (
    EPOCH,
    FLOW,
    NAME,
    begun,
    flow,
    freeze,
    kept,
    review,
    sweep,
)
from tests.test_flow_runs import doors as doors
from tests.test_flow_runs import running as running
from tests.test_flow_runs import stopped as stopped
from tests.wire import check_exchanges


def test_a_resubmission_whose_answer_was_lost_is_not_sent_again(
    doors: Doors, running: Workflows
) -> None:
    cut_off(doors, running)
    mark = doors.mark()
    lost = {"match": {"path": "/resubmit"}, "effect": {"loseAnswer": True}, "times": 1}
    doors.world.faults.add(lost)
    settle(doors)
    assert order()["state"] == "intended"
    aged()
    settle(doors)
    settle(doors)
    (run,) = begun_since(doors, running)
    assert (order()["state"], order()["result"]) == ("sent", run.name)
    assert asked(doors, mark, "resubmit") == 1


def test_settled_twice_it_is_resubmitted_once(doors: Doors, running: Workflows) -> None:
    mark = doors.mark()
    cut_off(doors, running)
    settle(doors)
    settle(doors)
    assert (order()["state"], asked(doors, mark, "resubmit")) == ("sent", 1)
    (run,) = begun_since(doors, running)
    assert run.tracking == NAME
    check_exchanges(doors.world.journal.after(mark))


def test_a_disabled_workflow_is_resubmitted_too(doors: Doors, running: Workflows) -> None:
    cut_off(doors, running)
    found = flow(doors, THERE)
    found.properties["state"] = "Disabled"
    settle(doors)
    found.properties["state"] = "Enabled"
    assert order()["state"] == "sent"


def test_a_run_that_still_runs_is_cancelled_once(doors: Doors, running: Workflows) -> None:
    mark = doors.mark()
    begun(doors, running)
    sweep(doors)
    freeze(doors)
    ordered(doors, "drain")
    settle(doors)
    settle(doors)
    assert (order()["state"], asked(doors, mark, "cancel")) == ("sent", 1)
    review(doors)
    assert kept(EPOCH)["found"][NAME]["status"] == "Cancelled"
    check_exchanges(doors.world.journal.after(mark))


def test_a_run_that_a_queue_began_is_resubmitted_by_name_only(doors: Doors) -> None:
    document = copy.deepcopy(doors.plan.document)
    for part in document["components"]:
        if part["name"] == FLOW:
            part["trigger"] = "queue"
    cautions = ledger_views.cautions(Plan.model_validate(document), HERE, THERE)
    assert cautions[FLOW] == ledger_views.AGAIN
