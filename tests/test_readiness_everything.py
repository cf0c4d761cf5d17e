"""The estate with every kind: its readiness, where nothing fails that is as it should be, and in
time, and its dry run, which changes nothing.
"""

import copy
import json
import time
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from activities import desk_orders, readiness
from rehearsal.estate import DEFAULT
from shared import clients, dryrun
from shared.forecast_steps import HOLDS_DATA
from shared.kinds import KINDS
from tests.doors import HERE, THERE, Doors, made_doors
from tests.wire import check_exchanges

EVERYTHING = DEFAULT.parent / "everything.yaml"
SECONDS_MAX = 10.0  # At what every ARM call of the sample estate costs: a tenth of a second.
LATENCY_SECONDS = 0.1
# In a stage that has just opened nothing was backed up, mirrored or moved, and no gateway has its
# overlay.
YOUNG = {"backup", "overlay", "artifacts", "numbers"}


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """The estate with every kind behind its doors, at ARM's latency."""
    with (
        pytest.MonkeyPatch.context() as patient,
        made_doors(tmp_path_factory.mktemp("everything"), EVERYTHING) as made,
        made.led(),
    ):
        for bound in ("connection_timeout", "read_timeout"):  # The machine may be busy otherwise.
            patient.setitem(clients.HURRIED, bound, 30)
        made.world.latency_seconds = LATENCY_SECONDS
        well = json.dumps({"status": "healthy", "unclaimed": ["contoso"]})
        made.strangers.answers["func-contoso-ne.azurewebsites.net/api/health"] = (200, well)
        yield made


@pytest.fixture(scope="module")
def looked(doors: Doors) -> tuple[dict, float]:
    """(what was found, seconds) of one look at everything."""
    readiness.assess(doors.plan.document, HERE)  # Tokens and SDKs are fetched once.
    doors.fill_buckets()
    started = time.monotonic()
    return readiness.assess(doors.plan.document, HERE), time.monotonic() - started


def test_every_kind_is_in_the_estate(doors: Doors) -> None:
    assert {part.kind for part in doors.plan.components} == set(KINDS)


def test_the_whole_estate_is_looked_at_in_time(looked: tuple[dict, float]) -> None:
    assert looked[1] < SECONDS_MAX
    assert not [row for row in looked[0]["checks"] if "not seen within" in row["because"]]


def test_nothing_fails_in_an_estate_that_is_well(looked: tuple[dict, float]) -> None:
    failing = [row for row in looked[0]["checks"] if row["status"] == "fail"]
    assert not [row for row in failing if row["name"] not in YOUNG], failing


def test_each_kind_with_a_check_of_its_own_is_seen(doors: Doors, looked: tuple[dict, float]):
    own = {p.name for p in doors.plan.components if "check" in KINDS[p.kind]}
    assert own <= {row["component"] for row in looked[0]["checks"]}


def test_the_exchanges_are_those_of_azure(doors: Doors, looked: tuple[dict, float]) -> None:
    check_exchanges(doors.world.journal.after(0))


# What ARM takes by POST and only shows: secrets, addresses, what a template would do.
SHOWING = (
    "/listValue",
    "/listCallbackUrl",
    "/listKeyVaultKeys",
    "/config/appsettings/list",
    "/listWorkflowsConnections",
    "/whatIf",
)


class Dry(NamedTuple):
    """A dry run of everything: what it said, and what there was before and after it."""

    body: dict
    graceful: dict
    sent: list[dict]
    before: dict
    after: dict


def state(doors: Doors) -> dict:
    """Everything that the app could change: resources, blobs, slips, and what others were told."""
    names = {
        account: doors.storage.names(account, "understudy") for account in doors.storage.accounts
    }
    queue = doors.wire.run(doors.buses.counts("sb-contoso-ne", "slip-claim"))
    resources = {one.id: copy.deepcopy(one.body) for one in doors.world.resources}
    for body in resources.values():
        body.pop("syncedAt", None)  # The storage service's own copying goes on meanwhile.
    told = [one for one in doors.strangers.heard if one["method"] not in ("GET", "HEAD")]
    return {"resources": resources, "blobs": names, "slips": queue, "told": told}


@pytest.fixture(scope="module")
def dry(doors: Doors, looked: tuple[dict, float]) -> Dry:
    """Two dry runs, after a look: a first look keeps a copy of the plan that it has read."""
    doors.hold(run=None, active=THERE)
    before, mark = state(doors), doors.mark()
    body, graceful = ordered(doors, "forced"), ordered(doors, "graceful")
    return Dry(body, graceful, doors.world.journal.after(mark), before, state(doors))


def ordered(doors: Doors, mode: str) -> dict:
    """The answer to an order of a dry run."""
    doors.fill_buckets()  # A test asks faster than ARM's tokens come.
    text = json.dumps({"mode": mode, "reason": "rehearse", "dryRun": True}).encode()
    status, body, *_ = desk_orders.order_failover(doors.plan.name, text, None)
    assert status == 200, body
    return body


def test_a_dry_run_of_every_kind_sends_nothing_that_changes_anything(dry: Dry) -> None:
    rows = [(row["method"], urlsplit(row["url"]).path) for row in dry.sent]
    assert rows and not [
        (method, path)
        for method, path in rows
        if method not in ("GET", "HEAD") and not path.endswith(SHOWING)
    ]


@pytest.mark.parametrize("what", ["resources", "blobs", "slips", "told"])
def test_a_dry_run_of_every_kind_leaves_all_as_it_is(dry: Dry, what: str) -> None:
    assert dry.before[what] == dry.after[what]


def test_a_dry_run_says_of_all_that_holds_data_what_would_be_lost(dry: Dry) -> None:
    promoted = [row for row in dry.body["differences"] if row["verb"] == "promote"]
    rows = [row for row in promoted if row["kind"] in HOLDS_DATA]
    assert {row["kind"] for row in rows} == set(HOLDS_DATA)
    assert [row["component"] for row in rows if "rpoSeconds" not in row] == []
    told = dry.body["forecast"]
    unknown = [row["component"] for row in rows if row["rpoSeconds"] is None]
    assert (told["rpoSeconds"], told["meetsRpo"]) == (None, False)
    assert unknown and not [name for name in unknown if f"{name}: " not in told["rpoBecause"]]


@pytest.mark.parametrize("verb", dryrun.OWN_WORDS)
def test_a_dry_run_names_the_calls_of_every_kind_with_such_a_verb(dry: Dry, verb: str) -> None:
    """Of those that the fence does not show: who adds one to KINDS has its observer name them."""
    body = dry.graceful if verb == "transfer" else dry.body
    rows = [row for row in body["differences"] if row["verb"] == verb]
    kinds = {
        kind
        for kind, verbs in KINDS.items()
        if verb in verbs and (verb != "protect" or dryrun.own_protect(kind))
    }
    assert kinds and kinds == {row["kind"] for row in rows if row["calls"]}, rows
    assert not [row for row in rows if not row["calls"] and not told_in_words(row["would"])]


def told_in_words(would: str) -> bool:
    """Nothing is called, or there is a condition and a method."""
    return would == dryrun.SAME or (" if " in would and "POST " in would)


def test_a_dry_run_of_every_kind_says_what_each_would_do(dry: Dry) -> None:
    kinds = {kind for kind, verbs in KINDS.items() if "promote" in verbs}
    told = {row["kind"] for row in dry.body["differences"]}
    assert dry.body["calls"] and kinds <= told, kinds - told
