"""Health of this location: what its workload depends on, asked side by side and within a bound.

Answers are kept a few seconds, so that an anonymous address cannot be used to overload anything.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from functools import partial

from shared import clients, leftovers, outbox, post, probe, record, store, watch, witness
from shared.blobs import Place
from shared.plan import BadPlan, Plan
from shared.reply import Surprise, brief
from shared.settings import settings

SECONDS_MAX = 5.0
KEPT_SECONDS = 5.0
VOUCH_SECONDS_MAX = 2.0
STATUS_PATH = "/status-0123456789abcdef"
QUEUE = "slip-claim"
_KEPT: dict[tuple[str, ...], tuple[float, dict]] = {}
_ASKING = threading.Lock()
WITNESS_SECONDS = 1.5
Check = Callable[[], str | tuple[str, str]]  # Its words, or its status and its words.


def report() -> dict:
    """The location's health with `unclaimed`, the plans that it vouches it has not claimed."""
    return {**check_location(), "unclaimed": vouch()["unclaimed"]}


def vouch() -> dict:
    """`unclaimed` alone, with its own check, within VOUCH_SECONDS_MAX.

    Read anew at each call, for the other side acts on it; and who cannot renew a lease has no time
    to wait for what else there is to check.
    """
    unclaimed: list[str] = []

    def claims() -> str:
        unclaimed.extend(probe.within(VOUCH_SECONDS_MAX, store.unclaimed))
        return f"vouches that it has not claimed: {', '.join(unclaimed) or 'no plan'}"

    row = _timed("claims", claims)
    status = "healthy" if row["status"] == "ok" else "unhealthy"
    told = {"status": status, "location": settings().location, "checks": [row]}
    return {**told, "unclaimed": unclaimed}


def check_location(plans: list[str] | None = None, timeout_seconds: float = SECONDS_MAX) -> dict:
    """{"status": "healthy" | "unhealthy", "location", "checks": [...]}, as the contract has it.

    `plans`: their names; None: all that lie in this location's store. Answers within about
    `timeout_seconds`: a check that takes longer is failing. One caller asks, the others wait for
    its answer. A plan whose newest text is bad is a warning: the app goes on with the last good.
    """
    key = tuple(plans) if plans is not None else ("*",)
    with _ASKING:
        known = _KEPT.get(key)
        if known and time.monotonic() - known[0] < KEPT_SECONDS:
            return known[1]
        answer = _check(plans, timeout_seconds)
        _KEPT.clear()
        _KEPT[key] = (time.monotonic(), answer)
        return answer


def forget() -> None:
    """Ask anew at the next call."""
    _KEPT.clear()


def _check(plans: list[str] | None, seconds: float) -> dict:
    started = time.monotonic()
    # Threads that hang beyond the bound are left to their own timeouts, not waited for.
    askers = ThreadPoolExecutor(max_workers=16, thread_name_prefix="health")
    try:
        asked = {"slips": askers.submit(_timed, "slips", _slips)}
        asked["storage"] = askers.submit(_timed, "storage", _storage)
        asked["leftovers"] = askers.submit(_timed, "leftovers", _leftovers)
        asked["outbox"] = askers.submit(_timed, "outbox", _outbox)
        held = askers.submit(_held, plans)
        wait([held], timeout=seconds * 0.6)
        rows = held.result() if held.done() else []
        for name, found in rows:
            if isinstance(found, store.Held):
                for label, check in _of_plan(found.plan, seconds).items():
                    asked[f"{name}:{label}"] = askers.submit(_timed, f"{name}:{label}", check)
        wait(asked.values(), timeout=max(0.1, seconds - (time.monotonic() - started)))
        checks = [_plan_check(name, found) for name, found in rows]
        checks += [_row(name, future, seconds) for name, future in asked.items()]
    finally:
        askers.shutdown(wait=False, cancel_futures=True)
    failing = any(check["status"] == "failing" for check in checks)
    status = "unhealthy" if failing else "healthy"
    return {"status": status, "location": settings().location, "checks": checks}


def _held(plans: list[str] | None) -> list[tuple[str, store.Held | str]]:
    """Each plan, or why there is none. Storage that fails has its own check."""
    try:
        names = store.plan_names() if plans is None else plans
        return [(name, _plan(name)) for name in names]
    except Surprise:
        return []


def _plan(name: str) -> store.Held | str:
    try:
        return store.newest(name) or f"no plan {name} here"
    except BadPlan as bad:
        return f"bad, and no good one is known here: {'; '.join(bad.problems[:3])}"


