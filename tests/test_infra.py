"""The templates deploy what the code uses: the same queues, the same settings, identities only."""

import json
import re
import subprocess
import sys
from functools import cache

import pytest

from rehearsal.deployments.template import Template
from tests.app_index import ROOT, SETTINGS, functions

INFRA = ROOT / "infra"
JUDGE = ROOT.parent / "shared" / "azure-api" / "arm-schemas" / "validate_template.py"
LOCATIONS = ("westeurope", "northeurope")
QUEUES_OF_THE_DESIGN = {
    f"slip-{stage}"
    for stage in (
        *("claim", "fence", "promote", "activate", "redirect", "verify", "protect"),
        *("quiesce", "restore", "relay", "poison"),
    )
}


@cache
def template(name: str) -> dict:
    return json.loads((INFRA / f"{name}.json").read_text(encoding="utf-8"))


def of_type(name: str, kind: str) -> list[dict]:
    return [r for r in template(name)["resources"] if r["type"].lower() == kind.lower()]


def queues() -> dict[str, dict]:
    """Every queue of a location's namespace by name, with its properties."""
    found = of_type("main", "Microsoft.ServiceBus/namespaces/queues")
    return {re.findall(r"slip-[a-z]+", q["name"])[0]: q["properties"] for q in found}


def settings() -> dict[str, str]:
    """Every app setting by name; those of the other location have a computed name."""
    site = of_type("main", "Microsoft.Web/sites")[0]
    told = site["properties"]["siteConfig"]["appSettings"]
    return {one["name"]: one["value"] for one in told}


def test_no_queue_is_deployed_that_nobody_knows():
    assert set(queues()) == QUEUES_OF_THE_DESIGN


def test_every_queue_that_the_app_listens_to_is_deployed():
    listened = {b["queueName"] for f in functions() for b in f["bindings"] if "queueName" in b}
    assert sorted(listened - set(queues())) == []


@pytest.mark.parametrize("queue", sorted(QUEUES_OF_THE_DESIGN - {"slip-poison"}))
def test_a_stage_queue_detects_duplicates(queue: str):
    """The last act of a stage may be repeated; the same slip must not arrive twice."""
    assert queues()[queue]["requiresDuplicateDetection"] is True


@pytest.mark.parametrize("queue", sorted(QUEUES_OF_THE_DESIGN - {"slip-poison"}))
def test_a_slip_that_is_not_taken_in_time_is_kept(queue: str):
    assert queues()[queue]["deadLetteringOnMessageExpiration"] is True


def test_keys_are_off_wherever_azure_lets_them_be():
    storage = of_type("main", "Microsoft.Storage/storageAccounts")
    storage += of_type("witness", "Microsoft.Storage/storageAccounts")
    slips = of_type("main", "Microsoft.ServiceBus/namespaces")
    assert [s["properties"]["allowSharedKeyAccess"] for s in storage] == [False, False]
    assert [s["properties"]["disableLocalAuth"] for s in slips] == [True]


@pytest.mark.parametrize("name", ["main", "witness", "access"])
def test_no_template_asks_for_a_key_or_gives_a_secret_away(name: str):
    text = json.dumps(template(name))
    asked = re.findall(r"list\w*Keys?\(|listSecrets\(|AccountKey=|SharedAccessKey", text, re.I)
    secure = [k for k, p in template(name)["parameters"].items() if "secure" in p["type"].lower()]
    shown = json.dumps(template(name).get("outputs", {}))
    assert asked == [] and [one for one in secure if f"'{one}'" in shown] == []


@pytest.mark.parametrize("name", ["main", "witness"])
def test_storage_is_closed_to_the_public_and_to_old_tls(name: str):
    (account,) = of_type(name, "Microsoft.Storage/storageAccounts")
    told = account["properties"]
    assert told["allowBlobPublicAccess"] is False and told["supportsHttpsTrafficOnly"] is True
    assert told["minimumTlsVersion"] == "TLS1_2"


def test_a_caller_without_a_token_is_turned_away_before_the_app_but_for_its_health():
    (auth,) = of_type("main", "Microsoft.Web/sites/config")
    rules = auth["properties"]["globalValidation"]
    assert rules["unauthenticatedClientAction"] == "Return401"
    assert (rules["requireAuthentication"], rules["excludedPaths"]) == (True, ["/api/health"])


def test_authentication_is_on_unless_somebody_says_otherwise():
    assert template("main")["parameters"]["apiAuth"]["defaultValue"] == "entra"


def test_a_slip_s_lock_outlasts_the_start_of_a_stage_because_the_host_renews_it():
    """A short lock gives a dead host's slips back soon; the host keeps a living one's."""
    host = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    renewed = host["extensions"]["serviceBus"]["maxAutoLockRenewalDuration"]
    locks = {q["lockDuration"] for name, q in queues().items() if name != "slip-poison"}
    assert (locks, renewed, host["functionTimeout"]) == ({"PT15S"}, "00:05:00", "00:05:00")


BUILT_IN = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0": "Azure Service Bus Data Receiver",
    "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39": "Azure Service Bus Data Sender",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
}


