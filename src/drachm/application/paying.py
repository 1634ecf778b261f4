"""Who takes up what was left lying, and tops up what runs low? A thread of every service process that has rails.

Several may be at it: whatever they begin, ask or book has keys of its own and happens once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from drachm.application.automatic_top_ups import keep_topped_up
from drachm.application.desk import Desk
from drachm.application.payments import LOOK_AFTER, work_through
from drachm.application.rails import Rail
from drachm.application.records import Records
from drachm.application.refunds import work_through_refunds
from drachm.domain.errors import DrachmError

SECONDS: Final = 10.0
"""Between two looks at what was left lying."""

_log = logging.getLogger("drachm.paying")


def keep_paying(
    rails: Mapping[str, Rail], desk: Desk, records: Records, stopping: threading.Event, *, pause: float = SECONDS
) -> None:
    """Work until `stopping` is set. What breaks is said, and tried again at the next look."""
    looked: datetime | None = None
    while not stopping.wait(pause):
        try:
            now = desk.clock.now()
            waiting = looked is None or now - looked >= LOOK_AFTER
            work_through(rails, desk, records, waiting=waiting)
            work_through_refunds(rails, desk, records, waiting=waiting)
            looked = now if waiting else looked
            keep_topped_up(rails, desk, records)
        except DrachmError as error:
            _log.error("payments cannot be taken up: %s", error.code)
