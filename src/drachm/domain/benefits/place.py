"""Where in the document are we, and may this stand here?

A cursor over parsed JSON that knows its path, so that every refusal names the exact place (`$.steps[3].limits[0]`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from drachm.domain.errors import InvalidMessage
from drachm.domain.money import MAX_AMOUNT
from drachm.domain.periods import read_day

MAX_DEPTH: Final = 60
"""Nesting of a document; far beyond any plan, far below Python's stack."""

_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9._-]+")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def invalid(problem: str, where: str, next_step: str) -> InvalidMessage:
    """The one error of this room's readers."""
    return InvalidMessage(problem, where=where, next_step=next_step, code="invalid_plan")


class Place:
    """One value of the document and its JSON path."""

    __slots__ = ("depth", "path", "value")

    def __init__(self, value: Any, path: str = "$", depth: int = 0) -> None:
        if depth > MAX_DEPTH:
            raise invalid(f"is nested deeper than {MAX_DEPTH} levels", path, "Say it with fewer nested conditions.")
        self.value = value
        self.path = path
        self.depth = depth

    def refuse(self, problem: str, next_step: str) -> InvalidMessage:
        return invalid(problem, self.path, next_step)

    def fields(self, required: Collection[str], optional: Collection[str] = ()) -> dict[str, Place]:
        """The members of an object that must have `required` and may have `optional`, and nothing else."""
        members = self.members()
        for key in sorted(members):
            if key not in required and key not in optional:
                known = ", ".join(sorted({*required, *optional}))
                raise members[key].refuse("is an unknown key", f"Remove it or use one of: {known}.")
        for key in required:
            if key not in members:
                raise self.refuse(f"lacks {key!r}", f"Add the key {key!r}.")
        return members

    def members(self) -> dict[str, Place]:
        """The members of an object with free keys."""
        if not isinstance(self.value, Mapping):
            raise self.refuse("is not an object", "Write a JSON object here.")
        for key in self.value:
            Place(key, f"{self.path}.{key}" if isinstance(key, str) else self.path).text(empty=True)
        return {key: Place(item, f"{self.path}.{key}", self.depth + 1) for key, item in self.value.items()}

    def items(self, *, least: int = 0) -> list[Place]:
        if not isinstance(self.value, list | tuple):
            raise self.refuse("is not a list", "Write a JSON list here.")
        if len(self.value) < least:
            raise self.refuse("is empty", "Give at least one entry, or leave the key out.")
        return [Place(item, f"{self.path}[{index}]", self.depth + 1) for index, item in enumerate(self.value)]

    def text(self, *, empty: bool = False) -> str:
        value = self.value
        if not isinstance(value, str) or not (value or empty):
            raise self.refuse("is not text" if not isinstance(value, str) else "is empty", "Write a text here.")
        # A lone surrogate has no UTF-8 bytes, hence no hash; PostgreSQL stores no NUL.
        if "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise self.refuse("holds a character that cannot be stored", "Remove the NUL or the lone surrogate.")
        return value

    def texts(self, *, least: int = 0) -> tuple[str, ...]:
        """A list of different texts."""
        return _different([(item, item.text()) for item in self.items(least=least)])

    def identifier(self) -> str:
        value = self.text()
        if not _IDENTIFIER.fullmatch(value):
            raise self.refuse("holds other signs than letters, digits, '.', '_', '-'", "Choose a plain name.")
        return value

    def identifiers(self) -> tuple[str, ...]:
        """A list of different identifiers."""
        return _different([(item, item.identifier()) for item in self.items()])

    def choice(self, words: Collection[str]) -> str:
        if not isinstance(self.value, str) or self.value not in words:
            raise self.refuse("is not one of the allowed words", f"Use one of: {', '.join(words)}.")
        return self.value

    def flag(self) -> bool:
        if not isinstance(self.value, bool):
            raise self.refuse("is not true or false", "Write true or false.")
        return self.value

    def integer(self, least: int | None = None, most: int | None = None) -> int:
        value = self.value
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.refuse("is not an integer", "Write a whole number: micro-units for money, ppm for rates.")
        low, high = -MAX_AMOUNT if least is None else least, MAX_AMOUNT if most is None else most
        if not low <= value <= high:
            raise self.refuse("is out of range", f"Use a whole number from {low} to {high}.")
        return value

    def day(self) -> str:
        value = self.text()
        if not _DAY.fullmatch(value):
            raise self.refuse("is not a day", "Write an ISO 8601 day such as 2025-03-31.")
        try:
            read_day(value)
        except InvalidMessage as error:
            raise self.refuse(error.message, "Write an ISO 8601 day such as 2025-03-31.") from None
        return value


def _different(entries: list[tuple[Place, str]]) -> tuple[str, ...]:
    seen: set[str] = set()
    for place, value in entries:
        if value in seen:
            raise place.refuse(f"repeats {value!r}", "Name each entry once.")
        seen.add(value)
    return tuple(value for _, value in entries)
