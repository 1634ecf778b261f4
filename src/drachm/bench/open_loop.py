"""How long does an event wait when events come at their own pace, whether we are ready or not?

An open loop: the times of arrival are fixed before the start, so a slow answer never slows the load down, and the wait
of an event counts from the moment it was due (no coordinated omission). Whatever is due when the last commit is done is
the next batch. A bounded queue sheds what comes beyond it; drops are counted, never silently retried.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from drachm.domain.events.model import ServiceEvent

NAP_SECONDS: Final = 0.000_05
"""The shortest pause: less than a timer can keep."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The load one writer is offered."""

    rate: float
    """Arrivals a second, on average; the gaps are those of independent senders (exponential)."""
    queue: int
    """Most events that may wait; what comes beyond is dropped, as an HTTP front answers 429."""
    seed: int
    sent_again_ppm: int = 10_000
    """Of all arrivals, those that their sender sends once more a little later, not having heard the answer."""


@dataclass(slots=True)
class Served:
    """What became of the arrivals."""

    arrivals: int = 0
    dropped: int = 0
    waits: list[float] = field(default_factory=list)
    """Seconds from being due to being committed, of every event that was served."""
    queue_most: int = 0


class OpenLoop:
    """Arrivals with their times, handed out as they come due."""

    def __init__(self, events: Sequence[ServiceEvent], offer: Offer) -> None:
        chance = random.Random(f"{offer.seed}/arrivals")
        times = list(accumulate(chance.expovariate(offer.rate) for _ in events))
        arrivals = list(zip(times, events, strict=True))
        again = [
            (at + chance.uniform(0.05, 2.0), event)
            for at, event in arrivals
            if chance.randrange(1_000_000) < offer.sent_again_ppm
        ]
        self._arrivals = sorted([*arrivals, *again], key=lambda arrival: arrival[0])
        self._queue = offer.queue
        self._due: list[float] = []
        self._zero = 0.0
        self.served = Served(arrivals=len(self._arrivals))

    def batches(
        self, most: int, now: Callable[[], float], sleep: Callable[[float], None]
    ) -> Iterator[list[ServiceEvent]]:
        """The next batch each time the caller asks, which it does when the last one is committed."""
        self._zero = now()
        waiting: list[tuple[float, ServiceEvent]] = []
        place = 0
        while waiting or place < len(self._arrivals):
            passed = now() - self._zero
            come = place
            while come < len(self._arrivals) and self._arrivals[come][0] <= passed:
                come += 1
            room = self._queue - len(waiting)
            waiting.extend(self._arrivals[place : min(come, place + room)])
            self.served.dropped += max(0, come - place - room)
            self.served.queue_most = max(self.served.queue_most, len(waiting))
            place = come
            if not waiting:
                sleep(max(NAP_SECONDS, self._arrivals[place][0] - passed))
                continue
            batch, waiting = waiting[:most], waiting[most:]
            self._due = [at for at, _ in batch]
            yield [event for _, event in batch]

    def answered(self, at: float) -> None:
        """The batch that was handed out last is committed."""
        self.served.waits.extend(at - self._zero - due for due in self._due)