def _plan_check(name: str, found: store.Held | str) -> dict:
    row = {"name": f"{name}:plan", "seconds": 0.0}
    if isinstance(found, str):
        return {**row, "status": "failing", "because": brief(found)}
    if found.stale:
        because = f"runs on the last good plan, the newest is bad: {'; '.join(found.stale[:3])}"
        return {**row, "status": "warning", "because": brief(because)}
    return {**row, "status": "ok", "because": f"version {found.plan.digest[:12]}"}


def _of_plan(plan: Plan, seconds: float) -> dict[str, Check]:
    """The checks of what a plan has in this location."""
    here = settings().location
    if here not in plan.locations:
        return {}
    checks: dict[str, Check] = {
        "workflow": partial(_workflow, plan.locations[here].health, seconds),
        "watchdog": partial(_watchdog, plan, here),
    }
    gateway = plan.gateway()
    if gateway is not None:
        url = plan.component(gateway, here)["gatewayUrl"]
        checks["gateway"] = partial(_gateway, url, seconds)
    return checks


def _workflow(url: str, seconds: float) -> str:
    """Run the health-check workflow by its request trigger, with our bearer token.

    Logic Apps takes a token only where the query has no SAS (logic-apps-securing-a-logic-app).
    """
    bearer = clients.credential().get_token(clients.scope()).token
    reply = probe.call("POST", url, seconds * 0.8, bearer=bearer, body={})
    if reply.status != 200:
        raise Surprise(f"health workflow answered {reply.words}")
    return "health workflow answered 200"


def _gateway(url: str, seconds: float) -> str:
    reply = probe.call("GET", f"{url.rstrip('/')}{STATUS_PATH}", seconds * 0.8)
    if reply.status != 200:
        raise Surprise(f"gateway status answered {reply.status}")
    return "gateway status answered 200"


def _watchdog(plan: Plan, here: str) -> tuple[str, str]:
    """Where the plan is active elsewhere, somebody here must be watching."""
    held = witnessed(plan)
    state = store.read_watch(plan.name)
    shaped = watch.shaped(state) if state else None
    sound = shaped if shaped and not witness.refusal(shaped) else None
    return watch.alive(sound, held, here, plan.watch.every_seconds, datetime.now(UTC))


def witnessed(plan: Plan) -> dict | None:
    """The plan's record, or None where it cannot be had."""
    known = plan.witness
    place = Place(known.blob_service_uri.rstrip("/"), known.container, WITNESS_SECONDS)
    try:
        blob = place.get(f"{plan.name}.json")
    except Surprise:
        return None
    held = record.parse(blob.data, plan.name) if blob else None
    return held if held and not witness.refusal(held) else None


def _leftovers() -> tuple[str, str]:
    """Lost messages stop no work here, but somebody should look at them."""
    try:
        found = leftovers.look(settings().location)
    except Surprise as silent:  # That the namespace answers is another check's.
        return "warning", f"cannot be looked for: {brief(str(silent))}"
    if found:
        return "warning", f"not empty: {', '.join(found)}"
    return "ok", "no poisoned and no dead letters"


def _outbox() -> tuple[str, str]:
    """Slips that wait are on their way, by and by; that none takes them somebody should know."""
    try:
        waits = {location: len(post.read(location)["slips"]) for location in settings().slips}
    except Surprise as silent:  # That storage answers is another check's.
        return "warning", f"cannot be read: {brief(str(silent))}"
    words = ", ".join(f"{count} for {location}" for location, count in waits.items() if count)
    return ("warning", f"slips wait: {words}") if words else ("ok", "no slip waits")


def _slips() -> str:
    outbox.peek(settings().location, QUEUE)
    return f"{QUEUE} answers"


def _storage() -> str:
    return f"{len(store.place().names('plans/'))} blobs of plans"


def _timed(name: str, check: Check) -> dict:
    """One check with its time. Only Surprise is a failing check; anything else is our own fault."""
    started = time.monotonic()
    try:
        said = check()
        status, because = said if isinstance(said, tuple) else ("ok", said)
    except Surprise as error:
        because, status = brief(str(error)), "failing"
    took = round(time.monotonic() - started, 3)
    return {"name": name, "status": status, "because": because, "seconds": took}


def _row(name: str, future: Future, seconds: float) -> dict:
    """What a check said; one that is not done, or that broke, is failing and says so."""
    if not future.done():
        because = f"no answer within {seconds:g} s"
        return {"name": name, "status": "failing", "because": because, "seconds": seconds}
    broke = future.exception()
    if broke is not None:
        because = brief(f"{type(broke).__name__}: {broke}")
        return {"name": name, "status": "failing", "because": because, "seconds": 0.0}
    return future.result()
