"""How are amounts, days and names written on a page for people?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from markupsafe import Markup

from drachm.domain.money import plain

DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_SYMBOLS: Final = {
    "CNY": "¥", "EUR": "€", "GBP": "£", "ILS": "₪", "INR": "₹", "JPY": "¥", "KRW": "₩", "NGN": "₦", "PHP": "₱",
    "TRY": "₺", "UAH": "₴", "USD": "$", "VND": "₫",
}  # fmt: skip
"""Signs that mean one currency where it is used; every other currency is written by its code."""
_NO_BREAK: Final = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class Amount:
    """Money on a page: `str` for plain text, and set left to right inside HTML whatever the page's direction."""

    micros: int
    currency: str

    @property
    def symbol(self) -> str:
        """The currency's sign, or its code and a space."""
        return _SYMBOLS.get(self.currency, f"{self.currency}{_NO_BREAK}")

    @property
    def digits(self) -> str:
        """The size in units, with thousands grouped and at least the currency's own decimals (ISO 4217)."""
        whole, dot, below = plain(abs(self.micros), self.currency).partition(".")
        return f"{int(whole):,}{dot}{below}"

    @property
    def width(self) -> str:
        """A class of the style by how many letters it takes."""
        letters = len(self.symbol) + len(self.digits)
        return next((f"w{most}" for most in (6, 9, 12) if letters <= most), "w18")

    def __str__(self) -> str:
        sign = "\N{MINUS SIGN}" if self.micros < 0 else ""
        return f"{sign}{self.symbol}{self.digits}"

    def __html__(self) -> Markup:
        return Markup('<bdi dir="ltr" class="money">{}</bdi>').format(str(self))


def said(text: str, **values: object) -> Markup:
    """A sentence of ours with values in its braces; values are escaped, amounts keep their direction."""
    return Markup(text).format(**values)


def spelled(day: date) -> str:
    """A day with its weekday and the month's name: no order of digits to guess.

    >>> spelled(date(2026, 11, 21))
    'Saturday 21 November 2026'
    """
    return f"{DAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]} {day.year}"


def initials(name: str) -> str:
    """What of a clinic's name may stand where anybody can read it.

    >>> initials("Riverside clinic")
    'R. C.'
    """
    words = [word for word in name.replace("-", " ").split() if word[0].isalnum()]
    return " ".join(f"{word[0].upper()}." for word in words[:4]) or "A clinic"


def reference(number: str) -> str:
    """The end of a receipt's number, short enough to be read out.

    >>> reference("rcp_00000000000060000000007k4m")
    '0000-7K4M'
    """
    end = number[-8:].upper()
    return f"{end[:4]}-{end[4:]}"
