"""Does the rule look at this line?

Conditions become small callables over the facts of the line. The order of looking is the page's: keys by code point,
and the first that fails ends the look, so that a fact behind it is never asked for.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from drachm.domain.benefits.document import Band
from drachm.domain.benefits.registers import Facts
from drachm.domain.benefits.words import AnyOf, Condition, Not, OneOf, Part, Within

Test: TypeAlias = Callable[[Facts], bool]

_MEMOS: Final = 1024
"""Combinations of facts kept per document; a document that reads unbounded ones starts over."""

_MISSING: Final = object()


class Conditions:
    """Compiles the conditions of one document, and keeps what they said.

    Conditions read few facts with few values, so most lines repeat an earlier line's facts. What then follows (the
    answer to a `not` or `any`, the list of active steps or feeds) is kept under a number, for each different
    combination of the facts that conditions read.
    """

    def __init__(self) -> None:
        self._slots: dict[Part, int] = {}
        self._next = 0
        self._read: dict[str, None] = {}
        self._memos: dict[tuple[Any, ...], dict[int, Any]] = {}

    def slot(self) -> int:
        """A number under which something that follows from conditions alone may be kept."""
        self._next += 1
        return self._next

    def recall(self, facts: Facts) -> None:
        """Give the facts the memory of earlier lines on which all facts that conditions read were equal."""
        seen = tuple([facts.get(name, _MISSING) for name in self._read])
        memo = self._memos.get(seen)
        if memo is None:
            if len(self._memos) >= _MEMOS:
                self._memos.clear()
            memo = self._memos[seen] = {}
        facts.memo = memo

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
        if isinstance(part, OneOf | Within):
            self._read[part.fact] = None
            return _one_of(part) if isinstance(part, OneOf) else _within(part)
        if part not in self._slots:
            self._slots[part] = self.slot()
        slot = self._slots[part]
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
        found: bool | None = facts.memo.get(slot)
        if found is None:
            found = facts.memo[slot] = test(facts)
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
