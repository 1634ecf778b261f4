"""What of many bodies is common knowledge, and what is somebody's own?

A body is walked as MessagePack, whatever it means. A value that stands in the bodies of `SHARED_BY` different patients
is a word of the trade: a code, a unit, a currency, a provider. Every other one is replaced by chance of the same length
and class (digits stay digits, letters letters), the same one alike within one body, so that what is left has the shape
of a body and says nothing of anybody.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgspec

SHARED_BY: Final = 20
"""Different patients, at least."""
GRAM: Final = 5
"""Bytes in a row that may not be found again."""

_ERA_BITS: Final = 24
"""Of seconds: half a year. What is more exact than that is never shared."""
_CHANCE_AT_ONCE: Final = 1 << 16
_NEVER: Final = 0xC1
"""A byte that stands in no text: neither MessagePack nor UTF-8 uses it."""

_PIECES: Final = re.compile(r"[^\W_]+|[\W_]+")
_HEX: Final = re.compile(r"(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{8,}")
_DIGITS: Final = bytes(0x30 + one % 10 for one in range(256))
_SMALL: Final = bytes(0x61 + one % 26 for one in range(256))
_LARGE: Final = bytes(0x41 + one % 26 for one in range(256))
_HEX_DIGITS: Final = bytes(b"0123456789abcdef"[one % 16] for one in range(256))
_MARKS: Final = b"-./:_ "
"""These stay what they are."""
_WIDE: Final = ((0x80, 0x800), (0x800, 0xD800), (0x10000, 0x110000))
"""Characters of two, three and four bytes."""


class Sample(NamedTuple):
    """A plain body and the number of its patient."""

    patient: int
    body: bytes


class _Era(NamedTuple):
    """The half year in which an instant lies."""

    number: int


class Bodies:
    """Sampled bodies, walked. Those that are no MessagePack are left out."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        held: dict[int, set[Hashable]] = defaultdict(set)
        self._trees: list[Any] = []
        for patient, body in samples:
            try:
                tree = msgspec.msgpack.decode(body)
            except (msgspec.MsgspecError, ValueError, TypeError, OverflowError):
                continue
            self._trees.append(tree)
            held[patient].update(_values(tree))
        self._shared = _shared(held.values())
        self._own = [{one for one in values - self._shared if type(one) is str} for values in held.values()]
        """Of each patient, the texts that are not shared."""

    def scrubbed(self, random_bytes: Callable[[int], bytes]) -> list[bytes]:
        """Bodies of the same shape that hold nothing but what `SHARED_BY` patients share."""
        beginnings = _shared({one for text in texts for one in _beginnings(text)} for texts in self._own)
        scrub = _Scrub(self._shared, beginnings, _Chance(random_bytes))
        return [scrub.body(tree) for tree in self._trees]

    def swept(self, words: bytes) -> bytes:
        """`words` without `GRAM` bytes in a row that stand in texts of some patients, but of fewer than `SHARED_BY`.

        Chance may have made a piece of somebody's number again, and two things that are shared may have met in one that
        is not.
        """
        places: dict[bytes, list[int]] = {}
        for at in range(len(words) - GRAM + 1):
            places.setdefault(words[at : at + GRAM], []).append(at)
        grams = places.keys()
        holders: Counter[bytes] = Counter()
        for texts in self._own:
            holders.update(grams & {gram for text in texts for gram in _grams(text)})
        common = {gram for value in self._shared if type(value) is str for gram in _grams(value)}
        clean = bytearray(words)
        for gram, count in holders.items():
            if count < SHARED_BY and gram not in common:
                for at in places[gram]:
                    clean[at + GRAM // 2] = _NEVER
        return bytes(clean)


class _Chance:
    """Random bytes, asked for in large pieces."""

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._ask = random_bytes
        self._pool = b""
        self._at = 0

    def take(self, count: int) -> bytes:
        if self._at + count > len(self._pool):
            self._pool, self._at = self._ask(max(count, _CHANCE_AT_ONCE)), 0
        self._at += count
        return self._pool[self._at - count : self._at]

    def bits(self, count: int) -> int:
        """A number below 2^count; at most 64."""
        return int.from_bytes(self.take(8), "big") >> (64 - count)


class _Scrub:
    """Makes bodies of others' shape."""

    def __init__(self, shared: set[Hashable], beginnings: set[Hashable], chance: _Chance) -> None:
        self._shared = shared
        self._beginnings = beginnings
        self._chance = chance
        self._same: dict[Any, Any] = {}

    def body(self, tree: Any) -> bytes:
        self._same = {}
        return msgspec.msgpack.encode(self._value(tree))

    def _value(self, value: Any) -> Any:
        kind = type(value)
        if kind is str:
            return value if value in self._shared else self._text(value)
        if kind is int:
            return value if value in self._shared else self._number(value)
        if kind is list:
            return [self._value(one) for one in value]
        if kind is dict:
            return {self._value(name): self._value(one) for name, one in value.items()}
        if value is None or kind is bool:
            return value
        if kind is bytes:
            return self._chance.take(len(value))
        if kind is datetime:
            return self._instant(value)
        if kind is msgspec.msgpack.Ext:
            return msgspec.msgpack.Ext(value.code, self._chance.take(len(value.data)))
        return 0.0

    def _number(self, value: int) -> int:
        found: int | None = self._same.get(value)
        if found is None:
            length = min(max(value.bit_length(), 1), 63)
            size = self._chance.bits(length) | 1 << (length - 1)
            found = self._same[value] = -size if value < 0 else size
        return found

    def _instant(self, value: datetime) -> datetime:
        era = _era(value)
        number = era.number if era in self._shared else self._chance.bits(31 - _ERA_BITS)
        seconds = (number << _ERA_BITS) + self._chance.bits(_ERA_BITS)
        micros = self._chance.bits(32) % 1_000_000 if value.microsecond else 0
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)

    def _text(self, text: str) -> str:
        pieces = _PIECES.findall(text)
        known, at = "", 0
        while at < len(pieces) and known + pieces[at] in self._beginnings:
            known += pieces[at]
            at += 1
        made = [known]
        for piece in pieces[at:]:
            other = self._same.get(piece)
            if other is None:
                other = self._same[piece] = self._piece(piece)
            made.append(other)
        return "".join(made)

    def _piece(self, piece: str) -> str:
        chance = self._chance.take(len(piece))
        if piece.isascii():
            if piece.isdigit():
                return chance.translate(_DIGITS).decode()
            if _HEX.fullmatch(piece):
                return chance.translate(_HEX_DIGITS).decode()
            return bytes(map(_letter, piece.encode(), chance)).decode()
        return "".join(
            chr(_letter(ord(one), byte)) if one.isascii() else self._wide(one)
            for one, byte in zip(piece, chance, strict=True)
        )

    def _wide(self, character: str) -> str:
        first, end = _WIDE[len(character.encode()) - 2]
        return chr(first + self._chance.bits(32) % (end - first))


