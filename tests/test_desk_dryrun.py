"""A dry run changes nothing, and names the very calls that the activities then make."""

import copy
import json
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from activities import desk_orders
from shared.kinds import KINDS
from tests.doors import HERE, THERE, Doors

WITNESS, RECORD = "stcontosowitness", "contoso.json"
DRY = {"mode": "forced", "reason": "rehearse", "dryRun": True}
# `observe_gateway` asks for a secret's value by POST, and changes nothing.
READS = ("GET", "HEAD")


@pytest.fixture(autouse=True)
def unmoved(doors: Doors) -> Iterator[None]:
    """The world is afterwards as it was before: the other tests' Contoso is the same one."""
    doors.drop(WITNESS, "understudy", RECORD)
    for location in (HERE, THERE):  # Both take callers, as in the estate: the traffic is to move.
        resource = doors.plan.component("front", location)["resource"]
        endpoint = doors.world.resources.get(f"{resource}/externalEndpoints/{location}")
        assert endpoint is not None
        endpoint.properties["endpointStatus"] = "Enabled"
    before = {one.id: copy.deepcopy(one.body) for one in doors.world.resources}
    yield
    for one in list(doors.world.resources):
        if one.id not in before:
            doors.world.resources.remove(one.id)
    for id, body in before.items():
        doors.world.resources.place(id, body)


def dry_run(**more: object) -> dict:
    text = json.dumps({**DRY, **more}).encode()
    status, body, *_ = desk_orders.order_failover("contoso", text, None)
    assert status == 200
    return body


def written(doors: Doors, since: int) -> list[tuple[str, str]]:
    """(method, path with query) of every ARM request after a journal row that changes something."""
    found = []
    for row in doors.world.journal.after(since):
        url = urlsplit(row["url"])
        if row["method"] not in READS and not url.path.endswith("/listValue"):
            found.append((row["method"], f"{url.path}?{url.query}"))
    return found


def named(body: dict) -> list[tuple[str, str]]:
    """The same of a dry run's ARM calls; hooks are no ARM."""
    return [(c["method"], c["url"]) for c in body["calls"] if c["url"].startswith("/")]


def carry_out(doors: Doors, body: dict) -> None:
    """Do what a run does for each difference, in its order, and until each has settled."""
    for act in body["differences"]:
        verbs = KINDS[act["kind"]]
        # The gateway's pipeline is an orchestration of its own.
        verb = verbs[act["verb"]].activity if act["verb"] in verbs else "call_hook"
        if verb == "call_hook":
            continue
        task = {**doors.task(act["component"], act["verb"], act["location"])}
        if act["verb"] == "transfer":
            away = doors.plan.other(act["location"])
            task["component"]["source"] = doors.plan.component(act["component"], away)["resource"]
        outcome = doors.call(verb, {**task, "stage": act["stage"]})
        assert outcome["status"] in ("succeeded", "skipped", "running"), outcome["because"]
        for _ in range(100):
            if outcome["status"] != "running":
                break
            time.sleep(0.05)
            outcome = doors.call("ask_operation", {"operation": outcome["operation"]})


def state(doors: Doors, name: str, location: str, value: str) -> None:
    found = doors.world.resources.get(doors.plan.component(name, location)["resource"])
    assert found is not None
    found.properties["state"] = value


def test_a_dry_run_writes_nothing_to_arm(doors: Doors) -> None:
    mark = doors.mark()
    dry_run()
    assert written(doors, mark) == []


def test_a_dry_run_leaves_the_record_as_it_is(doors: Doors) -> None:
    asked = {"plan": "contoso", "witness": doors.plan.document["witness"]}
    before = doors.call("read_witness", asked)
    dry_run()
    assert doors.call("read_witness", asked)["etag"] == before["etag"]


def test_a_dry_run_sends_no_slip(doors: Doors) -> None:
    before = doors.wire.run(doors.buses.counts("sb-contoso-ne", "slip-claim"))
    dry_run()
    assert doors.wire.run(doors.buses.counts("sb-contoso-ne", "slip-claim")) == before


