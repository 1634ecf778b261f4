"""What do the books say, read back? Always as the reader, one tenant, in short transactions and bounded memory."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any, Final

from drachm.application.ports import Stored, Written
from drachm.domain.clearing.numbers import Place, place_of
from drachm.domain.clearing.register import Registry
from drachm.domain.errors import IntegrityError
from drachm.domain.funding.allotment import Fund
from drachm.domain.funding.model import Pot
from drachm.domain.ledger.model import Account, Source
from drachm.storage import queries
from drachm.storage.registry import Past
from drachm.storage.rows import after_values, stored_of, written_of
from drachm.storage.session import Connection, Sessions
from drachm.storage.sheets import pot_of
from drachm.storage.totals import numbered
from drachm.storage.vault import Vault

ROWS_PER_PAGE: Final = 500
TOTALS_PER_PAGE: Final = 5_000
NAMES_MAX: Final = 100_000

_SQL: Final = queries.load("reading")

_OPEN: Final = 12
"""How many fields of a row `stored_of` takes; `written_of` takes the others."""
_BEFORE_ALL: Final = -(2**63)
"""No state row has this number, which only a hash of 2^-64 could give."""


class PostgresReading:
    """The reading half of `ports.Books`. Long answers come page by page, so no connection is held between two looks."""

    def __init__(self, tenant: int, sessions: Sessions, vault: Vault) -> None:
        self.tenant = tenant
        self.sessions = sessions
        self.vault = vault
        self._past = Past(tenant)

    def queue(self, limit: int = 1000) -> list[tuple[int, bytes, str]]:
        """Pended events waiting: (position, key, reason), oldest first."""
        with self.sessions.transaction("reader") as conn:
            return [(position, key, reason) for position, key, reason in self._ask(conn, "queue", limit=limit)]

    def row(self, position: int) -> Stored | None:
        """One journal row; None when there is none at this position."""
        with self.sessions.transaction("reader") as conn:
            found = self._ask(conn, "rows_after", after=position - 1, limit=1)
        if not found or found[0][0] != position:
            return None
        return stored_of(found[0][:_OPEN], self.vault)

    def rows(self, after: int = 0, limit: int | None = None) -> Iterator[tuple[Stored, Written]]:
        """Journal rows in order of position, with their bodies; `limit` None: all."""
        names = _Names(self.tenant)
        left = limit
        while left is None or left > 0:
            size = ROWS_PER_PAGE if left is None else min(left, ROWS_PER_PAGE)
            with self.sessions.transaction("reader") as conn:
                page = self._ask(conn, "rows_after", after=after, limit=size)
                names.learn(conn, page)
            for values in page:
                stored = stored_of(values[:_OPEN], self.vault)
                yield stored, written_of(stored.position, values[_OPEN:], names.accounts, names.pots)
            if len(page) < size:
                return
            after = page[-1][0]
            left = None if left is None else left - size

    def registry_at(self, version: int, members: Collection[str], parties: Collection[str]) -> Registry:
        """These people and parties as they were registered at an earlier version."""
        return self._past.read(version, members, parties, self._look)

    def balances(self) -> dict[Account, int]:
        """Every account's balance from raw entries, positive for debits."""
        with self.sessions.transaction("reader") as conn:
            found = self._ask(conn, "balances")
        for kind, _, _, _, number in found:
            if kind is None:
                raise IntegrityError("entries name an account that is not here", where=f"account {number}")
        return {Account(kind, owner, currency): int(balance) for kind, owner, currency, balance, _ in found}

    def sources(self) -> dict[tuple[Account, Source], int]:
        """The same, apart by whose money it is."""
        with self.sessions.transaction("reader") as conn:
            return self._sources(conn)

    def pots(self, of: Collection[str] | None = None) -> dict[str, tuple[int, int]]:
        """Pot id -> (avail, held) as the state rows say; of all pots, or of these as far as they are here."""
        with self.sessions.transaction("reader") as conn:
            return self._pots(conn, of)

    def at_once(self) -> tuple[dict[tuple[Account, Source], int], dict[str, tuple[int, int]]]:
        """`sources` and `pots` as they stand at one moment, whoever posts meanwhile: a reader has one view."""
        with self.sessions.transaction("reader") as conn:
            return self._sources(conn), self._pots(conn, None)

    def _sources(self, conn: Connection) -> dict[tuple[Account, Source], int]:
        found = self._ask(conn, "sources")
        for kind, _, _, _, _, number in found:
            if kind is None:
                raise IntegrityError("entries name an account that is not here", where=f"account {number}")
        return {
            (Account(kind, owner, currency), Source(source)): int(amount)
            for kind, owner, currency, source, amount, _ in found
        }

    def _pots(self, conn: Connection, of: Collection[str] | None) -> dict[str, tuple[int, int]]:
        found = self._ask(conn, "pot_states") if of is None else self._ask(conn, "pot_states_of", pots=list(of))
        for pot, avail, _ in found:
            if avail is None:
                raise IntegrityError("the pot has lost its state row", where=f"pot {pot}")
        return {pot: (avail, held) for pot, avail, held in found}

    def fund(self, pot: str) -> Fund | None:
        """The shared fund whose own pot this is; None for any other pot, also for a slice."""
        found = self._look("fund", pot=pot)
        return Fund(pot, *found[0]) if found else None

    def expired(self, now: datetime, *, after: str = "", limit: int = 100) -> list[Pot]:
        """Pots from which what is left goes back to the funder by now, and that hold money; by id, from behind one."""
        found = self._look("expired_pots", now=now, after=after, limit=limit)
        return [pot_of(*row) for row in found]

    def totals(self) -> Iterator[tuple[Place, int]]:
        """Every running total that is not 0, by where it is kept, in that order."""
        after = _BEFORE_ALL
        while True:
            with self.sessions.transaction("reader") as conn:
                page = self._ask(conn, "totals_after", after=after, limit=TOTALS_PER_PAGE)
            for after, packed in page:
                for number, value in numbered(after, packed).items():
                    yield place_of(number), value
            if len(page) < TOTALS_PER_PAGE:
                return

    def _look(self, query: str, **values: object) -> list[Any]:
        """The answer to one statement, in a transaction of its own."""
        with self.sessions.transaction("reader") as conn:
            return self._ask(conn, query, **values)

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

    def learn(self, conn: Connection, page: list[Any]) -> None:
        """Look up what a page names for the first time; forget rather than grow for ever."""
        if len(self.accounts) + len(self.pots) > NAMES_MAX:
            self.accounts.clear()
            self.pots.clear()
        accounts, states = set[int](), set[int]()
        for values in page:
            *_, legs, _, avail = values
            accounts.update(legs[::2])
            states.update(state for state, _ in after_values(avail))
        if accounts := accounts - self.accounts.keys():
            found = ask(conn, "account_names", tenant=self._tenant, ids=sorted(accounts))
            self.accounts.update((number, Account(*name)) for number, *name in found)
        if states := states - self.pots.keys():
            self.pots.update(ask(conn, "pot_names", tenant=self._tenant, ids=sorted(states)))
