"""What may a record hold, and what is written of it?

A store in memory and one in a database take and refuse the same: what goes in comes out as JSON would give it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final, NamedTuple, NoReturn

import msgspec

from drachm.application.records import Record
from drachm.domain.errors import Conflict, InvalidMessage

KIND_LENGTH_MAX: Final = 64
ID_LENGTH_MAX: Final = 200
WORD_LENGTH_MAX: Final = 1_000
"""Of an author, a party, a member, a term."""
BODY_BYTES_MAX: Final = 8 * 1_048_576

_encode: Final = msgspec.json.Encoder(order="deterministic").encode
_decode: Final = msgspec.json.Decoder().decode


class Written(NamedTuple):
    """A record as it is kept, and as whoever wrote it gets it back."""

    record: Record
    text: bytes
    """JSON: the body, and the terms that are hashed elsewhere."""


def written(record: Record, at: datetime) -> Written:
    """The record's next version. `at` stands where it says no time. Raises InvalidMessage for what cannot be kept."""
    where = f"{record.kind[:KIND_LENGTH_MAX]} record"
    _ensure_word(record.kind, "kind", where, KIND_LENGTH_MAX)
    _ensure_word(record.id, "id", where, ID_LENGTH_MAX)
    _ensure_word(record.author, "author", where, WORD_LENGTH_MAX, empty=True)
    for name, words in (("parties", record.parties), ("members", record.members), ("terms", record.terms)):
        for word in words:
            _ensure_word(word, name, where, WORD_LENGTH_MAX)
    if record.at is not None and record.at.tzinfo is None:
        _refuse("a time has no zone", f"{where}, at")
    if record.version < 0:
        _refuse("a version counts from 1; 0 stands for none", f"{where}, version")
    text = _text(record, where)
    body, _ = _decode(text)
    return Written(
        Record(
            record.kind,
            record.id,
            body,
            record.version + 1,
            frozenset(record.parties),
            frozenset(record.members),
            frozenset(record.terms),
            record.author,
            record.at or at,
        ),
        text,
    )


def read(text: bytes) -> tuple[dict[str, Any], frozenset[str]]:
    """Body and terms again."""
    body, terms = _decode(text)
    return body, frozenset(terms)


def erased_meanwhile() -> Conflict:
    """What would be written is about somebody who was erased."""
    return Conflict(
        "what was kept of this person was erased",
        where="member",
        next_step="Register the person anew first, if they came back.",
        code="person_erased",
    )


def lost(record: Record) -> Conflict:
    """Somebody else was faster."""
    return Conflict(
        "this was changed meanwhile" if record.version else "there is one with this id already",
        where=f"{record.kind} {record.id}",
        next_step="Read the newest version, then decide again.",
        code="version",
    )


def storable(*words: str) -> bool:
    """Whether a record with these names could be here: a name that is no text of a database names nothing."""
    return not any("\0" in word or _is_broken(word) for word in words)


def looked_for(words: Collection[str] | None, name: str) -> None:
    """Raises InvalidMessage when one of the words that are looked for could never have been kept."""
    for word in words or ():
        _ensure_word(word, name, "search", WORD_LENGTH_MAX, empty=True)


def _text(record: Record, where: str) -> bytes:
    try:
        _ensure_json(record.body, where)
        text = _encode([record.body, sorted(record.terms)])
    except UnicodeEncodeError:
        _refuse("a text holds half a character (a lone surrogate)", f"{where}, body")
    except (TypeError, OverflowError, RecursionError):
        _refuse("a value cannot be written as JSON", f"{where}, body")
    if len(text) > BODY_BYTES_MAX:
        _refuse(f"the body is larger than {BODY_BYTES_MAX} bytes", f"{where}, body")
    return text


def _ensure_json(value: Any, where: str) -> None:
    """Only what JSON gives back as it was: a date would come back as text, a NaN as nothing."""
    if value is None or isinstance(value, str) or (isinstance(value, int) and -(2**63) <= value < 2**63):
        return
    if isinstance(value, dict) and all(type(key) is str for key in value):
        for each in value.values():
            _ensure_json(each, where)
    elif isinstance(value, list | tuple):
        for each in value:
            _ensure_json(each, where)
    elif not (isinstance(value, float) and value - value == 0):
        raise TypeError(where)


def _ensure_word(word: object, name: str, where: str, most: int, *, empty: bool = False) -> None:
    place = f"{where}, {name}"
    if not isinstance(word, str):
        _refuse("a text is expected", place)
    if "\0" in word:
        _refuse("a text holds a NUL character", place)
    if _is_broken(word):
        _refuse("a text holds half a character (a lone surrogate)", place)
    if not word and not empty:
        _refuse("a text is empty", place)
    if len(word) > most:
        _refuse(f"a text is longer than {most} characters", place)


def _is_broken(word: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in word)


def _refuse(problem: str, where: str) -> NoReturn:
    raise InvalidMessage(f"a record cannot be kept: {problem}", where=where)
