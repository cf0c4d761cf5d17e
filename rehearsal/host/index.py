"""Load an app's function_app.py unmodified and hold it to the real host's indexing rules.

One bad function rejects the whole app, with every error named, as in Azure.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import typing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, UnionType
from typing import Protocol, cast

import azure.functions as func

FUNCTION_NAME = re.compile(r"^[a-zA-Z][a-zA-Z0-9_\-]{0,127}$")
BINDING_NAME = re.compile(r"^[a-zA-Z][a-zA-Z0-9]{0,127}$")
TRIGGERS = frozenset(
    {"httpTrigger", "timerTrigger", "serviceBusTrigger", "orchestrationTrigger", "activityTrigger"}
)
OTHER_BINDINGS = frozenset({"http", "durableClient"})
RESERVED_ROUTES = ("admin", "runtime")
EXEMPT_BINDINGS = frozenset({"orchestrationTrigger", "durableClient"})
HTTP_RETURNS = (func.HttpResponse, str)


class IndexingRefused(Exception):
    """The app cannot be loaded; `errors` says everything that is wrong with it."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors


@dataclass(frozen=True)
class Function:
    """One function of the app: its name, its bindings as JSON, and the callable."""

    name: str
    trigger: dict
    bindings: list[dict]
    call: Callable[..., object]

    @property
    def kind(self) -> str:
        """The type of its trigger, such as `httpTrigger`."""
        return self.trigger["type"]

    @property
    def parameters(self) -> dict[str, inspect.Parameter]:
        """The parameters of the user's function."""
        return dict(inspect.signature(self.call).parameters)

    def names(self, binding_type: str) -> list[str]:
        """The parameter names of its bindings of one type."""
        return [each["name"] for each in self.bindings if each["type"] == binding_type]


class _SdkFunction(Protocol):
    def get_function_name(self) -> str | None: ...
    def get_bindings_dict(self) -> dict: ...
    def get_user_function(self) -> Callable[..., object]: ...


def load(folder: Path, module_name: str = "function_app") -> list[Function]:
    """The functions of the app in `folder`, which comes first on sys.path; IndexingRefused."""
    sys.path.insert(0, str(folder.resolve()))
    try:
        module = importlib.import_module(module_name)
    # Whatever the app's own modules raise, the real host says that indexing failed.
    except Exception as problem:
        text = f"{module_name} cannot be imported: {type(problem).__name__}: {problem}"
        raise IndexingRefused([text]) from problem
    return index(module)


def index(module: ModuleType) -> list[Function]:
    """The functions that a function_app module declares; IndexingRefused names every error."""
    apps = [each for each in vars(module).values() if isinstance(each, func.FunctionRegister)]
    if len(apps) != 1:
        raise IndexingRefused([f"one FunctionApp must be visible in function_app, not {len(apps)}"])
    try:
        # Once per process: a second call says that every name is a duplicate.
        found = [as_function(cast(_SdkFunction, each)) for each in apps[0].get_functions()]
    except ValueError as problem:
        raise IndexingRefused([str(problem)]) from problem
    errors = [error for each in found for error in check(each)] + check_routes(found)
    if errors:
        raise IndexingRefused(errors)
    return found


def as_function(built: _SdkFunction) -> Function:
    """An SDK function object as a `Function`."""
    bindings = built.get_bindings_dict()["bindings"]
    triggers = [each for each in bindings if each["type"].lower().endswith("trigger")]
    trigger = triggers[0] if triggers else {"type": "none", "name": ""}
    return Function(str(built.get_function_name()), trigger, bindings, built.get_user_function())


def check(function: Function) -> list[str]:
    """What the host refuses about one function."""
    name = function.name
    errors = []
    if not FUNCTION_NAME.match(name):
        errors.append(f"{name}: the function name is not allowed")
    for binding in function.bindings:
        errors.extend(f"{name}: {each}" for each in check_binding(function, binding))
    errors.extend(f"{name}: {each}" for each in check_trigger(function))
    known = {each["name"] for each in function.bindings} | {"context"}
    errors.extend(
        f"{name}: parameter {each} has no binding"
        for each in function.parameters
        if each not in known
    )
    return errors


