"""A plan holds no secrets: what looks like one is refused, by its path alone."""

import json

import pytest
import yaml

from activities import readiness
from shared import dryrun, secrecy
from shared.plan import BadPlan, Plan, load
from shared.plan_secrets import RULE
from tests.app_index import ROOT
from tests.doors import HERE, THERE, Doors

MARK = "Tr0ub4dor-and-3"
JWT = f"eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.{MARK}"
HOOK = {"name": "order", "kind": "http", "stage": "verify", "method": "POST"}
URL = "https://erp.example.net/hook"
LINK = {
    "name": "stock",
    "kind": "apiConnection",
    "resource": "{resourceGroup}/providers/Microsoft.Web/connections/s",
    "api": "sql",
}
SETTING = "ERP_WEBHOOK"


def document() -> dict:
    return yaml.safe_load((ROOT / "plans" / "contoso.yaml").read_text(encoding="utf-8"))


def with_part(part: dict) -> Plan:
    data = document()
    data["components"].append(part)
    return load(json.dumps(data))


def refused(part: dict) -> str:
    """What is said of a plan with this component."""
    with pytest.raises(BadPlan) as bad:
        with_part(part)
    said = str(bad.value)
    assert RULE in said and MARK not in said, said
    return said


@pytest.mark.parametrize(
    "query",
    [
        *(
            "code",
            "sig",
            "key",
            "token",
            "password",
            "client_secret",
            "subscription-key",
            "api_key",
        ),
        *("SharedAccessKey", "access_token", "auth", "sharedAccessSignature&sig"),
    ],
)
def test_a_key_in_a_hook_s_url_is_refused_with_what_to_do(query: str) -> None:
    said = refused({**HOOK, "url": f"{URL}?api-version=1&{query}={MARK}"})
    assert ".url: looks like a secret" in said and "urlSetting" in said


@pytest.mark.parametrize("user", [f"me:{MARK}", MARK])
def test_a_user_in_a_url_is_refused(user: str) -> None:
    assert ".url: looks like" in refused({**HOOK, "url": f"https://{user}@erp.example.net/hook"})


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"password": MARK}, "body.password"),
        ({"password": 20240229}, "body.password"),
        ({"auth": {"clientSecret": MARK}}, "body.auth.clientSecret"),
        ({"apiKeys": ["x", MARK]}, "body.apiKeys[1]"),
        ({"token": {"value": MARK}}, "body.token.value"),
        ({"header": f"Bearer {'x' * 24}{MARK}"}, "body.header"),
        ({"to": f"DefaultEndpointsProtocol=https;AccountKey={MARK}"}, "body.to"),
        ({"bus": f"Endpoint=sb://x/;SharedAccessKey={MARK}"}, "body.bus"),
        ({"proof": JWT}, "body.proof"),
        ({"x-functions-key": MARK}, "body.x-functions-key"),
        ({"partnerapikey": MARK}, "body.partnerapikey"),
        ({"storage_account_key1": MARK}, "body.storage_account_key1"),
        ({"usernameToken": MARK}, "body.usernameToken"),
        ({"token": f"@@{MARK}"}, "body.token"),
        ({"password": f"@{MARK}"}, "body.password"),
        ({"password": f"@@{{{MARK}}}"}, "body.password"),
    ],
)
def test_a_secret_in_a_hook_s_body_is_refused_by_its_path(body: dict, path: str) -> None:
    assert f"{path}: looks like a secret" in refused({**HOOK, "url": URL, "body": body})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("partner-password", MARK),
        ("signing-key", MARK),
        ("api-key", MARK),
        ("partner.subscriptionKey", MARK),
        ("blob-sas", MARK),
        ("store", f"AccountKey={MARK}"),
        ("bus", f"SharedAccessKey={MARK}"),
        ("proof", JWT),
    ],
)
def test_a_named_value_that_is_a_secret_is_refused(name: str, value: str) -> None:
    data = document()
    part = next(one for one in data["components"] if one["kind"] == "apiManagement")
    part["overlay"][HERE]["namedValues"][name] = value
    with pytest.raises(BadPlan) as bad:
        load(json.dumps(data))
    said = str(bad.value)
    assert f"namedValues.{name}: looks like" in said and "Key Vault" in said and MARK not in said


