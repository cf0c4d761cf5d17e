"""Blobs: read, write and list small documents; every refusal of storage says what to do.

A write names what it expects to replace (an ETag, or nothing yet), so that of two writers at once
one is told, and a repeat after a lost answer can be recognised by its bytes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar, cast

from shared import clients
from shared.reply import Surprise, Unreachable

T = TypeVar("T")
BYTES_MAX = 4 * 1024 * 1024
NAMES_MAX = 5000
NEW = "*new*"  # Write only where nothing is yet.
ADVICE = {
    "ContainerNotFound": "create the container",
    "AuthorizationFailure": "the account's firewall keeps this app out: let its network in",
    "AuthorizationPermissionMismatch": "give the app's identity Storage Blob Data Contributor",
}


# Storage is busy or broken, which says nothing about what was asked: the same may work in a while.
PASSING = (408, 429, 500, 502, 503, 504)


class StorageRefused(Surprise):
    """Storage said no for good; `code` is its error code, the text what to do where it is known."""

    def __init__(self, status: int, code: str, where: str) -> None:
        advice = ADVICE.get(code)
        super().__init__(f"{where}: {status} {code}" + (f": {advice}" if advice else ""))
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Blob:
    """One blob as it was read, and the time of the storage service then (its Date header)."""

    data: bytes
    etag: str
    server_time: datetime


@dataclass(frozen=True)
class Place:
    """A container of an account: where blobs of one purpose are."""

    account_uri: str
    container: str
    seconds: float = clients.READ_SECONDS

    def get(self, name: str) -> Blob | None:
        """The blob, or None where there is none."""
        headers: dict[str, str] = {}

        def note(response) -> None:
            headers.update({k.lower(): v for k, v in response.http_response.headers.items()})

        def work() -> Blob:
            stream = self._blob(name).download_blob(
                offset=0, length=BYTES_MAX, raw_response_hook=note
            )
            data = cast(bytes, stream.readall())
            if "date" not in headers:  # Something between us and the service has answered.
                raise Surprise(f"{self.account_uri}: an answer without a date")
            return Blob(data, stream.properties.etag, parsedate_to_datetime(headers["date"]))

        return self._asked(work, name, absent=("BlobNotFound",))

    def put(self, name: str, data: bytes, expect: str | None = None) -> str | None:
        """Write a blob: its new ETag, or None when it is not (or no longer) what was expected.

        `expect`: an ETag, NEW, or None for "whatever is there".
        """
        from azure.core import MatchConditions

        terms: dict = {}
        if expect == NEW:
            terms = {"match_condition": MatchConditions.IfMissing}
        elif expect is not None:
            terms = {"etag": expect, "match_condition": MatchConditions.IfNotModified}

        def work() -> str:
            return self._blob(name).upload_blob(data, overwrite=expect != NEW, **terms)["etag"]

        return self._asked(work, name, absent=("ConditionNotMet", "BlobAlreadyExists"))

    def size(self, name: str) -> int | None:
        """The blob's bytes, or None where there is none."""

        def work() -> int:
            return self._blob(name).get_blob_properties().size

        # A HEAD has no body, so the SDK knows only the header's code, or none behind some fronts.
        return self._asked(work, name, absent=("BlobNotFound",))

    def remove(self, name: str) -> None:
        """Delete a blob; nothing when it is gone already."""
        self._asked(lambda: self._blob(name).delete_blob(), name, absent=("BlobNotFound",))

    def names(self, prefix: str = "") -> list[str]:
        """The names of the first NAMES_MAX blobs under a prefix."""

        def work() -> list[str]:
            service = clients.blobs(self.account_uri, self.seconds)
            found: list[str] = []
            for name in service.get_container_client(self.container).list_blob_names(
                name_starts_with=prefix
            ):
                found.append(name)
                if len(found) == NAMES_MAX:
                    break
            return found

        return self._asked(work, prefix, absent=()) or []

    def _blob(self, name: str):
        service = clients.blobs(self.account_uri, self.seconds)
        return service.get_blob_client(self.container, name)

    def _asked(self, work: Callable[[], T], name: str, absent: tuple[str, ...]) -> T | None:
        from azure.core.exceptions import (
            AzureError,
            HttpResponseError,
            ServiceRequestError,
            ServiceResponseError,
        )

        where = f"{self.account_uri}/{self.container}/{name}".rstrip("/")
        try:
            return work()
        except HttpResponseError as error:
            found = getattr(error, "error_code", None) or ""
            code = str(getattr(found, "value", found))  # An enum where the SDK knows the code.
            if code in absent:
                return None
            if error.status_code in PASSING:
                raise Surprise(f"{where}: {error.status_code} {code}") from error
            raise StorageRefused(
                error.status_code or 0, code or str(error.reason), where
            ) from error
        except (ServiceRequestError, ServiceResponseError) as error:
            raise Unreachable(f"{where}: unreachable") from error
        except AzureError as error:
            raise Surprise(f"{where}: {error}") from error


def of_account(account: str, container: str) -> Place:
    """A container of a storage account that is known by its name alone."""
    return Place(f"https://{account}.blob.core.windows.net", container)
