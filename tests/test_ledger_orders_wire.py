"""The ledger's orders at the wire: what is sent, and that it is sent once."""

from datetime import UTC, datetime, timedelta

from rehearsal.workflows import Workflows
from shared import ledger_orders, ledger_store
from tests.doors import HERE, Doors
from tests.history_doors import running as running
from tests.ledger_doors import EPOCH, SAID, begin, cut_off, freeze, kept, look, review, workflow
from tests.ledger_doors import fresh as fresh


def order(word: str = "resubmit") -> dict:
    answers: list[dict] = []

    def entered(was: dict) -> dict:
        changed, answer = ledger_orders.ordered(was, word, None, {}, SAID, datetime.now(UTC))
        answers.append(answer)
        return changed

    ledger_store.change("contoso", entered, epoch=EPOCH)
    return answers[0]


def settle(doors: Doors, **more: object) -> dict:
    task = {
        "plan": "contoso",
        "run": f"contoso-ledger-{HERE}",
        "stage": "ledger",
        "verb": "settle",
        "location": HERE,
        "epoch": EPOCH,
        "witness": doors.plan.document["witness"],
        "of": EPOCH,
    }
    return doors.call("settle_orders", {**task, **more})


def witnessed(doors: Doors) -> None:
    """The witness has its record."""
    asked = {"plan": "contoso", "witness": doors.plan.document["witness"]}
    assert doors.call("read_witness", asked)["status"] == "succeeded"


def requests(doors: Doors, since: int, word: str) -> int:
    return sum(word in url for url in doors.sent(since, "POST"))


def states() -> list[str]:
    return [one["state"] for one in kept()["orders"].values()]


def aged() -> None:
    """Let the open intents be three minutes old."""
    past = (datetime.now(UTC) - timedelta(minutes=3)).isoformat()
    held = kept()
    for one in held["orders"].values():
        one["at"] = past
    ledger_store.change("contoso", lambda was: held, epoch=EPOCH)


def intend(doors: Doors, running: Workflows) -> None:
    """Die between the intent and the request."""
    cut_off(doors, running)
    witnessed(doors)
    order()
    one = next(iter(kept()["orders"].values()))
    now = datetime.now(UTC)
    ledger_store.change("contoso", lambda was: ledger_orders.intended(was, one, now), epoch=EPOCH)


def test_a_stale_epoch_sends_nothing(doors: Doors, running: Workflows):
    cut_off(doors, running)
    witnessed(doors)
    order()
    mark = doors.mark()
    assert settle(doors, epoch=EPOCH + 7)["status"] == "refused"
    assert requests(doors, mark, "/resubmit") == 0


def test_a_resubmission_that_is_refused_ends_with_the_reason(doors: Doors, running: Workflows):
    cut_off(doors, running)
    witnessed(doors)
    order()
    effect = {"status": 403, "headers": {}}
    doors.world.faults.add({"match": {"path": "/resubmit"}, "effect": effect, "times": 1})
    settle(doors)
    one = next(iter(kept()["orders"].values()))
    assert (one["state"], "infra/access.json" in one["because"]) == ("refused", True)


def test_asked_twice_it_is_resubmitted_once(doors: Doors, running: Workflows):
    cut_off(doors, running)
    witnessed(doors)
    mark = doors.mark()
    assert len(order()["ordered"]) == 1
    settle(doors)
    assert len(order()["already"]) == 1
    settle(doors)
    assert (requests(doors, mark, "/resubmit"), states()) == (1, ["sent"])


def test_a_busy_arm_is_not_asked_again_in_the_same_round(doors: Doors, running: Workflows):
    cut_off(doors, running)
    witnessed(doors)
    order()
    mark = doors.mark()
    doors.world.faults.add({"match": {"path": "/resubmit"}, "effect": {"status": 429}, "times": 1})
    assert settle(doors)["done"] == 0
    assert (requests(doors, mark, "/resubmit"), states()) == (1, ["wanted"])


def test_a_disabled_workflow_is_resubmitted_too(doors: Doors, running: Workflows):
    cut_off(doors, running)
    witnessed(doors)
    workflow(doors).properties["state"] = "Disabled"
    order()
    settle(doors)
    workflow(doors).properties["state"] = "Enabled"
    assert states() == ["sent"]


def test_an_intent_whose_request_never_left_is_sent_once(doors: Doors, running: Workflows):
    intend(doors, running)
    mark = doors.mark()
    settle(doors)
    assert requests(doors, mark, "/resubmit") == 0  # It might still be on its way.
    aged()
    settle(doors)
    settle(doors)
    assert (requests(doors, mark, "/resubmit"), states()) == (1, ["sent"])


def test_a_resubmission_whose_answer_was_lost_is_not_sent_again(doors: Doors, running: Workflows):
    cut_off(doors, running)
    witnessed(doors)
    order()
    mark = doors.mark()
    late = {"match": {"path": "/resubmit"}, "effect": {"loseAnswer": True}, "times": 1}
    doors.world.faults.add(late)
    settle(doors)
    aged()
    settle(doors)
    settle(doors)
    assert requests(doors, mark, "/resubmit") == 1
    assert states() == ["sent"]


def test_a_run_that_still_runs_is_cancelled_once(doors: Doors, running: Workflows):
    name = begin(doors, running)
    look(doors)
    freeze(doors)
    review(doors)
    witnessed(doors)
    mark = doors.mark()
    assert order("drain")["ordered"] == [name]
    settle(doors)
    settle(doors)
    assert (requests(doors, mark, "/cancel"), states()) == (1, ["sent"])
    review(doors)
    assert kept()["found"][name]["status"] == "Cancelled"