def test_a_secret_in_a_connection_s_values_is_refused() -> None:
    assert ".values.westeurope.apiKey" in refused({**LINK, "values": {THERE: {"apiKey": MARK}}})


def test_a_signed_url_anywhere_else_is_refused() -> None:
    data = document()
    data["watch"]["controls"] = [f"https://control.example.net/?sig={MARK}"]
    with pytest.raises(BadPlan, match=r"watch\.controls\[0\]: looks like a secret") as bad:
        load(json.dumps(data))
    assert MARK not in str(bad.value)


@pytest.mark.parametrize(
    "name",
    [
        *("partitionKey", "routing-key", "public_key", "maxTokens", "keyVaultName", "tokens-left"),
        *("key", "dedup_key", "cache-key", "foreign-key", "businessKey", "turkey", "sshPublicKey"),
        *("page-token", "nextPageToken", "continuation_token", "nextpagetoken", "token_endpoint"),
        *("tokenUrl", "tokenName", "max_completion_tokens"),
    ],
)
def test_a_name_that_only_sounds_like_one_is_none(name: str) -> None:
    assert with_part({**HOOK, "url": URL, "body": {name: "x"}}).part("order")


@pytest.mark.parametrize(
    "body",
    [
        {"fields": {"project": {"key": "OPS"}}},
        {"dedup_key": MARK},
        {"tokens": 5},
        {"apiKey": 5},
        {"password": True},
        {"password": "{{kv-ref}}"},
        {"token": "Bearer {{kv-ref}}"},
        {"token": "Bearer @{body('t')?['access_token']}"},
        {"token": "@body('t')?['access_token']"},
    ],
)
def test_a_body_without_a_secret_is_sent(body: dict) -> None:
    assert with_part({**HOOK, "url": URL, "body": body}).part("order")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, MARK) for name in ("cache-key", "foreign-key", "businessKey", "turkey")),
        *(("api-key", value) for value in ("{{kv-ref}}", "@Microsoft.KeyVault(SecretUri=x)")),
        ("bus", "Endpoint=sb://x/;SharedAccessKey={{kv-ref}}"),
        ("erp", "https://{{user}}:{{kv-ref}}@erp.example.net/"),
    ],
)
def test_a_named_value_that_is_no_secret_is_let_through(name: str, value: str) -> None:
    data = document()
    part = next(one for one in data["components"] if one["kind"] == "apiManagement")
    part["overlay"][HERE]["namedValues"][name] = value
    assert load(json.dumps(data))


@pytest.mark.parametrize(
    "query",
    [
        *("code=DE", "key=1", "key=OPS", "token=2", "auth=basic", "code=NL-2024-117"),
        *("page-token=", "nextPageToken=", "cache-key=", "businessKey="),
        *("code={{kv-ref}}", "api-key={{kv-ref}}", "sig={{kv-ref}}", "sig=@{parameters('s')}"),
        "key=S%C3%A3o%20Paulo%202024",
    ],
)
def test_a_query_without_a_secret_is_let_through(query: str) -> None:
    given = f"{query}{MARK}-{'x' * 40}" if query.endswith("=") else query
    assert not secrecy.in_text(f"{URL}?api-version=1&{given}")


@pytest.mark.parametrize("name", ["code", "key", "token", "signature"])
@pytest.mark.parametrize(
    "value",
    ["a" * 40, "Qz4x" * 12 + "%3D%3D", "5d41402abc4b2a76"],
)
def test_a_long_value_that_tells_nothing_is_a_key(name: str, value: str) -> None:
    assert value not in refused({**HOOK, "url": f"{URL}?{name}={value}"})


