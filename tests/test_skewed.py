"""A process on a wrong clock believes it everywhere, and nothing else in it is disturbed."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TELL = """
import time, datetime
before, real = time.time(), datetime.datetime.now(datetime.UTC)
steady = time.monotonic()
from rehearsal.host.skewed import skew
skew(90)
import json, logging
from datetime import UTC, datetime
from pydantic import AwareDatetime, BaseModel
class Seen(BaseModel):
    at: AwareDatetime
parsed = Seen.model_validate_json('{"at": "2026-01-01T00:00:00Z"}').at
told = {
    "time": time.time() - before,
    "now": (datetime.now(UTC) - real).total_seconds(),
    "record": logging.makeLogRecord({}).created - before,
    "monotonic": time.monotonic() - steady,
    "parsed": isinstance(parsed, datetime) and parsed < datetime.now(UTC),
    "made": datetime(2026, 1, 1, tzinfo=UTC) == parsed,
}
print(json.dumps(told))
"""


def told() -> dict:
    """What such a process says of itself; it is the only way to move a clock and move it back."""
    done = subprocess.run(
        [sys.executable, "-c", TELL], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_every_clock_of_the_process_is_off_and_what_waits_is_not():
    seen = told()
    off = [name for name in ("time", "now", "record") if not 90 <= seen[name] < 120]
    assert not off
    assert seen["monotonic"] < 30
    assert seen["parsed"] and seen["made"]
