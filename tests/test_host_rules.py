"""One function that breaks a rule of the Functions host rejects the whole app: so all are held."""

import json
import re

import pytest

from shared.kinds import KINDS
from tests.app_index import ROOT, app_objects, functions
from tests.sources import calls, of_layer

NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_\-]{0,127}")
BINDING_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9]{0,127}|\$return")
TRIGGER = re.compile(r".*Trigger$")
PLAIN = {"", "dict", "list", "str", "bytes", "int", "float", "bool"}
HOST_TYPES = {"HttpRequest", "HttpResponse", "TimerRequest", "ServiceBusMessage"}
STAGES = (
    "quiesce",
    "claim",
    "fence",
    "promote",
    "activate",
    "redirect",
    "verify",
    "protect",
    "restore",
)
QUEUES = {f"slip-{stage}" for stage in STAGES}
CALLERS = {"call_activity": 0, "call_sub_orchestrator": 0, "attempt": 1, "step": 1}


def trigger(function: dict) -> dict:
    return next(b for b in function["bindings"] if TRIGGER.match(b["type"]))


def triggered_by(kind: str) -> list[dict]:
    return [f for f in functions() if trigger(f)["type"] == kind]


def exempt(function: dict, parameter: str) -> bool:
    """The host does not look at the annotations of a context or of the durable client."""
    kinds = {b["name"]: b["type"] for b in function["bindings"]}
    return kinds.get(parameter) in ("orchestrationTrigger", "durableClient")


def test_one_app_is_visible():
    assert app_objects() == ["app"]


def test_function_names_are_accepted():
    assert [f["name"] for f in functions() if not NAME.fullmatch(f["name"])] == []


def test_function_names_are_unique():
    names = [f["name"].lower() for f in functions()]
    assert sorted(names) == sorted(set(names))


def test_binding_names_have_no_underscore():
    """The worker accepts one, the host refuses the app."""
    wrong = [
        (f["name"], b["name"])
        for f in functions()
        for b in f["bindings"]
        if not BINDING_NAME.fullmatch(b["name"])
    ]
    assert wrong == []


def test_every_function_has_one_trigger():
    counts = {
        f["name"]: sum(bool(TRIGGER.match(b["type"])) for b in f["bindings"]) for f in functions()
    }
    assert [name for name, count in counts.items() if count != 1] == []


def test_annotations_are_plain():
    """dict[str, Any], list[...], unions and Optional on a bound parameter reject the app."""
    wrong = [
        (f["name"], name, annotation)
        for f in functions()
        for name, annotation in f["parameters"].items()
        if not exempt(f, name) and annotation not in PLAIN | HOST_TYPES
    ]
    assert wrong == []


def test_routes_are_unique_per_method():
    taken = [
        (method, re.sub(r"\{[^}]*\}", "{}", trigger(f)["route"]))
        for f in triggered_by("httpTrigger")
        for method in trigger(f)["methods"]
    ]
    assert sorted(taken) == sorted(set(taken))


def test_no_route_is_the_host_s_own():
    routes = [trigger(f)["route"] for f in triggered_by("httpTrigger")]
    assert [r for r in routes if r.startswith(("admin", "runtime"))] == []


def test_http_functions_return_a_response():
    assert {f["returns"] for f in triggered_by("httpTrigger")} == {"HttpResponse"}


def test_only_health_is_anonymous():
    levels = {trigger(f)["route"]: trigger(f)["authLevel"] for f in triggered_by("httpTrigger")}
    assert [route for route, level in levels.items() if level.lower() == "anonymous"] == ["health"]


def test_what_changes_something_needs_more_than_a_function_key():
    levels = {
        trigger(f)["authLevel"].lower() for f in triggered_by("httpTrigger") if "POST" in methods(f)
    }
    assert levels == {"admin"}


def methods(function: dict) -> list[str]:
    return trigger(function)["methods"]


def test_orchestrators_call_their_context_context():
    assert {trigger(f)["name"] for f in triggered_by("orchestrationTrigger")} == {"context"}


def test_orchestrators_are_plain_generators():
    stories = triggered_by("orchestrationTrigger")
    assert [f["name"] for f in stories if f["isAsync"] or not f["isGenerator"]] == []


def test_who_gets_the_durable_client_is_async():
    given = [f for f in functions() if any(b["type"] == "durableClient" for b in f["bindings"])]
    assert [f["name"] for f in given if not f["isAsync"]] == []


def test_every_bound_parameter_is_a_parameter():
    wrong = [
        (f["name"], b["name"])
        for f in functions()
        for b in f["bindings"]
        if b["name"] != "$return" and b["name"] not in f["parameters"]
    ]
    assert wrong == []


def test_schedules_come_from_settings():
    schedules = [trigger(f)["schedule"] for f in triggered_by("timerTrigger")]
    assert all(re.fullmatch(r"%[A-Z_]+%", s) for s in schedules), schedules


def test_every_stage_of_a_forced_run_has_its_queue():
    listened = {trigger(f)["queueName"] for f in triggered_by("serviceBusTrigger")}
    assert sorted(QUEUES - listened) == []


def test_every_queue_but_the_relay_is_of_this_location_s_namespace():
    told = [trigger(f) for f in triggered_by("serviceBusTrigger")]
    assert {t["connection"] for t in told if t["queueName"] != "slip-relay"} == {"SLIPS"}
    away = [t["connection"] for t in told if t["queueName"] == "slip-relay"]
    assert away == ["SLIPS_WESTEUROPE"]


def test_what_orchestrations_call_exists():
    known = {f["name"] for f in functions()}
    wrong = [
        f"{source.at(call)}: {name}"
        for source in of_layer("orchestrations")
        for called, call in calls(source)
        if called in CALLERS and (name := literal(call, CALLERS[called])) and name not in known
    ]
    assert wrong == []


def literal(call, place: int) -> str:
    """The string at a place of a call, or "" where it is not a literal."""
    held = call.args[place] if len(call.args) > place else None
    value = getattr(held, "value", None)
    return value if isinstance(value, str) else ""


def test_every_activity_of_a_kind_exists():
    known = {f["name"] for f in functions()}
    named = {verb.activity for kind in KINDS.values() for verb in kind.values()}
    assert sorted(named - known) == []


def test_host_json_fits_the_published_schema():
    schema_folder = ROOT.parent / "shared" / "azure-api" / "functions-schemas"
    if not schema_folder.is_dir():
        pytest.skip("the published schemas of host.json are not at hand")
    assert schema_errors(schema_folder / "host.schema.json", "host.json") == []


def schema_errors(path, document: str) -> list[str]:
    from jsonschema import Draft7Validator

    schema = json.loads(path.read_text(encoding="utf-8"))
    rules = {"definitions": schema["definitions"], "$ref": "#/definitions/version-2"}
    told = json.loads((ROOT / document).read_text(encoding="utf-8"))
    return [error.message for error in Draft7Validator(rules).iter_errors(told)]


def test_polling_of_the_durable_queues_does_not_cost_the_recovery_time():
    """The default of 30 s would be paid at every hop of a run that begins after a quiet time."""
    host = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    durable = host["extensions"]["durableTask"]
    assert durable["storageProvider"]["maxQueuePollingInterval"] == "00:00:01"
