"""What is outside the estate: the sites of the plan's controls, in no location of the plan.

A control answers "can I reach anything at all?".
"""

from urllib.parse import urlsplit

import yaml

from rehearsal.certificates import Authority
from rehearsal.estate import Scene
from rehearsal.network_calls import Server, start_internet
from rehearsal.world import World

INTERNET = "internet"


def controls(scene: Scene) -> tuple[str, ...]:
    """The host names of the plan's controls."""
    watch = yaml.safe_load(scene.plan_text).get("watch") or {}
    return tuple(host for url in watch.get("controls", []) if (host := urlsplit(url).hostname))


async def start(world: World, scene: Scene, authority: Authority) -> Server:
    """Serve the plan's controls, under their own names."""
    hosts = controls(scene)
    return await start_internet(world, hosts, authority.leaf("internet", *hosts).server())
