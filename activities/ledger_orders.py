"""Ledger orders: resubmit or cancel what a failover cut off, each at most once.

After Microsoft.Logic 2019-05-01 and, by the host of a Standard site, Microsoft.Web 2025-05-01:
triggers/histories/resubmit and runs/cancel. The intent is written down before the request leaves;
whoever finds an intent without an answer asks the run history what came of it. A disabled workflow
can be resubmitted all the same; what its host cannot say or do now stays ordered. Whose answer is
unclear holds up no other order; every order is sent `SENDS_MAX` times at most and then ends.
"""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from shared import clients, flow_runs, ledger_orders, ledger_store, store
from shared.guard import Stale, guarded, still
from shared.ledger_asking import Hostless, Hosts
from shared.outcome import skipped, succeeded
from shared.reply import Reply, Surprise

ORDERS_PER_CALL = 10
PAGE = 100
SKEW = timedelta(minutes=5)  # Our clock wrote the intent, the region's the run's beginning.
RESUBMITTED = "x-ms-workflow-run-id"  # Consumption's; Standard's answer names no run.
ROLE = "give the app's identity the operator role of infra/access.json there"
BUSY = (429,)  # Refused before anything was done: the same may be sent again.
MOVED, KEPT, SILENT = "moved", "kept", "silent"  # Kept: it alone waits. Silent: so do all others.
Verdict = tuple[str, dict]  # The order's next state, and `because` and `result`.


class Unclear(Surprise):
    """ARM answers, but what it says of this one order makes no sense: the order stays as it is."""


@guarded
def settle_orders(payload: dict) -> dict:
    """Carry out what people ordered for the ledger of `plan` and ended epoch `of`, a few at a time.

    `epoch`, `location`, `witness`: as of any task that changes something. Facts: `done`, how many
    orders moved on. Safe to repeat, and to die of at any point: see `shared.ledger_orders`.
    """
    name, epoch = payload["plan"], payload["of"]
    held = ledger_store.read(name, epoch)
    due = ledger_orders.due(held, datetime.now(UTC)) if held else []
    if held is None or not due:
        return skipped("no order is due", done=0)
    found = store.newest(name)
    if found is None:
        return skipped(f"plan {name} is gone", done=0)
    rows = {row["run"]: row for row in held["runs"]}
    hosts, done, unclear = Hosts(), 0, 0
    for one in due:
        row = rows[one["run"]]
        known = row["workflow"] in found.plan.parts
        part = found.plan.component(row["workflow"], held["location"]) if known else None
        try:
            how = settled(payload, hosts, part, row, one)
        except Hostless:
            continue  # A site's own trouble holds up no order for runs elsewhere.
        if how == SILENT:
            break  # Who does not answer now, or is busy, is asked again in the next round.
        done, unclear = done + (how == MOVED), unclear + (how == KEPT)
        if ORDERS_PER_CALL in (done, unclear):
            break
    return succeeded(done=done)


def settled(payload: dict, hosts: Hosts, part: dict | None, row: dict, one: dict) -> str:
    """Move one order on: MOVED, KEPT or SILENT. Raises Hostless."""
    if part is None:
        because = "its workflow is no part of the plan any more"
        return moved(payload, one, ("refused", {"because": because}))
    try:
        look = traced if one["state"] == "intended" else checked
        seen = look(hosts, part, row, one)
    except Hostless:
        raise
    except Unclear:
        return KEPT
    except Surprise:
        return SILENT
    if seen:
        return moved(payload, one, seen)
    intent = intend(payload, one)
    if intent is None:
        return KEPT
    verdict = send(payload, part, row, intent)
    if verdict is None:
        return KEPT if part["kind"] == flow_runs.STANDARD else SILENT
    how = moved(payload, intent, verdict)
    return SILENT if verdict[0] == "wanted" else how


