"""GET, PUT, PATCH, DELETE, lists and actions, once for every provider."""

import copy
import inspect
from collections.abc import Awaitable
from dataclasses import replace
from typing import TypeVar, cast
from urllib.parse import urlencode

from rehearsal.arm_operations import Operations
from rehearsal.arm_provider import Answer, Call, Items, Provider, Refused, Reply, Running, not_found
from rehearsal.world import GROUP_TYPE, SUBSCRIPTION_TYPE, Resource

T = TypeVar("T")
OWN_KEYS = ("id", "type", "name", "etag", "systemData")


async def settled(value: Awaitable[T] | T) -> T:
    """The value of a hook, plain or awaited."""
    return await cast("Awaitable[T]", value) if inspect.isawaitable(value) else cast("T", value)


def merged(old: dict, new: dict) -> dict:
    """JSON merge patch (RFC 7396): null removes, objects merge, all else replaces."""
    out = copy.deepcopy(old)
    for key, value in new.items():
        if value is None:
            out.pop(key, None)
        elif isinstance(value, dict):
            known = out.get(key)
            out[key] = merged(known if isinstance(known, dict) else {}, value)
        else:
            out[key] = copy.deepcopy(value)
    return out


def check_conditions(call: Call, provider: Provider) -> None:
    """If-Match and If-None-Match against the etag, as RFC 9110 has them."""
    known, wanted = call.resource, call.headers.get("if-match")
    if call.method in ("PATCH", "DELETE") and provider.if_match_required and not wanted:
        raise Refused(400, "ValidationError", "If-Match header is required.")
    if known is None:
        return
    if wanted and wanted != "*" and wanted.strip('"') != known.etag:
        raise Refused(412, "PreconditionFailed", "Resource was modified since last retrieval.")
    if call.method == "PUT" and call.headers.get("if-none-match") == "*":
        raise Refused(412, "PreconditionFailed", "The resource is there already.")


def check_parents(call: Call) -> None:
    """What a new resource stands under must exist."""
    route, table = call.route, call.world.resources
    subscription = f"/subscriptions/{route.subscription}"
    if route.subscription and table.get(subscription) is None:
        message = f"The subscription '{route.subscription}' could not be found."
        raise Refused(404, "SubscriptionNotFound", message)
    if route.group and route.type != GROUP_TYPE:
        group = table.get(f"{subscription}/resourceGroups/{route.group}")
        if group is None:
            message = f"Resource group '{route.group}' could not be found."
            raise Refused(404, "ResourceGroupNotFound", message)
    if route.type.count("/") > 1 and call.method == "PUT" and table.get(route.parent_id) is None:
        message = (
            f"Can not perform requested operation on nested resource. Parent resource "
            f"'{route.parent_id.rsplit('/', 1)[-1]}' not found."
        )
        raise Refused(404, "ParentResourceNotFound", message)


