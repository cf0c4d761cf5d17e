"""The lanes of the report's timeline: from what was watched to bars and marks."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rehearsal.drill_counts import writes

if TYPE_CHECKING:
    from rehearsal.drill import Drill

LEAD_SECONDS_MAX = 40.0
MARKS_MAX = 600


def spans(drill: "Drill", facts: dict, steps: list[dict]) -> dict:
    """`lanes`, `spans` and `marks` for the drawing."""
    end = datetime.now(UTC).isoformat()
    made = [
        *_sides(drill, facts, end),
        *_changes("verdict", _verdicts(drill), end, lambda state: (state, state)),
        *_stages(drill),
        *_parts(facts),
        *_changes("client", drill.watcher.answering, end, lambda at: _answer(drill, at)),
    ]
    first = _first(facts, made)
    kept = [{**row, "from": max(row["from"], first)} for row in made if row["to"] > first]
    marks = [
        {
            "lane": "ARM writes",
            "at": row["at"],
            "kind": "arm",
            "label": f"{row['method']} {row['url'].split('?')[0].rsplit('/providers/', 1)[-1]}",
        }
        for row in writes(drill)
        if row["at"] > first
    ]
    marks += [
        {"lane": "alerts", "at": a["at"], "kind": "warn", "label": str(a.get("title", ""))}
        for a in drill.stage.alerts
        if a["at"] > first
    ]
    order = [drill.home, drill.standby, "verdict", "RTO", "run"]
    order += ["ARM writes", "alerts", "client"]
    used = {row["lane"] for row in [*kept, *marks]}
    lanes = [name for name in order if name in used]
    return {"lanes": lanes, "spans": kept, "marks": marks[-MARKS_MAX:]}


def _first(facts: dict, rows: list[dict]) -> str:
    """Where the drawing begins: a little before the outage, or with the first thing seen."""
    earliest = min((row["from"] for row in rows), default="")
    if not facts.get("outageAt"):
        return earliest
    outage = datetime.fromisoformat(facts["outageAt"]).timestamp()
    lead = datetime.fromtimestamp(outage - LEAD_SECONDS_MAX, UTC).isoformat()
    return max(earliest, lead)


def _sides(drill: "Drill", facts: dict, end: str) -> list[dict]:
    """Both locations: active, standby or lost."""
    records = drill.watcher.records
    if not records:
        return []
    start, outage, claimed = records[0]["at"], facts.get("outageAt"), facts.get("claimedAt")
    lost = outage if outage and drill.stage.world.locations[drill.home].outages else None
    rows = [_span(drill.home, start, lost or end, "old", "active")]
    if lost:
        rows.append(_span(drill.home, lost, end, "lost", "lost"))
    rows.append(_span(drill.standby, start, claimed or end, "idle", "standby"))
    if claimed:
        epoch = drill.watcher.epochs[-1]
        rows.append(_span(drill.standby, claimed, end, "new", f"active, epoch {epoch}"))
    return rows


def _verdicts(drill: "Drill") -> list[dict]:
    rows = [row for row in drill.watcher.verdicts if row["location"] == drill.standby]
    return [{"at": row["at"], "location": row["state"]} for row in rows]


def _answer(drill: "Drill", location: str | None) -> tuple[str, str]:
    if location is None:
        return "failed", "not answered"
    return ("old" if location == drill.home else "new"), location


def _changes(lane: str, rows: list[dict], end: str, look) -> list[dict]:
    """Bars from a list of changes, each lasting until the next."""
    ends = [*(row["at"] for row in rows[1:]), end][: len(rows)]
    return [
        _span(lane, row["at"], until, *look(row["location"]))
        for row, until in zip(rows, ends, strict=True)
    ]


def _stages(drill: "Drill") -> list[dict]:
    """The stages of the run, as the app tells them."""
    stages = drill.kept.get("stages", [])
    return [
        _span("run", row["startedAt"], row["endedAt"], "run", str(row["stage"]))
        for row in stages
        if row.get("startedAt") and row.get("endedAt")
    ]


def _parts(facts: dict) -> list[dict]:
    """What the RTO was made of, the lease's part among them."""
    kinds = {"detection": "idle", "lease": "warn"}
    return [
        _span("RTO", row["from"], row["to"], kinds.get(row["name"], "run"), row["name"])
        for row in facts.get("rtoParts", [])
    ]


def _span(lane: str, start: str, end: str, kind: str, label: str) -> dict:
    return {"lane": lane, "from": start, "to": max(start, end), "kind": kind, "label": label}