def data_roles(whose: str) -> set[tuple[str, str]]:
    """(role, on which type) of what main.json assigns to its `own` or the `other` identity."""
    found = set()
    for one in of_type("main", "Microsoft.Authorization/roleAssignments"):
        told = one["properties"]
        (role,) = (n for id, n in BUILT_IN.items() if id in told["roleDefinitionId"])
        kind = re.findall(r"'Microsoft\.\w+/([\w/]+)'", one["scope"])[0].rsplit("/", 1)[-1]
        own = "otherPrincipalId" not in told["principalId"]
        if own == (whose == "own"):
            found.add((role, kind))
    return found


def test_the_other_location_reaches_what_it_writes_here_and_nothing_else():
    """Slips of restores, the relay that it listens to, and the manifests of its backups."""
    assert data_roles("other") == {
        ("Azure Service Bus Data Sender", "namespaces"),
        ("Azure Service Bus Data Receiver", "queues"),
        ("Storage Blob Data Contributor", "containers"),
    }


def test_an_app_reaches_its_own_storage_and_slips():
    assert data_roles("own") == {
        ("Storage Blob Data Owner", "storageAccounts"),
        ("Storage Queue Data Contributor", "storageAccounts"),
        ("Storage Table Data Contributor", "storageAccounts"),
        ("Azure Service Bus Data Receiver", "namespaces"),
        ("Azure Service Bus Data Sender", "namespaces"),
        ("Monitoring Metrics Publisher", "components"),
    }


def test_no_setting_is_a_key_or_a_connection_string():
    wrong = [
        n for n, v in settings().items() if re.search(r"listKeys|AccountKey|SharedAccessKey", v)
    ]
    assert wrong == []


def test_the_durable_engine_is_told_all_three_kinds_of_storage():
    """On an identity there is no connection string from which they could be derived."""
    kinds = {re.findall(r"__(\w+)ServiceUri", n)[0] for n in settings() if "ServiceUri" in n}
    assert kinds == {"blob", "queue", "table"}


def test_the_example_of_local_settings_names_every_setting():
    example = json.loads((ROOT / "local.settings.json.example").read_text(encoding="utf-8"))
    assert sorted(set(SETTINGS) - set(example["Values"])) == []


def test_every_setting_is_documented():
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    names = {name.replace("SLIPS_WESTEUROPE", "SLIPS_<LOCATION>") for name in SETTINGS}
    assert sorted(name for name in names if f"`{name}`" not in page) == []


def test_the_two_parameter_files_mirror_each_other():
    west, north = (template(f"parameters.{name}")["parameters"] for name in LOCATIONS)
    assert west["location"] == north["otherLocation"]
    assert west["slips"] == north["otherSlips"]
    assert north["slips"] == west["otherSlips"]


@pytest.mark.parametrize("location", LOCATIONS)
def test_parameters_are_those_of_the_template(location: str):
    wanted = template("main")["parameters"]
    given = template(f"parameters.{location}")["parameters"]
    needed = {name for name, one in wanted.items() if "defaultValue" not in one}
    assert needed <= set(given) <= set(wanted)


@pytest.mark.parametrize("location", LOCATIONS)
def test_a_parameter_file_is_what_arm_takes(location: str):
    """Its envelope, and every value as its parameter wants it."""
    file = template(f"parameters.{location}")
    assert file["$schema"].endswith("/2019-04-01/deploymentParameters.json#")
    assert set(file) == {"$schema", "contentVersion", "parameters"}
    Template(template("main"), file["parameters"], "/subscriptions/s/resourceGroups/g", "x", "t")


def rules() -> dict[str, dict]:
    """Every alert rule by the first part of its name."""
    found = of_type("main", "Microsoft.Insights/scheduledQueryRules")
    return {re.findall(r"[a-z-]+(?=-\{0\})", r["name"])[0]: r["properties"] for r in found}


def test_there_is_a_rule_for_everything_that_wakes_somebody():
    assert set(rules()) == {
        *("verdict-changed", "run-started", "run-stuck", "readiness-worsened"),
        *("backup-too-old", "heartbeat-missing", "poison-queue"),
    }


@pytest.mark.parametrize("name", sorted(rules()))
def test_a_rule_is_on_and_tells_the_action_group(name: str):
    assert rules()[name]["enabled"] is True
    assert ["actionGroups" in group for group in rules()[name]["actions"]["actionGroups"]] == [True]


def test_silence_is_what_the_dead_man_s_switch_waits_for():
    (condition,) = rules()["heartbeat-missing"]["criteria"]["allOf"]
    assert (condition["operator"], condition["threshold"]) == ("LessThan", 1)


@pytest.mark.parametrize("name", ["main", "witness", "access"])
def test_a_template_fits_microsoft_s_schemas(name: str):
    if not JUDGE.is_file():
        pytest.skip("Microsoft's template schemas are not at hand")
    judged = [sys.executable, str(JUDGE), "--lenient", str(INFRA / f"{name}.json")]
    said = subprocess.run(judged, capture_output=True, text=True, timeout=60, check=False)
    strange = [line for line in said.stdout.splitlines() if "no schema here" in line]
    assert said.returncode == 0, said.stdout
    assert [line for line in strange if "Microsoft.Authorization/locks" not in line] == []
