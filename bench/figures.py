"""Figures: what is promised, where it is measured, and how near a measurement comes.

Pure: takes measurements, gives rows. A ratio of 1.00 or more reaches the promise, whichever way
the figure is counted, so that one column tells all.
"""

from dataclasses import dataclass

AT_LEAST, AT_MOST = "at least", "at most"


@dataclass(frozen=True)
class Figure:
    """One promise: the probe that measures it, the key in its answer, and the limit."""

    what: str
    probe: str
    key: str
    bound: str
    limit: float
    unit: str = ""


FIGURES = (
    Figure("drill after set-up", "drill", "seconds", AT_MOST, 180, "s"),
    Figure("RTO over its lower bound", "drill", "rtoOverBound", AT_MOST, 1.25),
    Figure("slips lost", "drill", "slipsLost", AT_MOST, 0),
    Figure("invariants broken", "drill", "invariantsBroken", AT_MOST, 0),
    Figure("slips lost in all drills here", "drills", "slipsLost", AT_MOST, 0),
    Figure("invariants broken in them", "drills", "invariantsBroken", AT_MOST, 0),
    Figure("one-activity orchestrations", "engine", "orchestrationsPerSecond", AT_LEAST, 300, "/s"),
    Figure("fan-out of 1,000", "engine", "fanOut1000Seconds", AT_MOST, 2, "s"),
    Figure("memory of a host with the app", "drill", "residentMegabytes", AT_MOST, 200, "MB"),
    Figure("messages sent, batches of 100", "bus", "sentInBatchesPerSecond", AT_LEAST, 4000, "/s"),
    Figure(
        "messages received, completed", "bus", "receivedAndCompletedPerSecond", AT_LEAST, 1200, "/s"
    ),
    Figure("round trip, p50", "bus", "roundTripP50Ms", AT_MOST, 3, "ms"),
    Figure("cold start over a bare app", "coldStart", "ratio", AT_MOST, 2.0),
    Figure("history of 2 x 10,000 runs", "history", "firstPageSeconds", AT_MOST, 2, "s"),
    Figure("time over workflows, log-log", "scale", "processorSecondsSlope", AT_MOST, 1.1),
    Figure("histories over workflows, log-log", "scale", "historyBytesSlope", AT_MOST, 1.1),
    Figure("memory over workflows, log-log", "scale", "grownMegabytesSlope", AT_MOST, 1.1),
    Figure("activation of 1,000 over ARM's bound", "scale", "overBound1000", AT_MOST, 1.15),
    Figure("activation of 5,000 over ARM's bound", "scale", "overBound5000", AT_MOST, 1.2),
    Figure("simulated failovers, one core", "simulate", "failoversPerSecond", AT_LEAST, 100, "/s"),
    Figure("violations in 1,500 seeds", "simulate", "violations", AT_MOST, 0),
    Figure("Azure SDKs imported by it", "coldStart", "sdkModules", AT_MOST, 0),
)


@dataclass(frozen=True)
class Row:
    """A figure and what became of it; `measured` is None when its probe gave no such key."""

    figure: Figure
    measured: float | None

    @property
    def ratio(self) -> float | None:
        """At least 1.0 when the promise is kept; None when nothing was measured."""
        if self.measured is None:
            return None
        over, under = self.measured, self.figure.limit
        if self.figure.bound == AT_MOST:
            over, under = under, over
        if under == 0:
            return 1.0
        return over / under

    @property
    def kept(self) -> bool:
        """Was it measured, and does it keep the promise?"""
        if self.measured is None:
            return False
        if self.figure.bound == AT_MOST:
            return self.measured <= self.figure.limit
        return self.measured >= self.figure.limit


def rows(measured: dict[str, dict]) -> list[Row]:
    """Every figure with its measurement. `measured`: probe -> {key: number}."""
    return [Row(f, number(measured.get(f.probe, {}).get(f.key))) for f in FIGURES]


def number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
