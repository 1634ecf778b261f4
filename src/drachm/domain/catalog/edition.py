"""Which rule of a price book, or of the books it includes, fits this line?

An `Edition` is one version of a book together with the versions of its included books that are in force beside it. It
remembers the answers that follow from code, modifiers and currency alone.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from drachm.domain.catalog.book import PriceBook
from drachm.domain.catalog.context import PriceContext
from drachm.domain.catalog.listing import Item, most_exact
from drachm.domain.errors import Pended
from drachm.domain.events.model import ServiceEvent

Found = tuple[PriceBook, Item]
"""A rule, and the book that holds it."""
Key = tuple[str, tuple[str, ...], str, str]
"""Code, modifiers, code system, currency."""

MOST_REMEMBERED: Final = 100_000
"""Answers kept for the next line with the same code; then the memory starts anew."""
_NOT_HERE: Final = ("price_not_supported", "unknown_code")
"""Refusals after which the next included book is asked."""


class Choice(NamedTuple):
    """Items of one book among which the facts of the line decide; no book before it knows the code."""

    book: PriceBook
    items: tuple[Item, ...]


class Edition:
    """One version of a book beside the versions that it includes; refusals are returned, not raised."""

    __slots__ = ("_known", "book", "by_category", "includes")

    def __init__(self, book: PriceBook, includes: tuple[Edition | Pended, ...]) -> None:
        self.book = book
        self.includes = includes
        """In the order of the book; a refusal stands for one that is not in force."""
        self.by_category: bool = any(book.defaults) or _any_by_category(includes)
        """True when a line that nobody lists is priced by a category which the event may name."""
        self._known: dict[Key, Found | Pended | Choice | None] = {}

    def answer(self, event: ServiceEvent, at: PriceContext) -> Found | Pended:
        """The most exact rule for the line: the book's own, else of the books it includes, else its default.

        A refusal is one of `unknown_code`, `price_not_supported`, `ambiguous_rule`, `currency_mismatch`, `no_contract`.
        """
        code = event.code
        key = (code.value, event.modifiers, code.system, event.currency)
        known = self._known.get(key)
        if known is None:
            return self._remember(key, event, at)
        if isinstance(known, Choice):
            return _chosen(known, event, at) or self._search(event, at)
        return known

    def _remember(self, key: Key, event: ServiceEvent, at: PriceContext) -> Found | Pended:
        answer = self._search(event, at)
        if key not in self._known:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[key] = answer if self._follows_from_the_key(answer, event) else self._choice(key, event)
        return answer

    def _follows_from_the_key(self, answer: Found | Pended, event: ServiceEvent) -> bool:
        """True when every line with this code, these modifiers and this currency has the same answer."""
        if self.book.currency != event.currency:
            return True
        if self._conditional(event):
            return False
        if isinstance(answer, Pended) or not answer[1].code:
            return not self.by_category
        # An included book's default of a category comes before the items of the books included after it.
        return answer[0] is self.book or not _any_by_category(self.includes)

    def _conditional(self, event: ServiceEvent) -> bool:
        others = (other for other in self.includes if isinstance(other, Edition))
        return bool(self.book.listing.choice(event)) or any(other._conditional(event) for other in others)

    def _choice(self, key: Key, event: ServiceEvent) -> Choice | None:
        book = self.book
        if book.codes.key(event) in book.not_priced:
            return None
        if book.listing.lists(event):
            items = book.listing.choice(event)
            return Choice(book, items) if items else None
        for other in self.includes:
            known = other._known.get(key) if isinstance(other, Edition) else None
            if isinstance(known, Choice):
                return known
            if not isinstance(known, Pended) or known.reason != "unknown_code":
                return None
        return None

    def _search(self, event: ServiceEvent, at: PriceContext) -> Found | Pended:
        book = self.book
        if book.currency != event.currency:
            return Pended(
                "currency_mismatch",
                f"price book {book.id} is in {book.currency}, the line in {event.currency}",
                where="currency",
            )
        found = self._listed(event, at)
        if found is not None:
            return found
        item = book.default(event)
        if item is None:
            return Pended(
                "unknown_code",
                f"price book {book.id} has no price for {event.code.system} {event.code.value}",
                where="code",
            )
        return book, item

    def _listed(self, event: ServiceEvent, at: PriceContext) -> Found | Pended | None:
        refusal: Pended | None = None
        try:
            item = self.book.find(event, at)
            if item is not None:
                return self.book, item
        except Pended as reason:
            # An ambiguous book must be mended; a service that one book does not price another may.
            if reason.reason != "price_not_supported" or not self.includes:
                return afresh(reason)
            refusal = afresh(reason)
        for other in self.includes:
            answer = other if isinstance(other, Pended) else other.answer(event, at)
            if not isinstance(answer, Pended) or answer.reason not in _NOT_HERE:
                return answer
            if answer.reason == "price_not_supported":
                refusal = refusal or answer
        return refusal


def _chosen(choice: Choice, event: ServiceEvent, at: PriceContext) -> Found | None:
    """The item of the choice that fits; None when none is priced: the whole search then says why."""
    try:
        item = most_exact(choice.items, event, at)
    except Pended:
        return None
    return None if item.rule.refusal else (choice.book, item)


def afresh(refusal: Pended) -> Pended:
    """The same refusal without the call that led to it: one that was raised keeps every value of that call alive."""
    return Pended(refusal.reason, refusal.message, where=refusal.where, next_step=refusal.next_step)


def _any_by_category(editions: tuple[Edition | Pended, ...]) -> bool:
    return any(isinstance(edition, Edition) and edition.by_category for edition in editions)
