"""What was proved lately, so that it need not be proved again for every call?

A small memory that drops the oldest entry when it is full. Every entry carries the number that the store's revocation
counter had when it was proved: one revocation anywhere makes all older entries worthless at once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Proved(Generic[K, V]):
    """At most `size` values; safe between threads."""

    def __init__(self, size: int) -> None:
        self._size = max(size, 0)
        self._entries: OrderedDict[K, tuple[V, int, datetime]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K, version: int, at: datetime) -> V | None:
        """The value, if it was proved under this version and has not ended; else None, and it is forgotten."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            value, proved_under, until = entry
            if proved_under != version or at >= until:
                del self._entries[key]
                return None
            self._entries.move_to_end(key)
            return value

    def put(self, key: K, value: V, version: int, until: datetime) -> None:
        """Remember a value until a moment. `version` is the counter as read *before* the proof was made."""
        with self._lock:
            self._entries[key] = (value, version, until)
            self._entries.move_to_end(key)
            while len(self._entries) > self._size:
                self._entries.popitem(last=False)
