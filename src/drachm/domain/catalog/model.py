"""What does it cost?

A price book is a versioned, effective-dated, content-hashed document of rules; pricing turns a `ServiceEvent` into a
`PricedEvent` that says what was asked, what is agreed, and which rule of which book said so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from drachm.domain.catalog.context import PriceContext
from drachm.domain.catalog.listing import Item
from drachm.domain.events.model import Fact, ServiceEvent

_NOTHING: Final[Mapping[str, Any]] = {}


class ByItem(NamedTuple):
    """The item of a price book by which a line was priced: it is named when somebody asks."""

    item: Item
    event: ServiceEvent
    at: PriceContext
    less_asked: bool
    """Less was asked than the item says."""


class PricedEvent:
    """An event with its price. All amounts are micros of `currency` for the whole line (quantity applied)."""

    __slots__ = ("_rule", "allowed", "billed", "book", "category", "currency", "display", "facts")

    def __init__(
        self,
        billed: int,
        allowed: int,
        currency: str,
        category: str,
        book: str,
        rule: str | ByItem,
        display: str = "",
        facts: Mapping[str, Fact] = _NOTHING,
    ) -> None:
        self.billed = billed
        """What the provider asked; the allowed amount when nothing was asked."""
        self.allowed = allowed
        """What is agreed: the cost that benefits are worked out on."""
        self.currency = currency
        self.category = category
        """The benefit category the book gives the service (`primary_care`, `lab`, `drug` ...); empty when it gives
        none."""
        self.book = book
        """Content hash of the price book, or empty for a book-less price."""
        self._rule = rule
        self.display = display
        """The book's plain name of the service."""
        self.facts = facts
        """What the book says of the service for plans to look at: `drug_class` ..."""

    @property
    def rule(self) -> str:
        """Which rule priced it, in words a provider recognises: ``fixed 99213``, ``PFS 99213 locality 13 ...``."""
        rule = self._rule
        if isinstance(rule, str):
            return rule
        words = rule.item.name(rule.event, rule.at)
        return words + ", less was asked" if rule.less_asked else words

    @property
    def contractual_adjustment(self) -> int:
        """Asked less agreed; borne by the provider. Negative when the agreed price is above the asked one."""
        return self.billed - self.allowed

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PricedEvent) and self._said() == other._said()

    __hash__ = None  # type: ignore[assignment]

    def _said(self) -> tuple[object, ...]:
        return (
            *(self.billed, self.allowed, self.currency, self.category, self.book, self.rule, self.display),
            *(self.facts,),
        )
