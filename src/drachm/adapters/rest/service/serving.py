"""How does one request become a `Call`, and what a handler gives an answer?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import anyio
import msgspec
from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.routing import Route as StarletteRoute

from drachm.adapters.rest.identity.decide import Access
from drachm.adapters.rest.identity.model import Kind, Principal
from drachm.adapters.rest.identity.permit import permit
from drachm.adapters.rest.identity.policy import policy_of
from drachm.adapters.rest.service.call import Call, Operation, Reply
from drachm.adapters.rest.service.forms import PAGE, browser_fields, read_form
from drachm.adapters.rest.service.house import House
from drachm.adapters.rest.service.shapes import read_shape
from drachm.adapters.rest.transport.exchange import Scope
from drachm.adapters.rest.transport.framework import response_of
from drachm.adapters.rest.transport.idempotency import KeyStore, once, read_key
from drachm.adapters.rest.transport.media import require_acceptable, require_media
from drachm.adapters.rest.transport.passage import Passage
from drachm.adapters.rest.transport.problems import Answer, Header, Problem
from drachm.adapters.rest.transport.versions import etag, unchanged

LIST_PARAMETERS: Final = frozenset({"cursor", "limit"})
THREADS: Final = 16
"""Handlers of one process at work at the same time; more wait in order."""


@dataclass(frozen=True, slots=True)
class Serving:
    """Turns operations into routes."""

    house: House
    keys: Callable[[str], KeyStore]
    """Where a tenant's Idempotency-Keys are kept."""
    threads: anyio.CapacityLimiter
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def routes(self, operations: Iterable[Operation]) -> list[StarletteRoute]:
        """One Starlette route per operation; paths without parameters first, so that none of them is taken for one."""
        ordered = sorted(operations, key=lambda one: (bool(one.route.parameters), one.route.template))
        addresses = frozenset(one.route.template for one in ordered if not one.route.parameters)
        found: list[StarletteRoute] = []
        for one in ordered:
            route = _Fitting(
                one.route.template, self._endpoint(one), methods=[one.route.method], name=one.route.operation
            )
            route.addresses = addresses if one.route.parameters else frozenset()
            found.append(route)
        return found

    def _endpoint(self, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            return response_of(await self.answer(operation, request))

        return endpoint

    async def answer(self, operation: Operation, request: Request) -> Answer:
        """Read, ask, answer. Whatever is raised becomes a problem further out."""
        passage: Passage = request.scope["passage"]
        fields = passage.fields
        caller = principal_of(request.scope)
        if caller.kind is Kind.ANONYMOUS and needs_credential(operation):
            # Before the body is read, and before a handler looks anything up: nobody has no tenant to look in.
            permit(operation.route.operation, caller, None, self.now())
        if operation.media == "application/json":
            require_acceptable(fields)
        body = b""
        if operation.body is not None:
            require_media(fields)
            body = await request.body()
        call = Call(
            operation.route.operation,
            caller,
            self.now(),
            self.house,
            passage.request_id,
            path=request.path_params,
            query=_query(operation, request),
            body=read_shape(body, operation.body) if operation.body is not None else None,
            key=read_key(_text(fields.get(b"idempotency-key"))) if operation.route.needs_key else "",
            if_match=_text(fields.get(b"if-match")),
            fields=browser_fields(fields) if operation.media == PAGE else {},
            form=await read_form(request, fields, operation.form_bytes) if operation.form else {},
        )

        async def act() -> Answer:
            value = await run_sync(operation.handler, call, limiter=self.threads)
            return answer_of_value(operation, value, _text(fields.get(b"if-none-match")))

        if not operation.route.needs_key or call.caller.kind is Kind.ANONYMOUS:
            return await act()
        return await once(
            self.keys(call.caller.tenant),
            key=call.key,
            caller=call.caller.subject,
            # The path, not its template: the same key on another thing is another intention.
            route=f"{operation.route.operation} {request.url.path}",
            body=body,
            act=act,
            request_id=passage.request_id,
        )


class _Fitting(StarletteRoute):
    """A route that leaves addresses of their own alone: "/members/match" is no member, whatever the method."""

    addresses: frozenset[str] = frozenset()

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http" and scope["path"] in self.addresses:
            return Match.NONE, {}
        return super().matches(scope)


def needs_credential(operation: Operation) -> bool:
    """Whether nobody may make the call without one; pages look at the link, or at the browser's session, themselves."""
    if operation.media == PAGE:
        return False
    access = policy_of(operation.route.method, operation.route.template).access
    return access in (Access.ROLES, Access.KNOWN)


def principal_of(scope: Scope) -> Principal:
    """Who is calling, as the gate found out."""
    principal: Principal = scope["principal"]
    return principal


def answer_of_value(operation: Operation, value: object, if_none_match: str | None = None) -> Answer:
    """What a handler gave as a whole HTTP answer."""
    reply = value if isinstance(value, Reply) else Reply(value)
    status = reply.status or operation.status
    headers: list[Header] = list(reply.headers)
    if reply.tag:
        tag = etag(*reply.tag)
        headers.append((b"etag", tag.encode()))
        if operation.route.reads and status == 200 and unchanged(if_none_match, tag):
            return Answer(304, tuple(headers), b"")
    if reply.value is None:
        return Answer(204 if status == 200 else status, tuple(headers), b"")
    headers.insert(0, (b"content-type", reply.media.encode()))
    if reply.media == "application/json":
        return Answer(status, tuple(headers), msgspec.json.encode(reply.value))
    body = reply.value if isinstance(reply.value, bytes) else str(reply.value).encode()
    return Answer(status, tuple(headers), body)


def _query(operation: Operation, request: Request) -> dict[str, str]:
    """The query's parameters; one that nobody declared, or given twice, is refused rather than passed over."""
    known = set(operation.query)
    if (operation.route.about.value == "many" and operation.route.reads) or "cursor" in operation.query:
        known |= LIST_PARAMETERS
    given = request.query_params.multi_items()
    for name, value in given:
        if name not in known and operation.media == PAGE:
            continue  # Whatever handed a link on may have added words of its own to it.
        if name not in known:
            raise Problem("bad_request", "a query parameter is not known here", where=f"parameters: {sorted(known)}")
        if "\0" in value or not value.isprintable():
            raise Problem("bad_request", "a query parameter holds a character that cannot be meant", where=name)
    if len({name for name, _ in given}) != len(given):
        raise Problem("bad_request", "a query parameter is given twice")
    return dict(given)


def _text(field: bytes | None) -> str | None:
    return None if field is None else field.decode("latin-1")
