"""Store: this location's own storage, where the app keeps plans and what its watchdog last saw.

    plans/{plan}.yaml            what people lay there; may be bad at any time
    plans/{plan}/{digest}.json   every good version that was ever run with, never changed
    plans/{plan}/good            the digest of the last good version
    watch/{plan}.json            the watch state
    readiness/{plan}.json        what was last seen of the standby, where the plan is active
    readiness/own/{plan}.json    what this location last saw of itself, as the standby
    claims/{plan}.json           {"epoch", "run", "mine"}: written before a claim is tried, so that
                                 this location never vouches for one that it is replacing
    runs/{run}/{stage}.json      the rows of a stage that this location carried
    outbox/{location}.json       the slips for a location that no namespace took (see `post`)

A bad new plan never stops the app: it goes on with the last good one and says so.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from shared import watch
from shared.blobs import NEW, Place
from shared.outcome import refused
from shared.plan import BadPlan, Plan, load
from shared.settings import settings

CONTAINER = "understudy"
PLANS_MAX = 100
_NOTED: dict[tuple[str, str], str] = {}  # What `plans/{plan}/good` says, as far as we know.
_READ: dict[tuple[str, str], tuple[bytes, Plan]] = {}  # What the newest text was, and says.
_NOTING = threading.Lock()


@dataclass(frozen=True)
class Held:
    """A plan that can be run with; `stale` says why the newest text is not it."""

    plan: Plan
    stale: tuple[str, ...] = ()


def place() -> Place:
    """The app's own container."""
    return Place(settings().blob_service_uri, CONTAINER)


def plan_names() -> list[str]:
    """The names of the plans that lie in the store, good or bad."""
    found = [name.removeprefix("plans/") for name in place().names("plans/")]
    return sorted(n.removesuffix(".yaml") for n in found if n.endswith(".yaml") and "/" not in n)[
        :PLANS_MAX
    ]


def newest(name: str) -> Held | None:
    """The newest good version of a plan; None when there is none at all.

    Raises BadPlan when the newest text is bad and no good one has ever been seen here.
    """
    blob = place().get(f"plans/{name}.yaml")
    if blob is None:
        return None
    key = (settings().blob_service_uri, name)
    text, plan = _READ.get(key, (b"", None))
    try:
        if plan is None or text != blob.data:  # To read one of 5,000 workflows takes seconds.
            plan = read(blob.data, name)
    except BadPlan as bad:
        good = place().get(f"plans/{name}/good")
        held = pinned(name, good.data.decode()) if good else None
        if held is None:
            raise
        return Held(held.plan, tuple(bad.problems))
    _READ[key] = (blob.data, plan)
    _note_good(plan)
    return Held(plan)


def read(data: bytes, name: str) -> Plan:
    """The plan in a blob of that name; BadPlan also when it is another plan's."""
    try:
        plan = load(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadPlan([f"not UTF-8: {error}"]) from error
    if plan.name != name:
        raise BadPlan([f"name: the blob is {name}.yaml, the plan in it is {plan.name}"])
    return plan


def pinned(name: str, digest: str) -> Held | None:
    """The version with this digest, or None when this location has never seen it."""
    blob = place().get(f"plans/{name}/{digest}.json")
    return Held(Plan.model_validate(json.loads(blob.data))) if blob else None


def _note_good(plan: Plan) -> None:
    """Keep a good version for ever, and remember that it is the last good one."""
    key = (settings().blob_service_uri, plan.name)
    with _NOTING:
        if _NOTED.get(key) == plan.digest:
            return
    text = json.dumps(plan.document, sort_keys=True).encode()
    place().put(f"plans/{plan.name}/{plan.digest}.json", text, expect=NEW)
    place().put(f"plans/{plan.name}/good", plan.digest.encode())
    with _NOTING:
        _NOTED[key] = plan.digest


def write_watch(state: dict) -> None:
    """Keep a plan's watch state; the last writer wins, and there is one watchdog per plan."""
    place().put(f"watch/{state['plan']}.json", json.dumps(state).encode())


def read_watch(plan: str) -> dict | None:
    """A plan's watch state, or None when nobody here has watched it yet."""
    blob = place().get(f"watch/{plan}.json")
    return json.loads(blob.data) if blob else None


def write_readiness(state: dict) -> None:
    """Keep what was last seen of a plan's standby."""
    place().put(_readiness(state["plan"], state.get("own", False)), json.dumps(state).encode())


def read_readiness(plan: str, own: bool = False) -> dict | None:
    """{"plan", "location", "ready", "because", "checks", "at", "told"}, or None before a look."""
    blob = place().get(_readiness(plan, own))
    return json.loads(blob.data) if blob else None


def _readiness(plan: str, own: bool) -> str:
    """The name of a look's blob; `own`: of what only this location's app sees of itself."""
    return f"readiness/own/{plan}.json" if own else f"readiness/{plan}.json"


def write_claim(plan: str, claim: dict) -> None:
    """Note what this location last claimed, or yielded."""
    place().put(f"claims/{plan}.json", json.dumps(claim).encode())


def change_claim(
    plan: str, judge: Callable[[dict | None], dict], note: Callable[[dict | None], dict]
) -> dict:
    """Write `note` of what is held where `judge` lets it succeed; gives the outcome.

    A refusal where somebody has written meanwhile, as a claim that begins does.
    """
    name = f"claims/{plan}.json"
    blob = place().get(name)
    held = json.loads(blob.data) if blob else None
    outcome = judge(held)
    if outcome["status"] != "succeeded":
        return outcome
    kept = place().put(name, json.dumps(note(held)).encode(), expect=blob.etag if blob else NEW)
    return outcome if kept else refused("the note of a claim was changed meanwhile")


def read_claim(plan: str) -> dict | None:
    """{"epoch", "run", "mine"}, or None when this location has never claimed the plan."""
    blob = place().get(f"claims/{plan}.json")
    return json.loads(blob.data) if blob else None


def unclaimed() -> list[str]:
    """The plans that this location has not claimed, and is not about to: those it vouches for.

    Who cannot renew goes on because of this word, and asks again only with the next beat. So it is
    withdrawn with the first suspicion, not with the claim.
    """
    claims = {name: read_claim(name) for name in plan_names()}
    free = [name for name, claim in claims.items() if claim is None or not claim["mine"]]
    now, seen = datetime.now(UTC), {name: read_watch(name) for name in free}
    return [name for name, state in seen.items() if not (state and watch.suspects(state, now))]


def write_rows(run: str, stage: str, rows: list[dict]) -> None:
    """Keep what a stage of a run did; the same stage writes the same rows again."""
    place().put(f"runs/{run}/{stage}.json", json.dumps(rows).encode())


def read_rows(run: str) -> dict[str, list[dict]]:
    """stage -> rows, of the stages whose rows are kept here."""
    prefix = f"runs/{run}/"
    found = {name: place().get(name) for name in place().names(prefix)}
    return {
        name.removeprefix(prefix).removesuffix(".json"): json.loads(blob.data)
        for name, blob in found.items()
        if blob
    }
