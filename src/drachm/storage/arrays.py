"""How do many values travel to PostgreSQL at once?

As one array parameter in the server's own binary form: the driver's text form costs several microseconds a value. An
array is: dimensions, null flag, element type; length and first index; then each element behind its length (PostgreSQL
source, `array_recv`); all big-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Final

from psycopg.abc import AdaptContext
from psycopg.adapt import Dumper
from psycopg.pq import Format

INT8: Final = 20
"""The server's number for `bigint`."""
_BYTEA, _TEXT, _TID = 17, 25, 27
EMPTY: Final = struct.Struct(">iiI")
HEAD: Final = struct.Struct(">iiIii")
"""What stands before the elements of an array that has some."""
_LENGTH: Final = struct.Struct(">i").pack


class Array:
    """A list, packed."""

    __slots__ = ("packed",)

    def __init__(self, packed: bytes) -> None:
        self.packed = packed


class Int8s(Array):
    """``bigint[]``"""


class Texts(Array):
    """``text[]``"""


class Byteas(Array):
    """``bytea[]``"""


class Tids(Array):
    """``tid[]``"""


def int8s(values: Sequence[int]) -> Int8s:
    """Whole numbers of 64 bits; struct.error when one is larger."""
    count = len(values)
    if not count:
        return Int8s(EMPTY.pack(0, 0, INT8))
    packed = bytearray(struct.pack(">" + "4xq" * count, *values))
    packed[3::12] = b"\x08" * count
    return Int8s(HEAD.pack(1, 0, INT8, count, 1) + packed)


def texts(values: Sequence[str]) -> Texts:
    """Words."""
    return Texts(_array(_TEXT, [value.encode() for value in values]))


def byteas(values: Sequence[bytes]) -> Byteas:
    """Byte strings."""
    return Byteas(_array(_BYTEA, values))


def tids(values: Sequence[bytes]) -> Tids:
    """Places of rows within their table, as the server gave them."""
    return Tids(_array(_TID, values))


def register(context: AdaptContext) -> None:
    """Let a connection take packed arrays as parameters."""
    for dumper, kind in ((_Int8sDumper, Int8s), (_TextsDumper, Texts), (_ByteasDumper, Byteas), (_TidsDumper, Tids)):
        context.adapters.register_dumper(kind, dumper)


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Any) -> bytes:
        packed: bytes = obj.packed
        return packed


class _Int8sDumper(_ArrayDumper):
    oid = 1016


class _TextsDumper(_ArrayDumper):
    oid = 1009


class _ByteasDumper(_ArrayDumper):
    oid = 1001


class _TidsDumper(_ArrayDumper):
    oid = 1010


def _array(element: int, values: Sequence[bytes]) -> bytes:
    if not values:
        return EMPTY.pack(0, 0, element)
    head = HEAD.pack(1, 0, element, len(values), 1)
    before = {length: _LENGTH(length) for length in set(map(len, values))}
    if len(before) == 1:
        # All are as long, as keys and places are: the same stands before each of them.
        return next(iter(before.values())).join([head, *values])
    parts = [head]
    for value in values:
        parts += (before[len(value)], value)
    return b"".join(parts)
