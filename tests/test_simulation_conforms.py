"""The simulation's models ask what the activities ask, and make of it what they make of it.

One script of what becomes of each request is played to both: the same requests in the same order,
and the same outcome, are what the model of an activity has to answer for.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities import witness as activity
from rehearsal.simulation import records
from rehearsal.simulation.world import Asking
from shared import resumption, runs, store, witness
from shared.blobs import Blob
from shared.record import fresh, stamp
from shared.reply import Surprise, Unreachable
from tests.papers import paper
from tests.sample_plan import PLAN as DOCUMENT

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
WEST, NORTH = "westeurope", "northeurope"
WITNESS = DOCUMENT["witness"]
# What becomes of a request. "taken": somebody else writes just before it; "unheard": it is done,
# and its answer is lost; "silent" and "broke": it is not done.
WORDS = ("well", "well", "well", "taken", "unheard", "silent", "broke")
scripts = st.lists(st.sampled_from(WORDS), max_size=14)


class Came(NamedTuple):
    """What came of an activity: how it ended, how often it asked, and what is there afterwards."""

    end: object
    asked: int
    left: object


class Fate:
    """The script, word after word; what is behind its end goes well."""

    def __init__(self, script: list[str]) -> None:
        self.words: Iterator[str] = chain(script, repeat("well"))
        self.asked = 0

    def meet(self, effect: Callable[[], object], taken: Callable[[], None]) -> object:
        """Do `effect` as the next word has it."""
        self.asked += 1
        word = next(self.words)
        if word == "silent":
            raise Unreachable("no answer")
        if word == "broke":
            raise Surprise("503")
        if word == "taken":
            taken()
        answer = effect()
        if word == "unheard":
            raise Unreachable("no answer")
        return answer


class Kept:
    """The witness's record, as the activity and as the model reach it."""

    def __init__(self, record: dict, fate: Fate) -> None:
        self.record, self.etag, self.fate = record, 0, fate
        self.claims: dict = {NORTH: None, WEST: None}
        self.watches: dict = {}
        self.apps: dict = {}
        self.plan, self.profile_location = SimpleNamespace(name="contoso"), NORTH
        self.endpoints: dict[str, bool] = {}
        self.server_time, self.judge = NOW, SimpleNamespace(wrote=lambda before, after: None)
        self.enabled: dict = {}
        self.random, self.calm = SimpleNamespace(choice=min), True
        self.empty_at: dict = {}
        self.judge.switched = lambda task, on, sent: None
        self.judge.pointed = lambda task, sent: None
        self._ticks = 0.0

    @property
    def now(self) -> float:
        self._ticks += 0.001  # Two things never happen at once.
        return self._ticks

    def taken(self) -> None:
        self.etag += 1

    def get(self, name: str) -> Blob:
        def read() -> object:
            return Blob(json.dumps(self.record).encode(), str(self.etag), NOW)

        return self.fate.meet(read, self.taken)  # type: ignore[return-value]

    def put(self, name: str, data: bytes, expect: str) -> str | None:
        def write() -> str | None:
            if str(self.etag) != expect:
                return None
            self.record, self.etag = json.loads(data), self.etag + 1
            return str(self.etag)

        return self.fate.meet(write, self.taken)  # type: ignore[return-value]


def drive(asking: Asking, kept: Kept) -> object:
    """Let a model ask, and give what it comes to."""
    news: object = None
    try:
        while True:
            ask = asking.throw(news) if isinstance(news, Exception) else asking.send(news)
            try:
                news = kept.fate.meet(ask.effect, kept.taken)
            except Surprise as trouble:
                news = trouble
    except StopIteration as end:
        return end.value


def told(outcome: dict) -> dict:
    """What orchestrators look at."""
    keys = ("status", "record", "waits", "stale", "serverTime")
    return {key: outcome[key] for key in keys if key in outcome}


def ended(work: Callable[[], object], shown: Callable[[dict], dict]) -> object:
    try:
        return shown(work())  # type: ignore[arg-type]
    except Surprise as surprise:
        return type(surprise).__name__


# --- The witness's record --------------------------------------------------------------------


