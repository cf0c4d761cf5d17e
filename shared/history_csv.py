"""History as CSV: RFC 4180, with nothing in it that a spreadsheet would carry out.

Who downloads a file sees no header of HTTP: a warning is a row of its own, of the kind `warning`.
"""

import csv
import io

COLUMNS = ("at", "location", "component", "kind", "status", "name", "correlation", "because")
# What begins a formula, also behind what spreadsheets skip (OWASP, CSV injection).
FORMULA = ("=", "+", "-", "@", "|", "%", "\t", "\r", "\n")


def table(rows: list[dict], warnings: list[str]) -> str:
    """The rows in their order, then the warnings, under a line of names."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([cell(row.get(name)) for name in COLUMNS] for row in rows)
    said = ({"kind": "warning", "because": words} for words in warnings)
    writer.writerows([cell(row.get(name)) for name in COLUMNS] for row in said)
    return text.getvalue()


def cell(value: object) -> str:
    """A value as text; one that a spreadsheet would take for a formula begins with a quote."""
    text = "" if value is None else str(value)
    risky = text.startswith(FORMULA) or text.lstrip().startswith(FORMULA)
    return f"'{text}" if risky else text
