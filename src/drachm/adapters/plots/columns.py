"""Columns on a common zero: a waterfall, a histogram.

Text is text, in the page's own size; widths are in percent and heights in em, so nothing is stretched. What a column
means is its class (whose money it is): fill, outline and pattern come from the style, and in grey print the pattern is
left. Title and description say what can be read off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from markupsafe import Markup

from drachm.adapters.plots.scales import WHOLE, em, percent, short, ticks

TOP: Final = 3_600
HEIGHT: Final = 13_000
FOOT: Final = 3_000
GUTTER: Final = 8_000
"""Of the width, left of the first column: the numbers of the axis."""
_JOINT: Final = 1_500


class Column(NamedTuple):
    """One column, from one value up to another."""

    kind: str
    """Class of the style: `price`, `cut`, `insurance`, `you`, `provider`, `late` ..."""
    label: str
    low: int
    high: int
    said: str = ""
    """Written above it; empty: nothing."""
    minor: bool = False
    """Its label may go where there is little room."""


class Mark(NamedTuple):
    """A dashed line at a place between columns."""

    kind: str
    place: int
    """Thousandths of a column, counted from the first one's start."""
    said: str
    row: int = 0
    """0 or 1: how high its words stand, so that two marks do not write over each other."""


def columns(
    name: str,
    title: str,
    said: str,
    drawn: Sequence[Column],
    *,
    unit: int = 1,
    marks: Sequence[Mark] = (),
    joined: bool = False,
    tight: bool = False,
    axis: Callable[[int], str] = short,
) -> Markup:
    """The plot as inline SVG. `unit`: how much of a value is one on the axis; `joined`: steps of a waterfall are tied
    together by lines; `tight`: columns stand next to each other, as in a histogram; `axis` writes its numbers."""
    most = max((column.high for column in drawn), default=0)
    lines = ticks(-(-most // unit))
    top = lines[-1] * unit
    parts = [_opening(name, title, said), *(_line(axis(tick), tick * unit, top) for tick in lines)]
    width = (WHOLE - GUTTER) // max(1, len(drawn))
    for at, column in enumerate(drawn):
        parts.append(_column(column, GUTTER + at * width, width, top, tight))
    if joined:
        parts += [_joint(drawn, at, width, top) for at in range(len(drawn) - 1)]
    parts += [_mark(mark, GUTTER + mark.place * width // 1000) for mark in marks]
    base = em(TOP + HEIGHT)
    parts.append(
        Markup('<line class="base" x1="{}" x2="100%" y1="{}" y2="{}"/></svg>').format(percent(GUTTER), base, base)
    )
    return Markup("").join(parts)


def _opening(name: str, title: str, said: str) -> Markup:
    return Markup(
        '<svg class="plot columns" role="img" aria-labelledby="{0}-t {0}-d" height="{1}" focusable="false">'
        '<title id="{0}-t">{2}</title><desc id="{0}-d">{3}</desc>'
    ).format(name, em(TOP + HEIGHT + FOOT), title, said)


def _line(label: str, value: int, top: int) -> Markup:
    y = _down(value, top)
    line = Markup('<line class="grid" x1="{}" x2="100%" y1="{}" y2="{}"/>').format(percent(GUTTER), em(y), em(y))
    words = Markup('<text class="axis" x="{}" y="{}" text-anchor="end">{}</text>')
    return line + words.format(percent(GUTTER - 800), em(y + 300), label)


def _column(column: Column, start: int, width: int, top: int, tight: bool) -> Markup:
    inside = 900 if not tight else 960
    bar, middle = width * inside // 1000 if tight else width * 620 // 1000, start + width // 2
    above, below = _down(column.high, top), _down(column.low, top)
    shape = Markup('<rect class="{}" x="{}" width="{}" y="{}" height="{}" rx="2"/>').format(
        column.kind,
        percent(middle - bar // 2),
        percent(bar),
        em(above),
        em(max(120, below - above) if column.high else 0),
    )
    parts = [shape] if column.high > column.low else []
    if column.said:
        words = Markup('<text class="value" x="{}" y="{}" text-anchor="middle">{}</text>')
        parts.append(words.format(percent(middle), em(above - 450), column.said))
    if column.label:
        words = Markup('<text class="label{}" x="{}" y="{}" text-anchor="middle">{}</text>')
        parts.append(
            words.format(" minor" if column.minor else "", percent(middle), em(TOP + HEIGHT + 1_400), column.label)
        )
    return Markup("").join(parts)


def _joint(drawn: Sequence[Column], at: int, width: int, top: int) -> Markup:
    """From one step's end to where the next one begins."""
    here, following = drawn[at], drawn[at + 1]
    level = here.low if here.low in (following.high, following.low) and here.low else here.high
    start = GUTTER + at * width
    y = em(_down(level, top))
    line = Markup('<line class="joint" x1="{}" x2="{}" y1="{}" y2="{}"/>')
    return line.format(percent(start + width * 810 // 1000), percent(start + width * 1_190 // 1000), y, y)


def _mark(mark: Mark, place: int) -> Markup:
    anchor, nudge = ("end", -_JOINT // 2) if place > WHOLE // 2 else ("start", _JOINT // 2)
    y = 1_000 + 1_250 * mark.row
    line = Markup('<line class="mark {}" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
        mark.kind, percent(place), percent(place), em(y - 600), em(TOP + HEIGHT)
    )
    words = Markup('<text class="said" x="{}" y="{}" text-anchor="{}">{}</text>')
    return line + words.format(percent(place + nudge), em(y), anchor, mark.said)


def _down(value: int, top: int) -> int:
    return TOP + HEIGHT - (value * HEIGHT + top // 2) // max(1, top)
