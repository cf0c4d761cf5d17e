"""The ledger's orchestration: when it looks, when it holds still, and what it does afterwards."""

from datetime import timedelta

from orchestrations.ledger import ledger
from shared import plan
from shared.outcome import refused, skipped, succeeded
from shared.record import noted
from tests.replay import START, Replay
from tests.stories import DOCUMENT, HERE, LOST, PLAN, grown, loaded, record

FLOWS = sum(part.kind == "logicWorkflow" for part in PLAN.components)
ACTIVITIES = ("keep_ledger", "count_queues", "review_ledger", "settle_orders")


def world(known: dict, **changes: object) -> dict:
    answers = {
        "load_plan": loaded,
        "read_witness": succeeded(record=known),
        "freeze_ledger": succeeded(ended=[]),
        "keep_ledger": succeeded(cursor=0, runs=1),
        "count_queues": succeeded(queues=3),
        "review_ledger": succeeded(more=False, orders=0),
        "settle_orders": skipped("no order is due", done=0),
    }
    return {**answers, **changes}


def one_round(known: dict, here: str = HERE, **changes: object) -> Replay:
    told = {"plan": "contoso", "location": here}
    replay = Replay(ledger, told, world(known, **changes))
    return replay.run(stop_at=START + timedelta(seconds=5))


def under_way() -> dict:
    run = {"id": "r", "phase": "claim", "mode": "forced", "from": LOST, "to": HERE}
    more = {"by": "x", "reason": "", "because": "", "approval": None, "paused": False}
    return {**run, **more, "cancel": None, "released": False, "at": START.isoformat()}


def test_without_the_witness_nothing_is_seen_or_done():
    replay = one_round(record(), read_witness=refused("witness: silent"))
    assert not any(replay.named(name) for name in (*ACTIVITIES, "freeze_ledger"))


def test_while_a_run_is_under_way_the_last_look_is_left_alone():
    replay = one_round(record(run=under_way()))
    assert replay.named("freeze_ledger")
    assert not any(replay.named(name) for name in ACTIVITIES)


def test_where_the_plan_is_active_nobody_looks():
    assert not one_round(record(), here=LOST).named("keep_ledger")


def test_a_plan_that_is_gone_ends_the_ledger():
    replay = one_round(record(), load_plan=refused("no plan", missing=True))
    assert replay.done and not replay.continued


def test_a_region_that_is_silent_is_asked_once_a_round():
    replay = one_round(record(), keep_ledger=refused("unreachable"))
    assert len(replay.named("keep_ledger")) == 1 and not replay.named("count_queues")


def test_a_ledger_that_cannot_be_frozen_is_not_written_over():
    replay = one_round(record(), freeze_ledger=refused("storage is away"))
    assert not replay.named("keep_ledger")


def test_the_standby_looks_at_the_active_side():
    asked = one_round(record()).named("keep_ledger")
    wanted = {"plan": "contoso", "epoch": 1, "location": LOST, "cursor": 0, "most": FLOWS}
    assert asked == [wanted]


def test_a_thousand_workflows_are_spread_over_rounds():
    many = grown(1000)
    big = succeeded(plan=many.document, digest=many.digest)

    def keep(told: dict) -> dict:
        onward = told["cursor"] + told["most"]
        return succeeded(cursor=onward if onward < 1000 else 0, runs=0)

    replay = one_round(record(), load_plan=big, keep_ledger=keep)
    looked = sum(told["most"] for told in replay.named("keep_ledger"))
    assert looked == many.ledger.every_seconds * 5 // 2


def test_the_next_round_goes_on_where_this_one_stopped():
    replay = Replay(
        ledger,
        {"plan": "contoso", "location": HERE},
        world(record(), keep_ledger=lambda told: succeeded(cursor=told["cursor"] + 1, runs=0)),
    ).run()
    assert isinstance(replay.again, dict)
    assert replay.continued and replay.again["cursor"] == 1


def test_who_claimed_is_told_to_the_ledger_that_is_frozen():
    claimed = noted(record(2, HERE), START, "contoso-run", "claimed", "w -> n")
    told = one_round(claimed).named("freeze_ledger")[0]
    assert (told["epoch"], told["active"]) == (2, HERE)
    assert told["claims"] == [{"run": "contoso-run", "at": START.isoformat(), "epoch": 2}]


def test_after_a_failover_what_was_cut_off_is_looked_at_again():
    replay = one_round(record(2, HERE), freeze_ledger=succeeded(ended=[1]))
    assert replay.named("review_ledger") == [{"plan": "contoso", "epoch": 1}]
    assert not replay.named("settle_orders")


def test_orders_are_carried_out_as_a_task_of_this_epoch():
    done = [succeeded(done=1), skipped("no order is due", done=0)]
    replay = one_round(
        record(2, HERE),
        freeze_ledger=succeeded(ended=[1]),
        review_ledger=succeeded(more=False, orders=1),
        settle_orders=lambda told: done.pop(0),
    )
    tasks = replay.named("settle_orders")
    assert len(tasks) == 2
    assert (tasks[0]["epoch"], tasks[0]["of"], tasks[0]["location"]) == (2, 1, HERE)


def test_orders_wait_while_their_region_is_away():
    replay = one_round(
        record(2, HERE),
        freeze_ledger=succeeded(ended=[1]),
        review_ledger=refused("unreachable"),
    )
    assert not replay.named("settle_orders")


def test_a_plan_without_queues_counts_none():
    bare = plan.checked({**DOCUMENT, "ledger": {"everySeconds": 60}})
    replay = one_round(record(), load_plan=succeeded(plan=bare.document, digest=bare.digest))
    assert replay.named("keep_ledger") and not replay.named("count_queues")
