"""The audit's chain: every transition once and in order, and no line changes unseen."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import audit
from shared.record import TRANSITIONS_MAX, fresh, noted
from tests.unhurried import UNHURRIED

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
PLAN = {"name": "contoso", "home": "westeurope"}
words = st.text(max_size=30)


def record(transitions: int, begun: datetime = NOW, record: dict | None = None) -> dict:
    """A record after so many transitions, the first of which made it."""
    held = record or fresh(PLAN, begun)
    while held["transitions"][-1]["n"] < transitions:
        n = held["transitions"][-1]["n"]
        held = noted(held, begun + timedelta(seconds=n), "ada", "paused", f"reason {n} \u00e9")
    return held


def written(*records: dict) -> list[dict]:
    """The lines after each of these states of a record was seen in turn."""
    lines: list[dict] = []
    for one in records:
        lines += audit.due(lines[-1] if lines else None, one["transitions"])
    return lines


def texts(lines: list[dict]) -> list[str]:
    return [audit.text(line) + "\n" for line in lines]


def followed(raws: list[str], head: str | None = None, count: int | None = None) -> audit.Chain:
    return audit.verify(((str(n), raw) for n, raw in enumerate(raws, 1)), head, count)


def broken(raws: list[str], head: str | None = None, count: int | None = None) -> str:
    with pytest.raises(audit.Broken) as found:
        followed(raws, head, count)
    return str(found.value)


SIX = texts(written(record(6)))


def test_a_changed_word_is_found_where_it_stands():
    assert broken([SIX[0], SIX[1].replace("ada", "eve"), *SIX[2:]]).startswith("2: changed")


def test_a_changed_line_with_a_hash_of_its_own_is_found_at_the_next():
    forged = json.loads(SIX[1])
    forged["who"] = "eve"
    forged["hash"] = audit.digest(forged)
    assert broken([SIX[0], audit.text(forged) + "\n", *SIX[2:]]).startswith("3: changed")


def test_a_line_that_says_the_same_in_another_spelling_is_found():
    assert broken([SIX[0].replace(",", ", ", 1), *SIX[1:]]).startswith("1: changed")


def test_a_missing_line_is_named():
    found = broken([*SIX[:2], *SIX[3:]])
    assert found == "3: missing: transitions 3 to 3 are not before it"


def test_the_first_line_cannot_be_left_out():
    assert broken(SIX[1:]).startswith("1: missing")


def test_a_line_that_comes_twice_is_out_of_order():
    assert broken([SIX[0], SIX[0], *SIX[1:]]).startswith("2: reordered")


def test_two_lines_that_changed_places_are_found():
    assert broken([SIX[0], SIX[2], SIX[1], *SIX[3:]]).startswith("2: missing")


def test_a_tail_that_is_gone_is_found_by_who_noted_how_many_there_were():
    head = json.loads(SIX[-1])["hash"]
    assert "6 lines were there, 5 are left" in broken(SIX[:5], head, 6)
    assert "no line has the hash" in broken(SIX[:5], head)


def test_half_a_line_is_truncated():
    assert broken([*SIX[:5], SIX[5][:40]]).startswith("6: truncated")


def test_an_audit_without_a_line_is_none():
    assert "not one line" in broken([])


def test_another_chain_of_the_same_length_is_not_the_one_that_was_noted():
    other = texts(written(record(6, NOW + timedelta(days=1))))
    assert broken(other, json.loads(SIX[2])["hash"], 3).startswith("3: changed")


def test_a_number_that_jumps_without_a_word_is_found():
    first = json.loads(SIX[0])
    jumped = {**json.loads(SIX[1]), "n": 5, "previous": first["hash"]}
    jumped["hash"] = audit.digest(jumped)
    assert "no line says why" in broken([SIX[0], audit.text(jumped) + "\n"])


def test_an_audit_that_has_grown_holds_for_who_noted_its_head_earlier():
    assert followed(SIX, json.loads(SIX[2])["hash"], 3).count == 6


def test_what_was_written_is_not_due_again():
    lines = written(record(6))
    assert audit.due(lines[-1], record(6)["transitions"]) == []


def test_a_record_that_is_older_than_the_tail_has_nothing_due():
    lines = written(record(6))
    assert audit.due(lines[-1], record(4)["transitions"]) == []


def test_transitions_that_were_forgotten_unwritten_are_told():
    late = record(TRANSITIONS_MAX + 20)
    lines = written(record(3), late)
    gap = lines[3]
    assert gap["what"] == "gap" and "transitions 4 to 20 were forgotten" in gap["why"]
    assert [line["n"] for line in lines[3:]] == list(range(20, TRANSITIONS_MAX + 21))


def test_an_audit_goes_on_after_a_gap():
    late = record(TRANSITIONS_MAX + 20)
    lines = written(record(3), late, record(TRANSITIONS_MAX + 22, record=late))
    assert followed(texts(lines)).n == TRANSITIONS_MAX + 22


def test_transitions_of_an_older_version_are_told_to_have_no_number():
    old = {k: v for k, v in fresh(PLAN, NOW)["transitions"][0].items() if k != "n"}
    held = noted({**fresh(PLAN, NOW), "transitions": [old, old]}, NOW, "ada", "paused", "")
    lines = written(held)
    assert lines[0]["what"] == "gap" and "2 transitions of an older version" in lines[0]["why"]
    assert followed(texts(lines)).n == 1


def test_a_record_that_was_made_anew_is_told():
    again = record(2, NOW + timedelta(days=1))
    lines = written(record(6), again)
    assert [line["what"] for line in lines[6:]] == ["anew", "created", "paused"]
    assert followed(texts(lines)).n == 2


def test_a_record_made_anew_that_has_outrun_the_old_one_is_told_too():
    lines = written(record(3), record(9, NOW + timedelta(days=1)))
    assert [line["n"] for line in lines] == [1, 2, 3, 0, *range(1, 10)]


def test_the_state_from_before_a_new_beginning_adds_nothing():
    old, again = record(6), record(2, NOW + timedelta(days=1))
    lines = written(old, again, old)
    assert len(lines) == 9


@UNHURRIED
@given(st.lists(st.integers(1, 120), min_size=1, max_size=12))
def test_every_transition_is_kept_once_and_in_order_whoever_writes(seen: list[int]):
    """Writers with older and newer states of one record come in any order."""
    lines = written(*(record(n) for n in seen))
    told = [line["n"] for line in lines if line["what"] != "gap"]
    assert told == sorted(set(told)) and told[-1] == max(seen)
    assert followed(texts(lines)).n == max(seen)


@UNHURRIED
@given(st.data())
def test_no_single_line_changes_goes_or_moves_unseen(data: st.DataObject):
    at = data.draw(st.integers(0, len(SIX) - 1))
    harm = data.draw(st.sampled_from(["change", "remove", "swap", "double"]))
    raws, head = list(SIX), json.loads(SIX[-1])["hash"]
    if harm == "change":
        line = json.loads(raws[at])
        key = data.draw(st.sampled_from(sorted(line)))
        line[key] = data.draw(st.integers() if isinstance(line[key], int) else words)
        if data.draw(st.booleans()):
            line["hash"] = audit.digest(line)
        raws[at] = audit.text(line) + "\n"
    elif harm == "remove":
        del raws[at]
    elif harm == "swap":
        other = data.draw(st.integers(0, len(SIX) - 1))
        raws[at], raws[other] = raws[other], raws[at]
    else:
        raws.insert(at, raws[at])
    if raws != SIX:
        assert broken(raws, head, len(SIX))


@UNHURRIED
@given(st.integers(0, sum(map(len, SIX)) - 1), st.integers(1, 255))
def test_no_single_byte_changes_unseen(at: int, by: int):
    whole = bytearray("".join(SIX).encode())
    whole[at] ^= by
    raws = bytes(whole).decode("latin-1").splitlines(keepends=True)
    assert broken(raws, json.loads(SIX[-1])["hash"], len(SIX))


def kept(folder: Path) -> list[str]:
    """Twelve lines in three files."""
    lines = texts(written(record(12)))
    for number in range(3):
        part = "".join(lines[number * 4 : number * 4 + 4])
        (folder / audit.file_name("contoso", number)).write_text(part)
    return sorted(str(path) for path in folder.iterdir())


def test_files_that_cannot_be_read_end_with_2(tmp_path: Path, capsys: pytest.CaptureFixture):
    assert audit.main(["verify", str(tmp_path / "none.jsonl")]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_a_broken_chain_ends_with_1_and_names_the_line(
    tmp_path: Path, capsys: pytest.CaptureFixture
):
    files = kept(tmp_path)
    second = tmp_path / "contoso.audit.1.jsonl"
    second.write_text(second.read_text().replace("reason 5", "reason 6"))
    assert audit.main(["verify", *files]) == 1
    assert "contoso.audit.1.jsonl:2: changed" in capsys.readouterr().out


def test_a_file_of_the_audit_that_is_missing_is_noticed(
    tmp_path: Path, capsys: pytest.CaptureFixture
):
    files = [name for name in kept(tmp_path) if not name.endswith("audit.1.jsonl")]
    assert audit.main(["verify", *files]) == 1
    assert "transitions 5 to 8" in capsys.readouterr().out


def test_files_are_verified_in_the_order_of_their_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture
):
    assert audit.main(["verify", *kept(tmp_path)]) == 0
    head = json.loads(texts(written(record(12)))[-1])["hash"]
    assert capsys.readouterr().out == f"the chain holds: --head {head} --count 12\n"
