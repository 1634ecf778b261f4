"""How is one batch read, locked and written, so that it happens whole or not at all?

`PostgresWork` is one transaction: events that are here, the registry, then every lock in one order, then one write of
each touched thing, one commit. No network call but to the database.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable, Sequence
from types import TracebackType
from typing import Any, Final, Self

from psycopg.pq import TransactionStatus

from drachm.application.ports import ConstraintFired, Locked, Posting, Row, Stored
from drachm.domain.benefits.model import Key
from drachm.domain.clearing.world import Needs, Registry
from drachm.domain.errors import IntegrityError, ensure
from drachm.domain.events.model import ServiceEvent
from drachm.domain.ledger.model import Account
from drachm.storage import queries
from drachm.storage.arrays import Texts, byteas, int8s, texts
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

KNOWN_MAX: Final = 200_000


class Known:
    """What is in the database for certain, because it is never removed: no need to write it again."""

    def __init__(self) -> None:
        self.accounts: set[Account] = set()
        self.scopes: set[int] = set()

    def add(self, accounts: Iterable[Account], scopes: Iterable[int]) -> None:
        """Remember after the commit; forget all rather than grow for ever."""
        if len(self.accounts) + len(self.scopes) > KNOWN_MAX:
            self.accounts, self.scopes = set(), set()
        self.accounts.update(accounts)
        self.scopes.update(scopes)


class PostgresWork:
    """One transaction of one tenant (`ports.UnitOfWork`)."""

    def __init__(self, tenant: int, sessions: Sessions, vault: Vault, known: Known) -> None:
        self.tenant = tenant
        self._sessions = sessions
        self._vault = vault
        self._known = known
        self._conn: Connection | None = None
        self._grip: Grip | None = None
        self._new_accounts: set[Account] = set()
        self._new_scopes: list[int] = []
        self._whole = True
        self._wrote = False

    def __enter__(self) -> Self:
        ensure(self._conn is None, "a unit of work is entered once at a time", where="work")
        self._conn = self._sessions.begin("writer")
        self._new_accounts, self._new_scopes = set(), []
        self._whole, self._wrote = True, False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def newest(self, keys: Sequence[bytes]) -> dict[bytes, Stored]:
        """The newest revision of each event key that is here, its body opened."""
        found = {}
        for values in self._ask("newest_rows", keys=byteas(list(dict.fromkeys(keys)))):
            record = Record(*values)
            found[record.key] = stored_of(record, open_letter(record, self._vault))
        return found

    def registry(self, events: Sequence[ServiceEvent]) -> Registry:
        """Members, coverages, parties, contracts and pots of a batch; `avail` left 0, `targets` left empty."""
        wanted = asked(events)
        members, providers = texts(wanted.members), texts(wanted.providers)
        return registry_of(
            self.tenant,
            members=self._ask("members", ids=members),
            coverages=self._ask("coverages", ids=members),
            parties=self._ask("parties", ids=texts(wanted.parties)),
            contracts=self._ask("contracts", ids=providers),
            pots=self._ask("pots", ids=members),
        )

    def lock(self, needs: Needs, rows: int) -> Locked:
        """Lock the state rows of every needed scope and pot once, in id order; then read; reserve `rows` positions."""
        ensure(self._grip is None, "a unit of work takes its locks once, in one order", where="work")
        ensure(rows > 0, "at least one position must be reserved", where="work")
        scopes = {scope_number(self.tenant, scope) for scope in {key.scope for key in needs.keys}}
        pots = {pot_number(self.tenant, pot): pot for pot in needs.pots}
        self._wrote = True
        self._new_scopes = sorted(scopes - self._known.scopes)
        if self._new_scopes:
            self._tell("add_scopes", ids=int8s(self._new_scopes))
        states = dict(self._ask("lock_states", ids=int8s(sorted(scopes | pots.keys()))))
        ensure(states.keys() >= scopes, "a state row vanished", where="work")
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
        try:
            self._write(posting, grip)
        except struct.error as error:
            raise ConstraintFired(f"a number is out of range: {error}", where="posting") from None
        self._whole = True

    def commit(self) -> None:
        """Make everything durable at once. Raises Unavailable when the answer was lost: ask again by key."""
        # PostgreSQL answers COMMIT of a failed transaction with a quiet ROLLBACK.
        ensure(self._whole, "a posting that failed cannot be committed", where="work")
        with answered():
            self._connection.commit()
        self._known.add(self._new_accounts, self._new_scopes)
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

    def _write(self, posting: Posting, grip: Grip) -> None:
        if not posting.rows:
            return
        self._copy("copy_journal", copy_of_journal(self.tenant, posting.rows))
        self._copy("copy_body", self._bodies(posting.rows))
        self._add_accounts(posting.rows)
        self._add_to_totals(posting, grip)
        self._move_pots(posting)
        self._update_queue(posting.rows)
        first, last = posting.rows[0], posting.rows[-1]
        self._tell("put_in_outbox", first=first.position, last=last.position, created_at=last.posted_at)

    def _totals(self, needs: Needs) -> dict[Key, int]:
        keys = sorted(needs.keys)
        if not keys:
            return {}
        return {keys[place - 1]: value for place, value in self._ask("read_totals", **_columns(keys))}

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
        keys: dict[int, bytes] = dict(self._ask("data_keys", patients=int8s(sorted(patients))))
        new = sorted(patients - keys.keys())
        if not new:
            return keys
        wrapped = byteas([self._vault.new_key(patient) for patient in new])
        self._tell("add_data_keys", patients=int8s(new), wrapped=wrapped)
        # Another writer may have been faster: what counts is what is stored.
        keys.update(self._ask("data_keys", patients=int8s(new)))
        return keys

    def _add_accounts(self, rows: Sequence[Row]) -> None:
        self._new_accounts = {entry.account for row in rows for entry in row.entries} - self._known.accounts
        if not self._new_accounts:
            return
        # An account's number is a hash of its name: two names that met in one number must not share a balance.
        new = {account_number(self.tenant, account): account for account in self._new_accounts}
        ensure(len(new) == len(self._new_accounts), "two accounts met in one number", where="posting")
        numbers = sorted(new)  # two writers add new accounts in one order
        kinds, owners, currencies = (texts([new[number][part] for number in numbers]) for part in range(3))
        added = self._ask("add_accounts", ids=int8s(numbers), kinds=kinds, owners=owners, currencies=currencies)
        present = new.keys() - {number for (number,) in added}
        if not present:
            return
        with answered():
            names = ask(self._connection, "account_names", tenant=self.tenant, ids=sorted(present))
        for number, *name in names:
            ensure(Account(*name) == new[number], "two accounts met in one number", where=f"account {number}")

    def _add_to_totals(self, posting: Posting, grip: Grip) -> None:
        keys = sorted(key for key, delta in posting.deltas.items() if delta)
        if not keys:
            return
        self._tell("add_to_totals", **_columns(keys), values=int8s([posting.deltas[key] for key in keys]))
        zeros = [key for key in keys if grip.locked.totals.get(key, 0) + posting.deltas[key] == 0]
        if zeros:
            self._tell("delete_zero_totals", **_columns(zeros))

    def _move_pots(self, posting: Posting) -> None:
        moves, held = posting.moves, posting.held
        pots = sorted(pot for pot in {*moves, *held} if moves.get(pot) or held.get(pot))
        if not pots:
            return
        moved = self._tell(
            "move_pots",
            ids=int8s([pot_number(self.tenant, pot) for pot in pots]),
            moves=int8s([moves.get(pot, 0) for pot in pots]),
            held=int8s([held.get(pot, 0) for pot in pots]),
        )
        ensure(moved == len(pots), "a pot has lost its state row", where="posting")

    def _update_queue(self, rows: Sequence[Row]) -> None:
        waiting, done = queue_changes(rows)
        if waiting:
            keys, positions = byteas([row.key for row in waiting]), int8s([row.position for row in waiting])
            self._tell("put_in_queue", keys=keys, positions=positions, reasons=texts([row.reason for row in waiting]))
        if done:
            self._tell("take_from_queue", keys=byteas(done))

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


def _columns(keys: Sequence[Key]) -> dict[str, Texts]:
    """Keys of running totals as three lists."""
    return {
        "scopes": texts([key.scope for key in keys]),
        "names": texts([key.name for key in keys]),
        "periods": texts([key.period for key in keys]),
    }
