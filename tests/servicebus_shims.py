"""A pytest plugin that lets the official client's live tests run against the player.

It stands in for what those tests import besides the client: the test tools that record, and the
preparers that make entities through ARM. Told by the environment where the player is.
"""

import functools
import json
import os
import sys
import types
import urllib.request
import uuid
from collections.abc import Callable
from types import SimpleNamespace

import azure.servicebus
from azure.core.credentials import AccessToken

ADMIN = os.environ["PLAYER_ADMIN"]
PORT = os.environ["PLAYER_PORT"]
CONNECTION = os.environ["PLAYER_CONNECTION"]
TOKEN_EXPIRES_AT = 4_102_444_800  # The year 2100.
SECONDS_MAX = 10


def call_admin(method: str, path: str, body: dict) -> dict:
    request = urllib.request.Request(ADMIN + path, json.dumps(body).encode(), method=method)
    with urllib.request.urlopen(request, timeout=SECONDS_MAX) as reply:
        return json.load(reply)


class Credential:
    """Any token will do."""

    def get_token(self, *scopes: str, **options: object) -> AccessToken:
        return AccessToken("rehearsal", TOKEN_EXPIRES_AT)


class Preparer:
    """A decorator that gives a test one thing it needs."""

    def __init__(self, name_prefix: str = "", **options: object) -> None:
        self.options = options

    def make(self) -> dict:
        return {}

    def remove(self, made: dict) -> None:
        """Nothing is to be removed, unless a queue was made."""

    def __call__(self, test: Callable) -> Callable:
        @functools.wraps(test)
        def prepared(*args: object, **kwargs: object) -> None:
            made = self.make()
            try:
                test(*args, **{**kwargs, **made})
            finally:
                self.remove(made)

        return prepared


class NamespacePreparer(Preparer):
    def make(self) -> dict:
        return {
            "servicebus_namespace": SimpleNamespace(name=f"127.0.0.1:{PORT}"),
            "servicebus_namespace_connection_string": CONNECTION,
            "servicebus_namespace_key_name": "rehearsal",
            "servicebus_namespace_primary_key": "rehearsal",
        }


class QueuePreparer(Preparer):
    ARM_NAMES = {
        "requires_duplicate_detection": "requiresDuplicateDetection",
        "dead_lettering_on_message_expiration": "deadLetteringOnMessageExpiration",
        "requires_session": "requiresSession",
        "lock_duration": "lockDuration",
    }

    def make(self) -> dict:
        wanted = {"lock_duration": "PT30S", **self.options}
        properties = {self.ARM_NAMES[key]: wanted[key] for key in wanted if key in self.ARM_NAMES}
        name = f"queue{uuid.uuid4().hex[:12]}"
        call_admin("PUT", f"/queues/{name}", {"properties": properties})
        return {"servicebus_queue": SimpleNamespace(name=name)}

    def remove(self, made: dict) -> None:
        call_admin("DELETE", f"/queues/{made['servicebus_queue'].name}", {})


def module(name: str, **contents: object) -> None:
    made = types.ModuleType(name)
    made.__dict__.update(contents)
    sys.modules[name] = made


def without_tls(client: type) -> None:
    """The player speaks plain AMQP; the client's constructor has a switch for that."""
    original = client.__init__

    @functools.wraps(original)
    def begin(self: object, *args: object, **kwargs: object) -> None:
        kwargs.setdefault("use_tls", False)
        original(self, *args, **kwargs)

    type.__setattr__(client, "__init__", begin)


module(
    "devtools_testutils",
    AzureMgmtRecordedTestCase=type("AzureMgmtRecordedTestCase", (), {"is_live": True}),
    get_credential=lambda **_: Credential(),
)
module(
    "servicebus_preparer",
    SERVICEBUS_ENDPOINT_SUFFIX="",
    CachedServiceBusResourceGroupPreparer=Preparer,
    CachedServiceBusNamespacePreparer=NamespacePreparer,
    ServiceBusQueuePreparer=QueuePreparer,
    CachedServiceBusQueuePreparer=QueuePreparer,
    ServiceBusTopicPreparer=Preparer,
    ServiceBusSubscriptionPreparer=Preparer,
    CachedServiceBusTopicPreparer=Preparer,
    CachedServiceBusSubscriptionPreparer=Preparer,
)
without_tls(azure.servicebus.ServiceBusClient)
