"""The ledger's activities at the wire: what is looked at, what is kept, and what is sent once."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from rehearsal.runtimes import IdleWorkflows
from rehearsal.workflows import Workflows
from rehearsal.world import Resource
from shared import guard, ledger, ledger_orders, ledger_store
from tests.doors import HERE, THERE, Doors

STORE, WITNESS = "stcontosone", "stcontosowitness"
WORKFLOW, SECONDS = "orders-worker", 600
EPOCH = 0
SAID = {"by": "Ada", "comment": ""}


@pytest.fixture(autouse=True)
def fresh(doors: Doors) -> Iterator[None]:
    """Every test finds no ledger, and a witness that says that home is active."""
    for name in doors.storage.names(STORE, "understudy"):
        if name.startswith("ledger/"):
            doors.drop(STORE, "understudy", name)
    doors.drop(WITNESS, "understudy", "contoso.json")
    doors.world.buses = doors.buses
    guard.forget()
    yield
    doors.drop(WITNESS, "understudy", "contoso.json")


@pytest.fixture
def running(doors: Doors) -> Iterator[Workflows]:
    """Logic Apps at work; what a test starts takes ten minutes."""
    runtime = Workflows(doors.world)
    doors.world.workflows = runtime
    yield runtime
    doors.wire.run(runtime.stop())
    doors.world.workflows = IdleWorkflows()


def workflow(doors: Doors, name: str = WORKFLOW) -> Resource:
    found = doors.world.resources.get(doors.plan.component(name, THERE)["resource"])
    assert found is not None
    return found


def begin(doors: Doors, running: Workflows, name: str = WORKFLOW) -> str:
    """Start a run on the active side; gives its name."""
    found = workflow(doors, name)
    found.body["tags"] = {"rehearsal-run-seconds": str(SECONDS)}

    async def start() -> str:
        flow = running.flow(found)
        return flow.begin(flow.triggers[0], f"{name}:1").name

    return doors.wire.run(start())


def look(doors: Doors, **more: object) -> dict:
    """Look at the one workflow at which most of this is tried."""
    names = [part.name for part in doors.plan.components if part.kind == "logicWorkflow"]
    told = {"plan": "contoso", "epoch": EPOCH, "location": THERE}
    one = {"cursor": names.index(WORKFLOW), "most": 1}
    return doors.call("keep_ledger", {**told, **one, **more})


def freeze(doors: Doors, *claims: dict) -> dict:
    """Let the next epoch begin, claimed by a run to here; nobody remembers which, but for these."""
    told = {"plan": "contoso", "epoch": EPOCH + 1, "active": HERE, "claims": list(claims)}
    return doors.call("freeze_ledger", told)


def review(doors: Doors) -> dict:
    return doors.call("review_ledger", {"plan": "contoso", "epoch": EPOCH})


def kept(epoch: int | None = EPOCH) -> dict:
    found = ledger_store.read("contoso", epoch)
    assert found is not None
    return found


def end(doors: Doors, running: Workflows, name: str, status: str = "Failed") -> None:
    """What the region's return makes of a run that it cut off."""

    async def over() -> None:
        flow = running.flow(workflow(doors))
        run = next(run for run in flow.runs if run.name == name)
        flow.abandon()
        run.end(status, doors.world.now)

    doors.wire.run(over())


def cut_off(doors: Doors, running: Workflows) -> str:
    """A run that was in flight when its epoch ended, and that has failed; gives its name."""
    name = begin(doors, running)
    assert look(doors)["status"] == "succeeded"
    freeze(doors)
    end(doors, running, name)
    review(doors)
    return name


def order(word: str = "resubmit") -> dict:
    answers: list[dict] = []

    def entered(was: dict) -> dict:
        changed, answer = ledger_orders.ordered(was, word, None, {}, SAID, datetime.now(UTC))
        answers.append(answer)
        return changed

    ledger_store.change("contoso", entered, epoch=EPOCH)
    return answers[0]


def settle(doors: Doors, **more: object) -> dict:
    task = {
        "plan": "contoso",
        "run": f"contoso-ledger-{HERE}",
        "stage": "ledger",
        "verb": "settle",
        "location": HERE,
        "epoch": EPOCH,
        "witness": doors.plan.document["witness"],
        "of": EPOCH,
    }
    return doors.call("settle_orders", {**task, **more})