@pytest.mark.parametrize("mode", ["forced", "graceful"])
def test_a_dry_run_names_the_calls_that_are_then_made_in_their_order(
    doors: Doors, mode: str
) -> None:
    state(doors, "nightly-invoices", THERE, "Enabled")
    state(doors, "nightly-invoices", HERE, "Disabled")
    body, mark = dry_run(mode=mode), doors.mark()
    carry_out(doors, body)
    assert named(body) != []
    assert written(doors, mark) == named(body)


def test_a_dry_run_after_the_fact_names_nothing_more(doors: Doors) -> None:
    carry_out(doors, dry_run(to=HERE))
    assert named(dry_run(to=HERE)) == []


def test_only_what_differs_is_called(doors: Doors) -> None:
    state(doors, "nightly-invoices", HERE, "Enabled")
    rows = {(d["component"], d["verb"]): d for d in dry_run()["differences"]}
    row = rows["nightly-invoices", "promote"]
    assert (row["calls"], row["would"]) == ([], "stay as it is")


def test_a_dry_run_leaves_both_storages_as_they_are(doors: Doors) -> None:
    def blobs() -> list[tuple]:
        found = []
        for account in ("stcontosone", "stcontosowe", WITNESS):
            with doors.storage.client(account) as service:
                for box in service.list_containers():
                    held = service.get_container_client(box.name).list_blobs()
                    found += [(account, box.name, one.name, one.etag) for one in held]
        return found

    dry_run()
    before = blobs()
    dry_run()
    assert blobs() == before


def test_a_dry_run_is_told_in_words_to_who_asks_for_them(doors: Doors) -> None:
    text = json.dumps(DRY).encode()
    status, said, headers = desk_orders.order_failover("contoso", text, None, "text/plain")
    assert (status, headers) == (200, {"Content-Type": "text/plain"})
    assert "promote nightly-invoices in northeurope" in said
    assert f"RTO {dry_run()['forecast']['rtoSeconds']:g} s" in said


def test_the_hooks_of_the_plan_are_named(doors: Doors) -> None:
    hooks = [c for c in dry_run()["calls"] if not c["url"].startswith("/")]
    assert hooks == [{"method": "GET", "url": "https://contoso.trafficmanager.net/orders/health"}]


def test_a_value_of_the_overlay_is_not_shown(doors: Doors) -> None:
    gateway = doors.plan.component("gateway", HERE)["resource"]
    doors.world.resources.remove(f"{gateway}/namedValues/region")
    puts = [c for c in dry_run()["calls"] if "/namedValues/" in c["url"]]
    assert [c["body"]["properties"]["value"] for c in puts] == ["(from the plan)"]


def test_a_dry_run_tells_whether_it_would_be_allowed(doors: Doors) -> None:
    doors.drop("stcontosowitness", "understudy", "contoso.json")
    body = dry_run(to=THERE)
    assert (body["allowed"], "active in westeurope already" in body["because"]) == (False, True)


def test_a_graceful_dry_run_names_what_is_stopped_before_the_claim(doors: Doors) -> None:
    told = dry_run(mode="graceful", to=HERE)
    stopped = [d for d in told["differences"] if d["stage"] == "quiesce"]
    assert {(d["verb"], d["location"]) for d in stopped} == {("demote", THERE), ("transfer", HERE)}


def test_a_graceful_dry_run_names_whose_memory_is_carried_over(doors: Doors) -> None:
    row = carried(dry_run(mode="graceful", to=HERE))["nightly-invoices"]
    assert (row["stage"], row["location"]) == ("quiesce", HERE)
    source = doors.plan.component("nightly-invoices", THERE)["resource"]
    told = [one["body"]["source"]["id"] for one in row["calls"]]
    assert told == [f"{source}/triggers/every_night"]


def test_a_workflow_that_runs_already_takes_no_memory_over(doors: Doors) -> None:
    state(doors, "nightly-invoices", HERE, "Enabled")
    row = carried(dry_run(mode="graceful", to=HERE))["nightly-invoices"]
    assert (row["calls"], row["would"]) == ([], "stay as it is")


def test_a_source_that_is_silent_silences_nobody_else(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors.world, "hold_seconds", 0.2)
    doors.world.lose(THERE)
    body = dry_run(mode="graceful", to=HERE)
    rows = carried(body).values()
    assert rows and not [d for d in rows if d["calls"] or d["would"] == "be called"]
    assert this_side_answers(body)


