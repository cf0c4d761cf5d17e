"""Certificates: the rehearsal's own authority and leaves for the names of its hosts.

Clients trust it through REQUESTS_CA_BUNDLE and SSL_CERT_FILE; no check is ever switched off.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme

LOCAL = ("localhost", "127.0.0.1")
# One wildcard covers one label: prod-we.westeurope.logic.azure.com needs its region spelt out.
AZURE = (
    "*.blob.core.windows.net",
    "*.azure-api.net",
    "*.azurewebsites.net",
    "*.trafficmanager.net",
    "*.servicebus.windows.net",
)
REGIONAL = ("logic.azure.com", "batch.azure.com")


@dataclass(frozen=True)
class Leaf:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path

    def server(self) -> ssl.SSLContext:
        """The context of a server that shows this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


class Authority:
    """One authority in `folder`: `ca.pem`, and `bundle.pem` for clients."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._ca = trustme.CA(organization_name="Understudy rehearsal")
        self.bundle = folder / "ca.pem"
        self._ca.cert_pem.write_to_path(self.bundle)

    def leaf(self, file: str, *names: str, regions: tuple[str, ...] = ()) -> Leaf:
        """A leaf for `names`, for localhost and for Azure's public suffixes.

        `regions` adds `*.{region}.logic.azure.com` for each, and the others of REGIONAL.
        """
        there = [f"*.{region}.{suffix}" for region in regions for suffix in REGIONAL]
        made = self._ca.issue_cert(*dict.fromkeys([*LOCAL, *AZURE, *there, *names]))
        certificate, key = self.folder / f"{file}.pem", self.folder / f"{file}.key"
        made.private_key_pem.write_to_path(key)
        key.chmod(0o600)
        certificate.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
        return Leaf(certificate, key)

    def client(self) -> ssl.SSLContext:
        """The context of a client that trusts this authority and no other."""
        return ssl.create_default_context(cafile=str(self.bundle))
