"""How is one batch read, locked and written, so that it happens whole or not at all?

`PostgresWork` is one transaction: events that are here, the registry, then every lock in one order, then one write of
each touched thing, one commit. No network call but to the database.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self

from psycopg.pq import TransactionStatus

from drachm.application.ports import ConstraintFired, Locked, Posting, Row, Stored
from drachm.domain.clearing.world import Needs, Registry
from drachm.domain.errors import IntegrityError, ensure
from drachm.domain.events.model import ServiceEvent
from drachm.domain.ledger.model import Account
from drachm.storage import queries
from drachm.storage.posting import Grip, ensure_writable, queue_changes
from drachm.storage.reading import ask
from drachm.storage.registry import asked, registry_of
from drachm.storage.rows import (
    Record,
    account_number,
    copy_of_bodies,
    copy_of_journal,
    letter_of,
    open_letter,
    patient_number,
    pot_number,
    scope_number,
    stored_of,
)
from drachm.storage.session import Connection, Sessions, answered
from drachm.storage.vault import Place, Vault

_WORK: Final = queries.load("work")

KNOWN_ACCOUNTS_MAX: Final = 200_000


class KnownAccounts:
    """Numbers of accounts that are in the books for certain: an account row is never removed."""

    def __init__(self) -> None:
        self._numbers: set[int] = set()

    def unknown(self, accounts: Mapping[int, Account]) -> dict[int, Account]:
        """Those not known, in order of number, so that two writers add them in one order."""
        return {number: accounts[number] for number in sorted(accounts.keys() - self._numbers)}

    def add(self, numbers: Collection[int]) -> None:
        """Remember after the commit; forget all rather than grow for ever."""
        if len(self._numbers) + len(numbers) > KNOWN_ACCOUNTS_MAX:
            self._numbers = set()
        self._numbers = self._numbers.union(numbers)


class PostgresWork:
    """One transaction of one tenant (`ports.UnitOfWork`)."""

    def __init__(self, tenant: int, sessions: Sessions, vault: Vault, known: KnownAccounts) -> None:
        self.tenant = tenant
        self._sessions = sessions
        self._vault = vault
        self._known = known
        self._conn: Connection | None = None
        self._grip: Grip | None = None
        self._new_accounts: list[int] = []
        self._whole = True
        self._wrote = False

    def __enter__(self) -> Self:
        ensure(self._conn is None, "a unit of work is entered once at a time", where="work")
        self._conn = self._sessions.begin("writer")
        self._whole, self._wrote = True, False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def newest(self, keys: Sequence[bytes]) -> dict[bytes, Stored]:
        """The newest revision of each event key that is here, its body opened."""
        found = {}
        for values in self._ask("newest_rows", keys=list(dict.fromkeys(keys))):
            record = Record(*values)
            found[record.key] = stored_of(record, open_letter(record, self._vault))
        return found

    def registry(self, events: Sequence[ServiceEvent]) -> Registry:
        """Members, coverages, parties, contracts and pots of a batch; `avail` left 0, `targets` left empty."""
        wanted = asked(events)
        return registry_of(
            self.tenant,
            members=self._ask("members", ids=wanted.members),
            coverages=self._ask("coverages", ids=wanted.members),
            parties=self._ask("parties", ids=wanted.parties),
            contracts=self._ask("contracts", ids=wanted.providers),
            pots=self._ask("pots", ids=wanted.members),
        )

    def lock(self, needs: Needs, rows: int) -> Locked:
        """Lock the state rows of every needed scope and pot once, in id order; then read; reserve `rows` positions."""
        ensure(self._grip is None, "a unit of work takes its locks once, in one order", where="work")
        ensure(rows > 0, "at least one position must be reserved", where="work")
        scopes = sorted({scope_number(self.tenant, key.scope) for key in needs.keys})
        pots = {pot_number(self.tenant, pot): pot for pot in needs.pots}
        self._wrote = True
        if scopes:
            self._tell("add_scopes", ids=scopes)
        states = dict(self._ask("lock_states", ids=sorted({*scopes, *pots})))
        ensure(states.keys() >= set(scopes), "a state row vanished", where="work")
        locked = Locked(
            totals=self._totals(needs),
            avail={pot: states[number] for number, pot in pots.items() if number in states},
            first_position=self._ask("reserve_positions", rows=rows)[0][0],
        )
        self._grip = Grip(needs, locked, rows)
        return locked

    def post(self, posting: Posting) -> None:
        """Write a batch: rows, bodies, accounts, totals, pots, the work queue and the outbox, one statement each.

        Raises `ConstraintFired` or `Raced`, and IntegrityError for what was not locked; the transaction is then spent.
        """
        self._whole = False
        grip = ensure_writable(posting, self._grip)
        self._grip = None
        if posting.rows:
            self._copy("copy_journal", self._journal(posting.rows))
            self._copy("copy_body", self._bodies(posting.rows))
            self._add_accounts(posting.rows)
            self._add_to_totals(posting, grip)
            self._move_pots(posting)
            self._update_queue(posting.rows)
            first, last = posting.rows[0], posting.rows[-1]
            self._tell("put_in_outbox", first=first.position, last=last.position, created_at=last.posted_at)
        self._whole = True

    def commit(self) -> None:
        """Make everything durable at once. Raises Unavailable when the answer was lost: ask again by key."""
        # PostgreSQL answers COMMIT of a failed transaction with a quiet ROLLBACK.
        ensure(self._whole, "a posting that failed cannot be committed", where="work")
        with answered():
            self._connection.commit()
        self._known.add(self._new_accounts)
        self._end()

    def _end(self) -> None:
        conn, self._conn, self._grip = self._conn, None, None
        if conn is None:
            return
        try:
            # A batch of known events writes nothing. Rolled back, the driver would forget its prepared statements.
            if not self._wrote and conn.info.transaction_status == TransactionStatus.INTRANS:
                with answered():
                    conn.commit()
        finally:
            self._sessions.end("writer", conn)

    def _totals(self, needs: Needs) -> dict[Any, int]:
        keys = sorted(needs.keys)
        if not keys:
            return {}
        scopes, names, periods = ([key[part] for key in keys] for part in range(3))
        found = self._ask("read_totals", scopes=scopes, names=names, periods=periods)
        return {keys[place - 1]: value for place, value in found}

    def _journal(self, rows: Sequence[Row]) -> bytes:
        try:
            return copy_of_journal(self.tenant, rows)
        except struct.error as error:
            raise ConstraintFired(f"a number of a row is out of range: {error}", where="journal") from None

    def _bodies(self, rows: Sequence[Row]) -> bytes:
        patients = {row.position: patient_number(self.tenant, row.member) for row in rows}
        keys = self._data_keys(set(patients.values()))
        sealed = []
        for row in rows:
            patient = patients[row.position]
            place = Place(row.position, row.key, row.revision)
            sealed.append((row.position, self._vault.seal(patient, keys[patient], place, letter_of(row))))
        return copy_of_bodies(self.tenant, sealed)

    def _data_keys(self, patients: Collection[int]) -> dict[int, bytes]:
        """The wrapped data key of each patient. Read anew for each batch: an erased key must not be used again."""
        keys: dict[int, bytes] = dict(self._ask("data_keys", patients=sorted(patients)))
        new = sorted(patients - keys.keys())
        if not new:
            return keys
        self._tell("add_data_keys", patients=new, wrapped=[self._vault.new_key(patient) for patient in new])
        # Another writer may have been faster: what counts is what is stored.
        keys.update(self._ask("data_keys", patients=new))
        return keys

    def _add_accounts(self, rows: Sequence[Row]) -> None:
        used = {account_number(self.tenant, entry.account): entry.account for row in rows for entry in row.entries}
        unknown = self._known.unknown(used)
        self._new_accounts = list(unknown)
        if not unknown:
            return
        kinds, owners, currencies = ([account[part] for account in unknown.values()] for part in range(3))
        added = self._ask("add_accounts", ids=list(unknown), kinds=kinds, owners=owners, currencies=currencies)
        present = sorted(unknown.keys() - {number for (number,) in added})
        if not present:
            return
        # An account's number is a hash of its name: two names that met in one number must not share a balance.
        with answered():
            names = ask(self._connection, "account_names", tenant=self.tenant, ids=present)
        for number, *name in names:
            if Account(*name) != unknown[number]:
                raise IntegrityError("two accounts met in one number", where=f"account {number}")

    def _add_to_totals(self, posting: Posting, grip: Grip) -> None:
        deltas = {key: delta for key, delta in posting.deltas.items() if delta}
        if not deltas:
            return
        scopes, names, periods = ([key[part] for key in deltas] for part in range(3))
        self._tell("add_to_totals", scopes=scopes, names=names, periods=periods, values=list(deltas.values()))
        zeros = [key for key, delta in deltas.items() if grip.locked.totals.get(key, 0) + delta == 0]
        if zeros:
            scopes, names, periods = ([key[part] for key in zeros] for part in range(3))
            self._tell("delete_zero_totals", scopes=scopes, names=names, periods=periods)

    def _move_pots(self, posting: Posting) -> None:
        moves, held = posting.moves, posting.held
        pots = sorted(pot for pot in {*moves, *held} if moves.get(pot) or held.get(pot))
        if not pots:
            return
        moved = self._tell(
            "move_pots",
            ids=[pot_number(self.tenant, pot) for pot in pots],
            moves=[moves.get(pot, 0) for pot in pots],
            held=[held.get(pot, 0) for pot in pots],
        )
        ensure(moved == len(pots), "a pot has lost its state row", where="posting")

    def _update_queue(self, rows: Sequence[Row]) -> None:
        waiting, done = queue_changes(rows)
        if waiting:
            keys, positions = [row.key for row in waiting], [row.position for row in waiting]
            self._tell("put_in_queue", keys=keys, positions=positions, reasons=[row.reason for row in waiting])
        if done:
            self._tell("take_from_queue", keys=done)

    @property
    def _connection(self) -> Connection:
        if self._conn is None:
            raise IntegrityError("a unit of work is used inside its block only", where="work")
        return self._conn

    def _ask(self, query: str, **values: object) -> list[Any]:
        with answered():
            cursor = self._connection.execute(
                _WORK[query], {"tenant": self.tenant, **values}, prepare=True, binary=True
            )
            return cursor.fetchall()

    def _tell(self, query: str, **values: object) -> int:
        """How many rows it changed."""
        with answered():
            return self._connection.execute(_WORK[query], {"tenant": self.tenant, **values}, prepare=True).rowcount

    def _copy(self, query: str, stream: bytes) -> None:
        with answered(), self._connection.cursor() as cursor, cursor.copy(_WORK[query]) as copy:
            copy.write(stream)
