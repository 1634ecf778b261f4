"""Which journal rows were written or opened a moment ago, for whoever follows the journal behind?

Reading and opening a body costs more than most of what is done with it. Workers leave here what they have just written;
who follows first takes that and leaves the opened rows, the next takes these; whoever finds nothing, after a crash or
far behind, reads the journal itself. Only memory: each follower's own place in the database says where it goes on.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Final

from drachm.application.follow import Opened
from drachm.application.handed import Handed

MOST: Final = 3_000
"""Rows that are kept; more is only in the journal."""
HEARD_MOST: Final = 6_000
HEARD_SECONDS: Final = 30.0
"""How long what a worker said is kept where nobody asks for it: somebody else follows."""


class Lately:
    """Opened rows without a gap, behind one position up to another. Safe to use from several threads."""

    def __init__(self, most: int = MOST) -> None:
        self._lock = threading.Lock()
        self._most = most
        self._rows: deque[Opened] = deque()
        self._after = self._until = 0
        """Every row behind the one, up to the other, is here; of the same position: none is."""
        self._heard: dict[int, tuple[float, Handed]] = {}
        """By position, with the moment when it came; in that order."""

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

    def hear(self, rows: Sequence[Handed]) -> None:
        """What a worker says of rows that it has just written."""
        now = time.monotonic()
        with self._lock:
            heard = self._heard
            for row in rows:
                heard[row.position] = now, row
            while heard:
                oldest = next(iter(heard))
                if len(heard) <= HEARD_MOST and heard[oldest][0] >= now - HEARD_SECONDS:
                    break
                del heard[oldest]

    def has_heard(self) -> bool:
        """Whether a worker has said anything that was not taken."""
        return bool(self._heard)

    def heard(self, until: int) -> dict[int, Handed]:
        """By position, what was said of rows up to `until`; it is forgotten here."""
        with self._lock:
            found = {position: row for position, (_, row) in self._heard.items() if position <= until}
            for position in found:
                del self._heard[position]
            return found

    def forget(self) -> None:
        """Nothing was written or opened: somebody was erased."""
        with self._lock:
            self._rows.clear()
            self._after = self._until = 0
            self._heard.clear()
