"""What do plans, wallets and accounts say, read back from PostgreSQL? As the reader, whom row security holds."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

from drachm.application.money_reading import (
    AHEAD,
    CARE,
    Balance,
    CareSum,
    Due,
    Movement,
    Published,
    Purse,
    Side,
    Statement,
    succeeding,
)
from drachm.application.ports import Stored
from drachm.domain.clearing.numbers import place_of, pot_number
from drachm.domain.errors import IntegrityError, ensure
from drachm.domain.ledger.model import Account, EntryKind, Source, account_id
from drachm.domain.periods import read_day
from drachm.storage import queries
from drachm.storage.arrays import byteas, int8s, texts
from drachm.storage.postgres import PostgresBooks
from drachm.storage.rows import stored_of
from drachm.storage.session import Connection, Sessions
from drachm.storage.sheets import pot_of
from drachm.storage.totals import numbered
from drachm.storage.vault import Vault

FOLLOW_AT_ONCE: Final = 20_000
"""Journal rows that one transaction takes into the index of entries."""
TAIL_MAX: Final = 2_000
"""Positions that an answer may have to look through behind the index; with more it brings the index nearer first."""
SETTLE_SECONDS: Final = 0.25
"""How long the follower waits for writers that are in the middle of their work."""
LATEST: Final = date(9999, 12, 31)
EARLIEST: Final = date(1, 1, 1)
_NEVER: Final = datetime(1, 1, 1, tzinfo=UTC)

_SQL: Final = queries.load("money")
_WORK: Final = queries.load("work")
_INDEX: Final = queries.load("journal_index")


class PostgresMoney:
    """The documents and the money of one tenant (`application.money_reading.MoneyReading`). Safe to use from several
    threads; lives as long as the books it was made of."""

    def __init__(self, tenant: int, sessions: Sessions, vault: Vault) -> None:
        self._tenant = tenant
        self._sessions = sessions
        self._vault = vault
        self._heads: dict[str, Published] = {}
        """By hash, what a document says of itself; documents never change."""
        self._following = threading.Lock()

    @classmethod
    def of(cls, books: PostgresBooks) -> PostgresMoney:
        """The same of opened books."""
        return cls(books.tenant, books.sessions, books.vault)

    def version(self) -> int:
        """The register's version as it stands."""
        version: int = self._look("version")[0][0]
        return version

    def newest(self, keys: Sequence[bytes]) -> dict[bytes, Stored]:
        """The newest revision of each event key that is here, its body opened."""
        if not keys:
            return {}
        with self._sessions.transaction("reader") as conn:
            values = {"tenant": self._tenant, "keys": byteas(list(dict.fromkeys(keys)))}
            found = conn.execute(_WORK["newest_rows"], values, binary=True).fetchall()
        return {row[1]: stored_of(row, self._vault) for row in found}

    def stand(self, totals: Collection[int], pots: Collection[str]) -> tuple[dict[int, int], dict[str, int]]:
        """Running totals by number and what pots may spend, of one moment."""
        wanted = frozenset(totals)
        numbers = {pot_number(self._tenant, pot): pot for pot in pots}
        with self._sessions.transaction("reader") as conn:
            rows = self._ask(conn, "totals_of", ids=int8s(sorted({place_of(one).row for one in wanted})))
            states = self._ask(conn, "pots_by_number", ids=int8s(sorted(numbers)))
        values = {one: value for row, packed in rows for one, value in numbered(row, packed).items() if one in wanted}
        return values, {numbers[one]: left for one, left in states}

    def published(self, kind: str) -> list[Published]:
        """Every published version of a kind, by id and first day."""
        with self._sessions.transaction("reader") as conn:
            listed = self._ask(conn, "published", kind=kind)
            for one, *_ in listed:
                if one not in self._heads:
                    self._heads[one] = _head(kind, one, json.loads(self._ask(conn, "document", hash=one)[0][0]))
        return succeeding([self._heads[one]._replace(published_at=at) for one, _, _, at in listed])

    def document(self, document_hash: str) -> Mapping[str, Any] | None:
        """A published document whole."""
        found = self._look("document", hash=document_hash)
        document: Mapping[str, Any] | None = json.loads(found[0][0]) if found else None
        return document

    def purses(
        self,
        *,
        after: str = "",
        limit: int = 100,
        ids: Collection[str] | None = None,
        members: Collection[str] | None = None,
    ) -> list[Purse]:
        """Pots in order of id."""
        reach = {"all": ids is None and members is None, "ids": _texts(ids), "members": _texts(members)}
        return [
            Purse(pot_of(pot, member, currency, int(avail), *rest), int(held))
            for pot, member, currency, avail, held, *rest in self._look(
                "purses", after=_whole(after), limit=limit, **reach
            )
        ]

    def accounts(
        self,
        *,
        after: tuple[str, str, str] = ("", "", ""),
        limit: int = 100,
        parties: Collection[str] | None = None,
        pots: Collection[str] | None = None,
        kind: str = "",
    ) -> list[Balance]:
        """Accounts in order of kind, owner and currency."""
        behind = dict(zip(("kind", "owner", "currency"), map(_whole, after), strict=True))
        reach = {"all": parties is None and pots is None, "parties": _texts(parties), "pots": _texts(pots)}
        found = self._sum_up("accounts", limit=limit, only=_whole(kind), **behind, **reach)
        return [_balance(row) for row in found]

    def account(self, number: int) -> Balance | None:
        """One account by its number."""
        found = self._sum_up("account", number=number)
        return _balance(found[0]) if found else None

    def movements(
        self,
        accounts: Collection[int],
        *,
        before: tuple[date, int, int] | None = None,
        limit: int = 100,
        since: date | None = None,
        until: date | None = None,
    ) -> list[Movement]:
        """Entries of these accounts, newest first."""
        self._near()
        with self._sessions.transaction("reader") as conn:
            return self._movements(conn, accounts, before, limit, since or EARLIEST, until or LATEST)

    def care_sums(self, accounts: Collection[int], bounds: Sequence[datetime]) -> list[CareSum]:
        """What these accounts of pots paid for care, by member and by when the care began."""
        span: dict[str, object] = {"bounds": list(bounds), "since": bounds[0], "until": bounds[-1]}
        kinds, posted = int8s(sorted(CARE)), (bounds[0] - AHEAD).date()
        found = self._sum_up("care_sums", accounts=int8s(list(accounts)), kinds=kinds, posted=posted, **span)
        return [CareSum(patient, number - 1, int(amount)) for patient, number, amount in found]

    def undone(self, positions: Collection[int], accounts: Collection[int]) -> frozenset[int]:
        """Of these rows, those whose whole chain moves nothing on these accounts."""
        if not positions:
            return frozenset()
        found = self._look("undone", positions=int8s(sorted(positions)), accounts=int8s(sorted(accounts)))
        return frozenset(position for (position,) in found)

    def statement(
        self, account: int, since: date, until: date, *, before: tuple[date, int, int] | None = None, limit: int = 100
    ) -> Statement:
        """What was posted on an account on some days, with the balances at both ends."""
        self._near()
        with self._sessions.transaction("reader") as conn:
            opening, earlier = self._sum(conn, account, since)
            closing, all_of_them = self._sum(conn, account, until)
            found = self._movements(conn, [account], before, limit, since, until)
        return Statement(opening, closing, all_of_them - earlier, found)

    def _sum(self, conn: Connection, account: int, until: date) -> tuple[int, int]:
        """(balance, entries) of what was posted before a day."""
        found = self._ask(conn, "sums", accounts=int8s([account]), until=until, followed=self._followed(conn))
        return (int(found[0][1]), int(found[0][2])) if found else (0, 0)

    def _movements(
        self,
        conn: Connection,
        accounts: Collection[int],
        before: tuple[date, int, int] | None,
        limit: int,
        since: date,
        until: date,
    ) -> list[Movement]:
        day, position, leg = before or (LATEST, 0, 0)
        wanted = int8s(list(accounts))
        place = {"day": day, "position": position, "leg": leg, "followed": self._followed(conn)}
        found = self._ask(conn, "movements", accounts=wanted, limit=limit, since=since, until=until, **place)
        names = {number: Account(*name) for number, *name in self._ask(conn, "names_of", ids=wanted)}
        return [
            Movement(at, leg, names[account], amount, source, EntryKind(kind), occurred_at, posted_at, on, key, whose)
            for on, at, leg, account, amount, source, kind, occurred_at, posted_at, key, whose in found
        ]

    def months(self, accounts: Collection[int]) -> list[tuple[int, date]]:
        """(account, first day) of every month in which one of these accounts moved, newest first."""
        return [(account, month) for account, month in self._sum_up("months", accounts=int8s(list(accounts)))]

    def trial(self) -> list[Side]:
        """Every account, added up by kind and currency."""
        found = self._sum_up("trial")
        if any(kind is None for kind, *_ in found):
            raise IntegrityError("entries name an account that is not here", where="trial balance")
        return [Side(kind, currency, count, int(above), int(below)) for kind, currency, count, above, below in found]

    def sources(self) -> dict[tuple[Account, Source], int]:
        """Every account by whose money it is, added up by kind and currency, cash for each rail."""
        found = self._sum_up("sources")
        return {
            (Account(kind, owner, currency), Source(source)): int(amount)
            for kind, owner, currency, source, amount in found
        }

    def moved_pots(self, kind: str, after: int) -> tuple[list[str], int]:
        """Pots with a record of a kind that moved behind a position, and up to which position that was looked at.

        Behind none (-1): no pots, only how far the index is whole.
        """
        with self._sessions.transaction("reader") as conn:
            until = self._followed(conn)
            if after < 0 or until <= after:
                return [], max(after, until)
            found = self._ask(conn, "moved_pots", kind=kind, after=after, until=until)
        return [pot for (pot,) in found], until

    def reached(self, after: int) -> tuple[list[tuple[str, str]], int]:
        """(member, currency) of whoever owes of care and got money into a pot behind a position, and up to which
        position that was looked at. Behind none (-1): nobody, only how far the index is whole."""
        with self._sessions.transaction("reader") as conn:
            until = self._followed(conn)
            if after < 0 or until <= after:
                return [], max(after, until)
            found = self._ask(conn, "reached", after=after, until=until)
        return list(found), until

    def owing_with_money(self, after: tuple[str, str] = ("", ""), limit: int = 500) -> list[tuple[str, str]]:
        """(member, currency) of whoever owes of care and might pay, in order, from behind `after`."""
        return list(self._look("owing_with_money", owner=_whole(after[0]), currency=_whole(after[1]), limit=limit))

    def dues(self, member: str, currency: str) -> list[Due]:
        """What a patient owes of care, charge by charge, oldest first."""
        number = account_id(self._tenant, Account("patient_receivable", member, currency))
        found = self._sum_up("dues", number=number)
        return [Due(key, position, int(amount), day) for key, position, amount, day in found]

    def book_sides(self, price_book: str) -> list[tuple[str, str]]:
        """(provider, payer) of every contract that names a price book."""
        return [(provider, payer) for provider, payer in self._look("contract_sides", book=_whole(price_book))]

    def books_of(self, parties: Collection[str]) -> list[str]:
        """Price books that contracts of these providers or payers name."""
        return [book for (book,) in self._look("books_of", parties=_texts(parties))]

    def catch_up(self, limit: int = FOLLOW_AT_ONCE) -> int:
        """Bring the index of entries nearer to the journal."""
        with self._following, self._sessions.transaction("writer") as conn:
            if not self._ask(conn, "follow_alone")[0][0]:
                return 0
            after = self._followed(conn)
            until = conn.execute(_INDEX["reserved"]).fetchone()
            ensure(until is not None, "the sequence of positions says nothing", where="journal_position")
            if until is None or until[0] <= after or not _settled(conn):
                return 0
            return self._follow(conn, after, until[0], limit)

    def _near(self) -> None:
        """Let no answer look through a long tail behind the index."""
        followed, newest = self._look("lag")[0]
        while newest - followed > TAIL_MAX and self.catch_up():
            followed, newest = self._look("lag")[0]

    def _follow(self, conn: Connection, after: int, until: int, limit: int) -> int:
        last, count = self._ask(conn, "follow_until", after=after, until=until, limit=limit)[0]
        if count == limit:
            until = last
        for query in ("add_lines", "add_days"):
            conn.execute(_SQL[query], {"tenant": self._tenant, "after": after, "until": until})
        conn.execute(_SQL["set_followed"], {"tenant": self._tenant, "position": until})
        return int(count)

    def _look(self, query: str, **values: object) -> list[Any]:
        with self._sessions.transaction("reader") as conn:
            return self._ask(conn, query, **values)

    def _sum_up(self, query: str, **values: object) -> list[Any]:
        """The answer to a statement that adds what the journal holds behind the index."""
        self._near()
        with self._sessions.transaction("reader") as conn:
            return self._ask(conn, query, followed=self._followed(conn), **values)

    def _followed(self, conn: Connection) -> int:
        """Up to which position the index of entries is whole."""
        position: int = next(iter(self._ask(conn, "followed")), (0,))[0]
        return position

    def _ask(self, conn: Connection, query: str, **values: object) -> list[Any]:
        return conn.execute(_SQL[query], {"tenant": self._tenant, **values}, binary=True).fetchall()


