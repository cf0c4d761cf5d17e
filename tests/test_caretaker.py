"""The caretaker, driven through the SDK's own replay."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from orchestrations.caretaker import caretaker
from orchestrations.component import component
from shared import plan, resumption
from shared.outcome import refused, skipped, succeeded
from tests.replay import START, Replay
from tests.sample_plan import PLAN as DOCUMENT
from tests.stories import HERE, LOST, acted, record

RUN = {
    "id": "contoso-2-x",
    "phase": "activate",
    "mode": "forced",
    "from": LOST,
    "to": HERE,
    "at": START.isoformat(),
    "by": "watchdog",
    "reason": "lost",
    "because": "",
    "approval": None,
    "paused": False,
    "cancel": None,
    "released": False,
    "resumed": 0,
}
FENCED = {**RUN, "phase": "fence"}
STOPPED, STARTED = skipped("is Disabled already"), skipped("is Enabled already")
PLAN = plan.checked(DOCUMENT)
NIGHTLY, INTAKE = "nightly-report", "orders-intake"  # The first is exclusive.


def ended(what: str = "finished", **more: object) -> dict:
    """The record after a run to HERE has ended."""
    line = {"n": 9, "epoch": 2, "at": START.isoformat(), "who": RUN["id"], "what": what, "why": ""}
    return record(2, HERE, transitions=[line], **more)


def caring(
    known: dict | Callable[[dict], dict],
    minutes: float,
    here: str = HERE,
    memory: dict | None = None,
    **changes: object,
) -> Replay:
    """A caretaker in `here` for so long; of several generations the calls together."""
    answers = {
        "load_plan": succeeded(plan=PLAN.document, digest=PLAN.digest),
        "read_witness": known if callable(known) else succeeded(record=known),
        "settle_claim": skipped("no claim is noted here"),
        "note_claim": succeeded(),
        "take_up_run": succeeded(),
        "send_slip": succeeded(),
        "halt_run": succeeded(),
        "alert": succeeded(),
        "observe_workflow": succeeded("serving", serving=True),
        "observe_gateway": succeeded("serving", serving=True),
        "observe_traffic": succeeded("serving", serving=True),
        "demote_workflow": STOPPED,
        "promote_workflow": STARTED,
        "promote_gateway": skipped("has its overlay already"),
        "promote_traffic": skipped("is the only one already"),
    }
    answers |= changes
    told = {"plan": "contoso", "location": here, "memory": memory}
    run = Replay(caretaker, told, answers, {"component": component})
    until, calls = START + timedelta(minutes=minutes), []
    for _ in range(100):
        calls += run.run(stop_at=until).calls
        if not run.continued:
            break
        run = Replay(caretaker, run.again, answers, {"component": component}, now=run.now)
    run.calls = calls
    return run


def titles(run: Replay) -> list[str]:
    return [told["title"] for told in run.named("alert")]


def test_nothing_is_done_while_the_witness_is_silent() -> None:
    run = caring(lambda told: refused("witness: unreachable"), 5)
    assert {call.name for call in run.calls} == {"load_plan", "read_witness"}


def test_it_stands_aside_while_a_run_is_under_way() -> None:
    run = caring(record(2, HERE, run=RUN), 5)
    assert not run.named("demote_workflow") and not run.named("take_up_run")


def test_nothing_is_started_where_no_run_has_ever_moved_the_plan() -> None:
    run = caring(record(0, LOST), 3, here=LOST)
    assert not [call.name for call in run.calls if "mote_" in call.name]


def test_what_people_stop_long_after_a_run_stays_stopped() -> None:
    old = ended(run=None)
    old["transitions"][0]["at"] = (START - timedelta(hours=2)).isoformat()
    assert not caring(old, 3).named("promote_workflow")


def unready(*names: str) -> dict:
    """What readiness says of a location in which this runs and should not."""
    rows = [{"name": "state", "component": name, "status": "fail"} for name in names]
    return succeeded("it runs there", ready=False, checks=rows)


def test_what_a_run_could_not_protect_in_its_time_is_protected_when_its_region_is_back() -> None:
    """Lost for longer than a run waits; the next disaster must be survivable all the same."""
    answers = [refused("no answer")] * 2 + [unready(NIGHTLY), succeeded("well", ready=True)]
    run = caring(
        ended(run=None),
        60,
        assess_readiness=lambda told: answers.pop(0),
        demote_workflow=lambda told: succeeded() if told["verb"] == "protect" else STOPPED,
    )
    orders = [told for told in run.named("demote_workflow") if told["verb"] == "protect"]
    assert [(one["component"]["name"], one["location"]) for one in orders] == [(NIGHTLY, LOST)]
    assert not answers, "it looks until it is ready, and no longer"
    assert f"{LOST}: protected afterwards: {NIGHTLY}" in titles(run)


def test_what_a_run_protects_itself_is_left_to_it() -> None:
    known = ended(run={**RUN, "phase": "protect"})
    assert not caring(known, 10, assess_readiness=unready(NIGHTLY)).named("assess_readiness")


def test_nothing_is_paired_anew_while_people_have_paused_the_plan() -> None:
    """They may be at work on the very pairing."""
    run = caring(ended(run=None, paused=True), 10, assess_readiness=unready(NIGHTLY))
    assert not run.named("assess_readiness")


def test_what_a_cancelled_run_starts_again_is_not_stopped_meanwhile() -> None:
    """It has started the source again, and gives the epoch back when that is done."""
    known = ended(run={**RUN, "cancel": {"by": "ada", "at": START.isoformat(), "comment": ""}})
    assert not caring(known, 3, here=LOST).named("demote_workflow")
    assert caring(ended(run=RUN), 3, here=LOST).named("demote_workflow")


def test_what_lands_late_is_looked_for_from_the_claim_on() -> None:
    """Not from when the run starts the other side, which would leave both at work for longer."""
    fenced, goes_on = (succeeded(record=record(2, HERE, run=run)) for run in (FENCED, RUN))
    run = caring(answering(fenced, fenced, goes_on), 5, here=LOST)
    tried = [call.at for call in run.calls if call.name == "demote_workflow"]
    assert timedelta(minutes=1) <= tried[0] - START < timedelta(minutes=1, seconds=5)


def test_a_side_that_was_left_is_looked_after_though_nobody_goes_on_with_the_run() -> None:
    left = {**RUN, "resumed": resumption.RESUMES_MAX}
    assert caring(record(2, HERE, unfinished=left), 3, here=LOST).named("demote_workflow")
    left = {**FENCED, "resumed": resumption.RESUMES_MAX}  # A person may yet cancel it.
    assert not caring(record(2, HERE, unfinished=left), 3, here=LOST).named("demote_workflow")


def test_after_a_cancel_nothing_is_paired_anew() -> None:
    known = ended("cancelled", run=None)
    assert not caring(known, 10, assess_readiness=unready(NIGHTLY)).named("assess_readiness")


def test_a_run_that_ended_half_way_goes_on_from_its_stage() -> None:
    left = {**RUN, "at": (START - timedelta(minutes=5)).isoformat()}
    run = caring(record(2, HERE, unfinished=left), 0.1)
    told = run.named("send_slip")[0]
    assert (told["queue"], told["slip"]["run"]) == ("slip-activate", "contoso-2-x-r1")
    assert (told["slip"]["epoch"], titles(run)) == (2, ["run taken up"])


def test_the_side_that_is_not_active_takes_nothing_up() -> None:
    left = {**RUN, "at": (START - timedelta(minutes=5)).isoformat()}
    assert not caring(record(2, HERE, unfinished=left), 5, here=LOST).named("take_up_run")


def test_a_slip_that_cannot_be_sent_gives_the_run_back_to_be_tried_again() -> None:
    left = {**RUN, "at": (START - timedelta(minutes=5)).isoformat()}
    away = refused("the namespace is away")
    run = caring(record(2, HERE, unfinished=left), 0.1, send_slip=away)
    assert run.named("halt_run")[0]["slip"]["run"] == "contoso-2-x-r1"


def test_a_run_is_given_up_after_its_last_try_and_that_is_told_once() -> None:
    left = {**RUN, "resumed": resumption.RESUMES_MAX}
    run = caring(record(2, HERE, unfinished=left), 3)
    assert not run.named("take_up_run")
    assert titles(run) == ["nobody goes on with contoso-2-x"]


def test_the_other_side_is_looked_after_until_it_was_seen_stopped_twice() -> None:
    run = caring(ended(), 5)
    assert acted(run, "demote_workflow") == [NIGHTLY, NIGHTLY]
    assert {told["location"] for told in run.named("demote_workflow")} == {LOST}
    assert not titles(run)


def answering(*answers: dict) -> Callable[[dict], dict]:
    """These answers one after the other, and the last one for ever."""
    left = list(answers)
    return lambda told: left.pop(0) if len(left) > 1 else left[0]


def test_a_dead_region_is_tried_until_it_answers_at_pauses_that_grow() -> None:
    away = refused("unreachable")
    run = caring(ended(), 25, demote_workflow=answering(*[away] * 6, succeeded(), STOPPED))
    told = [f"{LOST}: not fenced yet: {NIGHTLY}", f"{LOST}: fenced afterwards: {NIGHTLY}"]
    assert titles(run) == told
    tried = [call.at for call in run.calls if call.name == "demote_workflow"]
    pauses = [(b - a).total_seconds() for a, b in zip(tried, tried[1:], strict=False)]
    assert pauses[0] < 70 and pauses[5] > 250


def test_what_a_run_left_behind_is_started_and_told() -> None:
    broken = refused("409")
    run = caring(ended(), 5, promote_gateway=answering(broken, broken, succeeded(), STARTED))
    assert titles(run) == [f"{HERE}: serves afterwards: gateway"]


def test_what_never_starts_is_given_up_and_told() -> None:
    chore = {"left": ["front"], "looks": 0, "tries": 11, "due": START.isoformat(), "told": True}
    memory = {"epoch": 2, "chores": {"serve": chore}, "turn": 40, "told": ""}
    run = caring(ended(), 5, memory=memory, promote_traffic=refused("no endpoint"))
    assert titles(run) == [f"{HERE}: given up: front"]
    assert len(run.named("promote_traffic")) == 1


def test_a_hook_is_never_called_again() -> None:
    assert not caring(ended(), 3).named("call_hook")


def test_a_late_request_at_the_side_that_stepped_back_is_undone() -> None:
    changes = answering(STOPPED, succeeded("disabled"), STOPPED)
    run = caring(ended(), 5, here=LOST, demote_workflow=changes)
    assert titles(run) == [f"{LOST}: stopped beside: {NIGHTLY}"]


def test_what_lands_late_is_stopped_while_people_hold_the_run_that_left_here() -> None:
    """Else it would run beside the new side for as long as they please."""
    changes = answering(STOPPED, succeeded("disabled"), STOPPED)
    held = record(2, HERE, run={**RUN, "paused": True})
    run = caring(held, 5, here=LOST, demote_workflow=changes)
    assert titles(run) == [f"{LOST}: stopped beside: {NIGHTLY}"]


@pytest.mark.parametrize("phase", ["requested", "quiesce"])
def test_what_lands_late_is_stopped_while_a_run_that_is_to_come_has_not_claimed(phase: str) -> None:
    """People may hold it for long, and it has started nothing here."""
    coming = {**RUN, "phase": phase, "from": HERE, "to": LOST, "paused": True}
    assert caring(record(2, HERE, run=coming), 5, here=LOST).named("demote_workflow")


def test_what_does_not_serve_is_started_while_a_run_waits_for_people() -> None:
    """It was only asked for, and may wait for hours; once it drains, nothing is started."""
    waits = {**RUN, "phase": "requested", "from": HERE, "to": LOST, "paused": True}
    assert caring(ended(run=waits), 3).named("promote_workflow")
    for begun in ({**waits, "phase": "quiesce"}, {**waits, "paused": False}):
        assert not caring(ended(run=begun), 3).named("promote_workflow")


def test_nothing_is_stopped_here_before_the_run_that_leaves_has_come_past_the_fence() -> None:
    run = caring(record(2, HERE, run={**RUN, "phase": "fence"}), 5, here=LOST)
    assert not run.named("demote_workflow")


def test_every_change_carries_the_epoch_and_the_witness() -> None:
    told = caring(ended(), 1).named("demote_workflow")[0]
    assert (told["epoch"], told["witness"]) == (2, PLAN.document["witness"])


def test_a_claim_that_came_to_nothing_is_settled_where_the_plan_is_not_active() -> None:
    told = caring(record(1, LOST), 0.1).named("settle_claim")
    assert [(row["location"], row["record"]["epoch"]) for row in told] == [(HERE, 1)]
