"""The app as the Functions worker indexes it, read in a process of its own.

`get_functions` works once per process, and an import of the app must not depend on what the
tests have imported before: so a child process imports it and answers in JSON.
"""

import inspect
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = {
    "AZURE_FUNCTIONS_DURABLE_STRICT_TYPING": "1",
    "LOCATION": "northeurope",
    "ARM_ENDPOINT": "https://management.azure.com",
    "ARM_AUDIENCE": "https://management.azure.com",
    "AzureWebJobsStorage__blobServiceUri": "https://stcontosone.blob.core.windows.net",
    "SLIPS__fullyQualifiedNamespace": "sb-contoso-ne.servicebus.windows.net",
    "SLIPS_WESTEUROPE__fullyQualifiedNamespace": "sb-contoso-we.servicebus.windows.net",
    "WATCHDOG_SCHEDULE": "0 * * * * *",
    "HEARTBEAT_SCHEDULE": "*/10 * * * * *",
    "BACKUP_SCHEDULE": "0 0 * * * *",
    "API_AUTH": "key",
    "ALERT_WEBHOOK": "https://alerts.example.net/understudy",
}
CHILD_SECONDS_MAX = 60


def in_child(code: str, settings: dict | None = None) -> dict:
    """Run Python code in a fresh process at the project's root; what it prints, as JSON."""
    done = child(code, tuple((SETTINGS if settings is None else settings).items()))
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@cache
def child(code: str, settings: tuple) -> subprocess.CompletedProcess:
    """Each code runs once per session, also one that fails."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**kept, **dict(settings)},
        capture_output=True,
        text=True,
        timeout=CHILD_SECONDS_MAX,
        check=False,
    )


def index() -> dict:
    return in_child("from tests import app_index; app_index.print_index()")


def functions() -> list[dict]:
    """Every function: {"name", "bindings", "isAsync", "isGenerator", "parameters", "returns"}."""
    return index()["functions"]


def app_objects() -> list[str]:
    """The names in function_app's namespace that hold a function app."""
    return index()["apps"]


def print_index() -> None:
    """In the child: import the app as the worker does, and print what it declares."""
    import azure.functions as func

    import function_app

    told = [described(one) for one in function_app.app.get_functions()]
    apps = [
        name for name, held in vars(function_app).items() if isinstance(held, func.FunctionRegister)
    ]
    sys.stdout.write(json.dumps({"functions": told, "apps": apps}, default=str) + "\n")


def described(one) -> dict:
    """One function as the host would be told of it, and what its Python looks like."""
    user = one.get_user_function()
    story = getattr(user, "orchestrator_function", user)
    parameters = inspect.signature(story).parameters.values()
    return {
        "name": one.get_function_name(),
        "bindings": one.get_dict_repr()["bindings"],
        "isAsync": inspect.iscoroutinefunction(story),
        "isGenerator": inspect.isgeneratorfunction(story),
        "parameters": {p.name: annotated(p.annotation) for p in parameters},
        "returns": annotated(inspect.signature(story).return_annotation),
    }


def annotated(annotation: object) -> str:
    if annotation is inspect.Signature.empty:
        return ""
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)
