"""Plots: what a seed's weather is made of, each drawn from random numbers alone."""

from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rehearsal.simulation.weather import Weather

MODES = ("forced", "forced", "graceful")
WORDS = ("pause", "pause", "resume", "cancel", "cancel", "approve", "decline")


def loss(weather: "Weather", random: Random, locations: list[str], calm: float) -> None:
    """The active region is lost and comes back at the end, or a little earlier."""
    start = random.uniform(1, 8)
    spell(weather, start, random.uniform(calm - 30, calm), "lose", (locations[0],))


def orders(weather: "Weather", random: Random, locations: list[str], calm: float) -> None:
    """People who move the plan about, each at a desk of their own."""
    start = random.uniform(0, 5)
    for _ in range(random.randint(2, 5)):
        order(weather, random, locations, start)
        start += random.uniform(5, 25)
        if start > calm:
            break


def at_once(weather: "Weather", random: Random, locations: list[str], calm: float) -> None:
    """Two people at two desks give the same order within a second."""
    start = random.uniform(0, calm / 2)
    for _ in range(2):
        order(weather, random, locations, start + random.random())


def partition(weather: "Weather", random: Random, locations: list[str], calm: float) -> None:
    """The standby cannot see the active side; who else can see whom is left to chance."""
    start = random.uniform(1, 10)
    active, standby = locations
    spell(weather, start, calm, "cut", (standby, active))
    for source, node in ((active, "witness"), (standby, f"arm.{active}"), (active, standby)):
        if random.random() < 0.5:
            spell(weather, start, random.uniform(start, calm), "cut", (source, node))


def alone(weather: "Weather", random: Random, locations: list[str], calm: float) -> None:
    """The active side lives and reaches its own, but neither the witness nor, mostly, the other."""
    active, standby = locations
    start, weather.calm_seconds = random.uniform(1, 10), random.uniform(75, 110)
    far = [(standby, active), (standby, f"arm.{active}"), (active, "witness")]
    if random.random() < 0.7:
        far.append((active, standby))
    for source, node in far:
        spell(weather, start, weather.calm_seconds, "cut", (source, node))


def again(weather: "Weather", random: Random, locations: list[str], calm: float) -> None:
    """The active region is lost, and soon after its return the other one."""
    first = random.uniform(70, 90)
    weather.calm_seconds = first + random.uniform(60, 90)
    spell(weather, random.uniform(1, 5), first, "lose", (locations[0],))
    spell(weather, first + 10, weather.calm_seconds, "lose", (locations[1],))


def shuttle(weather: "Weather", random: Random, locations: list[str], calm: float) -> None:
    """The plan is moved to and fro, hardly that it has come to rest, whatever the weather."""
    start = random.uniform(0, 5)
    for _ in range(random.randint(4, 8)):
        told = (random.choice(locations), None, None, random.choice(MODES))
        weather.events.append((start, "order", told))
        start += random.uniform(14, 24)
    weather.calm_seconds = start


def astray(weather: "Weather", random: Random, locations: list[str], calm: float) -> None:
    """A run is cancelled while what it starts is slow: it may start when all is taken back."""
    first = random.choice((3, 4))  # The fence has sent two.
    weather.strays, weather.late_seconds = {first}, 40
    start = random.uniform(0, 5)
    weather.calm_seconds = start + random.uniform(14, 20)
    weather.events.append((start, "order", (random.choice(locations), None, None, "forced")))
    said = (random.choice(locations), "cancel")
    weather.events.append((start + random.uniform(6, 14), "say", said))


def order(weather: "Weather", random: Random, locations: list[str], start: float) -> None:
    desk, to = random.choice(locations), random.choice((None, *locations))
    key = random.choice((None, "key-1", "key-2"))
    mode = random.choice(MODES)
    for _ in range(random.choice((1, 1, 2))):
        weather.events.append((start, "order", (desk, to, key, mode)))
        start += random.uniform(0.1, 10)


def blips(weather: "Weather", random: Random, locations: list[str], calm: float) -> None:
    """A place that is silent to everybody for a while."""
    nodes = ["witness", "internet", *(f"{kind}.{n}" for n in locations for kind in ("arm", "bus"))]
    start = random.uniform(0, calm)
    end = min(calm, start + random.uniform(1, 60))
    spell(weather, start, end, "down", (random.choice(nodes),))


def no_post(weather: "Weather", random: Random, locations: list[str], calm: float) -> None:
    """A slip namespace is away for long, mostly that of the standby."""
    start, where = random.uniform(0, 30), random.choice((*locations, locations[1]))
    spell(weather, start, random.uniform(start, calm + 20), "down", (f"bus.{where}",))


