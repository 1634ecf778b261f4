"""How is one batch read, locked and written, so that it happens whole or not at all?

`PostgresWork` is one transaction: events that are here, the registry, then every lock in one order, then one write of
each touched thing, one commit. No network call but to the database.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self, cast

from psycopg.pq import TransactionStatus

from drachm.application.ports import ConstraintFired, Locked, Posting, Raced, Row, Stored
from drachm.domain.clearing.numbers import patient_number, pot_number
from drachm.domain.clearing.register import Registry
from drachm.domain.clearing.world import Needs
from drachm.domain.errors import IntegrityError, ensure
from drachm.domain.events.model import ServiceEvent
from drachm.domain.ledger.model import Account
from drachm.storage import queries, statements
from drachm.storage.arrays import byteas, int8s, texts, tids
from drachm.storage.library import Library
from drachm.storage.posting import Grip, ensure_writable, queue_changes
from drachm.storage.reading import ask
from drachm.storage.registered import Registered
from drachm.storage.registry import Register, asked
from drachm.storage.rows import Accounts, copy_of_journal, stored_of
from drachm.storage.session import Connection, Sessions, answered
from drachm.storage.totals import ROOM, Totals
from drachm.storage.vault import DataKey, Vault

_WORK: Final = statements.statements(queries.load("work"))

KNOWN_MAX: Final = 1_000_000
"""Accounts that are known to be in the database: a person with two pots has four."""


class Known:
    """What all units of work of the books remember."""

    def __init__(self, tenant: int, vault: Vault, library: Library, own_key: DataKey) -> None:
        self.library = library
        self.own_key = own_key
        """Seals what is kept of unknown members."""
        self.register = Register(tenant, vault)
        self.accounts: dict[int, Account] = {}
        """By number; in the database for certain, because accounts are never removed."""


class _PotNumbers(dict[str, int]):
    """The numbers of pots, filled from the register as far as it was asked."""

    def __init__(self, tenant: int) -> None:
        super().__init__()
        self._tenant = tenant

    def __missing__(self, pot: str) -> int:
        number = self[pot] = pot_number(self._tenant, pot)
        return number


class PostgresWork:
    """One transaction of one tenant (`ports.UnitOfWork`)."""

    def __init__(self, tenant: int, sessions: Sessions, vault: Vault, known: Known) -> None:
        self.tenant = tenant
        self._sessions = sessions
        self._vault = vault
        self._known = known
        self._conn: Connection | None = None
        self._forget()

    def _forget(self) -> None:
        self._grip: Grip | None = None
        self._totals: Totals | None = None
        self._people: dict[str, Registered] = {}
        self._pot_numbers = _PotNumbers(self.tenant)
        self._pots: dict[str, bytes] = {}
        """Pot id -> the place of its state row in the table."""
        self._accounts = Accounts(self._known.accounts)
        self._new_keys: list[tuple[Registered, DataKey]] = []
        self._written: tuple[Sequence[int], Sequence[Row]] = (), ()
        """The rows that were written, with the numbers of their patients."""
        self._whole, self._wrote = True, False
        self._read_at = self._held_at = 0
        """The register's version when people were read, and when the locks were held."""
        self._lost: list[int] = []
        """Rows of totals to make before the next try, because another writer was faster with some of them."""

    def __enter__(self) -> Self:
        ensure(self._conn is None, "a unit of work is entered once at a time", where="work")
        self._conn = self._sessions.begin("writer")
        self._forget()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def newest(self, keys: Sequence[bytes]) -> dict[bytes, Stored]:
        """The newest revision of each event key that is here, its body opened."""
        found = self._ask("newest_rows", keys=byteas(list(dict.fromkeys(keys))))
        return {values[1]: stored_of(values, self._vault) for values in found}

    def registry(self, events: Sequence[ServiceEvent]) -> Registry:
        """Everybody whom the events name, as registered now, with the version of the register that says so."""
        members, parties = asked(events)
        registry = self._known.register.read(members, parties, self._ask)
        self._read_at = registry.version
        self._people = cast(dict[str, Registered], registry.people)
        self._pot_numbers.update([(pot.id, pot.state) for person in registry.people.values() for pot in person.pots])
        return registry

    def lock(self, needs: Needs, rows: int) -> Locked:
        """Lock the state rows of every needed total and pot once, in id order, as they stand; reserve `rows` positions.

        A total whose row is not there yet reads 0; when another writer makes that row first, `post` raises `Raced`.
        """
        ensure(self._grip is None, "a unit of work takes its locks once, in one order", where="work")
        ensure(rows > 0, "at least one position must be reserved", where="work")
        self._wrote = True
        totals = self._totals = Totals(needs.totals)
        by_number = {self._pot_numbers[pot]: pot for pot in needs.pots}
        found = self._ask("take_hold", totals=int8s(totals.rows), pots=int8s(sorted(by_number)), rows=rows)
        first, _, version, _ = found.pop()
        self._held_at = version
        values = totals.load([(row, packed, where) for row, packed, _, where in found if packed is not None])
        avail: dict[str, int] = {}
        for number, _, left, where in found:
            if left is not None:
                pot = by_number[number]
                avail[pot] = left
                self._pots[pot] = where
        self._grip = Grip(totals.numbers, avail.keys(), first, rows)
        return Locked(values, avail, first, version)

    def post(self, posting: Posting) -> None:
        """Write a batch: totals, rows with their bodies, accounts, pots, the work queue and the outbox.

        Raises `ConstraintFired` or `Raced`, and IntegrityError for what was not locked; the transaction is then spent.
        """
        self._whole = False
        ensure_writable(posting, self._grip)
        self._grip = None
        try:
            self._write(posting)
        except struct.error as error:
            raise ConstraintFired(f"a number is out of range: {error}", where="posting") from None
        self._whole = True

    def commit(self) -> None:
        """Make everything durable at once. Raises Unavailable when the answer was lost: ask again by key."""
        # PostgreSQL answers COMMIT of a failed transaction with a quiet ROLLBACK.
        ensure(self._whole, "a posting that failed cannot be committed", where="work")
        with answered():
            self._connection.commit()
        if len(self._known.accounts) >= KNOWN_MAX:
            self._known.accounts.clear()
        self._known.accounts.update(self._accounts.new)
        for person, key in self._new_keys:
            person.key = key
        patients, rows = self._written
        self._end()
        if rows:
            self._known.library.committed(patients, [row.body for row in rows], rows[-1].position)

    def _end(self) -> None:
        conn, self._conn, self._grip = self._conn, None, None
        lost, self._lost = self._lost, []
        if conn is None:
            return
        try:
            # A batch of known events writes nothing. Rolled back, the driver would forget its prepared statements.
            if not self._wrote and conn.info.transaction_status == TransactionStatus.INTRANS:
                with answered():
                    conn.commit()
        finally:
            self._sessions.end("writer", conn)
        if lost:
            self._make_totals(lost)

    def _make_totals(self, rows: list[int]) -> None:
        """Make missed rows of totals, empty, in a transaction of their own: the next try of a batch that lost a
        race for some of them cannot lose one again, however many new ones it needs and whoever needs them too."""
        with self._sessions.transaction("writer") as conn:
            values = {"tenant": self.tenant, "ids": int8s(rows), "packed": byteas([ROOM] * len(rows))}
            statements.tell(conn, _WORK["add_totals"], values)

    def _write(self, posting: Posting) -> None:
        rows = posting.rows
        if not rows:
            return
        # First what another writer may have been faster with.
        self._change_totals(posting.deltas)
        patients, bodies = self._sealed(rows)
        self._written = patients, rows
        stream = copy_of_journal(self.tenant, rows, bodies, patients, self._accounts, self._pot_numbers)
        self._copy("copy_journal", stream)
        self._add_accounts()
        self._move_pots(posting)
        self._update_queue(rows)

    def _change_totals(self, deltas: Mapping[int, int]) -> None:
        if not deltas or self._totals is None:
            return
        new, changed = self._totals.moved(deltas)
        if new:
            ids, packed = int8s([row for row, _ in new]), byteas([one for _, one in new])
            if self._tell("add_totals", ids=ids, packed=packed) < len(new):
                self._lost = self._totals.absent
                raise Raced("another writer made the row of one of these totals first", where="total")
        if changed:
            places, packed = tids([place for place, _ in changed]), byteas([one for _, one in changed])
            count = self._tell("change_totals", places=places, packed=packed)
            ensure(count == len(changed), "a row of running totals moved under its lock", where="posting")

    def _sealed(self, rows: Sequence[Row]) -> tuple[list[int], list[bytes]]:
        """The number of each row's patient, and its sealed body."""
        people = self._people
        if self._held_at > self._read_at and people:
            self._ensure_kept([people[one] for one in {row.member for row in rows} if one in people])
        others: dict[str, tuple[int, DataKey]] = {}
        patients, bodies = [], []
        for row in rows:
            position, event_key, revision, _, _, _, _, member, _, _, _, _, _, _, body, _ = row
            person = people.get(member)
            key = person.key if person is not None else None
            if person is not None and key is not None:
                patient = person.number
            else:
                if not others:
                    others = self._holders({row.member for row in rows})
                patient, key = others[member]
            patients.append(patient)
            bodies.append((key, position, event_key, revision, body))
        return patients, self._vault.seal(bodies, self._known.library.current)

    def _ensure_kept(self, people: Sequence[Registered]) -> None:
        """Raises Raced when somebody was erased after they were read and before the locks were held: nothing is ever
        sealed under a key that is gone."""
        keys = {one.number: one.key.id for one in people if one.key is not None}
        if keys:
            kept = dict(self._ask("data_keys", patients=int8s(sorted(keys))))
            if any(kept.get(number, b"")[: len(key)] != key for number, key in keys.items()):
                raise Raced("somebody was erased while this waited", where="data_key")

    def _holders(self, members: set[str]) -> dict[str, tuple[int, DataKey]]:
        """The number and data key of each member whose key is not remembered; made for those who have none."""
        holders: dict[str, tuple[int, DataKey]] = {}
        without: dict[int, str] = {}
        for member in members:
            person = self._people.get(member)
            if not member:
                holders[member] = patient_number(self.tenant, ""), self._known.own_key
            elif person is None or person.key is None:
                without[patient_number(self.tenant, member)] = member
        if without:
            for patient, wrapped in self._data_keys(sorted(without)).items():
                member = without[patient]
                key = self._vault.unwrap(patient, wrapped)
                holders[member] = patient, key
                if member in self._people:
                    self._new_keys.append((self._people[member], key))
        return holders

    def _data_keys(self, patients: list[int]) -> dict[int, bytes]:
        """The wrapped data key of each patient, read anew: an erased key must not be used again."""
        keys: dict[int, bytes] = dict(self._ask("data_keys", patients=int8s(patients)))
        new = [patient for patient in patients if patient not in keys]
        if not new:
            return keys
        self._tell("add_data_keys", patients=int8s(new), wrapped=byteas(self._vault.new_keys(new)))
        # Another writer may have been faster: what counts is what is stored.
        keys.update(self._ask("data_keys", patients=int8s(new)))
        return keys

    def _add_accounts(self) -> None:
        new = self._accounts.new
        if not new:
            return
        numbers = sorted(new)  # two writers add new accounts in one order
        kinds, owners, currencies = (texts([new[number][part] for number in numbers]) for part in range(3))
        added = self._ask("add_accounts", ids=int8s(numbers), kinds=kinds, owners=owners, currencies=currencies)
        present = new.keys() - {number for (number,) in added}
        if not present:
            return
        with answered():
            found = ask(self._connection, "account_names", tenant=self.tenant, ids=sorted(present))
        for number, *name in found:
            ensure(Account(*name) == new[number], "two accounts met in one number", where=f"account {number}")

    def _move_pots(self, posting: Posting) -> None:
        moves, held = posting.moves, posting.held
        pots = [pot for pot in {**moves, **held} if moves.get(pot) or held.get(pot)]
        first, last = posting.rows[0], posting.rows[-1]
        moved = self._tell(
            "move_pots",
            first=first.position,
            last=last.position,
            created_at=last.posted_at,
            places=tids([self._pots[pot] for pot in pots]),
            moves=int8s([moves.get(pot, 0) for pot in pots]),
            held=int8s([held.get(pot, 0) for pot in pots]),
        )
        ensure(moved == len(pots), "the state row of a pot moved under its lock", where="posting")

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
            return statements.ask(self._connection, _WORK[query], {"tenant": self.tenant, **values})

    def _tell(self, query: str, **values: object) -> int:
        """How many rows it changed."""
        with answered():
            return statements.tell(self._connection, _WORK[query], {"tenant": self.tenant, **values})

    def _copy(self, query: str, stream: bytes) -> None:
        with answered(), self._connection.cursor() as cursor, cursor.copy(_WORK[query].text) as copy:
            copy.write(stream)
