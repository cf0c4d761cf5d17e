"""Data plane: requests to a service's own address, with a token that is for that service alone.

A token goes only to a host under the service's suffix, whatever a resource says its address is.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared import clients
from shared.once import once
from shared.reply import Reply, Surprise

if TYPE_CHECKING:
    from azure.core import PipelineClient

BATCH = "batch.azure.com"
AUDIENCES = {BATCH: "https://batch.core.windows.net/.default"}


@once
def client(suffix: str) -> "PipelineClient":
    """A service's client: bearer token, bounded retries, short timeouts, as for ARM."""
    from azure.core import PipelineClient
    from azure.core.pipeline.policies import (
        BearerTokenCredentialPolicy,
        HeadersPolicy,
        RequestIdPolicy,
        UserAgentPolicy,
    )

    policies = [
        RequestIdPolicy(),
        HeadersPolicy({"Accept": "application/json"}),
        UserAgentPolicy("understudy"),
        clients.retries(),
        BearerTokenCredentialPolicy(clients.credential(), AUDIENCES[suffix]),
        clients.asking_first(),
    ]
    return PipelineClient(
        base_url="",
        policies=policies,
        connection_timeout=clients.CONNECT_SECONDS,
        read_timeout=clients.READ_SECONDS,
    )


def ask(
    suffix: str,
    method: str,
    url: str,
    *,
    bounds: clients.Bounds | None = None,
    before: Callable[[], None] | None = None,
) -> Reply:
    """One request. `before`: what every sending asks first. A strange host is a Surprise."""
    from azure.core.rest import HttpRequest

    host = urlsplit(url).hostname or ""
    if not url.startswith("https://") or not host.endswith(f".{suffix}"):
        raise Surprise(f"{host or url[:50]} is not of {suffix}: it gets no token")
    request = HttpRequest(method, url)
    return clients.answer(client(suffix).send_request, request, before=before, **(bounds or {}))
