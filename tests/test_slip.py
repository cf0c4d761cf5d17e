"""A slip is trusted only after it was parsed; what is not one is named."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import slip
from tests.unhurried import UNHURRIED

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


def first(**changes: object) -> dict:
    made = slip.first(
        run="contoso-1-20261121T090000Z",
        plan="contoso",
        digest="a" * 64,
        mode="forced",
        source="westeurope",
        target="northeurope",
        reason="it is lost",
        by="watchdog in northeurope",
        now=NOW,
        facts={},
    )
    return {**made, **changes}


def check_bad(body: str | bytes, stage: str, words: str) -> None:
    with pytest.raises(slip.BadSlip) as bad:
        slip.parse(body, stage)
    assert words in bad.value.because


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"version": 2}, "version"),
        ({"version": "1"}, "version"),
        ({"kind": "party"}, "kind"),
        ({"run": "../../etc"}, "run"),
        ({"plan": "Contoso!"}, "plan"),
        ({"digest": "abc"}, "digest"),
        ({"mode": "gently"}, "mode"),
        ({"epoch": "1"}, "epoch"),
        ({"epoch": 0}, "epoch"),
        ({"requestedAt": "yesterday"}, "requestedAt"),
        ({"requestedAt": "2026-11-21T09:00:00"}, "requestedAt"),
        ({"by": ""}, "by"),
        ({"surprise": 1}, "surprise"),
        ({"facts": []}, "facts"),
        ({"facts": {str(n): n for n in range(41)}}, "facts"),
        ({"stage": "verify"}, "a slip for stage verify in the queue of claim"),
        ({"route": ["verify", "fence"]}, "is no way of a forced failover"),
        ({"route": []}, "is no way of a forced failover"),
        ({"to": "westeurope"}, "from and to are both westeurope"),
        ({"kind": "restore"}, "is no way of a forced restore"),
    ],
)
def test_a_malformed_slip_is_refused_by_field(changes: dict, words: str):
    check_bad(json.dumps(first(**changes)), "claim", words)


def test_a_slip_to_another_location_is_refused():
    with pytest.raises(slip.BadSlip, match="a slip to northeurope in a queue of westeurope"):
        slip.parse(json.dumps(first()), "claim", "westeurope")


def test_a_restore_that_names_no_backup_is_refused():
    made = first(kind="restore", stage="restore", route=[])
    check_bad(json.dumps(made), "restore", "names no backup")


@pytest.mark.parametrize("key", sorted(first()))
def test_a_missing_field_is_named(key: str):
    made = first()
    del made[key]
    check_bad(json.dumps(made), "claim", key)


@pytest.mark.parametrize("body", ["", "hello", "[]", "null", b"\xff\x00", "[" * 5000])
def test_what_is_no_slip_at_all_is_refused(body: str | bytes):
    check_bad(body, "claim", "")


def test_a_huge_message_is_refused_unread():
    check_bad(" " * 70_000, "claim", "70000 bytes")


def test_a_slip_past_claim_without_an_epoch_is_refused():
    onward = slip.onward(first(), {})
    check_bad(json.dumps(onward), "fence", "carries no epoch")


def test_the_first_slip_is_accepted():
    assert slip.parse(json.dumps(first()), "claim", "northeurope") == first()


def test_bytes_are_accepted():
    assert slip.parse(json.dumps(first()).encode(), "claim") == first()


def test_a_restore_slip_is_accepted():
    made = slip.restore(
        run="contoso-restore-1",
        plan="contoso",
        digest="a" * 64,
        source="westeurope",
        target="northeurope",
        by="timer",
        now=NOW,
        facts={"backup": "contoso-x"},
    )
    assert slip.parse(json.dumps(made), "restore") == made


def test_a_slip_travels_the_whole_route():
    paper: dict | None = {**first(), "epoch": 1}
    visited = []
    while paper is not None and len(visited) < 20:
        visited.append(slip.parse(json.dumps(paper), paper["stage"])["stage"])
        paper = slip.onward(paper, {f"{paper['stage']}At": NOW.isoformat()})
    assert visited == slip.ROUTES["forced"]


def test_facts_are_collected_on_the_way():
    onward = slip.onward(first(facts={"a": 1}), {"b": 2})
    assert onward is not None and onward["facts"] == {"a": 1, "b": 2}


def test_every_route_ends():
    assert slip.onward(first(stage="protect", route=[]), {}) is None


def test_message_and_instance_have_one_id():
    ids = (slip.message_id(first()), slip.instance_id(first()))
    assert ids == ("contoso-1-20261121T090000Z.claim",) * 2


def test_a_slip_waits_in_the_queue_of_its_stage():
    assert slip.queue(first()) == "slip-claim"


def test_every_stage_of_a_forced_run_has_its_queue():
    assert set(slip.ROUTES["forced"]) < set(slip.STAGES)


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=20)


@UNHURRIED
@given(st.dictionaries(st.text(max_size=10), scalars, max_size=20), st.text(max_size=1500))
def test_a_slip_is_read_back_as_it_was_written(facts: dict, reason: str):
    made = slip.first(
        run="r1",
        plan="contoso",
        digest="0" * 64,
        mode="forced",
        source="we",
        target="ne",
        reason=reason,
        by="a person",
        now=NOW,
        facts=facts,
    )
    assert slip.parse(json.dumps(made), "claim") == made


@UNHURRIED
@given(st.sampled_from(sorted(first())), scalars | st.lists(scalars))
def test_any_damage_is_either_harmless_or_named(key: str, value: object):
    try:
        assert slip.parse(json.dumps(first(**{key: value})), "claim")
    except slip.BadSlip as bad:
        assert bad.because
