"""The ledger's round brings the standby up to date, a share at a time: accounts, and of the
diagnostic settings one component after another."""

from datetime import timedelta

from orchestrations.ledger import COPIES_MAX, ledger, mirrored
from shared.outcome import refused, succeeded
from shared.plan import Plan
from tests.b2b_estate import NAME, account_id, with_partners
from tests.replay import START, Replay
from tests.stories import HERE, LOST, PLAN, record

PARTNERS = with_partners(PLAN)


def asked(
    here: str = HERE, plan: Plan = PARTNERS, of: str = "mirror_account", **said: object
) -> list[dict]:
    """What the mirror was told in one round."""
    answers = {
        "load_plan": succeeded(plan=plan.document, digest=plan.digest),
        "read_witness": succeeded(record=record()),
        "freeze_ledger": succeeded(ended=[]),
        "keep_ledger": succeeded(cursor=0, runs=0),
        "count_queues": succeeded(queues=0),
        "mirror_account": succeeded(**{"more": False, **said}),
        "mirror_diagnostics": succeeded(),
    }
    replay = Replay(ledger, {"plan": "contoso", "location": here}, answers)
    return replay.run(stop_at=START + timedelta(seconds=5)).named(of)


def test_where_the_plan_is_active_nothing_is_copied():
    assert asked(here=LOST) == []


def test_the_standby_copies_from_the_active_side():
    (told,) = asked()
    assert told["component"]["resource"] == account_id(PARTNERS, HERE)
    assert told["component"]["other"]["resource"] == account_id(PARTNERS, LOST)
    assert (told["verb"], told["location"], told["component"]["name"]) == ("mirror", HERE, NAME)


def test_what_is_left_is_copied_in_a_bounded_number_of_calls():
    assert len(asked(more=True)) == COPIES_MAX


LOGS = Plan.model_validate(
    {
        **PARTNERS.document,
        "components": [
            *PARTNERS.document["components"],
            *(
                {
                    "name": f"logs-{number}",
                    "kind": "diagnosticSetting",
                    "resource": f"{{resourceGroup}}/providers/Microsoft.Logic/workflows/{number}",
                    "workspaces": {
                        place: f"{PLAN.locations[place].resource_group}/providers/"
                        f"Microsoft.OperationalInsights/workspaces/log-{place}"
                        for place in (HERE, LOST)
                    },
                }
                for number in range(3)
            ),
        ],
    }
)


def test_of_many_settings_one_has_its_turn_in_each_round():
    every = timedelta(seconds=LOGS.ledger.every_seconds)
    rounds = [[part.name for part in mirrored(LOGS, START + n * every)] for n in range(6)]
    assert all(len(names) == 2 and NAME in names for names in rounds)
    assert len({*rounds[0], *rounds[1], *rounds[2]}) == 4
    assert rounds[:3] == rounds[3:]


def test_a_round_mirrors_the_settings_of_both_sides():
    (told,) = asked(plan=LOGS, of="mirror_diagnostics")
    part = told["component"]
    assert part["kind"] == "diagnosticSetting"
    assert (told["verb"], told["location"]) == ("mirror", HERE)
    assert PLAN.locations[HERE].resource_group in part["resource"]
    assert PLAN.locations[LOST].resource_group in part["other"]["resource"]


def test_a_mirror_that_is_refused_ends_the_round_s_copies():
    assert len(asked(**refused("silent"))) == 1
