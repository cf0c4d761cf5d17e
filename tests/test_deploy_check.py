"""The app runs on what the project's own templates deploy, and may do no more than they allow."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app_index import ROOT

SECONDS_MAX = 400


@pytest.mark.slow
def test_a_region_is_moved_on_what_the_templates_deploy(tmp_path: Path):
    command = [sys.executable, "-m", "rehearsal", "deploy-check", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS_MAX)
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    rows = [json.loads(line) for line in (tmp_path / "arm.jsonl").read_text().splitlines()]
    forbidden = [row["url"] for row in rows if row["status"] == 403]
    assert forbidden == []


@pytest.mark.slow
def test_a_setting_that_a_template_forgot_is_found(tmp_path: Path):
    """Without its LOCATION the app does not start, and so the check could not run."""
    folder = tmp_path / "infra"
    folder.mkdir()
    for file in (ROOT / "infra").glob("*.json"):
        text = file.read_text(encoding="utf-8")
        (folder / file.name).write_text(text.replace('"name": "LOCATION"', '"name": "PLACE"'))
    command = [sys.executable, "-m", "rehearsal", "deploy-check", "--templates", str(folder)]
    command += ["--out", str(tmp_path / "out")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS_MAX)
    words = (done.stdout + done.stderr)[-2000:]
    assert (done.returncode, "could not run" in done.stdout) == (2, True), words
