"""Weather: all that goes wrong in one seed, drawn beforehand.

Everything ends at `calm_seconds`: after it nothing fails any more, and the properties that say
"in the end" have their bound from there.
"""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from random import Random

from rehearsal.simulation import plots

Event = tuple[float, str, tuple]  # (seconds, what happens, to whom)
# Mostly small, sometimes beyond any margin: an order of magnitude above what NTP keeps.
SKEWS_SECONDS = (0.0, 0.0, 0.2, 1.0, 5.0, 30.0)
TROUBLES = (0.0, 0.0, 0.01, 0.03, 0.1)
WINDOW = {"cron": "0 8 * * *", "minutes": 1, "because": "people work on it"}  # Open at the start.
SOON = {**WINDOW, "cron": "1 8 * * *"}  # Opens when runs may be under way.
OPTIONS: dict[str, tuple] = {
    "automation": ("automatic",) * 14 + ("approval", "approval", "alert"),
    "quietMinutes": (0, 30, 30),
    "leaseSeconds": (20, 30, 30, 40),
    "drainSeconds": (0, 5, 20),
    "approvalMinutes": (1, 2),
    "protectMinutes": (0, 1, 60),
    "pointOfNoReturn": ("redirect", "redirect", "activate", "verify"),
    "maintenance": ([],) * 18 + ([SOON], [WINDOW]),
}


@dataclass
class Weather:
    """One seed's plot and its troubles."""

    trouble: float  # Share of requests that meet a 429, a 5xx, a timeout or a lost answer.
    lost_202: float  # Share of accepted changes that never show.
    late_seconds: float  # How long after its caller gave up a slow request may still land.
    lagging: str  # A node where many a request lands long after its caller gave up; mostly none.
    doubled: float  # Share of messages that come twice in spite of duplicate detection.
    late: float  # Share of messages that come up to a minute late, and so out of order.
    skews: dict[str, float]
    options: dict  # What the seed's plan has otherwise than the one that was given.
    request_minutes: float  # The product's own bounds, drawn too: short ones make runs overlap.
    stalled_minutes: float
    calm_seconds: float
    kills: dict[str, list[int]] = field(default_factory=dict)  # After so many effects each.
    strays: set[int] = field(default_factory=set)  # Which switches of workflows land late.
    events: list[Event] = field(default_factory=list)
    lost: float = 0.0  # Share of messages that are accepted and never come.
    copies: int = 0  # So many workflows the plan has more than was given,
    sizes: dict[str, int] = field(default_factory=dict)  # how few of them are done at once, and
    alone: int = 0  # from how many components on in instances of their own.


def draw(random: Random, locations: list[str]) -> Weather:
    """The weather of a seed; `locations`: the active one first."""
    calm = random.uniform(50, 90)
    weather = Weather(
        trouble=random.choice(TROUBLES),
        lost_202=random.choice((0.0, 0.0, 0.02)),
        late_seconds=random.choice((5, 15, 40)),
        lagging=random.choice(("",) * 8 + tuple(f"arm.{name}" for name in locations)),
        doubled=random.choice((0.0, 0.1, 0.5)),
        late=random.choice((0.0, 0.05, 0.3)),
        skews={name: random.choice(SKEWS_SECONDS) * random.choice((-1, 1)) for name in locations},
        options={name: random.choice(given) for name, given in OPTIONS.items()},
        request_minutes=random.choice((10, 10, 10, 0.25)),
        stalled_minutes=random.choice((60, 60, 2, 0.3)),
        calm_seconds=calm,
    )
    plots, weights = zip(*PLOTS, strict=True)
    random.choices(plots, weights)[0](weather, random, locations, calm)
    for extra, share in EXTRAS:
        if random.random() < share:
            extra(weather, random, locations, weather.calm_seconds)
    apart = copy(random)  # What came later must not shift what known seeds draw from here on.
    for extra, share in LATER:
        if apart.random() < share:
            extra(weather, apart, locations, weather.calm_seconds)
    weather.events.sort(key=lambda event: event[0])
    return weather


Plot = Callable[[Weather, Random, list[str], float], None]
PLOTS: tuple[tuple[Plot, float], ...] = (
    (plots.loss, 0.24),
    (plots.orders, 0.12),
    (plots.shuttle, 0.29),
    (plots.astray, 0.07),
    (plots.at_once, 0.06),
    (plots.partition, 0.07),
    (plots.alone, 0.07),
    (plots.again, 0.08),
)
EXTRAS: tuple[tuple[Plot, float], ...] = (
    (plots.kills, 0.35),
    (plots.blips, 0.2),
    (plots.cuts, 0.2),
    (plots.isolation, 0.08),
    (plots.pauses, 0.06),
    (plots.words, 0.25),
    (plots.approvals, 1.0),
    (plots.calls, 0.1),
    (plots.homecoming, 0.7),
    (plots.strays, 0.1),
    (plots.no_post, 0.06),
)
# Drawn last, each from numbers of its own: more of them change no seed that has none of them.
LATER: tuple[tuple[Plot, float], ...] = (
    (plots.fails_fast, 0.06),
    (plots.no_slips, 0.08),
    (plots.pieces, 0.06),
    (plots.lossy, 0.04),
)
