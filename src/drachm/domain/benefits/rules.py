"""What does one step of a plan say?

One noun per kind of step (docs/reference/plan-model.md, sections 4 and 5), with defaults filled in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from drachm.domain.benefits.words import Amount, Condition, Expression, WhenUsed

Scope = Literal["person", "family", "policy"]

COST_SHARE: Final = frozenset({"deductible", "copay", "coinsurance"})


@dataclass(frozen=True, slots=True)
class Limit:
    accumulator: str
    limit: Amount


@dataclass(frozen=True, slots=True)
class UnitLimit:
    accumulator: str
    limit: Amount
    by_unit: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What every step says."""

    id: str
    kind: str
    clause: str
    when: Condition
    when_used: WhenUsed
    component: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclude(Rule):
    by_provider: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingPeriod(Rule):
    since: str
    months: Amount
    by_provider: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BenefitLimit(Rule):
    each: Amount
    per_unit: bool
    amount: Amount
    limits: tuple[Limit, ...]
    unit_limits: tuple[UnitLimit, ...]
    denies: bool
    by_provider: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Copay(Rule):
    amount: Amount
    per: Literal["line", "unit", "visit", "day"]
    ppm: Amount
    minimum: Amount
    maximum: Amount
    of_cost: bool
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deductible(Rule):
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True)
class RateBand:
    below: Amount
    ppm: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Coinsurance(Rule):
    ppm: Amount
    bands: tuple[RateBand, ...]
    measure: str
    """Accumulator that says in which band the line stands; empty without bands."""
    of_cost: bool
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pay(Rule):
    party: str
    """Empty: the document's payer."""
    everything: bool
    amount: Amount
    ppm: Amount
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfPocketMax(Rule):
    limits: tuple[Limit, ...]
    counts: frozenset[str]


@dataclass(frozen=True, slots=True)
class Pool:
    scope: Scope
    period: str
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CapCase:
    when: Condition
    when_used: WhenUsed
    base: Amount
    over: Amount
    ppm: Amount


@dataclass(frozen=True, slots=True)
class Scale:
    when: Condition
    ppm: int


@dataclass(frozen=True, slots=True)
class Qualify:
    by: tuple[str, ...]
    floor: Amount
    needs: Condition | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodCap(Rule):
    pool: Pool
    cap: tuple[CapCase, ...]
    scale: tuple[Scale, ...]
    qualify: Qualify | None
    refund: bool
    """Settle by credit alone: the patient pays first and is refunded."""
    recover: bool
    counts: frozenset[str] | None
    """None: every component of class share."""
    of_covered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinate(Rule):
    lowest_of: tuple[Expression, ...]
