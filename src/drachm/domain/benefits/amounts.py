"""How much does the rule say?

Amounts, expressions and limits, written as Python over the locals of one turn. None is "no rule".
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import gcd
from typing import NamedTuple

from drachm.domain.benefits.rules import Limit
from drachm.domain.benefits.script import added
from drachm.domain.benefits.totals import contribution, used, used_test
from drachm.domain.benefits.turn import FREE, Turn
from drachm.domain.benefits.words import Amount, Case, Cases, Expression, FromFact
from drachm.domain.money import MICROS


class Value(NamedTuple):
    """An amount: a number, or the local that holds it."""

    text: str
    optional: bool = False
    """Whether the local may be None on a line."""


class Room(NamedTuple):
    """What the limits of a step leave."""

    text: str
    optional: bool
    why: str
    """The limit that leaves the least."""


def amount_of(turn: Turn, amount: Amount) -> Value | None:
    """An amount; None where there is no rule. Raises `Pended` where a fact is missing."""
    if amount is None or isinstance(amount, int):
        return None if amount is None else Value(repr(amount))
    if isinstance(amount, Cases):
        return _first_case(turn, amount.cases, rate=False)
    script = turn.script
    if isinstance(amount, FromFact):
        given = turn.value(amount.fact)
        if given is None:
            return None
        # Amounts are not negative, whatever the fact says.
        whole = script.let("amount", f"{given} if {given} > 0 else 0")
        return Value(whole if amount.ppm is None else script.let("amount", portion_of(turn, whole, repr(amount.ppm))))
    size = turn.value("family_size")
    if size is None:
        return None
    grown = f"{amount.base} + {amount.per_extra_member} * max(0, {size} - {amount.members_included})"
    return Value(script.let("amount", grown if amount.maximum is None else f"min({grown}, {amount.maximum})"))


def rate_of(turn: Turn, rate: Amount) -> Value | None:
    """An amount of parts per million: a fact beyond the whole counts as the whole."""
    if isinstance(rate, Cases):
        return _first_case(turn, rate.cases, rate=True)
    found = amount_of(turn, rate)
    if found is None or isinstance(rate, int):
        return found
    return Value(turn.script.let("rate", f"min({found.text}, {MICROS})"))


def _first_case(turn: Turn, cases: Sequence[Case], *, rate: bool) -> Value | None:
    """The first case that holds. Only those that look at totals are left to the line."""
    for position, case in enumerate(cases):
        if turn.holds(case.when):
            test = used_test(turn, case.when_used)
            if test:
                return _either(turn, test, case, cases[position + 1 :], rate=rate)
            return rate_of(turn, case.value) if rate else amount_of(turn, case.value)
    return None


def _either(turn: Turn, test: str, case: Case, others: Sequence[Case], *, rate: bool) -> Value:
    """The case where the totals pass its test, else the first of the others."""
    script = turn.script
    name = script.name("amount")
    optional = False
    with script.block(f"if {test}:"):
        optional = _assign(turn, name, rate_of(turn, case.value) if rate else amount_of(turn, case.value))
    with script.block("else:"):
        optional |= _assign(turn, name, _first_case(turn, others, rate=rate))
    return Value(name, optional)


def _assign(turn: Turn, name: str, value: Value | None) -> bool:
    """Let `name` be an amount; gives whether there may be none."""
    turn.script.write(f"{name} = {None if value is None else value.text}")
    return value is None or value.optional


def rounded(turn: Turn, numerator: str, denominator: int) -> str:
    """``numerator / denominator``, both not negative, rounded as the document says."""
    unit, mode = turn.plan.rounding.unit, turn.plan.rounding.mode
    step = denominator * unit
    if step == 1:
        return numerator
    times = "" if unit == 1 else f" * {unit}"
    half, whole = (step // 2, step) if step % 2 == 0 else (step, 2 * step)
    twice = numerator if step % 2 == 0 else f"2 * {numerator}"
    if mode == "half_up":
        return f"({twice} + {half}) // {whole}{times}"
    if mode == "half_down":
        return f"-(({half} - {twice}) // {whole}){times}"
    if mode == "up":
        return f"-(-({numerator}) // {step}){times}"
    if mode == "down":
        return f"{numerator} // {step}{times}"
    return f"round_ratio({numerator}, {denominator}, {unit}, {mode!r})"


def portion_of(turn: Turn, base: str, rate: str) -> str:
    """`rate` parts per million of `base`, rounded; a rate that is a number is cut to its lowest terms."""
    if not rate.isdecimal():
        return rounded(turn, f"{base} * {rate}", MICROS)
    common = gcd(int(rate), MICROS)
    times, denominator = int(rate) // common, MICROS // common
    return "0" if times == 0 else rounded(turn, base if times == 1 else f"{base} * {times}", denominator)


def times_quantity(turn: Turn, amount: str) -> str:
    """`amount` x quantity; only a fractional quantity makes a product that needs rounding."""
    rounding = turn.plan.rounding
    return f"times({amount}, line.quantity, {rounding.unit}, {rounding.mode!r})"


def room_of(turn: Turn, limits: Sequence[Limit], without: Collection[str] = ()) -> Room | None:
    """The least room of a step's limits, the components `without` not counted; None where nothing limits."""
    script = turn.script
    found: Room | None = None
    for limit in limits:
        value = amount_of(turn, limit.limit)
        if value is None:
            continue
        if found is None:
            found = Room(script.name("room"), value.optional, "")
            why = f"({limit.accumulator!r}, {used(turn, limit.accumulator)}, {value.text})"
            if value.optional:
                found = _may_limit(turn, found, limit, value, without)
            else:
                _leave(turn, found.text, limit, value, without)
                found = Room(found.text, False, why)
        else:
            found = _less_room(turn, found, limit, value, without)
    return found


