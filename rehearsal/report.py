"""The report: what a drill measured, as report.json for machines and report.html for people.

The page needs nothing but itself: its timeline is drawn as inline SVG, and it prints well.
"""

import json
from datetime import datetime
from pathlib import Path

import jinja2

from rehearsal.report_drawing import drawing, parts_bar

TEMPLATES = Path(__file__).resolve().parent / "templates"
# The Contract's keys, in its order, and what stands there until something is known.
EMPTY: dict = {
    "scenario": "",
    "seed": 0,
    "plan": "",
    "outcome": "error",
    "outageAt": None,
    "detectedAt": None,
    "claimedAt": None,
    "activatedAt": None,
    "redirectedAt": None,
    "verifiedAt": None,
    "rtoSeconds": None,
    "rtoLowerBoundSeconds": None,
    "rpoSeconds": None,
    "epochs": [],
    "steps": [],
    "invariants": {},
    "slips": {"sent": 0, "completed": 0, "duplicates": 0, "poisoned": 0, "lost": 0},
}
MOMENTS = (
    ("outageAt", "Region lost"),
    ("detectedAt", "Loss concluded"),
    ("claimedAt", "Epoch claimed"),
    ("activatedAt", "Workflows active"),
    ("redirectedAt", "Callers redirected"),
    ("verifiedAt", "Verified"),
    ("homeAgainAt", "Home active again"),
)
# What is called otherwise where a person's word, and no outage, was the beginning.
PLANNED = {"outageAt": "Asked for", "detectedAt": "Run reserved"}
HEADLINES = {
    "met": "Objectives met",
    "missed": "Objectives missed",
    "error": "The drill could not run",
}


def complete(found: dict) -> dict:
    """A report with every key of the Contract, and whatever else was found after them."""
    return {**EMPTY, **found}


def seconds_between(earlier: str | None, later: str | None) -> float | None:
    """Seconds from one ISO 8601 time to another, to the millisecond; None when either is."""
    if not earlier or not later:
        return None
    passed = datetime.fromisoformat(later) - datetime.fromisoformat(earlier)
    return round(passed.total_seconds(), 3)


def clock(at: str | None) -> str:
    """The time of day of an ISO 8601 time, or a dash."""
    return datetime.fromisoformat(at).strftime("%H:%M:%S.%f")[:-5] if at else "–"


def words(name: str) -> str:
    """`noEffectTwice` as people write it."""
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return (spaced[:1].upper() + spaced[1:]).replace("Rto", "RTO").replace("Rpo", "RPO")


def figure(value: float | int | None, unit: str = "") -> str:
    """A number for people: at most one decimal, a dash when it is not known."""
    if value is None:
        return "–"
    text = f"{value:,.1f}".removesuffix(".0") if isinstance(value, float) else f"{value:,}"
    return f"{text} {unit}".strip()


def render(report: dict) -> str:
    """The page of a report."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"clock": clock, "words": words, "figure": figure}
    planned = report.get("planned", False)
    moments = [
        (PLANNED.get(key, label) if planned else label, report[key], _after(report, key))
        for key, label in MOMENTS
        if report.get(key)
    ]
    return environment.get_template("report.html").render(
        report=report,
        planned=planned,
        headline=HEADLINES[report["outcome"]],
        drawing=drawing(report),
        bound=parts_bar(report),
        moments=moments,
        ratio=_ratio(report),
    )


def _after(report: dict, key: str) -> float | None:
    """Seconds after the beginning; the witness's Date has no fractions, so it may seem before."""
    passed = seconds_between(report["outageAt"], report[key])
    return passed if passed is None else max(0.0, passed)


def _ratio(report: dict) -> float | None:
    """The RTO as a multiple of its lower bound."""
    rto, least = report["rtoSeconds"], report["rtoLowerBoundSeconds"]
    return round(rto / least, 2) if rto and least else None


def write(found: dict, folder: Path) -> dict:
    """Write report.json and report.html into a folder; gives the report as written."""
    report = complete(found)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report, indent=2, default=str)
    (folder / "report.json").write_text(text + "\n", encoding="utf-8")
    (folder / "report.html").write_text(render(json.loads(text)), encoding="utf-8")
    return report
