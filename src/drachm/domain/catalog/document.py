"""Does this document say what a price book may say?

A `Node` is one value of a document together with its JSON path, so that every refusal names the place. Nothing is
guessed and nothing ignored: an unknown key is an error, because a misspelt key would silently change a price.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from drachm.domain.errors import InvalidMessage
from drachm.domain.money import MAX_AMOUNT
from drachm.domain.periods import read_day

MOST_DEPTH: Final = 32
"""Deeper than any sensible document nests."""

_NEXT_STEP: Final = "Correct the named place; docs/reference/price-book.md lists every key."


def invalid(problem: str, where: str) -> InvalidMessage:
    """The error of a document that cannot be used, with the JSON path of the place."""
    return InvalidMessage(problem, where=where, next_step=_NEXT_STEP, code="invalid_document")


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a document and where it stands."""

    value: Any
    where: str = "$"
    depth: int = 0

    def fields(self, required: str, optional: str = "") -> dict[str, Node]:
        """The entries of an object whose keys are known; both lists are words parted by spaces."""
        must, may = required.split(), optional.split()
        found = dict(self.entries())
        for key in found:
            if key not in must and key not in may:
                raise invalid(f"unknown key {key[:40]!r}; known are {', '.join(must + may)}", self.where)
        for key in must:
            if key not in found:
                raise invalid(f"the key {key!r} is missing", self.where)
        return found

    def entries(self) -> Iterator[tuple[str, Node]]:
        """The entries of an object whose keys are data."""
        if not isinstance(self.value, Mapping):
            raise invalid("an object is expected", self.where)
        for key, value in self.value.items():
            if not isinstance(key, str):
                raise invalid("a key is not text", self.where)
            yield key, self._child(value, f".{key}")

    def items(self) -> list[Node]:
        """The elements of an array."""
        if not isinstance(self.value, list | tuple):
            raise invalid("an array is expected", self.where)
        return [self._child(value, f"[{index}]") for index, value in enumerate(self.value)]

    def _child(self, value: Any, step: str) -> Node:
        if self.depth >= MOST_DEPTH:
            raise invalid(f"the document nests deeper than {MOST_DEPTH} levels", self.where)
        return Node(value, self.where + step, self.depth + 1)

    def text(self, *, empty: bool = False) -> str:
        """A text of at most 500 characters, not empty unless `empty` allows it."""
        if not isinstance(self.value, str) or len(self.value) > 500:
            raise invalid("a text of at most 500 characters is expected", self.where)
        if not self.value and not empty:
            raise invalid("the text is empty", self.where)
        return self.value

    def texts(self) -> tuple[str, ...]:
        """An array of texts."""
        return tuple(node.text() for node in self.items())

    def word(self, known: Collection[str]) -> str:
        """A text out of a closed list."""
        if not isinstance(self.value, str) or self.value not in known:
            raise invalid(f"one of {', '.join(known)} is expected", self.where)
        return self.value

    def integer(self, least: int = 0, most: int = MAX_AMOUNT) -> int:
        """A whole number within bounds; true and false are not numbers."""
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            raise invalid("a whole number is expected (amounts in micro-units, rates in parts per million)", self.where)
        if not least <= self.value <= most:
            raise invalid(f"a number from {least} to {most} is expected", self.where)
        return self.value

    def flag(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            raise invalid("true or false is expected", self.where)
        return self.value

    def day(self) -> date:
        """An ISO 8601 calendar day."""
        if not isinstance(self.value, str):
            raise invalid("a date such as 2025-01-31 is expected", self.where)
        return read_day(self.value, where=self.where)


def ensure_no_circle(references: Mapping[str, Collection[str]], where: str) -> None:
    """Refuse names that lean on each other in a circle; names that nobody defines are left to the caller."""
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise invalid(f"a price leans on itself: {' -> '.join((*path, name))}", where)
        if name in done:
            return
        for other in sorted(references.get(name, ())):
            visit(other, (*path, name))
        done.add(name)

    for name in references:
        visit(name, ())
