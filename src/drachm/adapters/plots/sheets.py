"""How do numbers leave as a file that a spreadsheet opens, and no cell runs?

A text that a spreadsheet could take for a formula gets an apostrophe in front (OWASP, CSV Injection: `=`, `+`, `-`,
`@`, tab and carriage return, also in their full-width forms). Numbers are ours: digits, a point and a sign in front
stay as they are, because they are to be added up.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Final

BOM: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""Without it spreadsheets read UTF-8 as something else."""
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
_RISKY: Final = tuple("=+-@\t\r\n|%＝＋－＠")


def sheet(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A CSV file (RFC 4180) in UTF-8, its first row the heads."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for row in (head, *rows):
        writer.writerow([guarded(str(cell)) for cell in row])
    return (BOM + text.getvalue()).encode("utf-8", "replace")


def guarded(cell: str) -> str:
    """A cell that is no formula.

    >>> [guarded(one) for one in ("=1+1", "-2.50", "- twice", "lab")]
    ["'=1+1", '-2.50', "'- twice", 'lab']
    """
    if _NUMBER.fullmatch(cell):
        return cell
    return f"'{cell}" if cell.lstrip(" \N{NO-BREAK SPACE}").startswith(_RISKY) else cell
