"""Books to test: the same in memory and on both PostgreSQL versions, and rows to post into them."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

import psycopg
import pytest

from drachm.application.ports import Books, Locked, Posting, Raced, Row
from drachm.domain.benefits.model import Key
from drachm.domain.clearing.numbers import Place, total_number, total_place
from drachm.domain.clearing.world import Needs
from drachm.domain.events.model import Code, ServiceEvent
from drachm.domain.funding.model import Pot
from drachm.domain.ledger.model import Account, Entry, EntryKind, Source
from drachm.domain.transparency.leaf import event_key
from drachm.storage.embedded import EmbeddedServer
from drachm.storage.memory import MemoryBooks
from drachm.storage.migrate import migrate
from drachm.storage.postgres import PostgresBooks, open_books

MASTER_KEY = bytes(range(32))
NOON = datetime(2025, 3, 10, 12, 0, 0, 123_456, tzinfo=UTC)
new_tenants = count(1)
TEST_KEY = Key("ana", "plan/deductible", "Y2025-01-01")


class CountingIds:
    """Bytes that never repeat and are the same in every run."""

    def __init__(self, first: int = 1) -> None:
        self._numbers = count(first)
        self._lock = threading.Lock()

    def random_bytes(self, length: int) -> bytes:
        with self._lock:
            return hashlib.shake_256(next(self._numbers).to_bytes(8, "big")).digest(length)


@dataclass(frozen=True)
class Draft:
    """A row to post, before it has a position."""

    name: str
    changes: Mapping[str, Any]

    def row(self, tenant: int, position: int) -> Row:
        charge = (
            Entry(Account("payer_receivable", "insurer", "USD"), 700, Source.PAYER),
            Entry(Account("provider_payable", "clinic", "USD"), -700, Source.PAYER),
        )
        plain = Row(
            position=position,
            key=event_key(tenant, "test", self.name),
            revision=0,
            supersedes=None,
            kind=EntryKind.CHARGE,
            status="posted",
            reason="",
            member="ana",
            occurred_at=NOON,
            posted_at=NOON,
            currency="USD",
            entries=charge,
            avail=(),
            leaf=hashlib.sha256(b"leaf" + self.name.encode()).digest(),
            body=b'{"words": "' + self.name.encode() + b'"}',
        )
        return plain._replace(**self.changes)


def draft(name: str, **changes: Any) -> Draft:
    return Draft(name, changes)


def post(
    books: Books,
    *drafts: Draft,
    deltas: Mapping[Key, int] | None = None,
    moves: Mapping[str, int] | None = None,
    held: Mapping[str, int] | None = None,
    look: Callable[[Locked], None] = lambda locked: None,
) -> list[int]:
    """Lock what the change touches, post and commit; the positions of the rows."""
    changes = {total_number(books.tenant, key): delta for key, delta in (deltas or {}).items()}
    moves, held = moves or {}, held or {}
    needs = Needs(frozenset(changes), frozenset(moves) | frozenset(held))
    with books.work() as work:
        locked = work.lock(needs, max(1, len(drafts)))
        look(locked)
        rows = [one.row(books.tenant, at) for at, one in enumerate(drafts, start=locked.first_position)]
        work.post(Posting(rows, changes, moves, held))
        work.commit()
    return [row.position for row in rows]


def fill(books: Books, **pots: int) -> None:
    """Open pots of ana's and put money into them."""
    books.enrol(pots=[Pot(pot, "ana", "USD", 0) for pot in pots])
    post(books, draft("fill " + " ".join(pots)), moves=pots)


def post_until_it_holds(books: Books, *drafts: Draft, **changes: Any) -> list[int]:
    """As `post`, but what raced with another writer is tried again, as the core does."""
    for _ in range(20):
        try:
            return post(books, *drafts, **changes)
        except Raced as race:
            last = race
    raise last


def totals(books: Books) -> dict[Place, int]:
    """What the running totals say."""
    return dict(books.totals())


def placed(books: Books, values: Mapping[Key, int]) -> dict[Place, int]:
    """Running totals by where they are kept."""
    return {total_place(books.tenant, key): value for key, value in values.items()}


