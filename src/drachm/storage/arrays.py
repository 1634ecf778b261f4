"""How do many values travel to PostgreSQL at once?

As one array parameter in the server's own binary form: the driver's text form costs several microseconds a value. An
array is: dimensions, null flag, element type; length and first index; then each element behind its length (PostgreSQL
source, `array_recv`); all big-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

from psycopg.abc import AdaptContext
from psycopg.adapt import Dumper
from psycopg.pq import Format

_BYTEA, _INT8, _INT2, _TEXT = 17, 20, 21, 25
_EMPTY: Final = struct.Struct(">iiI")
_HEAD: Final = struct.Struct(">iiIii")
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


def int8s(values: Sequence[int]) -> Int8s:
    """Whole numbers of 64 bits; struct.error when one is larger."""
    return Int8s(pack_int8s(values))


def texts(values: Sequence[str]) -> Texts:
    """Words; equal ones are packed once."""
    packed = {value: _behind_length(value.encode()) for value in set(values)}
    return Texts(_array(_TEXT, len(values), map(packed.__getitem__, values)))


def byteas(values: Sequence[bytes]) -> Byteas:
    """Byte strings."""
    return Byteas(_array(_BYTEA, len(values), map(_behind_length, values)))


def pack_int8s(values: Sequence[int]) -> bytes:
    """The binary form of a ``bigint[]``."""
    return _numbers(_INT8, 8, "iq", values)


def pack_int2s(values: Sequence[int]) -> bytes:
    """The binary form of a ``smallint[]``."""
    return _numbers(_INT2, 2, "ih", values)


def register(context: AdaptContext) -> None:
    """Let a connection take packed arrays as parameters."""
    for dumper, kind in ((_Int8sDumper, Int8s), (_TextsDumper, Texts), (_ByteasDumper, Byteas)):
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


def _array(element: int, count: int, elements: Iterable[bytes]) -> bytes:
    if not count:
        return _EMPTY.pack(0, 0, element)
    return b"".join((_HEAD.pack(1, 0, element, count, 1), *elements))


def _numbers(element: int, size: int, form: str, values: Sequence[int]) -> bytes:
    count = len(values)
    if not count:
        return _EMPTY.pack(0, 0, element)
    numbers = [size] * (2 * count)
    numbers[1::2] = values
    if count > 16:
        return _HEAD.pack(1, 0, element, count, 1) + struct.pack(">" + form * count, *numbers)
    return _short(form, count).pack(1, 0, element, count, 1, *numbers)


@lru_cache(maxsize=64)
def _short(form: str, count: int) -> struct.Struct:
    """The whole form of a short array: those of journal rows are many and never longer than its entries."""
    return struct.Struct(">iiIii" + form * count)


def _behind_length(value: bytes) -> bytes:
    return _LENGTH(len(value)) + value
