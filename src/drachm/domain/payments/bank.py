"""Which payment does a line of the bank's statement mean? The one whose reference it repeats.

A payer writes our reference into the transfer. It is an ISO 11649 creditor reference, whose check digits tell a slip of
the pen from another payment.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

_REFERENCE: Final = re.compile(r"RF[0-9]{2}[0-9A-Z]{1,21}")
_DIGITS: Final = 20


@dataclass(frozen=True, slots=True)
class BankLine:
    """Money that a bank has booked on an account of ours."""

    account: str
    """IBAN, or the bank's own number."""
    reference: str
    """The bank's name for it; empty when it has none."""
    amount: int
    """Micros; below 0 it went out."""
    currency: str
    day: date
    words: tuple[str, ...] = ()
    """Where a reference of ours may stand, the likeliest first."""
    returned: str = ""
    """The bank's code for why money came back (AC04 ...); empty: it did not."""
    note: str = ""
    """What is odd about it."""

    @property
    def id(self) -> str:
        """The same for the same line, in whichever message it stands."""
        told = "\0".join((self.account, self.reference, str(self.amount), self.currency, self.day.isoformat()))
        own = told if self.reference else "\0".join((told, *self.words))
        return "bnk_" + hashlib.sha256(own.encode()).hexdigest()[:32]


def creditor_reference(payment: str) -> str:
    """The reference of a payment by its id: digits only, so that the check digits find every single slip of the pen.

    >>> creditor_reference("pay_1")
    'RF0711680689124299507799'
    """
    number = int.from_bytes(hashlib.sha256(payment.encode()).digest()[:16], "big")
    body = f"{number % 10**_DIGITS:0{_DIGITS}}"
    return f"RF{98 - _remainder(body + 'RF00'):02}{body}"


def references_in(words: Iterable[str]) -> list[str]:
    """Creditor references in some texts, in order, whose check digits hold; blanks and small letters do not matter."""
    found = [
        match[0][:length]
        for word in words
        for match in _REFERENCE.finditer(re.sub(r"[\s./-]", "", word.upper()))
        # What follows in the same text may stick to it: the longest that holds.
        for length in range(len(match[0]), 4, -1)
        if _remainder(match[0][4:length] + match[0][:4]) == 1
    ]
    return list(dict.fromkeys(found))


def _remainder(text: str) -> int:
    """Modulo 97 of a text whose letters count 10 to 35 (ISO 7064, MOD 97-10)."""
    return int("".join([str(int(letter, 36)) for letter in text])) % 97
