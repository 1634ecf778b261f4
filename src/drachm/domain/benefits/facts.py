"""Does a value fit what the plan declares?

One test per type of fact (docs/reference/plan-model.md, section 2), used when a document is read and for every fact of
every line: integers for numbers and money, ISO 8601 days, booleans, listed words or any text.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Any, Final, TypeGuard

from drachm.domain.benefits.document import FactKind, FactType

Fits = Callable[[Any], bool]


def fits(fact: FactType) -> Fits:
    """The test of a declared fact's values."""
    words = fact.words
    if fact.kind == "words":
        return lambda value: isinstance(value, str) and value in words
    return _TESTS[fact.kind]


def fits_integer(value: Any) -> TypeGuard[int]:
    """Whether a value is a whole number; true and false are not."""
    return isinstance(value, int) and not isinstance(value, bool)


def fits_day(value: Any) -> bool:
    """Whether a value is an ISO 8601 calendar day of the form 2025-03-31."""
    return isinstance(value, str) and _is_day(value)


@lru_cache(maxsize=4096)
def _is_day(value: str) -> bool:
    # The signs are looked at because `fromisoformat` also reads week dates, which do not compare as text.
    if len(value) != 10 or value[4] != "-" or value[7] != "-":
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


_TESTS: Final[dict[FactKind, Fits]] = {
    "text": lambda value: isinstance(value, str),
    "flag": lambda value: isinstance(value, bool),
    "date": fits_day,
    "number": fits_integer,
    "money": fits_integer,
}
