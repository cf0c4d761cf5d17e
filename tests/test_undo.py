"""What a cancelled run takes back, and what it leaves alone: through the SDK's own replay."""

import pytest

from orchestrations.component import component
from orchestrations.stages import stage
from shared import plan, runs, witness
from shared.outcome import refused, skipped, succeeded
from tests.registers import RUN, Register, at
from tests.replay import START, Replay
from tests.stories import DOCUMENT, HERE, LOST, PLAN, acted, done, paper

ALIAS = {
    "name": "orders-alias",
    "kind": "serviceBusAlias",
    "alias": "contoso-bus",
    "resource": "{resourceGroup}/providers/Microsoft.ServiceBus/namespaces/sb-orders-{short}",
}
STORE = "{resourceGroup}/providers/Microsoft.Storage/storageAccounts/stdocs{short}"
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


def test_what_starts_again_at_the_source_was_seen_stopped_at_the_target():
    """A target that was lost before may be back with what it ran then, which no run has started."""
    run, _ = cancelled({"fence": NOTED["fence"]})
    assert set(acted(run, "demote_workflow")) == set(FENCED) & set(PLAN.exclusive(HERE))
    assert sorted(acted(run, "promote_workflow")) == sorted(FENCED)


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


def test_a_run_that_was_taken_up_stops_what_another_has_started_meanwhile():
    """Between its halt and its being taken up a graceful run came, went, and started all here."""
    register, taken = Register().claimed(), f"{RUN}-r1"
    register.record = {**register.record, "run": {**register.record["run"], "id": taken}}
    said = runs.Said(taken, "ada", "", START, "redirect", 30)
    register.put(runs.hear(register.record, "cancel", said))
    told = {**paper("promote", 1), "run": taken, "by": "person"}
    kept = {RUN: {"fence": NOTED["fence"]}, taken: {}}
    answers = register.answers(read_rows=lambda t: succeeded(stages=kept[t["run"]]))
    run = Replay(stage, told, answers, {"component": component}).run()
    assert sorted(acted(run, "demote_workflow")) == sorted(PLAN.exclusive(HERE))
    assert sorted(acted(run, "promote_workflow")) == sorted(FENCED)


def test_what_has_no_way_back_is_named_where_a_run_was_cancelled_all_the_same():
    """A run that an older version carried, or a plan that has changed under it."""
    parts = [*DOCUMENT["components"], ALIAS]
    both = plan.checked({**DOCUMENT, "components": parts})
    row = {"component": "orders-alias", "verb": "promote", "location": HERE}
    told = {"load_plan": succeeded(plan=both.document, digest=both.digest)}
    run, register = cancelled({"promote": [{**row, "outcome": "succeeded"}]}, **told)
    assert register.record["active"] == LOST
    assert "1 could not be undone: orders-alias" in done(run)["because"]
    assert "orders-alias" in run.named("alert")[-1]["because"]


def test_what_has_no_way_back_brings_the_point_of_no_return_forward():
    both = plan.checked({**DOCUMENT, "components": [*DOCUMENT["components"], ALIAS]})
    assert (PLAN.no_return, both.no_return) == ("redirect", "promote")
    kept = {"name": "documents", "kind": "storageAccount", "failover": "none"}
    kept |= {"resource": STORE, "container": "docs"}
    still = plan.checked({**DOCUMENT, "components": [*DOCUMENT["components"], kept]})
    assert still.no_return == "redirect", "what is only read there is not moved"
