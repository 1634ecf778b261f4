"""What does a plan document say?

The typed form of docs/reference/plan-model.md: what `load_plan` makes of the JSON and the compiler reads. Money is
in micros, rates are parts per million, defaults are filled in. Conditions and amounts stand in `words.py`, steps in
`rules.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from drachm.domain.benefits.rules import PeriodCap, Rule, Scope
from drachm.domain.benefits.words import Condition, Expression
from drachm.domain.events.model import Fact
from drachm.domain.money import RoundingMode
from drachm.domain.periods import Period

FactKind = Literal["words", "flag", "number", "money", "date", "text"]
PocketPlace = Literal["first", "last", "never"]
"""Where in the order of a person's pockets one stands that the plan's payer funds."""

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
    pockets: Mapping[str, PocketPlace] = field(default_factory=dict)
    """Kind of pocket -> its place, of pockets that this payer funds."""

    def sentence(self, clause: str) -> str:
        """The words of a clause; empty when the document has none."""
        return (self.text or {}).get(clause, "")
