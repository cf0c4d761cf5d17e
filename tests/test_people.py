"""Where a run waits for people, goes on, ends or goes back: through the SDK's own replay."""

from datetime import timedelta

import pytest

from orchestrations.component import component
from orchestrations.people import LOOK_MOST, REMIND_FIRST
from orchestrations.stages import stage
from orchestrations.waves import block
from shared import runs, slip, witness
from shared.outcome import refused, succeeded
from tests.registers import APPROVAL_MINUTES, RUN, Register, at
from tests.replay import START, Replay
from tests.stories import (
    done,
    grown,
    paper,
)


def heard(run: Replay) -> str:
    """The name of the event that the instance waits for now."""
    assert isinstance(run.status, dict)
    return run.status["waitsFor"]


def asked(**more: object) -> tuple[Replay, Register]:
    """A watchdog's run that waits for a person, a minute after it began to."""
    register = Register(by="watchdog in northeurope", wanted=True)
    run = at("claim", register, None, **more)
    return run.run(stop_at=START + timedelta(minutes=1)), register


def test_a_run_that_nobody_approves_moves_nothing_and_says_so():
    register = Register(by="watchdog in northeurope", wanted=True)
    run = at("claim", register, None)
    run.run(stop_at=START + timedelta(minutes=2))
    assert not run.done
    register.now = START + timedelta(minutes=APPROVAL_MINUTES)
    output = done(run.run())
    assert output["outcome"] == "refused" and "nobody approved" in output["because"]
    assert not run.named("send_slip") and register.record["epoch"] == 0
    assert witness.ended(register.record, RUN) == "expired"


def test_an_approval_lets_the_run_claim_at_once():
    run, register = asked()
    before = run.now
    register.say("approve", timedelta(minutes=1))
    run.raise_event(heard(run), {})
    assert done(run.run())["outcome"] == "succeeded"
    assert run.now - before < timedelta(seconds=2)
    assert run.named("send_slip")[0]["queue"] == "slip-fence"


def test_an_approval_whose_event_is_lost_is_seen_at_the_next_look():
    run, register = asked()
    before = run.now
    register.say("approve", timedelta(minutes=1))
    assert done(run.run())["outcome"] == "succeeded"
    assert run.now - before <= LOOK_MOST


def test_a_declined_run_ends_and_tells_who_said_so():
    run, register = asked()
    register.say("decline")
    run.raise_event(heard(run), {})
    output = done(run.run())
    assert output["outcome"] == "refused" and "declined by ada" in output["because"]
    assert not run.named("send_slip")


def test_an_event_without_a_word_ends_no_wait():
    run, _ = asked()
    first = heard(run)
    run.raise_event(first, {})
    run.run(stop_at=run.now + timedelta(seconds=1))
    assert not run.done and heard(run) != first


def test_every_wait_has_a_name_of_its_own():
    run, _ = asked()
    run.run(stop_at=START + timedelta(minutes=5))
    shown = [one for one in run.statuses if isinstance(one, dict)]
    names = [one["waitsFor"] for one in shown if one.get("waitsFor")]
    assert len(names) > 5 and len(names) == len(set(names))


def test_who_may_approve_and_how_is_in_the_page():
    run, _ = asked()
    page = run.named("alert")[0]
    assert page["title"].startswith("approval wanted")
    assert f"/api/runs/{RUN}/approve" in page["because"]
    assert "Understudy.Operate" in page["because"]


def test_a_silent_witness_does_not_end_a_wait():
    run, register = asked(read_witness=refused("witness: unreachable"))
    assert not run.done and register.record["run"]


def test_a_paused_run_waits_and_goes_on_where_it_was():
    register = Register().claimed()
    register.say("pause")
    run = at("promote", register).run(stop_at=START + timedelta(minutes=2))
    assert not run.named("promote_gateway") and not run.done
    register.say("resume")
    run.raise_event(heard(run), {})
    assert done(run.run())["outcome"] == "succeeded" and run.named("promote_gateway")


def test_a_run_that_is_paused_for_long_is_paged_now_and_then():
    register = Register().claimed()
    register.say("pause")
    run = at("promote", register).run(stop_at=START + timedelta(minutes=40))
    titles = [told["title"] for told in run.named("alert")]
    assert len(titles) == 2 and all(title.startswith("run paused") for title in titles)
    assert next(c.at for c in run.calls if c.name == "alert") - START >= REMIND_FIRST


def test_a_run_that_is_paused_for_a_day_is_halted():
    register = Register().claimed()
    register.say("pause")
    run = at("promote", register)
    run.run(stop_at=START + timedelta(minutes=2))
    register.now = START + timedelta(hours=23, minutes=50)
    assert not run.run(stop_at=START + timedelta(minutes=4)).done
    register.now = START + timedelta(hours=24, minutes=1)
    assert "nobody resumed" in done(run.run())["because"]
    assert witness.ended(register.record, RUN) == "halted"


@pytest.mark.parametrize("count", [400, 1100])
def test_a_pause_between_two_blocks_holds_the_rest_until_it_is_resumed(count: int):
    """Nobody looks before a stage has lasted for some seconds; ARM's pace makes this one last.

    Of more than five hundred the blocks are in groups, which end early, and go on behind.
    """
    register, many, begun = Register().claimed(), grown(count), list[str]()

    def step(told: dict) -> dict:
        begun.append(told["task"]["component"]["name"])
        if len(begun) == 1:
            register.say("pause")
        return {"component": begun[-1], "verb": "promote", "outcome": "succeeded"}

    document = succeeded(plan=many.document, digest=many.digest)
    told = {**paper("activate", 1), "by": "person"}
    answers = register.answers(load_plan=document, component=step)
    run = Replay(stage, told, answers, {"block": block})
    run.run(stop_at=START + timedelta(minutes=1))
    assert 100 < len(begun) < 400 and not run.done
    register.say("resume")
    run.raise_event(heard(run), {})
    assert len(done(run.run())["rows"]) == len(begun) == len(set(begun)) == count


def test_a_graceful_run_that_is_forced_is_fenced_after_its_claim():
    register = Register("graceful")
    said = runs.Said(RUN, "ada", "it died", START, "redirect", 30)
    register.put(runs.hear(register.record, "switch", said))
    route = slip.ROUTES["graceful"][2:]
    told = {**paper("claim", None), "mode": "graceful", "by": "person", "route": route}
    run = Replay(stage, told, register.answers(), {"component": component}).run()
    sent = run.named("send_slip")[0]
    assert (sent["queue"], sent["slip"]["mode"]) == ("slip-fence", "forced")
