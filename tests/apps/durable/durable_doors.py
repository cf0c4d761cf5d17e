"""HTTP functions of the durable test app."""

import logging
from typing import Any

import azure.durable_functions as df
import azure.functions as func

bp = df.Blueprint()


@bp.route(route="start/{name}", methods=["POST"])
@bp.durable_client_input(client_name="client")
async def start(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Start an orchestration through the SDK's client."""
    body = req.get_json() if req.get_body() else None
    name = req.route_params["name"]
    instance = await client.start_new(name, req.params.get("id"), body)
    return client.create_check_status_response(req, instance)


@bp.route(route="probe/{instance}/{verb}", methods=["POST"])
@bp.durable_client_input(client_name="client")
async def probe(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> str:
    """Use every method of the SDK's client."""
    instance, verb = req.route_params["instance"], req.route_params["verb"]
    if verb == "status":
        status: Any = await client.get_status(instance, show_history=True)
        return f"{status.runtime_status.name} {len(status.historyEvents)}"
    if verb == "all":
        return str(len(await client.get_status_by(runtime_status=[], instance_id_prefix=instance)))
    if verb == "purge":
        return str((await client.purge_instance_history(instance)).instances_deleted)
    if verb == "event":
        await client.raise_event(instance, "approve", {"by": "me"})
        return "raised"
    await getattr(client, verb)(instance, "because")
    return verb


@bp.route(route="open", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def open_door(req: func.HttpRequest) -> str:
    """Anonymous, synchronous."""
    return req.headers.get("x-ms-client-principal", "nobody")


@bp.route(route="echo/{first}/{second?}", methods=["GET", "PUT"])
def echo(req: func.HttpRequest) -> func.HttpResponse:
    """What came in."""
    parts = f"{req.method} {sorted(req.route_params.items())} {sorted(req.params.items())}"
    return func.HttpResponse(parts + req.get_body().decode(), status_code=201)


@bp.route(route="echo/literal", methods=["GET"])
def echo_literal(req: func.HttpRequest) -> str:
    """A literal segment wins over a parameter."""
    return "literal"


@bp.route(route="master", methods=["GET"], auth_level=func.AuthLevel.ADMIN)
async def master_only(req: func.HttpRequest, context: func.Context) -> str:
    """Only with the master key; has an invocation id."""
    logging.info("called %s", context.function_name)
    return context.function_name


@bp.route(route="raises", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def raises(req: func.HttpRequest) -> str:
    """Always raises."""
    raise ValueError("inside")