def witnessed(doors: Doors) -> None:
    """The witness has its record."""
    asked = {"plan": "contoso", "witness": doors.plan.document["witness"]}
    assert doors.call("read_witness", asked)["status"] == "succeeded"


def requests(doors: Doors, since: int, word: str) -> int:
    return sum(word in url for url in doors.sent(since, "POST"))


def states() -> list[str]:
    return [one["state"] for one in kept()["orders"].values()]


# --- Looking -------------------------------------------------------------------------------------


def test_a_lost_region_leaves_the_last_look_as_it_was(doors: Doors, running: Workflows):
    name = begin(doors, running)
    assert look(doors)["status"] == "succeeded"
    before = kept(None)
    doors.world.lose(THERE)
    assert look(doors)["status"] == "refused"
    assert [row["run"] for row in kept(None)["runs"]] == [name]
    assert (kept(None)["at"], bool(kept(None)["silent"])) == (before["at"], True)


def test_a_busy_arm_is_no_empty_region(doors: Doors, running: Workflows):
    begin(doors, running)
    look(doors)
    doors.world.faults.add({"match": {"path": "/runs"}, "effect": {"status": 429}, "times": 5})
    assert look(doors)["status"] == "refused"
    assert len(kept(None)["runs"]) == 1


def test_a_look_of_another_epoch_is_refused(doors: Doors, running: Workflows):
    look(doors)
    assert look(doors, epoch=EPOCH + 1)["status"] == "refused"
    assert kept(None)["epoch"] == EPOCH


def test_a_run_in_flight_is_kept_with_its_trigger_and_its_tracking_id(
    doors: Doors, running: Workflows
):
    name = begin(doors, running)
    look(doors)
    row = kept(None)["runs"][0]
    wanted = {"workflow": WORKFLOW, "run": name, "trigger": "when_an_order_arrives"}
    assert {key: row[key] for key in wanted} == wanted
    assert row["tracking"] == name


def test_a_sweep_goes_on_where_it_stopped(doors: Doors, running: Workflows):
    count = sum(part.kind == "logicWorkflow" for part in doors.plan.components)
    first = look(doors, cursor=0, most=count - 1)
    assert first["cursor"] == count - 1
    assert look(doors, cursor=first["cursor"], most=20)["cursor"] == 0


def test_queues_are_counted_by_the_broker_s_own_depth(doors: Doors):
    namespace = next(one["namespace"] for one in doors.plan.queues(THERE))
    look(doors)
    told = {"plan": "contoso", "epoch": EPOCH, "location": THERE}
    assert doors.call("count_queues", told)["status"] == "succeeded"
    rows = {row["queue"]: row for row in kept(None)["queues"]}
    assert rows["orders"]["namespace"] == namespace
    assert (rows["orders"]["location"], rows["orders"]["active"]) == ("swedencentral", 0)


# --- Afterwards ----------------------------------------------------------------------------------


def test_what_an_epoch_left_is_never_written_over(doors: Doors, running: Workflows):
    name = begin(doors, running)
    look(doors)
    assert freeze(doors)["ended"] == [EPOCH]
    assert freeze(doors)["ended"] == [EPOCH]
    assert [row["run"] for row in kept()["runs"]] == [name]
    assert kept(None)["runs"] == []


def test_a_region_that_is_away_is_asked_once_a_round(doors: Doors, running: Workflows):
    begin(doors, running)
    begin(doors, running)
    look(doors)
    freeze(doors)
    doors.world.lose(THERE)
    mark = doors.mark()
    assert review(doors)["status"] == "refused"
    assert len(doors.sent(mark, "GET")) <= 1


def test_what_became_of_a_run_is_seen_when_its_region_answers(doors: Doors, running: Workflows):
    name = cut_off(doors, running)
    assert kept()["found"][name]["status"] == "Failed"


def test_a_run_that_began_after_the_last_look_is_listed_when_its_region_answers(
    doors: Doors, running: Workflows
):
    look(doors)
    late = begin(doors, running)
    end(doors, running, late)
    claim = {"run": "contoso-run", "at": datetime.now(UTC).isoformat(), "epoch": EPOCH + 1}
    freeze(doors, claim)
    assert review(doors)["status"] == "succeeded"
    assert [(row["run"], row["status"]) for row in kept()["runs"]] == [(late, "Failed")]
    assert kept()["late"] == {"cursor": None, "runs": 1}