def _leave(turn: Turn, name: str, limit: Limit, value: Value, without: Collection[str]) -> None:
    """Let `name` be max(0, limit - used - this line's contribution so far)."""
    held = used(turn, limit.accumulator)
    plus, minus = contribution(turn, limit.accumulator, without)
    left = [f"{value.text} - {held}", *[f"- {one}" for one in plus], *[f"+ {one}" for one in minus]]
    turn.script.write(f"{name} = {' '.join(left)}")
    turn.script.write(f"if {name} < 0: {name} = 0")


def _may_limit(turn: Turn, room: Room, limit: Limit, value: Value, without: Collection[str]) -> Room:
    """The first limit, where totals decide whether there is one."""
    script = turn.script
    why = script.name("why")
    script.write(f"{room.text} = None")
    with script.block(f"if {value.text} is not None:"):
        _leave(turn, room.text, limit, value, without)
        if script.explains:
            script.write(f"{why} = ({limit.accumulator!r}, {used(turn, limit.accumulator)}, {value.text})")
    return Room(room.text, True, why)


def _less_room(turn: Turn, room: Room, limit: Limit, value: Value, without: Collection[str]) -> Room:
    """One more limit: it counts where it leaves less."""
    script = turn.script
    why, left = script.name("why"), script.name("left")
    none = f"{room.text} is None or " if room.optional else ""
    if script.explains:
        script.write(f"{why} = {room.why}" if not none else f"{why} = None if {room.text} is None else {room.why}")
    with script.block_if(f"{value.text} is not None" if value.optional else ""):
        _leave(turn, left, limit, value, without)
        with script.block(f"if {none}{left} < {room.text}:"):
            script.write(f"{room.text} = {left}")
            if script.explains:
                script.write(f"{why} = ({limit.accumulator!r}, {used(turn, limit.accumulator)}, {value.text})")
    return Room(room.text, room.optional and value.optional, why)


def at_most(turn: Turn, asked: str, room: Room | None) -> tuple[str, str]:
    """min(open, room, asked), and the limit if it was the least."""
    script = turn.script
    moved = script.let("moved", f"{asked} if {asked} < open_ else open_" if asked != "open_" else "open_")
    if room is None:
        return moved, FREE
    why = script.name("why")
    if script.explains:
        script.write(f"{why} = {FREE}")
    there = f"{room.text} is not None and " if room.optional else ""
    with script.block(f"if {there}{room.text} < {moved}:"):
        script.write(f"{moved} = {room.text}")
        if script.explains:
            script.write(f"{why} = {room.why}")
    return moved, why


def expression_of(turn: Turn, expression: Expression) -> str:
    """max(0, greatest - less) of section 6."""
    most = [given for name in expression.greatest if (given := _named(turn, name)) is not None]
    least = [given for name in expression.less if (given := _named(turn, name)) is not None]
    greatest = f"max({', '.join(most)})" if len(most) > 1 else (most or ["0"])[0]
    return f"max(0, {' - '.join([greatest, *[f'({one})' for one in least]])})"


def _named(turn: Turn, name: str) -> str | None:
    script = turn.script
    if name == "billed":
        return "line.billed"
    if name == "cost":
        return "cost"
    if name == "earlier_paid":
        # Credits are not counted.
        return added([paid.amount for paid in script.paid])
    if name == "remaining":
        return added([owed.amount for owed in turn.takes_over()])
    if name == "own_benefit":
        return added(["open_", *[paid.amount for paid in turn.paid]])
    if name == "own_cost_share":
        return added(turn.shares())
    if name == "own_allowed":
        fact = turn.plan.facts.get(name)
        absent = fact is None or fact.kind != "money" or turn.facts.get(name) is None
        return "cost" if absent else turn.value(name)
    return turn.value(name)
