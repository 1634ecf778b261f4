"""What does a use case need from outside, handed in as one value?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from drachm.application.ports import Books, Clock, Ids, Raced

RETRIES: Final = 8
"""How often what raced with another writer is read again before the caller is told."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Desk:
    """Books, the time, and randomness."""

    books: Books
    clock: Clock
    ids: Ids
    spent: set[str] = field(default_factory=set)
    """Shared funds that were found empty; a hint where to look first, never believed."""


def tried(once: Callable[[], T]) -> T:
    """The answer of a transaction that another writer may be faster with. Raises `Raced` after `RETRIES` times."""
    for _ in range(RETRIES - 1):
        try:
            return once()
        except Raced:
            continue
    return once()
