"""Does the rule look at this line?

Conditions become small callables over the facts of the line. The order of looking is the page's: keys by code point,
and the first that fails ends the look, so that a fact behind it is never asked for.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Any, TypeAlias

from drachm.domain.benefits.document import AnyOf, Band, Condition, Not, OneOf, Part, Within
from drachm.domain.benefits.registers import Facts

Test: TypeAlias = Callable[[Facts], bool]


class Conditions:
    """Compiles the conditions of one document.

    Plans repeat parts such as "in the network, or an emergency" in many places, so the answer to each different
    `not` and `any` is kept beside the facts for the rest of the line, under a number: facts have texts for names.
    """

    def __init__(self) -> None:
        self._slots: dict[Part, int] = {}

    def test(self, condition: Condition) -> Test | None:
        """A test of the facts; None for a condition that always holds."""
        tests = [self._part(part) for part in condition.parts]
        if not tests:
            return None
        if len(tests) == 1:
            return tests[0]
        if len(tests) == 2:
            first, second = tests
            return lambda facts: first(facts) and second(facts)

        def every(facts: Facts) -> bool:
            for test in tests:  # noqa: SIM110 - a generator costs more than the loop
                if not test(facts):
                    return False
            return True

        return every

    def _part(self, part: Part) -> Test:
        if isinstance(part, OneOf):
            return _one_of(part)
        if isinstance(part, Within):
            return _within(part)
        slot = self._slots.setdefault(part, len(self._slots))
        return _remembered(self._not(part) if isinstance(part, Not) else self._any_of(part), slot)

    def _not(self, part: Not) -> Test:
        inner = self.test(part.condition)
        return (lambda facts: False) if inner is None else (lambda facts: not inner(facts))

    def _any_of(self, part: AnyOf) -> Test:
        tests = [self.test(condition) for condition in part.conditions]

        def test(facts: Facts) -> bool:
            for one in tests:  # noqa: SIM110 - a generator costs more than the loop
                if one is None or one(facts):
                    return True
            return False

        return test


def _remembered(test: Test, slot: int) -> Test:
    def remembered(facts: Facts) -> bool:
        found: bool | None = facts.get(slot)
        if found is None:
            found = facts[slot] = test(facts)
        return found

    return remembered


def _one_of(part: OneOf) -> Test:
    name, values = part.fact, part.values
    # An absent fact is None, which is never among the values; types were checked, so 1 never meets true.
    if len(values) == 1:
        (value,) = values
        return lambda facts: bool(facts[name] == value)
    return lambda facts: facts[name] in values


def _within(part: Within) -> Test:
    name, at_least, below = part.fact, part.at_least, part.below

    def test(facts: Facts) -> bool:
        value: Any = facts[name]
        if value is None or (at_least is not None and value < at_least):
            return False
        return below is None or bool(value < below)

    return test


def compile_band(band: Band) -> Callable[[Facts], None]:
    """Adds a band fact to the facts; where its number is missing or absent, the band fact is too."""
    fact, of, bounds, words = band.fact, band.of, band.bounds, band.words

    def add(facts: Facts) -> None:
        if of not in facts:
            facts.pop(fact, None)
            return
        value = facts[of]
        facts[fact] = None if value is None else words[bisect_right(bounds, value)]

    return add
