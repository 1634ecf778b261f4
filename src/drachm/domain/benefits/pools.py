"""What do the lines of a period add up to?

The registers of a `period_cap` (docs/reference/plan-model.md, section 5): S, the patient's amounts that entered, C, the
cost, R, the relief given; with `needs` N, the lines that meet it. With `qualify` the pool is made of buckets, each with
O, the own shares, S, C, L, the lines, and N: a bucket counts as a whole, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from drachm.domain.benefits.amounts import compile_amount
from drachm.domain.benefits.model import Key
from drachm.domain.benefits.naming import key, name_of, period_of, scope_of
from drachm.domain.benefits.registers import Registers, Work
from drachm.domain.benefits.rules import PeriodCap
from drachm.domain.benefits.totals import Terms, pool_name

Place: TypeAlias = tuple[str, str, str]
"""Scope id, name and period of a pool or a bucket."""


class Sums(NamedTuple):
    """What a line, a bucket or a pool holds."""

    share: int
    cost: int
    needs: int


def register(place: Place, letter: str) -> Key:
    """The key of one register of a pool or a bucket."""
    return key(place[0], f"{place[1]}#{letter}", place[2])


class Pool:
    """The registers of one cap."""

    def __init__(self, rule: PeriodCap, terms: Terms) -> None:
        self._scope = scope_of(rule.pool.scope)
        self._name = pool_name(rule, terms.plan)
        self._period = period_of(rule.pool.period, terms.plan.benefit_year)
        self._bucket = name_of("", rule.qualify.by, ("{", "}")) if rule.qualify else None
        self._floor = compile_amount(rule.qualify.floor if rule.qualify else None, terms)
        self._counts_needs = rule.qualify is not None and rule.qualify.needs is not None

    def place(self, registers: Registers) -> Place:
        """Where the line's pool lives."""
        return self._scope(registers), self._name(registers.facts), self._period(registers)

    def enter(self, registers: Registers, place: Place, line: Sums) -> tuple[int, Sums]:
        """Write the line into the pool; gives the pool's share before it, and the pool's sums with it."""
        work = registers.work
        change = line if self._bucket is None else self._enter_bucket(registers, place, line)
        before = _add(work, register(place, "S"), change.share)
        cost = _add(work, register(place, "C"), change.cost) + change.cost
        needs = _add(work, register(place, "N"), change.needs) + change.needs if self._counts_needs else 0
        return before, Sums(before + change.share, cost, needs)

    def _enter_bucket(self, registers: Registers, place: Place, line: Sums) -> Sums:
        """Write the line into its bucket; gives what that adds to the pool.

        A bucket counts while it holds a line and the own shares in it reach the floor, which is worked out with the
        line's facts: so it enters the pool whole, and leaves it whole when a reversal takes it below.
        """
        bucket, work = self._bucket_place(registers, place), registers.work
        floor = self._floor(registers) or 0
        own = registers.own_before_caps or 0
        own_before = _add(work, register(bucket, "O"), own)
        count_before = _add(work, register(bucket, "L"), 1)
        before = Sums(
            _add(work, register(bucket, "S"), line.share),
            _add(work, register(bucket, "C"), line.cost),
            _add(work, register(bucket, "N"), line.needs) if self._counts_needs else 0,
        )
        counted = count_before > 0 and own_before >= floor
        counts = count_before + 1 > 0 and own_before + own >= floor
        return Sums(*(counts * (was + more) - counted * was for was, more in zip(before, line, strict=True)))

    def _bucket_place(self, registers: Registers, place: Place) -> Place:
        bucket = self._bucket(registers.facts) if self._bucket else ""
        return place[0], f"{place[1]}{bucket}", place[2]

    def all_keys(self, registers: Registers) -> Iterator[Key]:
        """Every key that the cap may touch on the line."""
        place = self.place(registers)
        needs = "N" if self._counts_needs else ""
        for letter in f"SCR{needs}":
            yield register(place, letter)
        if self._bucket is not None:
            bucket = self._bucket_place(registers, place)
            for letter in f"OSCL{needs}":
                yield register(bucket, letter)


def _add(work: Work, where: Key, amount: int) -> int:
    """Add to a register; gives what it held before the line."""
    work.add(where, amount)
    return work.totals.get(where, 0)
