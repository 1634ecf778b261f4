"""Which running totals does a transaction hold under lock, and what becomes of their rows?

A row of `total` holds records of 16 bytes, sorted by the total's number: number and value, both signed and big-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial
from itertools import chain
from typing import Final

from drachm.domain.benefits.model import Key
from drachm.domain.clearing.numbers import Place, total_place
from drachm.domain.errors import IntegrityError
from drachm.storage.remembered import Remembered

ROOM: Final = bytes(4 * 16)
"""A new row is written larger than it needs to be: records of no total. Its next version leaves them out, and a page
of such rows stays half empty, so that PostgreSQL need not clean it up at each change (docs/decisions/0012)."""

_RECORD: Final = struct.Struct(">qq")


class Totals:
    """The running totals that one transaction needs, by their places."""

    def __init__(self, tenant: int, keys: Iterable[Key], places: Remembered[Key, Place]) -> None:
        self.places = places.every(keys, partial(total_place, tenant))
        self.rows: list[int] = sorted({row for row, _ in self.places.values()})
        """Which rows to lock, in their order."""
        self._stood: dict[int, dict[int, int]] = {}
        self._where: dict[int, bytes] = {}

    def load(self, found: Iterable[tuple[int, bytes, bytes]]) -> dict[Key, int]:
        """Take the rows that are here, as (row, packed, its place in the table); the totals that are not 0."""
        for row, packed, where in found:
            self._stood[row] = unpack(row, packed)
            self._where[row] = where
        values: dict[Key, int] = {}
        stood = self._stood
        for key, (row, slot) in self.places.items():
            records = stood.get(row)
            if records and slot in records:
                values[key] = records[slot]
        return values

    def moved(self, deltas: Mapping[Key, int]) -> tuple[list[tuple[int, bytes]], list[tuple[bytes, bytes]]]:
        """New rows as (row, packed), in order, and those that were here as (place in the table, packed).

        Raises struct.error for a total beyond 64 bits.
        """
        stood, places = self._stood, self.places
        touched: set[int] = set()
        grown: set[int] = set()
        for key, delta in deltas.items():
            if not delta:
                continue
            row, slot = places[key]
            touched.add(row)
            records = stood.get(row)
            if records is None:
                stood[row] = {slot: delta}
            elif slot not in records:
                records[slot] = delta
                grown.add(row)
            elif value := records[slot] + delta:
                records[slot] = value
            else:
                del records[slot]
        new, changed = [], []
        for row in sorted(touched):
            packed = pack(stood[row], in_order=row not in grown)
            where = self._where.get(row)
            if where is not None:
                changed.append((where, packed))
            elif packed:
                new.append((row, packed + ROOM))
        return new, changed


def pack(records: Mapping[int, int], *, in_order: bool = False) -> bytes:
    """The stored form of a row's totals by number, none of them 0. struct.error for a value beyond 64 bits."""
    pairs = records.items() if in_order else sorted(records.items())
    return _packer(2 * len(records))(*chain.from_iterable(pairs))


def unpack(row: int, packed: bytes) -> dict[int, int]:
    """A row's totals by number, in order, without its room. Raises IntegrityError for bytes that are no records."""
    try:
        records = dict(_RECORD.iter_unpack(packed))
    except struct.error:
        raise IntegrityError("a row of running totals is torn", where=f"total {row}") from None
    if records.get(0) == 0:
        del records[0]
    return records


@lru_cache(maxsize=512)
def _packer(count: int) -> Callable[..., bytes]:
    return struct.Struct(f">{count}q").pack
