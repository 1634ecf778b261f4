"""What does each kind of step do?

One compiler per kind, named in the table `STEPS`: it turns a rule into a callable that moves money on the registers of
one document. To add a kind, write its function and name it (docs/reference/plan-model.md, section 4).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from operator import itemgetter
from typing import Final, TypeAlias, cast

from drachm.domain.benefits.amounts import (
    AmountOf,
    Room,
    compile_amount,
    compile_expression,
    compile_rate,
    compile_room,
)
from drachm.domain.benefits.bands import compile_banded
from drachm.domain.benefits.caps import compile_period_cap
from drachm.domain.benefits.model import Key
from drachm.domain.benefits.naming import day_period, key, visit_period
from drachm.domain.benefits.registers import FREE, Bound, Registers
from drachm.domain.benefits.rules import (
    BenefitLimit,
    Coinsurance,
    Coordinate,
    Copay,
    Deductible,
    Exclude,
    OutOfPocketMax,
    Pay,
    PeriodCap,
    Rule,
    UnitLimit,
    WaitingPeriod,
)
from drachm.domain.benefits.totals import Terms
from drachm.domain.events.model import UNIT
from drachm.domain.money import portion, round_ratio
from drachm.domain.periods import add_months

Act: TypeAlias = Callable[[Registers], None]


def exclude(rule: Rule, terms: Terms) -> Act:
    """All of open becomes the component; the line is denied, also at 0."""
    provider = cast(Exclude | WaitingPeriod, rule).by_provider

    def act(registers: Registers) -> None:
        if registers.open > 0:
            registers.take(rule, registers.open, FREE, excess=True, provider=provider)
        else:
            registers.note(rule, 0, rule.component, FREE)
        registers.deny(rule)

    return act


def waiting_period(rule: Rule, terms: Terms) -> Act:
    """As `exclude` while the date lies before `since` + `months`; nothing where either is absent."""
    rule = cast(WaitingPeriod, rule)
    since_fact, months_of, deny = rule.since, compile_amount(rule.months, terms), exclude(rule, terms)

    def act(registers: Registers) -> None:
        since = registers.facts[since_fact]
        months = months_of(registers)
        if since is not None and months is not None and registers.work.day < _months_after(since, months):
            deny(registers)

    return act


def _months_after(since: str, months: int) -> date:
    try:
        return add_months(date.fromisoformat(since), months)
    except (ValueError, OverflowError):
        # The calendar ends in 9999: the wait never does.
        return date.max


def benefit_limit(rule: Rule, terms: Terms) -> Act:
    """Open above the least bound becomes the component; denies when exhausted or when nothing is left."""
    rule = cast(BenefitLimit, rule)
    each_of, amount_of = compile_amount(rule.each, terms), compile_amount(rule.amount, terms)
    room_of = compile_room(rule.limits, terms)
    unit_bounds = [_unit_bound(one, terms) for one in rule.unit_limits]
    per_unit, denies, provider = rule.per_unit, rule.denies, rule.by_provider

    def act(registers: Registers) -> None:
        bounds: list[Bound] = []
        exhausted = False
        each = each_of(registers)
        if each is not None:
            bounds.append((_times(each, registers, terms) if per_unit else each, "", 0, 0))
        amount = amount_of(registers)
        if amount is not None:
            bounds.append((amount, "", 0, 0))
        room = room_of(registers, registers.sums) if room_of else None
        if room is not None:
            bounds.append(room)
        for unit_bound in unit_bounds:
            units = unit_bound(registers)
            if units is not None:
                bounds.append(units[0])
                exhausted = exhausted or units[1]
        if not bounds:
            return
        least = min(bounds, key=itemgetter(0))
        moved = max(0, registers.open - least[0])
        registers.take(rule, moved, least, excess=True, provider=provider)
        if denies and (exhausted or (moved > 0 and registers.open == 0)):
            if not moved:
                registers.note(rule, 0, rule.component, least)
            registers.deny(rule)

    return act


def _times(amount: int, registers: Registers, terms: Terms) -> int:
    """`amount` x quantity; only a fractional quantity makes a product that needs rounding."""
    quantity = registers.line.quantity
    whole, fraction = divmod(quantity, UNIT)
    return portion(amount, quantity, terms.unit, terms.mode) if fraction else amount * whole


def _unit_bound(limit: UnitLimit, terms: Terms) -> Callable[[Registers], tuple[Bound, bool] | None]:
    """The bound a count sets and whether the line is exhausted; None while the count leaves it alone."""
    total, limit_of, by_unit = terms.totals[limit.accumulator], compile_amount(limit.limit, terms), limit.by_unit

    def bound(registers: Registers) -> tuple[Bound, bool] | None:
        most = limit_of(registers)
        if most is None:
            return None
        used, adds = total.used(registers), total.counts_now(registers)
        if used + adds <= most:
            return None
        room = max(0, most - used)
        if not by_unit or room == 0:
            return (0, total.id, used, most), True
        return (round_ratio(registers.open * room, adds, terms.unit, terms.mode), total.id, used, most), False

    return bound


def copay(rule: Rule, terms: Terms) -> Act:
    """min(open, room, x): x a fixed amount per line, unit, visit or day, or a rate between `min` and `max`."""
    rule = cast(Copay, rule)
    asked_of = _rated_copay(rule, terms) if rule.ppm is not None else _fixed_copay(rule, terms)
    room_of = compile_room(rule.limits, terms)

    def act(registers: Registers) -> None:
        asked = asked_of(registers)
        if asked is not None:
            registers.take(rule, *_at_most(asked, registers, room_of))

    return act


def _at_most(asked: int, registers: Registers, room_of: Room | None) -> tuple[int, Bound]:
    """min(open, room, asked), and the limit if it was the least."""
    moved = min(registers.open, asked)
    room = room_of(registers, registers.sums) if room_of else None
    return (moved, FREE) if room is None or room[0] >= moved else (room[0], room)


def _rated_copay(rule: Copay, terms: Terms) -> AmountOf:
    rate_of, of_cost = compile_rate(rule.ppm, terms), rule.of_cost
    least_of, most_of = compile_amount(rule.minimum, terms), compile_amount(rule.maximum, terms)

    def asked(registers: Registers) -> int | None:
        rate = rate_of(registers)
        if rate is None:
            return None
        amount = portion(registers.work.cost if of_cost else registers.open, rate, terms.unit, terms.mode)
        least, most = least_of(registers), most_of(registers)
        amount = amount if least is None else max(amount, least)
        return amount if most is None else min(amount, most)

    return asked


def _fixed_copay(rule: Copay, terms: Terms) -> AmountOf:
    amount_of = compile_amount(rule.amount, terms)
    if rule.per == "line":
        return amount_of
    if rule.per == "unit":

        def asked(registers: Registers) -> int | None:
            amount = amount_of(registers)
            return None if amount is None else _times(amount, registers, terms)

        return asked
    taken_of = taken_key(rule, terms)

    def still_asked(registers: Registers) -> int | None:
        amount = amount_of(registers)
        taken = taken_of(registers)
        if amount is None or taken is None:
            return amount
        return max(0, amount - registers.work.totals.get(taken, 0))

    return still_asked


def taken_key(rule: Copay, terms: Terms) -> Callable[[Registers], Key | None]:
    """Where a copay per visit or day keeps what it took from the member; None for a line without visit."""
    name = f"{terms.plan.totals_of}/{rule.id}#taken"
    if rule.per == "day":
        return lambda registers: key(registers.line.member, name, day_period(registers))
    return lambda registers: key(registers.line.member, name, visit_period(registers)) if registers.line.visit else None


def deductible(rule: Rule, terms: Terms) -> Act:
    """min(open, room) of the limits; without any limit nothing."""
    room_of = compile_room(cast(Deductible, rule).limits, terms)

    def act(registers: Registers) -> None:
        room = room_of(registers, registers.sums) if room_of else None
        if room is not None:
            registers.take(rule, min(registers.open, room[0]), room)

    return act


def coinsurance(rule: Rule, terms: Terms) -> Act:
    """min(open, room, rate x base); the rate may change by bands of a running total."""
    rule = cast(Coinsurance, rule)
    banded = compile_banded(rule, terms) if rule.bands else None
    rate_of, room_of, of_cost = compile_rate(rule.ppm, terms), compile_room(rule.limits, terms), rule.of_cost

    def act(registers: Registers) -> None:
        base = registers.work.cost if of_cost else registers.open
        if banded is not None:
            asked, where = banded(registers, base)
        else:
            rate = rate_of(registers)
            if rate is None:
                return
            asked, where = portion(base, rate, terms.unit, terms.mode), FREE
        moved, bound = _at_most(asked, registers, room_of)
        registers.bases += base
        registers.take(rule, moved, where if bound is FREE else bound)

    return act


def pay(rule: Rule, terms: Terms) -> Act:
    """min(open, room, x) is paid by a party; without amount or rate all of open."""
    rule = cast(Pay, rule)
    party = rule.party or terms.payer
    amount_of, rate_of = compile_amount(rule.amount, terms), compile_rate(rule.ppm, terms)
    room_of, everything = compile_room(rule.limits, terms), rule.everything

    def act(registers: Registers) -> None:
        asked: int | None = registers.open
        if not everything:
            asked = amount_of(registers)
            rate = rate_of(registers)
            if rate is not None:
                asked = portion(registers.open, rate, terms.unit, terms.mode)
        if asked is not None:
            registers.pay(rule, party, *_at_most(asked, registers, room_of))

    return act


def out_of_pocket_max(rule: Rule, terms: Terms) -> Act:
    """What the counted components hold above the room goes back to open, last taken first."""
    rule = cast(OutOfPocketMax, rule)
    room_of, counts = compile_room(rule.limits, terms), rule.counts

    def act(registers: Registers) -> None:
        if room_of is None:
            return
        sums = registers.sums
        counted = sum([sums.get(component, 0) for component in counts])
        # The counted components are weighed against the room, so they cannot also have used it up.
        others = {name: amount for name, amount in sums.items() if name not in counts} if counted else sums
        room = room_of(registers, others)
        if room is not None and counted > room[0]:
            _give_back(rule, registers, counts, counted - room[0], room)

    return act


def _give_back(rule: Rule, registers: Registers, counts: frozenset[str], excess: int, why: Bound) -> None:
    for entry in reversed(registers.entries):
        if entry.component in counts and not entry.provider:
            amount = min(entry.amount, excess)
            if amount > 0:
                registers.give_back(rule, entry, amount, why)
                excess -= amount


def coordinate(rule: Rule, terms: Terms) -> Act:
    """Open is lowered to max(0, least expression - what the `pay` steps gave); the difference vanishes."""
    expressions = [compile_expression(one) for one in cast(Coordinate, rule).lowest_of]

    def act(registers: Registers) -> None:
        given = sum(registers.paid.values())
        least = max(0, min(expression(registers) for expression in expressions) - given)
        if least < registers.open:
            difference, registers.open = registers.open - least, least
            registers.note(rule, -difference, terms.payer, FREE)

    return act


def period_cap(rule: Rule, terms: Terms) -> Act:
    """A rule over a period (section 5), here on this document's own components."""
    return compile_period_cap(cast(PeriodCap, rule), terms, closing=False)


STEPS: Final[dict[str, Callable[[Rule, Terms], Act]]] = {
    "exclude": exclude,
    "waiting_period": waiting_period,
    "benefit_limit": benefit_limit,
    "copay": copay,
    "deductible": deductible,
    "coinsurance": coinsurance,
    "pay": pay,
    "out_of_pocket_max": out_of_pocket_max,
    "period_cap": period_cap,
    "coordinate": coordinate,
}
