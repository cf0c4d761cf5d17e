"""ARM calls: a request as data, so that a dry run names exactly what a run would send.

A call is {"method", "url", "body"?}; its url begins with the path and holds the api-version.
"""

from collections.abc import Iterator
from urllib.parse import urlencode

from shared import clients, one_look
from shared.denials import refusal
from shared.guard import still
from shared.outcome import running, succeeded
from shared.reply import Reply, Surprise

RETRY_SECONDS = 15.0
RETRY_SECONDS_MAX = 60.0
PAGES_MAX = 200


def call(method: str, path: str, version: str, body: dict | None = None, **query: str) -> dict:
    """The call of `method` on an ARM path."""
    row: dict = {"method": method, "url": f"{path}?{urlencode({'api-version': version, **query})}"}
    return {**row, "body": body} if body is not None else row


def read(path: str, version: str, **query: str) -> Reply:
    """One GET."""
    return clients.ask("GET", whole(call("GET", path, version, None, **query)))


def send(task: dict, asked: dict) -> Reply:
    """Send a call that changes something, unless the witness says that `task` is over."""
    return clients.ask(asked["method"], whole(asked), asked.get("body"), before=still(task))


def pages(
    path: str, *, version: str | None = None, bounds: clients.Bounds | None = None
) -> Iterator[Reply]:
    """The answers to a list, page after page; one that is no yes is the last.

    More than PAGES_MAX are a Surprise, for half a list would pass for the whole.
    """
    url = path
    for _ in range(PAGES_MAX):  # A link of ARM's is a whole URL, with the version in it.
        reply = clients.ask("GET", url, version=version, bounds=bounds)
        yield reply
        url = reply.document.get("nextLink") if reply.ok else None
        if not url:
            return
    raise Surprise(f"more than {PAGES_MAX} pages at {path}")


def rows(
    path: str, *, version: str | None = None, bounds: clients.Bounds | None = None
) -> Iterator[dict]:
    """Every item of a list; raises Surprise where a page is not shown."""
    for reply in pages(path, version=version, bounds=bounds):
        yield from reply.expect().document.get("value", [])


def settings(site: str) -> tuple[int, dict[str, str]]:
    """(status, the app settings of a site). An answer's text may hold secrets: none is repeated.

    For checks only, which within one look get the same answer.
    """
    url = f"{site}/config/appsettings/list"
    reply = one_look.once(url, lambda: clients.ask("POST", url))
    found = reply.body.get("properties") if isinstance(reply.body, dict) and reply.ok else None
    return reply.status, found if isinstance(found, dict) else {}


def whole(asked: dict) -> str:
    """The URL of a call at the resource manager of this app."""
    return f"{clients.settings().arm_endpoint}{asked['url']}"


def begun(reply: Reply, thing: str, because: str) -> dict:
    """What came of a call that may take long: running, succeeded, or a refusal.

    `because`: what was so when it was sent, for the timeline.
    """
    if not reply.ok:
        return refusal(reply, thing)
    # The status document first: it names the error of what fails, in every provider.
    operation = reply.headers.get("azure-asyncoperation") or reply.headers.get("location")
    if reply.status in (201, 202) and operation:
        return running(operation, retry_after(reply), because=because)
    return succeeded(because)


def retry_after(reply: Reply) -> float:
    """How long the service wants to be left alone, bounded."""
    said = reply.headers.get("retry-after", "")
    return min(float(said), RETRY_SECONDS_MAX) if said.isdigit() else RETRY_SECONDS
