"""What does each kind of step do?

One function per kind, named in the table `STEPS`: it writes the lines that move money on the locals of one turn. To add
a kind, write its function and name it (docs/reference/plan-model.md, section 4).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from drachm.domain.benefits.amounts import (
    Value,
    amount_of,
    at_most,
    expression_of,
    portion_of,
    rate_of,
    room_of,
    times_quantity,
)
from drachm.domain.benefits.bands import banded
from drachm.domain.benefits.caps import period_cap
from drachm.domain.benefits.rules import (
    BenefitLimit,
    Coinsurance,
    Coordinate,
    Copay,
    Deductible,
    Exclude,
    OutOfPocketMax,
    Pay,
    UnitLimit,
    WaitingPeriod,
)
from drachm.domain.benefits.script import added
from drachm.domain.benefits.totals import counts_now, used
from drachm.domain.benefits.turn import FREE, Turn

Write = Callable[[Turn, Any], None]


def exclude(turn: Turn, rule: Exclude | WaitingPeriod) -> None:
    """All of open becomes the component; the line is denied, also at 0."""
    script = turn.script
    if script.explains:
        with script.block("if open_ <= 0:"):
            turn.note(rule, "0", rule.component, FREE)
    turn.take(rule, "open_", FREE, excess=True, provider=rule.by_provider)
    turn.deny(rule)


def waiting_period(turn: Turn, rule: WaitingPeriod) -> None:
    """As `exclude` while the date lies before `since` + `months`; nothing where either is absent."""
    since, months = turn.value(rule.since), amount_of(turn, rule.months)
    if since is not None and months is not None:
        there = f"{months.text} is not None and " if months.optional else ""
        with turn.script.block(f"if {there}calendar[0] < months_after({since}, {months.text}):"):
            exclude(turn, rule)


def benefit_limit(turn: Turn, rule: BenefitLimit) -> None:
    """Open above the least bound becomes the component; denies when exhausted or when nothing is left."""
    script = turn.script
    bounds = _Bounds(turn)
    each = amount_of(turn, rule.each)
    if each is not None:
        with script.block_if(f"{each.text} is not None" if each.optional else ""):
            bounds.add(times_quantity(turn, each.text) if rule.per_unit else each.text, FREE, sure=not each.optional)
    amount = amount_of(turn, rule.amount)
    if amount is not None:
        with script.block_if(f"{amount.text} is not None" if amount.optional else ""):
            bounds.add(amount.text, FREE, sure=not amount.optional)
    room = room_of(turn, rule.limits)
    if room is not None:
        with script.block_if(f"{room.text} is not None" if room.optional else ""):
            bounds.add(room.text, room.why, sure=not room.optional)
    exhausted = script.zero("exhausted") if rule.unit_limits else ""
    for limit in rule.unit_limits:
        _unit_bound(turn, limit, bounds, exhausted)
    if not bounds.any:
        return
    with script.block_if("" if bounds.sure else f"{bounds.least} is not None"):
        moved = script.let("moved", f"open_ - {bounds.least} if open_ > {bounds.least} else 0")
        turn.take(rule, moved, bounds.why, excess=True, provider=rule.by_provider)
        if rule.denies:
            empty = f"({moved} > 0 and open_ == 0)"
            with script.block(f"if {exhausted} or {empty}:" if exhausted else f"if {empty}:"):
                if script.explains:
                    with script.block(f"if not {moved}:"):
                        turn.note(rule, "0", rule.component, bounds.why)
                turn.deny(rule)


class _Bounds:
    """The least of the bounds written so far, the first of equals."""

    def __init__(self, turn: Turn) -> None:
        self._script = turn.script
        self.least, self.why = turn.script.name("least"), turn.script.name("why")
        self.sure = False
        """Whether there is a bound on every line."""
        self.any = False

    def add(self, bound: str, why: str, *, sure: bool) -> None:
        """One more bound, there when the block around it is entered."""
        script = self._script
        if self.any or not sure:
            self._begin()
            bound = script.let("bound", bound)
            none = "" if self.sure else f"{self.least} is None or "
            with script.block(f"if {none}{bound} < {self.least}:"):
                self._set(bound, why)
        else:
            self._set(bound, why)
        self.any = True
        self.sure = self.sure or sure

    def _begin(self) -> None:
        if not self.any:
            self._script.head(f"{self.least} = None")

    def _set(self, bound: str, why: str) -> None:
        self._script.write(f"{self.least} = {bound}")
        if self._script.explains:
            self._script.write(f"{self.why} = {why}")


def _unit_bound(turn: Turn, limit: UnitLimit, bounds: _Bounds, exhausted: str) -> None:
    """The bound a count sets, and whether the line is exhausted; none while the count leaves it alone."""
    script = turn.script
    most = amount_of(turn, limit.limit)
    if most is None:
        return
    with script.block_if(f"{most.text} is not None" if most.optional else ""):
        held = used(turn, limit.accumulator)
        adds = script.let("adds", added(counts_now(turn, limit.accumulator)))
        why = f"({limit.accumulator!r}, {held}, {most.text})"
        with script.block(f"if {held} + {adds} > {most.text}:"):
            bound = "0"
            if limit.by_unit:
                room = script.let("room", f"{most.text} - {held} if {most.text} > {held} else 0")
                script.write(f"if {room} == 0: {exhausted} = 1")
                bound = f"round_ratio(open_ * {room}, {adds}, {turn.plan.rounding.unit}, {turn.plan.rounding.mode!r})"
                bound = f"{bound} if {room} else 0"
            else:
                script.write(f"{exhausted} = 1")
            bounds.add(bound, why, sure=False)


def copay(turn: Turn, rule: Copay) -> None:
    """min(open, room, x): x a fixed amount per line, unit, visit or day, or a rate between `min` and `max`."""
    asked = _rated_copay(turn, rule) if rule.ppm is not None else _fixed_copay(turn, rule)
    if asked is not None:
        with turn.script.block_if(f"{asked.text} is not None" if asked.optional else ""):
            moved, why = at_most(turn, asked.text, room_of(turn, rule.limits))
            turn.take(rule, moved, why)


def _rated_copay(turn: Turn, rule: Copay) -> Value | None:
    script = turn.script
    rate = rate_of(turn, rule.ppm)
    if rate is None:
        return None
    asked = script.name("asked")
    if rate.optional:
        script.write(f"{asked} = None")
    with script.block_if(f"{rate.text} is not None" if rate.optional else ""):
        script.write(f"{asked} = {portion_of(turn, 'cost' if rule.of_cost else 'open_', rate.text)}")
        for bound, sign in ((amount_of(turn, rule.minimum), "<"), (amount_of(turn, rule.maximum), ">")):
            if bound is not None:
                there = f"{bound.text} is not None and " if bound.optional else ""
                script.write(f"if {there}{asked} {sign} {bound.text}: {asked} = {bound.text}")
    return Value(asked, rate.optional)


def _fixed_copay(turn: Turn, rule: Copay) -> Value | None:
    script = turn.script
    amount = amount_of(turn, rule.amount)
    key = taken_key(turn, rule)
    if amount is None or rule.per == "line" or (rule.per != "unit" and not key):
        return amount
    if rule.per == "unit":
        asked = times_quantity(turn, amount.text)
    else:
        # What this step took already from this member in this visit or day is not asked again.
        asked = f"max(0, {amount.text} - {script.used(key)})"
    return Value(
        script.let("asked", f"None if {amount.text} is None else {asked}" if amount.optional else asked),
        amount.optional,
    )


def taken_key(turn: Turn, rule: Copay) -> str:
    """Where a copay per visit or day keeps what it took from the member; empty for a line without visit."""
    if rule.per not in ("visit", "day") or rule.amount is None or (rule.per == "visit" and not turn.script.has_visit):
        return ""
    name = f"{turn.plan.totals_of}/{rule.id}#taken"
    return turn.script.key(turn.scope("person"), repr(name), turn.period(rule.per))


def deductible(turn: Turn, rule: Deductible) -> None:
    """min(open, room) of the limits; without any limit nothing."""
    script = turn.script
    room = room_of(turn, rule.limits)
    if room is not None:
        with script.block_if(f"{room.text} is not None" if room.optional else ""):
            turn.take(rule, script.let("moved", f"{room.text} if {room.text} < open_ else open_"), room.why)


def coinsurance(turn: Turn, rule: Coinsurance) -> None:
    """min(open, room, rate x base); the rate may change by bands of a running total."""
    script = turn.script
    base = "cost" if rule.of_cost else "open_"
    if rule.bands:
        asked, where = banded(turn, rule, base)
        _take_coinsurance(turn, rule, base, asked, where)
        return
    rate = rate_of(turn, rule.ppm)
    if rate is not None:
        with script.block_if(f"{rate.text} is not None" if rate.optional else ""):
            asked = script.let("asked", portion_of(turn, base, rate.text))
            _take_coinsurance(turn, rule, base, asked, FREE)


def _take_coinsurance(turn: Turn, rule: Coinsurance, base: str, asked: str, where: str) -> None:
    script = turn.script
    room = room_of(turn, rule.limits)
    moved, why = at_most(turn, asked, room)
    kept = script.zero("base")
    script.write(f"{kept} = {base}")
    if room is not None and where != FREE and script.explains:
        script.write(f"if {why} == {FREE}: {why} = {where}")
    turn.take(rule, moved, where if room is None else why)
    turn.bases.append(kept)


def pay(turn: Turn, rule: Pay) -> None:
    """min(open, room, x) is paid by a party; without amount or rate all of open."""
    script = turn.script
    asked: Value | None = Value("open_")
    if not rule.everything:
        asked = amount_of(turn, rule.amount)
        rate = rate_of(turn, rule.ppm)
        if rate is not None:
            portion = portion_of(turn, "open_", rate.text)
            other = asked.text if asked else "None"
            may = rate.optional and (asked is None or asked.optional)
            asked = Value(
                script.let("asked", f"{portion} if {rate.text} is not None else {other}" if rate.optional else portion),
                may,
            )
    if asked is not None:
        with script.block_if(f"{asked.text} is not None" if asked.optional else ""):
            moved, why = at_most(turn, asked.text, room_of(turn, rule.limits))
            turn.pay(rule, rule.party or turn.plan.payer, moved, why)


def out_of_pocket_max(turn: Turn, rule: OutOfPocketMax) -> None:
    """What the counted components hold above the room goes back to open, last taken first."""
    script = turn.script
    # The counted components are weighed against the room, so they cannot also have used it up.
    room = room_of(turn, rule.limits, without=rule.counts)
    counted = [owed for owed in turn.owed if owed.component in rule.counts and not owed.provider]
    if room is None or not counted:
        return
    with script.block_if(f"{room.text} is not None" if room.optional else ""):
        due = script.let("due", f"{added([owed.amount for owed in counted])} - {room.text}")
        with script.block(f"if {due} > 0:"):
            for owed in reversed(counted):
                turn.give_back(rule, owed, due, room.why)


def coordinate(turn: Turn, rule: Coordinate) -> None:
    """Open is lowered to max(0, least expression - what the `pay` steps gave); the difference vanishes."""
    script = turn.script
    expressions = [expression_of(turn, one) for one in rule.lowest_of]
    lowest = f"min({', '.join(expressions)})" if len(expressions) > 1 else expressions[0]
    given = "".join(f" - {paid.amount}" for paid in turn.paid)
    least = script.let("least", f"max(0, {lowest}{given})")
    with script.block(f"if {least} < open_:"):
        vanished = script.let("vanished", f"open_ - {least}")
        script.write(f"open_ = {least}")
        turn.note(rule, f"-{vanished}", turn.plan.payer, FREE)


STEPS: Final[dict[str, Write]] = {
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
