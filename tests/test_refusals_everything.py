"""Resources that may not be touched: every kind that acts says what to do about it, and waits only
where waiting helps."""

import json
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from rehearsal.estate import DEFAULT
from shared.kinds import KINDS
from tests.doors import HERE, THERE, Doors, made_doors

EVERYTHING = DEFAULT.parent / "everything.yaml"
ALL = "^/subscriptions/"
WRITES = r"^/subscriptions/(?!.*/(list\w*|whatIf)$)"  # Of POSTs those that change something.
# They speak to people, to other plans and to any address; none of these is a resource.
ELSEWHERE = {"http", "manual", "plan"}
# What is only there to be made where it is missing.
MADE = ("Microsoft.Web/connections/stock-ne", "diagnosticSettings/understudy-northeurope")


class Trouble(NamedTuple):
    """What the resource manager answers, to what, and the words that a person needs."""

    status: int
    code: str
    methods: tuple[str, ...]
    path: str
    words: tuple[str, ...]
    busy: bool = False


PARTS_MAX = 2  # Of one kind: an alias and a replicated namespace are two.
CHANGES = ("PUT", "PATCH", "POST", "DELETE")
TROUBLES = {
    "locked": Trouble(409, "ScopeLocked", CHANGES, WRITES, ("lock", "away", "remove")),
    "updated": Trouble(409, "Conflict", CHANGES, WRITES, ("being changed",), busy=True),
    "linked": Trouble(403, "LinkedAuthorizationFailed", CHANGES, WRITES, ("give the app's",)),
    "foreign": Trouble(
        401, "InvalidAuthenticationTokenTenant", ("GET", *CHANGES), ALL, ("another tenant",)
    ),
}
ACTING = [
    (kind, verb)
    for kind, verbs in KINDS.items()
    for verb in ("promote", "demote")
    if verb in verbs and kind not in ELSEWHERE
]
CASES = [
    (kind, verb, trouble)
    for kind, verb in ACTING
    for trouble in TROUBLES
    # A Batch account is changed at its data plane alone, where no lock and no link reaches.
    if kind != "batch" or trouble == "foreign"
]


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """The estate with every kind; what is made where it is missing, is missing."""
    with made_doors(tmp_path_factory.mktemp("refusals"), EVERYTHING) as doors, doors.led():
        for one in list(doors.world.resources):
            if one.id.endswith(MADE):
                doors.world.resources.remove(one.id)
        yield doors


def task(doors: Doors, name: str, kind: str, verb: str) -> dict:
    location = HERE if verb == "promote" else THERE
    payload = doors.task(name, verb, location)
    away = doors.plan.other(location)
    if KINDS[kind][verb].both:
        payload["component"]["other"] = doors.plan.component(name, away)
    return {**payload, "away": away}


def outcomes(doors: Doors, kind: str, verb: str, trouble: Trouble) -> list[dict]:
    """What the components of a kind say of the trouble; those that were in it."""
    error = {"error": {"code": trouble.code, "message": "The request was not performed."}}
    headers = {"Content-Type": "application/json"}
    effect = {"status": trouble.status, "body": json.dumps(error), "headers": headers}
    said = []
    for method in trouble.methods:
        doors.world.faults.add(
            {"match": {"method": method, "path": trouble.path}, "effect": effect}
        )
    try:
        for name in [part.name for part in doors.plan.components if part.kind == kind]:
            if len(said) == PARTS_MAX:
                break
            mark = doors.mark()
            outcome = doors.call(KINDS[kind][verb].activity, task(doors, name, kind, verb))
            met = [r for r in doors.world.journal.after(mark) if r["status"] == trouble.status]
            said += [outcome] if met else []
    finally:
        doors.whole()
    return said


@pytest.mark.parametrize(("kind", "verb", "trouble"), CASES)
def test_what_may_not_be_touched_is_refused_with_what_to_do(
    everything: Doors, kind: str, verb: str, trouble: str
) -> None:
    wanted = TROUBLES[trouble]
    said = outcomes(everything, kind, verb, wanted)
    assert said and {one["status"] for one in said} == {"refused"}, said
    assert all(any(word in one["because"] for word in wanted.words) for one in said), said
    # A diagnostic setting in conflict stays so: waiting does not help there.
    waits = wanted.busy and kind != "diagnosticSetting"
    assert {bool(one.get("busy")) for one in said} == {waits}, said
