"""What do the calls about the register have in common: its words, its versions, its days?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import wraps
from typing import Annotated, Any, Final, TypedDict

from msgspec import Meta

from drachm.adapters.rest.identity.decide import Reach
from drachm.adapters.rest.service.call import Call, Handler
from drachm.adapters.rest.service.shapes import END
from drachm.adapters.rest.transport.problems import Fault, Problem
from drachm.adapters.rest.transport.versions import etag, require_match
from drachm.application.records import Record
from drachm.domain.coverage.model import Party
from drachm.domain.errors import Conflict, Forbidden, InvalidMessage
from drachm.domain.periods import read_day, zone

Facts = Annotated[
    dict[Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,63}" + END)], str | int | bool],
    Meta(max_length=100, description="What plans and price books may ask about: words, whole numbers, flags."),
]
Note = Annotated[str, Meta(max_length=500)]
Rate = Annotated[int, Meta(ge=0, le=1_000_000, description="Parts per million.")]

BIG: Final = 2**63
PAGE: Final = 100
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def day_of(text: str | None, pointer: str) -> date | None:
    """A calendar day of a body. Raises InvalidMessage naming the place."""
    return None if text is None else read_day(text, where=f"${pointer.replace('/', '.')}")


def day(text: str, pointer: str) -> date:
    """The same, where one has to stand."""
    return read_day(text, where=f"${pointer.replace('/', '.')}")


def checked_facts(facts: Mapping[str, Any], pointer: str) -> dict[str, Any]:
    """Facts that every reader keeps exactly, with texts of a bearable length and of whole characters."""
    for name, value in facts.items():
        if isinstance(value, int) and not -BIG <= value < BIG:
            raise faulty(f"{pointer}/{name}", "a number has more than 64 bits")
        if isinstance(value, str):
            legible(value, f"{pointer}/{name}")
    return dict(facts)


def legible(text: str, pointer: str, limit: int = 500) -> str:
    """A text that people can read: no control characters, not too long."""
    if len(text) > limit:
        raise faulty(pointer, f"the text has more than {limit} characters")
    if not all(each.isprintable() for each in text):
        raise faulty(pointer, "the text holds a control character")
    return text


def checked_zone(name: str, pointer: str) -> str:
    """An IANA time zone."""
    try:
        zone(name)
    except InvalidMessage:
        raise faulty(pointer, "an IANA time zone is expected, such as America/New_York") from None
    return name


def faulty(pointer: str, detail: str) -> Problem:
    """One place of the body that does not fit."""
    return Problem("invalid_body", faults=[Fault(pointer, "invalid_body", detail)])


def taken(what: str, pointer: str = "$.id") -> Conflict:
    """Somebody has this id already."""
    return Conflict(f"there is a {what} with this id", where=pointer, next_step="Read it, or choose another id.")


def known_party(call: Call, id: str, pointer: str, roles: Collection[str] = ()) -> Party:
    """A party that the body names, in one of these roles."""
    found = call.market.register.parties(ids=[id])
    if not found or (roles and not set(roles) & set(found[0].roles)):
        wanted = f" with the role {' or '.join(sorted(roles))}" if roles else ""
        raise faulty(pointer, f"there is no such party{wanted}")
    return found[0]


def kept(call: Call, kind: str, id: str) -> Record | None:
    """A record whose id a caller names; None as well for an id that nothing could have."""
    try:
        return call.market.records.get(kind, id)
    except InvalidMessage:
        return None


def beside(call: Call, kind: str, id: str) -> Record:
    """What is kept beside a row of the register; an empty record of version 0 where there is nothing."""
    return kept(call, kind, id) or Record(kind, id, {})


def records_beside(call: Call, kind: str, ids: Sequence[str], behind: str) -> dict[str, Record]:
    """The same for the rows of a page that begins behind an id."""
    found = call.market.records.find(kind, after=behind, limit=PAGE)
    records = {one.id: one for one in found}
    # Between two rows of the page there may be records of rows that it does not show.
    last = found[-1].id if len(found) == PAGE else None
    return {
        one: records.get(one) or (beside(call, kind, one) if last is not None and one > last else Record(kind, one, {}))
        for one in ids
    }


ORDER: Final = {"order": "`newest` or `oldest`: by when it last became something else, instead of by name."}
"""The parameter of lists that `listed` answers."""


def listed(call: Call, kind: str, terms: Sequence[str], within: Narrowed) -> tuple[list[Record], str | None]:
    """A page of records within reach (`narrowed`) that bear terms, in the order that is asked for; and the next one's
    cursor."""
    records, limit, order = call.market.records, call.limit(), call.query.get("order")
    if order is None:
        found = records.find(kind, after=after(call), limit=limit, terms=terms, **within)
        return found, next_of(call, [one.id for one in found], limit)
    if order not in ("newest", "oldest"):
        raise Problem("bad_request", "an order is newest or oldest", where="order")
    place = call.place()
    behind = (_EPOCH + timedelta(microseconds=int(place[0])), str(place[1])) if place else None
    newest = order == "newest"
    found = records.by_time(kind, newest=newest, behind=behind, limit=limit, terms=terms, **within)
    if len(found) < limit or found[-1].at is None:
        return found, None
    return found, call.cursor([(found[-1].at - _EPOCH) // timedelta(microseconds=1), found[-1].id])


def alone(handler: Handler) -> Handler:
    """A handler that changes records and register together: nobody else does so meanwhile."""

    @wraps(handler)
    def one_at_a_time(call: Call) -> Any:
        with call.market.register.alone():
            return handler(call)

    return one_at_a_time


def keep(call: Call, *records: Record) -> list[Record]:
    """Write records together as the caller, before the register. Raises `precondition_failed`, or Conflict where
    no version was named, when somebody was faster.

    So the loser of two writers stops before the register changes; and should the register refuse, the same call made
    again writes the next version of the record.
    """
    written = [replace(one, author=call.caller.subject, at=call.at) for one in records]
    try:
        return call.market.records.put(written)
    except Conflict as conflict:
        if conflict.code != "version":
            raise
        if call.if_match is not None:
            raise Problem("precondition_failed") from None
        raise Conflict(
            "somebody else changed this at the same moment", next_step="Read it, then decide again."
        ) from None


def require_tag(call: Call, tag: tuple[object, ...]) -> None:
    """Let a change through only in the version that the caller has read, where more than a number makes it."""
    require_match(call.if_match, etag(*tag))


def owned_facts(reach: Reach, given: object) -> None:
    """Facts of a party decide prices, and roles what it may be: nobody sets them for themselves. Raises Forbidden."""
    if given and not reach.everything:
        raise Forbidden("roles and facts of a party are set by the operator", where="$", next_step="Leave them out.")


def member_of_path(call: Call) -> str:
    """The member of the path, if the caller may do this for them."""
    call.reach()  # who may see none at all is told so before anything is looked up
    member = call.path["member_id"]
    here = call.market.register.members(ids=[member], limit=1)
    call.permit(call.resource(member, members=frozenset({member})) if here else None)
    return member


def permitted(call: Call, kind: str, id: str, maker: Callable[[Record], str] = lambda _: "") -> Record:
    """A record whose id the path names, if the caller may do this to it; `maker`: who proposed it, where a second
    person is needed."""
    call.reach()
    found = kept(call, kind, id)
    thing = None
    if found is not None:
        thing = call.resource(id, parties=found.parties, members=found.members, maker=maker(found))
    call.permit(thing)
    assert found is not None  # what is not there is never permitted
    return found


class Narrowed(TypedDict):
    """Whose things a list shows; None twice: everybody's."""

    parties: frozenset[str] | None
    members: frozenset[str] | None


def narrowed(reach: Reach) -> Narrowed:
    """A reach as the filter that records and the register take."""
    if reach.everything:
        return {"parties": None, "members": None}
    return {"parties": reach.parties, "members": reach.members}


def after(call: Call) -> str:
    """The id behind which the page begins."""
    place = call.place()
    return str(place[0]) if place else ""


def next_of(call: Call, ids: Sequence[str], limit: int) -> str | None:
    """The cursor of the next page, when this one is full."""
    return call.cursor([ids[-1]]) if len(ids) >= limit else None
