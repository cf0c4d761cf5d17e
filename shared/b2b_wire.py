"""Integration accounts at the wire: read what is in one, put what another one has, note a bump.

After Microsoft.Logic 2019-05-01. An answer to a refused change is told by its code alone: its
message may quote what was sent.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass

from shared import arm_calls, b2b, clients, probe, store
from shared.blobs import NEW
from shared.denials import denied
from shared.guard import still
from shared.reply import Reply, Surprise, Unreachable

FETCH_SECONDS = 10.0
CONTENT_BYTES_MAX = 8 * 1024 * 1024  # The largest schema or map of an integration account.
CHUNK_BYTES = 65_536
SWAPS_MAX = 5


class No(Exception):
    """An expected no of an integration account; `because` says what to do about it."""

    def __init__(self, because: str, busy: bool = False) -> None:
        super().__init__(because)
        self.because, self.busy = because, busy


@dataclass(frozen=True)
class Account:
    """What is in an integration account: itself, its artifacts by kind, its sessions by name."""

    body: dict
    artifacts: dict[str, b2b.Rows]
    sessions: b2b.Rows

    @property
    def agreements(self) -> b2b.Rows:
        return self.artifacts.get("agreements", {})

    @property
    def ranges(self) -> dict[tuple[str, str], b2b.Range]:
        """What its agreements may send."""
        return b2b.ranges(self.agreements)


def account(resource: str, kinds: tuple[str, ...] = b2b.KINDS, hurried: bool = False) -> Account:
    """Read an account, its sessions and the artifacts of `kinds`; raises No and Surprise."""
    bounds = clients.HURRIED if hurried else None
    reply = clients.ask("GET", resource, bounds=bounds)
    body = said(reply, resource).document
    artifacts = {kind: rows(resource, kind, bounds) for kind in kinds}
    return Account(body, artifacts, rows(resource, b2b.SESSIONS, bounds))


def rows(resource: str, kind: str, bounds: clients.Bounds | None = None) -> b2b.Rows:
    """name -> properties of everything of one kind."""
    found: b2b.Rows = {}
    for reply in arm_calls.pages(f"{resource}/{kind}", bounds=bounds):
        for row in said(reply, resource).document.get("value", []):
            found[str(row["name"])] = row.get("properties") or {}
    return found


def lags(part: dict, location: str, theirs: Account, mine: Account) -> dict:
    """`b2b.lags` of a component's two accounts, with the vault and what its plan declares."""
    vault = part.get("vaults", {}).get(location, "")
    return b2b.lags(theirs.artifacts, mine.artifacts, vault, part.get("differences", []))


def said(reply: Reply, resource: str) -> Reply:
    """The reply, unless it is an expected no."""
    name = resource.rsplit("/", 1)[-1]
    if reply.status == 400:
        raise No(f"{name}: {reply.status} {reply.code}")
    no = denied(reply, f"integration account {name}")
    if no:
        raise No(no["because"], bool(no.get("busy")))
    return reply


def put(task: dict, path: str, properties: dict) -> None:
    """Make or change `path` of the task's account; raises No with the path in front."""
    where = f"{task['component']['resource']}/{path}"
    reply = clients.ask("PUT", where, {"properties": properties}, before=still(task))
    try:
        said(reply, task["component"]["resource"])
    except No as no:
        raise No(f"{path}: {no.because}", no.busy) from no


def filled(path: str, wanted: dict, source: dict) -> dict:
    """An artifact with its content, fetched from where the source's link leads; raises No."""
    kind = path.partition("/")[0]
    if kind not in b2b.WITH_CONTENT:
        return wanted
    link = (source.get("contentLink") or {}).get("uri")
    if not isinstance(link, str) or not link.startswith("https://"):
        raise No(f"{path}: its content has no link")
    data = fetched(path, link)
    content = base64.b64encode(data).decode() if kind == "assemblies" else text_of(path, data)
    return {**wanted, "content": content}


def text_of(path: str, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise No(f"{path}: its content is no UTF-8: copy it by hand") from error


def fetched(path: str, link: str) -> bytes:
    """What lies behind a signed link. No token goes along, and nobody is told the link."""
    import requests

    def get() -> tuple[int, bytes]:
        wait = (FETCH_SECONDS, FETCH_SECONDS)
        with requests.get(link, timeout=wait, allow_redirects=False, stream=True) as answered:
            data = b""
            for chunk in answered.iter_content(CHUNK_BYTES):
                data += chunk
                if len(data) > CONTENT_BYTES_MAX:
                    raise No(f"{path}: more than {CONTENT_BYTES_MAX} bytes: copy it by hand")
            return answered.status_code, data

    try:
        status, data = probe.within(FETCH_SECONDS, get)
    except requests.RequestException as error:
        raise Unreachable(f"{path}: its content: {type(error).__name__}") from None
    if status != 200:
        raise No(f"{path}: its content answered {status}")
    return data


def read_note(plan: str, component: str) -> dict | None:
    """{"epoch", "floors": {session: number}, "spent": [session]} of the last bump made here."""
    blob = store.place().get(note_name(plan, component))
    return json.loads(blob.data) if blob else None


def note(plan: str, component: str, epoch: int, make: Callable[[], dict]) -> dict:
    """The note of this epoch: the one that is there, or else what `make` gives, kept for good."""
    name = note_name(plan, component)
    for _ in range(SWAPS_MAX):
        blob = store.place().get(name)
        known = json.loads(blob.data) if blob else None
        if known and known["epoch"] >= epoch:
            return known
        made = {"epoch": epoch, **make()}
        expect = blob.etag if blob else NEW
        if store.place().put(name, json.dumps(made).encode(), expect=expect):
            return made
    raise Surprise(f"the note of {component} changed {SWAPS_MAX} times meanwhile")


def note_name(plan: str, component: str) -> str:
    return f"b2b/{plan}.{component}.json"
