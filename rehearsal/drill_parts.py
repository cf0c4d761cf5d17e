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

LEASE = "lease"


def parts(drill: "Drill", scenario: Scenario, moments: dict) -> list[dict]:
    """`{"name", "seconds", "because"}` in order; together they are the RTO. Empty without one."""
    outage, reserved = drill.facts.get("outageAt"), moments.get("detectedAt")
    marks = [
        ("start of the run", moments.get("claimedAt"), "reserved, sent, taken up and claimed"),
        ("ARM calls", moments.get("redirectedAt"), "from the claim to the last endpoint turned"),
        ("DNS", moments.get("servedAt"), "until the customer's next lookup and answer"),
    ]
    if not outage or not reserved or not all(at for _, at, _ in marks):
        return []
    if scenario.planned:
        begun = [("request", reserved, "from the word of a person to the reserved run")]
    else:
        worthy = _worthy_at(drill, outage, reserved)
        length = drill.plan["witness"]["leaseSeconds"]
        begun = [
            ("detection", worthy, "until the rounds would have concluded the loss without a lease"),
            (LEASE, reserved, f"until the lease of {length} s had run out as well"),
        ]
    made, since = [], outage
    for name, at, because in [*begun, *marks]:
        at = max(at, since)
        seconds = report.seconds_between(since, at)
        made.append({"name": name, "seconds": seconds, "because": because, "from": since, "to": at})
        since = at
    return made


def judge(drill: "Drill", made: list[dict]) -> None:
    """The lease adds at most its own length."""
    found = [part["seconds"] for part in made if part["name"] == LEASE]
    if not found:
        return
    length = drill.plan["witness"]["leaseSeconds"]
    words = f"the lease added {found[0]:.1f} s, its length is {length} s"
    drill.check("leaseAddsAtMostItself", found[0] <= length, words)


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
