"""Indexing: what the real host refuses, the rehearsal's refuses too, each with its reason."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest

from rehearsal.host import index
from rehearsal.host.bus import Connection, NoConnection
from rehearsal.host.config import Config, MissingSetting, seconds
from tests.host_process import APPS, HostProcess

HEAD = """
import typing
import azure.durable_functions as df
import azure.functions as func
app = df.DFApp(http_auth_level="ANONYMOUS")
"""
BAD = {
    "no underscore in a binding name": (
        "@app.activity_trigger(input_name='my_input')\ndef work(my_input): ...",
        "work: binding name my_input is not allowed",
    ),
    "no subscripted builtin": (
        "@app.activity_trigger(input_name='task')\ndef work(task: dict[str, int]): ...",
        "work: annotation dict\\[str, int\\] of task is not allowed",
    ),
    "no union": (
        "@app.activity_trigger(input_name='task')\ndef work(task: str | None): ...",
        "work: annotation str | None of task is not allowed",
    ),
    "no Optional": (
        "@app.activity_trigger(input_name='task')\ndef work(task: typing.Optional[str]): ...",
        "of task is not allowed",
    ),
    "no Literal": (
        "@app.activity_trigger(input_name='task')\ndef work(task: typing.Literal['a']): ...",
        "of task is not allowed",
    ),
    "one app only": ("other = app2 = df.DFApp()", "one FunctionApp must be visible"),
    "no alias of the app": ("alias = app", "one FunctionApp must be visible"),
    "unique names": (
        "@app.route(route='a')\n@app.function_name('same')\ndef a(req: func.HttpRequest): ...\n"
        "@app.route(route='b')\n@app.function_name('same')\ndef b(req: func.HttpRequest): ...",
        "same does not have a unique function name",
    ),
    "a proper function name": (
        "@app.route(route='a')\n@app.function_name('1st')\ndef a(req: func.HttpRequest): ...",
        "1st: the function name is not allowed",
    ),
    "context is the context's name": (
        "@app.orchestration_trigger(context_name='ctx')\ndef plan(ctx): yield",
        "context_name must be context, not ctx",
    ),
    "an orchestrator is not async": (
        "@app.orchestration_trigger(context_name='context')\nasync def plan(context): yield",
        "an orchestrator is a plain def",
    ),
    "a starter is async": (
        "@app.route(route='a')\n@app.durable_client_input(client_name='client')\n"
        "def a(req: func.HttpRequest, client): ...",
        "a durable client needs an async function",
    ),
    "an HTTP function returns HttpResponse or str": (
        "@app.route(route='a')\ndef a(req: func.HttpRequest) -> dict: ...",
        "returns HttpResponse or str, not dict",
    ),
    "no route under admin": (
        "@app.route(route='admin/a')\ndef a(req: func.HttpRequest): ...",
        "must not start with admin or runtime",
    ),
    "no route under runtime": (
        "@app.route(route='runtime/a')\ndef a(req: func.HttpRequest): ...",
        "must not start with admin or runtime",
    ),
    "routes do not overlap": (
        "@app.route(route='a/{x}', methods=['GET'])\ndef a(req: func.HttpRequest): ...\n"
        "@app.route(route='a/{y}', methods=['GET'])\ndef b(req: func.HttpRequest): ...",
        "b: GET a/{} is already a's",
    ),
    "a binding without a parameter": (
        "@app.activity_trigger(input_name='task')\ndef work(other): ...",
        "work: binding task is not a parameter",
    ),
    "a parameter without a binding": (
        "@app.activity_trigger(input_name='task')\ndef work(task, other): ...",
        "work: parameter other has no binding",
    ),
    "no trigger of another kind": (
        "@app.queue_trigger(arg_name='msg', queue_name='q', connection='c')\ndef a(msg): ...",
        "NotEmulated: binding queueTrigger",
    ),
    "no entity": (
        "@app.entity_trigger(context_name='context')\ndef counter(context): ...",
        "NotEmulated: binding entityTrigger",
    ),
}


def module(source: str) -> ModuleType:
    """A function_app module of this source."""
    made = ModuleType("function_app")
    exec(compile(HEAD + source, "<case>", "exec"), vars(made))
    return made


@pytest.mark.parametrize("rule", BAD)
def test_a_broken_rule_rejects_the_app(rule: str) -> None:
    """With the function and the reason named."""
    source, reason = BAD[rule]
    with pytest.raises(index.IndexingRefused) as refused:
        index.index(module(source))
    assert reason.replace("\\", "") in str(refused.value)


def test_every_error_is_named_at_once() -> None:
    """Not only the first."""
    source = "\n".join(BAD[rule][0] for rule in ("no union", "no route under admin"))
    with pytest.raises(index.IndexingRefused) as refused:
        index.index(module(source))
    assert len(refused.value.errors) == 2


def test_a_refused_app_does_not_start(tmp_path: Path) -> None:
    """The process ends and its log says why."""
    host = HostProcess(tmp_path, "bad")
    with pytest.raises(AssertionError, match="binding name my_input is not allowed"):
        host.start()
    assert host.process and host.process.returncode == 2


def test_an_app_that_cannot_be_imported_is_refused(tmp_path: Path) -> None:
    """A function_app that raises, or that is not there."""
    with pytest.raises(index.IndexingRefused, match="cannot be imported"):
        index.load(tmp_path / "nothing", "no_function_app_here")


def test_a_missing_setting_is_refused() -> None:
    """A schedule or queue name may be a setting."""
    with pytest.raises(MissingSetting, match="TICKS"):
        Config(settings={}).resolve("%TICKS%")


def test_a_missing_connection_is_refused() -> None:
    """Neither of the two forms is there."""
    with pytest.raises(NoConnection, match="SLIPS__fullyQualifiedNamespace"):
        Connection.of("SLIPS", {})


def test_allowed_annotations_pass() -> None:
    """Bare classes and typing's Dict and List."""
    source = "@app.activity_trigger(input_name='task')\ndef work(task: typing.Dict[str, int]): ..."
    assert [each.name for each in index.index(module(source))] == ["work"]


def test_an_identity_connection_is_a_host_name() -> None:
    """As `<name>__fullyQualifiedNamespace`."""
    found = Connection.of("SLIPS", {"SLIPS__fullyQualifiedNamespace": "sb.example.net"})
    assert found == Connection(None, "sb.example.net")


def test_host_json_is_read(tmp_path: Path) -> None:
    """The keys that the host obeys."""
    bus = {"maxConcurrentCalls": 3, "maxAutoLockRenewalDuration": "00:10:00"}
    document = {"functionTimeout": "00:01:30", "extensions": {"serviceBus": bus}}
    (tmp_path / "host.json").write_text(json.dumps(document))
    config = Config.read(tmp_path, {})
    assert (config.timeout_seconds, config.calls_max, config.renew_seconds) == (90, 3, 600)


@pytest.mark.parametrize(("text", "wanted"), [("1.02:03:04", 93784.0), ("-1", 86400.0)])
def test_time_spans_are_read(text: str, wanted: float) -> None:
    """Days, and without a limit."""
    assert seconds(text, 0) == wanted


def test_the_bad_app_is_a_folder() -> None:
    """What the process test starts."""
    assert (APPS / "bad" / "function_app.py").exists()
