"""What do plans, wallets and accounts say, as an answer to a caller? Always of one tenant, never under lock.

`ports.Books` is what clearing and the audit need; this is what estimates, eligibility, wallets, accounts and statements
look things up in. Fulfilled by `storage/money_reading.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple, Protocol

from drachm.application.ports import Stored
from drachm.domain.funding.model import Pot
from drachm.domain.ledger.model import Account, EntryKind, Source
from drachm.domain.periods import Period
from drachm.domain.succession import successor

AHEAD: Final = timedelta(days=366)
"""So long before care begins money may have been promised to it and still be found with the care."""
CARE: Final = frozenset(
    {
        EntryKind.CHARGE,
        EntryKind.REVERSAL,
        EntryKind.REPLACEMENT,
        EntryKind.HOLD,
        EntryKind.CAPTURE,
        EntryKind.RELEASE,
        EntryKind.REVISION,
    }
)
"""What journal rows about care do."""


class Published(NamedTuple):
    """One published version of a plan or a price book, without its rules."""

    kind: str
    """`plan` or `price_book`."""
    id: str
    version: str
    hash: str
    """SHA-256 of the canonical document, hexadecimal."""
    title: str
    currency: str
    payer: str
    """Party id; empty for a price book."""
    starts: date
    until: date | None
    """As its own document says: the first day behind its days; None: until further notice."""
    published_at: datetime
    superseded_by: str = ""
    """The version that takes over before its own days are over; empty: none does."""
    superseded_on: date | None = None
    """The day on which that one begins."""

    @property
    def effective(self) -> Period:
        """The days of its own document."""
        return Period(self.starts, self.until)

    @property
    def ends(self) -> date | None:
        """The first day on which it is in force no more; None: until further notice."""
        return self.superseded_on or self.until

    def holds(self, day: date) -> bool:
        """Whether it is in force on a day of its own zone."""
        return self.starts <= day and (self.ends is None or day < self.ends)


def succeeding(versions: Sequence[Published]) -> list[Published]:
    """Versions of one kind, each with the one of the same id that takes over from it; by id and first day."""
    by_id: dict[str, list[Published]] = {}
    for one in sorted(versions, key=lambda one: (one.id, one.starts, one.version)):
        by_id.setdefault(one.id, []).append(one)
    found = []
    for known in by_id.values():
        for one in known:
            following = successor(one, known)
            if following is not None:
                one = one._replace(superseded_by=following.version, superseded_on=following.starts)
            found.append(one)
    return found


class Purse(NamedTuple):
    """A pot with what is in it; a shared fund with its slices as one."""

    pot: Pot
    held: int
    """Micros promised to requests; `pot.avail` is what may be spent."""


class Balance(NamedTuple):
    """One account with the sum of its entries, positive for debits; the sum may pass 64 bits."""

    account: Account
    number: int
    """`ledger.account_id`."""
    micros: int


class Due(NamedTuple):
    """What a patient owes of one charge."""

    key: bytes
    """Event key of the charge as it stands now."""
    position: int
    """Of the row that stands."""
    amount: int
    """Micros, more than 0."""
    day: date
    """On which it came due first, UTC."""


class Movement(NamedTuple):
    """One entry of an account."""

    position: int
    """Of the journal row it stands in."""
    leg: int
    """Which entry of that row, from 0."""
    account: Account
    amount: int
    """Micros, positive for debits."""
    source: int
    kind: EntryKind
    occurred_at: datetime
    posted_at: datetime
    day: date
    """On which it was posted, UTC."""
    key: bytes
    """Event key of the row."""
    patient: int
    """Of the row: the number of the member whose care it was, that of the empty name where it was nobody's."""


class CareSum(NamedTuple):
    """What some pots paid for one member's care of one span of time."""

    patient: int
    """Number of the member."""
    span: int
    """Which of the spans, from 0."""
    amount: int
    """Micros; what came back is taken off."""


class Statement(NamedTuple):
    """An account over some days: opening + every entry = closing."""

    opening: int
    closing: int
    entries: int
    """How many there are on these days."""
    movements: list[Movement]
    """Some of them, newest first."""


class Side(NamedTuple):
    """All accounts of one kind in one currency."""

    kind: str
    currency: str
    accounts: int
    debits: int
    """The sum of the balances above 0."""
    credits: int
    """The sum of those below 0, itself below 0."""


