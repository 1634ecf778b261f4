"""Up to which journal position has a thread looked, also after its process died?

The place is kept once in a while only: a version for each look would be a record of its own length. So what was looked
at shortly before a crash is looked at once more, and whoever looks must not mind.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from drachm.application.records import Record, Records
from drachm.domain.errors import Conflict

REMEMBER_SECONDS: Final = 60.0
"""How much is looked at once more after a process died, at most."""


class Place:
    """Of one thread's kind of work."""

    def __init__(self, kind: str, records: Records, now: Callable[[], datetime]) -> None:
        self._kind = kind
        self._records = records
        self._now = now
        self._kept: Record | None = None
        self._kept_at = datetime.min.replace(tzinfo=UTC)
        self.position = -1
        """Up to where everything is done; -1: not looked up yet."""

    def find(self) -> bool:
        """Look up where the work stands, if it was not yet; whether there was any before."""
        if self.position < 0:
            self._kept = self._records.get(self._kind, "all")
            self.position = int(self._kept.body["position"]) if self._kept is not None else 0
        return self._kept is not None

    def go_on(self, position: int) -> None:
        """Everything up to here is done."""
        self.position = position
        now = self._now()
        if (now - self._kept_at).total_seconds() < REMEMBER_SECONDS:
            return
        self._kept_at = now
        version = self._kept.version if self._kept is not None else 0
        place = Record(self._kind, "all", {"position": position}, version, author="drachm", at=now)
        try:
            [self._kept] = self._records.put([place])
        except Conflict:
            self._kept = self._records.get(self._kind, "all")
