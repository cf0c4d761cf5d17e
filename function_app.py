"""Understudy's table of contents: every trigger of the app, and nothing else.

Deployed once per region. Timers keep the watchdog, the lease and the backups alive; Service Bus
queues carry the routing slip from stage to stage; HTTP asks and commands. No Azure SDK is
imported here: a cold start is recovery time.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

import azure.durable_functions as df
import azure.functions as func

from activities import (
    ACTIVITIES,
    audit_desk,
    desk,
    desk_orders,
    desk_runs,
    health,
    history_desk,
    ledger_desk,
    slip_desk,
)
from orchestrations.backup import backup
from orchestrations.caretaker import caretaker
from orchestrations.component import component
from orchestrations.heartbeat import heartbeat
from orchestrations.ledger import ledger
from orchestrations.restore import restore
from orchestrations.stages import stage
from orchestrations.watchdog import watchdog
from orchestrations.waves import block
from shared import access, decisions, ledger_orders, openapi, post, runs, slip, store
from shared.answers import answer, caller, reply
from shared.settings import settings

HERE = settings().location
ENTRA = settings().api_auth == "entra"  # The platform asks for a token, `answer` for a role.
READ = func.AuthLevel.ANONYMOUS if ENTRA else func.AuthLevel.FUNCTION
OPERATE = func.AuthLevel.ANONYMOUS if ENTRA else func.AuthLevel.ADMIN
TOLD = 10  # Seconds that the timeline of a run may take.
AWAKE = ("Running", "Pending", "Suspended", "ContinuedAsNew")

app = df.DFApp(http_auth_level=READ)

# --- Orchestrations and activities -------------------------------------------------------------

ETERNAL, OF_A_RUN = (watchdog, heartbeat, caretaker, ledger), (stage, block, component)
for orchestration in (*ETERNAL, *OF_A_RUN, backup, restore):
    app.orchestration_trigger(context_name="context")(orchestration)
for activity in ACTIVITIES:
    app.activity_trigger(input_name="payload")(activity)

# --- Timers: keep alive what must run ----------------------------------------------------------


@app.timer_trigger(arg_name="timer", schedule="%WATCHDOG_SCHEDULE%")
@app.durable_client_input(client_name="client")
async def keep_watch(timer: func.TimerRequest, client) -> None:
    """Every plan has its watchdog; where the plan is active it finds nothing to watch and ends.

    And its ledger, which remembers what is in flight on the active side.
    """
    await ensure_each(client, "watchdog", "ledger")


@app.timer_trigger(arg_name="timer", schedule="%HEARTBEAT_SCHEDULE%")
@app.durable_client_input(client_name="client")
async def keep_lease(timer: func.TimerRequest, client) -> None:
    """Every plan has its heartbeat: it renews the lease where active, and steps back elsewhere.

    And its caretaker, which finishes what a run has left open.
    """
    await ensure_each(client, "heartbeat", "caretaker")


@app.timer_trigger(arg_name="timer", schedule="%BACKUP_SCHEDULE%")
@app.durable_client_input(client_name="client")
async def keep_backups(timer: func.TimerRequest, client) -> None:
    """Where the plan is active, its gateway is backed up when it has changed."""
    await ensure_each(client, "backup", by="timer")


async def ensure_each(client, *orchestrations: str, **more: str) -> None:
    """Keep one instance of each of `orchestrations` alive for every plan that lies here."""
    for name in await asyncio.to_thread(store.plan_names):
        told = {"plan": name, "location": HERE, **more}
        for orchestration in orchestrations:
            await ensure(client, orchestration, f"{orchestration}.{name}", told)


async def ensure(client, orchestration: str, instance: str, told: dict) -> bool:
    """Start `orchestration` as `instance` unless it runs; True when this call started it."""
    known = await client.get_status(instance)
    if known.runtime_status is not None and known.runtime_status.value in AWAKE:
        return False
    await client.start_new(orchestration, instance, told)
    return True


# --- Queues: one per stage ---------------------------------------------------------------------


def listen(name: str, stop: str | None, connection: str = "SLIPS") -> None:
    """Register the trigger `take_{name}` on queue `slip-{name}`; `stop`: the stage it is for."""

    async def trigger(message: func.ServiceBusMessage, client) -> None:
        await slip_desk.take(message, client, stop)

    trigger.__name__ = f"take_{name}"
    trigger.__doc__ = f"A slip has come by queue slip-{name}."
    bound = app.durable_client_input(client_name="client")(trigger)
    app.service_bus_queue_trigger(
        arg_name="message", queue_name=f"slip-{name}", connection=connection
    )(bound)


for name_of_stage in slip.STAGES:
    listen(name_of_stage, name_of_stage)
# Where this location's own namespace is away, the other one's takes what that one sends here.
if elsewhere := post.other():
    listen(post.RELAY, None, f"SLIPS_{elsewhere.upper()}")


@app.timer_trigger(arg_name="timer", schedule="%HEARTBEAT_SCHEDULE%")
@app.durable_client_input(client_name="client")
async def carry_slips(timer: func.TimerRequest, client) -> None:
    """A run whose own namespace is away goes on out of the outbox."""
    await slip_desk.carry(client)


@app.timer_trigger(arg_name="timer", schedule="%HEARTBEAT_SCHEDULE%")
async def forward_slips(timer: func.TimerRequest) -> None:
    """What another location's namespace did not take is sent again."""
    await asyncio.to_thread(slip_desk.forward)


