"""Price books: what is published, and how the next version comes to be (`drafts.py`)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from drachm.adapters.eventjson import read_event
from drachm.adapters.rest.identity.decide import Reach
from drachm.adapters.rest.service.call import Call
from drachm.adapters.rest.service.documents import Room, declare
from drachm.adapters.rest.service.draft_shapes import (
    Document,
    VersionView,
)
from drachm.adapters.rest.service.drafts import (
    Shelf,
)
from drachm.adapters.rest.service.event_shape import Codes, EventCode, Facts, PlaceOfService, Quantity, Unit
from drachm.adapters.rest.service.money_shapes import day_of, faulty
from drachm.adapters.rest.service.results import Moment
from drachm.adapters.rest.service.shapes import Currency, Day, Name, Page, Shape, View, Word
from drachm.application.draft_checks import CaseResult, Wish, price_cases
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
    modifiers: Codes | UnsetType = UNSET
    quantity: Quantity | UnsetType = UNSET
    unit: Unit | UnsetType = UNSET
    place_of_service: PlaceOfService = ""
    emergency: bool = False
    facts: Facts | UnsetType = UNSET
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


def _within(call: Call, reach: Reach) -> set[str] | None:
    """Books that the caller's parties agreed on, or drafted."""
    if reach.everything:
        return None
    parties = reach.parties
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


SHELF = Shelf("price_book", "price_book_draft", "price_book_id", _owners, _cases)

declare(
    Room(
        SHELF,
        PriceBookDraftOrder,
        PriceBookDraft,
        PriceBookListed,
        Page[PriceBookListed],
        PriceBookView,
        owner=lambda order: str(order.owner),
        check=_readable,
        draft_view=_draft,
        more=lambda one: {},
        within=_within,
        concerned=_concerned,
    )
)
