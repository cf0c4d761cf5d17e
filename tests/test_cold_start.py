"""A cold start is recovery time: importing the app imports no Azure SDK."""

import pytest

from tests.app_index import SETTINGS, in_child

HEAVY = ("azure.identity", "azure.mgmt", "azure.storage", "azure.servicebus", "azure.core", "msal")
SLOW_TOO = ("requests", "cryptography", "aiohttp.client", "openai", "pandas", "numpy")
MODULES_MAX = 1200  # About a third above what the bare durable app and pydantic need today.
LOADED = "import sys, json, function_app; print(json.dumps(sorted(sys.modules)))"
BARE = "import sys, json, azure.durable_functions; print(json.dumps(sorted(sys.modules)))"


def beneath(modules: list[str], roots: tuple[str, ...]) -> list[str]:
    return [m for m in modules if any(m == r or m.startswith(f"{r}.") for r in roots)]


def test_importing_the_app_imports_no_azure_sdk():
    assert beneath(list(in_child(LOADED)), HEAVY) == []


def test_importing_the_app_imports_nothing_slow_that_the_durable_sdk_does_not_bring():
    added = set(in_child(LOADED)) - set(in_child(BARE))
    assert beneath(sorted(added), SLOW_TOO) == []


def test_the_app_does_not_grow_heavy_unseen():
    assert len(in_child(LOADED)) <= MODULES_MAX


def test_an_app_without_its_settings_names_them_all_at_import():
    code = (
        "import json\n"
        "try:\n"
        "    import function_app\n"
        "except Exception as refused:\n"
        "    print(json.dumps({'said': str(refused), 'kind': type(refused).__name__}))\n"
    )
    said = in_child(code, settings={"AZURE_FUNCTIONS_DURABLE_STRICT_TYPING": "1"})
    assert said["kind"] == "MissingSettings"
    assert "LOCATION" in said["said"]
    assert "SLIPS" in said["said"]


@pytest.mark.parametrize("name", ["LOCATION", "WATCHDOG_SCHEDULE"])
def test_a_missing_setting_is_named(name: str):
    settings = {key: value for key, value in SETTINGS.items() if key != name}
    code = (
        "import json\n"
        "from shared.settings import Settings\n"
        "try:\n"
        "    Settings.from_env()\n"
        "except Exception as refused:\n"
        "    print(json.dumps(str(refused)))\n"
    )
    assert name in in_child(code, settings)