def _letter(byte: int, chance: int) -> int:
    """Another ASCII character of the same class."""
    if 0x30 <= byte <= 0x39:
        return _DIGITS[chance]
    if 0x61 <= byte <= 0x7A:
        return _SMALL[chance]
    if 0x41 <= byte <= 0x5A:
        return _LARGE[chance]
    return byte if byte in _MARKS else _MARKS[chance % len(_MARKS)]


def _era(instant: datetime) -> _Era:
    return _Era(int(instant.timestamp()) >> _ERA_BITS)


def _values(tree: Any) -> Iterator[Hashable]:
    """Every value that may be shared."""
    waiting = [tree]
    while waiting:
        value = waiting.pop()
        kind = type(value)
        if kind is str or kind is int:
            yield value
        elif kind is list:
            waiting += value
        elif kind is dict:
            waiting += value.keys()
            waiting += value.values()
        elif kind is datetime:
            yield _era(value)


def _beginnings(text: str) -> Iterator[str]:
    """What a text begins with, piece by piece."""
    known = ""
    for piece in _PIECES.findall(text)[:-1]:
        known += piece
        yield known


def _grams(text: str) -> Iterator[bytes]:
    data = text.encode()
    for at in range(len(data) - GRAM + 1):
        yield data[at : at + GRAM]


def _shared(held: Iterable[Iterable[Hashable]]) -> set[Hashable]:
    """What is held `SHARED_BY` times."""
    counts: Counter[Hashable] = Counter()
    for values in held:
        counts.update(values)
    return {one for one, count in counts.items() if count >= SHARED_BY}
