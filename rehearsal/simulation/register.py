"""Register: what the witness's record may become, write by write, said in plain words.

Who may begin a run, claim, hand over, cancel and end, whatever `shared.witness` and `shared.runs`
make of it. The judge is one of these.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from rehearsal.simulation.evidence import Evidence
from rehearsal.simulation.missing import NOT_YET
from shared import maintenance, slip

if TYPE_CHECKING:
    from rehearsal.simulation.world import World

SLACK = timedelta(seconds=31)  # The worst clock that the weather hands out, and a little.
PHASES = ["requested", *slip.STAGES]
MARGIN = timedelta(seconds=2)  # Between the end of a lease and a claim that nobody forces.
PAUSED_MINUTES = 24 * 60
ENDS = ("finished", "halted", "cancelled", "declined", "expired")
PEOPLE = ("paused", "resumed", "acknowledged", "lifted")  # What is said of a plan, by whomever.


class Register:
    """Watches the record; `violations` are (property, what happened), `notes` count NOT_YET."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.document = world.plan.document
        self.violations: list[tuple[str, str]] = []
        self.notes: Counter[str] = Counter()
        self.runs: dict[str, str] = {}  # run -> how far it came: requested, claimed, ended how
        self.claims = 0
        self.baseless: dict[str, str] = {}  # run -> why its watchdog should not have asked
        self.closed: dict[str, str] = {}  # run -> the window in which its watchdog asked
        self.evidence = Evidence(self.document["watch"])
        self._point = PHASES.index(self.document["pointOfNoReturn"])

    def breach(self, name: str, *words: object) -> None:
        """A property does not hold."""
        text = " ".join(map(str, words))
        self.world.tell("NOT YET" if name in NOT_YET else "VIOLATION", name, text)
        if name in NOT_YET:
            self.notes[name] += 1
        else:
            self.violations.append((name, text))

    def wrote(self, before: dict, after: dict) -> None:
        """The record was changed."""
        grown = after["epoch"] - before["epoch"]
        if grown not in (0, 1) or (grown == 1) != (after["active"] != before["active"]):
            self.breach("epochs", before["epoch"], before["active"], "->", after["epoch"])
        if after["transitions"] is before["transitions"]:
            self._renewed(before, after)
            return
        last = before["transitions"][-1]["n"]
        news = [line for line in after["transitions"] if line["n"] > last]
        if [line["n"] for line in news] != list(range(last + 1, last + 1 + len(news))):
            self.breach("history", "transition", last, "is followed by", [x["n"] for x in news])
        for line in news:
            self._entered(before, after, line)
        if grown and not any(line["what"] in ("claimed", "cancelled") for line in news):
            self.breach("foreign", "epoch", after["epoch"], "begins, but nobody has claimed")

    def _entered(self, before: dict, after: dict, line: dict) -> None:
        who, what = line["who"], line["what"]
        self.world.tell("witness:", who, what, line["why"], "epoch", after["epoch"])
        known = [run["id"] for run in (before["run"], after["run"]) if run]
        if who not in known and what not in PEOPLE:
            self.breach("foreign", who, what, "while the record is of", known)
        if what in ENTRIES:
            ENTRIES[what](self, before, after, who)
        if what in ENDS:
            self._ended(before, who, what)

    def _renewed(self, before: dict, after: dict) -> None:
        """Nothing but a lease: nobody renews what he has given up."""
        run = before["run"]
        if not run or not run["released"] or run["cancel"]:
            return
        longer = (after["leaseUntil"] or "") > (before["leaseUntil"] or "")
        if longer and run["phase"] in ("requested", "quiesce") and self.in_progress(before):
            self.breach("released", after["holder"], "renews what", run["id"], "was given")

    def _requested(self, before: dict, after: dict, who: str) -> None:
        if who in self.runs:
            self.breach("twice", who, "is reserved again")
        self.runs[who] = "requested"
        if self.in_progress(before) and before["run"]["id"] != who:
            self.breach("one-run", before["run"]["id"], "is in progress, and", who, "is reserved")
        if before["paused"]:
            self.breach("paused", who, "is reserved while the plan is paused")
        if self.baseless.get(who):
            self.breach("evidence", who, self.baseless[who])
        if not after["run"]["by"].startswith("watchdog"):
            return
        if self.closed.get(who):
            self.breach("window", who, "is reserved, asked for in", self.closed[who])
        quiet = before["quietUntil"]
        if quiet and datetime.fromisoformat(quiet) > self.world.server_time + SLACK:
            self.breach("quiet", who, "is reserved in the quiet period until", quiet)
        asks = self.document["automation"] == "approval" and after["run"]["approval"]
        if self.document["automation"] != "automatic" and not asks:
            self.breach("automation", who, "is reserved, and nobody is asked")

    def window(self, at: datetime) -> str:
        """What holds every watchdog by storage's clock: people work on one of the two sides."""
        windows, lifted = self.document["maintenance"], self.world.record.get("liftedAt")
        held = maintenance.in_force(windows, lifted, at) if windows else None
        return f"maintenance until {held['until']}" if held else ""

    def _claimed(self, before: dict, after: dict, who: str) -> None:
        run, approval = before["run"], before["run"]["approval"]
        if self.runs.get(who) != "requested":
            self.breach("twice", who, "claims, but is", self.runs.get(who))
        self.runs[who] = "claimed"
        self.claims += 1
        if before["paused"] or run["paused"]:
            self.breach("pause-midway", who, "claims while it, or the plan, is paused")
        if run["cancel"]:
            self.breach("cancel", who, "claims, but it was cancelled")
        decided = datetime.fromisoformat(after["run"]["at"])
        if run["by"].startswith("watchdog") and (held := self.window(decided)):
            self.breach("window", who, "claims in", held)
        if approval and approval["state"] != "given":
            self.breach("approval", who, "claims, but its approval is", approval["state"])
        lease = before["leaseUntil"]
        live = lease and datetime.fromisoformat(lease) + MARGIN > self.world.server_time
        graceful = run["mode"] == "graceful"
        if graceful and not run["released"]:
            self.breach("released", who, "claims what was not released")
        if live and (graceful or (run["by"].startswith("watchdog") and not approval)):
            self.breach("over-lease", who, "claims, but the lease lives until", lease)

    def _approved(self, before: dict, after: dict, who: str) -> None:
        if before["run"]["approval"]["state"] != "wanted":
            self.breach("approval", who, "is approved, but its approval was not wanted")

    def _told_to_cancel(self, before: dict, after: dict, who: str) -> None:
        if PHASES.index(before["run"]["phase"]) >= self._point:
            self.breach("cancel", who, "is cancelled in", before["run"]["phase"])

    def _cancelled(self, before: dict, after: dict, who: str) -> None:
        run = before["run"]
        if after["active"] != run["from"] and after["epoch"] != before["epoch"]:
            self.breach("cancel", who, "is cancelled and gives the plan to", after["active"])

    def _switched(self, before: dict, after: dict, who: str) -> None:
        if before["run"]["mode"] != "graceful":
            self.breach("twice", who, "is switched to forced, and was")

    def _taken_up(self, before: dict, after: dict, who: str) -> None:
        if who in self.runs:
            self.breach("twice", who, "is taken up again")
        if after["run"]["to"] != after["active"]:
            self.breach("foreign", who, "is taken up, but it never claimed")
        self.runs[who] = "claimed"

    def _ended(self, before: dict, who: str, what: str) -> None:
        known = self.runs.get(who)
        if known in (*ENDS, "stranded"):
            self.breach("twice", who, what, "but it is", known)
        self.runs[who] = "stranded" if what == "halted" and known == "claimed" else what

    def in_progress(self, record: dict) -> bool:
        """Does a run hold the record? Said again here, with the bounds that the weather drew."""
        run, weather = record["run"], self.world.weather
        if run is None or run["phase"] == "protect":
            return False
        age = self.world.server_time - datetime.fromisoformat(run["at"])
        approval = run["approval"]
        drains = run["phase"] == "quiesce"
        minutes = min(20, weather.stalled_minutes) if drains else weather.stalled_minutes
        if run["paused"]:
            minutes = PAUSED_MINUTES
        elif run["phase"] == "requested":
            minutes = weather.request_minutes
            if approval and approval["state"] == "wanted":
                until = datetime.fromisoformat(approval["until"])
                return self.world.server_time < until + timedelta(minutes=minutes)
        return age < timedelta(minutes=minutes)


Entry = Callable[[Register, dict, dict, str], None]
ENTRIES: dict[str, Entry] = {
    "requested": Register._requested,
    "claimed": Register._claimed,
    "approved": Register._approved,
    "told to cancel": Register._told_to_cancel,
    "cancelled": Register._cancelled,
    "forced": Register._switched,
    "taken up": Register._taken_up,
}
