"""What do relative values come to here?

The physician fee schedule of Medicare prices a service by three relative values (work, practice expense, malpractice),
each adjusted by an index of the locality, times one conversion factor: 42 CFR 414.20 to 414.30.
"""

from __future__ import annotations

from functools import lru_cache

from drachm.domain.catalog.context import PriceContext
from drachm.domain.catalog.document import Node, invalid
from drachm.domain.catalog.facts import FACILITY, NON_FACILITY
from drachm.domain.catalog.rule import LocalAmount, Quotes, Ratio, Rule, Scope, no_price_for, services
from drachm.domain.events.model import UNIT, ServiceEvent
from drachm.domain.money import MICROS, round_ratio


def relative_value(node: Node, scope: Scope) -> Rule:
    """`work`, `facility_pe`, `non_facility_pe`, `malpractice` in millionths; the setting chooses the practice expense.

    The local amount is rounded to the book's unit, as the schedule publishes it, and then taken for each service.
    """
    fields = node.fields("kind work facility_pe non_facility_pe malpractice", "conversion_factor")
    work, malpractice = fields["work"].integer(), fields["malpractice"].integer()
    practice = {FACILITY: fields["facility_pe"].integer(), NON_FACILITY: fields["non_facility_pe"].integer()}
    factor = fields["conversion_factor"].integer(1) if "conversion_factor" in fields else scope.conversion_factor
    places = scope.places
    if factor is None or not places.indices:
        raise invalid("a relative value needs the book's conversion_factor and localities with indices", node.where)
    if scope.local_amount is None:
        scope.local_amount = _local_amounts(scope)
    conversion, local_amount = factor, scope.local_amount

    def amount(event: ServiceEvent, at: PriceContext, quotes: Quotes) -> Ratio:
        expense = practice[places.setting(event, at)]
        return local_amount(work, expense, malpractice, conversion, places.locality(event, at)) * services(event), UNIT

    return Rule(amount, "relative value", (("locality", places.locality), ("setting", places.setting)))


def _local_amounts(scope: Scope) -> LocalAmount:
    """The formula for one book, with a bounded memory.

    A year has about 20,000 services x 109 localities x 2 settings; only those in use are kept.
    """
    indices, unit, mode = scope.places.indices, scope.unit, scope.mode

    @lru_cache(maxsize=65_536)
    def local_amount(work: int, practice: int, malpractice: int, factor: int, locality: str) -> int:
        if locality not in indices:
            raise no_price_for("locality", locality)
        by_work, by_practice, by_malpractice = indices[locality]
        units = work * by_work + practice * by_practice + malpractice * by_malpractice
        return round_ratio(units * factor, MICROS * MICROS, unit, mode)

    return local_amount
