"""The estate: what exists in the rehearsal's Azure when the stage opens, read from one YAML file.

A bad file is refused as a whole, with every error and its path. `estate_seed` makes a world of it.
"""

import sys
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

import yaml
from pydantic import Field, ValidationError, model_validator

from rehearsal.estate_parts import (
    Client,
    Fault,
    Gateway,
    Other,
    Part,
    Place,
    Timings,
    TrafficManager,
    Witness,
    Workflow,
    Workload,
)
from shared import plan as plans

HERE = Path(__file__).resolve().parent
DEFAULT = HERE / "estates" / "contoso.yaml"
SIZE_BYTES_MAX = 2_000_000
BASES_MAX = 5
T = TypeVar("T")


class BadEstate(Exception):
    """An estate file that cannot be used; `problems` has every error with its path."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Estate(Part):
    """Everything that exists."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{1,39}$")
    plan: str
    subscription: str
    tenant: str
    home: str
    latencySeconds: float = Field(default=0.1, ge=0, le=10)
    timings: Timings = Timings()
    locations: dict[str, Place] = Field(min_length=2, max_length=2)
    witness: Witness
    resourceGroups: dict[str, str]
    workload: Workload | None = None
    client: Client
    trafficManager: TrafficManager
    gateway: Gateway
    parts: dict = {}
    workflows: list[Workflow]
    resources: list[Other] = []
    blobs: dict[str, dict] = {}  # Documents in each location's own container `understudy`.
    rolesEnforced: bool = False  # The apps may do what infra/access.json allows, and no more.
    faults: list[Fault] = []

    @model_validator(mode="after")
    def _names_fit(self) -> "Estate":
        problems = _unknown_names(self)
        problems += _doubles("workflows", [w.name for w in self.workflows])
        problems += _doubles("faults", [one.name for one in self.faults])
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def other(self, location: str) -> str:
        """The location that is not this one."""
        return next(name for name in self.locations if name != location)

    @property
    def standby(self) -> str:
        """The location that is not home."""
        return self.other(self.home)

    def group_id(self, group: str) -> str:
        """The id of a resource group."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{group}"

    def fill(self, value: T, location: str) -> T:
        """A copy with {short}, {location}, {resourceGroup} and {subscription} filled in."""
        place = self.locations[location]
        words = {
            "{short}": place.short,
            "{location}": location,
            "{resourceGroup}": self.group_id(place.resourceGroup),
            "{subscription}": self.subscription,
        }
        return cast(T, _fill(value, words))

    @property
    def profile_id(self) -> str:
        """The id of the Traffic Manager profile."""
        traffic = self.trafficManager
        kind = "Microsoft.Network/trafficmanagerprofiles"
        return f"{self.group_id(traffic.resourceGroup)}/providers/{kind}/{traffic.name}"


def _fill(value: object, words: dict[str, str]) -> object:
    if isinstance(value, str):
        for word, meaning in words.items():
            value = value.replace(word, meaning)
        return value
    if isinstance(value, dict):
        return {key: _fill(item, words) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, words) for item in value]
    return value


def _doubles(what: str, names: list[str]) -> list[str]:
    twice = sorted({name for name in names if names.count(name) > 1})
    return [f"{what}: {name} is there twice" for name in twice]


def _unknown_names(estate: Estate) -> list[str]:
    """Names that point at nothing, each with its path."""
    places, workload, traffic = estate.locations, estate.workload, estate.trafficManager
    users = {"trafficManager": traffic.resourceGroup, "witness": estate.witness.resourceGroup}
    users |= {f"locations.{name}": place.resourceGroup for name, place in places.items()}
    asked: list[tuple[str, str, Container[str]]] = [("home", estate.home, places)]
    asked += [(f"trafficManager.endpoints.{name}", name, places) for name in traffic.endpoints]
    for name, product in estate.gateway.products.items():
        asked += [(f"gateway.products.{name}.apis", a, estate.gateway.apis) for a in product.apis]
    if workload is not None:
        users["workload"] = workload.resourceGroup
        asked += [("workload.producers", p.queue, workload.queues) for p in workload.producers]
    asked += [(f"{at}.resourceGroup", name, estate.resourceGroups) for at, name in users.items()]
    stores = {estate.witness.storage, *(place.storage for place in places.values())}
    for one in estate.faults:
        asked += [(f"faults.{one.name}.at", name, places) for name in one.at]
        known = {*places, estate.witness.location}
        asked += [(f"faults.{one.name}.outage", name, known) for name in one.outage]
        if one.blob:
            asked.append((f"faults.{one.name}.blob", one.blob.partition("/")[0], stores))
        if one.resourceGroup:
            told = f"faults.{one.name}.resourceGroup"
            asked.append((told, one.resourceGroup, estate.resourceGroups))
    return [f"{at}: {name} is not in this estate" for at, name, known in asked if name not in known]


@dataclass(frozen=True)
class Scene:
    """An estate with the text of its plan, which lies beside it."""

    estate: Estate
    plan_name: str
    plan_text: str
    # A folder of ARM templates that deploy the app's own part; without, it is there from the start.
    templates: Path | None = None


def parse(text: str) -> Estate:
    """The estate in a YAML text, or BadEstate with every problem."""
    if len(text.encode()) > SIZE_BYTES_MAX:
        raise BadEstate([f"the file is larger than {SIZE_BYTES_MAX} bytes"])
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as wrong:
        raise BadEstate([f"not YAML: {wrong}"]) from wrong
    try:
        return Estate.model_validate(found)
    except ValidationError as wrong:
        raise BadEstate(
            [f"{'.'.join(map(str, e['loc'])) or 'estate'}: {e['msg']}" for e in wrong.errors()]
        ) from wrong


def extended(path: Path) -> str:
    """The text of an estate file, laid over the one that it `extends`, where it does.

    Mappings are merged, lists joined, anything else replaced.
    """
    text = path.read_text(encoding="utf-8")
    for _ in range(BASES_MAX):
        try:
            found = yaml.safe_load(text)
            if not isinstance(found, dict) or not isinstance(found.get("extends"), str):
                return text
            base = yaml.safe_load((path.parent / found.pop("extends")).read_text(encoding="utf-8"))
        except (yaml.YAMLError, RecursionError):
            return text  # `parse` says what is wrong with it.
        text = yaml.safe_dump(over(base, found, joined=True), sort_keys=False)
    raise BadEstate([f"{path.name} extends more than {BASES_MAX} others, or itself"])


def over(base: object, more: object, joined: bool = False) -> object:
    """`more` laid over `base`: mappings are merged, lists replaced, or `joined`."""
    if isinstance(base, dict) and isinstance(more, dict):
        merged = {key: over(base[key], more[key], joined) for key in base if key in more}
        return {**base, **more, **merged}
    lists = isinstance(base, list) and isinstance(more, list)
    return [*cast(list, base), *cast(list, more)] if joined and lists else more


def load(path: Path = DEFAULT) -> Scene:
    """The estate in a file and the plan that it names; a file that is not there is a problem."""
    try:
        estate = parse(extended(path))
        beside = (path.parent / estate.plan).resolve()
        text = beside.read_text(encoding="utf-8")
    except OSError as wrong:
        raise BadEstate([f"{wrong.filename}: {wrong.strerror}"]) from wrong
    try:
        plan = plans.load(text)
    except plans.BadPlan as bad:
        raise BadEstate([f"plan {beside.name}: {problem}" for problem in bad.problems]) from bad
    return Scene(estate, plan.name, text)


if __name__ == "__main__":
    try:
        print(f"{load(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT).estate.name}: sound")
    except BadEstate as bad:
        sys.exit(str(bad))
