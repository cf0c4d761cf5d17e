"""Ledger orders: resubmit or cancel what a failover cut off, each at most once.

After Microsoft.Logic 2019-05-01: triggers/histories/resubmit and runs/cancel. The intent is
written down before the request leaves; whoever finds an intent without an answer asks the run
history what came of it. A disabled workflow can be resubmitted all the same.
"""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from shared import clients, flow_runs, ledger_orders, ledger_store, store
from shared.guard import Stale, guarded, still
from shared.outcome import skipped, succeeded
from shared.plan import Plan
from shared.reply import Reply, Surprise

ORDERS_PER_CALL = 10
PAGE = 100
SKEW = timedelta(minutes=5)  # Our clock wrote the intent, the region's the run's beginning.
RESUBMITTED = "x-ms-workflow-run-id"
ROLE = "give the app's identity the operator role of infra/access.json there"
BY_HAND = "runs of a Standard workflow are resubmitted and cancelled in the site's own run history"
BUSY = (429,)  # Refused before anything was done: the same may be sent again.
Verdict = tuple[str, dict]  # The order's next state, and `because` and `result`.


@guarded
def settle_orders(payload: dict) -> dict:
    """Carry out what people ordered for the ledger of `plan` and ended epoch `of`, a few at a time.

    `epoch`, `location`, `witness`: as of any task that changes something. Facts: `done`, how many
    orders moved on. Safe to repeat, and to die of at any point: see `shared.ledger_orders`.
    """
    name, epoch = payload["plan"], payload["of"]
    held = ledger_store.read(name, epoch)
    due = ledger_orders.due(held, datetime.now(UTC), ORDERS_PER_CALL) if held else []
    if held is None or not due:
        return skipped("no order is due", done=0)
    found = store.newest(name)
    if found is None:
        return skipped(f"plan {name} is gone", done=0)
    rows = {row["run"]: row for row in held["runs"]}
    done = 0
    for one in due:
        if not settled(payload, found.plan, held, rows[one["run"]], one):
            break  # Who does not answer now, or is busy, is asked again in the next round.
        done += 1
    return succeeded(done=done)


def settled(payload: dict, plan: Plan, held: dict, row: dict, one: dict) -> bool:
    """Move one order on; False when somebody else did, or nobody answered."""
    if row["workflow"] not in plan.parts:
        return note(payload, one, "refused", because="its workflow is no part of the plan any more")
    part = plan.component(row["workflow"], held["location"])
    if part["kind"] == flow_runs.STANDARD:
        return note(payload, one, "refused", because=BY_HAND)
    resource = part["resource"]
    try:
        if one["state"] == "intended":
            state, facts = traced(resource, row, one)
            return note(payload, one, state, **facts)
        seen = checked(resource, row, one)
    except Surprise:  # It does not answer, or not sensibly: the order stays as it is.
        return False
    if seen:
        return note(payload, one, seen[0], **seen[1])
    intent = intend(payload, one)
    if intent is None:
        return False
    verdict = send(payload, resource, row, intent)
    if verdict is None:
        return False
    return note(payload, intent, verdict[0], **verdict[1]) and verdict[0] != "wanted"


def checked(resource: str, row: dict, one: dict) -> Verdict | None:
    """Is it still as it was when it was ordered? None: yes, the request may go."""
    reply = clients.ask("GET", f"{resource}/runs/{row['run']}", bounds=clients.HURRIED)
    if reply.status in (403, 404):
        return "refused", {"because": reply.words}
    status = str(reply.expect().properties.get("status", ""))
    because = ledger_orders.objection(status, one["word"], caution="", named=True)
    return ("refused", {"because": because}) if because else None


def intend(payload: dict, one: dict) -> dict | None:
    """Write the intent down before anything is sent; None when the order has moved on meanwhile."""
    now = datetime.now(UTC)
    kept = ledger_store.change(
        payload["plan"], lambda was: ledger_orders.intended(was, one, now), epoch=payload["of"]
    )
    return kept["orders"][ledger_orders.key(one["word"], one["run"])] if kept else None


def send(payload: dict, resource: str, row: dict, one: dict) -> Verdict | None:
    """The one request. None when nobody can tell what it did: the intent says so."""
    path = (
        f"{resource}/runs/{row['run']}/cancel"
        if one["word"] == "drain"
        else f"{resource}/triggers/{quote(str(row['trigger']))}/histories/{row['run']}/resubmit"
    )
    once = {**clients.HURRIED, "read_timeout": clients.READ_SECONDS}
    try:
        reply = clients.ask("POST", path, bounds=once, before=still(payload))
    except Stale as old:
        return "wanted", {"because": f"not sent: {old.because}"}
    except Surprise:
        return None
    if reply.ok:
        because = "cancelled" if one["word"] == "drain" else "resubmitted"
        return "sent", {"because": because, "result": reply.headers.get(RESUBMITTED)}
    if reply.status in BUSY:
        return "wanted", {"because": f"it will be sent again: {reply.words}"}
    return answered_no(reply)


def answered_no(reply: Reply) -> Verdict | None:
    """A no is an end; a server's own trouble tells nothing of what it did before."""
    if reply.status >= 500 or reply.status == 408:
        return None
    return "refused", {"because": f"{reply.words}: {ROLE}" if reply.status == 403 else reply.words}


def traced(resource: str, row: dict, one: dict) -> Verdict:
    """What came of a request whose answer nobody got. Cancelling twice does no harm."""
    if one["word"] == "drain":
        return "wanted", {"because": "whether it was cancelled is not known: it is asked again"}
    since = datetime.fromisoformat(one["at"]).astimezone(UTC) - SKEW
    query = {"$filter": f"startTime ge {since:%Y-%m-%dT%H:%M:%SZ}", "$top": str(PAGE)}
    reply = clients.ask("GET", f"{resource}/runs", query=query, bounds=clients.HURRIED).expect()
    runs = [run for run in reply.document.get("value", []) if run["name"] != row["run"]]
    complete = not reply.document.get("nextLink")
    found = ledger_orders.came_of(one, str(row["tracking"] or ""), runs, complete)
    state = found.pop("state")
    return state, found


def note(payload: dict, one: dict, state: str, **facts: object) -> bool:
    """Write down how an order stands, unless somebody else has moved it on since."""
    now, id = datetime.now(UTC), ledger_orders.key(one["word"], one["run"])

    def moved(was: dict) -> dict | None:
        if was["orders"].get(id) != one:
            return None
        return ledger_orders.moved(was, one, state, now, **facts)

    return ledger_store.change(payload["plan"], moved, epoch=payload["of"]) is not None
