"""A clock that stands still, randomness that repeats, and a person to act as."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from drachm.adapters.rest.identity import Environment, Kind, Principal, Role, Scope
from drachm.adapters.rest.identity.keys import Peppers


@pytest.fixture
def now() -> datetime:
    return datetime(2025, 3, 14, 9, 26, 53, tzinfo=UTC)


@pytest.fixture
def random_bytes() -> Callable[[int], bytes]:
    return random.Random(14).randbytes


@pytest.fixture
def peppers() -> Peppers:
    return Peppers("p1", {"p1": random.Random(1).randbytes(32)})


@pytest.fixture
def operator() -> Principal:
    """Someone who runs the market and may hand out everything."""
    return Principal(
        "alder",
        Kind.PERSON,
        "https://id.example|olga",
        "https://id.example",
        Environment.LIVE,
        frozenset({Role.OPERATOR}),
        scopes=frozenset(Scope),
    )
