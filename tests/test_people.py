"""Where a run waits for people, goes on, ends or goes back: through the SDK's own replay."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from orchestrations.component import component
from orchestrations.people import LOOK_MOST, REMIND_FIRST
from orchestrations.stages import stage
from orchestrations.waves import block
from shared import plan, runs, slip, witness
from shared.outcome import refused, skipped, succeeded
from shared.record import fresh, stamp
from tests.replay import START, Replay
from tests.stories import (
    DOCUMENT,
    HERE,
    LOST,
    PLAN,
    acted,
    done,
    grown,
    paper,
    world,
)

RUN = paper("claim")["run"]
APPROVAL_MINUTES = 60


class Register:
    """A witness record in one hand: what the product's transitions make of it, by this clock."""

    def __init__(self, mode: str = "forced", by: str = "person", wanted: bool = False) -> None:
        self.now = START
        first = {**paper("claim", None), "by": by, "mode": mode}
        minutes = APPROVAL_MINUTES if wanted else None
        self.record = witness.reserve(fresh(DOCUMENT, START), first, START, minutes)
        self.looks = 0
        self.on_look: dict[int, Callable[[], None]] = {}

    def claimed(self) -> "Register":
        told = {**paper("claim", None), "by": "person"}
        self.record = witness.claim(self.record, told, START)
        return self

    def say(self, word: str, after: timedelta = timedelta()) -> None:
        said = runs.Said(RUN, "ada", "because", START + after, "redirect", 30)
        self.put(runs.hear(self.record, word, said))

    def put(self, changed: dict) -> dict:
        if witness.refusal(changed):
            return {**changed, "record": self.record}
        self.record = changed
        return succeeded(record=changed, serverTime=stamp(self.now))

    def answers(self, **more: object) -> dict:
        quiet = {"now": START, "quiet_minutes": 30}
        made = {
            "claim_epoch": lambda t: self.put(witness.claim(self.record, t["slip"], START)),
            "advance_run": lambda t: self.put(
                witness.advance(self.record, t["slip"], t["phase"], START)
            ),
            "halt_run": lambda t: self.put(
                witness.halt(self.record, t["slip"], t["because"], START, t.get("end", "halted"))
            ),
            "give_back": lambda t: self.put(runs.give_back(self.record, t["slip"], **quiet)),
            "read_witness": self.look,
        }
        return world(**{**made, **more})

    def look(self, told: dict) -> dict:
        self.looks += 1
        self.on_look.get(self.looks, lambda: None)()
        return succeeded(record=self.record, serverTime=stamp(self.now))


def at(name: str, register: Register, epoch: int | None = 1, **more: object) -> Replay:
    told = {**paper(name, epoch), "by": register.record["run"]["by"]}
    answers = register.answers(**more)
    return Replay(stage, told, answers, {"component": component}, instance=f"{RUN}.{name}")


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


def test_a_pause_between_two_blocks_holds_the_rest_until_it_is_resumed():
    """Nobody looks before a stage has lasted for some seconds; ARM's pace makes this one last."""
    register, many, begun = Register().claimed(), grown(400), list[str]()

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
    assert 100 < len(begun) < 400
    register.say("resume")
    run.raise_event(heard(run), {})
    assert len(done(run.run())["rows"]) == len(begun) == 400


FENCED = PLAN.movers()
WOKEN = [name for wave in PLAN.waves("activate", HERE) for name in wave]
NOTED = {
    "fence": [
        {"component": name, "verb": "demote", "location": LOST, "outcome": "succeeded"}
        for name in FENCED
    ],
    "activate": [
        {"component": name, "verb": "promote", "location": HERE, "outcome": "succeeded"}
        for name in WOKEN
    ],
}


def cancelled(noted: dict, **more: object) -> tuple[Replay, Register]:
    """A run that is told to cancel after its activation, at the entry of the next stage."""
    register = Register().claimed()
    for phase in ("fence", "promote", "activate"):
        register.put(witness.advance(register.record, paper(phase, 1), phase, START))
    register.say("cancel")
    told = {"read_rows": succeeded(stages=noted), **more}
    return at("redirect", register, **told).run(), register


def test_a_cancelled_run_undoes_what_it_did_and_gives_the_epoch_back():
    run, register = cancelled(NOTED)
    assert done(run)["outcome"] == "cancelled"
    assert (register.record["active"], register.record["epoch"]) == (LOST, 2)
    assert sorted(acted(run, "demote_workflow")) == sorted(WOKEN)
    assert sorted(acted(run, "promote_workflow")) == sorted(FENCED)
    assert not run.named("promote_traffic") and not run.named("send_slip")


def test_the_undo_stops_the_target_before_it_starts_the_source():
    run, _ = cancelled(NOTED)
    order = [c.name for c in run.calls if c.name in ("demote_workflow", "promote_workflow")]
    assert order == ["demote_workflow"] * len(WOKEN) + ["promote_workflow"] * len(FENCED)


def test_the_undo_takes_the_waves_back_in_reverse_order():
    run, _ = cancelled(NOTED)
    waves = [PLAN.trigger_wave(name) for name in acted(run, "demote_workflow")]
    assert waves == sorted(waves, reverse=True)


def test_what_the_run_did_not_change_is_not_undone():
    run, _ = cancelled({"activate": NOTED["activate"][:1], "fence": []})
    assert acted(run, "demote_workflow") == WOKEN[:1]
    assert not run.named("promote_workflow")


def test_what_was_refused_but_may_have_been_started_is_stopped_where_it_must_run_alone():
    """Its host died after the start; the repeat was refused for the cancel, or found it done."""
    ends = ["refused", "skipped"] * len(WOKEN)
    rows = [{**row, "outcome": end} for row, end in zip(NOTED["activate"], ends, strict=False)]
    run, _ = cancelled({"activate": rows, "fence": []})
    assert set(acted(run, "demote_workflow")) == set(WOKEN) & set(PLAN.exclusive(HERE))


