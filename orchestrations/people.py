"""People: tell them, and wait for what they say to a run.

What was said stands in the witness record. An external event only ends a wait at once; who misses
it finds the record at the next look, so that nobody has to be heard twice.
"""

from datetime import datetime, timedelta
from typing import cast

from azure.durable_functions import DurableOrchestrationContext
from azure.durable_functions.models.Task import TimerTask

from orchestrations import Flow
from orchestrations.steps import attempt
from shared import pace, stale, witness
from shared.outcome import refused

LOOK_LEAST_SECONDS = 10.0
LOOK_SHARE = 0.1
LOOK_MOST = timedelta(minutes=15)
LOOKS_MAX = 500  # A day has about 160; each of them replays all before it.
REMIND_FIRST = timedelta(minutes=15)
HEED_EVERY = timedelta(seconds=5)  # A stage that is done sooner asks nobody.
WHO = "with the master key or the role Understudy.Operate"
# What the run waits for -> the title of the page, and the words that help.
ASKS = {
    "approval": ("approval wanted", ("approve", "decline")),
    "paused": ("run paused", ("resume", "cancel")),
}


def page(context: DurableOrchestrationContext, paper: dict, title: str, because: str) -> Flow:
    """Alert about a run, once, whether or not anybody hears."""
    payload = {"plan": paper["plan"], "run": paper["run"], "title": title, "because": because}
    yield from attempt(context, "alert", payload, attempts_max=1)


def wait(context: DurableOrchestrationContext, known: dict, paper: dict, held: dict) -> Flow:
    """Wait while people hold the run; None once it may be tried again, or why it may not be.

    `known`: {"plan", "witness"}, what `read_witness` is asked. `held`: the refusal with `waits` and
    `record`. A run that nobody approved in time is ended at the witness here: to be held is the
    default. A pause is bounded by a day.
    """
    started = context.current_utc_datetime
    reminded = timedelta(0) if held["waits"] == "approval" else REMIND_FIRST
    for _ in range(LOOKS_MAX):
        until, waited = bound(held), context.current_utc_datetime - started
        if waited >= reminded:
            yield from remind(context, paper, held, until)
            reminded = max(2 * reminded, REMIND_FIRST)
        yield from nap(context, paper, held, until, waited)
        seen = yield from read(context, known)
        if seen is None:
            continue
        stop = hindrance(seen["record"], paper)
        if stop is None or not stop.get("waits"):
            return None
        held = {**stop, "record": seen["record"]}
        if seen["now"] >= bound(held):
            return (yield from lapse(context, known, paper, held))
    return {**held, "waits": ""}


def lapse(context: DurableOrchestrationContext, known: dict, paper: dict, held: dict) -> Flow:
    """Nobody said anything in time."""
    until = bound(held).isoformat()
    if held["waits"] != "approval":
        return {**refused(f"paused until {until}, and nobody resumed it"), "record": held["record"]}
    because = f"nobody approved it until {until}: nothing is moved"
    payload = {"slip": paper, "witness": known["witness"], "because": because}
    yield from attempt(context, "halt_run", {**payload, "end": "expired"})
    return None


def bound(held: dict) -> datetime:
    """Until when this wait lasts, by the witness's clock."""
    run = held["record"]["run"]
    if held["waits"] == "approval":
        return datetime.fromisoformat(run["approval"]["until"])
    return datetime.fromisoformat(run["at"]) + timedelta(minutes=witness.minutes_of(run))


def remind(context: DurableOrchestrationContext, paper: dict, held: dict, until: datetime) -> Flow:
    title, words = ASKS[held["waits"]]
    how = " or ".join(f"/api/runs/{paper['run']}/{word}" for word in words)
    because = f"{paper['reason']}; {held['because']}; POST {how} {WHO} until {until.isoformat()}"
    where = f"{paper['plan']} {paper['from']} -> {paper['to']} at {paper['stage']}"
    yield from page(context, paper, f"{title}: {where}", because)


def nap(
    context: DurableOrchestrationContext,
    paper: dict,
    held: dict,
    until: datetime,
    waited: timedelta,
) -> Flow:
    """Sleep until the next look or until somebody is heard; its name is this wait's alone."""
    now = context.current_utc_datetime
    name = f"decided.{now:%Y%m%dT%H%M%S%f}"
    seconds = pace.pause_seconds(waited.total_seconds(), LOOK_LEAST_SECONDS, LOOK_SHARE)
    due = now + min(timedelta(seconds=seconds), LOOK_MOST)
    heard = context.wait_for_external_event(name)
    due = min(due, max(until, now + timedelta(seconds=1)))
    timer = cast(TimerTask, context.create_timer(due))
    context.set_custom_status(
        {
            "stage": paper["stage"],
            "waitsFor": name,
            "because": held["because"],
            "until": until.isoformat(),
        }
    )
    first = yield context.task_any([heard, timer])
    if first is heard and not timer.is_completed:
        timer.cancel()
    context.set_custom_status({"stage": paper["stage"], "waitsFor": None})


def read(context: DurableOrchestrationContext, known: dict) -> Flow:
    """{"record", "now": the witness's time}, or None while the witness is silent."""
    seen = yield from attempt(context, "read_witness", known, attempts_max=1)
    if seen["status"] != "succeeded":
        return None
    there = seen.get("serverTime")
    now = datetime.fromisoformat(there) if there else context.current_utc_datetime
    return {"record": seen["record"], "now": now}


def hindrance(record: dict, paper: dict) -> dict | None:
    """What holds the run of this slip; None also when it is no longer the one in progress."""
    run = record["run"]
    return witness.hindered(record) if run and run["id"] == paper["run"] else None


class Ear:
    """Hears now and then, between two chunks of a long stage, what people say to its run.

    `known`: it has "plan" and "witness", of which `read_witness` is asked. Nobody's word ends what
    keepers do, who have no run, nor an undo, which a word has begun; a silent witness would only
    keep them waiting. So they are `deaf`, and so is who is told to be.
    """

    def __init__(
        self, context: DurableOrchestrationContext, known: dict, paper: dict, deaf: bool = False
    ) -> None:
        self.known = {key: known[key] for key in ("plan", "witness")}
        self.deaf = deaf or paper["stage"] == "undo" or stale.kept({**paper, "plan": known["plan"]})
        self.context, self.paper = context, paper
        self.heard_at = context.current_utc_datetime
        self.stop = ""

    def listen(self) -> None:
        """Ask at the next occasion, however lately that was done."""
        self.heard_at -= HEED_EVERY

    def held(self) -> Flow:
        """What holds the run, with its `record`; None where nothing does, or as it was just now."""
        now = self.context.current_utc_datetime
        if self.deaf or now - self.heard_at < HEED_EVERY:
            return None
        self.heard_at = now
        seen = yield from read(self.context, self.known)
        held = hindrance(seen["record"], self.paper) if seen else None
        return {**held, "record": seen["record"]} if seen and held else None

    def heed(self) -> Flow:
        """Wait while the run is paused; why the rest is not to be done, or nothing."""
        if self.stop:
            return self.stop
        held = yield from self.held()
        if held and held.get("waits"):
            lapsed = yield from wait(self.context, self.known, self.paper, held)
            self.listen()
            held = lapsed or (yield from self.held())
        self.heard_at = self.context.current_utc_datetime
        self.stop = held["because"] if held else ""
        return self.stop
