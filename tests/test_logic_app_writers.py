"""A Standard site's settings when others write them too: nobody's is lost."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from rehearsal.providers import sites
from rehearsal.world import Resource
from tests.doors import HERE, Doors
from tests.test_logic_app import (
    MARKER,
    STATE,
    interfering,
    promote,
    settings,
    settled,
    site_of,
    task,
)
from tests.test_logic_app import std as std


def test_what_another_writes_between_two_readings_stays(
    std: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = settings(std)
    interfering(monkeypatch, lambda n: known.update({"THEIRS": "new"}) if n == 1 else None)
    promote(std)
    assert settings(std) == {"KEY": MARKER, "THEIRS": "new", STATE: "Enabled"}


def test_what_another_takes_away_between_two_readings_stays_away(
    std: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(std)["OLD"] = "1"
    known = settings(std)
    interfering(monkeypatch, lambda n: known.pop("OLD", None) if n == 1 else None)
    promote(std)
    assert settings(std) == {"KEY": MARKER, STATE: "Enabled"}


def test_who_overwrites_us_keeps_theirs_and_we_write_again(
    std: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, times = f"{site_of(std, HERE)}/config/appsettings", iter([True])
    was = sites.config.on_placed
    assert was is not None

    def overwritten(call: sites.Call, row: Resource, before: dict | None) -> object:
        if next(times, False):
            theirs = {"KEY": MARKER, "THEIRS": "new", STATE: "Disabled"}
            std.world.resources.place(where, {"properties": theirs})
        return was(call, row, before)

    monkeypatch.setattr(sites.config, "on_placed", overwritten)
    promote(std)
    assert settings(std) == {"KEY": MARKER, "THEIRS": "new", STATE: "Enabled"}


def test_many_workflows_of_one_site_are_switched_at_once_and_none_is_lost(std: Doors) -> None:
    names = [f"many-{n}" for n in range(12)]
    site, known = site_of(std, HERE), settings(std)
    for name in names:
        known[f"Workflows.{name}.FlowState"] = "Disabled"
        std.world.resources.place(
            f"{site}/workflows/{name}", {"properties": {"state": "Disabled", "definition": {}}}
        )
    payloads = [task(std, "promote", workflow=name) for name in names]
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(lambda one: settled(std, "promote_logic_app_workflow", one), payloads))
    now = settings(std)
    assert [now[f"Workflows.{name}.FlowState"] for name in names] == ["Enabled"] * len(names)
    assert now["KEY"] == MARKER


def test_a_writer_in_another_host_that_verifies_loses_nothing_either(std: Doors) -> None:
    """Both replace the whole set all the time; each reads again until its own is there."""
    url = f"{site_of(std, HERE)}/config/appsettings"
    ended = threading.Event()

    def write() -> None:
        for n in range(12):
            for _ in range(20):
                asked = std.wire.ask("POST", f"{url}/list?api-version=2025-05-01").json()
                if asked["properties"].get("COUNT") == str(n):
                    break
                body = {"properties": {**asked["properties"], "COUNT": str(n)}}
                std.wire.ask("PUT", f"{url}?api-version=2025-05-01", body)
        ended.set()

    other = threading.Thread(target=write)
    other.start()
    promote(std)
    other.join(20)
    assert ended.is_set()
    promote(std)  # The keepers look again: what was overwritten after our last look is mended.
    assert settings(std) == {"KEY": MARKER, "COUNT": "11", STATE: "Enabled"}
