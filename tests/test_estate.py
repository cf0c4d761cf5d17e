"""The estate: a bad file is refused with every error and its path; a good one becomes a world."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal import estate_growth
from rehearsal.estate import DEFAULT, BadEstate, Estate, Scene, extended, load, parse
from rehearsal.estate_parts import Other
from rehearsal.estate_seed import SLIP_QUEUES, queues, seed, service_id, workflow_id
from rehearsal.workflows_due import read_triggers
from rehearsal.world import World
from shared import halves
from shared.plan import load as load_plan

APIM = "Microsoft.ApiManagement/service"
CONTOSO = parse(DEFAULT.read_text(encoding="utf-8"))
PLAN = load_plan(load().plan_text)
KINDS = {
    *("recurrence", "slidingWindow", "request", "queue", "orderedQueue"),
    *("mailbox", "webhook", "httpPolling"),
}


def contoso() -> dict:
    return yaml.safe_load(DEFAULT.read_text(encoding="utf-8"))


def problems(document: dict) -> str:
    with pytest.raises(BadEstate) as refused:
        parse(yaml.safe_dump(document))
    return "\n".join(refused.value.problems)


def world_of(estate: Estate) -> World:
    world = World()
    seed(world, estate)
    return world


def test_text_that_is_not_yaml_is_refused():
    with pytest.raises(BadEstate, match="not YAML"):
        parse("locations: [")


def test_a_document_that_is_no_mapping_is_refused():
    with pytest.raises(BadEstate, match="estate"):
        parse("[]")


def test_an_unknown_key_is_refused_with_its_path():
    document = contoso()
    document["gateway"]["colour"] = "blue"
    assert "gateway.colour" in problems(document)


def test_one_location_is_refused():
    document = contoso()
    del document["locations"]["northeurope"]
    assert "locations" in problems(document)


def test_every_error_is_named_at_once():
    document = contoso()
    document["latencySeconds"] = -1
    document["client"]["path"] = "orders"
    found = problems(document)
    assert "latencySeconds" in found
    assert "client.path" in found


def test_a_group_that_is_not_there_is_named():
    document = contoso()
    document["witness"]["resourceGroup"] = "rg-nowhere"
    assert "witness.resourceGroup: rg-nowhere" in problems(document)


def test_the_same_workflow_twice_is_refused():
    document = contoso()
    document["workflows"].append(document["workflows"][-1])
    assert "partner-events is there twice" in problems(document)


def test_a_plan_that_is_not_there_is_refused(tmp_path: Path):
    file = tmp_path / "estate.yaml"
    file.write_text(DEFAULT.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(BadEstate, match="No such file"):
        load(file)


def test_contoso_has_each_kind_of_trigger():
    kinds = {t.kind for w in CONTOSO.workflows for t in read_triggers(w.definition)}
    assert kinds == KINDS


def test_contoso_has_a_dozen_workflows_and_a_dozen_apis():
    assert len(CONTOSO.workflows) >= 12
    assert len(CONTOSO.gateway.apis) >= 12


def test_contoso_and_its_plan_name_the_same_workflows():
    named = {part.name for part in PLAN.components if part.kind == "logicWorkflow"}
    health = {"health-{short}"}
    assert named == {w.name for w in CONTOSO.workflows} - health


def test_the_standby_waits_disabled_where_its_plan_is_exclusive():
    roles = {part.name: part.role for part in PLAN.components if part.kind == "logicWorkflow"}
    state = {"activeActive": "Enabled", "activePassive": "Disabled", "standing": "Enabled"}
    world = world_of(CONTOSO)
    for name, role in roles.items():
        row = world.resources.get(workflow_id(CONTOSO, CONTOSO.standby, name))
        assert row is not None
        assert row.properties["state"] == state[role], name


def test_all_workflows_of_home_are_enabled_but_the_half_that_stands_elsewhere():
    world = world_of(CONTOSO)
    rows = world.resources.of_type("Microsoft.Logic/workflows")
    home = [row for row in rows if row.location == CONTOSO.home]
    off = [row.name for row in home if row.properties["state"] != "Enabled"]
    assert off == [part.name for part in PLAN.components if part.role == "standing"]


def test_the_halves_of_a_split_job_take_turns():
    for names in halves.jobs(PLAN.components).values():
        own = {w.name: w.definition for w in CONTOSO.workflows if w.name in names}
        assert halves.interleaving(own) == (True, "each runs every 0:00:20, together every 0:00:10")


def test_only_the_gateway_of_home_holds_the_configuration():
    world = world_of(CONTOSO)
    held = {
        location: len(world.resources.under(service_id(CONTOSO, location), f"{APIM}/apis"))
        for location in CONTOSO.locations
    }
    assert held == {CONTOSO.home: len(CONTOSO.gateway.apis), CONTOSO.standby: 0}


def test_nothing_is_left_unfilled_in_the_world():
    texts = [str(row.shown()) for row in world_of(CONTOSO).resources]
    words = ("{short}", "{location}", "{resourceGroup}", "{subscription}")
    assert not [word for word in words for text in texts if word in text]


def test_each_slip_namespace_has_every_stage_and_detects_duplicates():
    for place in CONTOSO.locations.values():
        own = queues(CONTOSO)[place.slips]
        assert set(own) == set(SLIP_QUEUES)
        assert all(queue["requiresDuplicateDetection"] for queue in own.values())


def test_what_must_be_changed_lies_outside_the_home_location():
    world = world_of(CONTOSO)
    profile = world.resources.get(CONTOSO.profile_id)
    group = world.resources.get(CONTOSO.group_id(CONTOSO.trafficManager.resourceGroup))
    assert profile is not None
    assert group is not None
    assert group.location != CONTOSO.home


def test_too_many_workflows_are_refused():
    with pytest.raises(ValueError, match="0 to"):
        estate_growth.grow(Scene(CONTOSO, "contoso", "components: []"), 100_000)


def test_a_plan_whose_writes_fit_the_bucket_keeps_its_rto():
    assert estate_growth.in_time(load()) == load()


def test_a_plan_of_a_thousand_workflows_is_allowed_what_the_bucket_takes():
    few, many = load(), estate_growth.in_time(estate_growth.grow(load(), 1_000))
    was, now = (load_plan(one.plan_text).objectives.rto_seconds for one in (few, many))
    more = now - was
    assert 1.2 * 80 <= more <= 1.2 * 84 + 1


def test_grown_workflows_are_in_the_estate_and_in_the_plan():
    scene = estate_growth.grow(load(), 25)
    plan = yaml.safe_load(scene.plan_text)
    names = {c["name"] for c in plan["components"]}
    grown = {w.name for w in scene.estate.workflows if w.name.startswith("load-")}
    assert len(grown) == 25
    assert grown <= names


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
        lambda part: st.one_of(
            st.lists(part, max_size=3),
            st.dictionaries(st.sampled_from(["name", "locations", "home", "x"]), part, max_size=3),
        ),
        max_leaves=8,
    )
)
def test_no_document_gets_in_by_surprise(document: object):
    with pytest.raises(BadEstate):
        parse(yaml.safe_dump(document))


def test_a_bad_plan_behind_an_estate_is_refused_with_every_error(tmp_path: Path):
    document = contoso() | {"plan": "plan.yaml"}
    (tmp_path / "estate.yaml").write_text(yaml.safe_dump(document))
    (tmp_path / "plan.yaml").write_text("name: 7\nhomme: westeurope\n")
    with pytest.raises(BadEstate) as refused:
        load(tmp_path / "estate.yaml")
    assert "name" in str(refused.value) and "homme" in str(refused.value)


def test_an_estate_may_extend_another_one(tmp_path: Path):
    resource = {"path": "Microsoft.Web/sites/a", "body": {}}
    text = yaml.safe_dump({"extends": "base.yaml", "name": "other", "resources": [resource]})
    (tmp_path / "base.yaml").write_text("name: base\nresources: []\nhome: here\n")
    (tmp_path / "estate.yaml").write_text(text)
    made = yaml.safe_load(extended(tmp_path / "estate.yaml"))
    assert made == {"name": "other", "resources": [resource], "home": "here"}


def test_another_resource_is_made_in_each_location_with_what_differs_in_the_standby():
    scene = load()
    state = {"properties": {"state": "Running"}}
    one = {"path": "Microsoft.Web/sites/f-{short}", "body": state}
    other = Other.model_validate({**one, "standby": {"properties": {"state": "Stopped"}}})
    world = World()
    seed(world, scene.estate.model_copy(update={"resources": [other]}))
    sites = {r.name: r.properties["state"] for r in world.resources.of_type("Microsoft.Web/sites")}
    assert sites == {"f-we": "Running", "f-ne": "Stopped"}
