"""What do many charges say together? The port that pages and calls read figures through; always of one tenant.

Kept beside the journal, a moment behind it, and added up from a few rows a day: the answer takes as long with a million
charges as with a hundred. Fulfilled by `storage/figures.py`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple, Protocol

from drachm.application.journal_index import JournalIndex
from drachm.application.over_and_over import over_and_over
from drachm.domain.clearing.model import Status
from drachm.domain.errors import DrachmError
from drachm.domain.figures.hiding import Group
from drachm.domain.figures.spans import Count

AGES: Final = (1, 7, 30, 60, 90)
"""Last day of each step of age but the last, which has none."""
IDLE_SECONDS: Final = 0.4
"""Between two looks when there has been nothing for a while."""
REST: Final = 2
"""Time left to others for each time of work."""
COUNT_SECONDS: Final = 1.0
"""How long rows wait to be counted, unless there are many."""
MANY: Final = 1_000
"""Rows that are counted at once, whatever the time."""
PIECE: Final = 500
"""Rows that each takes in one go: whoever has to answer waits for a processor no longer than these take."""
RUSH: Final = 2
"""So many times longer is a pause while at least `RUSH_ROWS` come in it."""
RUSH_ROWS: Final = 50
"""With fewer between two looks nobody is kept from posting."""
BROKEN_SECONDS: Final = 2.0

_log = logging.getLogger("drachm.figures")


class Sums(NamedTuple):
    """What stands of some charges in one currency; billed = agreed cut + insurers + patients. Micros."""

    currency: str
    charges: int
    denied: int
    """Of these, those to which every payer said no."""
    billed: int
    insurers: int
    patients: int
    due: int
    """Of the patients' part, what is still asked of them."""
    forgone: int = 0
    """Of the patients' part, what providers no longer ask for: nobody pays it."""

    @property
    def cut(self) -> int:
        """Asked, but nobody pays it."""
        return self.billed - self.insurers - self.patients

    @property
    def agreed(self) -> int:
        """What insurers and patients bear together, before anything of it is given up."""
        return self.insurers + self.patients

    @property
    def paid(self) -> int:
        """Of the patients' part, what was paid."""
        return self.patients - self.due - self.forgone


class Age(NamedTuple):
    """What is owed for care of one age, in one currency. Micros."""

    currency: str
    step: int
    """Place in `AGES`; behind its end: older."""
    insurers: int
    patients: int


class Queue(NamedTuple):
    """Events that wait for one reason."""

    reason: str
    number: int
    oldest: datetime
    """When the first of them came."""
    hour: int
    """So many wait for less than an hour, ..."""
    day: int
    week: int
    longer: int


class HalfHour(NamedTuple):
    """What was answered with one status in half an hour, by how long it took."""

    began: datetime
    status: Status
    counts: Sequence[Count]


class Agreement(NamedTuple):
    """Two sums that must be one: of the lines, decided again, and of the entries. Micros."""

    currency: str
    lines: int
    entries: int


class Overview(NamedTuple):
    """Everything that one page of figures needs, of one moment."""

    sums: Sequence[Sums]
    """By currency, the one with most charges first."""
    from_care: Sequence[Count]
    """From the care until it stood in the books; of first answers."""
    from_receipt: Sequence[Count]
    """From when we had the event until then."""
    ageing: Sequence[Age]
    """Of everything, whatever months were asked for."""
    care: Sequence[tuple[str, Group]]
    """(currency, kind of care); no group is hidden yet."""
    refusals: Sequence[tuple[str, Group]]
    """(currency, reason of the first payer)."""
    queue: Sequence[Queue]
    books: Sequence[Agreement]
    behind: int
    """Journal positions that are not in these figures yet."""


class Figures(Protocol):
    """The figures of one tenant."""

    def follow(self, limit: int = 1000) -> int:
        """Take in up to `limit` journal rows that the readers' index has; how many there were. One at a time in all
        processes: another finds nothing to do."""

    def rebuild(self) -> int:
        """Forget everything and take in all rows again, as one change; how many there were."""

    def months(self, parties: Collection[str] | None) -> list[tuple[date, int]]:
        """(first day of a month, charges), newest first; of these providers, None: of all."""

    def overview(
        self, parties: Collection[str] | None, since: date, until: date, today: date, now: datetime
    ) -> Overview:
        """Figures of the charges of some whole months, `since` the first day and `until` the last."""

    def half_hours(self, since: datetime) -> list[HalfHour]:
        """What the engine answered since then, oldest first; of the whole tenant."""


def keep_near(index: JournalIndex, figures: Figures, stopping: threading.Event, *, pause: float) -> None:
    """Keep the readers' index near the journal, and the figures behind it, until `stopping` is set.

    In one thread, because the figures take the rows as the index has opened them. Both rest together, twice as long as
    they worked, and longer while many rows come: posting comes first, and many rows at a time cost less each. What is
    left behind when hardly anybody posts any more is taken without a rest. What breaks in the figures is said, and does
    not hold up the index.
    """
    wait, waiting, due, broken = pause, 0, 0.0, False
    behind: int | None = None
    """How far the index was behind after the last look; None: it was not asked."""

    def came(found: int) -> int:
        """About how many rows were posted since the last look, in which the index took in `found`."""
        nonlocal behind
        before = behind
        behind = index.lag() if found == PIECE else 0
        return found if before is None else behind - before + found

    def count() -> int:
        nonlocal broken
        broken = True
        try:
            counted = figures.follow(PIECE)
            broken = False
            return counted
        except Exception as error:  # noqa: BLE001 - lists go on without figures
            _log.error(
                "the figures could not follow the journal: %s",
                error.code if isinstance(error, DrachmError) else type(error).__name__,
            )
            return 0

    def look() -> float:
        nonlocal wait, waiting, due
        began = time.monotonic()
        found = index.follow(PIECE)
        more, busy = found == PIECE, came(found) >= RUSH_ROWS
        waiting += found
        if began >= due or (waiting >= MANY and not broken):
            counted = count()
            found += counted
            waiting, due = 0, began + (BROKEN_SECONDS if broken else COUNT_SECONDS)
            if counted == PIECE:
                due, more = began, True
        if found:
            wait = REST * (time.monotonic() - began)
            if not more:
                wait = max(RUSH * pause if found >= RUSH_ROWS else pause, wait)
            elif not busy:
                wait = 0.0
        else:
            wait = min(2 * wait, max(IDLE_SECONDS, pause))
        return wait

    over_and_over(look, stopping, _log, "the readers' index cannot follow", broken=BROKEN_SECONDS)
