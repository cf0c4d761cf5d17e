"""A graceful run leaves a location that lives, driven through the SDK's own replay."""

from datetime import timedelta

from orchestrations.component import component
from orchestrations.stages import stage
from shared import dryrun, plan, roles, slip
from shared.outcome import refused, skipped, succeeded
from tests.replay import START, Replay
from tests.stories import DOCUMENT, HERE, LOST, acted, done, paper, record, world

KEPT = ("partner-events", "supplier-feed", "nightly-invoices", "orders-worker", "front")
PARTS = [part for part in DOCUMENT["components"] if part["name"] in KEPT]
PLAN = plan.checked({**DOCUMENT, "drainSeconds": 15, "components": PARTS})
EXCLUSIVE = [part.name for part in PLAN.components if part.name in KEPT[:3]]
RUN = "contoso-2-20260105T080000Z"
LEASE = (START + timedelta(seconds=20)).isoformat()


def run_of(**changes: object) -> dict:
    return {
        "id": RUN,
        "phase": "quiesce",
        "mode": "graceful",
        "from": LOST,
        "to": HERE,
        "at": START.isoformat(),
        "by": "person",
        "reason": "r",
        "because": "",
        "approval": None,
        "paused": False,
        "cancel": None,
        "released": False,
        **changes,
    }


def known(**changes: object) -> dict:
    """The witness's answer while the run is in quiesce."""
    return succeeded(record=record(1, LOST, run=run_of(**changes)))


def busy(*runs: str) -> dict:
    return refused(f"{len(runs)} runs are in flight", count=len(runs), runs=list(runs))


EMPTY = succeeded("nothing is in flight", count=0, runs=[])
HEALTHY = succeeded(observation={"kind": "health", "ok": True, "because": "answered 200"})
SILENT = succeeded(observation={"kind": "health", "ok": False, "because": "no answer"})


def quiescing(**changes: object) -> Replay:
    told = {
        **paper("claim", None),
        "mode": "graceful",
        "stage": "quiesce",
        "route": slip.ROUTES["graceful"][1:],
    }
    answers = {
        "load_plan": succeeded(plan=PLAN.document, digest=PLAN.digest),
        "advance_run": known(),
        "drain_workflow": EMPTY,
        "transfer_workflow": succeeded("carried over"),
        "release_lease": succeeded(record=record(1, LOST, run=run_of(released=True))),
        "observe_health": HEALTHY,
        **changes,
    }
    return Replay(stage, told, world(**answers), {"component": component}, instance="q").run()


def sent(run: Replay) -> dict:
    return run.named("send_slip")[0]["slip"]


def test_what_would_not_stop_in_a_location_that_lives_ends_the_run_and_starts_all_again():
    """Also what would not stop, for it may have: the answer can be lost."""

    def demote(task: dict) -> dict:
        stuck = task["component"]["name"] == EXCLUSIVE[0]
        return refused("403") if stuck else succeeded("disabled")

    run = quiescing(demote_workflow=demote)
    assert "would not stop" in done(run)["because"]
    assert run.named("halt_run") and not run.named("release_lease") and not run.named("send_slip")
    assert acted(run, "promote_workflow")[-1] == EXCLUSIVE[0]  # Once more, for a late stop.
    assert sorted(acted(run, "promote_workflow")[:-1]) == sorted(EXCLUSIVE)


def test_a_release_that_is_refused_ends_the_run_and_starts_everything_again():
    run = quiescing(release_lease=refused("epoch moved"))
    assert done(run)["outcome"] == "refused"
    assert sorted(acted(run, "promote_workflow")) == sorted(EXCLUSIVE)


def test_a_run_that_has_ended_meanwhile_ends_here():
    answers = [known()] + [refused("run r has ended: halted", record=record(1, LOST))] * 50
    run = quiescing(advance_run=lambda told: answers.pop(0))
    assert done(run)["outcome"] == "refused" and not run.named("release_lease")


def test_a_cancelled_run_leaves_the_drain_without_releasing():
    answers = [known()] * 3 + [known(cancel={"by": "kim", "at": LEASE, "comment": ""})] * 50
    run = quiescing(advance_run=lambda told: answers.pop(0), drain_workflow=busy("r1"))
    assert not run.named("release_lease") and done(run)["rows"]
    assert run.now - START < timedelta(seconds=PLAN.drain_seconds)


def test_a_run_that_a_person_forces_stops_waiting_and_goes_on_as_forced():
    answers = [known()] * 3 + [known(mode="forced")] * 50
    run = quiescing(advance_run=lambda told: answers.pop(0), drain_workflow=busy("r1"))
    assert not run.named("release_lease")
    assert (sent(run)["mode"], [sent(run)["stage"], *sent(run)["route"]]) == (
        "forced",
        slip.ROUTES["forced"],
    )
    assert run.now - START < timedelta(seconds=PLAN.drain_seconds)


def test_what_would_not_stop_in_a_location_that_is_gone_is_fenced_again_before_its_copy_wakes():
    """A graceful run has no stage that fences."""

    def demote(task: dict) -> dict:
        stuck = task["component"]["name"] == EXCLUSIVE[0]
        return refused("is unreachable") if stuck else succeeded("disabled")

    run = quiescing(demote_workflow=demote, observe_health=SILENT)
    assert sent(run)["facts"]["unfenced"] == EXCLUSIVE[:1]


