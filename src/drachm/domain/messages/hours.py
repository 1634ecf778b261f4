"""When may a message come? Never between 21 and 8 by the clock where the clinic is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

FIRST_HOUR: Final = 8
LAST_HOUR: Final = 21


def not_before(moment: datetime, zone: tzinfo) -> datetime:
    """The earliest time, in UTC, at which something that is ready at `moment` may be sent."""
    here = moment.astimezone(zone)
    if FIRST_HOUR <= here.hour < LAST_HOUR:
        return moment.astimezone(UTC)
    morning = here.replace(hour=FIRST_HOUR, minute=0, second=0, microsecond=0)
    if here.hour >= LAST_HOUR:
        morning += timedelta(days=1)
    return morning.astimezone(UTC)
