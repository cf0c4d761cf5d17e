"""What the project's own templates make, worked out by the rehearsal's template engine."""

import json
from dataclasses import dataclass, field

from rehearsal.deployments.template import Template
from tests.app_index import ROOT

GROUP = "/subscriptions/s/resourceGroups/rg"
WORKSPACES = "/providers/Microsoft.OperationalInsights/workspaces"
OWN_WORKSPACE = f"{GROUP}{WORKSPACES}/log-app"
LOCATION = {
    "location": "westeurope",
    "app": "app",
    "storage": "stapp",
    "slips": "sb-app",
    "otherLocation": "northeurope",
    "otherSlips": "sb-other",
}
KNOWN = {"clientId": "c", "principalId": "p", "ConnectionString": "InstrumentationKey=k"}


@dataclass
class Made:
    """Resources in the order in which they are put, each with its body."""

    rows: list[tuple[str, dict]] = field(default_factory=list)

    def of_type(self, kind: str) -> list[dict]:
        """Bodies of one type."""
        return [body for one, body in self.rows if one == kind]

    def only(self, kind: str) -> dict:
        """The one body of a type."""
        (body,) = self.of_type(kind)
        return body


def made(name: str, given: dict[str, object]) -> Made:
    """What a template makes of these parameters; what it asks of other resources is known."""
    raw = json.loads((ROOT / "infra" / f"{name}.json").read_text(encoding="utf-8"))
    values = {key: {"value": value} for key, value in given.items()}
    template = Template(raw, values, GROUP, "westeurope", "tenant")
    wanted = template.wanted()
    return Made([(w.type, template.body(w, lambda *_: {"properties": KNOWN})) for w in wanted])


def location(**given: object) -> Made:
    """What main.json makes for one location."""
    return made("main", {**LOCATION, **given})
