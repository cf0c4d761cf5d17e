"""Settings: complete or refused, with every problem at once."""

import pytest

from shared.settings import MissingSettings, Settings
from tests.app_index import SETTINGS


def test_every_missing_setting_is_named_at_once() -> None:
    with pytest.raises(MissingSettings) as refused:
        Settings.from_env({})
    names = [problem.split(" ")[0] for problem in refused.value.problems]
    assert names == [
        "LOCATION",
        "AzureWebJobsStorage__blobServiceUri",
        "WATCHDOG_SCHEDULE",
        "HEARTBEAT_SCHEDULE",
        "BACKUP_SCHEDULE",
        "SLIPS__fullyQualifiedNamespace",
        "SLIPS_<LOCATION>__fullyQualifiedNamespace",
    ]


@pytest.mark.parametrize(("key", "value"), [("ARM_ENDPOINT", "arm"), ("API_AUTH", "none")])
def test_a_bad_setting_is_named(key: str, value: str) -> None:
    with pytest.raises(MissingSettings, match=key):
        Settings.from_env({**SETTINGS, key: value})


@pytest.mark.parametrize("told", [{}, {"WEBSITE_AUTH_ENABLED": "False"}])
def test_entra_without_the_platforms_authentication_is_refused(told: dict) -> None:
    """Without it nobody strips a forged x-ms-client-principal from a call."""
    with pytest.raises(MissingSettings, match="WEBSITE_AUTH_ENABLED"):
        Settings.from_env({**SETTINGS, "API_AUTH": "entra", **told})


def test_entra_with_the_platforms_authentication_is_accepted() -> None:
    told = {**SETTINGS, "API_AUTH": "entra", "WEBSITE_AUTH_ENABLED": "True"}
    assert Settings.from_env(told).api_auth == "entra"


def test_the_slip_namespaces_are_known_by_location() -> None:
    assert sorted(Settings.from_env(SETTINGS).slips) == ["northeurope", "westeurope"]


def test_only_webhooks_can_be_named_by_a_plan() -> None:
    found = Settings.from_env({**SETTINGS, "SECRET": "s"})
    assert list(found.webhooks) == ["ALERT_WEBHOOK"]


def test_secrets_stay_out_of_the_text_of_the_settings() -> None:
    text = repr(Settings.from_env({**SETTINGS, "SLIPS_WESTEUROPE": "SharedAccessKey=abc"}))
    assert "SharedAccessKey" not in text
    assert "alerts.example.net" not in text


def test_a_location_written_for_people_is_known() -> None:
    assert Settings.from_env({**SETTINGS, "LOCATION": "North Europe"}).location == "northeurope"
