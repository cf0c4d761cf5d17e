"""The guard: a stale task sends nothing, and a thousand tasks cost few reads."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared import guard, stale
from shared.blobs import Place
from shared.reply import Surprise
from tests.doors import HERE, THERE, Doors
from tests.test_activities_workflow import put

AGAIN = {"epoch": 2, "active": THERE, "run": None}


def stopping(doors: Doors, where: str, run: str, epoch: int | None) -> dict:
    """A task that stops an enabled workflow in `where`."""
    task = put(doors, "nightly-invoices", where, "Enabled")
    return {**task, "run": run, "epoch": epoch, "verb": "demote", "stage": "fence"}


def check_nothing_was_sent(doors: Doors, activity: str, task: dict, words: str) -> None:
    mark = doors.mark()
    outcome = doors.call(activity, task)
    assert (outcome["status"], outcome["stale"]) == ("refused", True)
    assert words in outcome["because"] and doors.world.journal.after(mark) == []


def test_a_fence_that_comes_late_does_not_stop_the_side_that_is_active_again(doors: Doors) -> None:
    """Two lives of a run: its host died in the fence, and comes back after the failback."""
    task = stopping(doors, THERE, "run-1", 1)
    doors.hold(**AGAIN)
    check_nothing_was_sent(doors, "demote_workflow", task, "run-1 is not reserved")


@pytest.mark.parametrize(
    ("component", "activity"),
    [
        ("nightly-invoices", "promote_workflow"),
        ("gateway", "promote_gateway"),
        ("front", "promote_traffic"),
    ],
)
def test_nothing_is_promoted_for_a_run_that_is_over(
    doors: Doors, component: str, activity: str
) -> None:
    task = doors.task(component, "promote")
    doors.hold(**AGAIN)
    check_nothing_was_sent(doors, activity, task, "run-1 is not reserved")


def test_an_epoch_that_moved_under_the_same_run_is_stale(doors: Doors) -> None:
    task = {**doors.task("nightly-invoices", "promote"), "epoch": 0}
    check_nothing_was_sent(doors, "promote_workflow", task, "epoch moved")


def test_a_hook_that_posts_is_not_posted_for_a_run_that_is_over(doors: Doors) -> None:
    task = doors.task("synthetic-order", "verify")
    task["component"] |= {"method": "POST", "url": "https://control.example.net/hook"}
    doors.hold(**AGAIN)
    assert doors.call("call_hook", task)["stale"] and not doors.strangers.heard


def test_a_witness_that_is_silent_starts_nothing_and_stops_nothing(doors: Doors) -> None:
    task = stopping(doors, THERE, "run-1", 1)
    gone = {**task["witness"], "blobServiceUri": "https://nobody.blob.core.windows.net"}
    mark = doors.mark()
    for activity in ("promote_workflow", "demote_workflow"):
        with pytest.raises(Surprise, match="epoch cannot be read"):
            doors.call(activity, {**task, "witness": gone})
    assert doors.world.journal.after(mark) == []


def test_a_location_stops_what_is_its_own_without_the_witness(doors: Doors) -> None:
    task = stopping(doors, HERE, stale.keeper("contoso", "heartbeat", HERE), None)
    gone = {**task["witness"], "blobServiceUri": "https://nobody.blob.core.windows.net"}
    assert doors.call("demote_workflow", {**task, "witness": gone})["status"] == "succeeded"


def test_without_an_epoch_nobody_stops_the_other_side(doors: Doors) -> None:
    task = stopping(doors, THERE, stale.keeper("contoso", "heartbeat", HERE), None)
    check_nothing_was_sent(doors, "demote_workflow", task, "without an epoch")


def while_waiting(doors: Doors, fault: dict, task: dict) -> dict:
    """Promote the workflow, and let the plan move on once this fault has met the request."""
    doors.world.faults.add({**fault, "times": 1})
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(doors.call, "promote_workflow", task)
        for _ in range(500):
            if not doors.world.faults.rows:
                break
            threading.Event().wait(0.01)
        doors.hold(**AGAIN)
        return asked.result()


def test_the_record_is_read_again_in_front_of_the_request_that_changes(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look at the workflow was slow, and the epoch moved meanwhile."""
    monkeypatch.setattr(guard, "AGE_SECONDS_MAX", 0.0)
    task, mark = put(doors, "nightly-invoices", HERE, "Disabled"), doors.mark()
    slow = {"match": {"method": "GET"}, "effect": {"delaySeconds": 1.0}}
    assert while_waiting(doors, slow, task)["stale"]
    assert doors.sent(mark, "POST") == []


def test_a_repeat_of_the_sdk_is_weighed_like_a_first_request(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "AGE_SECONDS_MAX", 0.0)
    task, mark = put(doors, "nightly-invoices", HERE, "Disabled"), doors.mark()
    busy = {"status": 429, "headers": {"Retry-After": "1"}}
    assert while_waiting(doors, {"match": {"method": "POST"}, "effect": busy}, task)["stale"]
    assert len(doors.sent(mark, "POST")) == 1


def test_a_record_that_was_read_before_the_claim_refuses_nobody(doors: Doors) -> None:
    task = doors.task("nightly-invoices", "promote")
    doors.hold(epoch=0, active=THERE, run=None)
    with pytest.raises(guard.Stale):
        guard.weigh(task)
    seen = dict(guard._SEEN)
    doors.hold()
    guard._SEEN.update(seen)  # As it is in a process that goes on.
    assert doors.call("promote_workflow", task)["status"] != "refused"


def test_a_hundred_tasks_at_once_cost_one_read(doors: Doors) -> None:
    task, reads = doors.task("nightly-invoices", "promote"), []
    ask = guard._ask

    def counted(seen: guard.Seen, place: Place, plan: str) -> None:
        reads.append(plan)
        ask(seen, place, plan)

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(16) as pool:
        patch.setattr(guard, "_ask", counted)
        assert list(pool.map(guard.weigh, [task] * 100)) == [None] * 100
    assert len(reads) == 1


def test_what_is_remembered_refuses_no_task_that_is_younger(doors: Doors) -> None:
    """A run is reserved and fences within the seconds for which the record is remembered."""
    task = stopping(doors, THERE, "run-1", 1)
    doors.hold(**AGAIN)
    assert doors.call("demote_workflow", task)["stale"]
    doors.write()
    assert doors.call("demote_workflow", task)["status"] == "succeeded"
