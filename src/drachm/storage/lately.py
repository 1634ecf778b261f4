"""Which journal rows were opened a moment ago, for whoever follows the journal behind the first?

Reading and opening a body costs more than most of what is done with it. Who follows first leaves the opened rows here,
the next takes them; whoever finds nothing, after a crash or far behind, reads the journal itself. Only memory: each
follower's own place in the database says where it goes on.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from typing import Final

from drachm.application.follow import Opened

MOST: Final = 3_000
"""Rows that are kept; more is only in the journal."""


class Lately:
    """Opened rows without a gap, behind one position up to another. Safe to use from several threads."""

    def __init__(self, most: int = MOST) -> None:
        self._lock = threading.Lock()
        self._most = most
        self._rows: deque[Opened] = deque()
        self._after = self._until = 0
        """Every row behind the one, up to the other, is here; of the same position: none is."""

    def keep(self, after: int, until: int, rows: Sequence[Opened]) -> None:
        """All rows behind `after` up to `until`, in order."""
        with self._lock:
            if after != self._until:
                self._rows.clear()
                self._after = after
            self._rows.extend(rows)
            self._until = until
            while len(self._rows) > self._most:
                self._after = self._rows.popleft().stored.position

    def take(self, after: int, until: int, limit: int) -> tuple[list[Opened], int] | None:
        """The next rows behind `after`, `limit` and not beyond `until`, and up to where they are all; None when they
        are not here. What is taken, and what lies before it, is forgotten."""
        with self._lock:
            if not self._after <= after < self._until:
                return None
            whole = min(until, self._until)
            taken: list[Opened] = []
            rows = self._rows
            while rows and rows[0].stored.position <= whole and len(taken) < limit:
                row = rows.popleft()
                if row.stored.position > after:
                    taken.append(row)
            if len(taken) == limit:
                whole = taken[-1].stored.position
            self._after = max(after, whole)
            return taken, whole

    def forget(self) -> None:
        """Nothing was opened: somebody was erased."""
        with self._lock:
            self._rows.clear()
            self._after = self._until = 0
