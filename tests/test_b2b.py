"""Integration accounts at the wire: refusals first, then the mirror, and what is not said."""

import json

import pytest

from rehearsal.providers import integration_account
from shared import ledger, ledger_store
from shared.plan import BadPlan, Plan
from shared.stale import keeper
from tests import b2b_estate as estate
from tests.b2b_doors import EDIFACT, X12, checks, contents, job, mirror, number
from tests.b2b_doors import plan as plan
from tests.doors import HERE, THERE, Doors
from tests.wire import check_exchanges

# Refusals


def test_no_account_is_refused_with_what_to_do(doors: Doors, plan: Plan) -> None:
    doors.world.resources.remove(estate.account_id(plan, HERE))
    outcome = doors.call("promote_account", job(doors, plan, "promote"))
    assert outcome["status"] == "refused" and "deploy it" in outcome["because"]


def test_a_locked_account_is_asked_again(doors: Doors, plan: Plan) -> None:
    fault = {"match": {"method": "PUT", "path": "sessions"}, "effect": {"status": 409}}
    doors.world.faults.add(fault)
    outcome = doors.call("promote_account", job(doors, plan, "promote"))
    assert outcome["status"] == "refused" and outcome["busy"] is True


def test_a_forbidden_account_names_the_role(doors: Doors, plan: Plan) -> None:
    fault = {"match": {"method": "GET", "path": "integrationAccounts"}, "effect": {"status": 403}}
    doors.world.faults.add(fault)
    outcome = doors.call("promote_account", job(doors, plan, "promote"))
    assert "give the app's identity the roles" in outcome["because"]


def test_an_agreement_without_numbers_left_is_named(doors: Doors, plan: Plan) -> None:
    mirror(doors, plan)
    told = job(doors, plan, "promote")
    told["component"]["bump"] = 100_000
    outcome = doors.call("promote_account", told)
    assert outcome["status"] == "refused" and EDIFACT in outcome["because"]
    assert number(doors, plan) == "000101000"


def test_a_mirror_of_what_has_begun_to_serve_sends_nothing(doors: Doors, plan: Plan) -> None:
    told = job(doors, plan, "mirror", run=keeper("contoso", "ledger", HERE), stage="ledger")
    doors.hold(epoch=0, active=HERE, run=None)
    mark = doors.mark()
    outcome = doors.call("mirror_account", {**told, "epoch": 0})
    assert outcome["stale"] is True and doors.sent(mark, "PUT") == []


def test_a_silent_active_side_leaves_what_was_copied(doors: Doors, plan: Plan) -> None:
    mirror(doors, plan)
    doors.world.lose(THERE)
    outcome = mirror(doors, plan)
    assert outcome["status"] == "refused" and "stays" in outcome["because"]
    assert number(doors, plan) == "000001000"


def test_a_key_without_a_vault_of_this_location_is_not_copied(doors: Doors, plan: Plan) -> None:
    bare = estate.with_partners(doors.plan, vaults={})
    outcome = mirror(doors, bare)
    assert any("names no vault" in one for one in outcome["stuck"])
    assert not any(path.startswith("certificates/") for path in outcome["copied"])


def test_a_content_that_does_not_answer_is_said_without_its_link(doors: Doors, plan: Plan) -> None:
    doors.strangers.answers = dict.fromkeys(doors.strangers.answers, (500, ""))
    outcome = mirror(doors, plan)
    assert "schemas/order: its content answered 500" in outcome["stuck"]
    assert "sig=" not in json.dumps(outcome)


def test_a_vault_that_is_none_is_no_plan(doors: Doors) -> None:
    with pytest.raises(BadPlan, match="vaults"):
        estate.with_partners(doors.plan, vaults={HERE: "kv-ne"})


# The mirror


def test_everything_is_copied_and_a_second_round_sends_nothing(doors: Doors, plan: Plan) -> None:
    first = mirror(doors, plan)
    mark = doors.mark()
    again = mirror(doors, plan)
    assert first["stuck"] == [] and len(first["copied"]) == len(estate.artifacts(plan)) + 4
    assert again["copied"] == [] and doors.sent(mark, "PUT") == []


