"""A strip of equal cells over time: when was it slow, when did it say nothing?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from drachm.adapters.plots.scales import WHOLE, em, percent


class Cell(NamedTuple):
    """One stretch of time."""

    kind: str
    """Class of the style: `none`, `s1` (fast) to `s4` (slow), `trouble`."""
    said: str
    """What is told to whoever points at it."""


def strip(name: str, title: str, said: str, cells: Sequence[Cell], labels: Sequence[tuple[int, str]]) -> Markup:
    """The strip as inline SVG; `labels`: (which cell, what stands below its start). A cell in trouble has a cross, so
    that its colour is never the only sign."""
    opening = Markup(
        '<svg class="plot strip" role="img" aria-labelledby="{0}-t {0}-d" height="4em" focusable="false">'
        '<title id="{0}-t">{1}</title><desc id="{0}-d">{2}</desc>'
    ).format(name, title, said)
    count = max(1, len(cells))
    parts = [opening]
    for at, cell in enumerate(cells):
        start, width = at * WHOLE // count, WHOLE // count
        shape = Markup('<rect class="cell {}" x="{}" width="{}" y="0" height="{}"><title>{}</title></rect>')
        parts.append(shape.format(cell.kind, percent(start), percent(width * 900 // 1000), em(1_800), cell.said))
        if cell.kind in ("trouble", "none"):
            sign = "×" if cell.kind == "trouble" else "·"
            words = Markup('<text class="sign {}" x="{}" y="{}" text-anchor="middle" aria-hidden="true">{}</text>')
            parts.append(words.format(cell.kind, percent(start + width * 450 // 1000), em(1_300), sign))
    for at, label in labels:
        anchor = "start" if at == 0 else "end" if at >= count else "middle"
        words = Markup('<text class="axis" x="{}" y="{}" text-anchor="{}">{}</text>')
        parts.append(words.format(percent(at * WHOLE // count), em(3_300), anchor, label))
    return Markup("").join([*parts, Markup("</svg>")])
