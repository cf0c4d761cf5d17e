"""The words in which a resource provider is written: Provider, Call, Reply, Refused, running.

A provider adds only what differs from the kernel's CRUD. Hooks may be plain or async functions.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from rehearsal.arm_routes import Route
from rehearsal.world import Resource, World

LOCATION, ASYNC_OPERATION = "Location", "Azure-AsyncOperation"


class Refused(Exception):
    """A refusal, raised anywhere and rendered once as ARM's error body."""

    def __init__(
        self, status: int, code: str, message: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message = status, code, message
        self.headers = headers or {}

    @property
    def body(self) -> dict:
        """`{"error": {"code", "message"}}`."""
        return {"error": {"code": self.code, "message": self.message}}


@dataclass
class Reply:
    """What goes back: a JSON body, nothing (None) or text."""

    status: int = 200
    body: dict | list | str | None = None
    headers: dict[str, str] = field(default_factory=dict)


Then = Callable[[], Awaitable[dict | None] | dict | None]


@dataclass(frozen=True)
class Running:
    """A long-running operation: after `seconds`, `then` does it; what it returns is the result.

    `via` are the headers that lead to it; `then` may raise Refused, which makes it Failed.
    """

    seconds: float
    then: Then
    via: tuple[str, ...] = (LOCATION,)
    status: int = 202
    body: dict | None = None


def running(
    seconds: float,
    then: Then,
    *,
    via: tuple[str, ...] = (LOCATION,),
    status: int = 202,
    body: dict | None = None,
) -> Running:
    """Answer `status` now and do `then` after `seconds` of the region being up."""
    return Running(seconds, then, via, status, body)


@dataclass(frozen=True)
class Principal:
    """Who asks: object id, name, and the location it runs in ("" for a person outside)."""

    oid: str
    name: str
    location: str


@dataclass
class Call:
    """One request as a provider sees it."""

    world: World
    method: str
    route: Route
    query: dict[str, str]
    headers: dict[str, str]
    body: dict
    base_url: str
    principal: Principal
    resource: Resource | None = None
    namespaces: dict[str, list["Provider"]] = field(default_factory=dict)
    # For a deployment, which asks ARM in its caller's name: `(method, id, api-version, body)`.
    ask: Callable[[str, str, str, dict], Awaitable[Reply]] | None = None

    @property
    def api_version(self) -> str:
        """The api-version asked for."""
        return self.query.get("api-version", "")

    def found(self) -> Resource:
        """The resource of the path, or the 404 that ARM gives."""
        if self.resource is None:
            raise not_found(self.route)
        return self.resource

    def parent(self) -> Resource:
        """The resource above the path's, or its 404."""
        above = self.world.resources.get(self.route.parent_id)
        if above is None:
            raise Refused(404, "ParentResourceNotFound", f"No resource {self.route.parent_id}.")
        return above


def not_found(route: Route) -> Refused:
    """ARM's 404 for a resource that is not there."""
    short = route.type if not route.name else f"{route.type}/{route.name}"
    return Refused(
        404,
        "ResourceNotFound",
        f"The Resource '{short}' under resource group '{route.group}' was not found.",
    )


Answer = Reply | Running | dict | None
Handler = Callable[[Call], Awaitable[Answer] | Answer]
Put = Callable[[Call, dict, Resource | None], Awaitable[Running | None] | Running | None]
Placed = Callable[[Call, Resource, dict | None], Awaitable[None] | None]
Removed = Callable[[Call, Resource], Awaitable[Running | None] | Running | None]
Shown = Callable[[Call, Resource], dict]


class Items(Protocol):
    """The items of a collection, of which a page is taken."""

    def __len__(self) -> int: ...

    def __getitem__(self, page: slice, /) -> list[dict]: ...


Listed = Callable[[Call], Awaitable[Items] | Items]
# A decorator gives back the very function that it was given, so that others may call it.
HandlerT = TypeVar("HandlerT", bound=Handler)
PutT = TypeVar("PutT", bound=Put)
PlacedT = TypeVar("PlacedT", bound=Placed)
RemovedT = TypeVar("RemovedT", bound=Removed)
ShownT = TypeVar("ShownT", bound=Shown)
ListedT = TypeVar("ListedT", bound=Listed)


@dataclass
class Provider:
    """One resource type: its versions, its quirks as data, and hooks for what differs.

    `virtual`: instances are not in the resource table (runs, triggers), so `read` finds them.
    `states`: the kernel keeps properties.provisioningState.
    """

    type: str
    versions: tuple[str, ...]
    page_size: int = 1000
    states: bool = False
    created_status: int = 201
    deleted_body: dict | None = None
    head_status: int = 204
    if_match_required: bool = False
    etag_body: bool = False
    virtual: bool = False
    methods: frozenset[str] = frozenset({"GET", "HEAD", "PUT", "PATCH", "DELETE"})
    on_put: Put | None = None
    on_placed: Placed | None = None
    on_removed: Removed | None = None
    on_shown: Shown | None = None
    on_read: Handler | None = None
    on_list: Listed | None = None
    actions: dict[tuple[str, str], Handler] = field(default_factory=dict)

    def put(self, hook: PutT) -> PutT:
        """`(call, body, known)` before PUT and PATCH store `body`; may change or refuse it."""
        self.on_put = hook
        return hook

    def placed(self, hook: PlacedT) -> PlacedT:
        """`(call, resource, body before)` after PUT and PATCH stored it."""
        self.on_placed = hook
        return hook

    def removed(self, hook: RemovedT) -> RemovedT:
        """`(call, resource)` before DELETE takes it away."""
        self.on_removed = hook
        return hook

    def shown(self, hook: ShownT) -> ShownT:
        """`(call, resource)` -> the JSON that GET shows."""
        self.on_shown = hook
        return hook

    def read(self, hook: HandlerT) -> HandlerT:
        """GET of one instance of a virtual type."""
        self.on_read = hook
        return hook

    def listed(self, hook: ListedT) -> ListedT:
        """The items of a collection, where the table does not hold them."""
        self.on_list = hook
        return hook

    def action(self, name: str, method: str = "POST") -> Callable[[HandlerT], HandlerT]:
        """`POST .../{name}` (or GET) on one instance."""

        def register(handler: HandlerT) -> HandlerT:
            self.actions[method, name.lower()] = handler
            return handler

        return register

    def show(self, call: Call, resource: Resource) -> dict:
        """The JSON of a stored resource."""
        shown = self.on_shown(call, resource) if self.on_shown else resource.shown()
        shown = {**shown, "type": self.type}  # In Azure's letter case, whatever the id's.
        return {**shown, "etag": f'"{resource.etag}"'} if self.etag_body else shown