def _settled(conn: Connection) -> bool:
    """Whether everybody who was writing has ended, so that every position reserved before is there or never will be.

    Those who begin later reserve later positions.
    """
    writing = {one for (one,) in conn.execute(_INDEX["writing"]).fetchall()}
    end = time.monotonic() + SETTLE_SECONDS
    while writing and time.monotonic() < end:
        time.sleep(0.002)
        writing &= {one for (one,) in conn.execute(_INDEX["writing"]).fetchall()}
    return not writing


def _balance(row: Sequence[Any]) -> Balance:
    kind, owner, currency, number, micros = row
    return Balance(Account(kind, owner, currency), number, int(micros))


def _head(kind: str, document_hash: str, document: Mapping[str, Any]) -> Published:
    effective = document["effective"]
    until = effective.get("until")
    return Published(
        kind,
        str(document["id"]),
        str(document["version"]),
        document_hash,
        str(document.get("title", "")),
        str(document.get("currency", "")),
        str(document.get("payer", "")),
        read_day(effective["from"]),
        read_day(until) if until else None,
        _NEVER,
    )


def _whole(word: str) -> str:
    """A place to begin behind, without what cannot be stored."""
    return word.encode(errors="ignore").decode().replace("\0", "")


def _texts(words: Collection[str] | None) -> Any:
    """Words to look up; one that cannot be stored is nobody's, and left out."""
    return texts([one for one in words or () if _whole(one) == one])
