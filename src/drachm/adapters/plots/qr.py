"""A QR code as inline SVG: one path of black runs, every module a square, level Q, with its quiet zone.

ISO/IEC 18004: level Q mends 25 % of the code words (to level M, which mends 15 %, one in seven stains of a tenth of the
surface was too much); the quiet zone is four modules wide. On paper a module is 0.6 mm wide, so that an old telephone
reads it from a thermal print at 203 dots an inch.
"""

from __future__ import annotations

from typing import Final

import segno
from markupsafe import Markup

from drachm.domain.errors import ensure

QUIET: Final = 4
BYTES_MAX: Final = 300
_TENTHS: Final = 6
"""Of a millimetre, a module's width."""


def qr(text: str, title: str) -> Markup:
    """The code of a text of at most 300 bytes; `title` says what whoever does not see it misses."""
    data = text.encode()
    ensure(0 < len(data) <= BYTES_MAX, "a code on paper has 1 to 300 bytes", where="QR code")
    rows = [bytes(row) for row in segno.make_qr(data, error="q", boost_error=False).matrix]
    side = len(rows) + 2 * QUIET
    width = side * _TENTHS
    head = Markup(
        '<svg class="qr" role="img" aria-label="{title}" viewBox="0 0 {side} {side}" width="{mm}mm" height="{mm}mm" '
        'shape-rendering="crispEdges" focusable="false"><rect class="ground" width="{side}" height="{side}"/>'
        '<path class="modules" d="{path}"/></svg>'
    )
    mm = f"{width // 10}.{width % 10}"
    return head.format(title=title, side=side, mm=mm, path="".join(_runs(rows)))


def _runs(rows: list[bytes]) -> list[str]:
    """Each run of black modules as a rectangle of a path."""
    found = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            end = x
            while end < len(row) and row[end]:
                end += 1
            if end > x:
                found.append(f"M{x + QUIET} {y + QUIET}h{end - x}v1h{x - end}z")
            x = end + 1
    return found
