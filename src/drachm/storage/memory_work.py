"""How does a batch happen whole or not at all, without a database?

The transaction of the books in memory, with the refusals that the schema makes in PostgreSQL.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import TracebackType
from typing import Final, Self, TypeVar

from drachm.application.ports import ConstraintFired, Locked, Posting, Raced, Row, Stored
from drachm.domain.clearing.numbers import party_number, patient_number
from drachm.domain.clearing.register import PartyRecord, Person, Registry
from drachm.domain.clearing.world import Needs
from drachm.domain.coverage.model import Contract, Coverage, Member, Party
from drachm.domain.errors import IntegrityError, ensure
from drachm.domain.events.model import ServiceEvent
from drachm.domain.funding.mandate import Mandate
from drachm.domain.funding.model import Pot
from drachm.domain.ledger.model import MAX_ENTRIES
from drachm.storage.posting import Grip, ensure_writable, queue_changes
from drachm.storage.registry import asked
from drachm.storage.sheets import parties_of, people_of

R = TypeVar("R", Person, PartyRecord)

INT64: Final = range(-(2**63), 2**63)


@dataclass(slots=True)
class Journal:
    """What postings change."""

    rows: dict[int, Row] = field(default_factory=dict)
    newest: dict[bytes, int] = field(default_factory=dict)
    """Event key -> position of its newest revision."""
    revisions: set[tuple[bytes, int]] = field(default_factory=set)
    superseded: set[int] = field(default_factory=set)
    totals: dict[int, int] = field(default_factory=dict)
    avail: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    queue: dict[bytes, tuple[int, str]] = field(default_factory=dict)
    next_position: int = 1


@dataclass(slots=True)
class People:
    """What enrolment changes."""

    version: int = 0
    parties: dict[str, Party] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    coverages: dict[str, Coverage] = field(default_factory=dict)
    contracts: dict[tuple[str, str, date], Contract] = field(default_factory=dict)
    pots: dict[str, Pot] = field(default_factory=dict)
    mandates: dict[str, Mandate] = field(default_factory=dict)
    """By member."""
    person_sheets: dict[str, list[tuple[int, Person]]] = field(default_factory=dict)
    """How each member was registered, by the version from which on."""
    party_sheets: dict[str, list[tuple[int, PartyRecord]]] = field(default_factory=dict)

    def write_sheets(self, tenant: int, members: Collection[str], parties: Collection[str]) -> None:
        """Keep how these are registered now."""
        for person in people_of(
            [self.members[one] for one in members if one in self.members],
            [one for one in self.coverages.values() if one.member in members],
            [one for one in self.pots.values() if one.member in members],
            tenant,
            self.mandates,
        ):
            number = patient_number(tenant, person.member.id)
            sheet = Person(person.member, number, person.coverages, person.pots, person.mandate)
            self.person_sheets.setdefault(person.member.id, []).append((self.version, sheet))
        for party, contracts in parties_of(
            [self.parties[one] for one in parties if one in self.parties],
            [one for one in self.contracts.values() if one.provider in parties],
        ):
            record = PartyRecord(party, party_number(tenant, party.id), contracts)
            self.party_sheets.setdefault(party.id, []).append((self.version, record))

    def forget(self, members: Collection[str]) -> None:
        """These people are not registered any more, and never were; their own pots are nobody's."""
        self.version += 1
        for one in members:
            for known in (self.members, self.mandates, self.person_sheets):
                known.pop(one, None)
        self.coverages = {name: one for name, one in self.coverages.items() if one.member not in members}
        self.pots = {
            name: one._replace(member="", frozen="") if one.member in members else one
            for name, one in self.pots.items()
            if one.member not in members or not one.fund
        }

    def at(self, tenant: int, version: int, members: Collection[str], parties: Collection[str]) -> Registry:
        """These people and parties as registered at a version."""
        people = _sheets_at(version, members, self.person_sheets)
        return Registry(tenant, version, people, _sheets_at(version, parties, self.party_sheets))


