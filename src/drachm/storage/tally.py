"""Where do an audit's running sums live when there are more of them than memory?"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_CACHED: Final = 100_000


class DiskTally:
    """Sums by key: the recent ones in memory, the rest in a throw-away file that vanishes with the object."""

    def __init__(self, folder: Path | None = None, *, cached: int = _CACHED) -> None:
        self._cached = cached
        self._changed: dict[str, int] = {}
        # An empty name makes a private temporary database that SQLite deletes when it is closed.
        self._file = sqlite3.connect("" if folder is None else str(folder / "tally"), isolation_level=None)
        self._file.execute("PRAGMA synchronous = OFF")
        self._file.execute("PRAGMA journal_mode = OFF")
        self._file.execute(
            "CREATE TABLE IF NOT EXISTS tally (key TEXT PRIMARY KEY, sum INTEGER NOT NULL) WITHOUT ROWID"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def get(self, key: str) -> int:
        """The sum of a key; 0 when nothing was added."""
        found = self._changed.get(key)
        if found is None:
            row = self._file.execute("SELECT sum FROM tally WHERE key = ?", (key,)).fetchone()
            found = self._changed[key] = row[0] if row else 0
            if len(self._changed) > self._cached:
                self._spill()
        return found

    def add(self, key: str, delta: int) -> None:
        """Add to the sum of a key."""
        self._changed[key] = self.get(key) + delta

    def count(self) -> int:
        """How many sums are not zero."""
        self._spill()
        return int(self._file.execute("SELECT count(*) FROM tally WHERE sum <> 0").fetchone()[0])

    def _spill(self) -> None:
        rows = list(self._changed.items())
        self._file.execute("BEGIN")
        self._file.executemany(
            "INSERT INTO tally VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET sum = excluded.sum", rows
        )
        self._file.execute("COMMIT")
        self._changed.clear()