def test_only_what_is_exclusive_is_stopped_and_only_at_the_source():
    run = quiescing()
    assert sorted(acted(run, "demote_workflow")) == sorted(EXCLUSIVE)
    assert {task["location"] for task in run.named("demote_workflow")} == {LOST}


def test_the_lease_is_released_only_when_nothing_is_in_flight():
    left = [busy("r1")] * 3

    def look(task: dict) -> dict:
        return left.pop() if task["component"]["name"] == EXCLUSIVE[0] and left else EMPTY

    run = quiescing(drain_workflow=look)
    assert done(run)["outcome"] == "succeeded"
    last = max(call.at for call in run.calls if call.name == "drain_workflow")
    assert [call.at > last for call in run.calls if call.name == "release_lease"] == [True]
    assert run.named("release_lease")[0]["proven"] is True


def test_what_has_drained_is_not_asked_again():
    def look(task: dict) -> dict:
        return busy("r1") if task["component"]["name"] == EXCLUSIVE[0] else EMPTY

    asked = acted(quiescing(drain_workflow=look), "drain_workflow")
    assert asked.count(EXCLUSIVE[1]) == 1 and asked.count(EXCLUSIVE[0]) > 5


def test_what_is_still_in_flight_after_the_bound_is_named_and_the_run_goes_on():
    run = quiescing(drain_workflow=busy("r1", "r2"))
    assert run.now - START < timedelta(seconds=PLAN.drain_seconds + 5)
    assert sent(run)["facts"]["abandoned"][0]["runs"] == ["r1", "r2"]
    words = [r["because"] for r in done(run)["rows"] if r["verb"] == "drain"]
    assert len(words) == len(EXCLUSIVE) and "no longer waited for" in words[0]


def test_the_state_of_clocks_and_pollers_is_carried_over_and_no_other():
    run = quiescing()
    wanted = [
        part.name
        for part in PLAN.components
        if part.kind == "logicWorkflow"
        and part.role == "activePassive"
        and roles.state(part.trigger)["worth"]
    ]
    assert sorted(acted(run, "transfer_workflow")) == sorted(wanted) and len(wanted) < len(
        EXCLUSIVE
    )
    assert sorted(dryrun.remembering(PLAN)) == sorted(wanted)  # As a dry run tells it.
    task = run.named("transfer_workflow")[0]
    assert task["location"] == HERE and "rg-contoso-we" in task["component"]["source"]


def test_a_state_that_cannot_be_carried_over_holds_nothing_up():
    run = quiescing(transfer_workflow=refused("502 BadGateway"))
    assert done(run)["outcome"] == "partial" and sent(run)["stage"] == "claim"


def dying(**changes: object) -> Replay:
    """The source's resource manager answers no more."""
    given = succeeded(record=record(1, LOST, leaseUntil=LEASE, run=run_of(released=True)))
    told = {
        "demote_workflow": refused("unreachable"),
        "drain_workflow": refused("unreachable", unseen=True),
        "transfer_workflow": refused("unreachable"),
        "observe_health": SILENT,
        "release_lease": given,
    }
    return quiescing(**{**told, **changes})


def test_a_source_that_dies_midway_is_left_once_its_lease_has_run_out():
    run = dying()
    assert run.named("release_lease")[0]["proven"] is False
    assert sent(run)["stage"] == "claim"
    assert timedelta(seconds=20) < run.now - START < timedelta(minutes=1)


def test_a_source_that_has_died_is_not_drained_to_the_bound():
    run = dying()
    released = next(call.at for call in run.calls if call.name == "release_lease")
    assert released - START < timedelta(seconds=PLAN.drain_seconds)


def test_what_stood_still_before_its_region_died_needs_no_lease_to_run_out():
    run = dying(demote_workflow=succeeded("disabled"), observe_workflow=succeeded(serving=False))
    assert run.named("release_lease")[0]["proven"] is True


def test_a_source_that_lives_is_waited_for_though_its_resource_manager_is_silent():
    """It is well, so the run ends, but not before the bound: it may be heard again."""
    run = dying(observe_health=HEALTHY)
    assert done(run)["outcome"] == "refused" and not run.named("release_lease")
    assert run.now - START > timedelta(seconds=PLAN.drain_seconds)


def test_a_paused_run_does_not_release_while_it_is_paused():
    answers = [known(paused=True)] * 12 + [known()] * 50
    run = quiescing(
        advance_run=lambda told: answers.pop(0) if len(answers) > 1 else answers[0],
        drain_workflow=busy("r1"),
    )
    released = next(call.at for call in run.calls if call.name == "release_lease")
    assert released - START > timedelta(seconds=PLAN.drain_seconds + 2)


def test_the_slip_to_the_claim_carries_no_epoch():
    assert sent(quiescing())["epoch"] is None


def test_what_was_stopped_already_is_no_trouble():
    assert done(quiescing(demote_workflow=skipped("is Disabled already")))["outcome"] == "succeeded"
