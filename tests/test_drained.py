"""A drain says what is in flight where it could look, and names where nobody looks."""

from shared import plan
from shared.outcome import refused, succeeded
from tests.replay import Replay
from tests.stories import acted, done
from tests.test_quiesce import EXCLUSIVE, PARTS, PLAN, SILENT, busy, quiescing, sent

ONE_BLIND = (
    "whether anything is in flight in billing-0 is not looked into: it may be cut off, or run on"
)
BLIND = [f"billing-{n}" for n in range(12)]


def with_apps(count: int, parts: list[dict]) -> plan.Plan:
    """A plan with function apps, which nobody can ask what they have in flight."""
    at = "{resourceGroup}/providers/Microsoft.Web/sites/"
    apps = [
        {"name": name, "kind": "functionApp", "resource": f"{at}func-{name}-{{short}}"}
        for name in BLIND[:count]
    ]
    return plan.checked({**PLAN.document, "components": [*parts, *apps]})


def quiescing_apps(count: int, parts: list[dict] = PARTS, **changes: object) -> Replay:
    mixed = with_apps(count, parts)
    answers = {"load_plan": succeeded(plan=mixed.document, digest=PLAN.digest)}
    answers |= {"demote_function_app": succeeded("stopped")}
    return quiescing(**{**answers, "observe_function_app": succeeded(serving=False), **changes})


def drained(run: Replay) -> dict[str, str]:
    """Component -> what its row of the drain says."""
    return {one["component"]: one["because"] for one in done(run)["rows"] if one["verb"] == "drain"}


def test_what_nobody_can_look_into_is_said_by_name():
    run = quiescing_apps(2)
    assert drained(run) == {
        "(all)": "nothing is in flight in what was looked into; "
        "whether anything is in flight in billing-0, billing-1 is not looked into: "
        "it may be cut off, or run on"
    }
    assert done(run)["outcome"] == "succeeded" and sorted(BLIND[:2]) == sorted(
        acted(run, "demote_function_app")
    )


def test_what_nobody_can_look_into_may_be_abandoned():
    (first, second) = sent(quiescing_apps(2))["facts"]["abandoned"]
    assert (first["component"], first["count"], first["runs"]) == (BLIND[0], None, [])
    assert "not looked into" in first["because"] and second["component"] == BLIND[1]


def test_it_is_said_beside_what_is_still_in_flight():
    run = quiescing_apps(1, drain_workflow=busy("r1"))
    rows = drained(run)
    assert sorted(rows) == sorted(["(all)", *EXCLUSIVE])
    assert rows["(all)"] == ONE_BLIND
    assert [one["component"] for one in sent(run)["facts"]["abandoned"]] == [*EXCLUSIVE, BLIND[0]]


def test_where_nothing_could_be_looked_into_nothing_is_said_to_be_empty():
    front = [part for part in PARTS if part["name"] == "front"]
    assert drained(quiescing_apps(1, front)) == {"(all)": ONE_BLIND}


def test_of_many_that_nobody_can_look_into_the_first_are_named_and_the_rest_counted():
    words = drained(quiescing_apps(12))["(all)"]
    assert "billing-9 and 2 more" in words and "billing-10" not in words


def test_what_would_not_stop_is_not_called_empty():
    """It was, at the last look; but it goes on."""

    def demote(task: dict) -> dict:
        stuck = task["component"]["name"] == EXCLUSIVE[0]
        return refused("is unreachable") if stuck else succeeded("disabled")

    words = drained(quiescing(demote_workflow=demote, observe_health=SILENT))["(all)"]
    assert words == f"nothing was in flight at the last look, but {EXCLUSIVE[0]} would not stop"


def test_where_everything_was_looked_into_that_is_all_there_is_to_say():
    run = quiescing()
    assert drained(run) == {"(all)": "nothing exclusive is in flight there"}
    assert sent(run)["facts"]["abandoned"] == []