@pytest.mark.parametrize("query", ["api_key=x", "access_token=x", "password=x", "sig=x"])
def test_a_name_that_leaves_no_doubt_needs_no_long_value(query: str) -> None:
    assert secrecy.in_text(f"{URL}?{query}")


@pytest.mark.parametrize(
    "text",
    [
        "https://prod.example.net/workflows?api-version=2016-10-01",
        "https://erp.example.net/orders?region=west&country=nl",
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/token-service",
        "ask the key account manager for the password list",
        "[concat('https://x/?code=', listKeys('y', 'z'))]",
        "ssh://git@example.net/repo",
    ],
)
def test_what_is_no_secret_is_let_through(text: str) -> None:
    assert not secrecy.in_text(text)


@pytest.mark.parametrize("more", [{}, {"url": URL, "urlSetting": SETTING}])
def test_a_hook_has_one_address(more: dict) -> None:
    with pytest.raises(BadPlan, match="give url, or urlSetting"):
        with_part({**HOOK, **more})


def test_a_plan_cannot_send_any_other_setting_anywhere() -> None:
    with pytest.raises(BadPlan, match="urlSetting: String should match"):
        with_part({**HOOK, "urlSetting": "SLIPS"})


def called(doors: Doors, monkeypatch: pytest.MonkeyPatch, url: str) -> dict:
    """What comes of a hook whose URL is in a setting of the app."""
    known = with_part({**HOOK, "urlSetting": SETTING})
    monkeypatch.setattr("activities.hook.settings", lambda: Held(url))
    task = {**doors.task("front", "verify"), "component": known.component("order", HERE)}
    return doors.call("call_hook", task)


class Held:
    """The settings of an app in `HERE` with this URL in `SETTING`."""

    def __init__(self, url: str) -> None:
        self.location, self.webhooks = HERE, {SETTING: url} if url else {}


def test_a_hook_is_called_by_the_url_in_the_setting_and_tells_nothing_of_it(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = called(doors, monkeypatch, f"https://control.example.net/{MARK}?code={MARK}")
    assert outcome["status"] == "succeeded" and MARK not in json.dumps(outcome)
    assert doors.strangers.heard[-1]["where"] == f"control.example.net/{MARK}"


def test_a_hook_that_fails_tells_nothing_of_its_url(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    doors.strangers.answers[f"control.example.net/{MARK}"] = (500, MARK)
    outcome = called(doors, monkeypatch, f"https://control.example.net/{MARK}")
    assert outcome["because"] == "the URL in ERP_WEBHOOK answered 500, not 200"


@pytest.mark.parametrize("url", ["", f"http://erp.example.net/?code={MARK}"])
def test_a_setting_that_is_not_there_is_named(
    doors: Doors, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    because = called(doors, monkeypatch, url)["because"]
    assert SETTING in because and HERE in because and MARK not in because


def checks(doors: Doors, to: str) -> list[dict]:
    known = with_part({**HOOK, "urlSetting": SETTING})
    rows = readiness.assess(known.document, to, own=True)["checks"]
    return [row for row in rows if row["component"] == "order"]


def test_readiness_says_that_a_setting_is_missing(doors: Doors) -> None:
    (row,) = checks(doors, HERE)
    assert (row["name"], row["status"]) == ("setting", "fail") and SETTING in row["because"]


def test_readiness_is_content_with_a_setting(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activities.hook.settings", lambda: Held(URL))
    (row,) = checks(doors, HERE)
    assert (row["name"], row["status"]) == ("setting", "ok")


def test_the_other_location_s_settings_are_only_its_own_app_s_to_see(doors: Doors) -> None:
    (row,) = checks(doors, THERE)
    assert (row["name"], row["status"]) == ("setting", "warn")


def test_a_dry_run_names_the_setting(doors: Doors) -> None:
    part = with_part({**HOOK, "urlSetting": SETTING}).component("order", HERE)
    assert dryrun.hook_calls({}, part, {}) == [
        {"method": "POST", "url": "(the URL in ERP_WEBHOOK)"}
    ]
