"""The lanes of the report's timeline: from what was watched to bars and marks."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rehearsal.drill_counts import writes

if TYPE_CHECKING:
    from rehearsal.drill import Drill

LEAD_SECONDS_MAX = 40.0
MARKS_MAX = 600
PARTS = "parts of the RTO"


def spans(drill: "Drill", facts: dict, at_work: dict) -> dict:
    """`lanes`, `spans` and `marks` for the drawing. `at_work`: as `drill_never.judge` gives it."""
    end = datetime.now(UTC).isoformat()
    made = [
        *_sides(drill, end),
        *_work(drill, at_work),
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
        for row in thinned([row for row in writes(drill) if row["at"] > first])
    ]
    marks += [
        {"lane": "alerts", "at": a["at"], "kind": "warn", "label": str(a.get("title", ""))}
        for a in drill.stage.alerts
        if a["at"] > first
    ][-MARKS_MAX:]
    both = (drill.home, drill.standby)
    order = [*both, *(_exclusive(name) for name in both), "verdict", PARTS, "run"]
    order += ["ARM writes", "alerts", "client"]
    used = {row["lane"] for row in [*kept, *marks]}
    lanes = [name for name in order if name in used]
    return {"lanes": lanes, "spans": kept, "marks": marks}


def thinned(rows: list[dict]) -> list[dict]:
    """At most MARKS_MAX of them, from all of the time: a mark is as wide as seconds of a drill."""
    return rows[:: 1 + (len(rows) - 1) // MARKS_MAX] if rows else []


def _first(facts: dict, rows: list[dict]) -> str:
    """Where the drawing begins: a little before the outage, or with the first thing seen."""
    earliest = min((row["from"] for row in rows), default="")
    if not facts.get("outageAt"):
        return earliest
    outage = datetime.fromisoformat(facts["outageAt"]).timestamp()
    lead = datetime.fromtimestamp(outage - LEAD_SECONDS_MAX, UTC).isoformat()
    return max(earliest, lead)


def _sides(drill: "Drill", end: str) -> list[dict]:
    """Each location: active, standby or lost, by the witness and by what was taken."""
    return [row for name in (drill.home, drill.standby) for row in _side(drill, name, end)]


def _side(drill: "Drill", name: str, end: str) -> list[dict]:
    changes = [
        (row["at"], {"active": row["record"]["active"], "epoch": row["record"]["epoch"]})
        for row in drill.watcher.records
    ]
    changes += [
        (row["at"], {"lost": row["lost"]}) for row in drill.stage.losses if row["location"] == name
    ]
    known: dict = {}
    shown: list[tuple[str, str, str]] = []
    for at, change in sorted(changes, key=lambda row: row[0]):
        known |= change
        kind, label = _looks(drill, name, known)
        if known.get("active") and (not shown or shown[-1][1:] != (kind, label)):
            shown.append((at, kind, label))
    until = [*(at for at, _, _ in shown[1:]), end]
    return [
        _span(name, at, to, kind, label)
        for (at, kind, label), to in zip(shown, until, strict=False)
    ]


def _looks(drill: "Drill", name: str, known: dict) -> tuple[str, str]:
    if known.get("lost"):
        return "lost", "lost"
    if known.get("active") != name:
        return "idle", "standby"
    label = f"active, epoch {known['epoch']}" if known["epoch"] else "active"
    return ("old" if name == drill.home else "new"), label


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


def _exclusive(location: str) -> str:
    return f"exclusive in {location}"


def _work(drill: "Drill", at_work: dict) -> list[dict]:
    """When anything exclusive was at work in a location: nothing is so in both lanes at once."""
    rows = []
    start = drill.watcher.records[0]["at"] if drill.watcher.records else ""
    for name, kind in ((drill.home, "old"), (drill.standby, "new")):
        found = sorted(s for places in at_work.values() for s in places.get(name, []))
        joined: list[list[str]] = []
        for since, to in ([max(since, start), to] for since, to in found):
            if joined and since <= joined[-1][1]:
                joined[-1][1] = max(joined[-1][1], to)
            else:
                joined.append([since, to])
        rows += [_span(_exclusive(name), since, to, kind, "at work") for since, to in joined]
    return rows


def _parts(facts: dict) -> list[dict]:
    """What the RTO was made of, the lease's part among them."""
    kinds = {"detection": "idle", "lease": "warn", "next round": "idle"}
    return [
        _span(PARTS, row["from"], row["to"], kinds.get(row["name"], "run"), row["name"])
        for row in facts.get("rtoParts", [])
    ]


def _span(lane: str, start: str, end: str, kind: str, label: str) -> dict:
    return {"lane": lane, "from": start, "to": max(start, end), "kind": kind, "label": label}
