"""What does the core need from the outside world?

Protocols that the shell fulfils: PostgreSQL (`storage/postgres.py`) and dictionaries (`storage/memory.py`) pass the
same tests (`tests/storage/test_ports.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from drachm.domain.clearing.documents import Documents
from drachm.domain.clearing.model import Status
from drachm.domain.clearing.numbers import Place
from drachm.domain.clearing.register import Registry
from drachm.domain.clearing.world import Needs
from drachm.domain.coverage.model import Contract, Coverage, Member, Party
from drachm.domain.errors import DrachmError
from drachm.domain.events.model import ServiceEvent
from drachm.domain.funding.allotment import Fund
from drachm.domain.funding.mandate import Mandate
from drachm.domain.funding.model import Pot
from drachm.domain.ledger.model import Account, Entry, EntryKind, Source


class Clock(Protocol):
    """Server time as a value; tests hand in their own."""

    def now(self) -> datetime: ...


class Ids(Protocol):
    """Randomness as a value: salts and nonces."""

    def random_bytes(self, count: int) -> bytes: ...


class Stored(NamedTuple):
    """One journal row as read back, its body opened."""

    position: int
    key: bytes
    revision: int
    supersedes: int | None
    """Position of the row whose place it takes."""
    superseded: bool
    """True when a later row took its place."""
    kind: EntryKind
    status: Status
    posted_at: datetime
    leaf: bytes
    body: bytes
    """Empty when the patient's key was erased."""


class Written(NamedTuple):
    """What a journal row says in the open, read back beside its `Stored`."""

    occurred_at: datetime
    currency: str
    entries: tuple[Entry, ...]
    avail: tuple[tuple[str, int], ...]
    """(pot id, what it may spend after this row)."""


class Row(NamedTuple):
    """One journal row to write. `entries` are balanced; `avail` holds the after-values of what can run out."""

    position: int
    key: bytes
    revision: int
    supersedes: int | None
    kind: EntryKind
    status: Status
    reason: str
    """Kept in the open only while the event waits in the work queue."""
    member: str
    """Member id whose data key seals the body; empty: the tenant's own key (unknown member)."""
    occurred_at: datetime
    posted_at: datetime
    currency: str
    entries: tuple[Entry, ...]
    avail: tuple[tuple[str, int], ...]
    """(pot id, what it may spend after this row)."""
    leaf: bytes
    body: bytes
    """Plain bytes; storage seals them under the member's data key."""
    legs: Sequence[int] = ()
    """`legs_of` the entries, where they were worked out already."""


class Posting(NamedTuple):
    """Everything one transaction writes, besides the rows themselves net per touched thing."""

    rows: Sequence[Row]
    deltas: Mapping[int, int]
    """Net change of each running total, by number; a total that becomes 0 is deleted."""
    moves: Mapping[str, int]
    """Net change of what each pot may spend."""
    held: Mapping[str, int]
    """Net change of what each pot has promised."""


class Locked(NamedTuple):
    """What stands under lock until commit: totals (absent: 0), pots, and a block of journal positions."""

    totals: Mapping[int, int]
    """By number."""
    avail: Mapping[str, int]
    first_position: int
    version: int
    """Of the register, looked at when everything was held: what was registered while the locks were awaited is in."""


class ConstraintFired(DrachmError):
    """The database refused a posting that Python allowed: halve the batch until the offender stands alone."""

    code = "constraint"


class Raced(DrachmError):
    """Another writer posted one of these events, or a deadlock was broken: read again and retry the batch."""

    code = "raced"
    retryable = True


class UnitOfWork(Protocol):
    """One transaction of one tenant. Leaving the block without `commit` undoes everything."""

    tenant: int

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def newest(self, keys: Sequence[bytes]) -> dict[bytes, Stored]:
        """The newest revision of each event key that is here."""

    def registry(self, events: Sequence[ServiceEvent]) -> Registry:
        """Everybody whom the events name, as registered now, with the version of the register that says so."""

    def lock(self, needs: Needs, rows: int) -> Locked:
        """Lock the state rows of every needed total and pot once, in id order, as they stand; reserve `rows` positions.

        A total whose row is not there yet reads 0; when another writer makes that row first, `post` raises `Raced`.
        """

    def post(self, posting: Posting) -> None:
        """Write rows, bodies, totals, pots, the work queue, one outbox row and the leaves.

        Raises `ConstraintFired` or `Raced`; the transaction is then spent.
        """

    def commit(self) -> None: ...


class Books(Protocol):
    """The tenant's books outside a posting: enrolment, documents, and reading back."""

    tenant: int

    def work(self) -> UnitOfWork: ...

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
        """Insert or replace, by id, in one transaction; the register's version goes up by one.

        A pot starts at 0 whatever `avail` says; a member's shard never changes. `mandates` are by member.
        """

    def freeze(self, member: str, currency: str, reason: str) -> None:
        """Let the pots of a member's own money in a currency pay for nothing, for a reason, or (none) again.

        Pots that others gave for a purpose, and shared ones, are left as they are.
        """

    def publish(self, kind: str, document: Mapping[str, object]) -> str:
        """Store a `plan`, `price_book` or `expense_rules` document by content hash (idempotent); returns the hash.

        A version that cannot take over from those of the same id that are here (`domain.succession`) is a `Conflict`.
        """

    def documents(self, version: int | None = None) -> Documents:
        """The published documents, compiled and cached: all of them, or those that were here at a register version."""

    def registry_at(self, version: int, members: Collection[str], parties: Collection[str]) -> Registry:
        """These people and parties as they were registered at an earlier version."""

    def erase(self, member: str) -> None:
        """Delete the member's data key: every body sealed under it is unreadable from now on, in every copy."""

    def erase_people(self, members: Collection[str], ensure: Callable[[], None]) -> None:
        """Erase these people whole: keys, registration, and what is derived and names them. The journal stays.

        `ensure` is asked when nobody posts and nobody writes a record of them any more, and may raise: then nothing is
        erased. Done twice it changes nothing more.
        """

    def queue(self, limit: int = 1000) -> list[tuple[int, bytes, str]]:
        """Pended events waiting: (position, key, reason), oldest first."""

    def row(self, position: int) -> Stored | None: ...

    def rows(self, after: int = 0, limit: int | None = None) -> Iterator[tuple[Stored, Written]]:
        """Journal rows in order of position, streaming in bounded memory, with their bodies; `limit` None: all."""

    def balances(self) -> dict[Account, int]:
        """Every account's balance from raw entries, positive for debits."""

    def sources(self) -> dict[tuple[Account, Source], int]:
        """The same, apart by whose money it is."""

    def pots(self, of: Collection[str] | None = None) -> dict[str, tuple[int, int]]:
        """Pot id -> (avail, held) as the state rows say; of all pots, or of these as far as they are here."""

    def fund(self, pot: str) -> Fund | None:
        """The shared fund whose own pot this is; None for any other pot, also for a slice."""

    def at_once(self) -> tuple[dict[tuple[Account, Source], int], dict[str, tuple[int, int]]]:
        """`sources` and `pots` as they stand at one moment, whoever posts meanwhile."""

    def expired(self, now: datetime, *, after: str = "", limit: int = 100) -> list[Pot]:
        """Pots from which what is left goes back to the funder by now, and that hold money; by id, from behind one."""

    def totals(self) -> Iterator[tuple[Place, int]]:
        """Every running total that is not 0, by where it is kept (`numbers.total_place`), in that order."""
