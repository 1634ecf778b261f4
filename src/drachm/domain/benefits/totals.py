"""How much is used already, and what does this line add?

Each accumulator of a document knows its key, what is used, what the line has contributed so far, and is fed at the end
of the document's steps (docs/reference/plan-model.md, section 3).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, cast

from drachm.domain.benefits.document import Accumulator, ReliefMonths
from drachm.domain.benefits.rules import COST_SHARE, PeriodCap
from drachm.domain.benefits.script import added, joined
from drachm.domain.benefits.turn import Turn
from drachm.domain.benefits.words import WhenUsed
from drachm.domain.errors import Pended

COUNTS: Final = frozenset({"units", "lines", "visits"})


def accumulator(turn: Turn, name: str) -> Accumulator | ReliefMonths:
    """The accumulator of this name in the document whose turn it is."""
    return next(one for one in turn.plan.accumulators if one.id == name)


def total(turn: Turn, name: str) -> Accumulator:
    """The accumulator of that name that is fed."""
    return cast(Accumulator, accumulator(turn, name))


def key(turn: Turn, total: Accumulator) -> str:
    """Where the total lives on this line. Raises `Pended` where a fact that splits it is missing."""
    script = turn.script
    if total.id not in turn.keys:
        scope, name, period = _place(turn, total)
        if total.rolling_days:
            days = script.keys(scope, name, f"days_ending(calendar[0], {total.rolling_days})")
            script.head(f"{days}_today = {days}[0]")
            turn.keys[total.id] = f"{days}_today"
        else:
            turn.keys[total.id] = script.key(scope, name, period)
    return turn.keys[total.id]


def _place(turn: Turn, total: Accumulator) -> tuple[str, str, str]:
    name = turn.total_name(f"{turn.plan.totals_of}/{total.id}", total.by)
    return turn.scope(total.scope), name, turn.period(total.period)


def used(turn: Turn, name: str) -> str:
    """The total before the line; of a rolling total, the sum over its days."""
    found = total(turn, name)
    mine = key(turn, found)
    if not found.rolling_days:
        return turn.script.used(mine)
    return turn.script.used(mine, f"sum(map(get, {mine.removesuffix('_today')}, repeat(0)))")


def _used_before_visit(turn: Turn, name: str) -> str:
    """The total less what earlier lines of the visit added, so that a visit never changes rule midway."""
    found = accumulator(turn, name)
    if isinstance(found, ReliefMonths):
        return _relief(turn, found)
    if found.period == "visit":
        return "0"
    held = used(turn, name)
    if turn.script.has_visit:
        held = f"{held} - {turn.script.used(_frozen_key(turn, found))}"
    before = f"before_{held.split(' ')[0]}"
    turn.script.head(f"{before} = max(0, {held})")
    return before


def _relief(turn: Turn, relief: ReliefMonths) -> str:
    """How many of the months before this one saw relief in a monthly cap; it has no key of its own."""
    script, plan = turn.script, turn.plan
    step = cast(PeriodCap, next(one for one in (*plan.steps, *plan.closing_steps) if one.id == relief.of))
    most = max(one.months for one in plan.accumulators if isinstance(one, ReliefMonths) and one.of == relief.of)
    name = turn.total_name(f"{plan.totals_of}/{step.id}", step.pool.by)
    months = script.keys(turn.scope(step.pool.scope), joined(name, "'#R'"), f"months_before(calendar[0], {most})")
    return script.used(
        f"{months}[:{relief.months - 1}]", f"sum([get(key, 0) > 0 for key in {months}[:{relief.months - 1}]])"
    )


def used_test(turn: Turn, ranges: WhenUsed) -> str:
    """A test of totals as they stood before the visit; empty when it always holds."""
    tests: list[str] = []
    for one in ranges:
        try:
            before = _used_before_visit(turn, one.accumulator)
        except Pended as why:
            if not tests:
                raise
            # A total behind a test that fails is not asked for.
            with turn.script.block(f"if {' and '.join(tests)}:"):
                turn.script.pend(why)
            return "False"
        low = "" if one.at_least is None else f"{one.at_least} <= "
        high = "" if one.below is None else f" < {one.below}"
        tests.append(f"{low}{before}{high}" if low or high else "True")
    return " and ".join(tests)


def contribution(
    turn: Turn, name: str, without: Collection[str] = (), open_: str = "open_"
) -> tuple[list[str], list[str]]:
    """What the money feeds would add if the line ended now and nothing were open: locals to add and to take away."""
    plus: list[str] = []
    minus: list[str] = []
    for feed in total(turn, name).feeds:
        if feed.of not in COUNTS and turn.holds(feed.when):
            if feed.of == "covered":
                plus.append(turn.start)
                minus += [*turn.excess(), *([open_] if open_ else [])]
            else:
                plus += _measure(turn, feed.of, without)
    return plus, minus


def _measure(turn: Turn, of: str, without: Collection[str]) -> list[str]:
    if of == "cost_share":
        return turn.components(COST_SHARE, without)
    if of == "patient":
        return turn.components(None, without)
    if of == "coinsured":
        return list(turn.bases)
    if of == "paid" or of.startswith("paid:"):
        party = of.removeprefix("paid").removeprefix(":") or turn.plan.payer
        paid = [paid.amount for paid in turn.paid if paid.party == party]
        # Credits are always the payer's.
        return [*paid, *turn.credits] if party == turn.plan.payer else paid
    return turn.components({of}, without)


def counts_now(turn: Turn, name: str) -> list[str]:
    """What the line would add to a total of units, lines or visits."""
    found = total(turn, name)
    return [_count(turn, found, feed.of) for feed in found.feeds if feed.of in COUNTS and turn.holds(feed.when)]


def _count(turn: Turn, total: Accumulator, of: str) -> str:
    if of == "units":
        return "line.quantity"
    if of == "visits" and turn.script.has_visit:
        return f"(0 if {turn.script.used(_first_key(turn, total))} else 1)"
    return "1"


def feed(turn: Turn) -> None:
    """Add the line's final amounts to every total; a denied line is not counted, but its money is."""
    lowered = _lowered_by_help(turn) if any(_helped(one) for one in turn.plan.accumulators) else {}
    for one in turn.plan.accumulators:
        if isinstance(one, Accumulator):
            _feed(turn, one, lowered if one.help_excluded else {})


