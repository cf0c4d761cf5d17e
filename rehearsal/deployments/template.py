"""Template: one ARM template with its parameters, made into resources in the order of their needs.

After "Understand the structure and syntax of ARM templates". Scope is a resource group. Nested
templates, outputs of other deployments and user functions are refused by name.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from rehearsal.deployments.expressions import BadExpression, Function, referenced, resolved
from rehearsal.deployments.functions import PURE, resource_id, typed

SECTIONS = ("$schema", "contentVersion", "metadata", "parameters", "variables")
KNOWN = (*SECTIONS, "resources", "outputs", "languageVersion")
# What a resource may say to ARM itself; the rest is its body.
OWN = ("type", "apiVersion", "name", "dependsOn", "comments", "condition", "copy", "scope")
TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "securestring": (str,),
    "int": (int,),
    "bool": (bool,),
    "object": (dict,),
    "secureobject": (dict,),
    "array": (list,),
}
COPIES_MAX = 800  # As in Azure.
Referenced = Callable[[str, str], dict]


class BadTemplate(Exception):
    """A template or parameters that ARM would refuse; `problems` are sentences."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass
class Wanted:
    """One resource to be put: `body` is resolved only when what it refers to exists."""

    id: str
    type: str
    api_version: str
    needs: list[str]
    raw: dict
    index: int | None = None
    holds: bool = True  # Its condition.


