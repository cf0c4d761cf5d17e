"""Microsoft.DataFactory: what a factory runs - pipelines, and the datasets and linked services
that they name.

After api-version 2018-06-01 (azure-rest-api-specs, examples of Pipelines, Datasets and
LinkedServices). What names another thing of the factory needs it: nothing is made that names what
is not there, and nothing is deleted that is named.
Not emulated: runs, data flows, integration runtimes, credentials, what an activity's own type asks.
"""

from collections.abc import Iterator

from rehearsal.arm_provider import Call, Provider, Refused
from rehearsal.world import Resource, ResourceTable

VERSIONS = ("2018-06-01",)
FACTORY = "Microsoft.DataFactory/factories"
PAGE = 50
HIDDEN = "**********"
pipelines = Provider(f"{FACTORY}/pipelines", VERSIONS, created_status=200, page_size=PAGE)
datasets = Provider(f"{FACTORY}/datasets", VERSIONS, created_status=200, page_size=PAGE)
services = Provider(f"{FACTORY}/linkedservices", VERSIONS, created_status=200, page_size=PAGE)
PROVIDERS = [pipelines, datasets, services]
# The type of a reference -> the collection of what it names.
NAMED = {
    "PipelineReference": "pipelines",
    "DatasetReference": "datasets",
    "LinkedServiceReference": "linkedservices",
}
DOCUMENTS = (*NAMED.values(), "triggers")


def code_of(table: ResourceTable, factory: str) -> dict[str, dict]:
    """Everything that a factory runs: its type and name -> its properties."""
    rows = [row for provider in PROVIDERS for row in table.under(factory, provider.type)]
    return {f"{row.type} {row.name}": row.properties for row in rows}


def references(value: object) -> Iterator[str]:
    """What a document names, as `datasets/orders`, however deep it stands."""
    if isinstance(value, dict):
        kind = NAMED.get(str(value.get("type")))
        if kind and "referenceName" in value:
            yield f"{kind}/{value['referenceName']}"
        for one in value.values():
            yield from references(one)
    elif isinstance(value, list):
        for one in value:
            yield from references(one)


def check_references(call: Call, body: dict) -> None:
    """Refuse a document that names what the factory does not have."""
    for name in references(body.get("properties")):
        if call.world.resources.get(f"{call.route.parent_id}/{name}") is None:
            message = (
                "The document creation or update failed because of invalid reference "
                f"'{name.partition('/')[2]}'."
            )
            raise Refused(400, "BadRequest", message)


def check_unnamed(call: Call, found: Resource) -> None:
    """Refuse to delete what another document of the factory names."""
    factory, _, own = found.id.rpartition("/factories/")
    name, _, document = own.partition("/")
    table = call.world.resources
    for kind in DOCUMENTS:
        for row in table.under(f"{factory}/factories/{name}", f"{FACTORY}/{kind}"):
            named = {one.lower() for one in references(row.properties)}
            if document.lower() in named and row.id != found.id:
                message = f"The document cannot be deleted since it is referenced by {row.name}."
                raise Refused(400, "BadRequest", message)


@pipelines.put
def put_pipeline(call: Call, body: dict, known: Resource | None) -> None:
    """A pipeline is a list of activities, each with a name of its own and a type."""
    rows = body.setdefault("properties", {}).get("activities", [])
    whole = isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
    if not whole or not all(row.get("name") and row.get("type") for row in rows):
        raise Refused(400, "BadRequest", "Each activity of a pipeline needs name and type.")
    if len({row["name"] for row in rows}) < len(rows):
        raise Refused(400, "BadRequest", "Two activities of the pipeline have one name.")
    check_references(call, body)


@datasets.put
def put_dataset(call: Call, body: dict, known: Resource | None) -> None:
    """A dataset has a type and lies behind a linked service."""
    properties = body.setdefault("properties", {})
    if not properties.get("type") or not isinstance(properties.get("linkedServiceName"), dict):
        raise Refused(400, "BadRequest", "A dataset needs type and linkedServiceName.")
    check_references(call, body)


@services.put
def put_service(call: Call, body: dict, known: Resource | None) -> None:
    """A linked service has a type; a secret of it may be one of a vault, which is another."""
    if not body.setdefault("properties", {}).get("type"):
        raise Refused(400, "BadRequest", "A linked service needs a type.")
    check_references(call, body)


@services.shown
def show_service(call: Call, service: Resource) -> dict:
    """A linked service tells nobody its secrets."""
    return {**service.shown(), "properties": hidden(service.properties)}


def hidden(value: object) -> object:
    """The same without the values of what is a SecureString."""
    if isinstance(value, list):
        return [hidden(one) for one in value]
    if not isinstance(value, dict):
        return value
    if value.get("type") == "SecureString":
        return {**value, "value": HIDDEN}
    return {key: hidden(one) for key, one in value.items()}


for each in PROVIDERS:
    each.removed(check_unnamed)
