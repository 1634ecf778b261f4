"""Which text messages went to patients? What was said, to which number, when, and whether it went out.

A page to look at: when a patient says "I got nothing", somebody can tell why. The number is masked but for its end, and
the code of the link is left out, because it is the patient's. No message names care, so no line of the page does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from drachm.adapters.rest.service.call import Reply
from drachm.adapters.rest.service.desk_frame import Seat, desk, unreadable
from drachm.adapters.rest.service.desk_today import Standing, names_of
from drachm.adapters.rest.service.speech import N_, clock, gettext
from drachm.application.told_messages import SHOWN, Told, told_on, untold
from drachm.domain.errors import InvalidMessage
from drachm.domain.periods import read_day

_STATES: Final = {
    "waiting": Standing("pended", "held", N_("Waits")),
    "sending": Standing("stuck", "refused", N_("Nobody knows")),
    "sent": Standing("paid", "ok", N_("Sent")),
    "unwanted": Standing("pended", "held", N_("Not wanted any more")),
}
_LATER: Final = Standing("pended", "held", N_("Waits for the morning"))
_AGAIN: Final = Standing("pended", "you", N_("Could not be sent yet"))


@dataclass(frozen=True, slots=True)
class Line:
    """One message."""

    told: Told
    who: str
    standing: Standing
    time: str
    day: date
    at: str
    """When it came into its state, or will be tried."""


@desk("open_desk_messages", query={"day": "The day on which they were made, YYYY-MM-DD."})
def open_desk_messages(seat: Seat) -> Reply:
    """The messages of a day; whatever has not gone out stands above, of every day."""
    reach = seat.call.reach()
    parties = None if reach.everything else reach.parties
    records, today = seat.call.market.records, seat.here(seat.call.at).date()
    day = _day(seat.call.query.get("day", "")) or today
    open_lists = [untold(records, state, parties) for state in ("sending", "waiting")]
    open_ones = [one for some in open_lists for one in some]
    of_day = told_on(records, day, parties)
    names = names_of(seat, {one.member for one in [*open_ones, *of_day]})
    return seat.page(
        "desk_messages.html",
        tab="messages",
        day=day,
        today=today,
        before=day - timedelta(days=1) if day > date.min else None,
        after=day + timedelta(days=1) if day < today else None,
        more=len(of_day) == SHOWN,
        more_open=any(len(some) == SHOWN for some in open_lists),
        open_ones=[_line(seat, one, names) for one in open_ones],
        of_day=[_line(seat, one, names) for one in of_day],
    )


def _line(seat: Seat, told: Told, names: dict[str, str]) -> Line:
    standing, at = _STATES[told.state], told.at
    if told.state == "waiting" and told.tries:
        standing = _AGAIN
    elif told.state == "waiting" and told.not_before > seat.call.at:
        standing, at = _LATER, told.not_before
    made, then = seat.here(told.made), seat.here(at)
    return Line(told, names.get(told.member, told.member), standing, clock(made), made.date(), clock(then))


def _day(text: str) -> date | None:
    try:
        return read_day(text) if text else None
    except InvalidMessage:
        raise unreadable(gettext("A day is written as year-month-day, such as 2026-01-31.")) from None
