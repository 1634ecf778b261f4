"""How does every process learn of a change within a second, without asking at each call?

A thread asks a few times a second. Whoever looks gets what it heard last; if that is too old, because the database is
slow or the thread is not running yet, the caller asks itself, and is told when there is no answer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from drachm.domain.errors import DrachmError

EVERY_SECONDS: Final = 0.4
OLDEST_SECONDS: Final = 0.8
"""With the time of one question, and the tenth of a second that the gate remembers, less than a second."""


class Watched:
    """Counters that only rise, as they stand elsewhere. Safe to use from several threads."""

    def __init__(
        self,
        ask: Callable[[], Mapping[str, int]],
        chores: Callable[[], None] = lambda: None,
        *,
        seconds: Callable[[], float] = time.monotonic,
        every: float = EVERY_SECONDS,
    ) -> None:
        self._ask = ask
        self._chores = chores
        self._seconds = seconds
        self._every = every
        self._known: dict[str, int] = {}
        self._as_of = float("-inf")
        self._refused: DrachmError | None = None
        self._refused_at = float("-inf")
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def get(self, name: str) -> int:
        """The counter, at most `OLDEST_SECONDS` old; 0 for one that is not there. Raises as `ask` does."""
        if not self.is_fresh:
            self._start()
            came_at = self._seconds()
            with self._asking:  # Of many who find it old, one asks, and all hear what it was told.
                if not self.is_fresh:
                    if self._refused is not None and self._refused_at >= came_at:
                        raise self._refused
                    self._refresh()
        return self._known.get(name, 0)

    def at_once(self, name: str) -> int | None:
        """The same without asking anybody; None where what is known is too old."""
        return self._known.get(name, 0) if self.is_fresh else None

    def learned(self, name: str, value: int) -> None:
        """What this process changed itself, it knows at once."""
        with self._lock:
            self._known[name] = max(value, self._known.get(name, 0))

    def close(self) -> None:
        """Stop asking."""
        self._stop.set()
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(timeout=5)

    @property
    def is_fresh(self) -> bool:
        """Whether there was an answer lately."""
        return self._seconds() - self._as_of < OLDEST_SECONDS

    def _refresh(self) -> None:
        asked_at = self._seconds()
        try:
            heard = self._ask()
        except DrachmError as error:
            self._refused, self._refused_at = error, self._seconds()
            raise
        with self._lock:
            for name, value in heard.items():
                self._known[name] = max(value, self._known.get(name, 0))
            self._as_of = max(self._as_of, asked_at)

    def _start(self) -> None:
        # Not before it is needed: a process that forks first begins with no thread of its own.
        with self._lock:
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._run, name="drachm-watch", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            try:
                self._refresh()
                self._chores()
            except DrachmError:
                continue  # Whoever looks meanwhile asks itself, and is told.
