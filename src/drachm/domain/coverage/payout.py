"""Where is a party paid, and since when may money go there?

A changed account number is how payouts are stolen, so nobody changes one alone and nothing changes at once: one person
proposes, another approves, and a day passes in which anybody concerned can stop it. Account numbers carry check digits,
which catch slips, not lies: IBAN by ISO 13616 and ISO/IEC 7064 (mod 97-10), routing numbers of the American Bankers
Association by their weights 3, 7, 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from drachm.domain.errors import Conflict, Forbidden

WAITING: Final = timedelta(hours=24)
SHOWN: Final = 4
"""Last characters of a number that are shown."""

State = Literal["proposed", "approved", "in_force", "replaced", "withdrawn"]

# ISO 13616 register: length of the IBAN by country.
_IBAN_LENGTHS: Final = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20,
    "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19,
    "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29,
    "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24,
    "SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
    "YE": 30,
}  # fmt: skip
_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", re.ASCII)
_ROUTING: Final = re.compile(r"[0-9]{9}", re.ASCII)
_ACCOUNT: Final = re.compile(r"[0-9]{4,17}", re.ASCII)
# The first two digits of a routing number: Federal Reserve districts, thrifts, electronic, traveller's cheques.
_DISTRICTS: Final = frozenset((*range(1, 13), *range(21, 33), *range(61, 73), 80))


@dataclass(frozen=True, slots=True)
class Change:
    """Another account number for one payout account."""

    id: str
    proposed_by: str
    proposed_at: datetime
    approved_by: str = ""
    approved_at: datetime | None = None
    withdrawn_by: str = ""
    withdrawn_at: datetime | None = None

    @property
    def holds_from(self) -> datetime | None:
        """From when on money may go there; None as long as nobody agreed."""
        return None if self.approved_at is None else self.approved_at + WAITING

    def holds(self, at: datetime) -> bool:
        """Whether it was agreed, waited its day, and was never stopped."""
        return self.withdrawn_at is None and self.holds_from is not None and self.holds_from <= at


def approved(change: Change, by: str, at: datetime) -> Change:
    """The change with a second person's consent. Raises Forbidden for the first person, Conflict when too late."""
    if change.withdrawn_at is not None:
        raise Conflict("this change was withdrawn", where="change_id", next_step="Propose it anew.")
    if change.approved_at is not None:
        raise Conflict("this change was approved already", where="change_id", next_step="Read it to see when it holds.")
    if not by or by == change.proposed_by:
        raise Forbidden("whoever proposed a change does not approve it", where="change_id")
    return replace(change, approved_by=by, approved_at=at)


def withdrawn(change: Change, by: str, at: datetime) -> Change:
    """The change, stopped. Raises Conflict when it holds already or was stopped before."""
    if change.withdrawn_at is not None:
        raise Conflict("this change was withdrawn already", where="change_id")
    if change.holds(at):
        raise Conflict("this change holds already", where="change_id", next_step="Propose another account number.")
    return replace(change, withdrawn_by=by, withdrawn_at=at)


def in_force(changes: Iterable[Change], at: datetime) -> Change | None:
    """The change that says where money goes at that moment: the newest that holds. None: nowhere yet."""
    held = [change for change in changes if change.holds(at)]
    return max(held, key=lambda change: (change.holds_from, change.id)) if held else None


def waiting(changes: Iterable[Change], at: datetime) -> list[Change]:
    """Changes on their way: proposed or agreed, neither stopped nor in force."""
    return [change for change in changes if change.withdrawn_at is None and not change.holds(at)]


def state_of(change: Change, changes: Iterable[Change], at: datetime) -> State:
    """Where a change stands at that moment among all of its account."""
    if change.withdrawn_at is not None:
        return "withdrawn"
    if not change.holds(at):
        return "approved" if change.approved_at is not None else "proposed"
    newest = in_force(changes, at)
    return "in_force" if newest is not None and newest.id == change.id else "replaced"


def is_iban(text: str) -> bool:
    """Whether this is an IBAN in electronic form, check digits included.

    >>> is_iban("GB82WEST12345698765432")
    True
    """
    if _IBAN.fullmatch(text) is None or _IBAN_LENGTHS.get(text[:2]) != len(text):
        return False
    digits = "".join(str(int(each, 36)) for each in text[4:] + text[:4])
    return int(digits) % 97 == 1 and 2 <= int(text[2:4]) <= 98


def is_routing_number(text: str) -> bool:
    """Whether this is a routing number of the ABA: nine digits, a district, and a check digit.

    >>> is_routing_number("021000021")
    True
    """
    if _ROUTING.fullmatch(text) is None or int(text[:2]) not in _DISTRICTS:
        return False
    return sum(int(digit) * weight for digit, weight in zip(text, (3, 7, 1) * 3, strict=True)) % 10 == 0


def is_account_number(text: str) -> bool:
    """Whether this may be an account number in the United States: 4 to 17 digits; there is no check digit."""
    return _ACCOUNT.fullmatch(text) is not None


def electronic(text: str) -> str:
    """A number as it is compared and sent: without blanks and hyphens, in capitals."""
    return re.sub(r"[ \u00a0-]", "", text).upper()


def masked(text: str) -> str:
    """What may be shown of a number: its last four characters.

    >>> masked("GB82WEST12345698765432")
    '••••5432'
    """
    return "••••" + text[-SHOWN:]
