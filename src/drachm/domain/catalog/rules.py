"""How is one service priced?

One function per rule kind: it reads its part of the document once and returns a `Rule` that works on plain integers.
To add a kind, write a function and name it in `KINDS`. The kinds here lean on other prices; those that measure stand
in `measured.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from math import lcm
from typing import Final

from drachm.domain.catalog.context import PriceContext
from drachm.domain.catalog.document import Node, invalid
from drachm.domain.catalog.facts import Reader, reader
from drachm.domain.catalog.measured import fixed, per_minute, per_unit, tiers
from drachm.domain.catalog.relative_value import relative_value
from drachm.domain.catalog.rule import Amount, Quotes, Ratio, Rule, Scope, no_price_for, services
from drachm.domain.errors import Pended
from drachm.domain.events.model import UNIT, ServiceEvent
from drachm.domain.money import MICROS


def compile_rule(node: Node, scope: Scope) -> Rule:
    """Read one rule object; `InvalidMessage` names the JSON path of anything it does not know."""
    kind = dict(node.entries()).get("kind")
    if kind is None:
        raise invalid("the key 'kind' is missing", node.where)
    return KINDS[kind.word(KINDS)](node, scope)


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
    name, schedules = named["schedule"].text(), scope.schedules
    scope.uses_schedules.add(name)
    return lambda event, at, quotes: schedules[name].line_amount(event, at, quotes), name


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
            raise no_price_for(name, key)
        if isinstance(row, int):
            return row * services(event), UNIT
        return row.amount(event, at, quotes)

    inner = [row for row in rows.values() if isinstance(row, Rule)]
    return Rule(amount, "fixed", _in_order(((name, read),), *(rule.reads for rule in inner)))


def _amount_or_rule(node: Node, scope: Scope) -> int | Rule:
    return node.integer() if isinstance(node.value, int) else compile_rule(node, scope)


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


def not_supported(node: Node, scope: Scope) -> Rule:
    """A service the book knows and does not price; `why` is told to whoever asks."""
    why = node.fields("kind why")["why"].text()

    def amount(event: ServiceEvent, at: PriceContext, quotes: Quotes) -> Ratio:
        raise Pended("price_not_supported", f"{event.code.value}: {why}", where="code")

    return Rule(amount, "not supported", refusal=why)


def _parts(node: Node, scope: Scope) -> list[Rule]:
    parts = [compile_rule(part, scope) for part in node.fields("kind of")["of"].items()]
    if len(parts) < 2:
        raise invalid("at least two rules are needed", f"{node.where}.of")
    return parts


def _reads(parts: list[Rule]) -> tuple[tuple[str, Reader], ...]:
    return _in_order(*(part.reads for part in parts))


def _in_order(*reads: tuple[tuple[str, Reader], ...]) -> tuple[tuple[str, Reader], ...]:
    """Each fact once, by name, first mentioned first."""
    return tuple({name: (name, read) for part in reads for name, read in part}.values())


def _same_denominator(ratios: list[Ratio]) -> tuple[list[int], int]:
    denominator = lcm(*(below for _, below in ratios))
    return [above * (denominator // below) for above, below in ratios], denominator


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
