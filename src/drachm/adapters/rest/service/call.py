"""What does a handler get, and what may it answer?

    @operation("get_site", answer=SiteView)
    def get_site(call: Call) -> Reply:
        record = call.market.records.get("site", call.path["site_id"])
        call.permit(record and call.resource(record.id, parties=record.parties))
        return Reply(view_of(record), version=record.version)

A handler is an ordinary function that runs in a worker thread: it may read and write the database. It checks who may
do this itself, by `permit` or `reach`, before it says anything; a test asks every operation for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from drachm.adapters.rest.identity.decide import Reach
from drachm.adapters.rest.identity.model import Principal, Resource
from drachm.adapters.rest.identity.permit import permit, reach_on
from drachm.adapters.rest.identity.routes import BY_OPERATION, Route
from drachm.adapters.rest.service.forms import FORM_BYTES
from drachm.adapters.rest.service.house import House, Market
from drachm.adapters.rest.transport.cursors import read_limit
from drachm.adapters.rest.transport.problems import Header
from drachm.adapters.rest.transport.versions import etag, require_match
from drachm.domain.errors import ensure


@dataclass(frozen=True, slots=True)
class Call:
    """One call on its way: who, what, when."""

    operation: str
    caller: Principal
    at: datetime
    """By the server's clock, UTC; the only clock a handler asks."""
    house: House
    request_id: str
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    """Only names that the operation declares; others were refused."""
    body: Any = None
    """The operation's `body` shape, or None."""
    key: str = ""
    """Idempotency-Key of an operation that needs one."""
    if_match: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    """Header fields by lower-case name, for pages of browsers only: cookie, sec-fetch-site, origin."""
    form: Mapping[str, str] = field(default_factory=dict)
    """What a browser's form held, for operations that take one (`Operation.form`)."""

    @property
    def market(self) -> Market:
        """Everything of the caller's tenant."""
        return self.house.market(self.caller.tenant)

    def resource(
        self,
        id: str = "",
        *,
        parties: frozenset[str] = frozenset(),
        members: frozenset[str] = frozenset(),
        maker: str = "",
    ) -> Resource:
        """A thing of the caller's own tenant, for `permit`: what row security let us read is nobody else's."""
        return Resource(self.caller.tenant, self.caller.environment, id, parties, members, maker)

    def permit(self, resource: Resource | None) -> Reach:
        """What the caller reaches by this operation on this thing; None: it is not there. Raises `Denied`."""
        return permit(self.operation, self.caller, resource, self.at)

    def reach(self) -> Reach:
        """Everything the caller could do this to: the filter of a list. Raises `Denied`."""
        return reach_on(self.operation, self.caller, self.at)

    def limit(self) -> int:
        """How many items the caller wants on a page, 1 to 100."""
        return read_limit(self.query.get("limit"))

    def place(self) -> list[str | int]:
        """Where the page begins: what `cursor` was given last time; empty at the start."""
        cursor = self.query.get("cursor")
        if cursor is None:
            return []
        return self.house.cursors.read(cursor, caller=self._who(), route=self.operation, filters=self._filters())

    def cursor(self, place: Sequence[str | int]) -> str:
        """The cursor of the page that begins behind `place`: identifiers and numbers, never a name."""
        return self.house.cursors.write(place, caller=self._who(), route=self.operation, filters=self._filters())

    def require_version(self, id: str, version: int, *, required: bool = True) -> None:
        """Let a change through only in the version that the caller has read (If-Match)."""
        require_match(self.if_match, etag(id, version), required=required)

    def new_id(self, prefix: str) -> str:
        """A new identifier, sortable by time; with an Idempotency-Key, another one at each call all the same."""
        return self.house.identifiers.new(prefix)

    def _who(self) -> str:
        return f"{self.caller.tenant}\0{self.caller.subject}"

    def _filters(self) -> dict[str, str]:
        return {name: value for name, value in self.query.items() if name not in ("cursor", "limit")}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is more than its body."""

    value: Any
    status: int = 0
    """0: the operation's own."""
    tag: tuple[object, ...] = ()
    """What makes this version of the thing: becomes its ETag, by `versions.etag`. Usually (id, version)."""
    headers: Sequence[Header] = ()
    media: str = "application/json"
    """Another type: `value` is text or bytes and goes out as it is."""


Handler = Callable[[Call], Any]
"""Gives the `answer` view, or a `Reply`; raises errors of the tree in `domain/errors.py`, or a `Problem`."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of the interface with its handler and everything that OpenAPI says of it."""

    route: Route
    handler: Handler
    body: Any = None
    """Shape of the request body; None: it takes none."""
    answer: Any = None
    """View of the answer; None: 204, or a page for people."""
    status: int = 200
    query: Mapping[str, str] = field(default_factory=dict)
    """Name -> meaning of each query parameter; lists have `cursor` and `limit` besides."""
    problems: tuple[str, ...] = ()
    """Codes of `problem_table` that this call may answer beside those of every call."""
    tagged: bool = False
    """The answer has an ETag; a change of the thing needs If-Match."""
    media: str = "application/json"
    form: bool = False
    """The body is a form of a browser (application/x-www-form-urlencoded): `Call.form`."""
    form_bytes: int = FORM_BYTES
    """How large such a form may be."""
    refusals: tuple[int, ...] = ()
    """Statuses at which the answer is no in the words of RFC 6749 section 5.2, where standard clients look for them."""
    pages: Mapping[int, str] = field(default_factory=dict)
    """Status -> meaning of each page that a call for browsers may answer; problems come as pages there."""


OPERATIONS: Final[dict[str, Operation]] = {}
"""Every operation by id, as the modules of this room declare them (`operations.py` reads them all)."""


def operation(
    name: str,
    *,
    body: Any = None,
    answer: Any = None,
    status: int = 200,
    query: Mapping[str, str] | None = None,
    problems: Sequence[str] = (),
    tagged: bool = False,
    media: str = "application/json",
    form: bool = False,
    form_bytes: int = FORM_BYTES,
    pages: Mapping[int, str] | None = None,
    refusals: Sequence[int] = (),
) -> Callable[[Handler], Handler]:
    """Declare the handler of one entry of the route table."""

    def declare(handler: Handler) -> Handler:
        ensure(name in BY_OPERATION, "the route table does not know this operation", where=name)
        ensure(name not in OPERATIONS, "this operation has a handler already", where=name)
        OPERATIONS[name] = Operation(
            BY_OPERATION[name],
            handler,
            body,
            answer,
            status,
            dict(query or {}),
            tuple(problems),
            tagged,
            media,
            form,
            form_bytes,
            tuple(refusals),
            dict(pages or {}),
        )
        return handler

    return declare
