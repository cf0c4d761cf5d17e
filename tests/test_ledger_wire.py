"""The ledger's activities at the wire: what is looked at, and what is kept."""

import json
from datetime import UTC, datetime

from rehearsal.workflows import Workflows
from shared import ledger, ledger_store
from tests.doors import THERE, Doors
from tests.history_doors import running as running
from tests.ledger_doors import EPOCH, WORKFLOW, begin, cut_off, end, freeze, kept, look, review
from tests.ledger_doors import fresh as fresh


def test_a_lost_region_leaves_the_last_look_as_it_was(doors: Doors, running: Workflows):
    name = begin(doors, running)
    assert look(doors)["status"] == "succeeded"
    before = kept(None)
    doors.world.lose(THERE)
    assert look(doors)["status"] == "refused"
    assert [row["run"] for row in kept(None)["runs"]] == [name]
    assert (kept(None)["at"], bool(kept(None)["silent"])) == (before["at"], True)


def test_a_busy_arm_is_no_empty_region(doors: Doors, running: Workflows):
    begin(doors, running)
    look(doors)
    doors.world.faults.add({"match": {"path": "/runs"}, "effect": {"status": 429}, "times": 5})
    assert look(doors)["status"] == "refused"
    assert len(kept(None)["runs"]) == 1


def test_a_look_of_another_epoch_is_refused(doors: Doors, running: Workflows):
    look(doors)
    assert look(doors, epoch=EPOCH + 1)["status"] == "refused"
    assert kept(None)["epoch"] == EPOCH


def test_a_run_in_flight_is_kept_with_its_trigger_and_its_tracking_id(
    doors: Doors, running: Workflows
):
    name = begin(doors, running)
    look(doors)
    row = kept(None)["runs"][0]
    wanted = {"workflow": WORKFLOW, "run": name, "trigger": "when_an_order_arrives"}
    assert {key: row[key] for key in wanted} == wanted
    assert row["tracking"] == name


def test_a_sweep_goes_on_where_it_stopped(doors: Doors, running: Workflows):
    count = sum(part.kind == "logicWorkflow" for part in doors.plan.components)
    first = look(doors, cursor=0, most=count - 1)
    assert first["cursor"] == count - 1
    assert look(doors, cursor=first["cursor"], most=20)["cursor"] == 0


def test_queues_are_counted_by_the_broker_s_own_depth(doors: Doors):
    namespace = next(one["namespace"] for one in doors.plan.queues(THERE))
    look(doors)
    told = {"plan": "contoso", "epoch": EPOCH, "location": THERE}
    assert doors.call("count_queues", told)["status"] == "succeeded"
    rows = {row["queue"]: row for row in kept(None)["queues"]}
    assert rows["orders"]["namespace"] == namespace
    assert (rows["orders"]["location"], rows["orders"]["active"]) == ("swedencentral", 0)


def test_what_an_epoch_left_is_never_written_over(doors: Doors, running: Workflows):
    name = begin(doors, running)
    look(doors)
    assert freeze(doors)["ended"] == [EPOCH]
    assert freeze(doors)["ended"] == [EPOCH]
    assert [row["run"] for row in kept()["runs"]] == [name]
    assert kept(None)["runs"] == []


def test_a_region_that_is_away_is_asked_once_a_round(doors: Doors, running: Workflows):
    begin(doors, running)
    begin(doors, running)
    look(doors)
    freeze(doors)
    doors.world.lose(THERE)
    mark = doors.mark()
    assert review(doors)["status"] == "refused"
    assert len(doors.sent(mark, "GET")) <= 1


def test_what_became_of_a_run_is_seen_when_its_region_answers(doors: Doors, running: Workflows):
    name = cut_off(doors, running)
    assert kept()["found"][name]["status"] == "Failed"


def test_a_run_that_began_after_the_last_look_is_listed_when_its_region_answers(
    doors: Doors, running: Workflows
):
    look(doors)
    late = begin(doors, running)
    end(doors, running, late)
    claim = {"run": "contoso-run", "at": datetime.now(UTC).isoformat(), "epoch": EPOCH + 1}
    freeze(doors, claim)
    assert review(doors)["status"] == "succeeded"
    assert [(row["run"], row["status"]) for row in kept()["runs"]] == [(late, "Failed")]
    assert kept()["late"] == {"cursor": None, "runs": 1}


def test_a_ledger_is_small(doors: Doors, running: Workflows):
    look(doors)
    assert len(json.dumps(kept(None))) < ledger_store.BYTES_MAX / 100
    assert kept(None)["version"] == ledger.fresh("contoso", EPOCH, THERE)["version"]
