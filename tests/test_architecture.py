"""The shape of the code: imports point down, orchestrators are deterministic, parts stay small."""

import ast
import re
import subprocess
from pathlib import Path

from tests.sources import (
    PRODUCT,
    ROOT,
    Source,
    calls,
    last_name,
    of_layer,
    outside_functions,
    sources,
)

LINES_OF_A_MODULE_MAX = 300
LINES_OF_A_TEST_MODULE_MAX = 600  # Read one fact at a time, never as a whole.
LINES_OF_A_FUNCTION_MAX = 50
PROJECT = {*PRODUCT, "rehearsal", "bench", "tests"}
DOORS = {"shared.clients", "shared.settings"}
MAY_IMPORT = {  # ARCHITECTURE.md, section 1
    "function_app": {"orchestrations", "activities", "shared"},
    "orchestrations": {"orchestrations", "shared"},
    "activities": {"activities", "shared"},  # Its __init__ is the table of them all.
    "shared": {"shared"},
    "rehearsal": {"rehearsal", "shared", "function_app"},
    # It runs the real orchestrations without a host, to be fast enough for thousands of seeds.
    "rehearsal.simulation": {"rehearsal", "shared", "orchestrations"},
    "bench": {"bench", "rehearsal", "shared"},
    "tests": PROJECT,
}
UNSTEADY_MODULES = {"time", "random", "uuid", "os", "logging", "secrets", "threading", "asyncio"}
UNSTEADY_CALLS = {"now", "utcnow", "today", "getenv", "new_event_loop"}
AZURE_AT_IMPORT = {"azure.functions", "azure.durable_functions"}
# Spelt in two parts, so that this file does not find itself.
MACHINE_PATH = re.compile("(?<![\\w.$])/" + r"(?:work|root|home|tmp|Users)/")
TEXTS = {".py", ".json", ".yaml", ".yml", ".md", ".toml", ".txt", ".example", ""}


def may_import(source: Source) -> set[str]:
    part = ".".join(source.name.split(".")[:2])
    return MAY_IMPORT.get(part) or MAY_IMPORT[source.layer]


def test_imports_point_down():
    wrong = [
        f"{source.at(node)} imports {name}"
        for source in sources()
        for name, node in source.imports()
        if (layer := name.partition(".")[0]) in PROJECT and layer not in may_import(source)
    ]
    assert wrong == []


def test_orchestrations_do_not_use_the_doors_to_the_world():
    """shared.clients and shared.settings read what two replays need not agree on."""
    wrong = [
        f"{source.at(node)} imports {name}"
        for source in of_layer("orchestrations")
        for name, node in source.imports()
        if name in DOORS or name.rpartition(".")[0] in DOORS
    ]
    assert wrong == []


def test_what_orchestrations_import_from_shared_is_pure():
    """Neither it nor what it imports leads to one of the doors."""
    uses = {
        source.name: {n for n, _ in source.imports()}
        | {n.rpartition(".")[0] for n, _ in source.imports()}
        for source in sources()
    }
    reached: set[str] = set()
    waiting = [name for name in uses if name.startswith("orchestrations")]
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting += [n for n in uses[name] if n in uses and n not in reached]
    assert reached & DOORS == set()


def test_activities_never_import_each_other():
    """More than one activity are the table of them all, the HTTP API's desks, and readiness."""
    wrong = [
        f"{source.at(node)} imports {name}"
        for source in of_layer("activities")
        if source.name != "activities" and not source.name.startswith("activities.readiness")
        if "desk" not in source.name
        for name, node in source.imports()
        if name.startswith("activities")
    ]
    assert wrong == []


def test_no_azure_sdk_is_imported_with_a_module():
    """A cold start is recovery time: an SDK is imported in the call that needs it."""
    wrong = [
        f"{source.at(node)} imports {name}"
        for source in of_layer(*PRODUCT)
        for node in outside_functions(source.tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in imported(node)
        if name.startswith("azure.") and not any(name.startswith(ok) for ok in AZURE_AT_IMPORT)
    ]
    assert wrong == []


def imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [f"{node.module}.{alias.name}" for alias in node.names]


def test_orchestrations_import_nothing_that_differs_between_replays():
    wrong = [
        f"{source.at(node)} imports {name}"
        for source in of_layer("orchestrations")
        for name, node in source.imports()
        if name.partition(".")[0] in UNSTEADY_MODULES
    ]
    assert wrong == []


def test_orchestrations_ask_only_their_context_for_the_time():
    wrong = [
        f"{source.at(call)} calls {name}"
        for source in of_layer("orchestrations")
        for name, call in calls(source)
        if name in UNSTEADY_CALLS
    ]
    assert wrong == []


def test_orchestrations_never_iterate_over_a_set():
    """Its order differs between two hosts; sorted(...) makes it a list."""
    wrong = [
        source.at(node)
        for source in of_layer("orchestrations")
        for node in source.nodes
        for walked in iterated(node)
        if is_set(walked)
    ]
    assert wrong == []


def iterated(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.For | ast.comprehension):
        return [node.iter]
    if isinstance(node, ast.Call) and last_name(node.func) in (
        "list",
        "tuple",
        "enumerate",
        "join",
    ):
        return list(node.args)
    return []


def is_set(node: ast.expr) -> bool:
    made = isinstance(node, ast.Call) and last_name(node.func) in ("set", "frozenset")
    return made or isinstance(node, ast.Set | ast.SetComp)


def test_orchestrations_leave_retries_to_steps():
    """facts of the SDK: a pending retry lets the ids of SDK and host drift apart."""
    wrong = [
        f"{source.at(call)} calls {name}"
        for source in of_layer("orchestrations")
        for name, call in calls(source)
        if name.endswith("_with_retry")
    ]
    assert wrong == []


def test_activities_and_children_are_called_by_name():
    """A function object breaks under strict typing."""
    wrong = [
        source.at(call)
        for source in of_layer("orchestrations")
        for name, call in calls(source)
        if name in ("call_activity", "call_sub_orchestrator")
        and last_name(call.args[0]) in functions_of(source.tree)
    ]
    assert wrong == []


def functions_of(tree: ast.Module) -> set[str]:
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_the_environment_is_read_in_one_place():
    wrong = [
        f"{source.at(node)}"
        for source in of_layer(*PRODUCT)
        if source.name != "shared.settings"
        for node in source.nodes
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb")
    ]
    assert wrong == []


def test_every_module_opens_with_a_promise():
    assert [str(s.path) for s in sources() if not ast.get_docstring(s.tree)] == []


def test_modules_stay_short():
    most = {"tests": LINES_OF_A_TEST_MODULE_MAX}
    long = [
        (source.name, lines)
        for source in sources()
        if (lines := source.text.count("\n")) > most.get(source.layer, LINES_OF_A_MODULE_MAX)
    ]
    assert long == []


def test_functions_stay_short():
    long = [
        f"{source.at(node)} {node.name}"
        for source in sources()
        for node in source.nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno >= LINES_OF_A_FUNCTION_MAX
    ]
    assert long == []


def test_nothing_names_a_path_of_one_machine():
    wrong = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in texts()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if MACHINE_PATH.search(line)
    ]
    assert wrong == []


def texts() -> list[Path]:
    """Every text file that git keeps."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    paths = [ROOT / name for name in listed.stdout.splitlines()]
    return [path for path in paths if path.suffix in TEXTS and path.is_file()]
