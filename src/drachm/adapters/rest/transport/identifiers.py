"""How is a new thing named, so that names sort by time and nobody can count them?

An identifier is a prefix that says what it names, and a UUIDv7 (RFC 9562 5.7) in Crockford's base 32: `req_01jd...`.
Lower case, 26 characters, sorts as text in the order of making. No sequence shows how many there are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256
from typing import Final

ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS: Final = [first + second for first in ALPHABET for second in ALPHABET]
_SHAPE: Final = re.compile(r"([a-z]{2,8})_([0-7][0-9a-hjkmnp-tv-z]{25})", re.ASCII)

RandomBytes = Callable[[int], bytes]


class Identifiers:
    """Makes identifiers of one process: strictly rising, also when the clock stands still or goes back."""

    def __init__(self, milliseconds: Callable[[], int], random_bytes: RandomBytes) -> None:
        self._milliseconds, self._random_bytes = milliseconds, random_bytes
        self._newest = 0
        """The upper 60 bits given last: milliseconds and a counter of 12 bits."""

    def uuid7(self) -> int:
        """A UUIDv7 as a number of 128 bits. The counter in `rand_a` follows RFC 9562 6.2, method 1."""
        random = int.from_bytes(self._random_bytes(9), "big")
        # The counter starts in the lower half, so that it has room to rise within the millisecond.
        fresh = self._milliseconds() << 12 | random >> 61
        self._newest = upper = fresh if fresh > self._newest else self._newest + 1
        return (upper >> 12) << 80 | 0x7 << 76 | (upper & 0xFFF) << 64 | 0b10 << 62 | random & (1 << 62) - 1

    def new(self, prefix: str) -> str:
        """A new identifier of the kind that `prefix` names."""
        return f"{prefix}_{encode(self.uuid7())}"


def pooled(random_bytes: RandomBytes, size: int = 4_096) -> RandomBytes:
    """The same randomness, fetched in larger pieces: one system call for hundreds of identifiers.

    Not for secrets, and not to be carried across a fork.
    """
    pool, at = b"", 0

    def take(count: int) -> bytes:
        nonlocal pool, at
        if at + count > len(pool):
            pool, at = random_bytes(max(size, count)), 0
        at += count
        return pool[at - count : at]

    return take


def named_by(prefix: str, *words: str) -> str:
    """An identifier that follows from some words: the same intention has the same name, wherever it is made."""
    digest = sha256("\0".join(words).encode()).digest()
    return f"{prefix}_{encode(int.from_bytes(digest[:16], 'big'))}"


def encode(number: int) -> str:
    """128 bits as 26 characters.

    >>> encode(2**128 - 1)
    '7zzzzzzzzzzzzzzzzzzzzzzzzz'
    """
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)])


def decode(identifier: str, prefix: str) -> int | None:
    """The number inside an identifier of this kind; None when it is not one."""
    found = _SHAPE.fullmatch(identifier)
    if found is None or found.group(1) != prefix:
        return None
    number = 0
    for character in found.group(2):
        number = number << 5 | ALPHABET.index(character)
    return number
