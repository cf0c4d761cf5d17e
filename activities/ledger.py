"""Ledger: look at what is in flight on the active side, and later at what became of it.

After Microsoft.Logic 2019-05-01 (runs, $filter by status) and Microsoft.ServiceBus 2024-01-01
(countDetails). Nothing here changes anything but this location's own ledger. A region that does
not answer is an answer: it leaves the ledger as it was.
"""

from datetime import UTC, datetime, timedelta

from shared import clients, flow_runs, ledger, ledger_asking, ledger_orders, ledger_store, store
from shared.outcome import refused, skipped, succeeded
from shared.plan import Plan
from shared.reply import Surprise

SKEW = timedelta(seconds=5)  # Times of two regions and of the witness meet in one filter.
RUNNING = tuple(f"status eq '{status}'" for status in ledger.IN_FLIGHT)


def keep_ledger(payload: dict) -> dict:
    """Look at `most` workflows of `plan` in `location`, from `cursor` on, and write down what runs.

    Facts: `cursor` for the next call (0: all have been looked at), `runs` in flight as known.
    Refused where nobody answers, and where `epoch` is not the ledger's; a Standard site whose host
    alone is silent is noted and passed by. Safe to repeat: reads, and the same look again.
    """
    plan, location, cursor = known(payload["plan"]), payload["location"], payload["cursor"]
    names = workflows(plan)
    cursor = cursor if cursor < len(names) else 0
    chunk = names[cursor : cursor + payload["most"]]
    wanted = dict.fromkeys(chunk, RUNNING)
    seen, missed, silent = ledger_asking.seen_of(plan, location, wanted)
    unseen = set(names) - {one["workflow"] for one in seen}
    onward = cursor + len(chunk) if cursor + len(chunk) < len(names) else 0
    now = datetime.now(UTC)

    def noted(was: dict) -> dict | None:
        if was["epoch"] != payload["epoch"] or was["location"] != location:
            return None
        was = ledger.looked(was, seen, now, plan.ledger.runs_max)
        was = ledger.missed(was, missed, unseen, now)
        if silent:
            return ledger.unanswered(was, silent, now)
        return ledger.swept(was, cursor, onward, now)

    begun = ledger.fresh(plan.name, payload["epoch"], location)
    kept = ledger_store.change(plan.name, noted, new=begun)
    if kept is None:
        return refused(f"the ledger is of another epoch than {payload['epoch']}")
    if silent:
        return refused(f"the last good look stays: {silent}", runs=len(kept["runs"]))
    return succeeded(cursor=onward, runs=len(kept["runs"]))


def known(name: str) -> Plan:
    """The newest good plan; an orchestration that asks for it has just loaded it."""
    held = store.newest(name)
    if held is None:
        raise Surprise(f"plan {name} is gone")
    return held.plan


def workflows(plan: Plan) -> list[str]:
    """The plan's workflows, Consumption's and Standard's, in its order."""
    return [part.name for part in plan.components if part.kind in flow_runs.KINDS]


def count_queues(payload: dict) -> dict:
    """Write down how deep the queues are that `plan` names, as seen from `location`.

    Safe to repeat: reads, and the same look again. Refused where nobody answers.
    """
    plan, now = known(payload["plan"]), datetime.now(UTC)
    held = ledger_store.read(plan.name)
    places = {row["namespace"].lower(): row["location"] for row in (held or {}).get("queues", [])}
    seen, silent = depths(plan.queues(payload["location"]), places)

    def noted(was: dict) -> dict | None:
        return ledger.counted(was, seen, now) if was["epoch"] == payload["epoch"] else None

    if seen:
        ledger_store.change(plan.name, noted)
    return refused(silent) if silent else succeeded(queues=len(seen))