def visit(**changes: Any) -> ServiceEvent:
    """An event that names ana and the clinic."""
    event = ServiceEvent(
        source="test",
        event_id="e1",
        kind="charge",
        member="ana",
        code=Code("local", "visit"),
        currency="USD",
        started_at=datetime(2025, 3, 10, tzinfo=UTC),
        billing_party="clinic",
    )
    return replace(event, **changes)


@pytest.fixture(name="visit")
def visit_fixture() -> Callable[..., ServiceEvent]:
    """Makes an event."""
    return visit


@pytest.fixture(name="draft")
def draft_fixture() -> Callable[..., Draft]:
    return draft


@pytest.fixture(name="post")
def post_fixture() -> Callable[..., list[int]]:
    return post


@pytest.fixture(name="post_until_it_holds")
def post_until_it_holds_fixture() -> Callable[..., list[int]]:
    return post_until_it_holds


@pytest.fixture(name="totals")
def totals_fixture() -> Callable[[Books], dict[Place, int]]:
    return totals


@pytest.fixture(name="placed")
def placed_fixture() -> Callable[..., dict[Place, int]]:
    return placed


@pytest.fixture(name="fill")
def fill_fixture() -> Callable[..., None]:
    return fill


@pytest.fixture
def everything() -> Callable[[Books], Any]:
    """All that can be read back from books."""
    return lambda books: (list(books.rows()), books.balances(), books.pots(), list(books.totals()), books.queue())


@pytest.fixture
def key() -> Key:
    """A running total."""
    return TEST_KEY


@pytest.fixture
def new_ids() -> type[CountingIds]:
    return CountingIds


@pytest.fixture
def open_tenant() -> Iterator[Callable[..., PostgresBooks]]:
    """Opens books on a database; closed after the test."""
    opened: list[PostgresBooks] = []

    def open_one(url: str, tenant: int = 1, master_key: bytes = MASTER_KEY) -> PostgresBooks:
        ids = CountingIds(1 + 1_000_000 * len(opened))
        opened.append(open_books(url, tenant, master_key=master_key, ids=ids))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


@pytest.fixture(params=["database", "database16"], ids=["pg18", "pg16"])
def any_database(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh database, once on each version."""
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture
def postgres(any_database: str, open_tenant: Callable[..., PostgresBooks]) -> PostgresBooks:
    """Empty books of tenant 1, once on each version."""
    return open_tenant(any_database)


@pytest.fixture
def owner(any_database: str) -> Iterator[psycopg.Connection[Any]]:
    """The owner's own connection to the database of `postgres`, each statement its own transaction."""
    with psycopg.connect(any_database, autocommit=True) as conn:
        yield conn


@pytest.fixture(scope="module")
def shared18(server18: EmbeddedServer) -> Iterator[str]:
    """One database on PostgreSQL 18 for all tests of a file; each takes a tenant of its own."""
    with migrated(server18) as url:
        yield url


@pytest.fixture(scope="module")
def shared16(server16: EmbeddedServer) -> Iterator[str]:
    """One database on PostgreSQL 16 for all tests of a file; each takes a tenant of its own."""
    with migrated(server16) as url:
        yield url


@contextmanager
def migrated(server: EmbeddedServer) -> Iterator[str]:
    name = f"shared_{uuid.uuid4().hex}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        with psycopg.connect(server.url(name)) as schema:
            migrate(schema)
        try:
            yield server.url(name)
        finally:
            conn.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["memory", "pg18", "pg16"])
def books(request: pytest.FixtureRequest, open_tenant: Callable[..., PostgresBooks]) -> Books:
    """Empty books of a new tenant: in memory, on PostgreSQL 18, on PostgreSQL 16."""
    tenant = next(new_tenants)
    if request.param == "memory":
        return MemoryBooks(tenant, ids=CountingIds())
    return open_tenant(request.getfixturevalue("shared18" if request.param == "pg18" else "shared16"), tenant)


@pytest.fixture
def race() -> Callable[[Sequence[Callable[[], Any]]], list[Any]]:
    """Runs functions in threads at the same time; their answers or errors, in order."""

    def run(functions: Sequence[Callable[[], Any]]) -> list[Any]:
        threads = ThreadPoolExecutor(len(functions))
        try:
            waiting = [threads.submit(function) for function in functions]
            return [one.exception(timeout=60) or one.result() for one in waiting]
        finally:
            threads.shutdown(wait=False)

    return run
