"""The search for planted secrets finds each of them, in every place that a drill leaves behind."""

import json
import logging
import re
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from rehearsal import estate as estates
from rehearsal.drill import Drill
from rehearsal.drill_secrets import PLANTED, judge, values
from rehearsal.host.durable.history import Row
from rehearsal.host.durable.store import Instance, Store
from rehearsal.host.logs import JsonLines
from rehearsal.servicebus import store as bus
from rehearsal.servicebus.amqp import described, encode
from rehearsal.servicebus.message import Message, parse
from tests.doors import Doors

SECRET = "planted-secret-of-fabrikam-1"
SIGNATURE = "https://prod-00.example/triggers?sig=AbCdEfGhIjKlMnOpQrStUvWx"
KEY = "Endpoint=sb://x/;SharedAccessKey=AbCdEfGhIjKlMnOpQrStUvWx="
EVERYTHING = estates.load(estates.DEFAULT.parent / "everything.yaml").estate
MARKERS = sorted(set(re.findall(r"planted-secret[\w-]*", json.dumps(EVERYTHING.model_dump()))))
ACCOUNT, CONTAINER = "stcontosone", "understudy"


@dataclass
class Left:
    """As much of a drill as is searched: what it left behind, and what came of the search."""

    folder: Path
    accounts: dict[str, dict[str, bytes]] = field(default_factory=dict)
    alerts: list[dict] = field(default_factory=list)
    checks: dict[str, tuple[bool, str]] = field(default_factory=dict)
    estate: estates.Estate = EVERYTHING

    @property
    def stage(self) -> SimpleNamespace:
        """What a stage shows of itself; its storage is this."""
        return SimpleNamespace(
            estate=self.estate, folder=self.folder, storage=self, alerts=self.alerts
        )

    def names(self, account: str, container: str) -> list[str]:
        return list(self.accounts[account])

    def read(self, account: str, container: str, blob: str) -> bytes:
        return self.accounts[account][blob]

    def check(self, name: str, held: bool, because: str) -> None:
        self.checks[name] = held, because

    def judged(self, report: dict | None = None) -> tuple[bool, str]:
        judge(cast(Drill, self), report or {})
        return self.checks["noSecretMoved"]


@pytest.fixture
def left(tmp_path: Path) -> Left:
    """What a drill leaves behind that has kept its secrets: some of everything."""
    found = Left(tmp_path, {ACCOUNT: {"watch/contoso.json": b"{}"}}, [{"title": "lost"}])
    lay_log(found, "nothing")
    lay_history(found, "nothing", "nothing")
    lay_slip(found, "nothing")
    return found


def lay_log(left: Left, words: str) -> None:
    """A line as the host writes it."""
    (left.folder / "logs").mkdir(exist_ok=True)
    record = logging.LogRecord("app", logging.INFO, "", 0, words, None, None)
    line = JsonLines().format(record)
    (left.folder / "logs" / "host-northeurope.log").write_text(line, encoding="utf-8")


def lay_history(left: Left, said: str, status: str) -> None:
    """An orchestration as the host keeps it."""
    at = "2026-01-05T08:00:00Z"
    store = Store(left.folder / "northeurope.db")
    own = Instance("run-1", 1, "x", "stage", None, "Running", at, at, custom_status=status)
    store.put_instance(own)
    store.put_rows("run-1", [Row(5, 1, json.dumps({"because": said}))])
    store.close()


def lay_slip(left: Left, words: str) -> None:
    """A message as a namespace keeps it."""
    raw = described(0x73, encode(["id"])) + described(0x75, encode(words.encode()))
    store = bus.Store(left.folder / "sb-contoso-ne.db")
    store.put("slip-claim", Message(1, raw, parse(raw), 0.0))
    store.commit()
    store.close()


def test_a_drill_that_kept_its_secrets_holds(left: Left) -> None:
    held, words = left.judged({"outcome": "met"})
    assert held and words.endswith("found in: none")


def test_an_estate_without_secrets_is_not_judged(left: Left) -> None:
    left.estate = estates.load().estate
    judge(cast(Drill, left), {"x": SECRET})
    assert left.checks == {}


def test_secrets_are_planted_wherever_an_estate_has_them() -> None:
    """A gateway's named value and keys, a connection's parameters, a site's settings, a run."""
    owners = {one.removeprefix("planted-secret-of-") for one in MARKERS}
    assert {"the-gateway", "fabrikam-1", "fabrikam-2", "the-connection"} <= owners
    assert {"the-site", "the-connection-string", "a-run"} <= owners


@pytest.mark.parametrize("secret", [*MARKERS, SIGNATURE, KEY])
def test_a_report_that_says_a_secret_is_named(left: Left, secret: str) -> None:
    held, words = left.judged({"steps": [{"because": secret}]})
    assert not held and words.endswith("found in: report")


def test_an_alert_that_says_a_secret_is_named(left: Left) -> None:
    left.alerts.append({"title": SECRET})
    held, words = left.judged()
    assert not held and words.endswith("found in: alerts")


def test_a_log_that_says_a_secret_is_named(left: Left) -> None:
    lay_log(left, f"called with {SECRET}")
    held, words = left.judged()
    assert not held and words.endswith("found in: host-northeurope.log")


def test_a_history_that_holds_a_secret_is_named(left: Left) -> None:
    lay_history(left, SECRET, "")
    held, words = left.judged()
    assert not held and words.endswith("found in: northeurope.db")


def test_a_custom_status_that_says_a_secret_is_named(left: Left) -> None:
    lay_history(left, "", SECRET)
    held, words = left.judged()
    assert not held and words.endswith("found in: northeurope.db")


def test_a_slip_that_carries_a_secret_is_named(left: Left) -> None:
    lay_slip(left, SECRET)
    held, words = left.judged()
    assert not held and words.endswith("found in: sb-contoso-ne.db")


def test_a_blob_that_holds_a_secret_is_named(left: Left, doors: Doors) -> None:
    doors.lay(ACCOUNT, CONTAINER, "ledger/contoso.json", SECRET.encode())
    left.accounts[ACCOUNT]["ledger/contoso.json"] = doors.storage.read(
        ACCOUNT, CONTAINER, "ledger/contoso.json"
    )
    doors.drop(ACCOUNT, CONTAINER, "ledger/contoso.json")
    held, words = left.judged()
    assert not held and words.endswith(f"found in: {ACCOUNT}/ledger/contoso.json")


def test_a_plan_is_its_owner_s_and_is_not_searched(left: Left) -> None:
    left.accounts[ACCOUNT]["plans/contoso.yaml"] = SECRET.encode()
    assert left.judged()[0]


def test_a_secret_that_the_file_cuts_in_two_is_found(left: Left) -> None:
    """SQLite spreads a long value over pages; the search reads it in one piece."""
    many = 4_000
    lay_history(left, PLANTED.decode() * many, "")
    path = left.folder / "northeurope.db"
    assert path.read_bytes().count(PLANTED) < many
    assert b"\n".join(values(path)).count(PLANTED) == many
