"""Does the rule look at this line?

Conditions are looked at once for each signature, when its program is written, in the page's order: keys by code point,
and the first that fails ends the look, so that a fact behind it is never asked for. The *signature* of a line says of
each fact only what conditions can tell apart: in which of their lists a word stands, between which of their bounds a
number lies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from itertools import count
from typing import Any, Final

from drachm.domain.benefits.document import Accumulator, Plan
from drachm.domain.benefits.rules import PeriodCap, WaitingPeriod
from drachm.domain.benefits.words import AnyOf, Condition, Expression, FromFact, Growing, Not, OneOf, Part, Within
from drachm.domain.errors import Pended

MISSING: Final = object()
"""Neither given nor defaulted."""


class Facts(dict[str, Any]):
    """Everything a document may look at on this line; None is a fact that is absent by its null default."""

    __slots__ = ("_origins",)

    def __init__(self, values: Mapping[str, Any], origins: Mapping[str, str]) -> None:
        super().__init__({name: value for name, value in values.items() if value is not MISSING})
        self._origins = origins
        """Band fact -> the declared fact it is made of: that one is missing when the band is."""

    def __missing__(self, name: str) -> Any:
        name = self._origins.get(name, name)
        raise Pended(
            "fact_missing",
            f"the plan asks for the fact {name!r}, which nobody supplied",
            where=name,
            next_step="Supply it with the event, the member or the cover; the event then clears as a new revision.",
        )


def holds(condition: Condition, facts: Facts) -> bool:
    """Whether every part holds. Raises `Pended` for a missing fact that is reached."""
    return all(_part_holds(part, facts) for part in condition.parts)


def _part_holds(part: Part, facts: Facts) -> bool:
    if isinstance(part, Not):
        return not holds(part.condition, facts)
    if isinstance(part, AnyOf):
        return any(holds(condition, facts) for condition in part.conditions)
    value = facts[part.fact]
    if value is None:
        return False
    if isinstance(part, OneOf):
        # Types were checked, so 1 never meets true.
        return value in part.values
    return bool((part.at_least is None or value >= part.at_least) and (part.below is None or value < part.below))


class Looks:
    """What the rules of one document look at."""

    def __init__(self, plan: Plan) -> None:
        self.read: dict[str, None] = {}
        """Facts whose very value a rule uses: amounts, days, what splits a total."""
        self.lists: dict[str, list[frozenset[Any]]] = {}
        """The lists of words, numbers or days that conditions ask a fact to stand in."""
        self.bounds: dict[str, set[Any]] = {}
        """The bounds that conditions and bands put between numbers or days."""
        for part in _parts((plan.applies, plan.starts_from, plan.accumulators, plan.steps, plan.closing_steps)):
            self._look(part)
        for band in plan.bands:
            if band.fact in self.read or band.fact in self.lists:
                self.read.pop(band.fact, None)
                self.lists.pop(band.fact, None)
                self.bounds.setdefault(band.of, set()).update(band.bounds)

    def _look(self, part: Any) -> None:
        if isinstance(part, OneOf):
            self.lists.setdefault(part.fact, []).append(frozenset(part.values))
        elif isinstance(part, Within):
            bounds = {bound for bound in (part.at_least, part.below) if bound is not None}
            self.bounds.setdefault(part.fact, set()).update(bounds)
        else:
            self.read.update(dict.fromkeys(_read_by(part)))

    def classes(self, fact: str) -> dict[Any, int]:
        """Word -> the number of the lists it stands in, taken together; words of no list are 0."""
        found: dict[tuple[bool, ...], int] = {}
        numbers = count(1)
        classes = {}
        for value in dict.fromkeys(value for one in self.lists[fact] for value in sorted(one)):
            places = tuple(value in one for one in self.lists[fact])
            if places not in found:
                found[places] = next(numbers)
            classes[value] = found[places]
        return classes

    def cuts(self, fact: str) -> list[Any]:
        """The bounds of a number or day in order; one that a list names lies between two of its own."""
        cuts = set(self.bounds.get(fact, ()))
        for value in (value for one in self.lists.get(fact, ()) for value in one):
            cuts |= {value, value + "\0" if isinstance(value, str) else value + 1}
        return sorted(cuts)


def _read_by(part: Any) -> Iterable[str]:
    if isinstance(part, FromFact):
        return (part.fact,)
    if isinstance(part, Growing):
        return ("family_size",)
    if isinstance(part, Expression):
        return (*part.greatest, *part.less)
    if isinstance(part, WaitingPeriod):
        return (part.since,)
    if isinstance(part, Accumulator):
        helped = ("third_party_help",) if part.help_excluded else ()
        return (*part.by, *helped, *(("policy_start",) if part.period == "policy_year" else ()))
    if isinstance(part, PeriodCap):
        start = ("policy_start",) if part.pool.period == "policy_year" else ()
        return (*part.pool.by, *start, *(part.qualify.by if part.qualify else ()))
    return ()


def _parts(node: Any) -> Iterator[Any]:
    """Everything that is said somewhere below."""
    if isinstance(node, tuple):
        for item in node:
            yield from _parts(item)
    elif is_dataclass(node):
        yield node
        for item in fields(node):
            yield from _parts(getattr(node, item.name))