# --- HTTP: ask and command ---------------------------------------------------------------------


@app.route("health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def get_health(req: func.HttpRequest) -> func.HttpResponse:
    """Can this location do its work? 200 or 503 with a reason per check."""
    alone = req.params.get("only") == "unclaimed"
    report = await asyncio.to_thread(health.vouch if alone else health.report)
    return reply(200 if report["status"] == "healthy" else 503, report)


@app.route("openapi.json", methods=["GET"])
async def get_openapi(req: func.HttpRequest) -> func.HttpResponse:
    """This API, described."""
    return await answer(req, access.READ, lambda: (200, openapi.document()))


@app.route("plans", methods=["GET"])
async def get_plans(req: func.HttpRequest) -> func.HttpResponse:
    """Every plan at a glance."""
    return await answer(req, access.READ, desk.every_plan)


@app.route("plans/{plan}", methods=["GET"])
async def get_plan(req: func.HttpRequest) -> func.HttpResponse:
    """One plan: active, epoch, phase, verdict with because, backup, forecast."""
    return await answer(req, access.READ, partial(desk.one_plan, req.route_params["plan"]))


def show(part: str, says: str, work: Callable[..., tuple], *queries: str) -> None:
    """Register `GET /api/plans/{plan}/{part}`; `work` gets the plan and `queries` (or Headers)."""

    async def get(req: func.HttpRequest) -> func.HttpResponse:
        told = [(req.headers if q[0].isupper() else req.params).get(q) for q in queries]
        return await answer(req, access.READ, partial(work, req.route_params["plan"], *told))

    get.__name__ = f"get_{part}"
    get.__doc__ = says
    app.route(f"plans/{{plan}}/{part}", methods=["GET"])(get)


show("readiness", "What would make a failover to the standby fail.", desk.one_readiness)
show("backups", "Every backup with its manifest, newest first.", desk.every_backup)
show("ledger", "Runs in flight, abandoned, and what is offered.", ledger_desk.one_ledger, "epoch")
show("history", "What both locations did.", history_desk.one_history, *history_desk.QUERY)
show("audit", "The chain of what was decided and done.", audit_desk.lines_after, "after")


@app.route("plans/{plan}/backup", methods=["POST"], auth_level=OPERATE)
@app.durable_client_input(client_name="client")
async def post_backup(req: func.HttpRequest, client) -> func.HttpResponse:
    """Back the active gateway up now, if it has changed."""
    name = req.route_params["plan"]
    answered = await answer(req, access.OPERATE, partial(desk.order_backup, name))
    if answered.status_code == 202:
        told = {"plan": name, "location": HERE, "by": caller(req) or desk_orders.PERSON}
        await ensure(client, "backup", f"backup.{name}", told)
    return answered


@app.route("plans/{plan}/failover", methods=["POST"], auth_level=OPERATE)
@app.durable_client_input(client_name="client")
async def post_failover(req: func.HttpRequest, client) -> func.HttpResponse:
    """Start a failover, or show what one would do (`dryRun`)."""
    loop, plan, key = asyncio.get_running_loop(), req.route_params["plan"], "Idempotency-Key"

    def told(run: str) -> dict[str, dict]:  # Called from the thread in which the work is done.
        try:
            return asyncio.run_coroutine_threadsafe(stages_of(client, run), loop).result(TOLD)
        # A forecast can do without. What the durable client raises is a bare Exception.
        except Exception as untold:
            logging.warning("%s has no timeline: %s", run, untold)
            return {}

    heads = req.headers.get(key), req.headers.get("Accept") or ""
    who = caller(req) or desk_orders.PERSON
    work = partial(desk_orders.order_failover, plan, req.get_body(), *heads, told, who)
    return await answer(req, access.OPERATE, work)


def hear(path: str, word: str, work: Callable[[str, str, bytes, str], tuple]) -> None:
    """Register `POST /api/plans/{plan}/{path}`: a person says `word` to a plan."""

    async def post(req: func.HttpRequest) -> func.HttpResponse:
        told = partial(work, req.route_params["plan"], word, req.get_body(), caller(req))
        return await answer(req, access.OPERATE, told)

    post.__name__ = f"post_{word}"
    post.__doc__ = f"A person says {word} to a plan."
    app.route(f"plans/{{plan}}/{path}", methods=["POST"], auth_level=OPERATE)(post)


for said in decisions.WORDS:
    hear(said, said, desk.order_decision)
for said in ledger_orders.WORDS:
    hear(f"ledger/{said}", said, ledger_desk.order)


@app.route("runs/{run}", methods=["GET"])
@app.durable_client_input(client_name="client")
async def get_run(req: func.HttpRequest, client) -> func.HttpResponse:
    """A run's timeline, stage by stage and step by step."""
    run = req.route_params["run"]
    work, gather = partial(ledger_desk.one_run, run), partial(stages_of, client, run)
    return await answer(req, access.READ, work, gather)


async def stages_of(client, run: str) -> dict[str, dict]:
    """The run's stages that this location carries or has carried: stage -> what is known of it."""
    # An instance id becomes a part of a URL inside the client: nothing else may get in there.
    stops = slip.STAGES if desk.RUN.fullmatch(run) else ()
    known = [await client.get_status(f"{run}.{stop}") for stop in stops]
    return {
        stop: {
            "status": one.runtime_status.value,
            "output": one.output,
            "createdAt": one.created_time.isoformat() if one.created_time else None,
            "custom": one.custom_status,
        }
        for stop, one in zip(stops, known, strict=True)
        if one.runtime_status is not None
    }


def hear_run(word: str) -> None:
    """Register `POST /api/runs/{run}/{word}`: a person says `word` to a run."""

    async def post(req: func.HttpRequest, client) -> func.HttpResponse:
        run = req.route_params["run"]
        work = partial(desk_runs.order_word, run, word, req.get_body(), caller(req))
        answered = await answer(req, access.OPERATE, work)
        if answered.status_code == 200:
            await wake(client, run)
        return answered

    post.__name__ = f"post_run_{word}"
    post.__doc__ = f"A person says {word} to a run."
    bound = app.durable_client_input(client_name="client")(post)
    app.route(f"runs/{{run}}/{word}", methods=["POST"], auth_level=OPERATE)(bound)


async def wake(client, run: str) -> None:
    """Tell the stage that waits for people, if it waits here, that something was said."""
    for stop, one in (await stages_of(client, run)).items():
        waits = one["custom"].get("waitsFor") if isinstance(one["custom"], dict) else None
        if waits and one["status"] in AWAKE:
            try:
                await client.raise_event(f"{run}.{stop}", waits, {"run": run})
            # What was said stands at the witness, where the stage looks by itself a little later.
            except Exception as unheard:
                logging.warning("%s.%s was not woken: %s", run, stop, unheard)


for said in runs.WORDS:
    hear_run(said)
