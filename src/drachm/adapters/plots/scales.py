"""Where on a plot does a value stand? Whole numbers only, so that a bar is as long as its value says.

Bars begin at zero. Places are thousandths of a percent across and thousandths of an em down, written as SVG lengths: a
plot grows with the page and with the size of its text.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from drachm.domain.errors import ensure

WHOLE: Final = 100_000
"""The width of a plot: a hundred percent."""
_STEPS: Final = (1, 2, 5, 10)
_NAMES: Final = ((1_000_000_000, "bn"), (1_000_000, "m"), (1_000, "k"))


def ticks(most: int, about: int = 4) -> list[int]:
    """Round values from 0 to at least `most`, about so many lines apart: 1, 2 or 5 times a power of ten."""
    ensure(most >= 0 and about > 0, "a plot has no room below zero", where=f"ticks up to {most}")
    step = _step(most, about)
    return [step * number for number in range(-(-most // step) + 1)] if most else [0, 1]


def along(value: int, most: int, room: int = WHOLE) -> int:
    """How far a value reaches into the room; a value above 0 is at least a thousandth wide, so that it can be seen."""
    if value <= 0 or most <= 0:
        return 0
    return min(room, max(room // 1000, (value * room + most // 2) // most))


def shares(values: Sequence[int], room: int = WHOLE) -> list[int]:
    """Parts of a whole, side by side: they fill the room exactly, and none that is more than 0 vanishes."""
    total = sum(values)
    if total <= 0:
        return [0] * len(values)
    ends, so_far = [0], 0
    for value in values:
        so_far += value
        ends.append(so_far * room // total)
    return [after - before for before, after in pairwise(ends)]


def percent(thousandths: int) -> str:
    """A place across as an SVG length.

    >>> percent(12_500)
    '12.5%'
    """
    return f"{_decimal(thousandths)}%"


def em(thousandths: int) -> str:
    """A place down as an SVG length.

    >>> em(1_250)
    '1.25em'
    """
    return f"{_decimal(thousandths)}em"


def short(number: int) -> str:
    """A round number for an axis, with as many digits as it needs.

    >>> [short(one) for one in (0, 950, 1_500, 600_000, 2_500_000)]
    ['0', '950', '1.5k', '600k', '2.5m']
    """
    for size, name in _NAMES:
        if abs(number) >= size:
            return f"{_decimal(number * 1000 // size)}{name}"
    return str(number)


def _step(most: int, about: int) -> int:
    power = 1
    while True:
        for part in _STEPS:
            if part * power * about >= most:
                return part * power
        power *= 10


def _decimal(thousandths: int) -> str:
    sign, size = "-" if thousandths < 0 else "", abs(thousandths)
    return f"{sign}{size // 1000}.{size % 1000:03}".rstrip("0").rstrip(".")
