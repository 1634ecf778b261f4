"""What do the lines of a period add up to?

The registers of a `period_cap` (docs/reference/plan-model.md, section 5): S, the patient's amounts that entered, C, the
cost, R, the relief given; with `needs` N, the lines that meet it. With `qualify` the pool is made of buckets, each with
O, the own shares, S, C, L, the lines, and N: a bucket counts as a whole, or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from drachm.domain.benefits.amounts import amount_of
from drachm.domain.benefits.rules import PeriodCap, Qualify
from drachm.domain.benefits.script import joined
from drachm.domain.benefits.turn import Turn


class Line(NamedTuple):
    """The locals of what a line brings."""

    share: str
    cost: str
    needs: bool
    """Whether it is a line that the pool needs."""


class Sums(NamedTuple):
    """What a pool holds with the line: a local, and two sums."""

    share: str
    cost: str
    needs: str
    """Empty where the pool needs nothing."""


class Pool:
    """Where the registers of one cap live on a line. Raises `Pended` where a fact that splits it is missing."""

    def __init__(self, turn: Turn, rule: PeriodCap) -> None:
        self._script = turn.script
        self.scope = turn.scope(rule.pool.scope)
        self.name = turn.total_name(f"{turn.plan.totals_of}/{rule.id}", rule.pool.by)
        self.period = turn.period(rule.pool.period)

    def key(self, letter: str, bucket: Sequence[str] = ()) -> str:
        """The key of one register."""
        return self._script.key(self.scope, joined(self.name, *bucket, repr(f"#{letter}")), self.period)

    def change(self, letter: str, change: str, bucket: Sequence[str] = ()) -> str:
        """Add to a register; gives the local of what it held before the line."""
        script = self._script
        key = self.key(letter, bucket)
        kept = script.zero("change")
        script.write(f"{kept} = {change}")
        script.add(key, kept)
        return script.used(key)


def enter(turn: Turn, rule: PeriodCap, pool: Pool, line: Line) -> tuple[str, Sums]:
    """Write the line into the pool; gives the pool's share before it, and the pool's sums with it."""
    script = turn.script
    needed = rule.qualify is not None and rule.qualify.needs is not None
    share, cost, needs = line.share, line.cost, repr(int(line.needs))
    if rule.qualify is not None:
        share, cost, needs = _enter_bucket(turn, rule.qualify, pool, line)
    before = pool.change("S", share)
    cost_before = pool.change("C", cost)
    needs_after = f"{pool.change('N', needs)} + {needs}" if needed else ""
    return before, Sums(
        script.let("pool_share", f"{before} + {share}"),
        f"({cost_before} + {cost})",
        f"({needs_after})" if needed else "",
    )


def _enter_bucket(turn: Turn, qualify: Qualify, pool: Pool, line: Line) -> tuple[str, str, str]:
    """Write the line into its bucket; gives what that adds to the pool.

    A bucket counts while it holds a line and the own shares in it reach the floor, which is worked out with the line's
    facts: so it enters the pool whole, and leaves it whole when a reversal takes it below.
    """
    script = turn.script
    bucket = [turn.total_name("", qualify.by, "{}")]
    found = amount_of(turn, qualify.floor)
    floor = "0" if found is None else script.let("floor", f"{found.text} or 0") if found.optional else found.text
    own = script.let("own", f"{turn.before_caps} or 0")
    own_before = pool.change("O", own, bucket)
    count_before = pool.change("L", "1", bucket)
    counted = script.let("counted", f"{count_before} > 0 and {own_before} >= {floor}")
    counts = script.let("counts", f"{count_before} + 1 > 0 and {own_before} + {own} >= {floor}")
    parts = {"S": line.share, "C": line.cost} | ({} if qualify.needs is None else {"N": repr(int(line.needs))})
    changes = {}
    for letter, more in parts.items():
        was = pool.change(letter, more, bucket)
        change = f"({was} + {more} if {counts} else 0) - ({was} if {counted} else 0)"
        changes[letter] = script.let("entering", change)
    return changes["S"], changes["C"], changes.get("N", "0")
