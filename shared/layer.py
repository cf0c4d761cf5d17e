"""Layer: a stateless layer as an ARM template, and what may be deployed of it.

Pure: template and parameters come in as texts. A secret belongs into a vault: one that stands in
them is refused, and named by its path alone.
"""

import hashlib
import json
from collections.abc import Iterator

from shared import secrecy

VERSION = "2025-04-01"
SECURE = ("securestring", "secureobject")
CHANGES = ("Create", "Modify", "Deploy")
HARMLESS = ("NoChange", "NoEffect", "Ignore")
NAMES_MAX = 5


class BadLayer(Exception):
    """A layer that is not deployed; `problems` are sentences without a secret in them."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems[:NAMES_MAX]))
        self.problems = problems


def blobs(template: str, location: str) -> tuple[str, str]:
    """Where the template and the location's parameters lie in the app's own container."""
    return f"templates/{template}.json", f"templates/{template}.{location}.json"


def read(template: bytes, parameters: bytes) -> dict:
    """{"template", "parameters"} as ARM takes them; raises BadLayer."""
    found = {"template": parsed(template, "template")}
    found["parameters"] = parsed(parameters, "parameters").get("parameters", {})
    problems = []
    if not isinstance(found["template"].get("resources"), list | dict):
        problems.append("template: it has no resources")
    if not isinstance(found["parameters"], dict):
        raise BadLayer(["parameters: they are no object"])
    problems += given_in_clear(found["template"], found["parameters"])
    problems += secrets(found)
    if problems:
        raise BadLayer(problems)
    return found


def parsed(data: bytes, what: str) -> dict:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadLayer([f"{what}: not JSON"]) from error
    if not isinstance(found, dict):
        raise BadLayer([f"{what}: no JSON object"])
    return found


def given_in_clear(template: dict, parameters: dict) -> Iterator[str]:
    """Secure parameters whose value stands in the file, or in the template as a default."""
    rules = template.get("parameters")
    for name, rule in (rules if isinstance(rules, dict) else {}).items():
        if not isinstance(rule, dict) or str(rule.get("type")).lower() not in SECURE:
            continue
        given = parameters.get(name)
        if isinstance(given, dict) and "value" in given:
            yield f"parameters.{name}: a secure parameter is given in clear: refer to a vault"
        if rule.get("defaultValue") not in (None, "", {}) and literal(rule["defaultValue"]):
            yield f"template.parameters.{name}: a secure parameter has a default in clear"


def secrets(value: object) -> Iterator[str]:
    """The paths of what looks like a secret."""
    for path, why in secrecy.found(value, told):
        yield f"{path}: {why}: refer to a vault" if why == secrecy.CLEAR else f"{path}: {why}"


def told(value: object) -> bool:
    """Is it a text with something in it, and no expression or reference? A number is no secret."""
    return isinstance(value, str) and bool(value) and literal(value)


def literal(value: object) -> bool:
    """Is it neither an expression of ARM nor a reference, to a vault or within a workflow?"""
    expression = isinstance(value, str) and value.startswith("[") and not value.startswith("[[")
    return not (expression or secrecy.reference(value))


def name_of(component: str, run: str) -> str:
    """One run, one deployment: whoever repeats it finds it. At most 64 characters, as ARM wants."""
    return f"understudy-{component}-{hashlib.sha256(run.encode()).hexdigest()[:12]}"


def path_of(part: dict, run: str) -> str:
    return f"{part['group']}/providers/Microsoft.Resources/deployments/{name_of(part['name'], run)}"


def body(found: dict) -> dict:
    """What is sent, for what-if and for the deployment alike."""
    return {"properties": {"mode": "Incremental", **found}}


def refusal(changes: list[dict], types: list[str]) -> str:
    """Why these changes must not be made; empty: they may. After what-if's changeType."""
    strange = [one for one in changes if one.get("changeType") not in (*CHANGES, *HARMLESS)]
    if strange:
        return f"what-if says {named(strange)}"
    known = {kind.lower() for kind in types}
    others = [one for one in changing(changes) if type_of(one).lower() not in known]
    if others:
        return f"the plan does not name the types of what would change: {named(others)}"
    return ""


def changing(changes: list[dict]) -> list[dict]:
    return [one for one in changes if one.get("changeType") in CHANGES]


def named(changes: list[dict]) -> str:
    """ "Modify Microsoft.Web/sites web-1, ..." without a word of what is in them."""
    rows = [f"{one.get('changeType')} {type_of(one)} {last(one)}" for one in changes]
    more = f" and {len(rows) - NAMES_MAX} more" if len(rows) > NAMES_MAX else ""
    return ", ".join(rows[:NAMES_MAX]) + more


def last(change: dict) -> str:
    return str(change.get("resourceId", "")).rsplit("/", 1)[-1]


def type_of(change: dict) -> str:
    """Microsoft.Web/sites/config from a resource id."""
    words = str(change.get("resourceId", "")).rpartition("/providers/")[2].split("/")
    return "/".join([words[0], *words[1::2]])
