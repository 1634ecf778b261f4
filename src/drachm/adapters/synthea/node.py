"""What stands at this path of a FHIR resource?

A `Node` is a decoded JSON value with its place, so that every refusal can name it. Absent is `None`; present with the
wrong type is `InvalidMessage` (`wrong_type`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from drachm.domain import periods
from drachm.domain.errors import InvalidMessage

MAX_TEXT: Final = 500
MAX_TOKEN: Final = 200
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)
_INSTANT: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Node:
    value: Any
    place: str

    def get(self, key: str) -> Node | None:
        """The member `key` of this object."""
        if not isinstance(self.value, dict):
            raise self.refusal("wrong_type", "an object is expected here")
        found = self.value.get(key)
        return None if found is None else Node(found, f"{self.place}.{key}")

    def need(self, key: str) -> Node:
        """The member `key`, which must be there (`missing_field`)."""
        found = self.get(key)
        if found is None:
            raise Node(None, f"{self.place}.{key}").refusal("missing_field", "this element is required")
        return found

    def at(self, *steps: str) -> Node | None:
        """Follow keys; where one holds an array, its first element."""
        here: Node | None = self
        for step in steps:
            here = here.get(step) if here is not None else None
            if here is not None and isinstance(here.value, list):
                here = here.items()[0] if here.value else None
        return here

    def all(self, key: str) -> list[Node]:
        """The elements of the array `key`; none when it is absent."""
        found = self.get(key)
        return [] if found is None else found.items()

    def items(self) -> list[Node]:
        if not isinstance(self.value, list):
            raise self.refusal("wrong_type", "an array is expected here")
        return [Node(item, f"{self.place}[{index}]") for index, item in enumerate(self.value)]

    def text(self) -> str:
        if not isinstance(self.value, str):
            raise self.refusal("wrong_type", "text is expected here")
        return self.value

    def token(self) -> str:
        """A code or a system: 1 to 200 characters without spaces at the ends or control characters."""
        found = self.text()
        if not found.strip() or found != plain_words(found) or len(found) > MAX_TOKEN:
            raise self.refusal("invalid_id", "this is not a code", f"Use 1 to {MAX_TOKEN} plain characters.")
        return found

    def said(self, *steps: str) -> str:
        """The text at a path, empty when it is absent."""
        found = self.at(*steps)
        return "" if found is None else found.text()

    def identifier(self) -> str:
        """A FHIR id: 1 to 64 letters, digits, ``-`` and ``.``."""
        found = self.text()
        if not _ID.fullmatch(found):
            raise self.refusal("invalid_id", "this is not a FHIR id", "Use 1 to 64 letters, digits, '-' and '.'.")
        return found

    def instant(self) -> datetime:
        """An RFC 3339 instant as UTC."""
        return instant(self.text(), self.place)

    def refusal(self, code: str, message: str, next_step: str = "") -> InvalidMessage:
        return InvalidMessage(message, where=self.place, next_step=next_step, code=code)


def instant(text: str, where: str) -> datetime:
    """An RFC 3339 instant with offset, years 1900 to 2199, as UTC (`invalid_time`)."""
    if not _INSTANT.fullmatch(text):
        raise InvalidMessage(
            "this is not an instant with an offset",
            where=where,
            next_step="Use a form such as 2019-05-31T09:30:00-04:00.",
            code="invalid_time",
        )
    return periods.read_instant(text, where=where)


def is_day(text: str) -> bool:
    """Whether the text has the form of a full date (FHIR dates may stop at the month or the year)."""
    return bool(_DAY.fullmatch(text))


def plain_words(text: str) -> str:
    """Display text without control characters and at most 500 characters long."""
    return _CONTROL.sub(" ", text)[:MAX_TEXT].strip()
