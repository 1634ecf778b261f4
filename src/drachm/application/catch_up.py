"""Who keeps the index of entries near the journal? A thread of the process that follows; of all, one at a time works.

Answers are right without it: they add what the journal holds behind the index. It keeps that little.
"""

from __future__ import annotations

import logging
import threading
from typing import Final

from drachm.application.money_reading import MoneyReading
from drachm.application.over_and_over import over_and_over

PAUSE_SECONDS: Final = 1.0
"""Between two looks, also under load: one piece of many rows costs less than many of few."""
MANY: Final = 10_000
"""After so many rows there is more to do at once."""
BROKEN_SECONDS: Final = 5.0

_log = logging.getLogger("drachm.catch_up")


def keep_catching_up(money: MoneyReading, stopping: threading.Event) -> None:
    """Take new journal rows into the index of entries until `stopping` is set; a silent database is asked again."""

    def look() -> float:
        return 0.0 if money.catch_up() >= MANY else PAUSE_SECONDS

    over_and_over(look, stopping, _log, "the index of entries could not follow the journal", broken=BROKEN_SECONDS)