def this_side_answers(body: dict) -> bool:
    """Was this side asked, and found to answer?"""
    here = [d for d in body["differences"] if (d["verb"], d["location"]) == ("promote", HERE)]
    return bool(here) and not [d for d in here if "silent" in d["seen"] or d["silent"]]


def test_a_source_whose_triggers_cannot_be_read_is_told_and_silences_nobody(doors: Doors) -> None:
    asked = {"path": "rg-contoso-we/.*/triggers$", "method": "GET"}
    doors.world.faults.add({"match": asked, "effect": {"status": 504}})
    body = dry_run(mode="graceful", to=HERE)
    rows = [d for d in carried(body).values() if d["would"] != "stay as it is"]
    assert rows and all("its source cannot be read: 504" in d["seen"] for d in rows)
    assert this_side_answers(body)


def test_a_source_that_arm_throttles_is_asked_again(doors: Doors) -> None:
    """A graceful dry run of hundreds of workflows meets it: that is no reason not to know."""
    effect = {"status": 429, "headers": {"Retry-After": "1"}}
    asked = {"path": "rg-contoso-we/.*/triggers$", "method": "GET"}
    doors.world.faults.add({"match": asked, "effect": effect, "times": 1})
    rows = carried(dry_run(mode="graceful", to=HERE))
    assert not [d["seen"] for d in rows.values() if "cannot be read" in d["seen"]]
    assert [d for d in rows.values() if d["calls"]]


def carried(body: dict) -> dict[str, dict]:
    """Component -> what a dry run says of its triggers' memory."""
    return {d["component"]: d for d in body["differences"] if d["verb"] == "transfer"}


def test_a_dry_run_says_what_becomes_of_the_gateway_that_is_left(doors: Doors) -> None:
    row = dry_run(to=HERE)["differences"][-1]
    assert (row["stage"], row["component"], row["location"]) == ("protect", "gateway", THERE)
    wanted = ("if no proven backup", "POST apim-contoso-ne/backup", "POST apim-contoso-we/restore")
    assert row["calls"] == [] and all(words in row["would"] for words in wanted)


def test_the_patch_of_what_no_backup_carries_is_named_where_the_plan_applies_it(
    doors: Doors,
) -> None:
    setting = {"Microsoft.WindowsAzure.ApiManagement.Gateway.Protocols.Server.Http2": "True"}
    declared = {"what": "protocolsAndCiphers", "by": "written", "expect": {THERE: setting}}
    task = {**doors.task("gateway", "protect", THERE), "dryRun": True}
    task["component"] |= {"notInBackup": [{**declared, "apply": True}]}
    task["component"]["other"] = doors.plan.component("gateway", HERE)
    told = doors.call("observe_gateway", task)
    assert "PATCH apim-contoso-we (protocols and ciphers)" in told["would"]


def test_a_region_that_arms_front_end_gives_up_on_is_silent_too(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a slow machine sees of a dead region: the 504 comes before its own patience ends."""
    monkeypatch.setattr(doors.world, "hold_seconds", 0.2)
    doors.world.lose(THERE)
    fenced = [d for d in dry_run()["differences"] if d["stage"] == "fence"]
    assert all("unreachable" in d["seen"] or "is silent" in d["seen"] for d in fenced)


def test_an_answer_that_is_lost_once_silences_nobody(doors: Doors) -> None:
    lost = {"match": {"path": "rg-contoso-we/.*/workflows/"}, "effect": {"loseAnswer": True}}
    doors.world.faults.add({**lost, "times": 1})
    fenced = [d for d in dry_run()["differences"] if d["stage"] == "fence"]
    assert fenced and not [d for d in fenced if "silent" in d["seen"] or "unreach" in d["seen"]]


def test_a_dead_region_costs_a_dry_run_seconds_not_minutes(doors: Doors) -> None:
    doors.world.lose(THERE)
    started = time.monotonic()
    fenced = [d for d in dry_run()["differences"] if d["stage"] == "fence"]
    assert time.monotonic() - started < 20
    assert all("unreachable" in d["seen"] or "is silent" in d["seen"] for d in fenced)
    assert all(len(d["calls"]) == 1 for d in fenced)


def test_a_dry_run_says_whether_the_standby_is_ready(doors: Doors) -> None:
    ready = dry_run(to=HERE)["readiness"]
    assert ready["ready"] is False and "gateway" in ready["because"]
