"""The rehearsal's commands: set it up, keep a stage open, run a drill, simulate.

Exit codes of a drill: 0 objectives met, 1 missed, 2 could not run.
"""

import argparse
import asyncio
import logging
import sys
from dataclasses import replace
from pathlib import Path

from rehearsal import azurite, drill, estate_faults, estate_growth
from rehearsal.estate import DEFAULT, BadEstate, Scene, load
from rehearsal.processes import NotStarted
from rehearsal.scenarios import SCENARIOS
from rehearsal.simulation import command as simulation
from shared.plan import BadPlan

COULD_NOT_RUN = 2
TEMPLATES = Path(__file__).resolve().parents[1] / "infra"
DRILLS = ("drill", "deploy-check")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; gives its exit code."""
    given = parser().parse_args(arguments)
    _log(given)
    try:
        if given.command == "setup":
            print(azurite.set_up())
            return 0
        if given.command == "simulate":
            return simulation.run(given)
        scene = _scene(given)
        if given.command == "stage":
            return asyncio.run(drill.keep_open(scene, given.ready_file, given.seed, given.out))
        return asyncio.run(drill.run(SCENARIOS[given.scenario], scene, given.seed, _out(given)))
    except (BadEstate, BadPlan, NotStarted, azurite.NotSetUp, OSError, ValueError) as wrong:
        print(f"could not run: {wrong}", file=sys.stderr)
        return COULD_NOT_RUN
    except KeyboardInterrupt:
        return COULD_NOT_RUN


def parser() -> argparse.ArgumentParser:
    """The command line of the Contract."""
    whole = argparse.ArgumentParser(prog="python -m rehearsal", description=__doc__)
    commands = whole.add_subparsers(dest="command", required=True)
    commands.add_parser("setup", help="install Azurite, and Node where there is none")
    simulation.add(commands)
    stage = commands.add_parser("stage", help="keep two locations up until SIGTERM")
    stage.add_argument("--ready-file", type=Path, required=True, help="written when it is ready")
    stage.add_argument("--out", type=Path, help="folder of logs and data; default a temporary one")
    run = commands.add_parser("drill", help="tell one scenario and judge it")
    run.add_argument("--scenario", choices=sorted(SCENARIOS), default="region-outage")
    run.add_argument("--out", type=Path, help="folder of the report; default out/drill/SCENARIO")
    check = commands.add_parser("deploy-check", help="drill region-outage on our own templates")
    check.add_argument("--out", type=Path, help="folder of the report; default out/deploy-check")
    for command in (stage, run, check):
        command.add_argument("--estate", type=Path, help="an estate's YAML file")
        command.add_argument("--fault", default="", help="plant this one of its faults, no other")
        command.add_argument("--workflows", type=int, default=0, help="so many workflows more")
        command.add_argument("--seed", type=int, default=1, help="of everything that is random")
    for command in (run, check):
        command.add_argument("--templates", type=Path, help="ARM templates that deploy the app")
    check.set_defaults(scenario="region-outage", templates=TEMPLATES)
    return whole


def _scene(given: argparse.Namespace) -> Scene:
    own = SCENARIOS[given.scenario].estate if given.command in DRILLS else DEFAULT.name
    scene = estate_growth.grow(load(given.estate or DEFAULT.parent / own), given.workflows)
    scene = estate_faults.planted(estate_growth.in_time(scene), given.fault)
    return replace(scene, templates=getattr(given, "templates", None))


def _log(given: argparse.Namespace) -> None:
    """A drill's terminal is for its story: what libraries say goes to a file beside the report."""
    file = _out(given) / "cloud.log" if given.command in DRILLS else None
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(level=logging.ERROR, filename=file)


def _out(given: argparse.Namespace) -> Path:
    own = Path("drill") / given.scenario if given.command == "drill" else Path(given.command)
    return given.out or Path("out") / own


if __name__ == "__main__":
    sys.exit(main())