@dataclass
class Template:
    """A template, its parameters filled in, in one resource group."""

    raw: dict
    given: dict
    group: str  # The resource group's id.
    group_location: str
    tenant: str
    parameters: dict = field(default_factory=dict)
    _variables: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        strange = [f"{key} is not emulated" for key in self.raw if key not in KNOWN]
        if strange or not isinstance(self.raw.get("resources"), list):
            raise BadTemplate(strange or ["resources is missing"])
        problems = self._fill_parameters()
        if problems:
            raise BadTemplate(problems)

    # --- parameters -----------------------------------------------------------------------

    def _fill_parameters(self) -> list[str]:
        """Every parameter gets its value; gives what is wrong with them."""
        declared = self.raw.get("parameters", {})
        problems = [
            f"parameter {name} is not declared" for name in self.given if name not in declared
        ]
        for name, rule in declared.items():
            if name in self.given:
                value = self.given[name].get("value")
            elif "defaultValue" in rule:
                value = resolved(rule["defaultValue"], self.functions())
            else:
                problems.append(f"parameter {name} is missing")
                continue
            self.parameters[name] = value
            problems += [f"parameter {name}: {why}" for why in _misfits(rule, value)]
        return problems

    # --- functions ------------------------------------------------------------------------

    def functions(
        self, reference: Referenced | None = None, index: int | None = None
    ) -> dict[str, Function]:
        """Every function as it is here; `reference` only while resources are being made."""
        subscription = self.group.split("/")[2]

        def refer(target: str, version: str = "", full: str = "") -> dict:
            if reference is None:
                raise BadExpression("reference() can be used only in what is made at run time")
            body = reference(target, version)
            return body if full else body.get("properties", {})

        def counted(offset: int | str = 0, more: int = 0) -> int:
            if index is None:
                raise BadExpression("copyIndex() stands outside a copy loop")
            return index + (offset if isinstance(offset, int) else more)

        home = f"/subscriptions/{subscription}"
        name = self.group.rsplit("/", 1)[-1]
        group = {"id": self.group, "name": name, "location": self.group_location}
        whole = {"id": home, "subscriptionId": subscription, "tenantId": self.tenant}
        return {
            **PURE,
            "parameters": lambda name: self.parameters[name],
            "variables": self._variable,
            "resourceid": lambda *told: resource_id(self.group, told),
            "subscriptionresourceid": lambda kind, *names: (
                f"{home}/providers/{typed(kind, [str(n) for n in names])}"
            ),
            "resourcegroup": lambda: group,
            "subscription": lambda: whole,
            "reference": refer,
            "copyindex": counted,
        }

    def _variable(self, name: str) -> object:
        """A variable, worked out when it is first asked for."""
        if name not in self._variables:
            loops = {one["name"]: one for one in self.raw["variables"].get("copy", [])}
            if name in loops:
                self._variables[name] = self._copied(loops[name])
            else:
                self._variables[name] = resolved(self.raw["variables"][name], self.functions())
        return self._variables[name]

    def _copied(self, loop: dict) -> list[object]:
        """A variable that is made item by item."""
        count = self._count(loop)
        return [resolved(loop["input"], self.functions(index=index)) for index in range(count)]

    def _count(self, loop: dict) -> int:
        """How often a loop goes round."""
        count = resolved(loop["count"], self.functions())
        if not isinstance(count, int) or not 0 <= count <= COPIES_MAX:
            raise BadTemplate([f"copy {loop['name']}: count is {count}"])
        return count

    # --- resources ------------------------------------------------------------------------

    def wanted(self) -> list[Wanted]:
        """Every resource whose condition holds, loops unrolled, what others need first."""
        declared: dict[str, Wanted] = {}
        loops: dict[str, list[str]] = {}
        for raw in self.raw["resources"]:
            for one in self._unrolled(raw):
                key = one.id.lower()
                if key in declared:
                    raise BadTemplate([f"{one.id} is there twice"])
                declared[key] = one
                if "copy" in raw:
                    loops.setdefault(raw["copy"]["name"].lower(), []).append(key)
        graph = {key: self._needs(one, declared, loops) for key, one in declared.items()}
        try:
            order = list(TopologicalSorter(graph).static_order())
        except CycleError as cycle:
            told = " -> ".join(cycle.args[1])
            raise BadTemplate([f"a circle of dependencies: {told}"]) from cycle
        return [declared[key] for key in order if declared[key].holds]

    def _unrolled(self, raw: dict) -> list[Wanted]:
        if "resources" in raw:
            raise BadTemplate([f"{raw.get('name')}: child resources inside are not emulated"])
        loop = raw.get("copy")
        if loop is None:
            return [self._made(raw, None)]
        return [self._made(raw, index) for index in range(self._count(loop))]

    def _made(self, raw: dict, index: int | None) -> Wanted:
        known = self.functions(index=index)
        name = str(resolved(raw["name"], known))
        scope = str(resolved(raw["scope"], known)) if "scope" in raw else self.group
        try:
            id = f"{scope}/providers/{typed(raw['type'], name.split('/'))}"
        except BadExpression as wrong:
            raise BadTemplate([str(wrong)]) from wrong
        needs = [str(resolved(need, known)) for need in raw.get("dependsOn", [])]
        holds = bool(resolved(raw.get("condition", True), known))
        return Wanted(id, raw["type"], raw["apiVersion"], needs, raw, index, holds)

    def _needs(self, one: Wanted, declared: dict, loops: dict) -> list[str]:
        """What must be there first: dependsOn, and what reference() names in this template.

        One whose condition does not hold is waited for by nobody; one that nobody declares is an
        error, as in Azure.
        """
        keys: list[str] = []
        for need in one.needs:
            key = need.lower()
            if key not in declared and key not in loops:
                told = f"{one.id} depends on {need}, which the template does not define"
                raise BadTemplate([told])
            keys += loops.get(key, [key])
        if one.holds:
            keys += [
                str(target).lower()
                for target in referenced(one.raw.get("properties"), self.functions(index=one.index))
            ]
        return [key for key in keys if key in declared and key != one.id.lower()]

    def body(self, one: Wanted, reference: Referenced) -> dict:
        """What is put: everything but what concerns the deployment itself."""
        kept = {key: value for key, value in one.raw.items() if key not in OWN}
        made = resolved(kept, self.functions(reference, one.index))
        assert isinstance(made, dict)
        return made

    def outputs(self, reference: Referenced) -> dict:
        """The outputs, once everything is made."""
        known = self.functions(reference)
        return {
            name: {"type": one["type"], "value": resolved(one["value"], known)}
            for name, one in self.raw.get("outputs", {}).items()
            if resolved(one.get("condition", True), known)
        }


def _misfits(rule: dict, value: object) -> list[str]:
    """Why a value does not keep its parameter's rule."""
    kinds = TYPES.get(str(rule.get("type", "")).lower())
    if kinds is None:
        return [f"{rule.get('type')} is no type"]
    if not isinstance(value, kinds) or (int in kinds and isinstance(value, bool)):
        return [f"wants {rule['type']}, got {type(value).__name__}"]
    wrong = []
    if "allowedValues" in rule and value not in rule["allowedValues"]:
        wrong.append(f"is none of {', '.join(map(str, rule['allowedValues']))}")
    if isinstance(value, (str, list)):
        if len(value) < rule.get("minLength", 0):
            wrong.append(f"is shorter than {rule['minLength']}")
        if len(value) > rule.get("maxLength", len(value)):
            wrong.append(f"is longer than {rule['maxLength']}")
    low, high = rule.get("minValue", float("-inf")), rule.get("maxValue", float("inf"))
    if isinstance(value, int) and not low <= value <= high:
        wrong.append(f"is not between {low} and {high}")
    return wrong
