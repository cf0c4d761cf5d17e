"""Integration accounts: bring the standby's up to the active one, while that lives.

Artifacts, received numbers and MICs become the active one's; generated numbers go on, never back.
Nothing is deleted, and no private key is asked for: a certificate's key is a reference into a vault
of its own location.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from shared import b2b, b2b_wire, ledger_store
from shared.b2b_wire import Account, No
from shared.guard import guarded
from shared.outcome import refused, succeeded
from shared.record import stamp
from shared.reply import Surprise

COPIES_MAX = 40  # Of one call: within a minute also where ARM is slow.


@guarded
def mirror_account(payload: dict) -> dict:
    """Copy what this location's account lacks of the `other` one's; note it in the ledger.

    Facts: `copied`, `stuck` (why something cannot be), `more` (call again). Safe to repeat: what is
    equal is not sent. Refused where the other side does not answer: what was copied last stays.
    """
    part = payload["component"]
    try:
        theirs = b2b_wire.account(part["other"]["resource"], hurried=True)
        mine = b2b_wire.account(part["resource"])
    except No as no:
        return refused(no.because)
    except Surprise as silent:
        return refused(f"what was copied last stays: {silent}"[:300])
    found = b2b_wire.lags(part, payload["location"], theirs, mine)
    late = b2b.late(theirs.sessions, mine.sessions, theirs.ranges)
    wanted = [*_sessions(late), *_artifacts(found["copy"], theirs)]
    copied, stuck = _copy(payload, wanted[:COPIES_MAX])
    stuck = [*found["stuck"], *stuck]
    more = len(wanted) > COPIES_MAX and bool(copied)
    kept = {"at": stamp(datetime.now(UTC)), "copied": copied, "stuck": stuck, "more": more}
    _keep(payload, {**kept, "numbers": _numbers(theirs)})
    return succeeded(f"copied {len(copied)}, {len(stuck)} cannot be", **kept)


Job = tuple[str, Callable[[], dict]]  # A path, and the properties to put there.


def _sessions(late: dict[str, object]) -> list[Job]:
    return [
        (f"{b2b.SESSIONS}/{name}", lambda content=content: {"content": content})
        for name, content in late.items()
    ]


def _artifacts(copy: b2b.Rows, theirs: Account) -> list[Job]:
    def made(path: str, wanted: dict) -> dict:
        kind, _, name = path.partition("/")
        return b2b_wire.filled(path, wanted, theirs.artifacts[kind][name])

    return [(path, lambda p=path, w=wanted: made(p, w)) for path, wanted in copy.items()]


def _copy(task: dict, wanted: list[Job]) -> tuple[list[str], list[str]]:
    """What was copied, and why the rest was not; the rest does not hold up what comes after."""
    copied: list[str] = []
    stuck: list[str] = []
    for path, make in wanted:
        try:
            b2b_wire.put(task, path, make())
            copied.append(path)
        except No as no:
            stuck.append(no.because)
    return copied, stuck[: b2b.SAID_MAX]


def _numbers(theirs: Account) -> dict[str, int]:
    """The generated numbers as last seen: evidence for whoever talks to partners afterwards."""
    known = {
        name: b2b.number_of(properties.get("content"))
        for name, properties in sorted(theirs.sessions.items())
        if b2b.range_of(name, theirs.ranges)
    }
    return {name: number for name, number in known.items() if number is not None}


def _keep(payload: dict, seen: dict) -> None:
    def noted(was: dict) -> dict | None:
        if was["epoch"] != payload["epoch"]:
            return None
        return {**was, "b2b": {**(was["b2b"] or {}), payload["component"]["name"]: seen}}

    ledger_store.change(payload["plan"], noted)
