"""Which running totals does a transaction hold under lock, and what becomes of their rows?

A row of `total` holds records of 16 bytes, sorted as bytes: the 64 bits of a total that say which one of the row it is,
and its value, signed; big-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Final

from drachm.domain.clearing.numbers import SLOT, SLOT_BITS
from drachm.domain.errors import IntegrityError

ROOM: Final = bytes(4 * 16)
"""A new row is written larger than it needs to be: records of no total. Its next version leaves them out, and a page
of such rows stays half empty, so that PostgreSQL need not clean it up at each change (docs/decisions/0012)."""

_SIZE: Final = 16
_RECORD: Final = struct.Struct(">Qq")


class Totals:
    """The running totals that one transaction needs, by number (`numbers.total_number`)."""

    def __init__(self, needed: Iterable[int]) -> None:
        self.numbers: frozenset[int] = frozenset(needed)
        self.rows: list[int] = sorted({number >> SLOT_BITS for number in self.numbers})
        """Which rows to lock, in their order."""
        self._stood: dict[int, dict[int, int]] = {}
        """Row -> its totals by number."""
        self._where: dict[int, bytes] = {}

    @property
    def absent(self) -> list[int]:
        """The rows that are not here, in their order."""
        return [row for row in self.rows if row not in self._where]

    def load(self, found: Iterable[tuple[int, bytes, bytes]]) -> dict[int, int]:
        """Take the rows that are here, as (row, packed, its place in the table); what they hold, by number."""
        values: dict[int, int] = {}
        for row, packed, where in found:
            self._stood[row] = records = numbered(row, packed)
            self._where[row] = where
            values.update(records)
        return values

    def moved(self, deltas: Mapping[int, int]) -> tuple[list[tuple[int, bytes]], list[tuple[bytes, bytes]]]:
        """New rows as (row, packed), in order, and those that were here as (place in the table, packed).

        Raises struct.error for a total beyond 64 bits.
        """
        stood = self._stood
        touched: set[int] = set()
        grown: set[int] = set()
        for number, delta in deltas.items():
            if not delta:
                continue
            row = number >> SLOT_BITS
            touched.add(row)
            records = stood.get(row)
            if records is None:
                records = stood[row] = {}
            value = records.get(number)
            if value is None:
                records[number] = delta
                grown.add(row)
            elif value + delta:
                records[number] = value + delta
            else:
                del records[number]
        new, changed = [], []
        for row in sorted(touched):
            packed = pack(stood[row], in_order=row not in grown)
            where = self._where.get(row)
            if where is not None:
                changed.append((where, packed))
            elif packed:
                new.append((row, packed + ROOM))
        return new, changed


def pack(totals: Mapping[int, int], *, in_order: bool = False) -> bytes:
    """The stored form of a row's totals by number, none of them 0. struct.error for a value beyond 64 bits."""
    flat: list[int] = []
    for number, value in totals.items():
        flat += (number & SLOT, value)
    packed = _packer(len(totals))(*flat)
    if in_order:
        return packed
    records = [packed[at : at + _SIZE] for at in range(0, len(packed), _SIZE)]
    records.sort()
    return b"".join(records)


def numbered(row: int, packed: bytes) -> dict[int, int]:
    """A row's totals by number, in order, without its room. Raises IntegrityError for bytes that are no records."""
    first = row << SLOT_BITS
    try:
        totals = {first | slot: value for slot, value in _RECORD.iter_unpack(packed)}
    except struct.error:
        raise IntegrityError("a row of running totals is torn", where=f"total {row}") from None
    if totals.get(first) == 0:
        del totals[first]
    return totals


@lru_cache(maxsize=512)
def _packer(records: int) -> Callable[..., bytes]:
    return struct.Struct(">" + "Qq" * records).pack
