"""Probes: run what measures, each in a process of its own, and hand its figures on.

A probe that fails gives no figures and its last words; the others still run.
"""

import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REPORTS, ONE = ROOT / "out" / "drill", "*/report.json"
PROBE_SECONDS_MAX = 600
SCALES = (100, 300, 1000, 5000)
SEEDS = 1500
IMPORTS = 7  # The median of seven imports is steady within a few percent on a shared machine.
SDKS = ("azure.identity", "azure.mgmt", "azure.storage", "azure.servicebus", "azure.core")
BARE = "import azure.functions, azure.durable_functions; azure.durable_functions.DFApp()"
SETTINGS = {
    "LOCATION": "northeurope",
    "AzureWebJobsStorage__blobServiceUri": "https://stcontosone.blob.core.windows.net",
    "SLIPS__fullyQualifiedNamespace": "sb-contoso-ne.servicebus.windows.net",
    "SLIPS_WESTEUROPE__fullyQualifiedNamespace": "sb-contoso-we.servicebus.windows.net",
    "WATCHDOG_SCHEDULE": "0 * * * * *",
    "HEARTBEAT_SCHEDULE": "*/10 * * * * *",
    "BACKUP_SCHEDULE": "0 0 * * * *",
}


class ProbeFailed(Exception):
    """A probe ended badly; the text holds its last words."""


def run(command: list[str], accepted: tuple[int, ...] = (0,)) -> str:
    """Run Python with these arguments at the project's root; what it printed.

    Raises ProbeFailed when it takes longer than PROBE_SECONDS_MAX or exits otherwise.
    """
    settings = {**os.environ, **SETTINGS}
    whole = [sys.executable, *command]
    try:
        done = subprocess.run(
            whole,
            cwd=ROOT,
            env=settings,
            capture_output=True,
            text=True,
            timeout=PROBE_SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise ProbeFailed(f"{' '.join(command)}: still running after {late.timeout} s") from late
    if done.returncode not in accepted:
        raise ProbeFailed(f"{' '.join(command)}: exit {done.returncode}: {done.stderr[-400:]}")
    return done.stdout


def last_json(text: str) -> dict:
    """The JSON object that a probe printed last, on one line or over several."""
    start = 0
    while (start := text.find("{", start)) >= 0:
        try:
            return json.loads(text[start:])
        except json.JSONDecodeError:
            start += 1
    raise ProbeFailed(f"printed no JSON: {text[-200:]}")


def engine() -> dict:
    """The durable engine and its process."""
    return last_json(run(["-m", "rehearsal.host.bench"]))


def bus() -> dict:
    """The Service Bus player, through one unmodified client."""
    return last_json(run(["-m", "rehearsal.servicebus.bench"]))


def cold_start() -> dict:
    """How long the app takes to import against a bare app, and what it drags in."""
    timed: dict[str, list[float]] = {"app": [], "bare": []}
    for _ in range(IMPORTS):
        # Taken in turns, so that a slow minute of the machine slows both.
        timed["bare"].append(import_seconds(BARE))
        timed["app"].append(import_seconds("import function_app"))
    listed = run(
        ["-c", "import function_app, sys, json; print(json.dumps({'m': list(sys.modules)}))"]
    )
    modules = last_json(listed)["m"]
    loaded = [m for m in modules if any(m == sdk or m.startswith(f"{sdk}.") for sdk in SDKS)]
    ratio = statistics.median(timed["app"]) / statistics.median(timed["bare"])
    return {"ratio": ratio, "sdkModules": len(loaded), "seconds": statistics.median(timed["app"])}


def import_seconds(code: str) -> float:
    started = time.perf_counter()
    run(["-c", code])
    return time.perf_counter() - started


def history() -> dict:
    """The first page of ten thousand runs in each location, at 100 ms for an answer of ARM's."""
    return last_json(run(["-m", "tests.past_runs"]))


def scale() -> dict:
    """What the orchestrations of a stage cost, from a hundred workflows to five thousand."""
    found = [last_json(run(["-m", "rehearsal.simulation.scale", str(n)])) for n in SCALES]
    keys = ("processorSeconds", "historyBytes", "grownMegabytes", "turns")
    over = {n: overrun(one) for n, one in zip(SCALES, found, strict=True)}
    told = {"overBound1000": over[1000], "overBound5000": over[5000]}
    return {"counts": found, **told, **{f"{key}Slope": slope(found, key) for key in keys}}


def overrun(one: dict) -> float | None:
    """How many times ARM's own bound a stage took, in a time in which answers come at once."""
    return one["virtualSeconds"] / one["boundSeconds"] if one["boundSeconds"] else None


def slope(found: list[dict], key: str) -> float:
    """By which power of the number of workflows a figure grows: 1 is in proportion.

    The line of least squares through the logarithms of all of them.
    """
    xs = [math.log(one["workflows"]) for one in found]
    return statistics.linear_regression(xs, [math.log(one[key]) for one in found]).slope


def simulate() -> dict:
    """Failovers in virtual time, of processor time on one core, and the seeds that break a
    property; exit 1 is such a seed."""
    seeds = ["--seeds", str(SEEDS), "--figures"]
    return last_json(run(["-m", "rehearsal", "simulate", *seeds], accepted=(0, 1)))


def drill() -> dict:
    """One region outage, from the first process to the report."""
    folder, started = REPORTS / "region-outage", time.perf_counter()
    # Exit 1 is a drill that missed an objective: its figures are what we are here for.
    run(["-m", "rehearsal", "drill", "--out", str(folder)], accepted=(0, 1))
    seconds = time.perf_counter() - started
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    bound = report.get("rtoLowerBoundSeconds")
    rto = report.get("rtoSeconds")
    lease = [p["seconds"] for p in report.get("rtoParts", []) if p["name"] == "lease"]
    return {
        "seconds": seconds,
        "setUpSeconds": report.get("setUpSeconds"),
        "rtoOverBound": rto / bound if rto is not None and bound else None,
        "leaseSeconds": lease[0] if lease else None,
        "slipsLost": report["slips"]["lost"],
        "invariantsBroken": len(broken(report)),
        "residentMegabytes": max(report.get("hostMegabytes", {}).values(), default=None),
    }


def drills() -> dict:
    """What the reports say that drills have left here, one per scenario; none is told anew."""
    found = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(REPORTS.glob(ONE))]
    if not found:
        raise ProbeFailed(f"no reports in {REPORTS}: run `make drill SCENARIO=...`")
    return {
        "scenarios": {report["scenario"]: broken(report) for report in found},
        "slipsLost": sum(report["slips"]["lost"] for report in found),
        "invariantsBroken": sum(len(broken(report)) for report in found),
    }


def broken(report: dict) -> list[str]:
    """The invariants of a report that did not hold; a drill that could not run holds nothing."""
    if report["outcome"] == "error" or not report["invariants"]:
        return ["told"]
    return [name for name, held in report["invariants"].items() if not held]


PROBES: dict[str, Callable[[], dict]] = {
    "engine": engine,
    "bus": bus,
    "coldStart": cold_start,
    "history": history,
    "scale": scale,
    "simulate": simulate,
    "drill": drill,
    "drills": drills,
}
