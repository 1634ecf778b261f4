"""What does it mean that a debit over the ACH network came back?

A debit names its payment by the last digits of the payment's creditor reference, as the entry's identification number;
a return repeats it. Money that an account gave is certain only when the days for returns are over: two banking days for
most reasons, sixty days where the payer says that nobody was allowed to take it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Final

from drachm.domain.payments.bank import creditor_reference

DIGITS: Final = 15
"""Of an entry's identification number."""
REASONS: Final = {
    "R01": "insufficient_funds",
    "R02": "account_closed",
    "R03": "no_account",
    "R04": "invalid_account",
    "R05": "not_authorised",
    "R06": "asked_back_by_our_bank",
    "R07": "authorisation_revoked",
    "R08": "payment_stopped",
    "R09": "funds_not_yet_available",
    "R10": "not_authorised",
    "R11": "not_as_authorised",
    "R16": "account_frozen",
    "R20": "no_payments_from_this_account",
    "R29": "not_authorised",
}
"""Nacha Operating Rules, Appendix Four, table of return reasons: those that a debit of ours can meet, in our words."""


@dataclass(frozen=True, slots=True)
class AchReturn:
    """One entry that came back."""

    original: str
    """Trace number of the entry that we sent."""
    code: str
    """R01 to R85."""
    amount: int
    """Micros of US dollars."""
    debit: bool
    """Whether it took money from an account; else it gave."""
    identification: str
    trace: str
    """Of the return itself."""
    day: date
    """On which the file was made."""

    @property
    def id(self) -> str:
        """The same for the same return, in whichever file it stands."""
        told = "\0".join((self.original, self.code, str(self.amount), self.identification, self.trace))
        return "ach_" + hashlib.sha256(told.encode()).hexdigest()[:32]

    @property
    def dispute(self) -> bool:
        """Whether banks argue over an earlier return (R61 and above): that moves nothing here."""
        return int(self.code[1:]) >= 61

    @property
    def reason(self) -> str:
        """Why, in a word of ours."""
        return REASONS.get(self.code, self.code.lower())


def identification(payment: str) -> str:
    """What stands in a debit for a payment, by the payment's id.

    >>> identification("pay_1")
    '689124299507799'
    """
    return creditor_reference(payment)[-DIGITS:]