def checked(hosts: Hosts, part: dict, row: dict, one: dict) -> Verdict | None:
    """Is it still as it was when it was ordered? None: yes, the request may go."""
    reply = hosts.ask(part, f"/runs/{row['run']}")
    if reply.status in (403, 404):
        return "refused", {"because": reply.words}
    status = str(sensible(reply).properties.get("status", ""))
    because = ledger_orders.objection(status, one["word"], caution="", named=True)
    return ("refused", {"because": because}) if because else None


def sensible(reply: Reply) -> Reply:
    """Itself when it tells something. Raises Unclear where it does not, a Surprise where busy."""
    if reply.status in BUSY:
        raise Surprise(reply.words)
    if not reply.ok or not isinstance(reply.body, dict):
        raise Unclear(reply.words)
    return reply


def intend(payload: dict, one: dict) -> dict | None:
    """Write the intent down before anything is sent; None when the order has moved on meanwhile."""
    now = datetime.now(UTC)
    kept = ledger_store.change(
        payload["plan"], lambda was: ledger_orders.intended(was, one, now), epoch=payload["of"]
    )
    return kept["orders"][ledger_orders.key(one["word"], one["run"])] if kept else None


def send(payload: dict, part: dict, row: dict, one: dict) -> Verdict | None:
    """The one request. None when nobody can tell what it did: the intent says so."""
    root, run = flow_runs.root(part), row["run"]
    path = (
        f"{root}/runs/{run}/cancel"
        if one["word"] == "drain"
        else f"{root}/triggers/{quote(str(row['trigger']))}/histories/{run}/resubmit"
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
    return answered_no(part, reply)


def answered_no(part: dict, reply: Reply) -> Verdict | None:
    """A no is an end; a server's or a host's own trouble tells nothing of what it did before.

    A host that does not run has been found out by the question just before.
    """
    if reply.status >= 500 or reply.status == 408 or flow_runs.host_failed(part, reply):
        return None
    return "refused", {"because": told(reply)}


def told(reply: Reply) -> str:
    return f"{reply.words}: {ROLE}" if reply.status == 403 else reply.words


def traced(hosts: Hosts, part: dict, row: dict, one: dict) -> Verdict:
    """What came of a request whose answer nobody got. Cancelling twice does no harm."""
    if one["word"] == "drain":
        ended = checked(hosts, part, row, one) if ledger_orders.spent(one) else None
        return ended or ledger_orders.drained(one)
    since = datetime.fromisoformat(one["at"]).astimezone(UTC) - SKEW
    query = {"$filter": f"startTime ge {since:%Y-%m-%dT%H:%M:%SZ}", "$top": str(PAGE)}
    reply = hosts.ask(part, "/runs", query)
    if reply.status == 404:
        return "refused", {"because": f"its workflow is gone: {reply.words}"}
    if reply.status == 403:
        return "uncertain", {"because": f"what came of it is not shown: {told(reply)}"}
    listed = sensible(reply).document
    runs = [run for run in listed.get("value", []) if run["name"] != row["run"]]
    complete = not listed.get("nextLink")
    found = ledger_orders.came_of(one, str(row["tracking"] or ""), runs, complete)
    state = found.pop("state")
    return state, found


def moved(payload: dict, one: dict, verdict: Verdict) -> str:
    """Write a verdict down: MOVED, or KEPT where somebody else has moved the order on."""
    return MOVED if note(payload, one, verdict[0], **verdict[1]) else KEPT


def note(payload: dict, one: dict, state: str, **facts: object) -> bool:
    """Write down how an order stands, unless somebody else has moved it on since."""
    now, id = datetime.now(UTC), ledger_orders.key(one["word"], one["run"])

    def noted(was: dict) -> dict | None:
        if was["orders"].get(id) != one:
            return None
        return ledger_orders.moved(was, one, state, now, **facts)

    return ledger_store.change(payload["plan"], noted, epoch=payload["of"]) is not None
