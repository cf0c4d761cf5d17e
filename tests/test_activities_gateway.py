"""The gateway activities and the APIM pipeline against ARM and Azurite."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from rehearsal.world import Resource
from shared import backups, guard
from shared.record import stamp
from shared.reply import Surprise
from shared.stale import keeper
from tests.doors import HERE, THERE, Doors
from tests.wire import check_exchanges

NAME = "contoso-20260101T000000Z-aaaaaaaa"
POLLS_MAX = 100
SERVING = {"epoch": 0, "active": THERE, "run": None}


@pytest.fixture(autouse=True)
def empty(doors: Doors) -> Iterator[None]:
    """Every test finds gateways at rest and no backups."""
    for name in doors.storage.names("stcontosone", "apim-backups"):
        doors.drop("stcontosone", "apim-backups", name)
    yield
    for location in (HERE, THERE):
        found = service(doors, location)
        found.body["sku"]["name"] = "Standard"
        found.properties["provisioningState"] = "Succeeded"


def service(doors: Doors, location: str) -> Resource:
    found = doors.world.resources.get(doors.plan.component("gateway", location)["resource"])
    assert found is not None
    return found


def job(doors: Doors, location: str = THERE, **more: object) -> dict:
    part = doors.plan.component("gateway", location)
    target = part["backups"][HERE]
    common = {"plan": "contoso", "component": part, "location": location, "target": target}
    return {**common, "backup": NAME, **more}


def backing_up(doors: Doors, **more: object) -> dict:
    """The order to back up the gateway that serves, while nothing is under way."""
    doors.hold(**SERVING)
    told = {"run": keeper("contoso", "backup", THERE), "stage": "backup", "verb": "backup"}
    told |= {"epoch": 0, "witness": doors.plan.document["witness"]}
    return {**told, **job(doors, THERE, **more)}


def restoring(doors: Doors, **held: object) -> dict:
    """The order to restore the standby's gateway, while nothing is under way but for `held`."""
    told = {**doors.task("gateway", "promote"), **job(doors, HERE)}
    doors.hold(**{"epoch": 0, "active": THERE, "run": None, **held})
    return {**told, "run": "restore-1", "stage": "restore", "epoch": None}


def settled(doors: Doors, outcome: dict) -> dict:
    """Ask until it is no longer running."""
    for _ in range(POLLS_MAX):
        if outcome["status"] != "running":
            break
        time.sleep(0.05)
        asked = doors.call("ask_operation", {"operation": outcome["operation"]})
        outcome = {**outcome, **asked} if asked["status"] == "running" else asked
    return outcome


def manifest(doors: Doors, age_days: int) -> dict:
    made = backups.manifest(
        plan="contoso",
        service=service(doors, THERE).id,
        sku="Standard",
        fingerprint="a" * 64,
        now=datetime.now(UTC) - timedelta(days=age_days),
    )
    return {**made, "completedAt": made["startedAt"], "bytes": 1}


def test_a_v2_tier_is_refused(doors: Doors) -> None:
    service(doors, THERE).body["sku"]["name"] = "StandardV2"
    outcome = doors.call("check_gateway", job(doors))
    assert "StandardV2, which has no backup" in outcome["because"]


def test_a_missing_container_is_refused_before_anything_begins(doors: Doors) -> None:
    target, mark = {"account": "stcontosone", "container": "nowhere"}, doors.mark()
    outcome = doors.call("begin_backup", backing_up(doors, target=target))
    assert "create the container" in outcome["because"]
    assert doors.sent(mark, "POST") == []


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ({"run": "run-1"}, "run-1 is under way"),
        ({"active": HERE}, f"{HERE} is active"),
        ({"epoch": 1}, "epoch moved"),
    ],
)
def test_a_backup_that_was_overtaken_sends_nothing(doors: Doors, held: dict, words: str) -> None:
    """The gateway was looked at for minutes, and meanwhile somebody moved."""
    order, mark = backing_up(doors), doors.mark()
    run = {"id": "run-1", "phase": "requested", "at": stamp(datetime.now(UTC)), "paused": False}
    run |= {"from": THERE, "to": HERE, "mode": "forced", "approval": None, "cancel": None}
    run |= {"by": "test", "reason": "", "because": ""}
    doors.hold(**{**SERVING, **held, "run": run if "run" in held else None})
    outcome = doors.call("begin_backup", order)
    assert (outcome["status"], outcome["stale"]) == ("refused", True)
    assert words in outcome["because"] and doors.sent(mark, "POST") == []