class MemoryWork:
    """One transaction (`ports.UnitOfWork`): what is posted shows at commit, all at once."""

    def __init__(
        self, tenant: int, journal: Journal, people: People, writers: threading.Lock, guard: threading.RLock
    ) -> None:
        self.tenant = tenant
        self._journal = journal
        self._people = people
        self._writers = writers
        self._guard = guard
        self._open = False
        self._writing = False
        self._grip: Grip | None = None
        self._posting: Posting | None = None
        self._whole = True

    def __enter__(self) -> Self:
        ensure(not self._open, "a unit of work is entered once at a time", where="work")
        self._open = self._whole = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def newest(self, keys: Sequence[bytes]) -> dict[bytes, Stored]:
        """The newest revision of each event key that is here."""
        self._ensure_open()
        with self._guard:
            newest = {key: self._journal.newest[key] for key in keys if key in self._journal.newest}
            return {key: stored(self._journal.rows[at], self._journal) for key, at in newest.items()}

    def registry(self, events: Sequence[ServiceEvent]) -> Registry:
        """Everybody whom the events name, as registered now, with the version of the register that says so."""
        self._ensure_open()
        members, parties = asked(events)
        with self._guard:
            return self._people.at(self.tenant, self._people.version, members, parties)

    def lock(self, needs: Needs, rows: int) -> Locked:
        """Wait until nobody else writes; then read, and reserve `rows` positions."""
        self._ensure_open()
        ensure(self._grip is None, "a unit of work takes its locks once, in one order", where="work")
        ensure(rows > 0, "at least one position must be reserved", where="work")
        self._writers.acquire()
        self._writing = True
        journal = self._journal
        with self._guard:
            locked = Locked(
                totals={one: journal.totals[one] for one in needs.totals if one in journal.totals},
                avail={pot: journal.avail[pot] for pot in needs.pots if pot in journal.avail},
                first_position=journal.next_position,
                version=self._people.version,
            )
            journal.next_position += rows
        self._grip = Grip(frozenset(needs.totals), locked.avail.keys(), locked.first_position, rows)
        return locked

    def post(self, posting: Posting) -> None:
        """Check everything that the schema checks; written at commit. Raises as `PostgresWork.post`."""
        self._ensure_open()
        self._whole = False
        ensure_writable(posting, self._grip)
        self._grip = None
        _refuse_races(posting.rows, self._journal)
        for row in posting.rows:
            _refuse_row(row)
        for total, delta in posting.deltas.items():
            if self._journal.totals.get(total, 0) + delta not in INT64:
                raise ConstraintFired("a number is out of range", where="total")
        for pot in {*posting.moves, *posting.held}:
            _refuse_floor(self._journal.avail[pot] + posting.moves.get(pot, 0), f"pot {pot}")
            _refuse_floor(self._journal.held[pot] + posting.held.get(pot, 0), f"pot {pot}, held")
        self._posting = posting
        self._whole = True

    def commit(self) -> None:
        """Write what was posted."""
        self._ensure_open()
        ensure(self._whole, "a posting that failed cannot be committed", where="work")
        if self._posting is not None:
            with self._guard:
                _write(self._posting, self._journal)
        self._end()

    def _end(self) -> None:
        self._open, self._grip, self._posting = False, None, None
        if self._writing:
            self._writing = False
            self._writers.release()

    def _ensure_open(self) -> None:
        if not self._open:
            raise IntegrityError("a unit of work is used inside its block only", where="work")


def stored(row: Row, journal: Journal) -> Stored:
    return Stored(
        position=row.position,
        key=row.key,
        revision=row.revision,
        supersedes=row.supersedes,
        superseded=row.position in journal.superseded,
        kind=row.kind,
        status=row.status,
        posted_at=row.posted_at,
        leaf=row.leaf,
        body=row.body,
    )


def _sheets_at(version: int, ids: Collection[str], sheets: Mapping[str, list[tuple[int, R]]]) -> dict[str, R]:
    found = {}
    for one in ids:
        known = sheets.get(one, [])
        count = bisect_right(known, version, key=lambda sheet: sheet[0])
        if count:
            found[one] = known[count - 1][1]
    return found


def _refuse_races(rows: Sequence[Row], journal: Journal) -> None:
    revisions: set[tuple[bytes, int]] = set()
    superseded: set[int] = set()
    for row in rows:
        revision = row.key, row.revision
        if revision in revisions or revision in journal.revisions:
            raise Raced("another writer posted one of these events", where="journal_key")
        revisions.add(revision)
        if row.supersedes is None:
            continue
        if row.supersedes in superseded or row.supersedes in journal.superseded:
            raise Raced("another writer posted one of these events", where="journal_supersedes")
        superseded.add(row.supersedes)


def _refuse_row(row: Row) -> None:
    amounts = [entry.amount for entry in row.entries]
    if sum(amounts) != 0:
        raise ConstraintFired("debits and credits differ", where="journal_balanced")
    if len(amounts) > MAX_ENTRIES:
        raise ConstraintFired(f"more than {MAX_ENTRIES} entries", where="journal_shape")
    if row.status in ("pended", "refused") and amounts:
        raise ConstraintFired("a note moves no money", where="journal_note")
    if any(amount not in INT64 for amount in amounts):
        raise ConstraintFired("a number of a row is out of range", where="journal")
    for pot, left in row.avail:
        _refuse_floor(left, f"journal_floor, pot {pot}")


def _refuse_floor(left: int, where: str) -> None:
    if left < 0:
        raise ConstraintFired("it would fall below its floor", where=where)
    if left not in INT64:
        raise ConstraintFired("a number is out of range", where=where)


def _write(posting: Posting, journal: Journal) -> None:
    for row in posting.rows:
        journal.rows[row.position] = row
        journal.newest[row.key] = row.position
        journal.revisions.add((row.key, row.revision))
        if row.supersedes is not None:
            journal.superseded.add(row.supersedes)
    for total, delta in posting.deltas.items():
        value = journal.totals.pop(total, 0) + delta
        if value:
            journal.totals[total] = value
    for pot, move in posting.moves.items():
        journal.avail[pot] += move
    for pot, move in posting.held.items():
        journal.held[pot] += move
    waiting, done = queue_changes(posting.rows)
    journal.queue.update((row.key, (row.position, row.reason)) for row in waiting)
    for key in done:
        journal.queue.pop(key, None)
