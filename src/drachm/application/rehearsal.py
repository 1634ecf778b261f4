"""What would be posted, if it were? Books for one rehearsal: they read as the reader and keep everything to themselves.

The use case that clears real events runs on them unchanged (`estimate.py`), so what it answers here is what it would
answer there. Nothing is locked and nothing is written: what is "posted" moves totals and pots of this rehearsal alone,
and is gone with it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import count
from types import TracebackType
from typing import Final, NoReturn, Self

from drachm.application.money_reading import MoneyReading
from drachm.application.ports import Books, ConstraintFired, Locked, Posting, Row, Stored, Written
from drachm.domain.clearing.documents import Documents
from drachm.domain.clearing.numbers import Place
from drachm.domain.clearing.register import Registry
from drachm.domain.clearing.world import Needs
from drachm.domain.errors import IntegrityError, ensure
from drachm.domain.events.model import ServiceEvent
from drachm.domain.funding.allotment import Fund
from drachm.domain.funding.model import Pot
from drachm.domain.ledger.model import Account, Source

FIRST_POSITION: Final = 1 << 62
"""Positions of a rehearsal lie behind every position of a journal."""

_INT8: Final = range(-(2**63), 2**63)


class RehearsalIds:
    """Different bytes each time, and no randomness spent: nothing made of them leaves the rehearsal."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def random_bytes(self, length: int) -> bytes:
        return (next(self._numbers)).to_bytes(16, "big").rjust(length, b"\0")[-length:]