@pytest.mark.parametrize("end", ["refused", "skipped"])
def test_a_child_plan_that_was_told_to_move_along_is_told_to_come_back(end: str):
    """It answers "on its way" until it serves, and then that it does: never that it was moved."""
    child = {"name": "reports", "kind": "plan", "plan": "contoso-reports"}
    parts = [*DOCUMENT["components"], child]
    both = plan.checked({**DOCUMENT, "components": parts})
    row = {"component": "reports", "verb": "promote", "location": HERE, "outcome": end}
    told = {"load_plan": succeeded(plan=both.document, digest=both.digest)}
    run, _ = cancelled({"promote": [row]}, **told, promote_child=skipped("serves there"))
    orders = run.named("promote_child")
    assert [(one["verb"], one["location"]) for one in orders] == [("undo", LOST)]
    assert ("reports", "undo") in [(r["component"], r["verb"]) for r in done(run)["rows"]]


def test_what_the_target_remembers_is_carried_back_to_the_source():
    """Else the source would work again on what the target has worked on since."""
    row = {"verb": "transfer", "location": HERE, "outcome": "succeeded"}
    noted = {**NOTED, "quiesce": [{**row, "component": "ledger-window"}]}
    run, _ = cancelled(noted, transfer_workflow=succeeded())
    tasks = [(t["component"]["name"], t["location"]) for t in run.named("transfer_workflow")]
    assert tasks == [("ledger-window", LOST)]


def test_what_may_still_run_at_the_target_is_not_started_at_the_source():
    stuck = FENCED[0]

    def demote(task: dict) -> dict:
        return refused("409") if task["component"]["name"] == stuck else succeeded()

    run, register = cancelled(NOTED, demote_workflow=demote)
    assert stuck not in acted(run, "promote_workflow")
    rows = {(r["component"], r["verb"]): r for r in done(run)["rows"]}
    assert "may still run" in rows[stuck, "promote"]["because"]
    assert register.record["active"] == LOST
    assert stuck in run.named("alert")[-1]["because"]


def test_a_journal_that_could_not_be_written_is_named_and_paged():
    register = Register().claimed()
    register.say("cancel")
    told = {**paper("promote", 1), "by": "person", "facts": {"unnoted": ["fence"]}}
    run = Replay(stage, told, register.answers(), {"component": component}).run()
    output = done(run)
    assert "was not written down" in output["because"] and output["outcome"] == "cancelled"


def test_a_run_that_was_taken_up_undoes_what_it_did_before_too():
    register, taken = Register().claimed(), f"{RUN}-r1"
    register.record = {**register.record, "run": {**register.record["run"], "id": taken}}
    said = runs.Said(taken, "ada", "", START, "redirect", 30)
    register.put(runs.hear(register.record, "cancel", said))
    kept = {RUN: {"fence": NOTED["fence"]}, taken: {"activate": NOTED["activate"]}}
    told = {**paper("redirect", 1), "run": taken, "by": "person"}
    answers = register.answers(read_rows=lambda t: succeeded(stages=kept[t["run"]]))
    run = Replay(stage, told, answers, {"component": component}).run()
    assert sorted(acted(run, "demote_workflow")) == sorted(WOKEN)
    assert sorted(acted(run, "promote_workflow")) == sorted(FENCED)


def test_what_a_stage_did_is_noted_before_its_slip_goes_on():
    run = at("activate", Register().claimed()).run()
    names = [c.name for c in run.calls if c.name in ("note_rows", "send_slip")]
    assert names == ["note_rows", "send_slip"]
    rows = run.named("note_rows")[0]["rows"]
    assert sorted(row["component"] for row in rows) == sorted(WOKEN)


def test_what_a_repeat_found_done_is_noted_as_done_by_the_run():
    """The answer to the try before it was lost: an undo must know of what that has started."""
    tries: list[str] = []

    def promote(task: dict) -> dict:
        tries.append(task["component"]["name"])
        if tries.count(tries[-1]) == 1:
            raise ConnectionError("the answer was lost")
        return skipped("is so already")

    run = at("activate", Register().claimed(), promote_workflow=promote).run()
    rows = run.named("note_rows")[0]["rows"]
    assert {row["outcome"] for row in rows} == {"succeeded"} and len(rows) == len(WOKEN)


def test_what_does_not_start_again_is_tried_once_more_by_the_undo():
    tries: list[str] = []

    def promote(task: dict) -> dict:
        tries.append(task["component"]["name"])
        return refused("accepted, not shown") if tries.count(FENCED[0]) == 1 else succeeded()

    run, _ = cancelled(NOTED, promote_workflow=promote)
    assert tries.count(FENCED[0]) == 2 and "could not be undone" not in done(run)["because"]


def test_a_stage_behind_the_point_of_no_return_notes_nothing():
    assert not at("redirect", Register().claimed()).run().named("note_rows")


def test_a_graceful_run_that_is_forced_is_fenced_after_its_claim():
    register = Register("graceful")
    said = runs.Said(RUN, "ada", "it died", START, "redirect", 30)
    register.put(runs.hear(register.record, "switch", said))
    route = slip.ROUTES["graceful"][2:]
    told = {**paper("claim", None), "mode": "graceful", "by": "person", "route": route}
    run = Replay(stage, told, register.answers(), {"component": component}).run()
    sent = run.named("send_slip")[0]
    assert (sent["queue"], sent["slip"]["mode"]) == ("slip-fence", "forced")
