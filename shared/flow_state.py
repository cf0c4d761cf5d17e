"""Flow state: which app setting says that a Standard workflow runs, and how it is changed.

Standard has no enable and no disable. `Workflows.<name>.FlowState` in the site's settings says
Disabled or Enabled, absent means Enabled; settings are only ever replaced as a whole, without an
ETag (logic-apps/manage-logic-apps-with-azure-portal; arcus.scripting issue 413). Values of other
settings may be secrets: nothing here shows one.
"""

OTHERS = "(every other setting)"
SAME = "(as it is)"


def setting(workflow: str) -> str:
    """The name of the setting."""
    return f"Workflows.{workflow}.FlowState"


def state_of(settings: dict, workflow: str) -> str:
    """Enabled or Disabled, as the settings have it."""
    found = settings.get(key_of(settings, workflow), "Enabled")
    return "Disabled" if str(found).lower() == "disabled" else "Enabled"


def key_of(settings: dict, workflow: str) -> str:
    """The setting's name as it is written there: App Service ignores the case of names."""
    wanted = setting(workflow).lower()
    return next((key for key in settings if key.lower() == wanted), setting(workflow))


def changed(settings: dict, workflow: str, state: str) -> dict:
    """All of the settings, with the workflow's state as wanted."""
    return {**settings, key_of(settings, workflow): state}


def calls(site: str, workflow: str, state: str, version: str) -> list[dict]:
    """The requests that bring about `state`, for people: no value of another setting in them."""
    shown = {OTHERS: SAME, setting(workflow): state}
    path = f"{site}/config/appsettings"
    return [
        {"method": "POST", "url": f"{path}/list?api-version={version}"},
        {"method": "PUT", "url": f"{path}?api-version={version}", "body": {"properties": shown}},
    ]
