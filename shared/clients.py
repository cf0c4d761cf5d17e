"""Clients: the only doors to Azure, opened when first used and shared from then on.

An Azure SDK is imported inside the function that needs it: a cold start is recovery time. Every
door takes the credential, not a token: the credential keeps each token until shortly before it
ends and then fetches the next, so every poll of a long operation goes out with a valid one.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared.once import forget as forget
from shared.once import once
from shared.reply import Reply, Surprise, Unreachable, reply_of
from shared.settings import settings

if TYPE_CHECKING:  # Names for the type checker; at run time nothing of this is imported here.
    from azure.core import PipelineClient
    from azure.core.credentials import TokenCredential
    from azure.mgmt.apimanagement import ApiManagementClient
    from azure.mgmt.logic import LogicManagementClient
    from azure.mgmt.trafficmanager import TrafficManagerManagementClient
    from azure.servicebus import ServiceBusClient
    from azure.storage.blob import BlobServiceClient

Bounds = dict[str, float]  # retry_total, connection_timeout, read_timeout, as azure-core's

# Checked against the published definitions of each provider.
API_VERSIONS = {
    "Microsoft.ApiManagement": "2024-05-01",
    "Microsoft.Authorization": "2022-04-01",
    "Microsoft.Batch": "2024-07-01",
    "Microsoft.Compute": "2025-04-01",
    "Microsoft.DataFactory": "2018-06-01",
    "Microsoft.DocumentDB": "2026-03-15",
    "Microsoft.EventHub": "2026-01-01",
    "Microsoft.Logic": "2019-05-01",
    "Microsoft.Network": "2022-04-01",
    "Microsoft.Resources": "2022-12-01",
    "Microsoft.ServiceBus": "2024-01-01",
    "Microsoft.Sql": "2025-01-01",
    "Microsoft.Storage": "2025-08-01",
    "Microsoft.Web": "2025-05-01",
}
GROUPS_VERSION = "2025-04-01"  # Of resource groups; subscriptions have none as new.
CONNECT_SECONDS = 3
READ_SECONDS = 10
RETRIES = 3
RETRY_AFTER_SECONDS_MAX = 20  # A service that asks for more gets the orchestrator's durable wait.
BACKOFF_SECONDS_MAX = 5
HURRIED: Bounds = {
    "retry_total": 0,
    "connection_timeout": 2,
    "read_timeout": 3,
}  # Of a region in doubt.
PACED: Bounds = {**HURRIED, "retry_total": 1, "retry_connect": 0, "retry_read": 0}
# Silence is not repeated; who answers that it is asked too often, or is busy, is asked once more.


@once
def credential() -> "TokenCredential":
    """The app's managed identity: the user-assigned one when AZURE_CLIENT_ID names it."""
    from azure.identity import ManagedIdentityCredential

    return ManagedIdentityCredential(client_id=settings().client_id)


def scope() -> str:
    """What a token for ARM is for, also for workflows called with a bearer token."""
    return f"{settings().arm_audience}/.default"


@once
def arm() -> "PipelineClient":
    """ARM for raw paths: bearer token, bounded retries that heed Retry-After, short timeouts."""
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
        retries(),
        BearerTokenCredentialPolicy(credential(), scope()),
        asking_first(),
    ]
    return PipelineClient(
        base_url=settings().arm_endpoint,
        policies=policies,
        connection_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
    )


def retries() -> "object":
    """azure-core's retries, except that no answer can make an activity wait for long."""
    from azure.core.pipeline.policies import RetryPolicy

    class Bounded(RetryPolicy):
        def get_retry_after(self, response) -> float | None:
            asked = super().get_retry_after(response)
            return None if asked is None else min(asked, RETRY_AFTER_SECONDS_MAX)

    return Bounded(
        retry_total=RETRIES, retry_backoff_factor=0.4, retry_backoff_max=BACKOFF_SECONDS_MAX
    )


def asking_first() -> "object":
    """Calls the option `before` in front of every sending, repeats included; it may raise.

    Behind the retries and the token in the pipeline: what either has waited for is over by then.
    """
    from azure.core.pipeline.policies import SansIOHTTPPolicy

    class AskingFirst(SansIOHTTPPolicy):
        def on_request(self, request) -> None:
            known = request.context
            known["before"] = known.options.pop("before", None) or known.get("before")
            if known["before"]:
                known["before"]()

    return AskingFirst()


def _options() -> dict:
    """What every azure-mgmt client is made with."""
    return {
        "credential": credential(),
        "base_url": settings().arm_endpoint,
        "credential_scopes": [scope()],
        "retry_policy": retries(),
        "custom_hook_policy": asking_first(),
        "connection_timeout": CONNECT_SECONDS,
        "read_timeout": READ_SECONDS,
    }


