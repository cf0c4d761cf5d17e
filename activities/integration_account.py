"""Integration accounts: go on with control numbers that no partner has seen yet.

What a location sends after a failover begins `bump` beyond the last number that was copied here,
once in an epoch: where it begins is noted in this location's own storage before anything is sent.
"""

from datetime import UTC, datetime

from shared import b2b, b2b_wire, clients
from shared.b2b_wire import Account, No
from shared.guard import guarded, still
from shared.outcome import refused, skipped, succeeded
from shared.record import stamp
from shared.reply import Surprise

VERSION = clients.API_VERSIONS["Microsoft.Logic"]
LAST_COPIES_MAX = 100  # Of a last look at the other side: the failover waits for it.
NAMED_MAX = 5


def observe_account(payload: dict) -> dict:
    """Do the numbers here begin where they may? Facts `serving`; with `dryRun`: `calls`, `would`.

    Safe to repeat: reads.
    """
    try:
        mine = b2b_wire.account(payload["component"]["resource"], ("agreements",))
    except No as no:
        return refused(no.because)
    if payload.get("dryRun"):
        return _told(payload["component"], mine)
    noted = _noted(payload)
    if noted is None:
        return succeeded("its control numbers are not raised", serving=False)
    low = _raises(noted["floors"], mine)
    because = f"below where they may begin: {_named(low)}" if low else "its numbers are raised"
    return succeeded(because, serving=not low)


@guarded
def promote_account(payload: dict) -> dict:
    """Take over the other side's last numbers if it answers at once, then raise all of them.

    Safe to repeat: where they begin is computed and noted once in an epoch, and no number ever
    goes back. Refused by name where an agreement has no numbers left.
    """
    try:
        mine = b2b_wire.account(payload["component"]["resource"], ("agreements",))
        if _noted(payload) is None:
            mine = _last_look(payload, mine)
        noted = _note(payload, mine)
        low = _raises(noted["floors"], mine)
        for session, content in low.items():
            b2b_wire.put(payload, f"{b2b.SESSIONS}/{session}", {"content": content})
    except No as no:
        return refused(no.because, busy=no.busy)
    if noted["spent"]:
        named = _named(noted["spent"])
        because = f"no numbers are left: {named}: raise the upper bound or let it roll over"
        return refused(because, raised=len(low))
    if not low:
        return skipped("its numbers are raised already")
    return succeeded(f"raised {len(low)} control numbers: {_named(low)}", raised=len(low))


def verify_account(payload: dict) -> dict:
    """Refused while a number is below where it may begin. Safe to repeat: reads."""
    seen = observe_account(payload)
    if seen["status"] == "succeeded" and not seen["serving"]:
        return refused(seen["because"], serving=False)
    return seen


def _told(part: dict, mine: Account) -> dict:
    floors, _ = b2b.floors(mine.sessions, mine.agreements, part["bump"])
    low = _raises(floors, mine)
    calls = [
        {
            "method": "PUT",
            "url": f"{part['resource']}/{b2b.SESSIONS}/{name}?api-version={VERSION}",
            "body": {"properties": {"content": content}},
        }
        for name, content in low.items()
    ]
    would = f"have {len(low)} control numbers {part['bump']} further on"
    because = f"{len(low)} control numbers are known"
    return succeeded(because, serving=not low, calls={"promote": calls}, would=would)


def _noted(payload: dict) -> dict | None:
    """The note of the task's epoch, or of a later one; None where there is none."""
    known = b2b_wire.read_note(payload["plan"], payload["component"]["name"])
    return known if known and known["epoch"] >= payload["epoch"] else None


def _note(payload: dict, mine: Account) -> dict:
    def make() -> dict:
        still(payload)()
        floors, spent = b2b.floors(mine.sessions, mine.agreements, payload["component"]["bump"])
        return {"floors": floors, "spent": spent, "at": stamp(datetime.now(UTC))}

    return b2b_wire.note(payload["plan"], payload["component"]["name"], payload["epoch"], make)


def _last_look(payload: dict, mine: Account) -> Account:
    """This account with what the other one has beyond it; as it is where nobody answers."""
    other = payload["component"].get("other")
    try:
        theirs = b2b_wire.rows(other["resource"], b2b.SESSIONS, clients.HURRIED) if other else {}
    except (No, Surprise):
        return mine
    sessions = dict(mine.sessions)
    copies = b2b.late(theirs, mine.sessions, mine.ranges)
    for name, content in list(copies.items())[:LAST_COPIES_MAX]:
        b2b_wire.put(payload, f"{b2b.SESSIONS}/{name}", {"content": content})
        sessions[name] = {"content": content}
    return Account(mine.body, mine.artifacts, sessions)


def _raises(floors: dict[str, int], mine: Account) -> dict:
    return b2b.raises(floors, mine.sessions, mine.ranges, stamp(datetime.now(UTC)))


def _named(names: dict | list) -> str:
    told = list(names)
    more = f" and {len(told) - NAMED_MAX} more" if len(told) > NAMED_MAX else ""
    return ", ".join(told[:NAMED_MAX]) + more