def test_a_private_key_becomes_a_reference_into_the_own_vault(doors: Doors, plan: Plan) -> None:
    mirror(doors, plan)
    copied = estate.of(doors.world, plan, HERE, "certificates/signing").properties["key"]
    assert copied == {"keyName": "signing", "keyVault": {"id": estate.vault_id(plan, HERE)}}


def test_no_vault_is_ever_asked_for_more_than_names(doors: Doors, plan: Plan) -> None:
    mark = doors.mark()
    mirror(doors, plan)
    checks(doors, plan)
    assert [url for url in doors.sent(mark, "GET") if "vaults" in url.lower()] == []


def test_contents_arrive_as_they_were(doors: Doors, plan: Plan) -> None:
    mirror(doors, plan)
    schema = estate.of(doors.world, plan, HERE, "schemas/order")
    assembly = estate.of(doors.world, plan, HERE, "assemblies/tools")
    assert schema.properties["content"] == "<schema/>"
    assert integration_account.content(assembly) == b"\x00\x01\x02\x03\x04"


def test_what_changes_on_the_active_side_changes_here(doors: Doors, plan: Plan) -> None:
    mirror(doors, plan)
    estate.of(doors.world, plan, THERE, "maps/to-order").properties["content"] = "<new/>"
    doors.strangers.answers |= contents(doors, plan)
    assert mirror(doors, plan)["copied"] == ["maps/to-order"]


def test_a_declared_difference_is_left_alone(doors: Doors, plan: Plan) -> None:
    own = estate.with_partners(doors.plan, differences=["partners/fab*", "agreements/*"])
    copied = mirror(doors, own)["copied"]
    assert "partners/contoso" in copied and "partners/fabrikam" not in copied


def test_a_number_never_goes_back_in_a_mirror(doors: Doors, plan: Plan) -> None:
    mirror(doors, plan)
    estate.of(doors.world, plan, THERE, f"sessions/{X12}").properties["content"] = estate.number(
        "000000999"
    )
    assert mirror(doors, plan)["copied"] == []
    assert checks(doors, plan)["numbers"]["status"] == "warn"


def test_received_numbers_and_mics_are_copied_as_they_are(doors: Doors, plan: Plan) -> None:
    mirror(doors, plan)
    for session in ("X12-ICN-x12-fabrikam-000000007", "as2-mic-1"):
        copied = estate.of(doors.world, plan, HERE, f"sessions/{session}").properties["content"]
        assert copied == estate.SESSIONS[session]


def test_the_ledger_keeps_the_numbers_last_seen(doors: Doors, plan: Plan) -> None:
    ledger_store.change("contoso", lambda was: was | {}, new=ledger.fresh("contoso", 0, THERE))
    mirror(doors, plan)
    kept = ledger_store.read("contoso")
    assert kept is not None
    assert kept["b2b"][estate.NAME]["numbers"] == {X12: 1000, EDIFACT: 70}


# What is never said


def test_no_secret_of_an_account_is_ever_said(doors: Doors, plan: Plan) -> None:
    told = [mirror(doors, plan), checks(doors, plan)]
    task = job(doors, plan, "promote")
    told.append(doors.call("observe_account", {**task, "dryRun": True}))
    told += [doors.call(f"{verb}_account", task) for verb in ("promote", "observe", "verify")]
    assert estate.MARKER not in json.dumps(told)


def test_every_exchange_is_as_published(doors: Doors, plan: Plan) -> None:
    """But for agreements, whose tests here have no more in them than the numbers need."""
    mark = doors.mark()
    mirror(doors, plan)
    checks(doors, plan)
    doors.call("promote_account", job(doors, plan, "promote"))
    rows = doors.world.journal.after(mark)
    check_exchanges([row for row in rows if "/agreements" not in row["url"]])