class RehearsalBooks:
    """`ports.Books` over the real ones, for one rehearsal and one thread.

    What was read once is not read again, so that a rehearsal sees one state of the books, whatever others post.
    """

    def __init__(self, books: Books, reading: MoneyReading) -> None:
        self.tenant = books.tenant
        self.version = reading.version()
        """The register's version that the whole rehearsal goes by."""
        self._books = books
        self._reading = reading
        self._totals: dict[int, int] = {}
        """By number (`numbers.total_number`)."""
        self._avail: dict[str, int | None] = {}
        """Pot -> what it may spend now; None: it is not here."""
        self._rows: dict[bytes, Row] = {}
        self._superseded: set[int] = set()
        self._positions = FIRST_POSITION

    def work(self) -> RehearsalWork:
        """A unit of work that posts into the rehearsal."""
        return RehearsalWork(self)

    def documents(self, version: int | None = None) -> Documents:
        """The published documents as the rehearsal knows them."""
        return self._books.documents(self.version if version is None else version)

    def registry_at(self, version: int, members: Collection[str], parties: Collection[str]) -> Registry:
        """These people and parties as registered at a version."""
        return self._books.registry_at(version, members, parties)

    def pots(self, of: Collection[str] | None = None) -> dict[str, tuple[int, int]]:
        """What these pots may spend; promises are not looked at."""
        wanted = [pot for pot in of or () if pot not in self._avail]
        self._meet((), wanted)
        return {pot: (left, 0) for pot in of or () if (left := self._avail[pot]) is not None}

    def newest(self, keys: Sequence[bytes]) -> dict[bytes, Stored]:
        """The newest revision of each event, one of the rehearsal included."""
        found = self._reading.newest([key for key in dict.fromkeys(keys) if key not in self._rows])
        found = {key: row._replace(superseded=row.superseded or row.position in self._superseded)
                 for key, row in found.items()}  # fmt: skip
        return found | {key: self._stored(self._rows[key]) for key in keys if key in self._rows}

    def lock(self, needs: Needs, rows: int) -> Locked:
        """What stands; nothing is locked."""
        self._meet(needs.totals, needs.pots)
        first, self._positions = self._positions, self._positions + rows
        avail = {pot: left for pot in needs.pots if (left := self._avail[pot]) is not None}
        return Locked({number: self._totals[number] for number in needs.totals}, avail, first, self.version)

    def keep(self, posting: Posting) -> None:
        """What was posted moves the rehearsal's own state."""
        self._ensure_storable(posting)
        for number, delta in posting.deltas.items():
            self._totals[number] += delta
        for pot, move in posting.moves.items():
            left = self._avail[pot]
            ensure(left is not None and left + move >= 0, "a pot fell below its floor", where="pots")
            self._avail[pot] = (left or 0) + move
        for row in posting.rows:
            self._rows[row.key] = row
            if row.supersedes is not None:
                self._superseded.add(row.supersedes)

    def _meet(self, numbers: Iterable[int], pots: Iterable[str]) -> None:
        new_totals = [number for number in numbers if number not in self._totals]
        new_pots = [pot for pot in pots if pot not in self._avail]
        if new_totals or new_pots:
            totals, avail = self._reading.stand(new_totals, new_pots)
            self._totals.update((number, totals.get(number, 0)) for number in new_totals)
            self._avail.update((pot, avail.get(pot)) for pot in new_pots)

    def _stored(self, row: Row) -> Stored:
        superseded = row.position in self._superseded
        return Stored(
            *(row.position, row.key, row.revision, row.supersedes, superseded, row.kind, row.status, row.posted_at),
            *(row.leaf, row.body),
        )

    def _ensure_storable(self, posting: Posting) -> None:
        """What the database would refuse because it does not fit into 64 bits."""
        amounts = [amount for row in posting.rows for _, amount, _ in row.entries]
        amounts += [self._totals[number] + delta for number, delta in posting.deltas.items()]
        amounts += [(self._avail[pot] or 0) + move for pot, move in posting.moves.items()]
        if any(amount not in _INT8 for amount in amounts):
            raise ConstraintFired("a number is out of range", where="posting")

    # What neither clearing nor a receipt asks for is not rehearsed.

    def enrol(self, **_: object) -> None:
        self._refuse()

    def freeze(self, member: str, currency: str, reason: str) -> None:
        self._refuse()

    def publish(self, kind: str, document: Mapping[str, object]) -> str:
        self._refuse()

    def erase(self, member: str) -> None:
        self._refuse()

    def erase_people(self, members: Collection[str], ensure: Callable[[], None]) -> None:
        self._refuse()

    def queue(self, limit: int = 1000) -> list[tuple[int, bytes, str]]:
        self._refuse()

    def row(self, position: int) -> Stored | None:
        self._refuse()

    def rows(self, after: int = 0, limit: int | None = None) -> Iterator[tuple[Stored, Written]]:
        self._refuse()

    def balances(self) -> dict[Account, int]:
        self._refuse()

    def sources(self) -> dict[tuple[Account, Source], int]:
        self._refuse()

    def fund(self, pot: str) -> Fund | None:
        self._refuse()

    def at_once(self) -> tuple[dict[tuple[Account, Source], int], dict[str, tuple[int, int]]]:
        self._refuse()

    def expired(self, now: datetime, *, after: str = "", limit: int = 100) -> list[Pot]:
        """Nobody sweeps a rehearsal."""
        return []

    def totals(self) -> Iterator[tuple[Place, int]]:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise IntegrityError("a rehearsal clears events and does nothing else", where="rehearsal")


class RehearsalWork:
    """`ports.UnitOfWork` of a rehearsal."""

    def __init__(self, books: RehearsalBooks) -> None:
        self.tenant = books.tenant
        self._books = books
        self._posted: Posting | None = None

    def __enter__(self) -> Self:
        self._posted = None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._posted = None

    def newest(self, keys: Sequence[bytes]) -> dict[bytes, Stored]:
        """As the books of the rehearsal say."""
        return self._books.newest(keys)

    def registry(self, events: Sequence[ServiceEvent]) -> Registry:
        """Everybody whom the events name, at the rehearsal's version of the register."""
        members = {event.member for event in events} - {""}
        parties = {party for event in events for party in (event.billing_party, event.rendering_party, event.site)}
        return self._books.registry_at(self._books.version, members, parties - {""})

    def lock(self, needs: Needs, rows: int) -> Locked:
        """What stands, with positions that no journal has."""
        return self._books.lock(needs, rows)

    def post(self, posting: Posting) -> None:
        """Keep a posting until `commit`."""
        self._posted = posting

    def commit(self) -> None:
        """Let the rehearsal see what was posted."""
        if self._posted is not None:
            self._books.keep(self._posted)
            self._posted = None