def reserved(mode: str = "forced", by: str = "person", now: datetime = NOW) -> dict:
    return witness.reserve(fresh(DOCUMENT, now), slip(mode, by), now)


def slip(mode: str = "forced", by: str = "person", epoch: int | None = None) -> dict:
    return paper("r1", mode, by, source=WEST, target=NORTH, now=NOW, epoch=epoch)


def claimed() -> dict:
    return witness.claim(reserved(), slip(), NOW)


def cancelled() -> dict:
    return runs.hear(claimed(), "cancel", runs.Said("r1", "ada", "", NOW, "redirect", 30))


def left() -> dict:
    held = witness.advance(claimed(), slip(epoch=1), "fence", NOW - timedelta(minutes=5))
    return witness.halt(held, slip(epoch=1), "it broke", NOW - timedelta(minutes=5))


def leased() -> dict:
    return {**fresh(DOCUMENT, NOW), "holder": WEST, "leaseUntil": stamp(NOW + timedelta(minutes=1))}


RECORDS = [fresh(DOCUMENT, NOW), leased(), reserved(), reserved("graceful"), claimed()]
RECORDS += [cancelled(), left()]
RECORDS += [witness.advance(reserved("graceful"), slip("graceful"), "quiesce", NOW)]


def taken_up() -> dict:
    held = left()["unfinished"]
    return resumption.slip_of(held, "contoso", "0" * 64, 1)


PAYLOADS: dict[str, list[dict]] = {
    "reserve_run": [{"slip": slip()}, {"slip": slip(by="watchdog in ne"), "approvalMinutes": 5}],
    "claim_epoch": [{"slip": slip()}, {"slip": slip(by="watchdog in ne")}],
    "advance_run": [{"slip": slip(epoch=1), "phase": "fence"}],
    "release_lease": [{"slip": slip("graceful"), "proven": proven} for proven in (True, False)],
    "finish_run": [{"slip": slip(epoch=1), "quietMinutes": 30}],
    "halt_run": [{"slip": slip(epoch=1), "because": "it broke"}],
    "give_back": [{"slip": slip(epoch=1), "quietMinutes": 30}],
    "take_up_run": [{"slip": taken_up()}],
    "renew_lease": [{"location": place} for place in (WEST, NORTH)],
    "read_witness": [{}],
}
CASES = [(name, payload) for name, several in PAYLOADS.items() for payload in several]
TIMED = ("release_lease", "renew_lease", "read_witness")


def shown(name: str) -> Callable[[dict], dict]:
    """Who waits by storage's time is told it; the others' models leave it out."""

    def view(outcome: dict) -> dict:
        seen = told(outcome)
        timed = name in TIMED and "record" in seen
        return seen if timed else {k: v for k, v in seen.items() if k != "serverTime"}

    return view


def done(name: str, payload: dict, record: dict, script: list[str]) -> Came:
    """The activity itself."""
    kept = Kept(record, Fate(script))

    def note(plan: str, claim: dict) -> None:
        kept.claims[NORTH] = claim

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(activity, "Place", lambda *known: kept)
        patched.setattr(store, "write_claim", note)
        end = ended(lambda: getattr(activity, name)(payload), shown(name))
    return Came(end, kept.fate.asked, (kept.record, kept.claims))


def modelled(name: str, payload: dict, record: dict, script: list[str]) -> Came:
    """What the simulation takes for it."""
    kept, app = Kept(record, Fate(script)), SimpleNamespace(here=NORTH)
    model = getattr(records, name)
    end = ended(lambda: drive(model(kept, app, payload), kept), shown(name))
    return Came(end, kept.fate.asked, (kept.record, kept.claims))


@pytest.mark.parametrize(("name", "payload"), CASES)
@given(script=scripts, record=st.sampled_from(RECORDS))
@settings(deadline=None, max_examples=60)
def test_the_record_is_changed_as_the_activity_changes_it(
    name: str, payload: dict, record: dict, script: list[str]
):
    asked = {"plan": "contoso", "witness": WITNESS, **payload}
    assert modelled(name, asked, record, script) == done(name, asked, record, script)


# --- What is switched ------------------------------------------------------------------------
