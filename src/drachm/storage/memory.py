"""What do the books look like without a database? The same ports in dictionaries, with the same refusals.

For stories, simulations and tests: nothing here outlives the process. One writer at a time, from its locks to its end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from drachm.application.ports import Ids, Stored, Written
from drachm.domain.clearing.documents import Documents
from drachm.domain.clearing.numbers import Place, place_of, pot_number
from drachm.domain.clearing.register import Registry
from drachm.domain.coverage.model import Contract, Coverage, Member, Party
from drachm.domain.errors import IntegrityError
from drachm.domain.funding.allotment import Fund, fund_of
from drachm.domain.funding.mandate import Mandate
from drachm.domain.funding.model import Pot
from drachm.domain.ledger.model import Account, Source
from drachm.storage.enrolment import admits, checked, erasable, no_such_fund, no_such_member, other_currency
from drachm.storage.memory_work import Journal, MemoryWork, People, stored
from drachm.storage.published import Shelf, compile_document, ensure_fits
from drachm.storage.sheets import mandates_of


class MemoryBooks:
    """One tenant's books (`ports.Books`)."""

    def __init__(self, tenant: int, *, ids: Ids) -> None:
        self.tenant = tenant
        self.ids = ids
        self._journal = Journal()
        self._people = People()
        self._shelf = Shelf()
        self._published: list[tuple[int, str]] = []
        """(the version from which on it is here, hash)"""
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
        mandates: Mapping[str, Mandate] | None = None,
    ) -> None:
        """Insert or replace, by id, all or nothing. A pot starts at 0; a member's shard never changes."""
        parties, members = list(parties), list(members)
        coverages, contracts, pots = checked(coverages, contracts, pots)
        said = mandates_of(mandates)
        with self._guard:
            people = self._people
            funds = {**people.pots, **{pot.id: pot for pot in pots}}
            for pot in pots:
                here = people.pots.get(pot.id, pot)
                if _fixed(here) != _fixed(pot):
                    raise other_currency(pot.id)
                if pot.fund and pot.member and not admits(funds.get(pot.fund), pot):
                    raise no_such_fund(pot.id)
            for stranger in sorted(said.keys() - people.members.keys() - {member.id for member in members}):
                raise no_such_member(stranger)
            people.mandates.update(said)
            touched = {one.id for one in members} | {one.member for one in coverages} | {one.member for one in pots}
            # A coverage or a pot may leave another member.
            touched |= {people.coverages[one.id].member for one in coverages if one.id in people.coverages}
            touched |= {people.pots[one.id].member for one in pots if one.id in people.pots} | said.keys()
            people.version += 1
            people.parties.update((party.id, party) for party in parties)
            for member in members:
                known = people.members.get(member.id, member)
                people.members[member.id] = replace(member, shard=known.shard)
            people.coverages.update((coverage.id, coverage) for coverage in coverages)
            people.contracts.update(((one.provider, one.payer, one.period.start), one) for one in contracts)
            for pot in pots:
                frozen = people.pots.get(pot.id, pot).frozen
                people.pots[pot.id] = pot._replace(avail=0, state=pot_number(self.tenant, pot.id), frozen=frozen)
                if pot.fund and pot.member:
                    continue  # money never enters an admission
                self._journal.avail.setdefault(pot.id, 0)
                self._journal.held.setdefault(pot.id, 0)
            named = {party.id for party in parties} | {one.provider for one in contracts}
            people.write_sheets(self.tenant, touched, named)

    def freeze(self, member: str, currency: str, reason: str) -> None:
        """Freeze the pots of a member's own money in a currency, or (no reason) thaw them."""
        with self._guard:
            people = self._people
            people.version += 1
            for pot in [one for one in people.pots.values() if (one.member, one.currency) == (member, currency)]:
                if not pot.fund and (pot.purpose is None or not pot.purpose.funder):
                    people.pots[pot.id] = pot._replace(frozen=reason)
            people.write_sheets(self.tenant, {member}, ())

    def erase(self, member: str) -> None:
        """Every body of the member is unreadable from now on. Raises as `PostgresBooks.erase`."""
        erasable(self.tenant, member)
        with self._guard:
            people = self._people
            people.version += 1
            people.person_sheets.pop(member, None)
            people.mandates.pop(member, None)
            people.write_sheets(self.tenant, {member}, ())
            for position, row in self._journal.rows.items():
                if row.member == member:
                    self._journal.rows[position] = row._replace(body=b"")

    def erase_people(self, members: Collection[str], ensure: Callable[[], None]) -> None:
        """These people whole, when nobody posts. Raises as `PostgresBooks.erase_people`."""
        for one in members:
            erasable(self.tenant, one)
        with self._writers, self._guard:
            ensure()
            people = self._people
            people.forget(members)
            for position, row in self._journal.rows.items():
                if row.member in members:
                    self._journal.rows[position] = row._replace(body=b"")

    def publish(self, kind: str, document: Mapping[str, object]) -> str:
        """Store a document by content hash (idempotent); returns the hash. Raises as `PostgresBooks.publish`."""
        new = compile_document(kind, document)
        with self._guard:
            hashes = [one for _, one in self._published]
            if new.hash not in hashes:
                ensure_fits(new, self._shelf.of(hashes))
                self._shelf.put(new.hash, kind, document)
                self._people.version += 1
                self._published.append((self._people.version, new.hash))
        return new.hash

    def documents(self, version: int | None = None) -> Documents:
        """The published documents, compiled and cached: all of them, or those that were here at a register version."""
        with self._guard:
            newest = self._people.version
            self._shelf.fill(newest, list(self._published))
        found = self._shelf.at(newest if version is None else min(version, newest))
        if found is None:
            raise IntegrityError("the list of published documents went back in time", where="documents")
        return found

    def registry_at(self, version: int, members: Collection[str], parties: Collection[str]) -> Registry:
        """These people and parties as they were registered at an earlier version."""
        with self._guard:
            return self._people.at(self.tenant, version, members, parties)

    def queue(self, limit: int = 1000) -> list[tuple[int, bytes, str]]:
        """Pended events waiting: (position, key, reason), oldest first."""
        with self._guard:
            waiting = [(position, key, reason) for key, (position, reason) in self._journal.queue.items()]
        return sorted(waiting)[:limit]

    def row(self, position: int) -> Stored | None:
        """One journal row; None when there is none at this position."""
        with self._guard:
            row = self._journal.rows.get(position)
            return stored(row, self._journal) if row else None

    def rows(self, after: int = 0, limit: int | None = None) -> Iterator[tuple[Stored, Written]]:
        """Journal rows in order of position; `limit` None: all."""
        with self._guard:
            positions = [position for position in self._journal.rows if position > after][:limit]
        for position in positions:
            row = self._journal.rows[position]
            yield stored(row, self._journal), Written(row.occurred_at, row.currency, row.entries, row.avail)

    def balances(self) -> dict[Account, int]:
        """Every account's balance from raw entries, positive for debits."""
        sums: dict[Account, int] = {}
        with self._guard:
            for row in self._journal.rows.values():
                for account, amount, _ in row.entries:
                    sums[account] = sums.get(account, 0) + amount
        return sums

    def sources(self) -> dict[tuple[Account, Source], int]:
        """The same, apart by whose money it is."""
        sums: dict[tuple[Account, Source], int] = {}
        with self._guard:
            for row in self._journal.rows.values():
                for account, amount, source in row.entries:
                    sums[account, Source(source)] = sums.get((account, Source(source)), 0) + amount
        return sums

    def pots(self, of: Collection[str] | None = None) -> dict[str, tuple[int, int]]:
        """Pot id -> (avail, held); of all pots, or of these as far as they are here."""
        with self._guard:
            avail, held = self._journal.avail, self._journal.held
            return {pot: (avail[pot], held[pot]) for pot in (avail if of is None else of) if pot in avail}

    def fund(self, pot: str) -> Fund | None:
        """The shared fund whose own pot this is; None for any other pot, also for a slice."""
        with self._guard:
            found = self._people.pots.get(pot)
        return fund_of(found) if found is not None and found.slices and not found.fund else None

    def at_once(self) -> tuple[dict[tuple[Account, Source], int], dict[str, tuple[int, int]]]:
        """`sources` and `pots` at one moment."""
        with self._guard:
            return self.sources(), self.pots()

    def expired(self, now: datetime, *, after: str = "", limit: int = 100) -> list[Pot]:
        """Pots from which what is left goes back to the funder by now, and that hold money; by id, from behind one."""
        with self._guard:
            avail = self._journal.avail
            pots = [pot._replace(avail=avail.get(name, 0)) for name, pot in sorted(self._people.pots.items())]
        due = [pot for pot in pots if pot.purpose and pot.purpose.closes and pot.purpose.closes <= now]
        return [pot for pot in due if pot.avail > 0 and pot.id > after][:limit]

    def totals(self) -> Iterator[tuple[Place, int]]:
        """Every running total that is not 0, by where it is kept, in that order."""
        with self._guard:
            found = sorted(self._journal.totals.items())
        yield from [(place_of(number), value) for number, value in found]

    def close(self) -> None:
        """Nothing to let go of."""


def _fixed(pot: Pot) -> tuple[object, ...]:
    """What a pot never changes."""
    return pot.currency, pot.fund, pot.slices, pot.purpose
