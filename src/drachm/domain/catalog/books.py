"""Which version of which price book answers on this day?

`Books` holds loaded books and finds them by id and local service date. It never changes; new versions make a new
`Books`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Final

from drachm.domain.catalog.book import PriceBook
from drachm.domain.catalog.context import PriceContext
from drachm.domain.catalog.document import ensure_no_circle, invalid
from drachm.domain.catalog.listing import Item
from drachm.domain.errors import Pended
from drachm.domain.events.model import ServiceEvent
from drachm.domain.money import round_ratio
from drachm.domain.periods import local_date

MOST_REMEMBERED: Final = 100_000
"""Found items kept for the next line with the same code; then the memory starts anew."""


class Books:
    """Every version of every price book that may be asked.

    Raises `InvalidMessage` when versions of one id overlap or differ in their zone, or books lean on each other in a
    circle. A book that leans on one that is not here is accepted: it may be published later.
    """

    __slots__ = ("_found", "_versions")

    def __init__(self, books: Iterable[PriceBook] = ()) -> None:
        versions: dict[str, list[PriceBook]] = {}
        for book in books:
            known = versions.setdefault(book.id, [])
            if all(book.hash != other.hash for other in known):
                _ensure_fits(book, known)
                known.append(book)
        self._versions = {
            book_id: tuple(sorted(known, key=lambda book: book.effective.start)) for book_id, known in versions.items()
        }
        leans_on = {
            book_id: frozenset().union(*(book.references for book in known)) for book_id, known in versions.items()
        }
        ensure_no_circle(leans_on, "includes")
        self._found: dict[tuple[object, ...], tuple[PriceBook, Item]] = {}

    def find(self, book_id: str, day: date) -> PriceBook:
        """The version in force on a local service date; `Pended` (`no_contract`) when there is none."""
        book = self._in_force(book_id, day)
        if book is not None:
            return book
        raise Pended(
            "no_contract",
            f"no version of price book {book_id[:60]!r} is in force on {day.isoformat()}",
            where="price_book",
            next_step="Publish a version of the price book for this day; the event then clears by itself.",
        )

    def service_date(self, event: ServiceEvent, at: PriceContext) -> date:
        """The local service date: given, or the event's start in the zone of the named book."""
        if at.service_date is not None:
            return at.service_date
        versions = self._versions.get(at.book)
        return local_date(event.started_at, versions[0].zone if versions else "UTC")

    def dated(self, event: ServiceEvent, at: PriceContext) -> PriceContext:
        """The same context with its service date settled, so that every book is asked for the same day."""
        return at if at.service_date is not None else replace(at, service_date=self.service_date(event, at))

    def item(self, book_id: str, event: ServiceEvent, at: PriceContext) -> tuple[PriceBook, Item]:
        """The most exact rule for the line: the book's own, else of the books it includes, else its default.

        Raises `Pended`: `unknown_code`, `price_not_supported`, `ambiguous_rule`, `currency_mismatch`, `no_contract`.
        """
        code = event.code
        key = (book_id, at.service_date, code.system, code.value, event.modifiers, event.currency)
        found = self._found.get(key)
        if found is not None:
            return found
        book = self.find(book_id, self.service_date(event, at))
        found = self._search(book, event, at)
        # Only answers that follow from the key alone are kept: no condition was read, no default of a category used.
        if at.service_date is not None and found[1].code and not self._reads_facts(book, event, at.service_date):
            if len(self._found) >= MOST_REMEMBERED:
                self._found.clear()
            self._found[key] = found
        return found

    def amount(self, book: str, event: ServiceEvent, at: PriceContext) -> int:
        """What book `book` allows for the line, in micros, before any comparison with the asked amount."""
        _, item = self.item(book, event, at)
        numerator, denominator = item.rule.amount(event, at, self)
        return round_ratio(numerator, denominator, item.unit, item.mode)

    def _search(self, book: PriceBook, event: ServiceEvent, at: PriceContext) -> tuple[PriceBook, Item]:
        if book.currency != event.currency:
            raise Pended(
                "currency_mismatch",
                f"price book {book.id} is in {book.currency}, the line in {event.currency}",
                where="currency",
            )
        found = self._listed(book, event, at)
        if found is not None:
            return found
        item = book.default(event)
        if item is None:
            raise Pended(
                "unknown_code",
                f"price book {book.id} has no price for {event.code.system} {event.code.value}",
                where="code",
            )
        return book, item

    def _reads_facts(self, book: PriceBook, event: ServiceEvent, day: date) -> bool:
        if book.listing.conditional(event):
            return True
        others = [self._in_force(other, day) for other in book.includes]
        return any(self._reads_facts(other, event, day) for other in others if other)

    def _in_force(self, book_id: str, day: date) -> PriceBook | None:
        return next((book for book in self._versions.get(book_id, ()) if day in book.effective), None)

    def _listed(self, book: PriceBook, event: ServiceEvent, at: PriceContext) -> tuple[PriceBook, Item] | None:
        refusal: Pended | None = None
        try:
            item = book.find(event, at)
            if item is not None:
                return book, item
        except Pended as reason:
            # An ambiguous book must be mended; a service that one book does not price another may.
            if reason.reason != "price_not_supported" or not book.includes:
                raise
            refusal = reason
        for other in book.includes:
            try:
                found = self.item(other, event, at)
            except Pended as reason:
                if reason.reason not in ("price_not_supported", "unknown_code"):
                    raise
                if reason.reason == "price_not_supported":
                    refusal = refusal or reason
            else:
                return found
        if refusal is not None:
            raise refusal
        return None


def _ensure_fits(book: PriceBook, known: list[PriceBook]) -> None:
    for other in known:
        if book.effective.overlaps(other.effective):
            raise invalid(f"versions {other.version} and {book.version} of {book.id!r} overlap", "$.effective")
        if book.zone != other.zone:
            raise invalid(f"versions {other.version} and {book.version} of {book.id!r} are in two zones", "$.zone")
