"""The bench counts a promise as kept only when it was measured and reached."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import cost
from bench.__main__ import keep
from bench.figures import AT_LEAST, AT_MOST, FIGURES, Figure, Row, rows
from bench.probes import ProbeFailed, broken, last_json
from shared.plan import load

NUMBERS = st.floats(min_value=0, max_value=1e6, allow_nan=False)
BOUNDS = st.sampled_from([AT_LEAST, AT_MOST])


def test_what_was_not_measured_is_not_kept():
    assert [row.kept for row in rows({})] == [False] * len(FIGURES)


def test_a_probe_that_prints_no_json_fails():
    with pytest.raises(ProbeFailed, match="no JSON"):
        last_json("started\nstopped {\n")


def test_the_json_after_other_lines_is_found():
    assert last_json('warming up {1}\n{"sentPerSecond": 5000}\n') == {"sentPerSecond": 5000}


@given(NUMBERS, NUMBERS, BOUNDS)
def test_a_ratio_of_one_or_more_keeps_the_promise(measured: float, limit: float, bound: str):
    row = Row(Figure("x", "p", "k", bound, limit), measured)
    ratio = row.ratio
    assert ratio is not None
    assert row.kept == (ratio >= 1.0) or abs(measured - limit) < 1e-9 * max(measured, limit)


@given(NUMBERS)
def test_nothing_may_be_lost(lost: float):
    """A limit of zero has no ratio to scale: it is kept by zero alone."""
    assert Row(Figure("x", "p", "k", AT_MOST, 0), lost).kept == (lost == 0)


def test_what_other_probes_measured_earlier_stays(tmp_path: Path):
    file = tmp_path / "bench.json"
    keep(file, {"bus": {"roundTripP50Ms": 2}})
    keep(file, {"engine": {"fanOut1000Seconds": 1}})
    assert set(json.loads(file.read_text())["measured"]) == {"bus", "engine"}


def test_a_drill_that_could_not_run_has_kept_nothing():
    assert broken({"outcome": "error", "invariants": {}}) == ["told"]


def test_the_broken_invariants_of_a_report_are_named():
    report = {"outcome": "missed", "invariants": {"neverTwo": False, "noSlipLost": True}}
    assert broken(report) == ["neverTwo"]


def test_the_bill_in_the_documents_is_what_the_command_prints() -> None:
    text = (cost.ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
    shown = text.split("<!-- begin: python -m bench.cost -->")[1].split("<!-- end -->")[0]
    plan = load((cost.ROOT / "plans" / "contoso.yaml").read_text(encoding="utf-8"))
    assert shown.strip() == cost.page(plan)
