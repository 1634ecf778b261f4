"""Which leaf does a journal row give the log? The same for whoever writes the row and whoever checks it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final

from drachm.domain.clearing.model import STATUSES, Status
from drachm.domain.ledger.model import Entry, EntryKind, account_id
from drachm.domain.transparency.leaf import NO_KEY, Leaf, commitment, leaf_hash

STATUS_NUMBERS: Final = {status: number for number, status in enumerate(STATUSES)}
"""Status numbers of journal rows and leaves."""


def leaf_of(
    tenant: int,
    *,
    key: bytes,
    revision: int,
    kind: EntryKind,
    status: Status,
    posted_at: datetime,
    superseded: tuple[bytes, int] | None,
    currency: str,
    entries: Sequence[Entry],
    salt: bytes,
    body: bytes,
) -> bytes:
    """The leaf hash of a row; `superseded` is the key and revision of the row whose place it takes."""
    before, before_revision = superseded or (NO_KEY, 0)
    return leaf_hash(
        Leaf(
            tenant,
            key,
            revision,
            kind,
            STATUS_NUMBERS[status],
            _microseconds(posted_at),
            before,
            before_revision,
            currency,
            [(account_id(tenant, account), amount, source) for account, amount, source in entries],
            commitment(salt, body),
        )
    )


@lru_cache(maxsize=4)
def _microseconds(instant: datetime) -> int:
    """Since 1970 UTC; the rows of a batch share one instant."""
    return int(instant.timestamp()) * 1_000_000 + instant.microsecond
