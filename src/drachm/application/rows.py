"""How does a decision become a journal row with its leaf? The same for whoever writes the row and whoever checks it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final

from drachm.application.ports import Row
from drachm.domain.clearing.model import STATUS_NUMBERS, Status, Target
from drachm.domain.ledger.model import JournalEntry, legs_of
from drachm.domain.transparency.leaf import NO_KEY, commitment, leaf_bytes, leaf_hash

SALT_BYTES: Final = 16
# As the class itself, but several times faster.
_new: Final = tuple.__new__


def row_of(
    tenant: int,
    *,
    position: int,
    key: bytes,
    entry: JournalEntry,
    currency: str,
    member: str,
    occurred_at: datetime,
    posted_at: datetime,
    salt: bytes,
    body: bytes,
    after: tuple[tuple[str, int], ...] = (),
    status: Status = "posted",
    reason: str = "",
    revision: int = 0,
    target: Target | None = None,
) -> Row:
    """A row to write; `target` is what it takes the place of, `after` what each touched pot may spend then."""
    kind, entries = entry
    before = NO_KEY, 0
    if target is not None:
        before = target.key, target.revision
    legs = legs_of(tenant, entries)
    leaf = leaf_of(tenant, key, revision, kind, status, posted_at, before, currency, legs, salt, body)
    supersedes = target.position if target is not None else None
    return _new(Row, (
        position, key, revision, supersedes, kind, status, reason, member, occurred_at, posted_at, currency,
        entries, after, leaf, body, legs,
    ))  # fmt: skip


def leaf_of(
    tenant: int,
    key: bytes,
    revision: int,
    kind: int,
    status: Status,
    posted_at: datetime,
    before: tuple[bytes, int],
    currency: str,
    legs: Sequence[int],
    salt: bytes,
    body: bytes,
) -> bytes:
    """The leaf hash of a row with these `legs_of` its entries.

    `before` is the key and revision of the row whose place it takes, or `NO_KEY` and 0.
    """
    moment, content, number = _microseconds(posted_at), commitment(salt, body), STATUS_NUMBERS[status]
    earlier, its_revision = before
    return leaf_hash(
        leaf_bytes(tenant, key, revision, kind, number, moment, earlier, its_revision, currency, legs, content)
    )


@lru_cache(maxsize=4)
def _microseconds(instant: datetime) -> int:
    """Since 1970 UTC; the rows of a batch share one instant."""
    return int(instant.timestamp()) * 1_000_000 + instant.microsecond
