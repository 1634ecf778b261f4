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
from drachm.domain.catalog.edition import Edition, Found, afresh
from drachm.domain.errors import Pended
from drachm.domain.events.model import ServiceEvent
from drachm.domain.local_day import local_date
from drachm.domain.money import round_ratio
from drachm.domain.succession import clash, in_force, latest_first

MOST_DAYS: Final = 10_000
"""Days whose editions are kept; then they are found anew."""


class Books:
    """Every version of every price book that may be asked.

    Raises `InvalidMessage` when versions of one id cannot follow one another or differ in their zone, or books lean on
    each other in a circle. A book that leans on one that is not here is accepted: it may be published later.
    """

    __slots__ = ("_by_day", "_editions", "_versions")

    def __init__(self, books: Iterable[PriceBook] = ()) -> None:
        versions: dict[str, list[PriceBook]] = {}
        for book in books:
            known = versions.setdefault(book.id, [])
            if all(book.hash != other.hash for other in known):
                known.append(book)
        self._versions = {book_id: latest_first(known) for book_id, known in versions.items()}
        for known_books in self._versions.values():
            _ensure_fit(known_books)
        leans_on = {
            book_id: frozenset().union(*(book.references for book in known)) for book_id, known in versions.items()
        }
        ensure_no_circle(leans_on, "includes")
        self._editions: dict[tuple[object, ...], Edition] = {}
        self._by_day: dict[tuple[str, date], Edition] = {}

    def find(self, book_id: str, day: date) -> PriceBook:
        """The version in force on a local service date; `Pended` (`no_contract`) when there is none."""
        book = in_force(self._versions.get(book_id, ()), day)
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

    def item(self, book_id: str, event: ServiceEvent, at: PriceContext) -> Found:
        """The most exact rule for the line: the book's own, else of the books it includes, else its default.

        Raises `Pended`: `unknown_code`, `price_not_supported`, `ambiguous_rule`, `currency_mismatch`, `no_contract`.
        """
        day = at.service_date or self.service_date(event, at)
        edition = self._by_day.get((book_id, day)) or self._edition(book_id, day)
        answer = edition.answer(event, at)
        if isinstance(answer, Pended):
            raise afresh(answer)
        return answer

    def amount(self, book: str, event: ServiceEvent, at: PriceContext) -> int:
        """What book `book` allows for the line, in micros, before any comparison with the asked amount."""
        _, item = self.item(book, event, at)
        numerator, denominator = item.rule.amount(event, at, self)
        return round_ratio(numerator, denominator, item.unit, item.mode)

    def _edition(self, book_id: str, day: date) -> Edition:
        """The edition of a day; days on which the same versions are in force share one, and what it remembers."""
        book = self.find(book_id, day)
        includes: list[Edition | Pended] = []
        for other in book.includes:
            try:
                includes.append(self._edition(other, day))
            except Pended as missing:
                includes.append(afresh(missing))
        if len(self._by_day) >= MOST_DAYS:
            self._by_day.clear()
            self._editions.clear()
        key = (book.hash, *(other.message if isinstance(other, Pended) else id(other) for other in includes))
        edition = self._editions.setdefault(key, Edition(book, tuple(includes)))
        self._by_day[book_id, day] = edition
        return edition


def _ensure_fit(versions: tuple[PriceBook, ...]) -> None:
    first = versions[-1]
    for number, book in enumerate(versions):
        if book.zone != first.zone:
            raise invalid(f"versions {first.version} and {book.version} of {book.id!r} are in two zones", "$.zone")
        found = clash(book, versions[:number] + versions[number + 1 :])
        if found is not None:
            raise invalid(f"version {book.version} of {book.id!r}: {found.message}", "$.effective")
