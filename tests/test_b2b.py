"""Integration accounts at the wire: refusals first, then copies, numbers, and what is not said."""

import json
from collections.abc import Iterator

import pytest

from activities import readiness
from rehearsal.providers import integration_account
from rehearsal.world import Resource
from shared import b2b, ledger, ledger_store
from shared.plan import BadPlan, Plan
from shared.stale import keeper
from tests import b2b_estate as estate
from tests.doors import HERE, THERE, Doors
from tests.wire import check_exchanges

STORE = "stcontosone"
X12, EDIFACT = "x12-fabrikam-ICN", "edifact-fabrikam-ICN"


@pytest.fixture
def plan(doors: Doors) -> Iterator[Plan]:
    """Partners in both locations, home's full and the standby's empty; no note, no ledger."""
    known = estate.with_partners(doors.plan)
    estate.lay(doors.world, known)
    doors.strangers.answers |= contents(doors, known)
    forget(doors)
    yield known
    estate.clear(doors.world, known)
    forget(doors)
    doors.drop("stcontosowitness", "understudy", "contoso.json")


def forget(doors: Doors) -> None:
    for name in doors.storage.names(STORE, "understudy"):
        if name.startswith(("ledger/", "b2b/")):
            doors.drop(STORE, "understudy", name)


def contents(doors: Doors, plan: Plan) -> dict[str, tuple[int, str]]:
    """What home's data plane answers for the links of its artifacts."""
    host = "prod-we.westeurope.logic.azure.com/integrationAccounts/ia-we"
    paths = ("schemas/order", "maps/to-order", "assemblies/tools")
    found = {p: estate.of(doors.world, plan, THERE, p) for p in paths}
    return {
        f"{host}/{path}/contents": (200, integration_account.content(row).decode())
        for path, row in found.items()
    }


def job(doors: Doors, plan: Plan, verb: str, location: str = HERE, **more: object) -> dict:
    """A Task of the run that holds the record, as orchestrations make it."""
    part = plan.component(estate.NAME, location)
    part["other"] = plan.component(estate.NAME, plan.other(location))
    witness = plan.document["witness"]
    task = {"plan": "contoso", "run": "run-1", "stage": "promote", "epoch": 1, "verb": verb}
    doors.hold()
    return {**task, "location": location, "component": part, "witness": witness, **more}


def mirror(doors: Doors, plan: Plan) -> dict:
    """One round of the standby's mirror, until there is nothing more to copy."""
    told = job(doors, plan, "mirror", run=keeper("contoso", "ledger", HERE), stage="ledger")
    doors.hold(epoch=0, active=THERE, run=None)
    return doors.call("mirror_account", {**told, "epoch": 0})


def checks(doors: Doors, plan: Plan, **more: object) -> dict[str, dict]:
    part = job(doors, plan, "check")["component"]
    told = {"plan": "contoso", "location": HERE, "away": THERE, "component": part, **more}
    outcome = doors.call("check_account", told)
    assert outcome["status"] == "succeeded", outcome
    return {one["name"]: one for one in outcome["checks"]}


def number(doors: Doors, plan: Plan, session: str = X12, location: str = HERE) -> str:
    return estate.sent_number(doors.world, plan, location, session)


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


# The bump


def test_a_failover_goes_on_with_numbers_that_nobody_has_seen(doors: Doors, plan: Plan) -> None:
    mirror(doors, plan)
    doors.world.lose(THERE)
    outcome = doors.call("promote_account", job(doors, plan, "promote"))
    assert outcome["status"] == "succeeded", outcome
    assert (number(doors, plan), number(doors, plan, EDIFACT)) == ("000002000", "1070")


def test_numbers_are_raised_once_in_an_epoch(doors: Doors, plan: Plan) -> None:
    mirror(doors, plan)
    task = job(doors, plan, "promote")
    doors.call("promote_account", task)
    mark = doors.mark()
    assert doors.call("promote_account", task)["status"] == "skipped"
    assert doors.sent(mark, "PUT") == [] and number(doors, plan) == "000002000"


def test_a_bump_whose_answer_was_lost_is_not_made_twice(doors: Doors, plan: Plan) -> None:
    mirror(doors, plan)
    task = job(doors, plan, "promote")
    fault = {"match": {"method": "PUT", "path": X12}, "effect": {"loseAnswer": True}, "times": 1}
    doors.world.faults.add(fault)
    doors.call("promote_account", task)
    assert doors.call("promote_account", task)["status"] == "skipped"
    assert number(doors, plan) == "000002000"


def test_what_the_new_side_has_sent_since_is_left_alone(doors: Doors, plan: Plan) -> None:
    mirror(doors, plan)
    task = job(doors, plan, "promote")
    doors.call("promote_account", task)
    session = estate.of(doors.world, plan, HERE, f"sessions/{X12}")
    session.properties["content"] = estate.number("000002345")
    assert doors.call("promote_account", task)["status"] == "skipped"
    assert number(doors, plan) == "000002345"


def test_a_copy_that_lands_late_is_raised_again(doors: Doors, plan: Plan) -> None:
    mirror(doors, plan)
    task = job(doors, plan, "promote")
    doors.call("promote_account", task)
    session = estate.of(doors.world, plan, HERE, f"sessions/{X12}")
    session.properties["content"] = estate.number("000001000")
    assert doors.call("verify_account", {**task, "verb": "verify"})["status"] == "refused"
    doors.call("promote_account", task)
    assert doors.call("verify_account", {**task, "verb": "verify"})["status"] == "succeeded"


