"""Which codebook is used, and when is it time for a new one?

A process looks at its own traffic after 2,000 bodies, then after twice as many each time. It takes the best of the
newest codebooks, and trains one when there is none, when the newest is a million positions old, or when bodies are a
quarter longer than the best one promises. All of it happens after a commit, and none of it can fail a posting.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

from drachm.application.ports import Ids
from drachm.domain.errors import IntegrityError
from drachm.storage import queries
from drachm.storage.codebook import Codebook, train, tried
from drachm.storage.scrub import Sample
from drachm.storage.session import Sessions
from drachm.storage.vault import Vault

FIRST_LOOK: Final = 2_000
"""Bodies; so many are also kept to learn from, at most."""
LOOK_EACH_MAX: Final = 200_000
AGE_MAX: Final = 1_000_000
"""Positions of the journal."""
WORSE_PERCENT: Final = 125
BODY_BYTES_MAX: Final = 1_500
"""A longer body is not learned from."""
SAMPLED_BYTES_MAX: Final = 1_000_000
"""More would take longer than a quarter of a second."""
COMPARED: Final = 4
"""The newest codebooks, of which the best is used: two kinds of traffic need not take turns in replacing them."""
NUMBERS: Final = range(1, 1 << 15)

_SQL: Final = queries.load("codebooks")


class Library:
    """The codebooks of one tenant. Safe to use from several threads."""

    def __init__(self, tenant: int, sessions: Sessions, vault: Vault, ids: Ids) -> None:
        self._tenant = tenant
        self._sessions = sessions
        self._vault = vault
        self._ids = ids
        self._known: dict[int, Codebook] = {}
        self.current: Codebook | None = None
        """With which bodies are sealed."""
        self._lock = threading.Lock()
        self._looking = threading.Lock()
        self._wait = FIRST_LOOK
        self._count = 0
        self._window: deque[tuple[int, bytes]] = deque(maxlen=FIRST_LOOK)
        self._tried_at = 0

    def open(self) -> None:
        """Take the newest codebook there is."""
        self.current = next(iter(self._newest(1)), None)

    def find(self, number: int) -> Codebook:
        """Raises IntegrityError for a codebook that is not here, or not as it was written."""
        found = self._known.get(number)
        if found is not None:
            return found
        with self._sessions.transaction("reader") as conn:
            row = conn.execute(_SQL["codebook"], {"tenant": self._tenant, "id": number}, binary=True).fetchone()
        if row is None:
            raise IntegrityError(
                f"codebook {number} is missing",
                where=f"codebook {number}",
                next_step="Restore its row from a backup: bodies written with it cannot be read without it.",
            )
        since, ppm, sealed = row
        words = self._vault.open_words(number, sealed)
        found = self._known[number] = Codebook(number, words, since=since, ppm=ppm)
        return found

    def committed(self, patients: Iterable[int], bodies: Sequence[bytes], position: int) -> None:
        """Bodies are in the journal, up to a position. Sometimes takes a fifth of a second; raises nothing."""
        with self._lock:
            sampled = zip(patients, bodies, strict=True)
            self._window.extend([one for one in sampled if len(one[1]) <= BODY_BYTES_MAX])
            self._count += len(bodies)
            if self._count < self._wait or not self._looking.acquire(blocking=False):
                return
            samples = _few([Sample(*one) for one in self._window])
            self._window.clear()
            self._count = 0
            self._wait = min(2 * self._wait, LOOK_EACH_MAX)
        try:
            self._look(samples, position)
        except Exception:  # noqa: BLE001 - what was posted is posted; the next look may go better
            pass
        finally:
            self._looking.release()

    def _look(self, samples: list[Sample], position: int) -> None:
        newest = self._newest()
        self.current = _best(newest, samples)
        if self._is_good(newest, samples, position):
            return
        self._tried_at = position
        new = train(samples, self._ids.random_bytes, self.current)
        number = newest[0].number + 1 if newest else NUMBERS[0]
        if new is None or number not in NUMBERS:
            return
        row = {"id": number, "since": position, "ppm": new.ppm, "words": self._vault.seal_words(number, new.words)}
        with self._sessions.transaction("writer") as conn:
            conn.execute(_SQL["add_codebook"], {"tenant": self._tenant, **row})
        # Another process may have been faster: what counts is what is stored.
        self.current = _best(self._newest(), samples)

    def _is_good(self, newest: list[Codebook], samples: list[Sample], position: int) -> bool:
        used = self.current
        if used is None or position - max(newest[0].since, self._tried_at) > AGE_MAX:
            return False
        bodies = tried(samples)
        return used.size(bodies) * 100_000_000 <= sum(map(len, bodies)) * used.ppm * WORSE_PERCENT

    def _newest(self, most: int = COMPARED) -> list[Codebook]:
        """The newest codebooks, the newest first."""
        with self._sessions.transaction("reader") as conn:
            rows = conn.execute(_SQL["newest"], {"tenant": self._tenant, "limit": most}, binary=True).fetchall()
        return [self.find(number) for (number,) in rows]


def _few(samples: list[Sample]) -> list[Sample]:
    """Evenly as many as may be learned from."""
    size = sum(len(body) for _, body in samples)
    return samples[:: 1 + size // SAMPLED_BYTES_MAX]


def _best(books: list[Codebook], samples: list[Sample]) -> Codebook | None:
    bodies = tried(samples)
    return min(books, key=lambda book: book.size(bodies), default=None)
