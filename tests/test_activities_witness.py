"""The witness and the plans against Azurite: who may change the record, and what survives."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from shared import blobs, store
from shared.reply import Surprise
from tests.doors import HERE, THERE, Doors
from tests.papers import paper_of
from tests.patience import silent

WITNESS, RECORD = "stcontosowitness", "contoso.json"
PLAN = "plans/contoso.yaml"


@pytest.fixture(autouse=True)
def new(doors: Doors) -> Iterator[None]:
    """Every test finds the good plan and no record."""
    doors.drop(WITNESS, "understudy", RECORD)
    yield
    doors.lay("stcontosone", "understudy", PLAN, doors.plan_text.encode())


def paper(doors: Doors, run: str = "contoso-1-a", epoch: int | None = None) -> dict:
    return paper_of(doors, run, epoch=epoch)


def change(doors: Doors, name: str, slip_of: dict, **more: object) -> dict:
    return doors.call(name, {"slip": slip_of, "witness": doors.plan.document["witness"], **more})


def read(doors: Doors) -> dict:
    asked = {"plan": "contoso", "witness": doors.plan.document["witness"]}
    return doors.call("read_witness", asked)


def test_a_record_that_is_not_one_is_refused_with_what_is_wrong(doors: Doors) -> None:
    doors.lay(WITNESS, "understudy", RECORD, b'{"version": 1}')
    assert "witness blob of contoso" in read(doors)["because"]


def test_a_missing_container_is_refused_with_what_to_do(doors: Doors) -> None:
    known = {**doors.plan.document["witness"], "container": "nowhere"}
    outcome = doors.call("read_witness", {"plan": "contoso", "witness": known})
    assert "create the container" in outcome["because"]


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_witness_that_is_busy_is_asked_again_and_is_no_refusal(doors: Doors, status: int) -> None:
    doors.strangers.answers["alerts.example.net/understudy/contoso.json"] = (status, "{}")
    busy = {**doors.plan.document["witness"], "blobServiceUri": "https://alerts.example.net"}
    with pytest.raises(Surprise, match=str(status)):
        payload = {"slip": paper(doors), "witness": busy, "phase": "fence"}
        doors.call("advance_run", payload)


def test_a_second_run_is_refused_while_one_is_reserved(doors: Doors) -> None:
    change(doors, "reserve_run", paper(doors))
    outcome = change(doors, "reserve_run", paper(doors, "contoso-1-b"))
    assert outcome["status"] == "refused"
    assert "contoso-1-a" in outcome["because"]


def test_a_run_whose_epoch_moved_may_not_go_on(doors: Doors) -> None:
    change(doors, "reserve_run", paper(doors))
    change(doors, "claim_epoch", paper(doors))
    outcome = change(doors, "advance_run", paper(doors, epoch=7), phase="promote")
    assert "epoch moved" in outcome["because"]


def test_the_first_read_writes_the_first_record(doors: Doors) -> None:
    assert read(doors)["record"]["active"] == THERE


def test_claiming_twice_takes_one_epoch(doors: Doors) -> None:
    change(doors, "reserve_run", paper(doors))
    change(doors, "claim_epoch", paper(doors))
    again = change(doors, "claim_epoch", paper(doors))
    assert (again["record"]["epoch"], again["record"]["active"]) == (1, HERE)


def test_a_repeat_after_a_lost_answer_writes_nothing(doors: Doors) -> None:
    first = change(doors, "reserve_run", paper(doors))
    assert change(doors, "reserve_run", paper(doors))["etag"] == first["etag"]


def test_a_finished_run_leaves_the_record_quiet(doors: Doors) -> None:
    change(doors, "reserve_run", paper(doors))
    change(doors, "claim_epoch", paper(doors))
    done = change(doors, "finish_run", paper(doors, epoch=1), quietMinutes=30)
    assert (done["record"]["run"], bool(done["record"]["quietUntil"])) == (None, True)


def test_the_standby_cannot_renew_the_lease(doors: Doors) -> None:
    payload = {"plan": "contoso", "location": HERE, "witness": doors.plan.document["witness"]}
    assert doors.call("renew_lease", payload)["status"] == "refused"


def test_a_refused_renewal_says_the_storage_services_time(doors: Doors) -> None:
    """The heartbeat judges by it the run for which it was refused."""
    payload = {"plan": "contoso", "location": HERE, "witness": doors.plan.document["witness"]}
    told = doors.call("renew_lease", payload)["serverTime"]
    assert abs((datetime.fromisoformat(told) - datetime.now(UTC)).total_seconds()) < 5


def test_the_active_location_renews_its_lease(doors: Doors) -> None:
    payload = {"plan": "contoso", "location": THERE, "witness": doors.plan.document["witness"]}
    renewed = doors.call("renew_lease", payload)
    left = datetime.fromisoformat(renewed["record"]["leaseUntil"]) - datetime.now(UTC)
    lease = payload["witness"]["leaseSeconds"]
    assert lease - 5 < left.total_seconds() < lease + 2


def test_a_renewal_gives_up_on_a_hanging_witness_well_before_half_a_lease(doors: Doors) -> None:
    known = doors.plan.document["witness"]
    doors.call("renew_lease", {"plan": "contoso", "location": THERE, "witness": known})
    payload = {"plan": "contoso", "location": THERE, "witness": known}
    with silent(doors, "swedencentral", seconds=known["leaseSeconds"] / 2):
        assert doors.call("renew_lease", payload)["status"] == "refused"


def test_a_write_over_a_changed_blob_is_not_done(doors: Doors) -> None:
    place = blobs.Place("https://stcontosowitness.blob.core.windows.net", "understudy")
    etag = place.put("other.json", b"1")
    place.put("other.json", b"2")
    assert place.put("other.json", b"3", expect=etag) is None
    assert place.put("other.json", b"4", expect=blobs.NEW) is None


def test_an_unknown_plan_is_refused(doors: Doors) -> None:
    assert "no plan nobody" in doors.call("load_plan", {"plan": "nobody"})["because"]


def test_a_version_never_seen_is_refused(doors: Doors) -> None:
    outcome = doors.call("load_plan", {"plan": "contoso", "digest": "0" * 64})
    assert "lay the same plan in both locations" in outcome["because"]


def test_a_bad_new_plan_leaves_the_last_good_one_in_force(doors: Doors) -> None:
    good = doors.call("load_plan", {"plan": "contoso"})
    doors.lay("stcontosone", "understudy", PLAN, b"name: contoso\nhome: nowhere\n")
    outcome = doors.call("load_plan", {"plan": "contoso"})
    assert outcome["digest"] == good["digest"]
    assert outcome["stale"] != []


def test_a_pinned_version_outlives_a_newer_one(doors: Doors) -> None:
    old = doors.call("load_plan", {"plan": "contoso"})["digest"]
    newer = doors.plan_text.replace("quietMinutes: 30", "quietMinutes: 31")
    doors.lay("stcontosone", "understudy", PLAN, newer.encode())
    assert doors.call("load_plan", {"plan": "contoso"})["plan"]["quietMinutes"] == 31
    pinned = doors.call("load_plan", {"plan": "contoso", "digest": old})
    assert pinned["plan"]["quietMinutes"] == 30


def test_the_stores_plans_are_listed_by_name(doors: Doors) -> None:
    assert store.plan_names() == ["contoso"]


def test_the_watch_state_is_kept(doors: Doors) -> None:
    doors.call("write_watch", {"watch": {"plan": "contoso", "rounds": 3}})
    assert doors.call("read_watch", {"plan": "contoso"})["watch"]["rounds"] == 3


def test_a_plan_nobody_watched_has_no_watch_state(doors: Doors) -> None:
    assert doors.call("read_watch", {"plan": "nobody"})["status"] == "refused"


def test_a_slip_sent_twice_arrives_once(doors: Doors) -> None:
    order = {"slip": paper(doors), "queue": "slip-claim", "location": HERE}
    doors.call("send_slip", order)
    doors.call("send_slip", order)
    counted = doors.wire.run(doors.buses.counts("sb-contoso-ne", "slip-claim"))
    assert counted["messageCount"] == 1


def test_a_message_that_is_no_slip_is_kept_with_its_reason(doors: Doors) -> None:
    kept = {"because": "not JSON", "body": "{", "messageId": "kept-once", "queue": "slip-claim"}
    doors.call("poison_slip", json.loads(json.dumps(kept)))
    counted = doors.wire.run(doors.buses.counts("sb-contoso-ne", "slip-poison"))
    doors.empty("slip-poison")
    assert counted["messageCount"] == 1
