"""What the RTO was made of: its parts in order, measured in this run, and the lease's among them.

The lease's part runs from the round that would have concluded the loss, had nobody asked the
lease, to the moment in which a run was allowed. Rounds are judged anew, without the lease, from
what the watchdog wrote down of them.
"""

from typing import TYPE_CHECKING

from rehearsal import report
from rehearsal.drill_story import Scenario
from shared import verdict

if TYPE_CHECKING:
    from datetime import datetime

    from rehearsal.drill import Drill

LEASE, ROUND, QUIESCE = "lease", "next round", "quiesce"
TURNED = "the stages up to redirect: until the last endpoint was turned"
QUIESCED = "stopped, drained, carried over, released and claimed"


def parts(drill: "Drill", scenario: Scenario, moments: dict) -> list[dict]:
    """`{"name", "seconds", "because"}` in order; together they are the RTO. Empty without one."""
    outage, reserved = drill.facts.get("outageAt"), moments.get("detectedAt")
    marks = _endings(drill, moments)
    if not outage or not reserved or not all(at for _, at, _ in marks):
        return []
    if scenario.planned:
        begun = [("request", reserved, "from the word of a person to the reserved run")]
    else:
        begun = _beginnings(drill, outage, reserved)
    made, since, served = [], outage, str(moments["servedAt"])
    for name, at, because in [*begun, *marks]:
        # Traffic Manager may turn the callers by itself before the redirect does.
        at = min(max(at, since), served)
        seconds = report.seconds_between(since, at)
        made.append({"name": name, "seconds": seconds, "because": because, "from": since, "to": at})
        since = at
    return made


def _beginnings(drill: "Drill", outage: str, reserved: str) -> list[tuple[str, str, str]]:
    """(part, its end, what it was) until the run of a lost region is reserved."""
    worthy, out = _worthy_at(drill, outage, reserved), min(_ran_out(drill, reserved), reserved)
    length = drill.plan["witness"]["leaseSeconds"]
    return [
        ("detection", worthy, "until the rounds would have concluded the loss without a lease"),
        (LEASE, out, f"until the lease of {length} s had run out"),
        (ROUND, reserved, "until the next round saw that, and reserved the run"),
    ]


def _endings(drill: "Drill", moments: dict) -> list[tuple[str, str, str]]:
    """(part, its end, what it was) from there to the customer; an end is empty if unknown."""
    runs = [(row["at"], row["record"].get("run") or {}) for row in drill.watcher.records]
    given = [at for at, run in runs if (run.get("approval") or {}).get("state") == "given"]
    left = any(run.get("phase") == QUIESCE for _, run in runs)
    start = (QUIESCE, QUIESCED) if left else ("start of the run", "sent, taken up and claimed")
    return [
        *[("approval", at, "until a person had approved") for at in given[:1]],
        (start[0], moments.get("claimedAt") or "", start[1]),
        ("ARM calls", moments.get("redirectedAt") or "", TURNED),
        ("DNS", moments.get("servedAt") or "", "until the customer's next lookup and answer"),
    ]


def judge(drill: "Drill", made: list[dict]) -> None:
    """The lease adds at most its own length, and is seen to have run out within a round."""
    found = {part["name"]: part["seconds"] for part in made}
    if LEASE not in found:
        return
    length, watch = drill.plan["witness"]["leaseSeconds"], drill.plan["watch"]
    added, late = found[LEASE], found[ROUND]
    words = f"the lease of {length} s added {added:.1f} s, and {late:.1f} s until the next round"
    in_time = late <= watch["everySeconds"] + 2 * watch["timeoutSeconds"]
    drill.check("leaseAddsAtMostItself", added <= length and in_time, words)


def _ran_out(drill: "Drill", reserved: str) -> str:
    """When the last lease before the run ran out, by the witness's own time."""
    before = [row for row in drill.watcher.records if row["at"] <= reserved]
    leases = [row["record"]["leaseUntil"] for row in before]
    return max((at for at in leases if at), default="")


def _worthy_at(drill: "Drill", outage: str, reserved: str) -> str:
    """When a round was seen that would have been the last before a run, but for the lease."""
    watch, previous = drill.plan["watch"], None
    for row in drill.watcher.rounds:
        if row["location"] != drill.standby:
            continue
        seen = [one for one in row["observations"] if one["kind"] != LEASE]
        at: datetime = row["judgedAt"]
        previous = verdict.judge(seen, row["controls"], previous, watch, at)
        if previous["state"] == "lost" and outage <= row["at"]:
            return min(row["at"], reserved)
    return reserved
