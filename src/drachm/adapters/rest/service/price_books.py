"""Price books: what is published, and how the next version comes to be (`drafts.py`)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from drachm.adapters.eventjson import read_event
from drachm.adapters.rest.service.call import Call, Reply, operation
from drachm.adapters.rest.service.draft_shapes import (
    Document,
    PreviewOrder,
    PreviewView,
    Publication,
    Validation,
    VersionView,
)
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
from drachm.adapters.rest.service.event_shape import Code, EventCode, Fact, Quantity
from drachm.adapters.rest.service.money_shapes import day_of, faulty
from drachm.adapters.rest.service.results import Moment
from drachm.adapters.rest.service.shapes import END, Currency, Day, Name, Page, Shape, View, Word
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.draft_checks import CaseResult, Wish, price_cases
from drachm.application.money_reading import Published
from drachm.application.records import Record
from drachm.domain.catalog import PriceContext
from drachm.domain.errors import InvalidMessage
from drachm.domain.events.model import ServiceEvent
from drachm.domain.money import MAX_AMOUNT

Cost = Annotated[int, Meta(ge=0, le=MAX_AMOUNT, description="Micros of the book's currency.")]
Words = Annotated[str, Meta(max_length=200)]


class PriceCase(Shape):
    """A service that the book must price, and what is agreed for it."""

    name: Name
    code: EventCode
    on: Day
    allowed: Cost | None = None
    """The whole line; left out: any price will do."""
    waits: Words | None = None
    """The reason for which the line shall wait instead of being priced."""
    billed: Cost | UnsetType = UNSET
    modifiers: list[Code] | UnsetType = UNSET
    quantity: Quantity | UnsetType = UNSET
    unit: Annotated[str, Meta(max_length=32)] | UnsetType = UNSET
    place_of_service: Annotated[str, Meta(pattern="^([0-9]{2})?" + END)] = ""
    emergency: bool = False
    facts: Annotated[dict[str, Fact], Meta(max_length=100)] | UnsetType = UNSET
    locality: Words = ""
    state: Words = ""
    facility_level: Words = ""
    facility: bool = False
    network: Literal["", "in", "out"] = ""
    rural: bool = False


class PriceBookDraftOrder(Shape):
    """A price book document (docs/reference/price-book.md) with the services it must price."""

    document: Document
    owner: Word
    """The party whose book it is: provider or payer."""
    cases: Annotated[list[PriceCase], Meta(max_length=1_000)] = msgspec.field(default_factory=list)


class PriceBookDraft(View):
    """The draft of a price book's next version."""

    price_book_id: str
    owner: str
    written_by: str
    written_at: Moment | None
    document: dict[str, Any]
    cases: list[PriceCase]


class PriceBookListed(View):
    """A price book and its published versions, without their prices."""

    id: str
    title: str
    currency: Currency
    in_force: VersionView | None
    """Today (UTC), or on the day that the query names."""
    versions: list[VersionView]


class PriceBookView(View):
    """A published version of a price book."""

    id: str
    title: str
    currency: Currency
    version: VersionView
    versions: list[VersionView]
    document: dict[str, Any]


def _owners(call: Call, name: str) -> frozenset[str]:
    """Whose a book is that nobody drafted here: its only provider's, or its only payer's; else nobody's."""
    sides = call.market.money.book_sides(name)
    providers = {provider for provider, _ in sides}
    payers = {payer for _, payer in sides} - {"", "*"}
    if len(providers) == 1:
        return frozenset(providers)
    return frozenset(payers) if len(payers) == 1 else frozenset()


def _concerned(call: Call, name: str) -> frozenset[str]:
    """Who may read a book: whoever agreed on it, and its owner."""
    record = call.market.records.get(SHELF.record, name) if len(name) <= 200 else None
    parties = {party for side in call.market.money.book_sides(name) for party in side} - {"", "*"}
    return frozenset(parties) | (record.parties if record is not None else frozenset())


def _cases(call: Call, record: Record) -> list[CaseResult]:
    document = record.body["document"]
    wanted = msgspec.convert(record.body["cases"], list[PriceCase])
    currency = str(document.get("currency", ""))
    return price_cases(document, [_asked(one, currency, place) for place, one in enumerate(wanted)], call.market.money)


SHELF = Shelf("price_book", "price_book_draft", "price_book_id", _owners, _cases)


@operation("list_price_books", answer=Page[PriceBookListed], query={"on": "Which version is in force on this day."})
def list_price_books(call: Call) -> Page[PriceBookListed]:
    """Published price books that concern the caller, in order of id."""
    reach = call.reach()
    asked_day(call)
    limit, after = call.limit(), str(next(iter(call.place()), ""))
    within = None if reach.everything else _within(call, reach.parties)
    versions: dict[str, list[Published]] = {}
    for one in call.market.money.published("price_book"):
        if one.id > after and (within is None or one.id in within):
            versions.setdefault(one.id, []).append(one)
    shown = sorted(versions)[:limit]
    more = call.cursor([shown[-1]]) if len(versions) > limit else None
    return Page(data=[_listed(call, versions[name]) for name in shown], next=more)


@operation("draft_price_book", body=PriceBookDraftOrder, answer=PriceBookDraft, status=201, tagged=True)
def draft_price_book(call: Call) -> Reply:
    """Begin a price book, or the next version of one. Raises Denied unless its owner is the caller's own party."""
    body: PriceBookDraftOrder = call.body
    call.reach()
    _readable(body)
    record = begin(call, SHELF, body.owner, body.document, body.cases)
    return draft_reply(SHELF, record, _draft(record), 201)


