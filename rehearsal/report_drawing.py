"""The report's drawings as plain geometry: the template turns them into SVG and decides nothing.

A report may carry `spans` ({"lane", "from", "to", "kind", "label"}), `marks` ({"lane", "at",
"kind", "label"}) and `lanes` (their order). Times are ISO 8601; x is in user units.
"""

from datetime import datetime

WIDTH, LEFT, RIGHT = 1120.0, 160.0, 16.0
TOP, LANE, BAR = 44.0, 36.0, 20.0
TICKS_MAX = 12
STEPS_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)
PARTS = 7  # So many colours are told apart.
LETTER = 6.3  # The usual width of a letter at the size of the labels.


def _time(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()


def extent(report: dict) -> tuple[float, float]:
    """The first and last moment of everything that is drawn, at least one second apart."""
    times = [_time(s[end]) for s in report.get("spans", []) for end in ("from", "to")]
    times += [_time(mark["at"]) for mark in report.get("marks", [])]
    if not times:
        return 0.0, 1.0
    return min(times), max(max(times), min(times) + 1)


def drawing(report: dict) -> dict | None:
    """The timeline: lanes with bars and marks, ticks, and the line of the outage; None if empty."""
    spans, marks = report.get("spans", []), report.get("marks", [])
    if not spans and not marks:
        return None
    first, last = extent(report)
    scale = (WIDTH - LEFT - RIGHT) / (last - first)

    def x(at: str) -> float:
        return round(LEFT + (_time(at) - first) * scale, 1)

    names = list(report.get("lanes") or dict.fromkeys(row["lane"] for row in spans + marks))
    lanes = [
        {
            "name": name,
            "y": TOP + LANE * number,
            "bars": [_bar(span, x) for span in spans if span["lane"] == name],
            "marks": [
                {"x": x(mark["at"]), "kind": mark["kind"], "label": mark["label"]}
                for mark in marks
                if mark["lane"] == name
            ],
        }
        for number, name in enumerate(names)
    ]
    zero = _time(report["outageAt"]) if report.get("outageAt") else first
    return {
        "width": WIDTH,
        "height": TOP + LANE * len(names) + 10,
        "left": LEFT,
        "bar": BAR,
        "lane": LANE,
        "lanes": lanes,
        "ticks": ticks(first, last, zero, scale),
        "outage": x(report["outageAt"]) if report.get("outageAt") else None,
    }


def _bar(span: dict, x) -> dict:
    start, end = x(span["from"]), x(span["to"])
    width = max(end - start, 1.5)
    # A label that does not fit its bar is left to the tooltip.
    fits = len(span["label"]) * LETTER + 8 <= width
    return {
        "x": start,
        "width": round(width, 1),
        "kind": span["kind"],
        "label": span["label"] if fits else "",
        "title": span.get("title", span["label"]),
    }


def ticks(first: float, last: float, zero: float, scale: float) -> list[dict]:
    """Round numbers of seconds from `zero`, at most TICKS_MAX of them."""
    length = last - first
    step = next((s for s in STEPS_SECONDS if length / s <= TICKS_MAX), STEPS_SECONDS[-1])
    lowest = int((first - zero) // step)
    highest = int((last - zero) // step)
    made = []
    for number in range(lowest, min(highest, lowest + 100) + 1):
        at = zero + number * step
        if first <= at <= last:
            sign = "+" if number > 0 else ""
            label = f"{sign}{number * step} s" if number else "0"
            made.append({"x": round(LEFT + (at - first) * scale, 1), "label": label})
    return made


def parts_bar(report: dict) -> dict | None:
    """The RTO, in its parts, above its lower bound, both to one scale; None without an RTO."""
    rto, bound = report.get("rtoSeconds"), report.get("boundParts") or []
    if not rto or not bound:
        return None
    measured = report.get("rtoParts") or [{"name": f"{rto:.1f} s", "seconds": rto}]
    names = list(dict.fromkeys(part["name"] for part in [*bound, *measured]))
    scale = (WIDTH - LEFT - RIGHT) / max(rto, sum(part["seconds"] for part in bound))
    return {
        "rto": round(rto * scale, 1),
        "measured": _in_a_row(measured, names, scale),
        "parts": _in_a_row(bound, names, scale),
        "width": WIDTH,
        "left": LEFT,
    }


def _in_a_row(parts: list[dict], names: list[str], scale: float) -> list[dict]:
    """One bar after another; a part has the colour of its name in both rows."""
    at, made = LEFT, []
    for part in parts:
        width = part["seconds"] * scale
        fits = len(part["name"]) * LETTER + 8 <= width
        made.append(
            {
                "x": round(at, 1),
                "width": round(width, 1),
                "kind": f"part{names.index(part['name']) % PARTS}",
                "label": part["name"] if fits else "",
                "title": f"{part['name']}: {part['seconds']:.1f} s",
            }
        )
        at += width
    return made
