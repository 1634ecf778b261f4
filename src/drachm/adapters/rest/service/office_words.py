"""How are spans, months and reasons written in the office?"""

from __future__ import annotations

from datetime import date
from typing import Final

from drachm.domain.figures.spans import DAY, HOUR, MINUTE, SECOND
from drachm.domain.money import plain

MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_NO_BREAK: Final = "\N{NO-BREAK SPACE}"


def span_said(milliseconds: int | None) -> str:
    """A span in at most two units.

    >>> [span_said(one) for one in (None, 20, 1_500, 90_000, 67_500_000, 259_200_000)]
    ['–', '20 ms', '1.5 s', '1 min 30 s', '18 h 45 min', '3 days']
    """
    if milliseconds is None:
        return "–"
    if milliseconds < SECOND:
        return _said((milliseconds, "ms"))
    if milliseconds < MINUTE:
        whole, part = divmod(milliseconds, SECOND)
        return _said((f"{whole}.{part // 100}" if part else whole, "s"))
    if milliseconds < HOUR:
        return _said((milliseconds // MINUTE, "min"), (milliseconds % MINUTE // SECOND, "s"))
    if milliseconds < 2 * DAY:
        return _said((milliseconds // HOUR, "h"), (milliseconds % HOUR // MINUTE, "min"))
    return _said((milliseconds // DAY, "days"), (milliseconds % DAY // HOUR, "h"))


def months_said(since: date, until: date) -> str:
    """Whole months.

    >>> months_said(date(2026, 11, 1), date(2026, 11, 30)), months_said(date(2026, 9, 1), date(2026, 11, 30))
    ('November 2026', 'September to November 2026')
    """
    first, last = MONTHS[since.month - 1], MONTHS[until.month - 1]
    if (since.year, since.month) == (until.year, until.month):
        return f"{last} {until.year}"
    return (
        f"{first} to {last} {until.year}"
        if since.year == until.year
        else f"{first} {since.year} to {last} {until.year}"
    )


def kind_said(word: str | None) -> str:
    """A kind of care, or what several small ones are called."""
    return "Others together" if word is None else word.replace("_", " ").capitalize()


def reason_said(code: str | None) -> str:
    """Why an insurer said no, or an event waits, as people at work call it."""
    return "Others together" if code is None else code.replace("_", " ").capitalize()


def digits(micros: int, currency: str) -> str:
    """An amount for a file: digits and a point."""
    return plain(micros, currency)


def of_hundred(part: int, whole: int) -> str:
    """A share in whole percent, rounded to the nearest; never 0 or 100 for what is neither.

    >>> of_hundred(1, 3), of_hundred(1, 1000), of_hundred(999, 1000), of_hundred(0, 0)
    ('33%', 'under 1%', 'over 99%', '0%')
    """
    if whole <= 0 or part <= 0:
        return "0%"
    nearest = (200 * part + whole) // (2 * whole)
    if nearest == 0:
        return "under 1%"
    return "over 99%" if nearest >= 100 and part < whole else f"{nearest}%"


def _said(*parts: tuple[object, str]) -> str:
    return " ".join(f"{number}{_NO_BREAK}{unit}" for number, unit in parts if number or unit == parts[0][1])
