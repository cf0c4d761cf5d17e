"""The world: ids, locations, reach, faults and the journal, all pure."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.arm_crud import merged
from rehearsal.arm_routes import parse, regions
from rehearsal.arm_throttle import Bucket, Throttle
from rehearsal.journal import Journal, redact
from rehearsal.world import SCOPES, World, parent_of, type_of

NOW = datetime(2026, 11, 21, tzinfo=UTC)
GROUP = "/subscriptions/s/resourceGroups/rg"
FLOW = f"{GROUP}/providers/Microsoft.Logic/workflows/w"
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,11}", fullmatch=True)
# No deadline: these share two cores with whole drills.
quick = settings(deadline=None, max_examples=60)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


def two_locations() -> World:
    world = World(clock=lambda: NOW, witness_location="swedencentral")
    for name in ("westeurope", "northeurope", "swedencentral"):
        world.recover(name)
    return world


def test_an_unknown_scope_cannot_be_lost() -> None:
    with pytest.raises(ValueError, match="weather"):
        two_locations().lose("westeurope", {"weather"})


def test_a_bad_expression_in_a_fault_is_refused_when_it_is_added() -> None:
    with pytest.raises(re.error):
        two_locations().faults.add({"match": {"path": "("}, "effect": {}})


@pytest.mark.parametrize("scope", SCOPES)
def test_a_lost_network_takes_every_scope_with_it(scope: str) -> None:
    world = two_locations()
    world.lose("westeurope", {"network"})
    assert not world.up("westeurope", scope)


def test_one_lost_scope_leaves_the_others() -> None:
    world = two_locations()
    world.lose("westeurope", {"arm"})
    assert world.up("westeurope", "storage") and not world.up("westeurope", "arm")


def test_a_location_without_network_reaches_nothing() -> None:
    world = two_locations()
    world.lose("westeurope", {"network"})
    assert not world.reaches("westeurope", "northeurope", "data")


def test_a_partition_is_seen_from_both_ends_and_from_nobody_else() -> None:
    world = two_locations()
    world.cut("westeurope", "northeurope")
    assert not world.reaches("westeurope", "northeurope", "data")
    assert not world.reaches("northeurope", "westeurope", "data")
    assert world.reaches("westeurope", "swedencentral", "storage")
    assert world.reaches(None, "northeurope", "data")


def test_the_witness_and_the_internet_can_be_cut_off_by_those_names() -> None:
    world = two_locations()
    world.cut("northeurope", "witness")
    world.cut("northeurope", "internet")
    assert not world.reaches("northeurope", "swedencentral", "storage")
    assert not world.reaches("northeurope", "global", "arm")
    assert not world.reaches(None, "northeurope", "functions")
    assert world.reaches("northeurope", "westeurope", "data")


def test_a_healed_partition_is_no_partition() -> None:
    world = two_locations()
    world.cut("westeurope", "northeurope")
    world.heal()
    assert world.reaches("westeurope", "northeurope", "data")


def test_a_fault_is_taken_as_often_as_it_says() -> None:
    faults = two_locations().faults
    faults.add(
        {"match": {"method": "POST", "path": "/enable$"}, "effect": {"status": 500}, "times": 2}
    )
    taken = [faults.take("post", f"{FLOW}/enable", "westeurope", None) for _ in range(3)]
    assert taken == [{"status": 500}, {"status": 500}, None]


def test_a_fault_of_one_source_spares_the_others() -> None:
    faults = two_locations().faults
    faults.add({"match": {"from": "northeurope"}, "effect": {"status": 429}})
    assert faults.take("GET", "/", "westeurope", "westeurope") is None
    assert faults.take("GET", "/", "westeurope", "northeurope") == {"status": 429}


def test_a_resource_is_found_in_any_letter_case_and_keeps_its_own() -> None:
    world = two_locations()
    world.resources.place(FLOW, {"location": "West Europe"})
    found = world.resources.get(FLOW.upper())
    assert found is not None
    assert (found.id, found.location, found.group) == (FLOW, "westeurope", "rg")


def test_a_child_is_where_its_parent_is() -> None:
    world = two_locations()
    world.resources.place(GROUP, {"location": "northeurope"})
    world.resources.place(FLOW, {})
    child = world.resources.place(f"{FLOW}/triggers/t", {})
    assert child.location == "northeurope"


def test_a_removed_resource_takes_what_is_under_it_and_nothing_beside_it() -> None:
    world = two_locations()
    for id in (FLOW, f"{FLOW}/triggers/t", f"{FLOW}2"):
        world.resources.place(id, {})
    world.resources.remove(FLOW)
    assert [row.id for row in world.resources] == [f"{FLOW}2"]


def test_a_global_resource_needs_the_region_of_its_group() -> None:
    world = two_locations()
    world.resources.place(GROUP, {"location": "westeurope"})
    id = f"{GROUP}/providers/Microsoft.Network/trafficManagerProfiles/p"
    world.resources.place(id, {"location": "global"})
    assert regions(world, parse(f"{id}/externalEndpoints/e"), {}) == {"global", "westeurope"}


@quick
@given(st.lists(NAMES, min_size=1, max_size=3), NAMES)
def test_an_id_is_read_into_its_type_its_name_and_its_parent(kinds: list[str], name: str) -> None:
    path = "".join(f"/{kind}/{name}" for kind in kinds)
    route = parse(f"{GROUP}/providers/Microsoft.X{path}")
    assert route.type == "/".join(["Microsoft.X", *kinds]) == type_of(route.id)
    assert (route.name, route.tail, route.group) == (name, "", "rg")
    assert route.id.startswith(parent_of(route.id))


@quick
@given(NAMES, NAMES)
def test_an_odd_segment_is_a_collection_or_an_action(kind: str, tail: str) -> None:
    route = parse(f"{GROUP}/providers/Microsoft.X/{kind}/n/{tail}")
    assert (route.tail, route.collection) == (tail, f"Microsoft.X/{kind}/{tail}")


@quick
@given(st.text(alphabet="/abc%$ .providers", max_size=40))
def test_any_path_is_read_without_a_crash(path: str) -> None:
    assert parse(path).path.startswith("/")


@quick
@given(st.dictionaries(st.text(max_size=3), JSON, max_size=4))
def test_a_merge_patch_of_itself_changes_nothing_but_nulls(value: dict) -> None:
    once = merged({}, value)
    assert merged(once, value) == once


@quick
@given(st.integers(1, 20), st.lists(st.floats(0, 3), min_size=1, max_size=60))
def test_a_bucket_gives_no_more_than_its_size_and_its_rate(size: int, gaps: list[float]) -> None:
    bucket, now, given_out = Bucket(size, 2, size, NOW), NOW, 0
    for gap in gaps:
        now += timedelta(seconds=gap)
        given_out += bucket.take(now) == 0
    assert given_out <= size + 2 * (now - NOW).total_seconds() + 1e-6


def test_principals_do_not_share_a_bucket() -> None:
    throttle = Throttle({"writes": (1, 1), "reads": (1, 1), "deletes": (1, 1)})
    waits = [throttle.take("POST", who, "s", "r", NOW)[0] for who in ("a", "a", "b")]
    assert waits == [0, 1, 0]


def test_the_time_that_429_names_is_enough() -> None:
    throttle = Throttle({"writes": (1, 0.1)})
    throttle.take("PUT", "a", "s", "r", NOW)
    wait, _ = throttle.take("PUT", "a", "s", "r", NOW)
    later = NOW + timedelta(seconds=wait)
    assert throttle.take("PUT", "a", "s", "r", later)[0] == 0


@pytest.mark.parametrize(
    "secret",
    [
        {"Authorization": "Bearer hush"},
        {"text": "Bearer hush"},
        {"url": "https://x/?sp=run&sig=hush"},
        {"text": "Endpoint=sb://x/;SharedAccessKey=hush"},
        {"properties": {"secret": True, "value": "hush"}},
        {"primaryKey": "hush"},
        [{"clientSecret": "hush"}],
    ],
)
def test_no_secret_reaches_the_journal(secret: object) -> None:
    assert "hush" not in json.dumps(redact(secret))


@quick
@given(JSON)
def test_redaction_keeps_the_shape(value: object) -> None:
    assert type(redact(value)) is type(value)


def test_the_journal_numbers_its_rows_and_forgets_the_oldest() -> None:
    journal = Journal(rows_max=2)
    numbers = [journal.append({"method": "GET"}) for _ in range(3)]
    assert (numbers, [row["n"] for row in journal.after(0)]) == ([1, 2, 3], [2, 3])


def test_the_journal_on_file_is_json_lines(tmp_path: Path) -> None:
    journal = Journal()
    journal.write_to(tmp_path / "out" / "arm.jsonl")
    journal.append({"method": "GET"})
    journal.close()
    lines = (tmp_path / "out" / "arm.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [{"n": 1, "method": "GET"}]
