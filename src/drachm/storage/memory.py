"""What do the books look like without a database? The same ports in dictionaries, with the same refusals.

For stories, simulations and tests: nothing here outlives the process. One writer at a time, from its locks to its end.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from types import TracebackType
from typing import Self

from drachm.application.ports import ConstraintFired, Ids, Locked, Posting, Raced, Row, Stored
from drachm.domain.benefits.model import Key
from drachm.domain.clearing.documents import Documents
from drachm.domain.clearing.world import Needs, Registry
from drachm.domain.coverage.model import Contract, Coverage, Member, Party
from drachm.domain.errors import IntegrityError, ensure
from drachm.domain.events.model import ServiceEvent
from drachm.domain.funding.model import Pot
from drachm.domain.ledger.model import MAX_ENTRIES, Account
from drachm.storage.enrolment import checked, other_currency
from drachm.storage.posting import Grip, ensure_writable, queue_changes
from drachm.storage.published import Shelf, compile_document, ensure_fits
from drachm.storage.registry import asked, grouped
from drachm.storage.rows import pot_number

INT64 = range(-(2**63), 2**63)


@dataclass(slots=True)
class _Journal:
    """What postings change."""

    rows: dict[int, Row] = field(default_factory=dict)
    newest: dict[bytes, int] = field(default_factory=dict)
    """Event key -> position of its newest revision."""
    revisions: set[tuple[bytes, int]] = field(default_factory=set)
    superseded: set[int] = field(default_factory=set)
    totals: dict[Key, int] = field(default_factory=dict)
    avail: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    queue: dict[bytes, tuple[int, str]] = field(default_factory=dict)
    next_position: int = 1


@dataclass(slots=True)
class _People:
    """What enrolment changes."""

    parties: dict[str, Party] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    coverages: dict[str, Coverage] = field(default_factory=dict)
    contracts: dict[tuple[str, str, date], Contract] = field(default_factory=dict)
    pots: dict[str, Pot] = field(default_factory=dict)


class MemoryBooks:
    """One tenant's books (`ports.Books`)."""

    def __init__(self, tenant: int, *, ids: Ids) -> None:
        self.tenant = tenant
        self.ids = ids
        self._journal = _Journal()
        self._people = _People()
        self._shelf = Shelf()
        self._hashes: list[str] = []
        self._writers = threading.Lock()
        """Held by the one unit of work that has locks."""
        self._guard = threading.RLock()
        """Held for one look or one change."""

    def work(self) -> MemoryWork:
        """A unit of work: one transaction that posts a batch."""
        return MemoryWork(self.tenant, self._journal, self._people, self._writers, self._guard)

    def enrol(
        self,
        *,
        parties: Iterable[Party] = (),
        members: Iterable[Member] = (),
        coverages: Iterable[Coverage] = (),
        contracts: Iterable[Contract] = (),
        pots: Iterable[Pot] = (),
    ) -> None:
        """Insert or replace, by id, all or nothing. A pot starts at 0; a member's shard never changes."""
        coverages, contracts, pots = checked(coverages, contracts, pots)
        with self._guard:
            people = self._people
            for pot in pots:
                if people.pots.get(pot.id, pot).currency != pot.currency:
                    raise other_currency(pot.id)
            people.parties.update((party.id, party) for party in parties)
            for member in members:
                known = people.members.get(member.id, member)
                people.members[member.id] = replace(member, shard=known.shard)
            people.coverages.update((coverage.id, coverage) for coverage in coverages)
            people.contracts.update(((one.provider, one.payer, one.period.start), one) for one in contracts)
            for pot in pots:
                people.pots[pot.id] = replace(pot, avail=0, state=pot_number(self.tenant, pot.id))
                self._journal.avail.setdefault(pot.id, 0)
                self._journal.held.setdefault(pot.id, 0)

    def publish(self, kind: str, document: Mapping[str, object]) -> str:
        """Store a document by content hash (idempotent); returns the hash. Raises as `PostgresBooks.publish`."""
        new = compile_document(kind, document)
        with self._guard:
            if new.hash not in self._hashes:
                ensure_fits(new, self._shelf.of(self._hashes))
                self._shelf.put(new.hash, kind, document)
                self._hashes.append(new.hash)
        return new.hash

    def documents(self) -> Documents:
        """All published documents, compiled."""
        with self._guard:
            mark = len(self._hashes)
            return self._shelf.at(mark) or self._shelf.arrange(mark, self._hashes)

    def queue(self, limit: int = 1000) -> list[tuple[int, bytes, str]]:
        """Pended events waiting: (position, key, reason), oldest first."""
        with self._guard:
            waiting = [(position, key, reason) for key, (position, reason) in self._journal.queue.items()]
        return sorted(waiting)[:limit]

    def row(self, position: int) -> Stored | None:
        """One journal row; None when there is none at this position."""
        with self._guard:
            row = self._journal.rows.get(position)
            return _stored(row, self._journal) if row else None

    def rows(self, after: int = 0, limit: int | None = None) -> Iterator[tuple[Row, Stored]]:
        """Journal rows in order of position; `limit` None: all."""
        with self._guard:
            positions = [position for position in self._journal.rows if position > after][:limit]
        for position in positions:
            row = self._journal.rows[position]
            yield row, _stored(row, self._journal)

    def balances(self) -> dict[Account, int]:
        """Every account's balance from raw entries, positive for debits."""
        sums: dict[Account, int] = {}
        with self._guard:
            for row in self._journal.rows.values():
                for account, amount, _ in row.entries:
                    sums[account] = sums.get(account, 0) + amount
        return sums

    def pots(self) -> dict[str, tuple[int, int]]:
        """Pot id -> (avail, held)."""
        with self._guard:
            return {pot: (avail, self._journal.held[pot]) for pot, avail in self._journal.avail.items()}

    def totals(self) -> Iterator[tuple[Key, int]]:
        """Every running total, in key order."""
        with self._guard:
            found = sorted(self._journal.totals.items())
        yield from found

    def close(self) -> None:
        """Nothing to let go of."""


