"""How is a value made cheaply that nobody may change?

`dataclass(frozen=True)` makes every field through `object.__setattr__`, which for the thirty fields of an event costs
five times the event itself; the hot path makes several such values an event. A `record` is the same class made by
plain assignment. That nobody assigns to its fields afterwards is held by the type checker, which sees it as frozen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """A slotted dataclass compared by value, frozen for the type checker; it has no hash.

    `replace`, `fields` and keyword construction work as for every dataclass.
    """
    return dataclass(slots=True)(cls)