@operation(
    "get_price_book",
    answer=PriceBookView,
    tagged=True,
    query={"version": "This version.", "on": "The version in force on this day; today without both."},
)
def get_price_book(call: Call) -> Reply:
    """One published version: today's, else the newest, else the one that is asked for."""
    name = call.path["price_book_id"]
    versions = [one for one in call.market.money.published("price_book") if one.id == name]
    call.permit(call.resource(name, parties=_concerned(call, name)) if versions else None)
    one = chosen(call, versions)
    if one is None:
        raise Problem("not_found")
    return _reply(call, one, versions)


@operation("get_price_book_draft", answer=PriceBookDraft, tagged=True)
def get_price_book_draft(call: Call) -> Reply:
    """The draft, as it was written last."""
    record = permitted_draft(call, SHELF)
    return draft_reply(SHELF, record, _draft(record))


@operation("replace_price_book_draft", body=PriceBookDraftOrder, answer=PriceBookDraft, tagged=True)
def replace_price_book_draft(call: Call) -> Reply:
    """Write the draft: If-Match names the one it takes the place of; without one it begins the next version."""
    body: PriceBookDraftOrder = call.body
    call.reach()
    _readable(body)
    record = rewrite(call, SHELF, body.owner, body.document, body.cases)
    return draft_reply(SHELF, record, _draft(record))


@operation("validate_price_book", answer=Validation)
def validate_price_book(call: Call) -> Validation:
    """Every check that publishing makes, and the services that the book must price."""
    return validation_of(call, SHELF, permitted_draft(call, SHELF))


@operation("preview_price_book", body=PreviewOrder, answer=PreviewView)
def preview_price_book(call: Call) -> PreviewView:
    """Past charges under the draft; costs a decision for each charge that is looked at."""
    return preview_of(call, SHELF, permitted_draft(call, SHELF))


@operation("publish_price_book", body=Publication, answer=PriceBookView, tagged=True)
def publish_price_book(call: Call) -> Reply:
    """Publish the version that If-Match names. Nobody who wrote at the draft may do it."""
    record = permitted_draft(call, SHELF)
    published = published_by(call, SHELF, record)
    versions = [one for one in call.market.money.published("price_book") if one.id == record.id]
    return _reply(call, next(one for one in versions if one.hash == published), versions)


def _reply(call: Call, one: Published, versions: list[Published]) -> Reply:
    view = PriceBookView(
        id=one.id,
        title=one.title,
        currency=one.currency,
        version=version_view(one),
        versions=[version_view(each) for each in versions],
        document=dict(call.market.money.document(one.hash) or {}),
    )
    return Reply(view, tag=("price_book", one.hash, len(versions)))


def _within(call: Call, parties: Collection[str]) -> set[str]:
    """Books that these parties agreed on, or drafted."""
    found = set(call.market.money.books_of(parties))
    after = ""
    while page := call.market.records.find(SHELF.record, after=after, limit=100, parties=parties):
        found |= {record.id for record in page}
        after = page[-1].id
    return found


def _draft(record: Record) -> PriceBookDraft:
    return PriceBookDraft(
        price_book_id=record.id,
        owner=next(iter(record.parties), ""),
        written_by=record.author,
        written_at=record.at,
        document=dict(record.body["document"]),
        cases=msgspec.convert(record.body["cases"], list[PriceCase]),
    )


def _listed(call: Call, versions: list[Published]) -> PriceBookListed:
    newest, now = versions[-1], chosen(call, versions)
    in_force = now if now is not None and ("on" in call.query or now.holds(call.at.date())) else None
    return PriceBookListed(
        id=newest.id,
        title=newest.title,
        currency=newest.currency,
        in_force=version_view(in_force) if in_force else None,
        versions=[version_view(one) for one in versions],
    )


def _readable(body: PriceBookDraftOrder) -> None:
    """Refuse a case that cannot be a line before the draft is kept."""
    for place, case in enumerate(body.cases):
        day_of(case.on, f"/cases/{place}/on")
        _asked(case, "USD", place)


def _asked(case: PriceCase, currency: str, place: int) -> tuple[str, ServiceEvent, PriceContext, Wish]:
    day = day_of(case.on, f"/cases/{place}/on")
    own = ("code", "modifiers", "quantity", "unit", "place_of_service", "emergency", "facts")
    said = {key: value for key, value in msgspec.to_builtins(case).items() if key in own}
    said |= {"source": "draft", "event_id": f"case-{place}", "kind": "charge", "member": "member", "currency": "USD"}
    said["started_at"] = datetime(day.year, day.month, day.day, 12, tzinfo=UTC).isoformat().replace("+00:00", "Z")
    try:
        event = read_event(said, f"$.cases[{place}]")
    except InvalidMessage as error:
        raise faulty(f"/cases/{place}", error.message) from None
    billed = None if isinstance(case.billed, UnsetType) else case.billed
    at = PriceContext(
        service_date=day,
        locality=case.locality,
        state=case.state,
        facility_level=case.facility_level,
        facility=case.facility,
        network=case.network,
        rural=case.rural,
    )
    wish = Wish(allowed=case.allowed, reason=case.waits or "")
    return case.name, replace(event, currency=currency, billed=billed), at, wish
