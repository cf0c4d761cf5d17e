"""`python -m bench [PROBE ...]`: measure, print one table, exit 1 when a promise is not kept."""

import argparse
import json
import os
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.figures import FIGURES, Row, rows
from bench.probes import PROBES, ROOT, ProbeFailed

RESULTS = ROOT / "out" / "bench.json"


def main(asked: list[str]) -> int:
    """Run the probes that were asked for (none: all) one after another; they share two cores."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("probes", nargs="*", metavar="PROBE", help=", ".join(PROBES))
    chosen = parser.parse_args(asked).probes or list(PROBES)
    unknown = [name for name in chosen if name not in PROBES]
    if unknown:
        parser.error(f"no such probe: {', '.join(unknown)}; there are {', '.join(PROBES)}")
    console = Console()
    busy = f"{os.getloadavg()[0]:.1f} processes at work on {os.cpu_count()} cores before it began"
    measured: dict[str, dict] = {}
    for name in chosen:
        console.print(f"measuring: {name}", style="dim")
        try:
            measured[name] = PROBES[name]()
        except ProbeFailed as failure:
            console.print(f"{name}: {failure}", style="red", markup=False)
    told = [row for row in rows(measured) if row.figure.probe in chosen]
    console.print(drawn(told))
    console.print(busy, style="dim")
    keep(RESULTS, measured)
    return 0 if all(row.kept for row in told) else 1


def drawn(told: list[Row]) -> Table:
    """The table; 1.00 or more in its ratio column keeps the promise."""
    table = Table(title="Figures (ratio: 1.00 or more keeps the promise)", title_justify="left")
    table.add_column("figure")
    for name in ("measured", "limit", "ratio"):
        table.add_column(name, justify="right")
    table.add_column("kept")
    for row in told:
        figure, ratio = row.figure, row.ratio
        table.add_row(
            figure.what,
            "not measured" if row.measured is None else f"{row.measured:,.2f} {figure.unit}",
            f"{figure.bound} {figure.limit:,g} {figure.unit}",
            "" if ratio is None else f"{ratio:.2f}",
            "yes" if row.kept else "NO",
        )
    return table


def keep(path: Path, measured: dict[str, dict]) -> None:
    """Everything that was measured, also what no promise is about.

    What other probes measured earlier stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(path.read_text(encoding="utf-8"))["measured"] if path.exists() else {}
    measured = {**known, **measured}
    promises = {f"{f.probe}.{f.key}": f.limit for f in FIGURES}
    path.write_text(json.dumps({"measured": measured, "limits": promises}, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
