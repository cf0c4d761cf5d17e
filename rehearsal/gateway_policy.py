"""API Management's policies, as far as the rehearsal knows them: pure, XML in, steps out.

Known: base, include-fragment, set-backend-service, rewrite-uri, set-header, set-query-parameter,
set-status, set-body, return-response, authentication-managed-identity, forward-request.
Not emulated: policy expressions @(...), and every other element; both are refused by name.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from multidict import CIMultiDict

FRAGMENTS_DEEP_MAX = 5
SECTIONS = ("inbound", "backend", "outbound", "on-error")


class NotEmulated(Exception):
    """A policy that the rehearsal does not have; the text names it."""


class Broken(Exception):
    """A policy that a real gateway would fail on too."""


@dataclass
class Exchange:
    """A request on its way through, and the answer once there is one."""

    path: str
    query: list[tuple[str, str]]
    headers: CIMultiDict[str]
    parameters: dict[str, str]
    backend: str = ""
    rewritten: str | None = None
    keep_query: bool = True
    body: bytes | None = None  # set by set-body
    status: int = 200
    done: bool = False  # return-response ended it
    reply_headers: CIMultiDict[str] = field(default_factory=CIMultiDict)
    reply_body: bytes = b""


@dataclass(frozen=True)
class Rules:
    """What policies look things up in; `token` mints one for the service's identity."""

    named_values: dict[str, str]
    backends: dict[str, str]
    fragments: dict[str, str]
    token: Callable[[str], str]

    def parse(self, text: str) -> ET.Element:
        """A policy document with its named values filled in."""

        def value(match: re.Match[str]) -> str:
            name = match[1].strip().lower()
            if name not in self.named_values:
                raise Broken(f"the named value '{match[1]}' does not exist")
            return escape(self.named_values[name], {'"': "&quot;"})

        try:
            return ET.fromstring(re.sub(r"\{\{([^{}]+)\}\}", value, text))
        except ET.ParseError as wrong:
            raise Broken(f"the policy is not well-formed: {wrong}") from wrong

    def steps(self, chain: list[str | None], section: str, deep: int = 0) -> Iterator[ET.Element]:
        """The elements of one section with `base` followed; `chain` goes from inner to outer."""
        if not chain:
            return
        if not chain[0]:
            yield from self.steps(chain[1:], section)
            return
        found = self.parse(chain[0]).find(section)
        for element in found if found is not None else []:
            if element.tag == "base":
                yield from self.steps(chain[1:], section)
            else:
                yield from self.opened(element, deep)

    def opened(self, element: ET.Element, deep: int) -> Iterator[ET.Element]:
        """An element, or the elements of the fragment that it includes."""
        if element.tag != "include-fragment":
            yield element
            return
        text = self.fragments.get(element.get("fragment-id", "").lower())
        if text is None or deep >= FRAGMENTS_DEEP_MAX:
            raise Broken(f"the fragment '{element.get('fragment-id')}' cannot be included")
        for inner in self.parse(text):
            yield from self.opened(inner, deep + 1)

    def apply(self, element: ET.Element, exchange: Exchange, outbound: bool) -> None:
        """Do one element, or raise NotEmulated by its name."""
        for text in (element.text or "", *element.attrib.values()):
            if text.lstrip().startswith(("@(", "@{")):
                raise NotEmulated(f"policy expression in '{element.tag}'")
        if element.tag == "set-header":
            set_header(element, exchange.reply_headers if outbound else exchange.headers)
        elif element.tag == "set-body":
            _set_body(element, exchange, outbound)
        elif element.tag in KNOWN:
            KNOWN[element.tag](self, element, exchange)
        else:
            raise NotEmulated(f"policy '{element.tag}'")


def set_header(element: ET.Element, headers: CIMultiDict[str]) -> None:
    """set-header with exists-action override, skip, append or delete."""
    name, action = element.get("name", ""), element.get("exists-action", "override")
    values = [(value.text or "").strip() for value in element.findall("value")]
    if action == "skip" and name in headers:
        return
    if action in ("override", "delete"):
        headers.popall(name, [])
    if action != "delete":
        for value in values:
            headers.add(name, value)


def _set_body(element: ET.Element, exchange: Exchange, outbound: bool) -> None:
    body = (element.text or "").strip().encode()
    if outbound:
        exchange.reply_body = body
    else:
        exchange.body = body


def _backend(rules: Rules, element: ET.Element, exchange: Exchange) -> None:
    name, url = element.get("backend-id"), element.get("base-url")
    if name is not None:
        url = rules.backends.get(name.lower())
        if url is None:
            raise Broken(f"the backend '{name}' does not exist")
    exchange.backend = url or ""


def _rewrite(rules: Rules, element: ET.Element, exchange: Exchange) -> None:
    template = element.get("template", "/")
    for name, value in exchange.parameters.items():
        template = template.replace(f"{{{name}}}", value)
    exchange.rewritten = template
    exchange.keep_query = element.get("copy-unmatched-params", "true") == "true"


def _query(rules: Rules, element: ET.Element, exchange: Exchange) -> None:
    name, action = element.get("name", ""), element.get("exists-action", "override")
    if action == "skip" and any(key == name for key, _ in exchange.query):
        return
    if action in ("override", "delete"):
        exchange.query = [(key, value) for key, value in exchange.query if key != name]
    if action != "delete":
        exchange.query += [(name, (value.text or "").strip()) for value in element.findall("value")]


def _identity(rules: Rules, element: ET.Element, exchange: Exchange) -> None:
    if element.get("output-token-variable-name"):
        raise NotEmulated("output-token-variable-name")
    token = rules.token(element.get("resource", ""))
    exchange.headers["Authorization"] = f"Bearer {token}"


def _status(rules: Rules, element: ET.Element, exchange: Exchange) -> None:
    exchange.status = int(element.get("code", "200"))


def _return(rules: Rules, element: ET.Element, exchange: Exchange) -> None:
    exchange.done, exchange.status = True, 200
    for inner in element:
        rules.apply(inner, exchange, outbound=True)


def _nothing(rules: Rules, element: ET.Element, exchange: Exchange) -> None:
    """forward-request: the gateway itself forwards."""


KNOWN: dict[str, Callable[[Rules, ET.Element, Exchange], None]] = {
    "set-backend-service": _backend,
    "rewrite-uri": _rewrite,
    "set-query-parameter": _query,
    "authentication-managed-identity": _identity,
    "set-status": _status,
    "return-response": _return,
    "forward-request": _nothing,
}