def cuts(weather: "Weather", random: Random, locations: list[str], calm: float) -> None:
    """One direction between a location and anything else."""
    source = random.choice(locations)
    nodes = [*locations, "witness", "internet", *(f"arm.{n}" for n in locations)]
    start = random.uniform(0, calm)
    spell(weather, start, random.uniform(start, calm), "cut", (source, random.choice(nodes)))


def isolation(weather: "Weather", random: Random, locations: list[str], calm: float) -> None:
    """A location that reaches nothing but itself."""
    source = random.choice(locations)
    start = random.uniform(0, calm)
    end = random.uniform(start, calm)
    near = (source, f"arm.{source}", f"bus.{source}")
    far = ["witness", "internet", *locations, *(f"arm.{n}" for n in locations)]
    for node in far:
        if node not in near:
            spell(weather, start, end, "cut", (source, node))
    spell(weather, start, end, "cut", (source, f"arm.{source}"))


def kills(weather: "Weather", random: Random, locations: list[str], calm: float) -> None:
    """A process dies right after something it asked for took effect; its answer is lost."""
    for _ in range(random.randint(1, 3)):
        where = random.choice(locations)
        weather.kills.setdefault(where, []).append(random.randint(1, 200))


def strays(weather: "Weather", random: Random, locations: list[str], calm: float) -> None:
    """A request that enables or disables a workflow lands when nobody waits for it any more."""
    weather.strays.add(random.randint(1, 12))


def pauses(weather: "Weather", random: Random, locations: list[str], calm: float) -> None:
    """Somebody pauses the plan, and resumes it at the end."""
    spell(weather, random.uniform(0, calm), calm, "pause", ())


def words(weather: "Weather", random: Random, locations: list[str], calm: float) -> None:
    """People tell runs this and that, at the worst moments."""
    for _ in range(random.randint(1, 4)):
        told = (random.choice(locations), random.choice(WORDS))
        weather.events.append((random.uniform(0, calm), "say", told))


def approvals(weather: "Weather", random: Random, locations: list[str], calm: float) -> None:
    """Whoever is asked says yes or no, soon, late or never."""
    if weather.options["automation"] != "approval":
        return
    for _ in range(random.randint(0, 2)):
        said = random.choice(("approve", "approve", "decline"))
        start = random.uniform(30, calm + 30)
        weather.events.append((start, "say", (random.choice(locations), said)))


def homecoming(weather: "Weather", random: Random, locations: list[str], calm: float) -> None:
    """When all is well again somebody moves the plan once more, to wherever it is not, and back."""
    start = weather.calm_seconds + random.uniform(0.5, 6)
    for _ in range(random.choice((1, 2, 2, 3))):
        told = (random.choice(locations), None, None, random.choice(MODES))
        weather.events.append((start, "order", told))
        start += random.uniform(10, 30)


def calls(weather: "Weather", random: Random, locations: list[str], calm: float) -> None:
    """Somebody ends the quiet period."""
    weather.events.append((random.uniform(20, calm), "acknowledge", ()))


def fails_fast(weather: "Weather", random: Random, locations: list[str], calm: float) -> None:
    """The active region is lost and says so at once: a round of the watchdog then takes no time,
    so that now and then one ends, and a claim is asked for, just when the lease runs out."""
    start = random.uniform(1, 10)
    spell(weather, start, max(calm, start + 60), "fail", (locations[0],))
    weather.calm_seconds = max(calm, start + 60)


def no_slips(weather: "Weather", random: Random, locations: list[str], calm: float) -> None:
    """One direction between a location and a slip namespace, its own or the other one."""
    start = random.uniform(0, calm)
    whom = (random.choice(locations), f"bus.{random.choice(locations)}")
    spell(weather, start, random.uniform(start, calm), "cut", whom)


def pieces(weather: "Weather", random: Random, locations: list[str], calm: float) -> None:
    """A plan of few is done like one of thousands: chunk after chunk, and in blocks."""
    weather.copies, weather.alone = random.choice((2, 6)), random.choice((1, 50))
    weather.sizes = {"chunk": 2, "block": 4, "group": 6}


def lossy(weather: "Weather", random: Random, locations: list[str], calm: float) -> None:
    """Slips get lost; that shows when their run has stood still for long enough."""
    weather.lost, weather.request_minutes = 0.1, 0.25
    weather.stalled_minutes = min(weather.stalled_minutes, 2)


def spell(weather: "Weather", start: float, end: float, what: str, whom: tuple) -> None:
    weather.events += [(start, what, whom), (end, ENDS[what], whom)]


ENDS = {"lose": "recover", "fail": "recover", "cut": "heal", "down": "up", "pause": "resume"}
