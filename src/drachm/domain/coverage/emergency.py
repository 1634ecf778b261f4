"""Who may look beyond their own clinic when it is urgent, for how long, and who looks at it afterwards?

Nobody is asked first, because care does not wait; so everything that is seen is written down, and somebody else reads
it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from drachm.domain.errors import Conflict, Forbidden, InvalidMessage

Reason = Literal["patient_here", "other_clinic_asks", "patient_asks", "safety"]
Verdict = Literal["right", "not_right"]
LONGEST: Final = timedelta(hours=1)
SHORTEST: Final = timedelta(minutes=5)
_WORDS_LEAST: Final = 10


@dataclass(frozen=True, slots=True)
class Emergency:
    """One person's wider reach for a while."""

    id: str
    subject: str
    reason: Reason
    words: str
    """What it is for, in the person's own words."""
    since: datetime
    until: datetime
    ended_at: datetime | None = None
    reviewed_by: str = ""
    reviewed_at: datetime | None = None
    verdict: Literal["", "right", "not_right"] = ""
    remark: str = ""

    def holds(self, at: datetime) -> bool:
        """Whether it lets somebody look at that moment."""
        return self.since <= at < self.until and (self.ended_at is None or at < self.ended_at)


def taken(wish: Emergency) -> Emergency:
    """The wish, if it can be one. Raises InvalidMessage without words of its own, or for a time that is none."""
    if len(wish.words.strip()) < _WORDS_LEAST:
        raise InvalidMessage("say in a few words what it is for", where="words", code="invalid_emergency")
    if not SHORTEST <= wish.until - wish.since <= LONGEST:
        raise InvalidMessage("it lasts 5 to 60 minutes", where="minutes", code="invalid_emergency")
    return wish


def given_back(emergency: Emergency, at: datetime) -> Emergency:
    """The same, ended; one that is over stays as it is."""
    return replace(emergency, ended_at=at) if emergency.holds(at) else emergency


def reviewed(emergency: Emergency, by: str, verdict: Verdict, remark: str, at: datetime) -> Emergency:
    """The same with what somebody else thinks of it.

    Raises Forbidden for the person themselves, Conflict while it still holds or when it was looked at before.
    """
    if not by or by == emergency.subject:
        raise Forbidden("nobody reviews their own emergency access", where="emergency_id")
    if emergency.holds(at):
        raise Conflict("it still holds", where="emergency_id", next_step="Look at it when it is over.")
    if emergency.reviewed_at is not None:
        raise Conflict("somebody has looked at it already", where="emergency_id", next_step="Read what they said.")
    return replace(emergency, reviewed_by=by, reviewed_at=at, verdict=verdict, remark=remark)