class MoneyReading(Protocol):
    """The documents and the money of one tenant, for answers."""

    def version(self) -> int:
        """The register's version as it stands."""

    def newest(self, keys: Sequence[bytes]) -> dict[bytes, Stored]:
        """The newest revision of each event key that is here."""

    def stand(self, totals: Collection[int], pots: Collection[str]) -> tuple[dict[int, int], dict[str, int]]:
        """Running totals by number (zeros left out) and what each pot may spend (if it is here), of one moment."""

    def published(self, kind: str) -> list[Published]:
        """Every published version of a kind, by id and first day."""

    def document(self, document_hash: str) -> Mapping[str, Any] | None:
        """A published document whole; None when there is none."""

    def purses(
        self,
        *,
        after: str = "",
        limit: int = 100,
        ids: Collection[str] | None = None,
        members: Collection[str] | None = None,
    ) -> list[Purse]:
        """Pots in order of id, from behind `after`: those of these ids or members (both None: of the whole tenant).

        Slices of a fund and admissions to it are no pots of their own here.
        """

    def accounts(
        self,
        *,
        after: tuple[str, str, str] = ("", "", ""),
        limit: int = 100,
        parties: Collection[str] | None = None,
        pots: Collection[str] | None = None,
        kind: str = "",
    ) -> list[Balance]:
        """Accounts in order of kind, owner and currency, from behind `after`: what these parties are owed or owe, and
        these pots (both None: the whole tenant); of one kind only."""

    def account(self, number: int) -> Balance | None:
        """One account by its number."""

    def movements(
        self,
        accounts: Collection[int],
        *,
        before: tuple[date, int, int] | None = None,
        limit: int = 100,
        since: date | None = None,
        until: date | None = None,
    ) -> list[Movement]:
        """Entries of these accounts, newest first, from before a (day, position, leg); posted on [since, until), UTC.

        Costs what it gives, and the journal rows that the index has not met yet; never a look at the whole journal.
        """

    def care_sums(self, accounts: Collection[int], bounds: Sequence[datetime]) -> list[CareSum]:
        """What these accounts of pots paid for care, by member and by when the care began: from each of `bounds`, in
        order, to before the next. Every entry counts that was posted `AHEAD` before the first of them or later."""

    def undone(self, positions: Collection[int], accounts: Collection[int]) -> frozenset[int]:
        """Of these rows, those of a chain, each in the place of another, that moves nothing on these accounts in the
        end: what was paid and taken back whole."""

    def statement(
        self, account: int, since: date, until: date, *, before: tuple[date, int, int] | None = None, limit: int = 100
    ) -> Statement:
        """What was posted on an account on [since, until), with the balances at both ends, all of one moment."""

    def months(self, accounts: Collection[int]) -> list[tuple[int, date]]:
        """(account number, first day) of every month in which one of these accounts moved, newest first."""

    def trial(self) -> list[Side]:
        """Every account of the tenant, added up by kind and currency; costs a look at every account and day."""

    def sources(self) -> dict[tuple[Account, Source], int]:
        """Every account by whose money it is, added up by kind and currency, cash for each rail; costs as `trial`."""

    def moved_pots(self, kind: str, after: int) -> tuple[list[str], int]:
        """Pots with a record of a kind that moved behind a position, and up to which position that was looked at.

        Behind none (-1): no pots, only how far the index is whole.
        """

    def reached(self, after: int) -> tuple[list[tuple[str, str]], int]:
        """(member, currency) of whoever owes of care, or once did, and got money behind a position into a pot of their
        own or one shared with them; and up to which position that was looked at. Behind none (-1): nobody."""

    def owing_with_money(self, after: tuple[str, str] = ("", ""), limit: int = 500) -> list[tuple[str, str]]:
        """(member, currency) of whoever owes of care, as far as the index is whole, and has a pot with money or is
        admitted to a shared one; in order, from behind `after`."""

    def dues(self, member: str, currency: str) -> list[Due]:
        """What a patient owes of care, charge by charge, oldest first; never late."""

    def book_sides(self, price_book: str) -> list[tuple[str, str]]:
        """(provider, payer) of every contract that names a price book."""

    def books_of(self, parties: Collection[str]) -> list[str]:
        """Price books that contracts of these providers or payers name."""

    def catch_up(self, limit: int = 5_000) -> int:
        """Bring the index of entries nearer to the journal; how many journal rows were taken in. One at a time in all
        processes: another finds nothing to do."""
