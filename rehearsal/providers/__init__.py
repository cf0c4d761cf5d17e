"""Resource providers, one module each; a module's `PROVIDERS` are the types that it plays."""

from importlib import import_module

from rehearsal.arm_provider import Provider

MODULES = (
    "resources",
    "logic",
    "logic_runs",
    "integration_account",
    "apim",
    "apim_config",
    "apim_backup",
    "traffic",
    "servicebus",
    "storage",
    "deployments",
    "scale_sets",
    "batch",
    "data_factory",
    "data_factory_code",
    "eventhub",
    "network_rules",
    "alias",
    "storage_geo",
    "sql",
    "cosmos",
    "platform",
    "connections",
    "diagnostics",
    "sites",
    "site_runs",
)


def registered() -> list[Provider]:
    """Every provider of the embedded ARM."""
    found: list[Provider] = []
    for name in MODULES:
        found += import_module(f"rehearsal.providers.{name}").PROVIDERS
    return found
