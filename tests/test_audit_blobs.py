"""The audit at the wire: append blobs in Azurite, two writers, full blobs, and a silent storage."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from activities import audit as writing
from activities import audit_desk
from shared import audit, audit_reading, clients
from shared.append_blobs import Growing
from shared.problem import Problem
from shared.record import fresh, noted, stamp
from shared.reply import Surprise
from tests.doors import Doors
from tests.patience import silent

WITNESS = "stcontosowitness"
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
PLAN = {"name": "contoso", "home": "westeurope"}


@pytest.fixture(autouse=True)
def no_audit(doors: Doors) -> Iterator[None]:
    """Every test begins and ends without an audit, and with nothing read of one."""
    clean(doors)
    yield
    clean(doors)


def clean(doors: Doors) -> None:
    audit_reading._READERS.clear()
    for name in doors.storage.names(WITNESS, "understudy"):
        if audit.numbered(name) is not None or name == "contoso.json":
            doors.drop(WITNESS, "understudy", name)


def record(transitions: int) -> dict:
    held = fresh(PLAN, NOW)
    for n in range(1, transitions):
        held = noted(held, NOW + timedelta(seconds=n), "ada", "paused", f"reason {n}")
    return held


def keep(doors: Doors, held: dict) -> dict:
    told = {"plan": "contoso", "witness": doors.plan.document["witness"]}
    return doors.call("keep_audit", {**told, "transitions": held["transitions"]})


def place() -> Growing:
    return Growing("https://stcontosowitness.blob.core.windows.net", "understudy")


def raw(number: int = 0) -> str:
    return place().part(audit.file_name("contoso", number), 0, 1 << 20).decode()


def chain(*blobs: int) -> audit.Chain:
    lines = [line for number in blobs or (0,) for line in raw(number).splitlines(keepends=True)]
    return audit.verify((("", line) for line in lines), None, None)


def lay_record(doors: Doors, held: dict) -> None:
    doors.lay(WITNESS, "understudy", "contoso.json", json.dumps(held).encode())


def page(after: str | None = None) -> dict:
    status, body = audit_desk.lines_after("contoso", after)
    assert status == 200
    return body


def test_a_witness_that_is_silent_is_refused_soon_and_not_raised(doors: Doors) -> None:
    with silent(doors, "swedencentral", seconds=3 * writing.SECONDS_MAX):
        assert "audit" in keep(doors, record(3))["because"]


def test_an_end_that_is_no_line_is_not_built_upon(doors: Doors) -> None:
    place().begin("contoso.audit.jsonl")
    place().append("contoso.audit.jsonl", b"not a line\n", at=0)
    assert "does not end in a line" in keep(doors, record(3))["because"]
    assert raw() == "not a line\n"


def test_a_writer_that_read_an_older_end_is_told(doors: Doors) -> None:
    place().begin("contoso.audit.jsonl")
    assert place().append("contoso.audit.jsonl", b"one\n", at=0)
    assert not place().append("contoso.audit.jsonl", b"two\n", at=0)


def test_beginning_a_blob_twice_loses_nothing(doors: Doors) -> None:
    keep(doors, record(3))
    place().begin("contoso.audit.jsonl")
    assert chain().count == 3


def test_what_is_there_is_not_written_again(doors: Doors) -> None:
    keep(doors, record(6))
    assert keep(doors, record(6))["lines"] == 0
    assert keep(doors, record(4))["lines"] == 0
    assert chain().count == 6


def test_a_writer_overtaken_between_its_look_and_its_word_looks_again(doors: Doors) -> None:
    class Overtaken(Growing):
        """Somebody else appends just before the first word of this one."""

        def append(self, name: str, data: bytes, at: int) -> bool:
            if not ahead:
                ahead.append(keep(doors, record(4)))
            return super().append(name, data, at)

    ahead: list[dict] = []
    mine = Overtaken(place().account_uri, place().container)
    assert writing.caught_up(mine, "contoso", record(7)["transitions"]) == 3
    assert chain().n == chain().count == 7


def test_a_full_blob_is_followed_by_the_next_and_the_chain_goes_on(doors: Doors) -> None:
    for n in range(1, 8):
        writing.caught_up(place(), "contoso", record(n)["transitions"], full=3)
    assert [raw(number).count("\n") for number in range(3)] == [3, 3, 1]
    assert chain(0, 1, 2).count == 7


def test_a_blob_that_was_begun_by_somebody_who_died_is_gone_on_with(doors: Doors) -> None:
    for n in range(1, 4):
        writing.caught_up(place(), "contoso", record(n)["transitions"], full=3)
    place().begin("contoso.audit.1.jsonl")
    writing.caught_up(place(), "contoso", record(5)["transitions"], full=3)
    assert raw(1).count("\n") == 2 and chain(0, 1).count == 5


def test_an_audit_nobody_wrote_yet_has_no_lines(doors: Doors) -> None:
    shown = page()
    assert (shown["count"], shown["verified"], shown["lines"]) == (0, None, [])


def test_a_cursor_that_is_no_number_is_400(doors: Doors) -> None:
    with pytest.raises(Problem) as no:
        page("-1")
    assert no.value.body["status"] == 400


def test_lines_are_shown_a_page_at_a_time(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_reading, "LINES_MAX", 4)
    lay_record(doors, record(10))
    keep(doors, record(10))
    shown, numbers, after = page(), [], None
    for _ in range(4):
        shown = page(after)
        numbers += [line["n"] for line in shown["lines"]]
        after = str(shown["next"])
        if shown["next"] is None:
            break
    assert numbers == list(range(1, 11)) and shown["verified"] is True


def test_lines_of_several_blobs_and_chunks_are_all_shown(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_reading, "CHUNK_BYTES", 1000)
    for n in range(1, 13):
        writing.caught_up(place(), "contoso", record(n)["transitions"], full=5)
        if n % 4 == 0:
            page()
    lay_record(doors, record(12))
    numbers: list[int] = []
    for _ in range(12):
        numbers += [line["n"] for line in page(str(len(numbers)))["lines"]]
    assert numbers == list(range(1, 13))


def test_a_line_that_was_changed_in_storage_is_found(doors: Doors) -> None:
    lay_record(doors, record(6))
    keep(doors, record(6))
    changed = raw().replace("reason 3", "reason 4")
    doors.drop(WITNESS, "understudy", "contoso.audit.jsonl")
    place().begin("contoso.audit.jsonl")
    place().append("contoso.audit.jsonl", changed.encode(), at=0)
    shown = page()
    assert shown["verified"] is False and "after line 3: changed" in shown["because"]


def test_a_tail_that_disappears_is_noticed_by_who_has_read_it(doors: Doors) -> None:
    lay_record(doors, record(6))
    keep(doors, record(6))
    page()
    shorter = "".join(raw().splitlines(keepends=True)[:4])
    doors.drop(WITNESS, "understudy", "contoso.audit.jsonl")
    place().begin("contoso.audit.jsonl")
    place().append("contoso.audit.jsonl", shorter.encode(), at=0)
    assert [page()["verified"] for _ in range(2)] == [False, False]


def test_an_end_about_another_record_is_not_verified(doors: Doors) -> None:
    keep(doors, record(6))
    other = {**record(6), "transitions": record(6)["transitions"][:-1]}
    at = NOW + timedelta(days=1)
    lay_record(doors, noted(other, at, "eve", "resumed", stamp(at)))
    assert page()["verified"] is False


def test_lines_that_are_still_to_be_written_are_counted(doors: Doors) -> None:
    keep(doors, record(6))
    lay_record(doors, record(8))
    shown = page()
    assert (shown["verified"], shown["because"]) == (True, "2 lines are still to be written")


def test_a_storage_that_is_silent_is_a_surprise_to_who_reads(doors: Doors) -> None:
    doors.world.lose("swedencentral")
    clients.forget()  # What is open already is cut a moment later.
    with pytest.raises(Surprise):
        audit_reading.summary(doors.plan.document, None)
