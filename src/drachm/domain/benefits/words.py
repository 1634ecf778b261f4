"""What can a rule say?

Conditions, amounts and expressions of docs/reference/plan-model.md (sections 2 and 6) in typed form. Money is in
micros, rates are parts per million. Groups are resolved to their words; the parts of a condition stand in the order in
which they are looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from drachm.domain.events.model import Fact


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
class Expression:
    """max(0, greatest of the first - sum of the second)."""

    greatest: tuple[str, ...]
    less: tuple[str, ...]
