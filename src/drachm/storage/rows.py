"""How does a journal row look on its way into the database and back?

The way in is PostgreSQL's binary COPY format, packed by hand: a third of the cost of handing over values one by one.
Fields are length-prefixed and big-endian (PostgreSQL documentation, COPY, "Binary Format").
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from drachm.application.ports import Row, Stored, Written
from drachm.domain.clearing.model import STATUS_NUMBERS, STATUSES, Status
from drachm.domain.errors import IntegrityError
from drachm.domain.ledger.model import Account, Entry, EntryKind, Source, legs_of
from drachm.storage.arrays import EMPTY, HEAD, INT8
from drachm.storage.vault import Place, Vault

COPY_HEAD: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
COPY_END: Final = b"\xff\xff"

_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_FIELDS: Final = 16

# Number of fields; then tenant, revision, kind, status and currency, each behind its length.
_START: Final = struct.Struct(">hiiihihihi3s")
_FIELD: Final = struct.Struct(">i")
# What many rows begin with, up to the position's length; position, patient, the two times, key and leaf.
_FIXED: Final = ">{}sqiqiqiqi16si32s"
_POSITION: Final = struct.Struct(">q")
_AFTER: Final = struct.Struct(">qq")


def copy_of_journal(
    tenant: int,
    rows: Sequence[Row],
    bodies: Sequence[bytes],
    patients: Sequence[int],
    accounts: Accounts,
    pot_numbers: Mapping[str, int],
) -> bytes:
    """The COPY stream of `copy_journal`: rows with their sealed bodies and the numbers of their patients.

    `accounts` learns whom the entries name. Raises struct.error for a number that is out of range.
    """
    parts = [COPY_HEAD]
    shapes: dict[Any, tuple[Callable[..., bytes], bytes, bytes]] = {}
    last, posted = None, 0
    for row, body, patient in zip(rows, bodies, patients, strict=True):
        (
            position, key, revision, supersedes, kind, status, _, _, occurred_at, posted_at,
            currency, entries, avail, leaf, _, legs,
        ) = row  # fmt: skip
        if posted_at is not last:
            last, posted = posted_at, _microseconds(posted_at)
        if entries and not legs:
            legs = legs_of(tenant, entries)
        alike = revision, kind, status, currency, supersedes, bytes(legs[2::3]), len(avail)
        shape = shapes.get(alike)
        if shape is None:
            shape = shapes[alike] = _shape(tenant, *alike)
        pack, start, legs_head = shape
        values: list[Any] = [
            *(start, position, 8, patient, 8, _microseconds(occurred_at), 8, posted, 16, key, 32, leaf, legs_head)
        ]
        at = 0
        for account, amount, _ in entries:
            number = legs[at]
            at += 3
            accounts.meet(number, account)
            values += (8, number, 8, amount)
        values.append(_AFTER.size * len(avail))
        for pot, left in avail:
            values += (pot_numbers[pot], left)
        values.append(len(body))
        parts.append(pack(*values))
        parts.append(body)
    parts.append(COPY_END)
    return b"".join(parts)


class Accounts:
    """The accounts that a posting names; `new` are those that may not be in the database yet."""

    def __init__(self, known: dict[int, Account]) -> None:
        self._known = known
        """In the database for certain, because accounts are never removed."""
        self.new: dict[int, Account] = {}

    def meet(self, number: int, account: Account) -> None:
        """An account's number is a hash of its name: two names that met in one number must not share a balance."""
        known = self._known.get(number)
        if known is None:
            known = self.new.setdefault(number, account)
        if known is not account and known != account:
            raise IntegrityError("two accounts met in one number", where=f"account {number}")


def _shape(
    tenant: int,
    revision: int,
    kind: int,
    status: Status,
    currency: str,
    supersedes: int | None,
    sources: bytes,
    pots: int,
) -> tuple[Callable[..., bytes], bytes, bytes]:
    """How rows that are alike in all of this are packed, what they begin with, and what stands before their legs."""
    tells = _START.pack(
        *(_FIELDS, 4, tenant, 2, revision, 2, kind, 2, STATUS_NUMBERS[status], 3, currency.encode()),
    )
    before = b"" if supersedes is None else _POSITION.pack(supersedes)
    start = b"".join([tells, _field(before), _field(sources), _FIELD.pack(8)])
    count = 2 * len(sources)
    head = HEAD.pack(1, 0, INT8, count, 1) if count else EMPTY.pack(0, 0, INT8)
    head = _FIELD.pack(len(head) + 12 * count) + head
    form = _FIXED.format(len(start)) + f"{len(head)}s" + "iq" * count + "i" + "qq" * pots + "i"
    return struct.Struct(form).pack, start, head


def _field(value: bytes) -> bytes:
    return _FIELD.pack(len(value)) + value


def stored_of(values: Sequence[Any], vault: Vault) -> Stored:
    """A row as it is read back, from what `newest_rows` selects. Raises IntegrityError as `Vault.open` does."""
    position, key, revision, supersedes, superseded, kind, status, posted_at, leaf, body, patient, wrapped = values
    return Stored(
        position=position,
        key=key,
        revision=revision,
        supersedes=int.from_bytes(supersedes, "big") if supersedes else None,
        superseded=superseded,
        kind=EntryKind(kind),
        status=STATUSES[status],
        posted_at=posted_at,
        leaf=leaf,
        body=vault.open(patient, wrapped, Place(position, key, revision), body),
    )


def written_of(
    position: int,
    values: Sequence[Any],
    accounts: Mapping[int, Account],
    pots: Mapping[int, str],
) -> Written:
    """What a row says in the open, from what `rows_after` selects beyond the fields of `stored_of`.

    Raises IntegrityError for an account or a pot that nobody knows by name.
    """
    occurred_at, currency, legs, sources, avail = values
    try:
        entries = tuple(
            Entry(accounts[account], amount, Source(source))
            for account, amount, source in zip(legs[::2], legs[1::2], sources, strict=True)
        )
        after = tuple((pots[state], left) for state, left in after_values(avail))
    except (KeyError, ValueError, struct.error) as error:
        raise IntegrityError(
            f"an account, pot or source of the row is unknown: {error}", where=f"position {position}"
        ) from None
    return Written(occurred_at, currency, entries, after)


def after_values(avail: bytes) -> Iterator[tuple[int, int]]:
    """What stands in `journal.avail`: (state row, what it may spend after the row)."""
    return _AFTER.iter_unpack(avail)


def _microseconds(instant: datetime) -> int:
    """Since 2000, as the server counts."""
    since = instant - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
