"""What a drill found: moments, figures and invariants, measured from outside.

The ARM journal, the workflows' effects, the customer's counts, the brokers' files and the witness
are the witnesses here; the app's word is taken for its own steps alone.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from rehearsal import (
    drill_bound,
    drill_counts,
    drill_ledger,
    drill_never,
    drill_parts,
    drill_secrets,
    drill_spans,
    drill_split,
    report,
)
from rehearsal.drill_story import Scenario

if TYPE_CHECKING:
    from rehearsal.drill import Drill

ENABLE, ENDPOINT = "/enable?", "/externalendpoints/"


def state(drill: "Drill") -> dict[str, str]:
    """What is so now, for the live timeline."""
    seen, record = drill.stage.clients(), drill.watcher.record or {}
    failures = f"{seen['failures']} of {seen['calls']} calls lost"
    return {
        "active": f"{record.get('active', '-')}, epoch {record.get('epoch', '-')}",
        "run": drill.phase() or "none",
        "verdict": f"{drill.standby}: {drill.watcher.verdict(drill.standby) or '-'}",
        "customer": f"answered by {seen['answering'] or 'nobody'}; {failures}",
        "effects": str(len(drill.stage.world.effects)),
    }


async def gather(drill: "Drill", scenario: Scenario) -> dict:
    """Everything that the report says of this drill."""
    facts = {"outageAt": None, **drill.facts, **_moments(drill, scenario)}
    steps, facts["verifiedAt"] = await _steps(drill, facts)
    drill_counts.judge(drill, scenario)
    exclusives = drill_never.judge(drill, scenario)
    splits = drill_split.judge(drill, scenario)
    drill_parts.judge(drill, facts.get("rtoParts", []))
    drill_bound.judge(drill, facts.get("pace"))
    drill_ledger.judge(drill, scenario, drill.kept.get("abandoned"))
    slips = drill_counts.slips(drill, scenario)
    drill.check("noSlipLost", slips["lost"] == 0, f"{slips['sent']} sent, {slips['lost']} lost")
    objectives = drill.plan["objectives"]
    found = {
        **facts,
        "rpoSeconds": _rpo(drill, facts) if scenario.moves else None,
        "epochs": drill.watcher.epochs,
        "steps": steps,
        "slips": slips,
        "exclusives": exclusives,
        "splits": splits,
        "abandoned": drill.kept.get("abandoned"),
        "planned": scenario.planned,
        "hostMegabytes": _megabytes(drill),
        "objectives": objectives,
        "verdicts": drill.watcher.verdicts,
        "alerts": list(drill.stage.alerts),
        "client": drill.stage.clients(),
        **drill_spans.spans(drill, facts, exclusives["atWork"]),
    }
    if scenario.moves:
        _judge_objectives(drill, scenario, found)
    drill_secrets.judge(drill, found)
    held = {name: held for name, (held, _) in drill.checks.items()}
    found["invariants"] = held
    found["reasons"] = {name: because for name, (_, because) in drill.checks.items()}
    found["outcome"] = "met" if held and all(held.values()) else "missed"
    found["because"] = _because(drill, scenario, found)
    return found


def _megabytes(drill: "Drill") -> dict[str, int]:
    """The most memory that each running Functions host held, app and all; Linux alone tells."""
    found = {}
    for name, host in drill.stage.hosts.items():
        if host.up and host.child is not None:
            told = Path(f"/proc/{host.child.pid}/status")
            lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
            for held in [line.split()[1] for line in lines if line.startswith("VmHWM")]:
                found[name] = int(held) // 1024
    return found


def _moments(drill: "Drill", scenario: Scenario) -> dict:
    """When things happened, by the witness and the ARM journal."""
    outage = drill.facts.get("outageAt")
    if not scenario.epochs or not outage:
        return {}
    after = [row for row in drill.watcher.records if row["at"] >= outage]
    asked = next((r["record"]["run"] for r in after if r["record"].get("run")), None)
    claimed = next((r["at"] for r in after if r["record"]["active"] == drill.standby), None)
    known = {
        "detectedAt": asked["at"] if asked else None,
        "claimedAt": claimed,
        "runId": asked["id"] if asked else None,
    }
    if not scenario.moves:
        home = [r["at"] for r in after if claimed and r["record"]["active"] == drill.home]
        return {**known, "homeAgainAt": next((at for at in home if at > str(claimed)), None)}
    return known | _moved(drill, scenario, outage, known)


def _moved(drill: "Drill", scenario: Scenario, outage: str, known: dict) -> dict:
    """When the standby was at work and served, and how that compares with its lower bound."""
    writes = [row for row in drill_counts.writes(drill) if str(row["at"]) >= outage]
    enabled = [row["at"] for row in writes if ENABLE in row["url"].lower()]
    turned = [row["at"] for row in writes if ENDPOINT in row["url"].lower()]
    moments = known | {
        "activatedAt": enabled[-1] if enabled else None,
        "redirectedAt": turned[-1] if turned else None,
    }
    seen = drill.stage.clients()
    served = seen["lastSwitchAt"] if seen["answering"] == drill.standby else None
    moments["servedAt"] = served
    moments["rtoSeconds"] = report.seconds_between(outage, served)
    parts = drill_bound.parts(drill, scenario, moments)
    moments["boundParts"] = parts
    moments["pace"] = drill_bound.pace(drill, moments)
    moments["rtoParts"] = drill_parts.parts(drill, scenario, moments)
    moments["rtoLowerBoundSeconds"] = round(sum(part["seconds"] for part in parts), 3)
    return moments


async def _steps(drill: "Drill", facts: dict) -> tuple[list[dict], str | None]:
    """The app's own account of its run: the Contract's rows, and when it was verified."""
    run = facts.get("runId")
    if not run:
        return [], None
    try:
        status, body = await drill.api(drill.standby, "GET", f"runs/{run}")
    except (aiohttp.ClientError, TimeoutError, ValueError) as wrong:
        drill.say(f"the run's timeline could not be read: {wrong}", lane="report")
        return [], None
    if status != 200:
        drill.say(f"the run's timeline could not be read: {status}", lane="report")
        return [], None
    drill.kept["stages"] = body.get("stages", [])
    drill.kept["abandoned"] = body.get("abandoned")
    verified = [s.get("endedAt") for s in drill.kept["stages"] if s.get("stage") == "verify"]
    empty = {"epoch": None, "attempts": 1, "because": "", "startedAt": None, "endedAt": None}
    steps = [{"run": run, **empty, **row} for row in body.get("steps", [])]
    for row in steps:
        row["seconds"] = report.seconds_between(row["startedAt"], row["endedAt"])
    return steps, verified[0] if verified else None


def _rpo(drill: "Drill", facts: dict) -> float | None:
    """The age of the configuration that the standby holds: since its proven backup began."""
    manifest = drill.kept.get("manifest")
    return report.seconds_between(manifest["startedAt"], facts["outageAt"]) if manifest else None


def _judge_objectives(drill: "Drill", scenario: Scenario, found: dict) -> None:
    """RTO and RPO against the plan's objectives; nothing is lost in a move that was planned."""
    keys = [("rtoSeconds", "rtoMet")] + [("rpoSeconds", "rpoMet")] * (not scenario.planned)
    for key, name in keys:
        value, most = found.get(key), found["objectives"][key]
        held = value is not None and value <= most
        drill.check(name, held, f"{report.figure(value, 's')}, objective {most} s")


