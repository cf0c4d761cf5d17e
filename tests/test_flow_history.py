"""The history and the ledger of Standard workflows' runs."""

from datetime import UTC, datetime, timedelta

import pytest

from activities import history_desk
from rehearsal.workflows import Workflows
from shared import flow_runs, history
from shared.history import Listed
from shared.history_question import Question
from shared.problem import Problem
from tests.doors import HERE, THERE, Doors
from tests.past_runs import fill
from tests.test_flow_runs import (
    EPOCH,
    FLOW,
    HOSTS,
    NAME,
    OTHER,
    begun,
    flow,
    freeze,
    kept,
    look,
    review,
    seen,
    silence,
)
from tests.test_flow_runs import doors as doors
from tests.test_flow_runs import running as running
from tests.wire import check_exchanges


def test_a_pause_that_arm_asks_for_is_no_host_s_own_trouble(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_desk, "THREADS", 1)
    silence(doors, HOSTS, {"status": 429})
    _, words = history_desk.look(doors.plan, THERE, [FLOW, OTHER], Question(top=5))
    assert words[0].startswith(f"{THERE}: 2 of 2 workflows are not shown")


def test_a_further_page_that_cannot_be_owed_is_refused_and_not_left_out(
    doors: Doors, running: Workflows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "DEBT_MAX", 0)
    monkeypatch.setattr(history, "READS_PER_SECOND", 0.001)
    history_desk.pay(history.READS_MAX)
    with pytest.raises(Problem) as no:
        crowded(doors, running)
    assert no.value.body["status"] == 429
    assert "ask again in" in no.value.body["detail"]


def crowded(doors: Doors, running: Workflows) -> Listed:
    """A page behind one that ended in a second in which three hundred runs began."""
    found = flow(doors, THERE, OTHER)
    fill(running, found, 300, timedelta(0), 0)
    oldest = min(run.started_at for run in running.flow(found).runs)
    asked = Question(top=1, components=(OTHER,), after=(oldest, "", "", -1, ""))
    return history_desk.listed(THERE, OTHER, asked, "run", f"{found.id}/runs")


def test_a_further_page_is_owed_and_the_next_question_pays(
    doors: Doors, running: Workflows
) -> None:
    crowded(doors, running)
    assert history_desk.lacking(history.READS_MAX) > 0


def test_runs_and_triggers_of_a_standard_workflow_are_in_the_history(
    doors: Doors, running: Workflows
) -> None:
    mark = doors.mark()
    for location in (HERE, THERE):
        fill(running, flow(doors, location), 2, timedelta(seconds=5), 0)
    rows = seen()["rows"]
    assert {row["location"] for row in rows if row["kind"] == "run"} == {HERE, THERE}
    assert {row["component"] for row in rows} == {FLOW}
    check_exchanges(doors.world.journal.after(mark))


def test_a_history_of_the_whole_plan_has_both_kinds(doors: Doors, running: Workflows) -> None:
    for name in (FLOW, OTHER):
        fill(running, flow(doors, THERE, name), 1, timedelta(seconds=5), 0)
    assert {FLOW, OTHER} <= {row["component"] for row in seen(None)["rows"]}


def test_a_standard_run_in_flight_is_in_the_ledger_until_its_end_is_known(
    doors: Doors, running: Workflows
) -> None:
    mark, run = doors.mark(), begun(doors, running)
    assert look(doors)["runs"] == 1
    freeze(doors)
    run.end("Failed", datetime.now(UTC))
    review(doors)
    assert kept(EPOCH)["found"][NAME]["status"] == "Failed"
    check_exchanges(doors.world.journal.after(mark))


def test_the_root_of_a_consumption_workflow_is_its_resource() -> None:
    part = {"kind": "logicWorkflow", "resource": "/x"}
    assert flow_runs.root(part) == "/x" and not flow_runs.hostless(part, 400)
