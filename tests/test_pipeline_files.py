"""What deploys the app outside of ARM: azure.yaml, the workflows, the package."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from tests.app_index import ROOT, SETTINGS
from tests.environment import AT_START

WORKFLOWS = ROOT / ".github" / "workflows"
PINNED = re.compile(r"[\w-]+/[\w-]+@v\d+|\./\.github/workflows/\w+\.yml")


def workflow(name: str) -> dict:
    found = yaml.safe_load((WORKFLOWS / f"{name}.yml").read_text(encoding="utf-8"))
    return {**found, "on": found.get("on", found.get(True))}  # YAML 1.1 reads `on` as true.


def steps(name: str) -> list[dict]:
    return [step for job in workflow(name)["jobs"].values() for step in job.get("steps", [])]


def test_the_standby_is_deployed_before_the_active_location():
    jobs = workflow("deploy")["jobs"]
    assert (jobs["standby"]["needs"], jobs["active"]["needs"]) == ("package", "standby")


def test_no_workflow_knows_a_secret():
    texts = [file.read_text(encoding="utf-8") for file in WORKFLOWS.glob("*.yml")]
    assert not [text for text in texts if re.search(r"secrets\.|password|client-secret", text)]


def test_a_workflow_signs_in_by_oidc():
    assert workflow("location")["permissions"]["id-token"] == "write"


@pytest.mark.parametrize("name", ["deploy", "location"])
def test_every_job_is_bounded_in_time(name: str):
    jobs = workflow(name)["jobs"].values()
    assert all("uses" in job or job["timeout-minutes"] <= 120 for job in jobs)


@pytest.mark.parametrize("name", ["deploy", "location"])
def test_every_action_names_its_version(name: str):
    used = [step["uses"] for step in steps(name) if "uses" in step]
    used += [job["uses"] for job in workflow(name)["jobs"].values() if "uses" in job]
    assert used and all(PINNED.fullmatch(one) for one in used)


@pytest.mark.parametrize("name", ["deploy", "location"])
def test_every_script_of_a_workflow_can_be_read_by_a_shell(name: str):
    for step in steps(name):
        if "run" in step:
            plain = re.sub(r"\$\{\{.*?\}\}", "value", step["run"])
            told = subprocess.run(["bash", "-n", "-c", plain], capture_output=True, text=True)
            assert told.returncode == 0, f"{step['run']}: {told.stderr}"


def test_health_and_readiness_are_looked_at_between():
    scripts = " ".join(step.get("run", "") for step in steps("location"))
    assert "/api/health" in scripts and "/readiness" in scripts


def test_azure_yaml_names_the_apps_of_the_parameter_files():
    named = yaml.safe_load((ROOT / "azure.yaml").read_text(encoding="utf-8"))["services"]
    apps = set()
    for file in (ROOT / "infra").glob("parameters.*.json"):
        apps.add(json.loads(file.read_text(encoding="utf-8"))["parameters"]["app"]["value"])
    assert {one["resourceName"] for one in named.values()} == apps
    assert {(one["host"], one["language"]) for one in named.values()} == {("function", "py")}


@pytest.mark.slow
def test_the_package_starts_by_itself_and_brings_its_pyc_files(tmp_path: Path):
    """Unpacked elsewhere, with nothing but Python and its own packages."""
    made = subprocess.run(
        ["make", "package"], cwd=ROOT, env=AT_START, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr[-1000:]
    with zipfile.ZipFile(ROOT / "out" / "understudy.zip") as archive:
        names = archive.namelist()
        archive.extractall(tmp_path)
    assert "shared/__pycache__/plan.cpython-311.pyc" in names
    assert not [n for n in names if n.startswith(("rehearsal", "tests", "infra"))]
    asks = "import function_app; print(len(function_app.app.get_functions()))"
    packages = str(tmp_path / ".python_packages" / "lib" / "site-packages")
    environment = {**SETTINGS, "PATH": "", "PYTHONPATH": packages, "WEBSITE_HOSTNAME": "localhost"}
    told = subprocess.run(
        [sys.executable, "-S", "-c", asks],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert told.returncode == 0 and int(told.stdout) > 30, told.stderr[-1000:]
