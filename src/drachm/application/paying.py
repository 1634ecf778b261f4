"""Who takes up what was left lying, tops up what runs low, and collects what is due? One thread beside the workers.

Several may be at it: whatever they begin, ask or book has keys of its own and happens once. Between two full looks only
pots that moved are asked whether they run low: nothing here costs what there is, but what happens.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from drachm.application.automatic_top_ups import RULE, keep_topped_up, newly_ruled
from drachm.application.collection import DueReading, Policy, apply_collected, keep_collecting
from drachm.application.desk import Desk
from drachm.application.over_and_over import over_and_over
from drachm.application.payments import LOOK_AFTER, work_through
from drachm.application.rails import Rail
from drachm.application.records import Records
from drachm.application.refunds import work_through_refunds

SECONDS: Final = 10.0
"""Between two looks at what was left lying."""
FULL_LOOK: Final = timedelta(hours=1)
"""Between two looks at every rule and everybody who owes: time alone makes them due."""

_log = logging.getLogger("drachm.paying")


class PayReading(DueReading, Protocol):
    """What paying looks up, as `MoneyReading` says it."""

    def moved_pots(self, kind: str, after: int) -> tuple[list[str], int]: ...


@dataclass(frozen=True, slots=True)
class Payer:
    """Everything of one tenant that paying needs."""

    rails: Mapping[str, Rail]
    desk: Desk
    records: Records
    reading: PayReading
    collecting: Mapping[str, Policy] = field(default_factory=dict)


class _Looks:
    """When was looked last, and how far."""

    def __init__(self) -> None:
        self._at: dict[str, datetime] = {}
        self.position = -1

    def due(self, what: str, every: timedelta, now: datetime) -> bool:
        last = self._at.get(what)
        if last is not None and now - last < every:
            return False
        self._at[what] = now
        return True


def keep_paying(payer: Payer, stopping: threading.Event, *, pause: float = SECONDS) -> None:
    """Work until `stopping` is set. What breaks is said, and tried again at the next look."""
    looks = _Looks()

    def look() -> float:
        _look(payer, looks)
        return pause

    over_and_over(look, stopping, _log, "payments cannot be taken up", broken=pause, first=pause)


def _look(payer: Payer, looks: _Looks) -> None:
    rails, desk, records, reading = payer.rails, payer.desk, payer.records, payer.reading
    now = desk.clock.now()
    waiting, full = looks.due("waiting", LOOK_AFTER, now), looks.due("full", FULL_LOOK, now)
    work_through(rails, desk, records, waiting=waiting)
    work_through_refunds(rails, desk, records, waiting=waiting)
    apply_collected(desk, records, reading)
    # Where this look ends is asked before the full one: what moves meanwhile is seen by the next.
    moved, looks.position = reading.moved_pots(RULE, looks.position)
    moved += newly_ruled(records)
    keep_topped_up(rails, desk, records, None if full else moved)
    if full:
        keep_collecting(payer.collecting, rails, desk, records, reading)
