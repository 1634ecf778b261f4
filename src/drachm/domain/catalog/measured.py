"""What does this much of it cost?

The kinds that turn a quantity or a length of time into an amount: fixed, per unit, per minute, tiers.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from drachm.domain.catalog.context import PriceContext
from drachm.domain.catalog.document import Node, invalid
from drachm.domain.catalog.rule import EACH, Quotes, Ratio, Rule, Scope, ensure_unit, services, unit_of
from drachm.domain.errors import Pended, Refused
from drachm.domain.events.model import UNIT, ServiceEvent
from drachm.domain.money import MAX_AMOUNT, MICROS

_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3_600}
_NO_BOUND: Final = 4 * MAX_AMOUNT
"""Above any quantity used before plus any quantity of the line."""


def fixed(node: Node, scope: Scope) -> Rule:
    """`amount` for one service."""
    amount = node.fields("kind amount")["amount"].integer()
    return Rule(lambda event, at, quotes: (amount * services(event), UNIT), "fixed")


def per_unit(node: Node, scope: Scope) -> Rule:
    """`each` for one `unit` (default `each`); a line in another unit is not priced."""
    fields = node.fields("kind each", "unit")
    each, unit = fields["each"].integer(), unit_of(fields)

    def amount(event: ServiceEvent, at: PriceContext, quotes: Quotes) -> Ratio:
        ensure_unit(event, unit)
        return each * event.quantity, UNIT

    return Rule(amount, "per unit" if unit == EACH else f"per {unit}")


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


def line_microseconds(event: ServiceEvent) -> int:
    """How long the service took: the quantity where it is measured in time, else from start to end.

    Raises `Pended` (`fact_missing`) without either, `Refused` (`invalid_event`) when it ends before it starts.
    """
    if event.unit in _SECONDS:
        return event.quantity * _SECONDS[event.unit]
    if event.ended_at is None:
        raise Pended(
            "fact_missing",
            f"{event.code.value} is priced per minute; the line has neither a quantity in minutes nor an end",
            where="ended_at",
        )
    length = (event.ended_at - event.started_at) // timedelta(microseconds=1)
    if length < 0:
        raise Refused("invalid_event", "the service ends before it starts", where="ended_at")
    return length


def tiers(node: Node, scope: Scope) -> Rule:
    """`graduated`: each part of the quantity at the price of its tier; `volume`: all of it at the tier it ends in.

    `up_to` (millionths) belongs to its tier; the last tier has none. `used` names an event fact: the quantity (whole
    millionths) that earlier lines of the period already used, so that single micro-events climb the tiers together.
    """
    fields = node.fields("kind mode tiers", "unit used")
    mode, unit = fields["mode"].word(("graduated", "volume")), unit_of(fields)
    used = fields["used"].text() if "used" in fields else ""
    table = _tier_table(fields["tiers"])

    def amount(event: ServiceEvent, at: PriceContext, quotes: Quotes) -> Ratio:
        ensure_unit(event, unit)
        start = _used_before(event, used) if used else 0
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
        bound = _NO_BOUND if last else fields["up_to"].integer(1)
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


def _used_before(event: ServiceEvent, fact: str) -> int:
    value = event.facts.get(fact)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_AMOUNT:
        raise Pended(
            "fact_missing",
            f"the price depends on how much was used before; {fact!r} is not a quantity in millionths",
            where=f"facts.{fact}",
        )
    return value