def test_a_living_source_is_looked_at_once_more(doors: Doors, plan: Plan) -> None:
    mirror(doors, plan)
    session = estate.of(doors.world, plan, THERE, f"sessions/{X12}")
    session.properties["content"] = estate.number("000001900")
    doors.call("promote_account", job(doors, plan, "promote"))
    assert number(doors, plan) == "000002900"


def test_an_agreement_that_was_never_seen_sending_jumps_too(doors: Doors, plan: Plan) -> None:
    doors.world.resources.remove(estate.of(doors.world, plan, THERE, f"sessions/{X12}").id)
    mirror(doors, plan)
    doors.call("promote_account", job(doors, plan, "promote"))
    assert number(doors, plan) == "1001"


def test_a_dry_run_names_the_calls_and_sends_none(doors: Doors, plan: Plan) -> None:
    mirror(doors, plan)
    mark = doors.mark()
    seen = doors.call("observe_account", {**job(doors, plan, "promote"), "dryRun": True})
    urls = [call["url"].partition("/sessions/")[2] for call in seen["calls"]["promote"]]
    assert sorted(urls) == [f"{one}?api-version=2019-05-01" for one in (EDIFACT, X12)]
    assert seen["serving"] is False and "1000 further on" in seen["would"]
    assert doors.sent(mark, "PUT") == []


def test_a_number_that_rolls_over_goes_on_from_below() -> None:
    span = b2b.Range(1, 100, rolls=True)
    assert (span.bumped(95, 10), b2b.Range(1, 100).bumped(95, 10)) == (5, None)
    assert span.ahead(5, 95) and not span.ahead(95, 5)


# Readiness


def test_a_good_standby_passes_every_check(doors: Doors, plan: Plan) -> None:
    mirror(doors, plan)
    found = checks(doors, plan)
    assert {one["status"] for one in found.values()} == {"ok"}, found


def test_an_empty_standby_is_named(doors: Doors, plan: Plan) -> None:
    found = checks(doors, plan)
    assert found["artifacts"]["status"] == "fail"


def test_an_account_of_another_location_is_named(doors: Doors, plan: Plan) -> None:
    found = doors.world.resources.get(estate.account_id(plan, HERE))
    assert found is not None
    found.body["location"] = "westeurope"
    assert checks(doors, plan)["location"]["status"] == "fail"


def test_a_logic_app_linked_to_the_other_account_is_named(doors: Doors, plan: Plan) -> None:
    flow = doors.world.resources.get(plan.component("orders-intake", HERE)["resource"])
    assert flow is not None
    flow.properties["integrationAccount"] = {"id": estate.account_id(plan, THERE)}
    found = checks(doors, plan)["links"]
    flow.properties.pop("integrationAccount")
    assert found["status"] == "fail" and "orders-intake" in found["because"]


OTHERS = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg-contoso-global"


@pytest.fixture
def stranger(doors: Doors, plan: Plan) -> Iterator[Resource]:
    """A logic app of this location in another resource group, linked to home's account."""
    made = doors.world.resources.place(
        f"{OTHERS}/providers/Microsoft.Logic/workflows/edi-intake",
        {
            "location": HERE,
            "properties": {
                "state": "Disabled",
                "definition": {},
                "integrationAccount": {"id": estate.account_id(plan, THERE)},
            },
        },
    )
    yield made
    doors.world.resources.remove(made.id)


def test_a_link_across_is_named_in_every_group_of_the_plan_s_workflows(
    doors: Doors, plan: Plan, stranger: Resource
) -> None:
    assert checks(doors, plan)["links"]["status"] == "ok"
    found = checks(doors, plan, groups=[OTHERS])["links"]
    assert found["status"] == "fail" and "edi-intake" in found["because"]


def test_a_logic_app_of_the_other_location_may_use_the_other_account(
    doors: Doors, plan: Plan, stranger: Resource
) -> None:
    stranger.body["location"] = THERE
    assert checks(doors, plan, groups=[OTHERS])["links"]["status"] == "ok"


def test_a_group_whose_logic_apps_are_not_shown_is_named(doors: Doors, plan: Plan) -> None:
    gone = OTHERS.replace("global", "gone")
    found = checks(doors, plan, groups=[gone])["links"]
    assert found["status"] == "warn" and "rg-contoso-gone" in found["because"]


def test_readiness_names_the_groups_of_the_location_s_workflows(doors: Doors, plan: Plan) -> None:
    groups = readiness.flow_groups(plan, HERE)
    assert groups == [plan.component("orders-intake", HERE)["resource"].partition("/prov")[0]]


def test_another_tier_is_named(doors: Doors, plan: Plan) -> None:
    found = doors.world.resources.get(estate.account_id(plan, HERE))
    assert found is not None
    found.body["sku"] = {"name": "Basic"}
    assert checks(doors, plan)["tier"]["status"] == "fail"


def test_a_key_that_the_own_vault_lacks_is_named(doors: Doors, plan: Plan) -> None:
    mirror(doors, plan)
    doors.world.resources.remove(f"{estate.vault_id(plan, HERE)}/keys/signing")
    found = checks(doors, plan)["keys"]
    assert found["status"] == "fail" and "signing" in found["because"]


def test_numbers_beyond_the_bump_are_named(doors: Doors, plan: Plan) -> None:
    mirror(doors, plan)
    session = estate.of(doors.world, plan, THERE, f"sessions/{X12}")
    session.properties["content"] = estate.number("000002001")
    found = checks(doors, plan)["numbers"]
    assert found["status"] == "fail" and X12 in found["because"]


def test_a_silent_active_side_is_a_warning(doors: Doors, plan: Plan) -> None:
    mirror(doors, plan)
    doors.world.lose(THERE)
    assert checks(doors, plan)["artifacts"]["status"] == "warn"


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
