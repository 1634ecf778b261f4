"""How is one service priced?

One function per rule kind: it reads its part of the document once and returns a `Rule` whose `amount` works on plain
integers. Amounts are exact ratios of micros for the whole line; the caller rounds them once. To add a kind, write a
function and name it in `KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from math import lcm
from typing import Final, Protocol

from drachm.domain.catalog.context import PriceContext
from drachm.domain.catalog.document import Node, invalid
from drachm.domain.catalog.durations import line_microseconds
from drachm.domain.catalog.facts import Places, Reader, reader
from drachm.domain.errors import Pended
from drachm.domain.events.model import UNIT, ServiceEvent
from drachm.domain.money import MAX_AMOUNT, MICROS, RoundingMode, round_ratio

Ratio = tuple[int, int]
"""Numerator and positive denominator of an amount in micros."""

MOST_QUANTITY: Final = 2**53 - 1


class Quotes(Protocol):
    """Where a rule asks for the amount of another schedule."""

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


class Schedule(Protocol):
    """A named list of items inside the book."""

    def line_amount(self, event: ServiceEvent, at: PriceContext, quotes: Quotes) -> Ratio:
        """The exact amount of the line; raises `Pended` when the schedule does not price it."""


@dataclass(slots=True)
class Scope:
    """What every rule of one book shares while it is compiled."""

    places: Places
    unit: int
    mode: RoundingMode
    conversion_factor: int | None = None
    schedules: dict[str, Schedule] = field(default_factory=dict)
    uses_books: set[str] = field(default_factory=set)
    uses_schedules: set[str] = field(default_factory=set)


def compile_rule(node: Node, scope: Scope) -> Rule:
    """Read one rule object; `InvalidMessage` names the JSON path of anything it does not know."""
    kind = dict(node.entries()).get("kind")
    if kind is None:
        raise invalid("the key 'kind' is missing", node.where)
    return KINDS[kind.word(KINDS)](node, scope)


def services(event: ServiceEvent) -> int:
    """How many services the line holds, in millionths: its quantity when counted by `each`, else one."""
    return event.quantity if event.unit == "each" else UNIT


def fixed(node: Node, scope: Scope) -> Rule:
    """`amount` for one service."""
    amount = node.fields("kind amount")["amount"].integer()
    return _fixed(amount)


def _fixed(amount: int) -> Rule:
    return Rule(lambda event, at, quotes: (amount * services(event), UNIT), "fixed")


def per_unit(node: Node, scope: Scope) -> Rule:
    """`each` for one `unit` (default `each`); a line in another unit is not priced."""
    fields = node.fields("kind each", "unit")
    each, unit = fields["each"].integer(), _unit(fields)

    def amount(event: ServiceEvent, at: PriceContext, quotes: Quotes) -> Ratio:
        _ensure_unit(event, unit)
        return each * event.quantity, UNIT

    return Rule(amount, f"per {unit}" if unit != "each" else "per unit")


def per_minute(node: Node, scope: Scope) -> Rule:
    """`rate` per minute; started `increment`s (seconds, default 60) count whole, `minimum` (seconds) is always due."""
    fields = node.fields("kind rate", "increment minimum")
    rate = fields["rate"].integer()
    increment = fields["increment"].integer(1, 86_400) * MICROS if "increment" in fields else 60 * MICROS
    minimum = fields["minimum"].integer(0, 86_400) * MICROS if "minimum" in fields else 0

    def amount(event: ServiceEvent, at: PriceContext, quotes: Quotes) -> Ratio:
        length = line_microseconds(event)
        if length == 0:
            return 0, 1
        return rate * max(minimum, -(-length // increment) * increment), 60 * MICROS

    return Rule(amount, "per minute")


def tiers(node: Node, scope: Scope) -> Rule:
    """`graduated`: each part of the quantity at the price of its tier; `volume`: all of it at the tier it ends in.

    `up_to` (millionths) belongs to its tier; the last tier has none. `used` names an event fact: the quantity (whole
    millionths) that earlier lines of the period already used, so that single micro-events climb the tiers together.
    """
    fields = node.fields("kind mode tiers", "unit used")
    mode, unit = fields["mode"].word(("graduated", "volume")), _unit(fields)
    used = fields["used"].text() if "used" in fields else ""
    table = _tier_table(fields["tiers"])

    def amount(event: ServiceEvent, at: PriceContext, quotes: Quotes) -> Ratio:
        _ensure_unit(event, unit)
        start = _used(event, used) if used else 0
        end = start + event.quantity
        if mode == "graduated":
            return _graduated(table, end) - _graduated(table, start), UNIT
        each = next(each for bound, each in table if end <= bound)
        return each * event.quantity, UNIT

    return Rule(amount, f"{mode} tiers")


def _tier_table(node: Node) -> tuple[tuple[int, int], ...]:
    rows = node.items()
    if not rows:
        raise invalid("at least one tier is needed", node.where)
    table: list[tuple[int, int]] = []
    for row in rows:
        last = row is rows[-1]
        fields = row.fields("each" if last else "up_to each")
        bound = 2 * MOST_QUANTITY if last else fields["up_to"].integer(1, MOST_QUANTITY)
        if table and bound <= table[-1][0]:
            raise invalid("the bounds of tiers must rise", row.where)
        table.append((bound, fields["each"].integer()))
    return tuple(table)


def _graduated(table: tuple[tuple[int, int], ...], quantity: int) -> int:
    total = below = 0
    for bound, each in table:
        if quantity <= below:
            break
        total += each * (min(quantity, bound) - below)
        below = bound
    return total


def _used(event: ServiceEvent, fact: str) -> int:
    value = event.facts.get(fact)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_QUANTITY:
        raise Pended(
            "fact_missing",
            f"the price depends on how much was used before; {fact!r} is not a quantity in millionths",
            where=f"facts.{fact}",
        )
    return value


def percent_of(node: Node, scope: Scope) -> Rule:
    """`ppm` parts per million of `of`: what was asked (``"billed"``), a schedule of this book, or another book."""
    fields = node.fields("kind ppm of")
    ppm = fields["ppm"].integer(0, 1_000 * MICROS)
    base, words = _base(fields["of"], scope)

    def amount(event: ServiceEvent, at: PriceContext, quotes: Quotes) -> Ratio:
        numerator, denominator = base(event, at, quotes)
        return numerator * ppm, denominator * MICROS

    return Rule(amount, f"{_percent(ppm)} % of {words}")


def _base(node: Node, scope: Scope) -> tuple[Amount, str]:
    if isinstance(node.value, str):
        node.word(("billed",))
        return _asked, "asked"
    named = node.fields("", "schedule book")
    if len(named) != 1:
        raise invalid('"billed", {"schedule": name} or {"book": id} is expected', node.where)
    if "book" in named:
        book = named["book"].text()
        scope.uses_books.add(book)
        return lambda event, at, quotes: (quotes.amount(book, event, at), 1), book
    name = named["schedule"].text()
    scope.uses_schedules.add(name)
    return lambda event, at, quotes: scope.schedules[name].line_amount(event, at, quotes), name


def _percent(ppm: int) -> str:
    whole, below = divmod(ppm, 10_000)
    return f"{whole}.{below:04d}".rstrip("0").rstrip(".")


def as_submitted(node: Node, scope: Scope) -> Rule:
    """What was asked is agreed, unrounded."""
    node.fields("kind")
    return Rule(_asked, "as submitted", exact=True)


def _asked(event: ServiceEvent, at: PriceContext, quotes: Quotes) -> Ratio:
    if event.billed is None:
        raise Pended("fact_missing", "the price depends on the asked amount, which is missing", where="billed")
    return event.billed, 1


def relative_value(node: Node, scope: Scope) -> Rule:
    """Relative values x geographic indices x conversion factor, published to the rounding unit, then x services.

    (work x PW + practice expense of the setting x PE + malpractice x MP) x factor: 42 CFR 414.22 to 414.30.
    """
    fields = node.fields("kind work facility_pe non_facility_pe malpractice", "conversion_factor")
    values = [fields[key].integer() for key in ("work", "malpractice")]
    practice = {"facility": fields["facility_pe"].integer(), "non_facility": fields["non_facility_pe"].integer()}
    factor = fields["conversion_factor"].integer(1) if "conversion_factor" in fields else scope.conversion_factor
    if factor is None or not scope.places.indices:
        raise invalid("a relative value needs the book's conversion_factor and localities with indices", node.where)
    places, local, (work, malpractice) = scope.places, _local_amounts(scope), values

    def amount(event: ServiceEvent, at: PriceContext, quotes: Quotes) -> Ratio:
        locality, setting = places.locality(event, at), places.setting(event, at)
        return local(work, practice[setting], malpractice, factor, locality) * services(event), UNIT

    return Rule(amount, "relative value", (("locality", places.locality), ("setting", places.setting)))


@lru_cache(maxsize=64)
def _local_amounts_of(
    indices: tuple[tuple[str, tuple[int, int, int]], ...], unit: int, mode: RoundingMode
) -> Callable[[int, int, int, int, str], int]:
    table = dict(indices)

    # A year has about 20,000 services x 109 localities x 2 settings; only those in use are kept.
    @lru_cache(maxsize=65_536)
    def local(work: int, practice: int, malpractice: int, factor: int, locality: str) -> int:
        if locality not in table:
            raise _unknown_place("locality", locality)
        by_work, by_practice, by_malpractice = table[locality]
        units = work * by_work + practice * by_practice + malpractice * by_malpractice
        return round_ratio(units * factor, MICROS * MICROS, unit, mode)

    return local


def _local_amounts(scope: Scope) -> Callable[[int, int, int, int, str], int]:
    return _local_amounts_of(tuple(scope.places.indices.items()), scope.unit, scope.mode)


def lookup(node: Node, scope: Scope) -> Rule:
    """The row of a fact: `by` names the fact, `rows` give an amount per service or a rule, `otherwise` the rest."""
    fields = node.fields("kind by rows", "otherwise")
    name = fields["by"].text()
    read = reader(name, scope.places, fields["by"].where)
    rows = {key: _amount_or_rule(row, scope) for key, row in fields["rows"].entries()}
    if not rows:
        raise invalid("at least one row is needed", fields["rows"].where)
    otherwise = _amount_or_rule(fields["otherwise"], scope) if "otherwise" in fields else None

    def amount(event: ServiceEvent, at: PriceContext, quotes: Quotes) -> Ratio:
        key = read(event, at)
        row = rows.get(key, otherwise)
        if row is None:
            raise _unknown_place(name, key)
        if isinstance(row, int):
            return row * services(event), UNIT
        return row.amount(event, at, quotes)

    inner = {pair: None for row in rows.values() if isinstance(row, Rule) for pair in row.reads}
    return Rule(amount, "fixed", tuple({(name, read): None, **inner}))


def _amount_or_rule(node: Node, scope: Scope) -> int | Rule:
    return node.integer() if isinstance(node.value, int) else compile_rule(node, scope)


def _unknown_place(name: str, value: str) -> Pended:
    if not value:
        return Pended("fact_missing", f"the price depends on {name!r}, which nobody supplied", where=name)
    return Pended("price_not_supported", f"the price book has no price where {name} is {value[:40]!r}", where=name)


def lesser_of(node: Node, scope: Scope) -> Rule:
    """The lowest of several rules."""
    parts = _parts(node, scope)

    def amount(event: ServiceEvent, at: PriceContext, quotes: Quotes) -> Ratio:
        numerators, denominator = _same_denominator([part.amount(event, at, quotes) for part in parts])
        return min(numerators), denominator

    return Rule(amount, f"lesser of {' and '.join(part.words for part in parts)}", _reads(parts))


def total_of(node: Node, scope: Scope) -> Rule:
    """The sum of several rules: a price and its surcharge."""
    parts = _parts(node, scope)

    def amount(event: ServiceEvent, at: PriceContext, quotes: Quotes) -> Ratio:
        numerators, denominator = _same_denominator([part.amount(event, at, quotes) for part in parts])
        return sum(numerators), denominator

    return Rule(amount, " + ".join(part.words for part in parts), _reads(parts))


def _parts(node: Node, scope: Scope) -> list[Rule]:
    parts = [compile_rule(part, scope) for part in node.fields("kind of")["of"].items()]
    if len(parts) < 2:
        raise invalid("at least two rules are needed", f"{node.where}.of")
    return parts


def _reads(parts: list[Rule]) -> tuple[tuple[str, Reader], ...]:
    return tuple({pair: None for part in parts for pair in part.reads})


def _same_denominator(ratios: list[Ratio]) -> tuple[list[int], int]:
    denominator = lcm(*(below for _, below in ratios))
    return [above * (denominator // below) for above, below in ratios], denominator


def not_supported(node: Node, scope: Scope) -> Rule:
    """A service the book knows and does not price; `why` is told to whoever asks."""
    why = node.fields("kind why")["why"].text()

    def amount(event: ServiceEvent, at: PriceContext, quotes: Quotes) -> Ratio:
        raise Pended("price_not_supported", f"{event.code.value}: {why}", where="code")

    return Rule(amount, "not supported")


def _unit(fields: dict[str, Node]) -> str:
    return fields["unit"].text() if "unit" in fields else "each"


def _ensure_unit(event: ServiceEvent, unit: str) -> None:
    if event.unit != unit:
        raise Pended(
            "price_not_supported",
            f"{event.code.value} is priced per {unit}, the line is measured in {event.unit[:20]!r}",
            where="unit",
            next_step=f"Send the quantity in {unit}.",
        )


KINDS: Final[dict[str, Callable[[Node, Scope], Rule]]] = {
    "fixed": fixed,
    "per_unit": per_unit,
    "per_minute": per_minute,
    "tiers": tiers,
    "percent_of": percent_of,
    "as_submitted": as_submitted,
    "relative_value": relative_value,
    "lookup": lookup,
    "lesser_of": lesser_of,
    "total_of": total_of,
    "not_supported": not_supported,
}
assert MOST_QUANTITY <= MAX_AMOUNT
