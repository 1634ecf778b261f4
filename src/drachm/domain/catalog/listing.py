"""Which of the book's rules fits this line?

A `Listing` is a compiled list of items, keyed by code and modifiers. Among the items whose conditions hold the most
exact one wins; two equally exact ones are an error of the book that nobody may decide by chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from drachm.domain.catalog.context import PriceContext
from drachm.domain.catalog.facts import Condition
from drachm.domain.catalog.rule import Quotes, Ratio, Rule
from drachm.domain.errors import Pended
from drachm.domain.events.model import Fact, ServiceEvent
from drachm.domain.money import RoundingMode


@dataclass(frozen=True, slots=True)
class Item:
    """One priced service: whom it fits, what it is called, how it is priced."""

    system: str
    code: str
    modifiers: tuple[str, ...]
    """Sorted; the significant ones a line must carry, no more and no less."""
    when: tuple[Condition, ...]
    category: str
    display: str
    facts: Mapping[str, Fact]
    """What the book says of the service besides its price, such as ``coinsurance_ppm``."""
    lesser_of_billed: bool
    unit: int
    mode: RoundingMode
    rule: Rule
    words: str
    """What the receipt calls the rule, without the facts it read."""
    where: str
    """JSON path in the document."""

    def fits(self, event: ServiceEvent, at: PriceContext) -> bool:
        """True when every condition holds."""
        return all(condition.read(event, at) in condition.words for condition in self.when)

    def name(self, event: ServiceEvent, at: PriceContext) -> str:
        """The rule as a provider recognises it: ``PFS 99213 locality AR-13 non-facility``."""
        if not self.rule.reads:
            return self.words
        return _name(self.words, *[(fact, read(event, at)) for fact, read in self.rule.reads])


@lru_cache(maxsize=65_536)
def _name(words: str, *said: tuple[str, str]) -> str:
    return " ".join((words, *(_said(fact, value) for fact, value in said)))


def _said(fact: str, value: str) -> str:
    if fact == "setting":
        return value.replace("_", "-")
    return f"{fact.removeprefix('fact.').replace('_', ' ')} {value or '-'}"


@dataclass(frozen=True, slots=True)
class Codes:
    """How a book reads codes and modifiers."""

    systems: Mapping[str, str] = field(default_factory=dict)
    """Other names of code systems -> the book's own."""
    significant: frozenset[str] = frozenset()
    """Modifiers that change which item fits; all others are information."""
    not_supported: Mapping[str, str] = field(default_factory=dict)
    """Modifiers that change the price in a way the book cannot follow -> why."""

    def key(self, event: ServiceEvent) -> tuple[str, str]:
        system = event.code.system
        return self.systems.get(system, system), event.code.value

    def modifiers(self, event: ServiceEvent) -> tuple[str, ...]:
        """The significant modifiers of the line, sorted; `Pended` for one the book cannot follow."""
        for modifier in event.modifiers:
            if modifier in self.not_supported:
                raise Pended(
                    "price_not_supported",
                    f"{event.code.value} with modifier {modifier}: {self.not_supported[modifier]}",
                    where="modifiers",
                )
        return tuple(sorted({modifier for modifier in event.modifiers if modifier in self.significant}))


Shelf = dict[tuple[str, ...], list[Item]]
"""Modifiers -> the items of one code."""


class Listing:
    """Items by code, system and modifiers."""

    __slots__ = ("_codes", "_shelves")

    def __init__(self, items: Iterable[Item], codes: Codes) -> None:
        self._codes = codes
        self._shelves: dict[tuple[str, str], Shelf] = {}
        for item in items:
            shelf = self._shelves.setdefault((item.system, item.code), {})
            shelf.setdefault(item.modifiers, []).append(item)

    def find(self, event: ServiceEvent, at: PriceContext) -> Item | None:
        """The item of the line; None when the code is not listed.

        Raises `Pended`: `price_not_supported` when the code is listed but not with these modifiers or here,
        `ambiguous_rule` when two equally exact items fit.
        """
        shelf = self._shelves.get(self._codes.key(event))
        if shelf is None:
            return None
        modifiers = self._codes.modifiers(event) if event.modifiers else ()
        items = shelf.get(modifiers)
        if items is None:
            raise _no_such_modifiers(event, modifiers, shelf)
        if len(items) == 1 and not items[0].when:
            return items[0]
        return most_exact(items, event, at)

    def lists(self, event: ServiceEvent) -> bool:
        """True when the line's code is listed, with whatever modifiers."""
        return self._codes.key(event) in self._shelves

    def choice(self, event: ServiceEvent) -> tuple[Item, ...]:
        """The items among which the facts of the line decide; none when code and modifiers decide alone."""
        shelf = self._shelves.get(self._codes.key(event))
        if shelf is None or any(modifier in self._codes.not_supported for modifier in event.modifiers):
            return ()
        items = shelf.get(self._codes.modifiers(event), ())
        return tuple(items) if len(items) > 1 or any(item.when for item in items) else ()

    def line_amount(self, event: ServiceEvent, at: PriceContext, quotes: Quotes) -> Ratio:
        """The exact amount of the line, for rules that build on this listing."""
        item = self.find(event, at)
        if item is None:
            raise Pended("unknown_code", f"no price for {event.code.system} {event.code.value}", where="code")
        return item.rule.amount(event, at, quotes)


def most_exact(items: Sequence[Item], event: ServiceEvent, at: PriceContext) -> Item:
    """The fitting item with the most conditions; `Pended`: `price_not_supported` without one, `ambiguous_rule`."""
    fitting = [item for item in items if item.fits(event, at)]
    if not fitting:
        raise Pended(
            "price_not_supported",
            f"{event.code.value} is priced only where {', '.join(sorted(_facts_of(items)))} fit, and they do not",
            where="code",
        )
    if len(fitting) == 1:
        return fitting[0]
    exactness = max(len(item.when) for item in fitting)
    best = [item for item in fitting if len(item.when) == exactness]
    if len(best) > 1:
        raise Pended(
            "ambiguous_rule",
            f"{best[0].where} and {best[1].where} fit {event.code.value} equally well",
            where="code",
        )
    return best[0]


def _facts_of(items: Sequence[Item]) -> set[str]:
    return {condition.fact for item in items for condition in item.when}


def _no_such_modifiers(event: ServiceEvent, modifiers: tuple[str, ...], shelf: Shelf) -> Pended:
    asked = f"with modifier {' '.join(modifiers)}" if modifiers else "without a modifier"
    known = ", ".join(" ".join(names) or "none" for names in sorted(shelf))
    return Pended(
        "price_not_supported",
        f"{event.code.value} has no price {asked}; priced modifiers: {known}",
        where="modifiers",
    )