def test_a_backup_is_weighed_right_before_the_request_that_begins_it(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy resource manager asks us to come again, and a run claims meanwhile."""
    monkeypatch.setattr(guard, "AGE_SECONDS_MAX", 0.0)
    order, mark = backing_up(doors), doors.mark()
    busy = {"status": 429, "headers": {"Retry-After": "1"}}
    doors.world.faults.add({"match": {"method": "POST"}, "effect": busy, "times": 1})
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(doors.call, "begin_backup", order)
        while doors.world.faults.rows and not asked.done():
            threading.Event().wait(0.01)
        doors.hold(**{**SERVING, "epoch": 1, "active": HERE})
        assert asked.result()["stale"]
    assert len(doors.sent(mark, "POST")) == 1


def test_without_the_witness_no_backup_begins(doors: Doors) -> None:
    order, mark = backing_up(doors), doors.mark()
    order["witness"] = {
        **order["witness"],
        "blobServiceUri": "https://nobody.blob.core.windows.net",
    }
    with pytest.raises(Surprise, match="epoch cannot be read"):
        doors.call("begin_backup", order)
    assert doors.sent(mark, "POST") == []


def test_restoring_what_is_not_there_is_refused(doors: Doors) -> None:
    assert "make a new backup" in doors.call("begin_restore", restoring(doors))["because"]


def test_a_gateway_that_has_become_the_active_one_is_not_restored_over(doors: Doors) -> None:
    mark = doors.mark()
    outcome = doors.call("begin_restore", restoring(doors, epoch=1, active=HERE))
    assert outcome["stale"] and doors.sent(mark, "POST") == []


def test_a_restore_onto_another_tier_is_refused_with_what_to_do(doors: Doors) -> None:
    assert settled(doors, doors.call("begin_backup", backing_up(doors)))["status"] == "succeeded"
    service(doors, HERE).body["sku"]["name"] = "Basic"
    outcome = settled(doors, doors.call("begin_restore", restoring(doors)))
    assert "same tier" in outcome["because"]


def test_a_firewall_that_refuses_is_named_with_what_to_do(doors: Doors) -> None:
    accounts = doors.world.resources.of_type("Microsoft.Storage/storageAccounts")
    account = next(row for row in accounts if row.name == "stcontosone")
    kept = account.properties["networkAcls"]
    account.properties["networkAcls"] = {"defaultAction": "Deny", "bypass": "None"}
    outcome = settled(doors, doors.call("begin_backup", backing_up(doors)))
    account.properties["networkAcls"] = kept
    assert "storage firewall" in outcome["because"]


def test_an_operation_of_another_host_gets_no_token(doors: Doors) -> None:
    with pytest.raises(Exception, match="is not the resource manager"):
        doors.call("ask_operation", {"operation": "https://elsewhere.example.net/op"})


def test_a_backup_whose_202_was_lost_is_recognised(doors: Doors) -> None:
    first = doors.call("begin_backup", backing_up(doors))
    again = doors.call("begin_backup", backing_up(doors))
    assert (first["status"], again["status"], again["adopted"]) == ("running", "running", True)
    assert settled(doors, again)["status"] == "succeeded"


def test_a_backup_that_is_there_is_not_made_again(doors: Doors) -> None:
    settled(doors, doors.call("begin_backup", backing_up(doors)))
    mark = doors.mark()
    assert doors.call("begin_backup", backing_up(doors))["status"] == "succeeded"
    assert doors.sent(mark, "POST") == []


def test_a_backup_leaves_a_blob_with_bytes(doors: Doors) -> None:
    settled(doors, doors.call("begin_backup", backing_up(doors)))
    assert doors.call("verify_backup_blob", job(doors))["bytes"] > 100


def test_a_fingerprint_changes_with_the_configuration(doors: Doors) -> None:
    first = doors.call("fingerprint_gateway", job(doors))
    same = doors.call("fingerprint_gateway", job(doors))
    named = doors.world.resources.get(f"{service(doors, THERE).id}/namedValues/currency")
    assert named is not None
    named.properties["value"] = "SEK"
    changed = doors.call("fingerprint_gateway", job(doors))
    named.properties["value"] = "EUR"
    assert first["fingerprint"] == same["fingerprint"] != changed["fingerprint"]
    assert first["items"] > 50


def test_backup_restore_overlay_and_comparison_agree(doors: Doors) -> None:
    settled(doors, doors.call("begin_backup", backing_up(doors)))
    settled(doors, doors.call("begin_restore", restoring(doors)))
    task = doors.task("gateway", "promote")
    foreign = doors.call("verify_gateway", task)
    assert "still points at the other location" in foreign["because"]
    assert settled(doors, doors.call("promote_gateway", task))["status"] == "succeeded"
    assert doors.call("observe_gateway", task)["serving"] is True
    assert doors.call("promote_gateway", task)["status"] == "skipped"
    assert doors.call("verify_gateway", task)["status"] == "succeeded"
    other = doors.plan.component("gateway", THERE)
    assert doors.call("compare_gateways", job(doors, HERE, other=other))["differences"] == []
    doors.world.resources.remove(f"{service(doors, HERE).id}/products/starter")
    missing = doors.call("compare_gateways", job(doors, HERE, other=other))
    assert "products/starter is missing" in missing["because"]


def test_a_gateway_that_is_being_restored_says_so_and_asks_for_patience(doors: Doors) -> None:
    doors.world.resources.remove(f"{service(doors, HERE).id}/namedValues/region")
    fault = {"match": {"method": "PUT", "path": "namedValues"}, "effect": {"status": 409}}
    doors.world.faults.add(fault)
    outcome = doors.call("promote_gateway", doors.task("gateway", "promote"))
    assert outcome["busy"] is True and "perhaps restored" in outcome["because"]


def test_a_secret_of_an_overlay_is_compared_by_its_value(doors: Doors) -> None:
    """It is shown without one; the role that acts may ask for it."""
    task = doors.task("gateway", "promote")
    settled(doors, doors.call("promote_gateway", task))
    named = doors.world.resources.get(f"{service(doors, HERE).id}/namedValues/region")
    assert named is not None
    named.properties["secret"] = True
    assert doors.call("promote_gateway", task)["status"] == "skipped"
    named.properties["value"] = "elsewhere"
    assert doors.call("observe_gateway", task)["serving"] is False
    doors.world.resources.remove(named.id)


def test_a_gateway_that_does_not_answer_its_probe_is_refused(doors: Doors) -> None:
    task = doors.task("gateway", "verify")
    doors.strangers.answers["apim-contoso-ne.azure-api.net/orders/health"] = (500, "")
    assert "answered 500" in doors.call("verify_gateway", task)["because"]


def test_pruning_spares_the_last_proven_backup(doors: Doors) -> None:
    old, older = manifest(doors, 40), manifest(doors, 50)
    old["provenAt"] = old["completedAt"]
    for one in (old, older):
        doors.call("write_manifest", job(doors, manifest=one))
        doors.lay("stcontosone", "apim-backups", one["name"], b"x")
    outcome = doors.call("prune_backups", job(doors, keepDays=25, keepCount=10))
    assert outcome["deleted"] == [older["name"]]
    left = doors.storage.names("stcontosone", "apim-backups")
    assert left == [old["name"], f"{old['name']}.json"]


def test_a_proof_stands_in_the_manifest(doors: Doors) -> None:
    made = manifest(doors, 1)
    doors.call("write_manifest", job(doors, manifest=made))
    doors.call("mark_proven", job(doors, manifest=made, because="equal"))
    listed = doors.call("list_manifests", job(doors))["manifests"]
    assert [one["provenBecause"] for one in listed] == ["equal"]


def test_a_difference_stands_in_the_manifest_until_a_proof(doors: Doors) -> None:
    made = manifest(doors, 1)
    doors.call("write_manifest", job(doors, manifest=made))
    doors.call("mark_unproven", job(doors, manifest=made, because="an API is missing"))
    listed = doors.call("list_manifests", job(doors))["manifests"]
    assert [(one["provenAt"], one["provenBecause"]) for one in listed] == [
        (None, "an API is missing")
    ]
    doors.call("mark_proven", job(doors, manifest=made, because="equal"))
    late = doors.call("mark_unproven", job(doors, manifest=made, because="late"))
    assert late["status"] == "skipped"


def test_what_the_pipeline_asks_of_arm_is_as_microsoft_publishes_it(doors: Doors) -> None:
    mark = doors.mark()
    doors.call("check_gateway", job(doors))
    settled(doors, doors.call("begin_backup", backing_up(doors)))
    settled(doors, doors.call("begin_restore", restoring(doors)))
    settled(doors, doors.call("promote_gateway", doors.task("gateway", "promote")))
    doors.call("fingerprint_gateway", job(doors))
    doors.call("promote_traffic", doors.task("front", "promote", THERE))
    doors.call("promote_traffic", doors.task("front", "promote"))
    doors.call("promote_workflow", doors.task("stock-sync", "promote"))
    doors.call("demote_workflow", doors.task("stock-sync", "demote"))
    check_exchanges(doors.world.journal.after(mark))
    assert len(doors.sent(mark, "POST")) == 4
