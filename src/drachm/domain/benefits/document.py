"""What does a plan document say?

The typed form of docs/reference/plan-model.md: what `load_plan` makes of the JSON and the compiler reads. Money is in
micros, rates in parts per million. Defaults are filled in, groups are resolved to their words, and the keys of a
condition stand in the order in which they are looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from drachm.domain.events.model import Fact
from drachm.domain.money import RoundingMode
from drachm.domain.periods import Period

FactKind = Literal["words", "flag", "number", "money", "date", "text"]
Scope = Literal["person", "family", "policy"]

EXCESS_KINDS: Final = frozenset({"exclude", "waiting_period", "benefit_limit"})
"""Steps whose component is excess: above or outside the cover, so no later document takes it over by itself."""

COST_SHARE: Final = frozenset({"deductible", "copay", "coinsurance"})

BUILT_IN: Final[Mapping[str, FactKind]] = {
    "member": "text",
    "date": "date",
    "visit": "text",
    "payer_set": "text",
    "quantity": "number",
    "third_party_help": "money",
}
"""Facts that every line has; a document never declares them."""


@dataclass(frozen=True, slots=True)
class Rounding:
    """The payable unit in micros, and where halves go."""

    unit: int
    mode: RoundingMode


@dataclass(frozen=True, slots=True)
class FactType:
    """What a declared fact may be."""

    kind: FactKind
    words: frozenset[str] = frozenset()
    """Allowed words when `kind` is `words`."""
    required: bool = True
    """Neither given nor defaulted: the event pends."""
    default: Fact | None = None
    """None with `required` false: the fact may be absent."""


@dataclass(frozen=True, slots=True)
class Band:
    """Turns a number into a word: the word at the place where the value sorts among `bounds`."""

    fact: str
    of: str
    bounds: tuple[int, ...]
    words: tuple[str, ...]
    """One more than `bounds`."""


@dataclass(frozen=True, slots=True)
class OneOf:
    fact: str
    values: frozenset[Fact]


@dataclass(frozen=True, slots=True)
class Within:
    """`at_least` <= fact < `below`; a date compares as ISO text."""

    fact: str
    at_least: int | str | None
    below: int | str | None


@dataclass(frozen=True, slots=True)
class Not:
    condition: Condition


@dataclass(frozen=True, slots=True)
class AnyOf:
    conditions: tuple[Condition, ...]


Part: TypeAlias = OneOf | Within | Not | AnyOf


@dataclass(frozen=True, slots=True)
class Condition:
    """Holds when every part holds; parts stand in code-point order of their keys."""

    parts: tuple[Part, ...] = ()


ALWAYS: Final = Condition()


@dataclass(frozen=True, slots=True)
class UsedRange:
    """One key of `when_used`: the total before the visit lies in the range."""

    accumulator: str
    at_least: int | None
    below: int | None


WhenUsed: TypeAlias = tuple[UsedRange, ...]


@dataclass(frozen=True, slots=True)
class Case:
    when: Condition
    when_used: WhenUsed
    value: Amount


@dataclass(frozen=True, slots=True)
class Cases:
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class FromFact:
    fact: str
    ppm: int | None


@dataclass(frozen=True, slots=True)
class Growing:
    """Grows with the family."""

    base: int
    per_extra_member: int
    members_included: int
    maximum: int | None


Amount: TypeAlias = int | Cases | FromFact | Growing | None
"""None is no rule."""


@dataclass(frozen=True, slots=True)
class Feed:
    of: str
    """A measure of section 3."""
    when: Condition


@dataclass(frozen=True, slots=True)
class Accumulator:
    """A running total."""

    id: str
    scope: Scope
    period: str
    """One of the page's periods, or `rolling_days`."""
    rolling_days: int
    by: tuple[str, ...]
    feeds: tuple[Feed, ...]
    help_excluded: bool
    """What a third party pays of the patient's share does not count."""


@dataclass(frozen=True, slots=True)
class ReliefMonths:
    """How many of the `months` before the current one saw relief in the `period_cap` called `of`."""

    id: str
    of: str
    months: int


@dataclass(frozen=True, slots=True)
class Limit:
    accumulator: str
    limit: Amount


@dataclass(frozen=True, slots=True)
class UnitLimit:
    accumulator: str
    limit: Amount
    by_unit: bool


@dataclass(frozen=True, slots=True)
class Expression:
    """max(0, greatest of the first - sum of the second)."""

    greatest: tuple[str, ...]
    less: tuple[str, ...]


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


@dataclass(frozen=True, slots=True)
class Plan:
    """One version of one payer's terms, checked; compiled by `build_stack`."""

    id: str
    version: str
    payer: str
    currency: str
    zone: str
    effective: Period
    """Half-open, on the local service date."""
    hash: str
    """SHA-256 of the canonical document."""
    rounding: Rounding
    benefit_year: tuple[int, int]
    """Month and day on which it starts."""
    residue: Literal["provider", "patient", "payer"]
    facts: Mapping[str, FactType]
    bands: tuple[Band, ...]
    applies: Condition
    starts_from: Expression | None
    """None: from what the patient still owes; an expression makes the document independent."""
    takes_over: frozenset[str] | None
    """None: every component of class share."""
    remainder: Literal["payer", "patient"]
    accumulators: tuple[Accumulator | ReliefMonths, ...]
    steps: tuple[Rule, ...]
    closing_steps: tuple[PeriodCap, ...]
    totals_of: str
    """The id under which running totals live: `continues`, else `id`."""
    frozen: frozenset[str] = frozenset()
    """Accumulators that some `when_used` looks at: they are read as they stood before the visit."""
    title: str = ""
    text: Mapping[str, str] | None = None
    """Clause -> sentence."""

    def sentence(self, clause: str) -> str:
        """The words of a clause; empty when the document has none."""
        return (self.text or {}).get(clause, "")