def _because(drill: "Drill", scenario: Scenario, found: dict) -> str:
    """The report in one sentence."""
    broken = [name for name, held in found["invariants"].items() if not held]
    if broken:
        reasons = [f"{report.words(name)}: {found['reasons'][name]}" for name in broken]
        return f"Broken: {'; '.join(reasons)}"
    lost = found["client"]["failures"]
    if scenario.moves and scenario.planned:
        return (
            f"{scenario.promise} {drill.standby} answered {found['rtoSeconds']:.1f} s after the "
            f"word was given; the customer lost {lost} calls."
        )
    if scenario.moves:
        rto, least = found["rtoSeconds"], found["rtoLowerBoundSeconds"]
        taken = f"{drill.home} was lost and {drill.standby} took over: the"
        gone = any(row["lost"] and row["location"] == drill.home for row in drill.stage.losses)
        return (
            f"{taken if gone else f'{scenario.promise} The'} customer was answered "
            f"again after {rto:.1f} s (lower bound {least:.1f} s) and lost {lost} calls."
        )
    moved = "The" if scenario.epochs else "Nothing moved; the"
    return f"{scenario.promise} {moved} customer lost {lost} calls."


def summary(written: dict, out: Path) -> str:
    """The last words on the terminal."""
    parts = [
        f"{written['scenario']}: {report.HEADLINES[written['outcome']].lower()}",
        f"  RTO {report.figure(written['rtoSeconds'], 's')}"
        f" (lower bound {report.figure(written['rtoLowerBoundSeconds'], 's')})"
        f", RPO {report.figure(written['rpoSeconds'], 's')}",
        f"  {written.get('because', '')}",
        f"  report: {out / 'report.html'}",
    ]
    return "\n".join(parts)
