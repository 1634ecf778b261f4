"""What is a rule, and what may it ask?

The nouns that every rule kind shares. Amounts are exact ratios of micros for the whole line; the caller rounds them
once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from drachm.domain.catalog.context import PriceContext
from drachm.domain.catalog.document import Node
from drachm.domain.catalog.facts import Places, Reader
from drachm.domain.errors import Pended
from drachm.domain.events.model import UNIT, ServiceEvent
from drachm.domain.money import RoundingMode

Ratio = tuple[int, int]
"""Numerator and positive denominator of an amount in micros."""

EACH: Final = "each"
"""The unit of lines that count services."""


class Quotes(Protocol):
    """Where a rule asks for the amount of another price book."""

    def amount(self, book: str, event: ServiceEvent, at: PriceContext) -> int:
        """What price book `book` allows for the line, in micros, before any comparison with the asked amount."""


Amount = Callable[[ServiceEvent, PriceContext, Quotes], Ratio]


@dataclass(frozen=True, slots=True)
class Rule:
    """One compiled rule."""

    amount: Amount
    words: str
    """The kind in words: ``per minute``."""
    reads: tuple[tuple[str, Reader], ...] = ()
    """Facts that shaped the price, named on the receipt."""
    exact: bool = False
    """True when the amount is somebody's own figure and must not be rounded."""
    refusal: str = ""
    """Why the book does not price the service, for a rule that only says so."""


class Schedule(Protocol):
    """A named list of items inside the book."""

    def line_amount(self, event: ServiceEvent, at: PriceContext, quotes: Quotes) -> Ratio:
        """The exact amount of the line; raises `Pended` when the schedule does not price it."""


LocalAmount = Callable[[int, int, int, int, str], int]
"""Work, practice expense, malpractice, conversion factor, locality -> the published local amount in micros."""


@dataclass(slots=True)
class Scope:
    """What every rule of one book shares while it is compiled."""

    places: Places
    unit: int
    mode: RoundingMode
    conversion_factor: int | None = None
    local_amount: LocalAmount | None = None
    schedules: dict[str, Schedule] = field(default_factory=dict)
    uses_books: set[str] = field(default_factory=set)
    uses_schedules: set[str] = field(default_factory=set)


def services(event: ServiceEvent) -> int:
    """How many services the line holds, in millionths: its quantity when counted by `each`, else one."""
    return event.quantity if event.unit == EACH else UNIT


def unit_of(fields: dict[str, Node]) -> str:
    """The `unit` a rule is measured in; `each` when it names none."""
    return fields["unit"].text() if "unit" in fields else EACH


def ensure_unit(event: ServiceEvent, unit: str) -> None:
    """`Pended` when the line is measured in another unit than its price: nothing is converted by guess."""
    if event.unit != unit:
        raise Pended(
            "price_not_supported",
            f"{event.code.value} is priced per {unit}, the line is measured in {event.unit[:20]!r}",
            where="unit",
            next_step=f"Send the quantity in {unit}.",
        )


def no_price_for(fact: str, value: str) -> Pended:
    """The answer when a table has no row for a fact, or nobody supplied the fact."""
    if not value:
        return Pended("fact_missing", f"the price depends on {fact!r}, which nobody supplied", where=fact)
    return Pended("price_not_supported", f"the price book has no price where {fact} is {value[:40]!r}", where=fact)
