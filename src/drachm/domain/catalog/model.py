"""What does it cost?

A price book is a versioned, effective-dated, content-hashed document of rules; pricing turns a `ServiceEvent` into a
`PricedEvent` that says what was asked, what is agreed, and which rule of which book said so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from drachm.domain.events.model import Fact
from drachm.domain.events.record import record


@record
class PricedEvent:
    """An event with its price. All amounts are micros of `currency` for the whole line (quantity applied)."""

    billed: int
    """What the provider asked; the allowed amount when nothing was asked."""
    allowed: int
    """What is agreed: the cost that benefits are worked out on."""
    currency: str
    category: str
    """The benefit category the book gives the service (`primary_care`, `lab`, `drug` ...); empty when it gives none."""
    book: str
    """Content hash of the price book, or empty for a book-less price."""
    rule: str
    """Which rule priced it, in words a provider recognises: ``fixed 99213``, ``PFS 99213 locality 13 non-facility``."""
    display: str = ""
    """The book's plain name of the service."""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    """What the book says of the service for plans to look at: `drug_class` ..."""

    @property
    def contractual_adjustment(self) -> int:
        """Asked less agreed; borne by the provider. Negative when the agreed price is above the asked one."""
        return self.billed - self.allowed
