"""What do the books say, read back? Always as the reader, one tenant, in short transactions and bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from drachm.application.ports import Row, Stored
from drachm.domain.benefits.model import Key
from drachm.domain.errors import IntegrityError
from drachm.domain.ledger.model import Account
from drachm.storage import queries
from drachm.storage.rows import Record, open_letter, row_of, stored_of
from drachm.storage.session import Connection, Sessions
from drachm.storage.vault import Vault

ROWS_PER_PAGE: Final = 500
TOTALS_PER_PAGE: Final = 5_000
NAMES_MAX: Final = 100_000

_SQL: Final = queries.load("reading")


class PostgresReading:
    """The reading half of `ports.Books`. Long answers come page by page, so no connection is held between two looks."""

    def __init__(self, tenant: int, sessions: Sessions, vault: Vault) -> None:
        self.tenant = tenant
        self._sessions = sessions
        self._vault = vault

    def queue(self, limit: int = 1000) -> list[tuple[int, bytes, str]]:
        """Pended events waiting: (position, key, reason), oldest first."""
        with self._sessions.transaction("reader") as conn:
            return [(position, key, reason) for position, key, reason in self._ask(conn, "queue", limit=limit)]

    def row(self, position: int) -> Stored | None:
        """One journal row; None when there is none at this position."""
        with self._sessions.transaction("reader") as conn:
            found = self._ask(conn, "rows_after", after=position - 1, limit=1)
        records = [Record(*values) for values in found]
        if not records or records[0].position != position:
            return None
        return stored_of(records[0], open_letter(records[0], self._vault))

    def rows(self, after: int = 0, limit: int | None = None) -> Iterator[tuple[Row, Stored]]:
        """Journal rows in order of position, with their bodies; `limit` None: all."""
        names = _Names(self.tenant)
        left = limit
        while left is None or left > 0:
            size = ROWS_PER_PAGE if left is None else min(left, ROWS_PER_PAGE)
            with self._sessions.transaction("reader") as conn:
                page = [Record(*values) for values in self._ask(conn, "rows_after", after=after, limit=size)]
                names.learn(conn, page)
            for record in page:
                letter = open_letter(record, self._vault)
                yield row_of(record, letter, names.accounts, names.pots), stored_of(record, letter)
            if len(page) < size:
                return
            after = page[-1].position
            left = None if left is None else left - size

    def balances(self) -> dict[Account, int]:
        """Every account's balance from raw entries, positive for debits."""
        with self._sessions.transaction("reader") as conn:
            found = self._ask(conn, "balances")
        for kind, _, _, _, number in found:
            if kind is None:
                raise IntegrityError("entries name an account that is not here", where=f"account {number}")
        return {Account(kind, owner, currency): int(balance) for kind, owner, currency, balance, _ in found}

    def pots(self) -> dict[str, tuple[int, int]]:
        """Pot id -> (avail, held) as the state rows say."""
        with self._sessions.transaction("reader") as conn:
            found = self._ask(conn, "pot_states")
        for pot, avail, _ in found:
            if avail is None:
                raise IntegrityError("the pot has lost its state row", where=f"pot {pot}")
        return {pot: (avail, held) for pot, avail, held in found}

    def totals(self) -> Iterator[tuple[Key, int]]:
        """Every running total as its row says, in key order."""
        last = Key("", "", "")
        while True:
            with self._sessions.transaction("reader") as conn:
                page = self._ask(conn, "totals_after", **last._asdict(), limit=TOTALS_PER_PAGE)
            for scope, name, period, value in page:
                last = Key(scope, name, period)
                yield last, value
            if len(page) < TOTALS_PER_PAGE:
                return

    def _ask(self, conn: Connection, query: str, **values: object) -> list[Any]:
        return ask(conn, query, tenant=self.tenant, **values)


def ask(conn: Connection, query: str, **values: object) -> list[Any]:
    """The answer to one statement of queries/reading.sql."""
    return conn.execute(_SQL[query], values, binary=True).fetchall()


class _Names:
    """What numbers in journal rows stand for, as far as they were met."""

    def __init__(self, tenant: int) -> None:
        self._tenant = tenant
        self.accounts: dict[int, Account] = {}
        self.pots: dict[int, str] = {}

    def learn(self, conn: Connection, page: list[Record]) -> None:
        """Look up what a page names for the first time; forget rather than grow for ever."""
        if len(self.accounts) + len(self.pots) > NAMES_MAX:
            self.accounts.clear()
            self.pots.clear()
        accounts = sorted({one for record in page for one in record.accounts} - self.accounts.keys())
        states = sorted({one for record in page for one in record.states} - self.pots.keys())
        if accounts:
            found = ask(conn, "account_names", tenant=self._tenant, ids=accounts)
            self.accounts.update((number, Account(*name)) for number, *name in found)
        if states:
            self.pots.update(ask(conn, "pot_names", tenant=self._tenant, ids=states))
