"""How long are the pieces of a bar? Whole tenths of a percent, so that they sum to the bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from drachm.adapters.rest.service.page_words import Amount
from drachm.adapters.rest.service.speech import gettext
from drachm.domain.money import split
from drachm.domain.receipts.model import Why

WHOLE: Final = 1_000
SMALLEST: Final = 15
"""A share that is there can be seen, however small: 4 px of a phone's bar."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One share of a bar."""

    kind: str
    start: str
    """Percent of the bar, with one decimal."""
    width: str


@dataclass(frozen=True, slots=True)
class Bar:
    """Shares of one amount, drawn in order."""

    pieces: Sequence[Piece]
    words: str
    """What the bar says, for who cannot see it."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How far a limit of the plan is used up."""

    bar: Bar
    words: str


def bar_of(shares: Sequence[tuple[str, int]], words: str) -> Bar:
    """A bar of the shares that are more than nothing."""
    there = [(kind, amount) for kind, amount in shares if amount > 0]
    widths = [max(SMALLEST, width) for width in split(WHOLE, [amount for _, amount in there])]
    widths[widths.index(max(widths))] += WHOLE - sum(widths)
    pieces = []
    start = 0
    for (kind, _), width in zip(there, widths, strict=True):
        pieces.append(Piece(kind, _percent(start), _percent(width)))
        start += width
    return Bar(pieces, words)


def measure_of(why: Why, currency: str) -> Measure | None:
    """The limit that bound a step; None where there was none, or where the step gave money back."""
    if why.left is None or not why.of_limit or why.amount < 0:
        return None
    limit, left = Amount(why.of_limit, currency), why.left
    used = why.of_limit - left
    before = used - why.amount
    if before < 0:
        return None
    if left:
        done = gettext("{used} of {limit} is used up so far.").format(used=Amount(used, currency), limit=limit)
    else:
        done = gettext("All of {limit} is used up.").format(limit=limit)
    shares = [("you", before), ("this", why.amount), ("left", left)]
    return Measure(bar_of(shares, done), done)


def _percent(tenths: int) -> str:
    return f"{tenths // 10}.{tenths % 10}%"
