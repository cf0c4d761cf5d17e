"""The ledger's round brings the standby's integration account up to date, a share at a time."""

from datetime import timedelta

from orchestrations.ledger import COPIES_MAX, ledger
from shared.outcome import refused, succeeded
from tests.b2b_estate import NAME, account_id, with_partners
from tests.replay import START, Replay
from tests.stories import HERE, LOST, PLAN, record

PARTNERS = with_partners(PLAN)


def asked(here: str = HERE, **mirrored: object) -> list[dict]:
    """What the mirror was told in one round."""
    answers = {
        "load_plan": succeeded(plan=PARTNERS.document, digest=PARTNERS.digest),
        "read_witness": succeeded(record=record()),
        "freeze_ledger": succeeded(ended=[]),
        "keep_ledger": succeeded(cursor=0, runs=0),
        "count_queues": succeeded(queues=0),
        "mirror_account": succeeded(**{"more": False, **mirrored}),
    }
    replay = Replay(ledger, {"plan": "contoso", "location": here}, answers)
    return replay.run(stop_at=START + timedelta(seconds=5)).named("mirror_account")


def test_where_the_plan_is_active_nothing_is_copied():
    assert asked(here=LOST) == []


def test_the_standby_copies_from_the_active_side():
    (told,) = asked()
    assert told["component"]["resource"] == account_id(PARTNERS, HERE)
    assert told["component"]["other"]["resource"] == account_id(PARTNERS, LOST)
    assert (told["verb"], told["location"], told["component"]["name"]) == ("mirror", HERE, NAME)


def test_what_is_left_is_copied_in_a_bounded_number_of_calls():
    assert len(asked(more=True)) == COPIES_MAX


def test_a_mirror_that_is_refused_ends_the_round_s_copies():
    assert len(asked(**refused("silent"))) == 1
