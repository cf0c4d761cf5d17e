"""Hook: one HTTP call to something of the customer's own, and the answer that the plan expects."""

from shared import probe, readiness
from shared.guard import guarded
from shared.outcome import refused, succeeded
from shared.reply import Unreachable
from shared.settings import settings

SECONDS_MAX = 10.0


def call_hook(payload: dict) -> dict:
    """Call the component's `url` and compare the status with `expect`.

    Safe to repeat as far as the other side is: a POST carries the run and the stage, so that it
    can tell a second call from a second event. No redirect is followed. Of the URL only what is no
    secret is told; with `urlSetting` it is in a setting of this app, and nothing of it is told.
    """
    part = payload["component"]
    return _post(payload) if part.get("method", "GET") == "POST" else _call("GET", part, None)


@guarded
def _post(payload: dict) -> dict:
    """What may change something there is told who asks, and is not told by a run that is over."""
    told = {key: payload[key] for key in ("plan", "run", "stage", "epoch", "location")}
    part = payload["component"]
    return _call("POST", part, {**part.get("body", {}), "understudy": told})


def check_hook(payload: dict) -> dict:
    """Has the app in `location` the URL that `urlSetting` names? Facts `checks`. Only it can see.

    Safe to repeat: reads its own settings.
    """
    part, location = payload["component"], payload["location"]
    setting = part.get("urlSetting")
    if not setting:
        row = readiness.check(part["name"], location, "setting", "ok", "needs none")
    elif settings().location != location:
        words, fix = f"only the app in {location} can see its settings", "ask its own readiness"
        row = readiness.check(part["name"], location, "setting", "warn", words, fix)
    elif _secret_url(setting):
        row = readiness.check(part["name"], location, "setting", "ok", f"{setting} has a URL")
    else:
        words, fix = _missing(setting), "set it there"
        row = readiness.check(part["name"], location, "setting", "fail", words, fix)
    return succeeded("1 check", checks=[row])


def _call(method: str, part: dict, body: dict | None) -> dict:
    setting = part.get("urlSetting", "")
    url = _secret_url(setting) if setting else part["url"]
    if not url:
        return refused(_missing(setting))
    where = f"the URL in {setting}" if setting else probe.shown(url)
    try:
        reply = probe.call(method, url, SECONDS_MAX, body=body)
    except Unreachable as error:
        return refused(f"{where}: {error}")
    if reply.status != part.get("expect", 200):
        return refused(f"{where} answered {reply.status}, not {part.get('expect', 200)}")
    return succeeded(f"{where} answered {reply.status}")


def _secret_url(setting: str) -> str:
    """What the app's own setting holds; empty where that is no https URL."""
    url = settings().webhooks.get(setting, "")
    return url if url.startswith("https://") else ""


def _missing(setting: str) -> str:
    return f"the app in {settings().location} has no https URL in its setting {setting}"