class MemoryWork:
    """One transaction (`ports.UnitOfWork`): what is posted shows at commit, all at once."""

    def __init__(
        self, tenant: int, journal: _Journal, people: _People, writers: threading.Lock, guard: threading.RLock
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
            return {key: _stored(self._journal.rows[at], self._journal) for key, at in newest.items()}

    def registry(self, events: Sequence[ServiceEvent]) -> Registry:
        """Members, coverages, parties, contracts and pots of a batch; `avail` left 0, `targets` left empty."""
        self._ensure_open()
        wanted, people = asked(events), self._people
        members, providers = set(wanted.members), set(wanted.providers)
        with self._guard:
            return grouped(
                self.tenant,
                members=[people.members[one] for one in wanted.members if one in people.members],
                coverages=[one for one in people.coverages.values() if one.member in members],
                parties=[people.parties[one] for one in wanted.parties if one in people.parties],
                contracts=[one for one in people.contracts.values() if one.provider in providers],
                pots=[one for one in people.pots.values() if one.member in members],
            )

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
                totals={key: journal.totals[key] for key in needs.keys if key in journal.totals},
                avail={pot: journal.avail[pot] for pot in needs.pots if pot in journal.avail},
                first_position=journal.next_position,
            )
            journal.next_position += rows
        self._grip = Grip(needs, locked, rows)
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


def _stored(row: Row, journal: _Journal) -> Stored:
    return Stored(
        position=row.position,
        key=row.key,
        content=row.content,
        revision=row.revision,
        supersedes=row.supersedes,
        superseded=row.position in journal.superseded,
        kind=row.kind,
        status=row.status,
        posted_at=row.posted_at,
        leaf=row.leaf,
        member=row.member,
        body=row.body,
    )


def _refuse_races(rows: Sequence[Row], journal: _Journal) -> None:
    revisions: set[tuple[bytes, int]] = set()
    superseded: set[int] = set()
    for row in rows:
        if (row.key, row.revision) in revisions | journal.revisions:
            raise Raced("another writer posted one of these events", where="journal_key")
        revisions.add((row.key, row.revision))
        if row.supersedes is None:
            continue
        if row.supersedes in superseded | journal.superseded:
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


def _write(posting: Posting, journal: _Journal) -> None:
    for row in posting.rows:
        journal.rows[row.position] = row
        journal.newest[row.key] = row.position
        journal.revisions.add((row.key, row.revision))
        if row.supersedes is not None:
            journal.superseded.add(row.supersedes)
    for key, delta in posting.deltas.items():
        value = journal.totals.pop(key, 0) + delta
        if value:
            journal.totals[key] = value
    for pot, move in posting.moves.items():
        journal.avail[pot] += move
    for pot, move in posting.held.items():
        journal.held[pot] += move
    waiting, done = queue_changes(posting.rows)
    journal.queue.update((row.key, (row.position, row.reason)) for row in waiting)
    for key in done:
        journal.queue.pop(key, None)
