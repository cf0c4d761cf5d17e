"""Fixtures that more than one test module shares."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

# First of all: what it remembers must not be what a test has set.
from tests import environment as environment
from tests.judgement import Judgement

if TYPE_CHECKING:
    from tests.doors import Doors

# No deadline for an example: tests share two cores with whole drills.
settings.register_profile("shared", deadline=None)
settings.load_profile("shared")


def pytest_configure(config: pytest.Config) -> None:
    """Let what all tests did together be judged at the end."""
    config.pluginmanager.register(Judgement())


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Doors]":
    """Contoso on loopback, opened once: its processes take seconds to start."""
    # Imported here, so that a test of something pure does not wait for the whole rehearsal.
    from tests.doors import made_doors

    with made_doors(tmp_path_factory.mktemp("doors")) as doors:
        yield doors


@pytest.fixture
def doors(opened: "Doors") -> "Iterator[Doors]":
    """Contoso with nothing wrong in it."""
    with opened.led():
        opened.whole()
        yield opened
        opened.whole()
