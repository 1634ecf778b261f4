"""A holder with a pot, books on both kinds of storage, and a Stripe of our own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import stripe_fake
from rail_helpers import Clock, Ids
from stripe_fake import FakeStripe

from drachm.adapters.stripe.rail import Stripe, client_for
from drachm.application.desk import Desk
from drachm.application.records import Records
from drachm.domain.coverage.model import Member
from drachm.domain.funding.model import Pot
from drachm.domain.payments.model import Card
from drachm.storage.memory import MemoryBooks
from drachm.storage.memory_records import MemoryRecords
from drachm.storage.postgres import open_books


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "postgres"])
def desk(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Desk]:
    if request.param == "memory":
        books: Any = MemoryBooks(1, ids=Ids())
    else:
        books = open_books(request.getfixturevalue("database"), 1, master_key=bytes(range(32)), ids=Ids())
    books.enrol(members=[Member("ana")], pots=[Pot("ana-cash", "ana", "USD"), Pot("ana-yen", "ana", "JPY")])
    yield Desk(books, clock, Ids())
    if request.param == "postgres":
        books.close()


@pytest.fixture
def records(desk: Desk) -> Records:
    """Where the books are, the records are."""
    return MemoryRecords() if isinstance(desk.books, MemoryBooks) else desk.books.records()


@pytest.fixture
def fake() -> Iterator[FakeStripe]:
    fake = FakeStripe()
    end = stripe_fake.serve(fake)
    yield fake
    end()


@pytest.fixture
def cards() -> dict[str, Card]:
    return {}


@pytest.fixture
def rail(fake: FakeStripe, clock: Clock, cards: dict[str, Card]) -> Stripe:
    client = client_for(stripe_fake.KEY, address=fake.url, seconds=5)
    return Stripe(
        client,
        signing_secret=stripe_fake.SECRET,
        return_url="https://drachm.example/",
        now=clock.now,
        card_of=cards.get,
    )


@pytest.fixture
def yuan(desk: Desk) -> Desk:
    """The books with a pot of ana's in yuan."""
    desk.books.enrol(members=[Member("ana")], pots=[Pot("ana-yuan", "ana", "CNY")])
    return desk
