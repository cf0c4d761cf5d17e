"""A slip outlasts minutes in which nothing can be started, and starts its stage once."""

import pytest

from tests import app_index

ACT = """
import asyncio, json, types
from activities import slip_desk as app
from tests.stories import paper

class Client:
    def __init__(self, known, failures):
        self.known, self.failures, self.started = known, failures, []
    async def get_status(self, instance):
        self.failures -= 1
        if self.failures >= 0:
            raise Exception("storage is away")
        status = types.SimpleNamespace(value=self.known) if self.known else None
        return types.SimpleNamespace(runtime_status=status)
    async def start_new(self, name, instance, told):
        self.started.append([name, instance])

class Message:
    message_id = "m"
    def get_body(self):
        return json.dumps(paper("fence")).encode()

app.START_PAUSES = (0, 0, 0)

def taken(known, failures):
    client = Client(known, failures)
    try:
        asyncio.run(app.take(Message(), client, "fence"))
    except Exception as gone:
        return str(gone)
    return client.started

print(json.dumps({
    "away": taken(None, 9), "late": taken(None, 3), "new": taken(None, 0),
    "failed": taken("Failed", 0), "running": taken("Running", 0), "done": taken("Completed", 0),
}))
"""
STARTED = [["stage", "contoso-2-20260105T080000Z.fence"]]


@pytest.mark.parametrize(
    ("case", "outcome"),
    [
        ("away", "storage is away"),
        ("late", STARTED),
        ("new", STARTED),
        ("failed", STARTED),
        ("running", []),
        ("done", []),
    ],
)
def test_a_slip_starts_its_stage_once_and_is_given_back_only_after_patience(
    case: str, outcome: object
) -> None:
    assert app_index.in_child(ACT)[case] == outcome
