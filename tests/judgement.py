"""Judgement: nothing is granted to the app that it never did, over all tests of a run.

Tests may run in several processes. Each hands over what its worlds permitted, and the one that
started them judges when the last has ended. The verdict counts as a test.
"""

import re
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

import pytest

from shared.permissions import called
from tests.app_index import ROOT

if TYPE_CHECKING:
    from rehearsal.world import World

WORLDS: list["World"] = []  # Every one whose doors were opened: what the app did in them counts.
# ARM lets whoever started an operation of the rehearsal's ask about it; Azure wants the action.
NEVER_JUDGED = {"microsoft.apimanagement/service/operationresults/read"}
NAME = "test_nothing_is_granted_that_the_app_never_did"


def unused(done: set[str]) -> list[str]:
    """The granted actions that are not among `done` (names in any case)."""
    known = {action.lower() for action in done} | NEVER_JUDGED
    return [one for one in called("read") + called("act") if one.lower() not in known]


def whole(ran: set[str]) -> bool:
    """Are the test files `ran` all that call activities? Only those together do everything."""
    files = (ROOT / "tests").glob("test_*.py")
    uses_doors = re.compile(r"\bdoors: Doors\b")
    return {one.name for one in files if uses_doors.search(one.read_text("utf-8"))} <= ran


class Judgement:
    """A plugin of pytest: gathers what was done where, and reports the verdict at the end."""

    def __init__(self, whole: Callable[[set[str]], bool] = whole) -> None:
        self.whole = whole
        self.ran: set[str] = set()
        self.done: set[str] = set()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        """A worker of pytest-xdist has ended: take what it hands over."""
        told = getattr(node, "workeroutput", {}).get("judgement", {})
        self.ran.update(told.get("ran", []))
        self.done.update(told.get("done", []))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """When all tests have run: hand over, or judge. What failed or was left out is no proof."""
        result = yield
        config = session.config
        self.ran.update(item.path.name for item in session.items)
        self.done.update(action for world in WORLDS for action in world.permitted)
        if hasattr(config, "workeroutput"):
            told = {"ran": sorted(self.ran), "done": sorted(self.done)}
            vars(config)["workeroutput"]["judgement"] = told
        elif not (session.testsfailed or config.option.collectonly or config.option.keyword):
            self.judge(config)
        return result

    def judge(self, config: pytest.Config) -> None:
        """Report the verdict like any test's."""
        if not self.whole(self.ran):
            return
        left = unused(self.done)
        where = ("tests/test_permissions.py", None, NAME)
        report = pytest.TestReport(
            nodeid=f"{where[0]}::{NAME}",
            location=where,
            keywords={},
            outcome="failed" if left else "passed",
            longrepr="\n".join(["granted, and no test did it:", *left]) if left else None,
            when="call",
        )
        config.hook.pytest_runtest_logreport(report=report)
