"""Only a loss that holds, seen by two kinds and denied by none, is called lost."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import permit
from shared.verdict import JUDGED, MEANS, judge
from tests.unhurried import UNHURRIED

START = datetime(2026, 11, 21, 9, tzinfo=UTC)
WATCH = {"everySeconds": 10, "rounds": 3, "timeoutSeconds": 3}
REACHED = [{"name": "arm", "ok": True, "because": "200"}]
UNREACHED = [{"name": "arm", "ok": False, "because": "timeout"}]
KINDS = ("health", "gateway", "trafficManager", "lease", "controlPlane")
CALM = ("healthy", "degraded", "inconclusive", "controlPlaneOnly")
IDLE = {"name": "contoso", "locations": {"we": {}, "ne": {}}, "automation": "automatic"}

rounds_of = st.lists(
    st.fixed_dictionaries({kind: st.sampled_from([True, False, None]) for kind in KINDS}),
    min_size=1,
    max_size=6,
)


def seen(**kinds: bool | None) -> list[dict]:
    return [{"kind": k, "ok": ok, "because": str(ok), "seconds": 0.1} for k, ok in kinds.items()]


def story(
    rounds: list[dict], controls: list[dict] = REACHED, every_seconds: int = 10
) -> list[dict]:
    """The verdicts of a run of rounds."""
    verdicts: list[dict] = []
    for n, kinds in enumerate(rounds):
        now = START + timedelta(seconds=n * every_seconds)
        before = verdicts[-1] if verdicts else None
        verdicts.append(judge(seen(**kinds), controls, before, WATCH, now))
    return verdicts


def states(rounds: list[dict], controls: list[dict] = REACHED) -> list[str]:
    return [verdict["state"] for verdict in story(rounds, controls)]


DEAD = {"health": False, "gateway": False, "trafficManager": True, "lease": False}
DYING = {**DEAD, "lease": True}
WELL = dict.fromkeys(KINDS, True)


def test_one_round_of_silence_is_no_loss():
    assert states([DEAD]) == ["suspect"]


def test_a_flapping_probe_never_acts():
    flaps = [WELL, {**WELL, "health": False}, WELL, DEAD, WELL, DEAD, DEAD, WELL, DEAD]
    assert "lost" not in states(flaps)


def test_a_healthy_round_starts_the_count_again():
    assert states([DEAD, DEAD, WELL, DEAD, DEAD])[-1] == "suspect"


def test_a_brownout_with_a_live_lease_is_only_suspect():
    assert set(states([DYING] * 10)) == {"suspect"}


def test_a_live_lease_and_a_degraded_profile_are_only_suspect():
    assert set(states([{**DYING, "trafficManager": False}] * 10)) == {"suspect"}


def test_a_standby_that_reaches_nothing_is_isolated():
    assert set(states([dict.fromkeys(KINDS, False)] * 10, UNREACHED)) == {"isolated"}


def test_one_kind_alone_is_no_confirmation():
    only = {"health": False, "gateway": None, "trafficManager": None, "lease": None}
    assert set(states([only] * 10)) == {"inconclusive"}


def test_an_old_lease_alone_is_degraded():
    assert set(states([{**WELL, "lease": False}] * 10)) == {"degraded"}


def test_nothing_usable_is_inconclusive():
    assert states([dict.fromkeys(KINDS, None)]) == ["inconclusive"]


def test_a_silent_control_plane_beside_a_workload_that_answers_is_its_own_verdict():
    assert states([{**WELL, "controlPlane": False}] * 10) == ["controlPlaneOnly"] * 10


def test_a_silent_control_plane_is_none_of_the_two_kinds_of_a_loss():
    seen_so = {**dict.fromkeys(KINDS, None), "health": False, "controlPlane": False}
    assert set(states([seen_so] * 10)) == {"inconclusive"}


def test_a_control_plane_that_answers_denies_no_loss():
    assert states([{**DEAD, "controlPlane": True}] * 3)[-1] == "lost"


def test_a_silent_control_plane_alone_without_any_word_is_inconclusive():
    assert states([{**dict.fromkeys(KINDS, None), "controlPlane": False}]) == ["inconclusive"]


def test_a_silent_control_plane_where_only_the_lease_lives_is_degraded():
    alive = {**dict.fromkeys(KINDS, None), "lease": True, "controlPlane": False}
    assert states([alive]) == ["degraded"]


def test_every_verdict_of_the_table_has_its_meaning():
    assert set(JUDGED.values()) <= set(MEANS)


def test_no_observers_are_inconclusive():
    assert judge([], REACHED, None, WATCH, START)["state"] == "inconclusive"


def test_a_long_silence_of_the_watchdog_starts_the_count_again():
    first = judge(seen(**DEAD), REACHED, None, WATCH, START)
    second = judge(seen(**DEAD), REACHED, first, WATCH, START + timedelta(hours=1))
    assert second["rounds"] == 1


def test_a_stale_online_of_traffic_manager_does_not_veto():
    assert states([DEAD] * 3) == ["suspect", "suspect", "lost"]


def test_a_dying_lease_counts_the_rounds_before_it():
    assert states([DYING, DYING, DYING, DEAD]) == ["suspect", "suspect", "suspect", "lost"]


def test_a_loss_is_called_within_the_bound_of_the_plan():
    """In the third round, or in the first after the lease ran out where that is later."""
    lease_seconds = 30
    for offset in range(10):
        asked = [offset + 10 * n for n in range(5)]
        calls = states([DYING if at < lease_seconds else DEAD for at in asked])
        assert asked[calls.index("lost")] < lease_seconds + WATCH["everySeconds"]


def test_a_loss_began_with_its_first_suspicion():
    assert story([DEAD] * 4)[-1]["since"] == START.isoformat()


def test_traffic_manager_alone_may_say_well():
    alone = {**dict.fromkeys(KINDS, None), "trafficManager": True}
    assert states([alone]) == ["healthy"]


def test_all_well_is_healthy():
    assert states([WELL]) == ["healthy"]


def test_health_failing_while_the_gateway_answers_is_degraded():
    assert states([{**DEAD, "gateway": True}] * 5) == ["degraded"] * 5


@UNHURRIED
@given(rounds_of, st.sampled_from(["health", "gateway"]))
def test_a_direct_observer_that_answers_prevents_every_loss(rounds: list[dict], kind: str):
    assert not {"lost", "suspect"} & set(states([{**kinds, kind: True} for kinds in rounds]))


@UNHURRIED
@given(rounds_of)
def test_failing_controls_always_mean_isolation(rounds: list[dict]):
    assert set(states(rounds, UNREACHED)) == {"isolated"}


@UNHURRIED
@given(rounds_of)
def test_no_loss_before_the_configured_rounds(rounds: list[dict]):
    assert "lost" not in states(rounds)[: WATCH["rounds"] - 1]


@UNHURRIED
@given(rounds_of, st.booleans())
def test_a_verdict_always_has_its_reason(rounds: list[dict], reached: bool):
    told = story(rounds, REACHED if reached else UNREACHED)
    assert all(verdict["because"].strip() for verdict in told)


@UNHURRIED
@given(rounds_of, st.sampled_from(KINDS))
def test_an_observer_that_turns_well_never_makes_a_loss(rounds: list[dict], kind: str):
    better = [*rounds[:-1], {**rounds[-1], kind: True}]
    if states(rounds)[-1] in CALM:
        assert states(better)[-1] in CALM
    if states(rounds)[-1] == "suspect":
        assert states(better)[-1] != "lost"


@UNHURRIED
@given(rounds_of)
def test_a_loss_has_two_kinds_behind_it(rounds: list[dict]):
    assert all(len(v["kinds"]) >= 2 for v in story(rounds) if v["state"] == "lost")


@UNHURRIED
@given(rounds_of, st.sampled_from([True, False, None]))
def test_the_control_plane_neither_makes_nor_prevents_a_loss(rounds: list[dict], ok: bool | None):
    before, after = states(rounds), states([{**kinds, "controlPlane": ok} for kinds in rounds])
    for was, now in zip(before, after, strict=True):
        assert was == now or {was, now} <= set(CALM)


@UNHURRIED
@given(rounds_of, st.booleans())
def test_nothing_but_a_loss_ever_acts(rounds: list[dict], reached: bool):
    told = story(rounds, REACHED if reached else UNREACHED)
    free = {"active": "we", "paused": False, "run": None, "quietUntil": None, "leaseUntil": None}
    for judged in told:
        answer = permit.allow(judged, {**free, "epoch": 1}, IDLE, "ne", START)
        assert answer["allowed"] == (judged["state"] == "lost")


@pytest.mark.parametrize("lease", [None, False])
def test_a_lease_nobody_can_read_is_not_alive(lease: bool | None):
    assert states([{**DEAD, "lease": lease}] * 3)[-1] == "lost"
