"""How are spans of time counted, so that they can be added up and still tell a half and a 95 %?

A span is kept as "at most": the upper edge of its step on one ladder for all measures, from a millisecond to days.
Steps are finer where spans are short. Every round edge that a person reads (a second, an hour, a day) is an edge of the
ladder, so that a count "within 24 hours" is exact; a share ("half within") is true and no finer than its step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from drachm.domain.errors import ensure

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
PPM: Final = 1_000_000
LADDER: Final = (
    (100, 1),
    (SECOND, 10),
    (10 * SECOND, 100),
    (MINUTE, SECOND),
    (HOUR, MINUTE),
    (2 * DAY, 15 * MINUTE),
    (60 * DAY, 6 * HOUR),
)
"""(up to, step) in milliseconds; beyond it whole days."""


class Count(NamedTuple):
    """So many took more than the step before, and at most this."""

    at_most: int
    """Milliseconds; an edge of the ladder."""
    number: int


class Bin(NamedTuple):
    """One bar of a histogram: (after, until] in milliseconds. `until` None: all that is longer."""

    after: int
    until: int | None
    number: int


def at_most(milliseconds: int) -> int:
    """The upper edge of the step that a span falls in; what lies before its beginning counts as 0."""
    if milliseconds <= 0:
        return 0
    for up_to, step in LADDER:
        if milliseconds <= up_to:
            return -(-milliseconds // step) * step
    return -(-milliseconds // DAY) * DAY


def within(counts: Sequence[Count], share_ppm: int) -> int | None:
    """The smallest edge within which at least this share lies; None of nothing.

    `within(counts, 500_000)` is what half of them took at most.
    """
    total = sum(one.number for one in counts)
    if total <= 0:
        return None
    seen, edge = 0, 0
    for one in sorted(counts):
        seen, edge = seen + one.number, one.at_most
        if seen * PPM >= total * share_ppm:
            break
    return edge


def number_within(counts: Sequence[Count], edge: int) -> int:
    """How many took at most `edge`, which is an edge of the ladder."""
    ensure(at_most(edge) == edge, "this is no edge of the ladder", where=f"{edge} ms")
    return sum(one.number for one in counts if one.at_most <= edge)


def binned(counts: Sequence[Count], edges: Sequence[int]) -> list[Bin]:
    """A histogram between rising edges of the ladder, the last bar for all that is longer."""
    found, before, done = [], 0, 0
    for edge in edges:
        so_far = number_within(counts, edge)
        found.append(Bin(before, edge, so_far - done))
        before, done = edge, so_far
    return [*found, Bin(before, None, sum(one.number for one in counts) - done)]