# --- Orders --------------------------------------------------------------------------------------


def test_a_stale_epoch_sends_nothing(doors: Doors, running: Workflows):
    cut_off(doors, running)
    witnessed(doors)
    order()
    mark = doors.mark()
    assert settle(doors, epoch=EPOCH + 7)["status"] == "refused"
    assert requests(doors, mark, "/resubmit") == 0


def test_a_resubmission_that_is_refused_ends_with_the_reason(doors: Doors, running: Workflows):
    cut_off(doors, running)
    witnessed(doors)
    order()
    effect = {"status": 403, "headers": {}}
    doors.world.faults.add({"match": {"path": "/resubmit"}, "effect": effect, "times": 1})
    settle(doors)
    one = next(iter(kept()["orders"].values()))
    assert (one["state"], "infra/access.json" in one["because"]) == ("refused", True)


def test_asked_twice_it_is_resubmitted_once(doors: Doors, running: Workflows):
    cut_off(doors, running)
    witnessed(doors)
    mark = doors.mark()
    assert len(order()["ordered"]) == 1
    settle(doors)
    assert len(order()["already"]) == 1
    settle(doors)
    assert (requests(doors, mark, "/resubmit"), states()) == (1, ["sent"])


def test_a_busy_arm_is_not_asked_again_in_the_same_round(doors: Doors, running: Workflows):
    cut_off(doors, running)
    witnessed(doors)
    order()
    mark = doors.mark()
    doors.world.faults.add({"match": {"path": "/resubmit"}, "effect": {"status": 429}, "times": 1})
    assert settle(doors)["done"] == 0
    assert (requests(doors, mark, "/resubmit"), states()) == (1, ["wanted"])


def test_a_disabled_workflow_is_resubmitted_too(doors: Doors, running: Workflows):
    cut_off(doors, running)
    witnessed(doors)
    workflow(doors).properties["state"] = "Disabled"
    order()
    settle(doors)
    workflow(doors).properties["state"] = "Enabled"
    assert states() == ["sent"]


def aged() -> None:
    """Let the open intents be three minutes old."""
    past = (datetime.now(UTC) - timedelta(minutes=3)).isoformat()
    held = kept()
    for one in held["orders"].values():
        one["at"] = past
    ledger_store.change("contoso", lambda was: held, epoch=EPOCH)


def intend(doors: Doors, running: Workflows) -> None:
    """Die between the intent and the request."""
    cut_off(doors, running)
    witnessed(doors)
    order()
    one = next(iter(kept()["orders"].values()))
    now = datetime.now(UTC)
    ledger_store.change("contoso", lambda was: ledger_orders.intended(was, one, now), epoch=EPOCH)


def test_an_intent_whose_request_never_left_is_sent_once(doors: Doors, running: Workflows):
    intend(doors, running)
    mark = doors.mark()
    settle(doors)
    assert requests(doors, mark, "/resubmit") == 0  # It might still be on its way.
    aged()
    settle(doors)
    settle(doors)
    assert (requests(doors, mark, "/resubmit"), states()) == (1, ["sent"])


def test_a_resubmission_whose_answer_was_lost_is_not_sent_again(doors: Doors, running: Workflows):
    cut_off(doors, running)
    witnessed(doors)
    order()
    mark = doors.mark()
    late = {"match": {"path": "/resubmit"}, "effect": {"loseAnswer": True}, "times": 1}
    doors.world.faults.add(late)
    settle(doors)
    aged()
    settle(doors)
    settle(doors)
    assert requests(doors, mark, "/resubmit") == 1
    assert states() == ["sent"]


def test_a_run_that_still_runs_is_cancelled_once(doors: Doors, running: Workflows):
    name = begin(doors, running)
    look(doors)
    freeze(doors)
    review(doors)
    witnessed(doors)
    mark = doors.mark()
    assert order("drain")["ordered"] == [name]
    settle(doors)
    settle(doors)
    assert (requests(doors, mark, "/cancel"), states()) == (1, ["sent"])
    review(doors)
    assert kept()["found"][name]["status"] == "Cancelled"


def test_a_ledger_is_small(doors: Doors, running: Workflows):
    look(doors)
    assert len(json.dumps(kept(None))) < ledger_store.BYTES_MAX / 100
    assert kept(None)["version"] == ledger.fresh("contoso", EPOCH, THERE)["version"]
