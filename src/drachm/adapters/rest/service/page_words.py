"""How are amounts, days and names written on a page for people?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from babel.lists import format_list
from markupsafe import Markup

from drachm.adapters.rest.service.speech import N_, digits, frame_of, gettext, spelled, spoken, symbol
from drachm.domain.money import MAX_AMOUNT, exponent, micros

__all__ = ["Amount", "amount_of", "initials", "listed", "reference", "said", "shares_said", "spelled", "typed"]

_TYPED: Final = re.compile(r"\s*([0-9]{1,9})(?:[.,]([0-9]{1,6}))?\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Amount:
    """Money on a page: `str` for plain text, and set left to right inside HTML whatever the page's direction.

    Separators, and where the sign stands, are those of the language that is spoken.
    """

    micros: int
    currency: str

    @property
    def before(self) -> str:
        """What stands to the left of the digits."""
        return frame_of(self.currency)[0]

    @property
    def behind(self) -> str:
        """What stands to the right of them."""
        return frame_of(self.currency)[1]

    @property
    def symbol(self) -> str:
        """The currency's sign, or its code and a space."""
        sign = symbol(self.currency)
        return sign if len(sign) == 1 else f"{sign}\N{NO-BREAK SPACE}"

    @property
    def digits(self) -> str:
        """The size in units."""
        return digits(self.micros, self.currency)

    @property
    def sign(self) -> str:
        """A minus of the right width, or nothing."""
        return "\N{MINUS SIGN}" if self.micros < 0 else ""

    @property
    def width(self) -> str:
        """A class of the style by how many letters it takes."""
        letters = len(str(self))
        return next((f"w{most}" for most in (6, 9, 12) if letters <= most), "w18")

    def __str__(self) -> str:
        before, behind = frame_of(self.currency)
        return f"{self.sign}{before}{self.digits}{behind}"

    def __html__(self) -> Markup:
        return Markup('<bdi dir="ltr" class="money">{}</bdi>').format(str(self))


def amount_of(money: Any) -> Amount:
    """An amount of the interface, whose micros may be a string, for a page."""
    return Amount(int(money.micros), money.currency)


def typed(text: str, currency: str) -> int | None:
    """An amount that a patient typed, in micros; None where it is none. A point and a comma mean the same.

    >>> typed("60,50", "USD")
    60500000
    """
    found = _TYPED.fullmatch(text)
    if found is None or len(found[2] or "") > exponent(currency):
        return None
    size = micros(f"{found[1]}.{found[2] or 0}")
    return size if size <= MAX_AMOUNT else None


def said(text: str, **values: object) -> Markup:
    """A sentence of ours with values in its braces; values are escaped, amounts keep their direction."""
    return Markup(text).format(**values)


def listed(words: Sequence[str]) -> str:
    """Names in one row, joined as the language joins them."""
    return format_list(list(words), locale=spoken().locale)


_SHARES: Final = {
    "insurance": N_("insurance paid {amount}"),
    "you": N_("you paid {amount}"),
    "due": N_("you still have to pay {amount}"),
    "held": N_("{amount} is set aside"),
    "waiting": N_("insurance has to answer about {amount}"),
    "left": N_("the clinic no longer asks for {amount}"),
}


def shares_said(shares: Sequence[tuple[str, int]], whole: int, currency: str) -> str:
    """What a bar of shares says, for who cannot see it."""
    told = [gettext(_SHARES[kind]).format(amount=Amount(amount, currency)) for kind, amount in shares if amount > 0]
    return gettext("Of {whole}: {shares}.").format(whole=Amount(whole, currency), shares=listed(told))


def initials(name: str) -> str:
    """What of a clinic's name may stand where anybody can read it.

    >>> initials("Riverside clinic")
    'R. C.'
    """
    words = [word for word in name.replace("-", " ").split() if word[0].isalnum()]
    return " ".join(f"{word[0].upper()}." for word in words[:4]) or gettext("A clinic")


def reference(number: str) -> str:
    """The end of a receipt's number, short enough to be read out.

    >>> reference("rcp_00000000000060000000007k4m")
    '0000-7K4M'
    """
    end = number[-8:].upper()
    return f"{end[:4]}-{end[4:]}"