def depths(queues: list[dict], places: dict[str, str]) -> tuple[list[dict], str]:
    """The queues' depths, each with where its namespace is, and why some could not be had."""
    seen: list[dict] = []
    silent = ""
    for one in queues:
        namespace = one["namespace"]
        try:
            if namespace.lower() not in places:
                shown = clients.ask("GET", namespace, bounds=clients.HURRIED).expect().document
                places[namespace.lower()] = plain(str(shown.get("location", "")))
            path = f"{namespace}/queues/{one['queue']}"
            reply = clients.ask("GET", path, bounds=clients.HURRIED).expect()
        except Surprise as error:  # Whatever one queue's trouble is, the others are counted.
            silent = silent or f"{one['queue']}: {error}"[: ledger.WORDS_MAX]
            continue
        details = reply.properties.get("countDetails") or {}
        seen.append(
            {
                **one,
                "location": places[namespace.lower()],
                "active": int(details.get("activeMessageCount", 0)),
                "deadLetter": int(details.get("deadLetterMessageCount", 0)),
                "scheduled": int(details.get("scheduledMessageCount", 0)),
            }
        )
    return seen, silent


def plain(location: str) -> str:
    """`West Europe` as plans write it."""
    return location.replace(" ", "").lower()


def freeze_ledger(payload: dict) -> dict:
    """Keep the ledger of an epoch before `epoch`, and begin that of `epoch`, active in `active`.

    `claims`: of the witness's record, for who ended it. Facts: `ended`, the newest ended epochs
    whose ledger is kept here. Safe to repeat: what is kept is never written over.
    """
    name, now = payload["plan"], datetime.now(UTC)
    ledger_store.freeze(name, payload["epoch"], payload["active"], payload["claims"], now)
    return succeeded(ended=ledger_store.ended(name))


def review_ledger(payload: dict) -> dict:
    """See what became of the runs and messages in the ledger of `epoch`, once it answers again.

    Also of runs that began after the last look, which nobody could know of until now. Facts:
    `more`, is there more to see at once, and `orders`, how many are open. Refused while nobody
    answers. Safe to repeat: reads.
    """
    held = ledger_store.read(payload["plan"], payload["epoch"])
    if held is None:
        return skipped("no such ledger here", more=False, orders=0)
    plan, now = known(payload["plan"]), datetime.now(UTC)
    rows = ledger.to_look_at(held, ledger.REVIEWS_PER_CALL)
    found, silent = ledger_asking.ends_of(plan, held["location"], rows)
    late, onward, queues = [], held["late"]["cursor"], []
    if not silent and onward is not None:
        late, onward, silent = late_of(plan, held, onward)
    if not silent and ledger.stranded(held):
        places = {row["namespace"].lower(): row["location"] for row in held["queues"]}
        queues, silent = depths(ledger.stranded(held), places)

    def noted(was: dict) -> dict:
        was = ledger.recounted(ledger.reviewed(was, found, now), queues, now)
        if was["late"] != held["late"] or onward == held["late"]["cursor"]:
            return was
        return ledger.belated(was, late, onward or 0, now, plan.ledger.runs_max)

    if found or queues or onward != held["late"]["cursor"]:
        ledger_store.change(plan.name, noted, epoch=payload["epoch"])
    if silent:
        return refused(silent)
    more = len(rows) == ledger.REVIEWS_PER_CALL or bool(onward)
    return succeeded(more=more, orders=ledger_orders.open_orders(held))


def late_of(plan: Plan, held: dict, cursor: int) -> tuple[list[dict], int | None, str]:
    """The runs of some workflows that began between the last look and the claim; where to go on."""
    names = workflows(plan)
    chunk = names[cursor : cursor + ledger.WORKFLOWS_PER_CALL]
    until = zulu(held["failover"]["at"], SKEW)
    wanted = {
        name: (
            f"startTime ge {zulu(ledger.blind_since(held, name), -SKEW)} and startTime le {until}",
        )
        for name in chunk
    }
    seen, missed, silent = ledger_asking.seen_of(plan, held["location"], wanted)
    if silent:
        return [], cursor, silent
    # Nobody looks for them again: the ledger says that there may be more than it lists.
    seen += [{"workflow": name, "runs": [], "more": True} for name in missed]
    onward = cursor + len(chunk)
    return seen, onward if onward < len(names) else None, ""


def zulu(time: str, later: timedelta) -> str:
    """An ISO 8601 time, `later`, as Logic Apps takes it in a filter: to the second."""
    moved = datetime.fromisoformat(time).astimezone(UTC) + later
    return moved.strftime("%Y-%m-%dT%H:%M:%SZ")
