"""Each fault that is planted in faulty.yaml makes its check worse than it was in an estate as after
its first drill, so that no check is said to find what was wrong before.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from activities import desk, readiness
from rehearsal import estate_faults, stage_storage
from rehearsal.estate import extended
from rehearsal.providers import integration_account
from shared import clients
from shared.record import fresh, noted
from shared.stale import keeper
from tests.doors import HERE, THERE, Doors, made_doors
from tests.patience import asked_until
from tests.test_readiness_faulty import ESTATE, FAULTY, TOGETHER

ROUNDS = 2  # Of the mirror: what needs another is copied in the next.
LOOKS_MAX = 3
CHILD = "contoso-reports"
PARTNERS = "prod-we.westeurope.logic.azure.com/integrationAccounts/ia-contoso-we"
STANDING = {"notReplicated"}  # What nobody can mend.
MAILBOX = ("mailbox-connection", "endpoint")  # A mailbox has no host that a connection shows.
HEALTH = "func-contoso-ne.azurewebsites.net/api/health"
Found = dict[tuple[str, str], set[tuple[str, str]]]  # (component, name) -> (status, because)


class Looks(NamedTuple):
    """What was not ok before the faults, and with them."""

    before: Found
    after: Found


@pytest.fixture(scope="module")
def looks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looks]:
    folder = tmp_path_factory.mktemp("planted")
    with (
        pytest.MonkeyPatch.context() as patient,
        made_doors(folder, without_faults(folder)) as doors,
        doors.led(),
    ):
        for bound, most in {"retry_total": 2, "connection_timeout": 30, "read_timeout": 30}.items():
            patient.setitem(clients.HURRIED, bound, most)  # The machine may be busy otherwise.
        settle(doors)
        before = look(doors)
        wrong = ESTATE.model_copy(update={"faults": TOGETHER})
        estate_faults.spoil(doors.world, wrong)
        stage_storage.lay_blobs(doors.storage, wrong, doors.world.now)
        yield Looks(before, look(doors))


def without_faults(folder: Path) -> Path:
    """The estate of faulty.yaml while nothing is wrong in it yet."""
    known = yaml.safe_load(extended(FAULTY))
    plan = (FAULTY.parent / known["plan"]).resolve()
    text = {**known, "plan": str(plan), "faults": []}
    path = folder / "settled.yaml"
    path.write_text(yaml.safe_dump(text), encoding="utf-8")
    return path


def settle(doors: Doors) -> None:
    """As after a first drill: moved there and back, backed up, partners mirrored, callers held."""
    vouched = json.dumps({"status": "healthy", "unclaimed": [doors.plan.name, CHILD]})
    doors.strangers.answers[HEALTH] = (200, vouched)
    profile = doors.plan.component("front", HERE)["resource"]
    for location, (status, seen) in {
        THERE: ("Enabled", "Online"),
        HERE: ("Disabled", "Disabled"),
    }.items():
        one = doors.world.resources.get(f"{profile}/externalEndpoints/{location}")
        assert one is not None
        one.properties.update(endpointStatus=status, endpointMonitorStatus=seen)
    mirror(doors)
    asked_until(lambda: doors.call("promote_gateway", doors.task("gateway", "promote")), "skipped")
    back_up(doors)
    now = datetime.now(UTC)
    for document in (doors.plan.document, desk.known_plan(CHILD)["plan"]):
        home = {**fresh(document, now), "epoch": 2, "active": THERE}
        held = json.dumps(noted(home, now, "run-2", "finished", "there and back"))
        doors.lay("stcontosowitness", "understudy", f"{document['name']}.json", held.encode())


def back_up(doors: Doors) -> None:
    """The backup that is old in faulty.yaml, made and proven just now."""
    (old,) = (one for one in ESTATE.faults if one.finds == "backup")
    now = doors.world.now.isoformat()
    made = {**old.body, "startedAt": now, "completedAt": now, "provenAt": now}
    account, container, name = old.blob.split("/", 2)
    doors.lay(account, container, name, json.dumps(made).encode())


def mirror(doors: Doors) -> None:
    """The standby's mirror has copied what home's account has."""
    part = doors.plan.component("partners", HERE)
    part["other"] = doors.plan.component("partners", THERE)
    for path in ("schemas/order-850", "maps/order-to-850"):
        row = doors.world.resources.get(f"{part['other']['resource']}/{path}")
        assert row is not None
        text = integration_account.content(row).decode()
        doors.strangers.answers[f"{PARTNERS}/{path}/contents"] = (200, text)
    told = {"run": keeper(doors.plan.name, "ledger", HERE), "stage": "ledger", "epoch": 0}
    task = {**doors.task("partners", "mirror"), **told, "component": part}
    doors.hold(epoch=0, active=THERE, run=None)
    for _ in range(ROUNDS):
        assert doors.call("mirror_account", task)["stuck"] == []


def look(doors: Doors) -> Found:
    found: Found = {}
    for row in assessed(doors):
        if row["status"] != "ok":
            rows = found.setdefault((row["component"], row["name"]), set())
            rows.add((row["status"], row["because"]))
    return found


def assessed(doors: Doors) -> list[dict]:
    """Every check. The active side is not waited for long: on a busy machine it is asked again."""
    rows: list[dict] = []
    for _ in range(LOOKS_MAX):
        doors.fill_buckets()  # What was planted and settled has been paid for with the same tokens.
        rows = readiness.assess(doors.plan.document, HERE, seconds=30)["checks"]
        if not any("cannot be compared" in row["because"] for row in rows):
            break
    return rows


def test_an_estate_as_after_a_drill_has_nothing_that_hides_a_fault(looks: Looks) -> None:
    wrong = {key for key in looks.before if key[1] not in STANDING}
    assert wrong - {MAILBOX} == set(), looks.before


@pytest.mark.parametrize("fault", TOGETHER, ids=lambda one: one.name)
def test_a_planted_fault_makes_its_check_worse(looks: Looks, fault) -> None:
    worse = [
        rows - looks.before.get(key, set())
        for key, rows in looks.after.items()
        if key[1] == fault.finds and (not fault.component or key[0] == fault.component)
    ]
    assert any(worse), {key: looks.after[key] for key in looks.after if key[0] == fault.component}
