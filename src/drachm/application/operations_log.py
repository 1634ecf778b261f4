"""What became of a call that moves money, for whoever lost its answer?

A caller gives each intention a key. Whoever carries it out claims the key first, and keeps the answer afterwards. A
claim outlives its process; after `CLAIM_SECONDS` without an answer another call may take it over. The work behind every
such call has a natural key of its own made from this one, so that a second run finds what the first one did and changes
nothing: taking a claim over too early costs work, never money.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

CLAIM_SECONDS = 120
"""Four times as long as a request may take."""
KEEP_DAYS = 90


@dataclass(frozen=True, slots=True)
class Claimed:
    """What is known of a key: `new` (carry on, under `claim`), `working`, `other` content, `done` with its answer."""

    state: Literal["new", "working", "other", "done"]
    claim: bytes = b""
    answer: bytes = b""


@dataclass(frozen=True, slots=True)
class Kept:
    """A call by its key."""

    begun_at: datetime
    done_at: datetime | None
    answer: bytes
    """Empty while it is worked on."""


class OperationsLog(Protocol):
    """The keys of one tenant. `name` is 16 bytes of a hash of caller and key, `slot` 16 bytes of one of caller, route
    and key, `content` 32 bytes of one of the request."""

    def begin(self, name: bytes, slot: bytes, content: bytes) -> Claimed:
        """Claim a slot; of many at the same moment one does."""

    def finish(self, name: bytes, slot: bytes, claim: bytes, answer: bytes) -> None:
        """Keep the answer, sealed, for `KEEP_DAYS`. The first answer stays when a claim was taken over meanwhile."""

    def release(self, name: bytes, slot: bytes, claim: bytes) -> None:
        """Forget the claim, if it is still held: nothing was decided."""

    def replace(self, words: Collection[bytes], instead: bytes) -> int:
        """Put another answer in the place of each that holds one of these words; how many there were. A key whose
        answer is gone would be worked on again."""

    def of(self, name: bytes) -> list[Kept]:
        """The calls that a caller made with a key, the newest last."""
