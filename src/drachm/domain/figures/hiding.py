"""Which numbers of a group are too small to show?

A cell of fewer than 11 could point at somebody (cell size suppression rule of the US Centers for Medicare & Medicaid
Services: no cell of 10 or less, and none that can be worked out from the others). Small groups are put together under
one name; where that is still too small, the smallest group that could have been shown goes in as well, so that nobody
finds the hidden number by subtracting from a total.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

SMALLEST: Final = 11
OTHER: Final = ""
"""The name of what was put together."""


class Group(NamedTuple):
    """Charges that are alike."""

    name: str
    number: int
    amount: int = 0
    """Micros."""


def shown(groups: Iterable[Group], most: int, smallest: int = SMALLEST) -> list[Group]:
    """At most `most` named groups, largest first, and the others as one, last. Nothing when all together are too few.

    Groups of nobody are left out. No number below `smallest` is in the answer, nor can one be subtracted from it.
    """
    ordered = sorted((one for one in groups if one.number > 0), key=lambda one: (-one.number, one.name))
    if sum(one.number for one in ordered) < smallest:
        return []
    kept = [one for one in ordered[:most] if one.number >= smallest]
    rest = ordered[len(kept) :]
    while rest and sum(one.number for one in rest) < smallest:
        rest.append(kept.pop())
    if not rest:
        return kept
    return [*kept, Group(OTHER, sum(one.number for one in rest), sum(one.amount for one in rest))]