def _helped(one: Accumulator | ReliefMonths) -> bool:
    return isinstance(one, Accumulator) and one.help_excluded


def _feed(turn: Turn, total: Accumulator, lowered: Mapping[str, str]) -> None:
    script = turn.script
    reads_facts = bool(total.by) or total.period == "policy_year"
    money = [turn.holds(feed.when) for feed in total.feeds if feed.of not in COUNTS]
    plus, minus = contribution(turn, total.id, open_="")
    if reads_facts and any(money):
        # Its name is asked for although 0 may be added: a fact that is missing there pends the line.
        key(turn, total)
    counted = len(money) < len(total.feeds)
    if not (plus or counted):
        return
    amount = script.let("adds", " - ".join([added([lowered.get(one, one) for one in plus]), *minus]))
    fed = bool(plus)
    if counted:
        with turn.unless_denied():
            fed |= _count_line(turn, total, amount, reads_facts=reads_facts)
    if not fed:
        return
    script.add(key(turn, total), amount)
    if total.id in turn.plan.frozen and total.period != "visit" and script.has_visit:
        script.add(_frozen_key(turn, total), amount)


def _count_line(turn: Turn, total: Accumulator, amount: str, *, reads_facts: bool) -> bool:
    """Add the line to a total of units, lines or visits; gives whether any looks at it."""
    script = turn.script
    if reads_facts and any(turn.holds(feed.when) for feed in total.feeds if feed.of in COUNTS):
        key(turn, total)
    held = [feed.of for feed in total.feeds if feed.of in COUNTS and turn.holds(feed.when)]
    for of in held:
        script.write(f"{amount} += {_count(turn, total, of)}")
    if "visits" in held and script.has_visit:
        first = script.zero("first")
        script.write(f"{first} = {_count(turn, total, 'visits')}")
        script.add(_first_key(turn, total), first)
    return bool(held)


def _lowered_by_help(turn: Turn) -> dict[str, str]:
    """The share components after somebody else's help lowered them, first taken first."""
    script = turn.script
    rest = script.let("help", turn.value("third_party_help") or "0")
    lowered = {}
    for amount in turn.shares():
        lowered[amount] = script.let("lowered", f"{amount} - {rest} if {amount} > {rest} else 0")
        script.write(f"{rest} -= {amount} - {lowered[amount]}")
    return lowered


def _frozen_key(turn: Turn, total: Accumulator) -> str:
    """What the visit added to this very total; a rolling total's days are one."""
    scope, name, period = _place(turn, total)
    end = () if total.rolling_days else ("'@'", period)
    return turn.script.key(scope, joined(name, "'@visit:'", "line.member", *end), turn.period("visit"))


def _first_key(turn: Turn, total: Accumulator) -> str:
    scope, name, _ = _place(turn, total)
    return turn.script.key(scope, joined(name, "'@first:'", "line.member"), turn.period("visit"))
