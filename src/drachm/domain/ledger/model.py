"""What do the books say?

The books are the clearing operator's, double-entry, one currency per entry: debits are positive, credits negative, and
every journal entry sums to zero. Busy accounts (payers, providers) have no floor and are only appended to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from drachm.domain.errors import IntegrityError

MAX_ENTRIES: Final = 16
"""Most entries of one journal entry (docs/decisions/0001)."""
KNOWN_MAX: Final = 1_000_000
"""Accounts whose ids are kept ready: of some 200,000 people."""
# As the class itself, but several times faster.
_new: Final = tuple.__new__


class Source(IntEnum):
    """Whose money an entry stands for; a provider's credit keeps it, so settlement knows what is funded."""

    NONE = 0
    PAYER = 1
    """Owed by a payer, not yet received."""
    WALLET = 2
    """Taken from a funded pot."""
    DUE = 3
    """Owed by the patient, not yet received."""
    RAIL = 4
    """Outside money moving in or out."""


class EntryKind(IntEnum):
    """What a journal row does in the books."""

    CHARGE = 1
    REVERSAL = 2
    REPLACEMENT = 3
    HOLD = 4
    CAPTURE = 5
    RELEASE = 6
    REVISION = 7
    """A later answer for the same event, or what was due of it paid: the difference to what stood."""
    TOP_UP = 8
    NOTE = 9
    """No money moved: a pended or refused outcome."""
    ALLOTMENT = 10
    """Money of a shared fund moves between the fund and its slices."""
    TRANSFER = 11
    """Money moves without care: a payment that went back, a refund, a difference in a cash box."""
    EXPIRY = 12
    """What is left in a pot whose time is over goes back to whoever funded it."""


@dataclass(frozen=True, slots=True)
class AccountKind:
    name: str
    side: Literal["asset", "liability"]
    owner: str
    """Whose id stands in `Account.owner`."""
    meaning: str


CHART: Final = {
    kind.name: kind
    for kind in (
        AccountKind("payer_receivable", "asset", "payer party", "What a payer owes for care it covers."),
        AccountKind(
            "patient_receivable", "asset", "member", "What a patient owes for delivered care no pocket covered."
        ),
        AccountKind(
            "holder_receivable", "asset", "member", "What a holder owes for a payment that was booked and went back."
        ),
        AccountKind("cash", "asset", "rail", "Money received through a rail, not yet paid out."),
        AccountKind(
            "cash_difference", "asset", "window", "What was counted too little (or, below 0, too much) in cash boxes."
        ),
        AccountKind(
            "residue", "asset", "member", "What a collection left below the smallest coin; paid with the next one."
        ),
        AccountKind("unallocated", "liability", "bank account", "Money at the bank whose payer nobody has found yet."),
        AccountKind("wallet", "liability", "pot", "Money a pot holds and may spend."),
        AccountKind("wallet_held", "liability", "pot", "Money a pot has promised to a request."),
        AccountKind("funder_payable", "liability", "funder party", "What a funder gets back out of expired pots."),
        AccountKind("patient_credit", "liability", "member", "Credits of a payer for a patient's earlier events."),
        AccountKind("provider_payable", "liability", "provider party", "What the operator owes a provider, by source."),
    )
}
"""The chart of accounts; docs/reference/chart-of-accounts.md is checked against it."""


class Account(NamedTuple):
    """One account of a tenant."""

    kind: str
    owner: str
    currency: str


class Entry(NamedTuple):
    """One leg: positive debits the account, negative credits it. Micros of the account's currency."""

    account: Account
    amount: int
    source: Source


class JournalEntry(NamedTuple):
    """What one outcome posts. Balanced, one currency, at most `MAX_ENTRIES` entries, none of them zero."""

    kind: EntryKind
    entries: tuple[Entry, ...] = ()


def journal_entry(kind: EntryKind, entries: tuple[Entry, ...]) -> JournalEntry:
    """The entry, checked. Raises `IntegrityError` for one that must never be posted."""
    total, currency = 0, entries[0].account.currency if entries else ""
    for account, amount, _ in entries:
        total += amount
        if account[2] != currency:
            raise IntegrityError("two currencies", where="journal entry")
    if total:
        raise IntegrityError("debits and credits differ", where="journal entry")
    if len(entries) > MAX_ENTRIES:
        raise IntegrityError("too many entries", where="journal entry")
    return _new(JournalEntry, (kind, entries))


def account_id(tenant: int, account: Account) -> int:
    """The account's 64-bit id, the same on every machine: the first 8 bytes of SHA-256 over tenant and name, signed.

    Two names that met in one id would break the account table's unique name and stop the posting, so a collision
    (2^-32 at 65,000 accounts a tenant) is noticed, never absorbed.
    """
    known = _known(tenant)
    number = known.get(account)
    if number is None:
        if len(known) >= KNOWN_MAX:
            known.clear()
        number = known[account] = stable_id(tenant, *account)
    return number


@lru_cache(maxsize=64)
def _known(tenant: int) -> dict[Account, int]:
    """Ids that were worked out before: a dictionary, because the order of a cache costs more than its answers."""
    return {}


def legs_of(tenant: int, entries: Iterable[Entry]) -> list[int]:
    """Entries as flat numbers: of each its account's id, its amount and its source."""
    legs: list[int] = []
    known = _known(tenant)
    for account, amount, source in entries:
        number = known.get(account)
        legs.append(account_id(tenant, account) if number is None else number)
        legs.append(amount)
        legs.append(source)
    return legs


def stable_id(tenant: int, *parts: str) -> int:
    """A signed 64-bit id from words, stable for ever; used wherever a hot row would carry text."""
    digest = hashlib.sha256("\x1f".join((str(tenant), *parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def net(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Entries with equal account and source added up, zeros left out, in order of first appearance."""
    sums: dict[tuple[Account, Source], int] = {}
    for account, amount, source in entries:
        sums[account, source] = sums.get((account, source), 0) + amount
    return tuple(Entry(account, amount, source) for (account, source), amount in sums.items() if amount)


def negated(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The entries that undo these."""
    return tuple(Entry(account, -amount, source) for account, amount, source in entries)
