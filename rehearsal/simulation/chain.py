"""Chain: the audit of the witness's transitions, kept and followed by `shared.audit` itself."""

from rehearsal.simulation.world import Ask, Asking, Source, World
from shared import audit
from shared.outcome import refused, succeeded
from shared.reply import Surprise

ROUNDS_MAX = 3
REQUEST_SECONDS = 1.5
LATE_SECONDS = 40.0  # Whoever reads the record writes behind it; a witness may be away for a while.


def keep_audit(world: World, app: Source, payload: dict) -> Asking:
    """Append what is missing, unless somebody else has since the end was read."""
    transitions = payload["transitions"]
    try:
        for _ in range(ROUNDS_MAX):
            size = yield Ask("witness", lambda: len(world.audit), REQUEST_SECONDS)
            assert isinstance(size, int)
            lines = audit.due(world.audit[size - 1] if size else None, transitions)
            if not lines or (
                yield Ask("witness", lambda s=size, n=lines: append(world, s, n), REQUEST_SECONDS)
            ):
                return succeeded(audited=transitions[-1]["n"] if transitions else 0)
    except Surprise as error:
        return refused(f"audit: {error}")
    return refused(f"audit: it grew {ROUNDS_MAX} times meanwhile")


def append(world: World, size: int, lines: list[dict]) -> bool:
    if len(world.audit) != size:
        return False
    world.audit += lines
    return True


def broken(world: World) -> str:
    """What is wrong with the audit, or nothing: a gap, a break, or something that it lacks."""
    chain = audit.Chain()
    for line in world.audit:  # Its hash was made here, by `audit.due`: only the links can be wrong.
        if line["previous"] != chain.head or not audit.follows(line, chain):
            return f"transition {line['n']} follows {chain.n}"
        chain = audit.Chain(chain.count + 1, line["hash"], line["n"])
    own = [line["why"] for line in world.audit if line["who"] == audit.AUDITOR]
    if own:
        return own[0]
    old = world.time_of(-LATE_SECONDS)
    known = [one["n"] for one in world.record["transitions"] if one["at"] < old]
    if known and known[-1] > chain.n:
        return f"it ends with transition {chain.n}, the record has {known[-1]}"
    return ""
