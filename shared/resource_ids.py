"""Resource ids: the parts of an ARM id that the official clients want one by one."""

from typing import NamedTuple

from shared.reply import Surprise


class ResourceId(NamedTuple):
    """Subscription, resource group and name of a top-level resource."""

    subscription: str
    group: str
    name: str


def parts(id: str) -> ResourceId:
    """The parts of `/subscriptions/{}/resourceGroups/{}/providers/{}/{}/{name}`."""
    words = id.strip("/").split("/")
    if len(words) != 8 or words[0].lower() != "subscriptions" or words[4].lower() != "providers":
        raise Surprise(f"{id} is not the id of a resource in a resource group")
    return ResourceId(words[1], words[3], words[7])


def group_of(resource: str) -> str:
    """The id of the resource group that a resource lies in."""
    return "/".join(resource.split("/")[:5])