class Crud:
    """The generic verbs. Each takes a call whose route names a registered provider."""

    def __init__(self, operations: Operations) -> None:
        self.operations = operations

    async def answer(self, call: Call, provider: Provider, kind: str) -> Reply:
        """Carry out one call: `kind` is "resource", "collection" or "action"."""
        if kind == "collection":
            return await self._list(call, provider)
        if kind == "action":
            if not provider.virtual:
                call.found()
            handler = provider.actions[call.method, call.route.tail.lower()]
            return self._reply(call, await settled(handler(call)))
        check_conditions(call, provider)
        verbs = {"GET": self._get, "HEAD": self._head, "PUT": self._put, "PATCH": self._patch}
        return await verbs.get(call.method, self._delete)(call, provider)

    def _reply(self, call: Call, outcome: Answer) -> Reply:
        if isinstance(outcome, Running):
            return self.operations.start(call, outcome)
        return outcome if isinstance(outcome, Reply) else Reply(200, outcome)

    async def _get(self, call: Call, provider: Provider) -> Reply:
        if provider.on_read:
            outcome = await settled(provider.on_read(call))
            if outcome is None:
                raise not_found(call.route)
            return self._reply(call, outcome)
        resource = call.found()
        return Reply(200, provider.show(call, resource), {"ETag": f'"{resource.etag}"'})

    async def _head(self, call: Call, provider: Provider) -> Reply:
        resource = call.found()
        return Reply(provider.head_status, None, {"ETag": f'"{resource.etag}"'})

    async def _put(self, call: Call, provider: Provider) -> Reply:
        body = {key: value for key, value in call.body.items() if key not in OWN_KEYS}
        return await self._store(call, provider, copy.deepcopy(body))

    async def _patch(self, call: Call, provider: Provider) -> Reply:
        body = {key: value for key, value in call.body.items() if key not in OWN_KEYS}
        return await self._store(call, provider, merged(call.found().body, body))

    async def _store(self, call: Call, provider: Provider, body: dict) -> Reply:
        known = call.resource
        before = copy.deepcopy(known.body) if known else None
        work = await settled(provider.on_put(call, body, known)) if provider.on_put else None
        if provider.states:
            state = ("Updating" if known else "Creating") if work else "Succeeded"
            body.setdefault("properties", {})["provisioningState"] = state
        resource = call.world.resources.place(call.route.id, body)
        if provider.on_placed and not work:
            await settled(provider.on_placed(call, resource, before))
        status = 200 if known else provider.created_status
        shown, tag = provider.show(call, resource), {"ETag": f'"{resource.etag}"'}
        if not work:
            return Reply(status, shown, tag)
        status = work.status if known is None or call.method == "PATCH" else 200
        later = self._settling(call, provider, resource, before, work)
        reply = self.operations.start(call, replace(later, status=status, body=shown))
        reply.headers |= tag
        return reply

    def _settling(
        self, call: Call, provider: Provider, resource: Resource, before: dict | None, work: Running
    ) -> Running:
        """The same work, and then the resource is settled and announced."""

        async def then() -> dict | None:
            await settled(work.then())
            if provider.states:
                resource.properties["provisioningState"] = "Succeeded"
            call.world.resources.touch(resource)
            if provider.on_placed:
                await settled(provider.on_placed(call, resource, before))
            return provider.show(call, resource)

        return replace(work, then=then)

    async def _delete(self, call: Call, provider: Provider) -> Reply:
        resource = call.resource
        if resource is None:
            return Reply(204)
        work = await settled(provider.on_removed(call, resource)) if provider.on_removed else None
        if work is None:
            call.world.resources.remove(resource.id)
            return Reply(200, provider.deleted_body)

        async def then() -> None:
            await settled(work.then())
            call.world.resources.remove(resource.id)

        return self.operations.start(call, replace(work, then=then))

    async def _list(self, call: Call, provider: Provider) -> Reply:
        if provider.on_list:
            items: Items = await settled(provider.on_list(call))
        else:
            items = [provider.show(call, row) for row in self._members(call, provider)]
        start, size = self._page(call, provider)
        page: dict = {"value": items[start : start + size]}
        if start + size < len(items):
            query = {**call.query, "$skiptoken": str(start + size)}
            page["nextLink"] = f"{call.base_url}{call.route.path}?{urlencode(query, safe='$')}"
        return Reply(200, page)

    def _members(self, call: Call, provider: Provider) -> list[Resource]:
        if not call.route.id or provider.type == SUBSCRIPTION_TYPE:
            return call.world.resources.of_type(provider.type)
        if call.resource is None:
            raise not_found(call.route)
        return call.world.resources.under(call.route.id, provider.type)

    def _page(self, call: Call, provider: Provider) -> tuple[int, int]:
        """Where the page starts and how long it is: $skiptoken, $skip and $top."""
        try:
            start = int(call.query.get("$skiptoken") or call.query.get("$skip") or 0)
            top = int(call.query.get("$top") or provider.page_size)
        except ValueError as error:
            raise Refused(400, "InvalidQueryParameter", "$top, $skip are numbers.") from error
        return start, max(1, min(top, provider.page_size))
