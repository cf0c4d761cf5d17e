"""The sample estate, read back through ARM, is as Microsoft publishes its resources."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.estate import load
from rehearsal.estate_seed import seed
from rehearsal.providers import registered
from rehearsal.world import World, parent_of
from tests.wire import Wire, check_exchanges, open_wire

ESTATE = Path(__file__).resolve().parents[1] / "rehearsal" / "estates" / "contoso.yaml"


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    world = World(poll_seconds=0)
    seed(world, load(ESTATE).estate)
    world.latency_seconds = 0.0
    with open_wire(tmp_path_factory.mktemp("estate"), world) as opened:
        yield opened


def test_every_resource_of_the_estate_and_every_list_of_them_is_as_published(wire: Wire) -> None:
    providers = {row.type.lower(): row for row in registered()}
    wire.arm.throttle.set_limit("reads", 10_000, 1_000)
    last = len(wire.world.journal.after())
    lists: set[str] = set()
    for row in wire.world.resources:
        provider = providers[row.type.lower()]
        version = f"api-version={provider.versions[0]}"
        if "GET" in provider.methods and not row.type.endswith("blobServices"):
            assert wire.ask("GET", f"{row.id}?{version}").status_code == 200, row.id
        if row.type.startswith(("Microsoft.ApiManagement", "Microsoft.Logic")):
            kind = row.type.rsplit("/", 1)[-1]
            lists.add(
                f"{parent_of(row.id)}{'/providers/' if row.type.count('/') == 1 else '/'}"
                f"{row.type if row.type.count('/') == 1 else kind}?{version}"
            )
    for path in sorted(lists):
        assert wire.ask("GET", path).status_code == 200, path
    check_exchanges(wire.world.journal.after(last))
