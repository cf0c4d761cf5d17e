"""The report keeps the Contract's shape, escapes what it shows, and draws what it was told."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal import drill_spans, report
from rehearsal.report_drawing import TICKS_MAX, drawing, parts_bar, ticks

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
CONTRACT = [
    *("scenario", "seed", "plan", "outcome", "outageAt", "detectedAt", "claimedAt"),
    *("activatedAt", "redirectedAt", "verifiedAt", "rtoSeconds", "rtoLowerBoundSeconds"),
    *("rpoSeconds", "epochs", "steps", "invariants", "slips"),
]


def at(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat()


def span(lane: str, first: float, last: float, kind: str, label: str) -> dict:
    return {"lane": lane, "from": at(first), "to": at(last), "kind": kind, "label": label}


def step(stage: str, component: str, verb: str, start: float, seconds: float, **more) -> dict:
    row = {"run": "contoso-2", "stage": stage, "component": component, "verb": verb}
    row |= {"location": "northeurope", "epoch": 2, "attempts": 1, "outcome": "succeeded"}
    row |= {"startedAt": at(start), "endedAt": at(start + seconds), "seconds": seconds}
    return row | {"because": ""} | more


def seen() -> dict:
    """What was watched: bars, marks and verdicts."""
    stages = [("claim", 61.5, 0.4), ("fence", 62, 5), ("promote", 67, 0.8), ("activate", 68, 3)]
    stages += [("redirect", 71, 0.6), ("verify", 72, 12), ("protect", 84, 0.2)]
    verdicts = [(0, "healthy"), (40, "suspect"), (60, "lost")]
    spans = [span("westeurope", 0, 31, "old", "active"), span("westeurope", 31, 90, "lost", "lost")]
    spans += [span("northeurope", 0, 61.5, "idle", "standby")]
    spans += [span("northeurope", 61.5, 90, "new", "active, epoch 2")]
    ends = [*(start for start, _ in verdicts[1:]), 90]
    spans += [span("verdict", s, e, v, v) for (s, v), e in zip(verdicts, ends, strict=True)]
    spans += [span("run", start, start + took, "run", name) for name, start, took in stages]
    spans += [span("client", 0, 31, "old", "answered by westeurope")]
    spans += [span("client", 31, 78, "failed", "not answered")]
    spans += [span("client", 78, 90, "new", "northeurope")]
    marks = [
        {"lane": "ARM writes", "at": at(68 + n / 9), "kind": "arm", "label": "POST enable"}
        for n in range(22)
    ]
    said = [
        {"at": at(s), "location": "northeurope", "state": v, "because": "2 kinds of observers"}
        for s, v in verdicts
    ]
    lanes = ["westeurope", "northeurope", "verdict", "run", "ARM writes", "client"]
    return {"spans": spans, "marks": marks, "verdicts": said, "lanes": lanes}


def sample() -> dict:
    return {
        "scenario": "region-outage",
        "seed": 7,
        "plan": "contoso",
        "outcome": "met",
        "because": "westeurope was lost and northeurope took over; the client was served again "
        "after 47 s.",
        "startedAt": at(0),
        "endedAt": at(90),
        "outageAt": at(31),
        "detectedAt": at(60),
        "claimedAt": at(61.6),
        "activatedAt": at(70.8),
        "redirectedAt": at(71.5),
        "verifiedAt": at(84),
        "rtoSeconds": 47.0,
        "rtoLowerBoundSeconds": 42.1,
        "rpoSeconds": 12.4,
        "objectives": {"rtoSeconds": 120, "rpoSeconds": 3600},
        "boundParts": [
            {"name": "detection", "seconds": 30.0, "because": "3 rounds of 10 s"},
            {"name": "ARM calls", "seconds": 2.1, "because": "21 calls, one after another"},
            {"name": "DNS", "seconds": 10.0, "because": "the profile's TTL"},
        ],
        "epochs": [1, 2],
        "steps": [
            step("fence", "stock-sync", "demote", 62, 5, outcome="refused", location="westeurope")
            | {"because": "no answer from westeurope"},
            step("activate", "stock-sync", "promote", 70.1, 0.31),
            step("redirect", "front", "promote", 71, 0.5, attempts=2),
        ],
        "invariants": {"noEffectTwice": True, "noSlipLost": True, "standbyServes": False},
        "reasons": {"noEffectTwice": "318 effects, each once", "standbyServes": "<b>silent</b>"},
        "slips": {"sent": 7, "completed": 7, "duplicates": 0, "poisoned": 0, "lost": 0},
        **seen(),
        "client": {
            "calls": 402,
            "failures": 17,
            "outages": [{"from": at(31), "to": at(78), "failed": 17}],
        },
        "events": [{"at": at(31), "lane": "world", "what": "westeurope is lost"}],
    }


def test_a_drill_that_could_not_run_still_has_every_key_of_the_contract(tmp_path: Path):
    report.write({"scenario": "region-outage", "because": "no Node"}, tmp_path)
    written = json.loads((tmp_path / "report.json").read_text())
    assert list(written)[: len(CONTRACT)] == CONTRACT
    assert written["outcome"] == "error"


def test_a_report_of_nothing_is_still_a_page():
    assert "could not run" in report.render(report.complete({}))


def test_what_the_app_said_is_escaped():
    page = report.render(report.complete(sample()))
    assert "&lt;b&gt;silent&lt;/b&gt;" in page
    assert "<b>silent" not in page


def test_the_page_asks_nobody_for_anything():
    page = report.render(report.complete(sample()))
    assert not any(word in page for word in ("http://", "https://", "<script", "@import", "url("))


def test_the_slips_have_the_keys_of_the_contract():
    assert set(report.complete({})["slips"]) == {
        "sent",
        "completed",
        "duplicates",
        "poisoned",
        "lost",
    }


def test_a_broken_invariant_is_named_in_words():
    assert "Standby serves" in report.render(report.complete(sample()))


def test_the_parts_of_the_bound_are_drawn_to_the_scale_of_the_rto():
    bar = parts_bar(sample())
    assert bar is not None
    total = sum(part["width"] for part in bar["parts"])
    assert abs(total / bar["rto"] - 42.1 / 47.0) < 0.01


def test_bars_stay_within_the_drawing():
    drawn = drawing(sample())
    assert drawn is not None
    ends = [bar["x"] + bar["width"] for lane in drawn["lanes"] for bar in lane["bars"]]
    assert max(ends) <= drawn["width"]


@given(
    first=st.floats(0, 1e6),
    length=st.floats(1, 20_000),
    share=st.floats(0, 1),
)
def test_ticks_are_few_and_within_the_drawing(first: float, length: float, share: float):
    made = ticks(first, first + length, first + share * length, 1000 / length)
    assert len(made) <= TICKS_MAX + 1


def test_work_that_was_cut_off_is_listed_with_what_is_offered():
    row = {"workflow": "nightly-invoices", "run": "0858", "startedAt": at(10), "status": "Running"}
    row |= {"now": "Failed", "offer": "resubmit", "orders": [], "because": ""}
    queue = {"queue": "orders", "active": 1234, "scheduled": 0, "deadLetter": 2, "because": "wait"}
    cut = {"location": "westeurope", "at": at(25), "ageSeconds": 36.5}
    page = report.render(
        report.complete({**sample(), "abandoned": {**cut, "abandoned": [row], "stranded": [queue]}})
    )
    shown = page.partition("Work that was cut off")[2].partition("<h2>")[0]
    wanted = ("36.5 s before", "nightly-invoices", "Failed", "resubmit", "1,234")
    assert [word for word in wanted if word not in shown] == []


def test_what_may_not_run_twice_is_listed_with_where_it_worked_and_for_how_long():
    row = {"component": "clearing", "kind": "batch", "bothSeconds": 2.5, "besideSeconds": 1.25}
    row |= {"seconds": {"westeurope": 31.5, "northeurope": 1234.0}, "nobodySeconds": 43.5}
    found = {"bothSeconds": 2.5, "nobodySeconds": 43.5, "periods": 0, "components": [row] * 61}
    found |= {"locations": ["westeurope", "northeurope"]}
    page = report.render(report.complete({**sample(), "exclusives": found}))
    shown = page.partition("What may not run twice")[2].partition("<h2>")[0]
    wanted = ("batch", "31.5 s", "1,234 s", "2.5 s", "1.2 s", "43.5 s", "and 1 more")
    assert [word for word in wanted if word not in shown] == []
    assert shown.count("clearing") == 60


@pytest.mark.parametrize("count", [0, 1, drill_spans.MARKS_MAX, 5009])
def test_the_marks_of_many_writes_are_thinned_over_all_of_the_time(count: int):
    rows = [{"n": number} for number in range(count)]
    kept = drill_spans.thinned(rows)
    assert len(kept) <= drill_spans.MARKS_MAX and kept[:1] == rows[:1]
    assert not rows or rows[-1]["n"] - kept[-1]["n"] < len(rows) / drill_spans.MARKS_MAX + 1
