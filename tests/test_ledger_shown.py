"""What people see of the ledger, and what they may order."""

from shared import ledger_orders, ledger_views
from tests.replay import START
from tests.stories import EXCLUSIVE, LOST, PLAN
from tests.test_ledger import evidence, one, order


def offers(held: dict, active: str = "northeurope") -> dict[str, str | None]:
    view = ledger_views.evidence(held, PLAN, active)
    return {row["run"]: row["offer"] for row in view["abandoned"]}


def test_every_run_is_offered_what_may_be_done():
    held = evidence("r1", "r2", "r3", "r4", r1="Succeeded", r2="Failed", r3="Running")
    assert offers(held) == {"r1": None, "r2": "resubmit", "r3": "drain", "r4": None}


def test_what_was_ordered_is_not_offered_again():
    held, _ = order(evidence("r1", r1="Failed"), "resubmit")
    assert offers(held) == {"r1": None}


def test_of_what_was_ordered_it_is_said_how_that_stands():
    held, _ = order(evidence("r1", workflow=EXCLUSIVE[0], r1="Failed"), "resubmit", ["r1"])
    done = ledger_orders.moved(held, one(held), "sent", START, because="resubmitted")
    row = ledger_views.evidence(done, PLAN, "northeurope")["abandoned"][0]
    assert (row["offer"], row["because"]) == (None, "resubmit sent: resubmitted")


def test_an_exclusive_run_is_offered_where_its_plan_is_active_again():
    held = evidence("r1", workflow=EXCLUSIVE[0], r1="Failed")
    assert (offers(held)["r1"], offers(held, active=LOST)["r1"]) == (None, "resubmit")