@once
def logic(subscription: str) -> "LogicManagementClient":
    """Microsoft.Logic."""
    from azure.mgmt.logic import LogicManagementClient

    return LogicManagementClient(subscription_id=subscription, **_options())


@once
def apim(subscription: str) -> "ApiManagementClient":
    """Microsoft.ApiManagement."""
    from azure.mgmt.apimanagement import ApiManagementClient

    version = API_VERSIONS["Microsoft.ApiManagement"]
    return ApiManagementClient(subscription_id=subscription, api_version=version, **_options())


@once
def traffic(subscription: str) -> "TrafficManagerManagementClient":
    """Traffic Manager."""
    from azure.mgmt.trafficmanager import TrafficManagerManagementClient

    version = API_VERSIONS["Microsoft.Network"]
    return TrafficManagerManagementClient(
        subscription_id=subscription, api_version=version, **_options()
    )


def ask(
    method: str,
    path: str,
    body: dict | None = None,
    *,
    headers: dict[str, str] | None = None,
    version: str | None = None,
    query: dict[str, str] | None = None,
    bounds: Bounds | None = None,
    before: Callable[[], None] | None = None,
) -> Reply:
    """One ARM request by path or by a whole URL that ARM gave; `bounds` as in HURRIED.

    `before`: what every sending asks first, as `guard.still`.
    A URL of another host is a Surprise: our token goes to nobody but ARM.
    """
    from azure.core.rest import HttpRequest

    known = settings().arm_endpoint
    if path.startswith(("http://", "https://")):
        if urlsplit(path).netloc.lower() != urlsplit(known).netloc.lower():
            raise Surprise(f"{urlsplit(path).netloc} is not the resource manager")
        url, params = path, None
    else:
        own = {"api-version": version or version_of(path)}
        url, params = f"{known}{path}", {**own, **(query or {})}
    request = HttpRequest(method, url, params=params, json=body, headers=headers)
    return answer(arm().send_request, request, before=before, **(bounds or {}))


def version_of(path: str) -> str:
    """The api-version with which this app speaks to the provider of an ARM path."""
    lower = path.lower()
    provider = lower.rpartition("/providers/")[2].split("/")[0] if "/providers/" in lower else ""
    if not provider and "/resourcegroups/" in lower:
        return GROUPS_VERSION  # Of the same provider, but on a calendar of their own.
    known = {name.lower(): version for name, version in API_VERSIONS.items()}
    return known.get(provider, API_VERSIONS["Microsoft.Resources"])


def answer(operation: Callable[..., object], *args: object, **options: object) -> Reply:
    """Call one operation of an Azure client; its answer, whether good or bad, as a Reply.

    Raises Unreachable when there was none, and Surprise when no token was to be had.
    """
    from azure.core.exceptions import (
        AzureError,
        HttpResponseError,
        ServiceRequestError,
        ServiceResponseError,
    )

    if getattr(operation, "__name__", "") != "send_request":
        options["cls"] = lambda pipeline, *_: pipeline.http_response
    try:
        return reply_of(operation(*args, **options))
    except HttpResponseError as error:
        if error.response is None:
            raise Surprise(f"{type(error).__name__}: {error.message}") from error
        return reply_of(error.response)
    except (ServiceRequestError, ServiceResponseError) as error:
        raise Unreachable(f"unreachable: {error}") from error
    except (AzureError, ValueError) as error:  # ValueError: HTML where the SDK wanted JSON.
        raise Surprise(f"{type(error).__name__}: {error}"[:300]) from error


@once
def blobs(account_uri: str, seconds: float = READ_SECONDS) -> "BlobServiceClient":
    """A storage account. `seconds` bounds an answer; below the default nothing is repeated."""
    from azure.storage.blob import BlobServiceClient, ExponentialRetry

    repeats = RETRIES - 1 if seconds >= READ_SECONDS else 0
    return BlobServiceClient(
        account_uri,
        credential=credential(),
        # The SDK's own first pause is 15 s: longer than a round of the watchdog.
        retry_policy=ExponentialRetry(initial_backoff=1, increment_base=2, retry_total=repeats),
        connection_timeout=min(CONNECT_SECONDS, seconds),
        read_timeout=seconds,
    )


@once
def bus(location: str) -> "ServiceBusClient":
    """The slip namespace of a location, with identity or, in rehearsals, a connection string."""
    from azure.servicebus import ServiceBusClient

    known = settings().slips.get(location)
    if known is None:
        raise Surprise(f"no setting SLIPS_{location.upper()}__fullyQualifiedNamespace")
    patience = {"retry_total": 2, "retry_backoff_factor": 0.4, "retry_backoff_max": 2}
    if "Endpoint=" in known:
        return ServiceBusClient.from_connection_string(known, **patience)
    return ServiceBusClient(known, credential(), **patience)
