"""Audit's desk: what the HTTP API shows of a plan's audit. As the desk, no activity."""

from activities import desk
from shared import audit_reading


@desk.answered
def lines_after(name: str, after: str | None) -> tuple:
    """The lines of a plan's audit that follow the first `after`, LINES_MAX at most, with `next`."""
    document, warnings = desk.known_plan(name)["plan"], []
    if after is not None and not after.isdecimal():
        detail = "after: how many lines are known already"
        raise desk.refuse(400, "Bad request", detail, errors=[detail])
    record = desk.in_time("witness", warnings, desk.known_record, document)
    shown = audit_reading.summary(document, record)
    first = int(after or 0)
    lines = audit_reading.reader(document).page(first)
    following = first + len(lines) if lines and first + len(lines) < shown["count"] else None
    return 200, {"plan": name, **shown, "lines": lines, "next": following, "warnings": warnings}
