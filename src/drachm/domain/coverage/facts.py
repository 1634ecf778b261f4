"""What may a plan look at, for this event, this member, this provider, on this day?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from operator import attrgetter
from typing import Any, Final

from drachm.domain.coverage.model import Coverage, Member
from drachm.domain.events.model import Fact, ServiceEvent
from drachm.domain.local_day import local_date
from drachm.domain.periods import age_on

_RANK_AND_ID = attrgetter("rank", "id")


def in_force(coverages: Iterable[Coverage], day: date) -> tuple[Coverage, ...]:
    """The coverages of one member that hold on a day, primary first (ties by id)."""
    found = [coverage for coverage in coverages if day in coverage.period]
    if len(found) > 1:
        found.sort(key=_RANK_AND_ID)
    return tuple(found)


_FOLLOWING: Final = {
    "service": 1,
    "code_system": 2,
    "network": 3,
    "emergency": 4,
    "authorised": 5,
    "filing_days": 6,
    "place_of_service": 7,
    "age": 8,
    "sex": 9,
}
"""Facts that follow from what is known otherwise; they come before what anybody says."""


class LineFacts:
    """All but the coverages' own facts. A plan looks at three of fourteen, so each is found when it is asked for.

    What follows from the line comes first: `service`, `code_system`, `network`, `emergency`, `authorised`,
    `filing_days`, `place_of_service`, and where they are known `age` and `sex`. Then what the price book says, the
    event, `category` (the event's word, else the price book's), the member, and last the provider and its site.
    """

    __slots__ = ("_book", "_category", "_day", "_event", "_member", "_network", "_premises", "_received", "_zone")

    def __init__(
        self,
        event: ServiceEvent,
        member: Member,
        premises: Mapping[str, Fact],
        network: str,
        category: str,
        book: Mapping[str, Fact],
        day: date,
        received: datetime,
        zone: str,
    ) -> None:
        """`day` is the local service date in the zone."""
        self._event = event
        self._member = member
        self._premises = premises
        """Of the provider, the site's overriding them."""
        self._network = network
        self._category = category
        self._book = book
        self._day = day
        self._received = received
        self._zone = zone

    def get(self, name: str, default: Any = None, /) -> Any:
        """A fact; the default where nobody says it."""
        following = _FOLLOWING.get(name)
        if following is not None:
            found = self._following(following)
            if found is not None:
                return found
        if self._book and name in self._book:
            return self._book[name]
        said = self._event.facts
        if name in said:
            return said[name]
        if name == "category":
            return self._category
        own = self._member.facts
        if own and name in own:
            return own[name]
        return self._premises.get(name, default)

    def keys(self) -> list[str]:
        """Of every fact that somebody says."""
        following = [name for name, number in _FOLLOWING.items() if self._following(number) is not None]
        return list({*following, *self._book, *self._event.facts, "category", *self._member.facts, *self._premises})

    def __getitem__(self, name: str, /) -> Any:
        """A fact; KeyError where nobody says it."""
        found = self.get(name)
        if found is None:
            raise KeyError(name)
        return found

    def _following(self, number: int) -> Any:
        event, member = self._event, self._member
        if number == 1:
            return event.code.value
        if number == 2:
            return event.code.system
        if number == 3:
            return self._network
        if number == 4:
            return event.emergency
        if number == 5:
            return bool(event.authorisation)
        if number == 6:
            return max(0, (local_date(self._received, self._zone) - self._day).days)
        if number == 7:
            return event.place_of_service
        if number == 8:
            return None if member.birth_date is None else max(0, age_on(member.birth_date, self._day))
        return member.sex or None
