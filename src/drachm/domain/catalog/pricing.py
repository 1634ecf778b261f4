"""What does this line cost, and which rule says so?"""

from __future__ import annotations

from typing import Final

from drachm.domain.catalog.books import Books
from drachm.domain.catalog.context import AS_SUBMITTED, PriceContext
from drachm.domain.catalog.listing import Item
from drachm.domain.catalog.model import ByItem, PricedEvent
from drachm.domain.errors import Pended, Refused
from drachm.domain.events.model import ServiceEvent
from drachm.domain.money import MAX_AMOUNT, round_ratio

# As the class itself, but several times faster.
_new: Final = tuple.__new__

_NOT_IN_THE_SCHEDULE = frozenset({"unknown_code", "price_not_supported", "no_contract"})


def price(event: ServiceEvent, books: Books, at: PriceContext) -> PricedEvent:
    """The event with what was asked and what is agreed, rounded once to the book's unit.

    Nothing asked: the agreed amount counts as asked. Raises `Pended` (`unknown_code`, `price_not_supported`,
    `ambiguous_rule`, `currency_mismatch`, `fact_missing`, `no_contract`) and `Refused` (`invalid_event`) for a negative
    quantity or an amount beyond `MAX_AMOUNT`. A patient without cover (`at.self_pay`) is never held up by what the
    provider's schedule lacks: what was asked is then the price.
    """
    if event.quantity < 0:
        raise Refused("invalid_event", "a quantity cannot be negative; a reversal takes a line back", where="quantity")
    if at.book == AS_SUBMITTED or (at.self_pay and not at.book):
        return _as_submitted(event)
    try:
        return _by_the_book(event, books, at)
    except Pended as reason:
        if at.self_pay and event.billed is not None and reason.reason in _NOT_IN_THE_SCHEDULE:
            return _as_submitted(event)
        raise


def find_item(event: ServiceEvent, books: Books, at: PriceContext) -> Item:
    """The item that prices the line: its category, plain name and facts. Raises `Pended` like `price`."""
    return books.item(at.book, event, books.dated(event, at))[1]


def _by_the_book(event: ServiceEvent, books: Books, at: PriceContext) -> PricedEvent:
    if not at.book:
        raise Pended("no_contract", "no price agreement holds for this line", where="billing_party")
    if at.service_date is None:
        at = books.dated(event, at)
    book, item = books.item(at.book, event, at)
    numerator, denominator = item.rule.amount(event, at, books)
    allowed = round_ratio(numerator, denominator, item.unit, item.mode)
    if allowed > MAX_AMOUNT:
        raise Refused("invalid_event", f"the price of {event.code.value} is beyond any amount", where="quantity")
    billed, less_asked = event.billed, False
    if billed is None:
        billed = allowed
    elif item.lesser_of_billed and billed < allowed:
        allowed, less_asked = billed, True
    rule = _new(ByItem, (item, event, at, less_asked))
    return PricedEvent(billed, allowed, book.currency, item.category, book.hash, rule, item.display, item.facts)


def _as_submitted(event: ServiceEvent) -> PricedEvent:
    if event.billed is None:
        raise Pended(
            "fact_missing",
            "the price is what the provider asks, and nothing was asked",
            where="billed",
            next_step="Send the asked amount, or give the provider a price book.",
        )
    return PricedEvent(event.billed, event.billed, event.currency, "", "", "as submitted")
