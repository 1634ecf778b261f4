"""What was read before, and may be used again without asking?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """Values by key, bounded: what nobody asked for while `most` others came is forgotten. Safe in several threads.

    Two generations instead of one exact order: a look costs one dictionary access.
    """

    def __init__(self, most: int) -> None:
        self._half = max(1, most // 2)
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """The value of a key, if it is remembered."""
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is not None:
                self.put(key, found)
        return found

    def put(self, key: K, value: V) -> None:
        """Remember a value."""
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[key] = value

    def every(self, keys: Iterable[K], make: Callable[[K], V]) -> dict[K, V]:
        """The value of each key; `make` says those that are not remembered, and they are from now on."""
        found: dict[K, V] = {}
        get = self._young.get
        for key in keys:
            value = get(key)
            if value is None:
                value = self.get(key)
                if value is None:
                    value = make(key)
                    self.put(key, value)
                get = self._young.get
            found[key] = value
        return found

    def look(self, keys: Iterable[K]) -> tuple[dict[K, V], list[K]]:
        """What is remembered of these, and the keys of the others."""
        found: dict[K, V] = {}
        missing: list[K] = []
        for key in keys:
            value = self._young.get(key)
            if value is None:
                value = self.get(key)
            if value is None:
                missing.append(key)
            else:
                found[key] = value
        return found, missing

    def drop(self, keys: Iterable[K]) -> None:
        """Forget these."""
        for key in keys:
            self._young.pop(key, None)
            self._old.pop(key, None)

    def clear(self) -> None:
        """Forget everything."""
        self._old, self._young = {}, {}

    def __len__(self) -> int:
        return len(self._young.keys() | self._old.keys())


class Roll(Remembered[str, V]):
    """Values by name, bounded in the same way, that are forgotten by number. For one thread at a time."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self._most = most
        self._names: dict[int, str] = {}
        """By number; also of some that are remembered no longer."""

    def enter(self, number: int, name: str, value: V) -> None:
        """Remember a value by name and number."""
        self.put(name, value)
        self._names[number] = name
        if len(self._names) > 2 * self._most:
            here = self._young.keys() | self._old.keys()
            self._names = {number: name for number, name in self._names.items() if name in here}

    def drop_numbers(self, numbers: Iterable[int]) -> None:
        """Forget those with these numbers."""
        self.drop([self._names.pop(number) for number in numbers if number in self._names])