def check_binding(function: Function, binding: dict) -> list[str]:
    """What the host refuses about one binding."""
    kind, name = binding["type"], binding["name"]
    if kind not in TRIGGERS | OTHER_BINDINGS:
        return [f"NotEmulated: binding {kind}"]
    if name == "$return":
        return []
    errors = []
    if not BINDING_NAME.match(name):
        errors.append(f"binding name {name} is not allowed: letters and digits only")
    if name not in function.parameters:
        errors.append(f"binding {name} is not a parameter of the function")
    elif kind not in EXEMPT_BINDINGS:
        errors.extend(check_annotation(name, function.parameters[name].annotation))
    return errors


def check_annotation(name: str, annotation: object) -> list[str]:
    """Only bare classes and typing.Dict/List may stand on a bound parameter."""
    if isinstance(annotation, str):
        # A module under `from __future__ import annotations` is judged by the text.
        refused = any(mark in annotation for mark in ("|", "Optional", "Literal", "dict[", "list["))
    else:
        origin = typing.get_origin(annotation)
        bare = repr(annotation).startswith(("typing.Dict", "typing.List", "typing.Tuple"))
        out = annotation is func.Out or origin is func.Out
        refused = origin is not None and not bare and not out
        refused = refused or isinstance(annotation, UnionType)
    return [f"annotation {annotation} of {name} is not allowed"] if refused else []


def check_trigger(function: Function) -> list[str]:
    """What the host refuses about the trigger as a whole."""
    rules: dict[str, Callable[[Function], list[str]]] = {
        "none": lambda _: ["has no trigger"],
        "httpTrigger": check_http,
        "orchestrationTrigger": check_orchestrator,
    }
    errors = rules.get(function.kind, lambda _: [])(function)
    starters = function.names("durableClient")
    if starters and not inspect.iscoroutinefunction(inspect.unwrap(function.call)):
        errors.append("a durable client needs an async function")
    return errors


def check_http(function: Function) -> list[str]:
    """Routes and return type of an HTTP function."""
    route = route_of(function)
    errors = []
    if route.split("/")[0].lower() in RESERVED_ROUTES:
        errors.append(f"route {route} must not start with admin or runtime")
    returns = inspect.signature(function.call).return_annotation
    if returns is not inspect.Signature.empty and returns not in HTTP_RETURNS:
        name = getattr(returns, "__name__", returns)
        if name not in ("HttpResponse", "func.HttpResponse", "str"):
            errors.append(f"an HTTP function returns HttpResponse or str, not {name}")
    return errors


def check_orchestrator(function: Function) -> list[str]:
    """The context's name and the plainness of an orchestrator."""
    errors = []
    if function.trigger["name"] != "context":
        errors.append(f"context_name must be context, not {function.trigger['name']}")
    user = getattr(function.call, "orchestrator_function", function.call)
    if inspect.iscoroutinefunction(user) or inspect.isasyncgenfunction(user):
        errors.append("an orchestrator is a plain def")
    return errors


def route_of(function: Function) -> str:
    """The route of an HTTP function, by default its name."""
    route = function.trigger.get("route")
    return function.name if route is None else str(route).strip("/")


def methods_of(function: Function) -> list[str]:
    """The HTTP methods in upper case; none declared means all."""
    declared = function.trigger.get("methods") or []
    return [str(getattr(each, "value", each)).upper() for each in declared]


def check_routes(functions: list[Function]) -> list[str]:
    """Two functions must not answer the same method on the same route."""
    seen: dict[tuple[str, str], str] = {}
    errors = []
    for function in functions:
        if function.kind != "httpTrigger":
            continue
        shape = re.sub(r"\{[^}]*\}", "{}", route_of(function)).lower()
        for method in methods_of(function) or ["*"]:
            other = seen.setdefault((shape, method), function.name)
            if other != function.name:
                errors.append(f"{function.name}: {method} {shape} is already {other}'s")
    return errors
