"""The calls that plans and price books share: listed, read, drafted, checked, tried on the past, published."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from drachm.adapters.rest.identity.decide import Reach
from drachm.adapters.rest.service.call import Call, Reply, operation
from drachm.adapters.rest.service.draft_shapes import PreviewOrder, PreviewView, Publication, Validation
from drachm.adapters.rest.service.drafts import (
    Shelf,
    asked_day,
    begin,
    chosen,
    draft_reply,
    permitted_draft,
    preview_of,
    published_by,
    rewrite,
    validation_of,
    version_view,
)
from drachm.adapters.rest.service.shapes import Page
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.money_reading import Published
from drachm.application.records import Record

_WHICH = {"version": "This version.", "on": "The version in force on this day; today without both."}


@dataclass(frozen=True, slots=True)
class Room:
    """What is different between the calls of plans and those of price books."""

    shelf: Shelf
    order: Any
    """Shape of a draft as it is sent: it has `document` and `cases`."""
    draft: Any
    listed: Any
    page: Any
    whole: Any
    """Views of a draft, of an item of the list, of a page of them, and of a published version."""
    owner: Callable[[Any], str]
    """Whose draft an order is; empty when it does not say."""
    check: Callable[[Any], None]
    """Refuses an order whose cases cannot be read, before it is kept."""
    draft_view: Callable[[Record], Any]
    more: Callable[[Published], Mapping[str, Any]]
    """What the views say beyond the common fields."""
    within: Callable[[Call, Reach], Collection[str] | None]
    """Ids that the list is narrowed to; None: all."""
    concerned: Callable[[Call, str], frozenset[str]]
    """Parties to a published document."""


def declare(room: Room) -> None:
    """Declare the eight calls of a room, by the names of the route table."""
    kind = room.shelf.kind

    @operation(
        f"list_{kind}s",
        answer=room.page,
        query={"on": "Which version is in force on this day."},
    )
    def list_documents(call: Call) -> Page[Any]:
        reach = call.reach()
        asked_day(call)
        limit, after = call.limit(), str(next(iter(call.place()), ""))
        within = room.within(call, reach)
        versions: dict[str, list[Published]] = {}
        for one in call.market.money.published(kind):
            if one.id > after and (within is None or one.id in within):
                versions.setdefault(one.id, []).append(one)
        shown = sorted(versions)[:limit]
        more = call.cursor([shown[-1]]) if len(versions) > limit else None
        return Page(data=[_listed(room, call, versions[name]) for name in shown], next=more)

    @operation(f"draft_{kind}", body=room.order, answer=room.draft, status=201, tagged=True)
    def draft_document(call: Call) -> Reply:
        call.reach()
        room.check(call.body)
        record = begin(call, room.shelf, room.owner(call.body), call.body.document, call.body.cases)
        return draft_reply(room.shelf, record, room.draft_view(record), 201)

    @operation(f"get_{kind}", answer=room.whole, tagged=True, query=_WHICH)
    def get_document(call: Call) -> Reply:
        name = call.path[room.shelf.path]
        versions = _versions(room, call, name)
        call.permit(call.resource(name, parties=room.concerned(call, name)) if versions else None)
        one = chosen(call, versions)
        if one is None or call.market.money.document(one.hash) is None:
            raise Problem("not_found")
        return _reply(room, call, one, versions)

    @operation(f"get_{kind}_draft", answer=room.draft, tagged=True)
    def get_draft(call: Call) -> Reply:
        record = permitted_draft(call, room.shelf)
        return draft_reply(room.shelf, record, room.draft_view(record))

    @operation(f"replace_{kind}_draft", body=room.order, answer=room.draft, tagged=True)
    def replace_draft(call: Call) -> Reply:
        call.reach()
        room.check(call.body)
        record = rewrite(call, room.shelf, room.owner(call.body), call.body.document, call.body.cases)
        return draft_reply(room.shelf, record, room.draft_view(record))

    @operation(f"validate_{kind}", answer=Validation)
    def validate_draft(call: Call) -> Validation:
        return validation_of(call, room.shelf, permitted_draft(call, room.shelf))

    @operation(f"preview_{kind}", body=PreviewOrder, answer=PreviewView, problems=("draft_not_ready",))
    def preview_draft(call: Call) -> PreviewView:
        return preview_of(call, room.shelf, permitted_draft(call, room.shelf))

    @operation(
        f"publish_{kind}",
        body=Publication,
        answer=room.whole,
        tagged=True,
        problems=("draft_not_ready", "precondition_required"),
    )
    def publish_draft(call: Call) -> Reply:
        record = permitted_draft(call, room.shelf)
        published = published_by(call, room.shelf, record)
        versions = _versions(room, call, record.id)
        return _reply(room, call, next(one for one in versions if one.hash == published), versions)


def _versions(room: Room, call: Call, name: str) -> list[Published]:
    return [one for one in call.market.money.published(room.shelf.kind) if one.id == name]


def _reply(room: Room, call: Call, one: Published, versions: list[Published]) -> Reply:
    view = room.whole(
        id=one.id,
        title=one.title,
        currency=one.currency,
        version=version_view(one),
        versions=[version_view(each) for each in versions],
        document=dict(call.market.money.document(one.hash) or {}),
        **room.more(one),
    )
    return Reply(view, tag=(room.shelf.kind, one.hash, len(versions)))


def _listed(room: Room, call: Call, versions: list[Published]) -> Any:
    newest, now = versions[-1], chosen(call, versions)
    in_force = now if now is not None and ("on" in call.query or now.holds(call.at.date())) else None
    return room.listed(
        id=newest.id,
        title=newest.title,
        currency=newest.currency,
        in_force=version_view(in_force) if in_force else None,
        versions=[version_view(one) for one in versions],
        **room.more(newest),
    )
