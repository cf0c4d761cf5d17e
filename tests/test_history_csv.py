"""History as CSV: what a spreadsheet opens, and carries nothing out of."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import history_csv
from tests.unhurried import UNHURRIED

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n@x", "|calc", "%0A"]


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("column", ["correlation", "because", "name"])
def test_a_cell_is_no_formula(formula: str, column: str) -> None:
    cells = read(history_csv.table([{column: formula}], []))[1]
    assert cells[history_csv.COLUMNS.index(column)] == f"'{formula}"


def test_a_warning_is_a_row_of_its_own() -> None:
    cells = read(history_csv.table([], ["westeurope: silent"]))[1]
    told = dict(zip(history_csv.COLUMNS, cells, strict=True))
    assert (told["kind"], told["because"]) == ("warning", "westeurope: silent")


@UNHURRIED
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=20), max_size=5))
def test_what_is_no_formula_is_read_as_it_was_written(words: list[str]) -> None:
    cells = read(history_csv.table([{"because": word} for word in words], []))[1:]
    shown = [row[-1] for row in cells]
    assert [one.removeprefix("'") for one in shown] == [one.removeprefix("'") for one in words]
    assert not any(one.lstrip().startswith(history_csv.FORMULA) for one in shown)
