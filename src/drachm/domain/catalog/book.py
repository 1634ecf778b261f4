"""One version of a price book, ready to answer.

The book is known by the hash of its document and never changes; `load_price_book` makes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from drachm.domain.catalog.context import PriceContext
from drachm.domain.catalog.listing import Codes, Item, Listing
from drachm.domain.errors import Pended
from drachm.domain.events.model import ServiceEvent
from drachm.domain.periods import Period


@dataclass(frozen=True, slots=True, eq=False)
class PriceBook:
    """One version of a price book, compiled."""

    id: str
    version: str
    hash: str
    """SHA-256 of the canonical document."""
    title: str
    source: str
    """Where the figures come from, and under which licence."""
    currency: str
    zone: str
    effective: Period
    """On the local service date."""
    includes: tuple[str, ...]
    """Ids of books that are asked, in this order, for codes this one does not list."""
    references: frozenset[str]
    """Ids of every other book this one leans on."""
    listing: Listing
    defaults: Mapping[str, Item]
    """By category; the empty word stands for any."""
    not_priced: Mapping[tuple[str, str], str]
    """Codes the book knows and does not price -> why."""
    codes: Codes

    def find(self, event: ServiceEvent, at: PriceContext) -> Item | None:
        """The book's own item for the line; None when it does not know the code.

        Raises `Pended` (`price_not_supported`, `ambiguous_rule`) when it knows the code and cannot price the line.
        """
        why = self.not_priced.get(self.codes.key(event))
        try:
            item = self.listing.find(event, at)
        except Pended as reason:
            if why and reason.reason == "price_not_supported":
                raise _not_supported(event, f"{why}; {reason.message}") from None
            raise
        if item is not None:
            why = item.rule.refusal
        if why:
            raise _not_supported(event, why)
        return item

    def default(self, event: ServiceEvent) -> Item | None:
        """The rule for unlisted codes: of the category the event names, else of any."""
        named = self.defaults.get(str(event.facts.get("category", "")))
        return named or self.defaults.get("")


def _not_supported(event: ServiceEvent, why: str) -> Pended:
    return Pended("price_not_supported", f"{event.code.value}: {why}", where="code")
