"""Every setting that the code reads is set by the template, and the other way round.

What the code reads is seen while it reads: `Settings.from_env` is given the settings that main.json
makes, in a mapping that remembers; what triggers name stands in the app's index.
"""

import re
from collections.abc import Iterator, Mapping

import pytest

from shared.settings import Settings
from tests.app_index import functions
from tests.template_rig import location

NORTH = {"location": "northeurope", "otherLocation": "westeurope", "apiAuth": "entra"}
# Instead of what the template sets: a connection string, in rehearsals only.
INSTEAD = {"SLIPS"}
# By App Service itself, where the template's authsettingsV2 turns its authentication on.
BY_THE_PLATFORM = {"WEBSITE_AUTH_ENABLED": "True"}
# Read by the platform, not by the code; why stands in docs/settings.md.
FOR_THE_PLATFORM = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "AZURE_FUNCTIONS_DURABLE_STRICT_TYPING",
}
# What a connection by identity is made of, by the prefix of its settings.
IDENTITY = {"credential", "clientId"}
STORAGE = {"blobServiceUri", "queueServiceUri", "tableServiceUri"}


class Watched(Mapping[str, str]):
    """An environment that remembers which keys were asked for by name."""

    def __init__(self, known: dict[str, str]) -> None:
        self.known, self.asked = known, set()

    def __getitem__(self, key: str) -> str:
        self.asked.add(key)
        return self.known[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.known)

    def __len__(self) -> int:
        return len(self.known)

    def items(self):
        """All of them, which asks for none of them by name."""
        return self.known.items()


def deployed() -> dict[str, str]:
    """The settings that main.json gives the app in northeurope."""
    site = location(**NORTH).only("Microsoft.Web/sites")
    return {s["name"]: s["value"] for s in site["properties"]["siteConfig"]["appSettings"]}


def read() -> set[str]:
    """The settings that the code asks for by name."""
    known = Watched(deployed() | BY_THE_PLATFORM)
    Settings.from_env(known)
    return known.asked


def bound() -> tuple[set[str], set[str]]:
    """What triggers name: settings in percent signs, and connections."""
    bindings = [b for f in functions() for b in f["bindings"]]
    percent = {name for b in bindings for name in re.findall(r"%(\w+)%", str(b))}
    return percent, {b["connection"] for b in bindings if b.get("connection")}


def connections() -> dict[str, set[str]]:
    """Every setting of every connection, by the connection."""
    own = {name: {"fullyQualifiedNamespace", *IDENTITY} for name in bound()[1]}
    own["AzureWebJobsStorage"] = STORAGE | IDENTITY
    return {name: {f"{name}__{end}" for end in ends} for name, ends in own.items()}


def test_what_the_template_sets_is_enough_to_start():
    known = Settings.from_env(deployed() | BY_THE_PLATFORM)
    assert (known.location, known.api_auth) == ("northeurope", "entra")
    assert known.slips["westeurope"] == "sb-other.servicebus.windows.net"


def test_every_setting_that_the_code_reads_is_set():
    wanted = read() | bound()[0]
    assert sorted(wanted - set(deployed()) - INSTEAD - set(BY_THE_PLATFORM)) == []


@pytest.mark.parametrize("name", ["AzureWebJobsStorage", "SLIPS", "SLIPS_WESTEUROPE"])
def test_every_connection_is_set_by_identity(name: str):
    assert sorted(connections()[name] - set(deployed())) == []


def test_every_connection_of_a_trigger_is_known_here():
    assert bound()[1] == {"SLIPS", "SLIPS_WESTEUROPE"}


def test_nothing_is_set_that_nobody_reads():
    of_connections = {name for names in connections().values() for name in names}
    known = read() | bound()[0] | of_connections | FOR_THE_PLATFORM
    webhooks = {name for name in deployed() if name.endswith("WEBHOOK")}
    assert sorted(set(deployed()) - known - webhooks) == []


def test_what_the_platform_reads_is_set():
    assert sorted(FOR_THE_PLATFORM - set(deployed())) == []
