"""Orders for runs of Standard workflows: resubmitted or cancelled by the site's host, once."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from rehearsal.workflows import Workflows
from rehearsal.workflows_flow import Run
from rehearsal.world import Resource
from shared import flow_runs, ledger_orders, ledger_store
from tests.doors import HERE, THERE, Doors
from tests.test_flow_runs import (
    BROKEN,
    EPOCH,
    FLOW,
    HOSTS,
    NAME,
    OTHER,
    begun,
    begun_of,
    flow,
    freeze,
    kept,
    review,
    silence,
    sweep,
)
from tests.test_flow_runs import doors as doors
from tests.test_flow_runs import running as running
from tests.test_flow_runs import stopped as stopped
from tests.wire import check_exchanges

BY = {"by": "Ada", "comment": ""}


def path_of(doors: Doors, word: str, run: str = NAME) -> str:
    """Where ARM takes `word` for a run of the workflow at home."""
    tail = f"runs/{run}/cancel" if word == "drain" else f"triggers/manual/histories/{run}/resubmit"
    return f"{flow_runs.root(doors.plan.component(FLOW, THERE))}/{tail}"


def ordered(doors: Doors, word: str = "resubmit", runs: list[str] | None = None) -> None:
    """Look what runs at home, freeze that, see what became of it, and order `word`."""

    def enter(was: dict) -> dict:
        named = runs or [NAME]
        return ledger_orders.ordered(was, word, named, {}, BY, datetime.now(UTC))[0]

    review(doors)
    ledger_store.change("contoso", enter, epoch=EPOCH)
    doors.hold(epoch=EPOCH + 1, active=HERE, run=None)


def cut_off(doors: Doors, running: Workflows) -> None:
    """An order to resubmit a run that was in flight when its epoch ended, and has failed."""
    run = begun(doors, running)
    sweep(doors)
    freeze(doors)
    run.end("Failed", datetime.now(UTC))
    ordered(doors)


def settle(doors: Doors, epoch: int = EPOCH + 1) -> dict:
    witness = doors.plan.document["witness"]
    task = {"plan": "contoso", "run": f"contoso-ledger-{HERE}", "stage": "ledger", "of": EPOCH}
    task |= {"verb": "settle", "location": HERE, "epoch": epoch, "witness": witness}
    return doors.call("settle_orders", task)


def refusal(code: str, message: str) -> dict:
    """A 400 with these words."""
    return {"status": 400, "body": json.dumps({"error": {"code": code, "message": message}})}


FAILED = refusal("BadRequest", "Encountered an error (InternalServerError) from host runtime.")


def two(doors: Doors, running: Workflows, word: str) -> Run:
    """An order for a Standard run, the oldest, and one for another behind it; gives the other."""
    mine, other = begun(doors, running), begun_of(doors, running, OTHER)
    sweep(doors)
    freeze(doors)
    for run in (mine, other) if word == "resubmit" else ():
        run.end("Failed", datetime.now(UTC))
    ordered(doors, word, [NAME, other.name])
    first(NAME)
    return other


def begun_here(doors: Doors, running: Workflows, word: str) -> None:
    """An order `word` for a run that may have it."""
    run = begun(doors, running)
    sweep(doors)
    freeze(doors)
    if word == "resubmit":
        run.end("Failed", datetime.now(UTC))
    ordered(doors, word)


def order(run: str = NAME) -> dict:
    """The one order for a run, as it stands."""
    (found,) = [one for one in kept(EPOCH)["orders"].values() if one["run"] == run]
    return found


def asked(doors: Doors, since: int, word: str) -> int:
    return sum(f"/{word}?" in url for url in doors.sent(since, "POST"))


def aged() -> None:
    """Let the open intents be three minutes old."""
    past, held = (datetime.now(UTC) - timedelta(minutes=3)).isoformat(), kept(EPOCH)
    for one in held["orders"].values():
        one["at"] = past
    ledger_store.change("contoso", lambda was: held, epoch=EPOCH)


def changed(run: str, **facts: object) -> None:
    """Write something else into the one order for a run."""
    held, one = kept(EPOCH), order(run)
    held["orders"][ledger_orders.key(one["word"], run)] = {**one, **facts}
    ledger_store.change("contoso", lambda was: held, epoch=EPOCH)


def first(run: str) -> None:
    """Let the order for a run be the oldest of all."""
    changed(run, at=(datetime.now(UTC) - timedelta(minutes=9)).isoformat())


def sent_as_often_as_it_may() -> None:
    """Let the intent be an old one, and its request the last."""
    changed(NAME, sends=ledger_orders.SENDS_MAX)
    aged()


def begun_since(doors: Doors, running: Workflows) -> list[Run]:
    """The runs of the workflow at home but for the first."""
    return [run for run in running.flow(flow(doors, THERE)).runs if run.name != NAME]


# --- What is not done -----------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["resubmit", "drain"])
def test_a_run_that_the_host_does_not_know_is_not_found(
    doors: Doors, running: Workflows, word: str
) -> None:
    mark = doors.mark()
    reply = doors.wire.ask("POST", f"{path_of(doors, word, 'r9')}?api-version=2025-05-01")
    assert (reply.status_code, "r9" in reply.text) == (404, True)
    check_exchanges(doors.world.journal.after(mark))


def test_a_run_that_has_ended_is_not_cancelled(doors: Doors, running: Workflows) -> None:
    begun(doors, running).end("Failed", datetime.now(UTC))
    reply = doors.wire.ask("POST", f"{path_of(doors, 'drain')}?api-version=2025-05-01")
    assert reply.status_code == 409


def test_a_stale_epoch_sends_nothing(doors: Doors, running: Workflows) -> None:
    cut_off(doors, running)
    mark = doors.mark()
    assert settle(doors, EPOCH + 7)["status"] == "refused"
    assert asked(doors, mark, "resubmit") == 0


def test_a_run_that_is_gone_ends_its_order(doors: Doors, running: Workflows) -> None:
    cut_off(doors, running)
    running.flow(flow(doors, THERE)).runs.clear()
    settle(doors)
    assert (order()["state"], "could not be found" in order()["because"]) == ("refused", True)


def test_who_may_not_is_told_which_role_is_missing(doors: Doors, running: Workflows) -> None:
    cut_off(doors, running)
    silence(doors, "/resubmit", {"status": 403})
    settle(doors)
    assert (order()["state"], "infra/access.json" in order()["because"]) == ("refused", True)


@pytest.mark.parametrize("effect", [None, *BROKEN])
def test_a_host_that_cannot_say_keeps_its_order_and_holds_up_no_other(
    doors: Doors, running: Workflows, stopped: Resource, effect: dict | None
) -> None:
    other = two(doors, running, "resubmit")
    mark = doors.mark()
    if effect:
        silence(doors, HOSTS, effect)
    else:
        stopped.properties["state"] = "Stopped"
    assert settle(doors)["done"] == 1
    assert (order()["state"], order(other.name)["state"]) == ("wanted", "sent")
    assert asked(doors, mark, "resubmit") == 1


def test_a_host_that_fails_at_the_request_leaves_an_intent(
    doors: Doors, running: Workflows
) -> None:
    """Nobody can tell what it still did: the history decides, when it answers again."""
    cut_off(doors, running)
    doors.world.faults.add({"match": {"path": "/resubmit"}, "effect": FAILED, "times": 1})
    settle(doors)
    assert order()["state"] == "intended"
    aged()
    settle(doors)
    settle(doors)
    assert (order()["state"], len(begun_since(doors, running))) == ("sent", 1)


@pytest.mark.parametrize("word", ["resubmit", "drain"])
def test_a_true_no_ends_its_order_with_its_words(
    doors: Doors, running: Workflows, word: str
) -> None:
    """A host that has just told of the run runs: its 400 is about the request."""
    mark = doors.mark()
    begun_here(doors, running, word)
    silence(doors, "/(resubmit|cancel)", refusal("TriggerCannot", "This trigger cannot."))
    assert settle(doors)["done"] == 1
    assert (order()["state"], order()["because"]) == (
        "refused",
        "400 TriggerCannot: This trigger cannot.",
    )
    settle(doors)
    assert asked(doors, mark, "resubmit") + asked(doors, mark, "cancel") == 1


def test_an_order_whose_answer_is_unclear_holds_up_no_other(
    doors: Doors, running: Workflows
) -> None:
    """The oldest of them, of a site whose host fails at every request."""
    other = two(doors, running, "drain")
    silence(doors, path_of(doors, "drain"), FAILED)
    assert settle(doors)["done"] == 1
    assert (order()["state"], order(other.name)["state"]) == ("intended", "sent")


def test_requests_to_cancel_that_tell_nothing_end(doors: Doors, running: Workflows) -> None:
    mark = doors.mark()
    begun_here(doors, running, "drain")
    silence(doors, "/cancel", FAILED)
    for _ in range(ledger_orders.SENDS_MAX + 2):
        settle(doors)
        aged()
        settle(doors)
    assert (order()["state"], "look at the run history" in order()["because"]) == (
        "uncertain",
        True,
    )
    assert asked(doors, mark, "cancel") == ledger_orders.SENDS_MAX


def test_a_run_that_the_last_request_did_cancel_is_seen(doors: Doors, running: Workflows) -> None:
    begun_here(doors, running, "drain")
    lost = {"match": {"path": "/cancel"}, "effect": {"loseAnswer": True}, "times": 1}
    doors.world.faults.add(lost)
    settle(doors)
    sent_as_often_as_it_may()
    settle(doors)
    assert (order()["state"], order()["because"]) == (
        "refused",
        "it does not run any more: Cancelled",
    )


@pytest.mark.parametrize("status, state", [(404, "refused"), (403, "uncertain")])
def test_an_intent_of_which_no_history_is_shown_ends_and_holds_up_no_other(
    doors: Doors, running: Workflows, status: int, state: str
) -> None:
    """Its workflow has been deleted since, or may not be looked at; it is the oldest."""
    other = two(doors, running, "resubmit")
    silence(doors, path_of(doors, "resubmit"), FAILED)
    settle(doors)
    aged()
    silence(doors, f"{flow_runs.RUNTIME}/{FLOW}/runs$", {"status": status})
    settle(doors)
    assert (order()["state"], str(status) in order()["because"]) == (state, True)
    assert order(other.name)["state"] == "sent"


@pytest.mark.parametrize("answer", [{"status": 409}, {"status": 200, "body": "HTML"}])
def test_an_answer_that_makes_no_sense_keeps_its_order_alone(
    doors: Doors, running: Workflows, answer: dict
) -> None:
    other = two(doors, running, "drain")
    silence(doors, f"/runs/{NAME}$", answer)
    assert settle(doors)["done"] == 1
    assert (order()["state"], order(other.name)["state"]) == ("wanted", "sent")


def test_a_pause_that_arm_asks_for_ends_the_round(doors: Doors, running: Workflows) -> None:
    other = two(doors, running, "drain")
    silence(doors, f"/runs/{NAME}$", {"status": 429})
    assert settle(doors)["done"] == 0
    assert order(other.name)["state"] == "wanted"
