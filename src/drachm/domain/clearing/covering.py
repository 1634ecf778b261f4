"""Under which plans does a person stand, and on which days is that so?

Most lines of a person find the same plans as the line before, so what follows from them is kept with the person.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

from drachm.domain.benefits import Stack
from drachm.domain.clearing.documents import EVER, Documents, Version, around
from drachm.domain.clearing.model import Cover
from drachm.domain.coverage.model import NO_PLAN, Coverage
from drachm.domain.errors import Pended
from drachm.domain.events.model import Fact
from drachm.domain.local_day import local_date

# As the class itself, but several times faster.
_new: Final = tuple.__new__


class Covering:
    """The covers of a person on some days, and what a line needs of them."""

    __slots__ = (
        *("_documents", "_end", "_stack", "_start", "_versions_end", "_versions_start", "_zone"),
        *("covers", "facts", "policies", "policy"),
    )

    def __init__(
        self, coverages: tuple[Coverage, ...], documents: Documents, at: datetime, day: date, zone: str
    ) -> None:
        """`day` is the local service date in `zone`. Raises `Pended` for a plan that is not published."""
        self._documents = documents
        self._start, self._end = EVER
        """The days on which the same coverages hold, up to the first behind them."""
        self._versions_start, self._versions_end = EVER
        """The days of the plans' calendar on which the same versions are in force."""
        self._zone = ""
        self._stack: Stack | None = None
        covers: list[Cover] = []
        self.facts: Mapping[str, Mapping[str, Fact]] = {}
        """Facts of each plan's cover, where there are any."""
        self.policies: dict[str, str] = {}
        for coverage in coverages:
            name, period, facts = coverage.plan, coverage.period, coverage.facts
            if name == NO_PLAN:
                continue
            self._start, self._end = around(day, period.start, period.end, self._start, self._end)
            if day not in period:
                continue
            version = documents.version(name, at, day, zone)
            if version is None:
                raise Pended("unknown_plan", f"plan {name} is not published for {day}", where="coverage")
            covers.append(_new(Cover, (coverage, version.hash, version.payer)))
            self._follow(version)
            if facts:
                self.facts = {**self.facts, name: facts}
            self.policies[name] = coverage.policy or coverage.id
        self.covers = tuple(covers)
        self.policy = self.policies[covers[0].coverage.plan] if covers else ""

    def _follow(self, version: Version) -> None:
        """Hold no longer than a version does; where plans count days in several zones, not at all."""
        if self._zone and version.zone != self._zone:
            self._end = date.min
        self._zone = version.zone
        self._versions_start = max(self._versions_start, version.start)
        self._versions_end = min(self._versions_end, version.end)

    @property
    def stack(self) -> Stack:
        """The compiled plans. Raises `InvalidMessage` for plans that cannot stand together."""
        if self._stack is None:
            self._stack = self._documents.stack(self.covers)
        return self._stack

    def holds(self, documents: Documents, at: datetime, day: date, zone: str) -> bool:
        """Whether it is what would be found now; `day` is the local service date in `zone`.

        Plans whose versions or calendars are not of a kind are looked up each time.
        """
        if documents is not self._documents or not self._start <= day < self._end:
            return False
        if not self.covers:
            return True
        here = day if self._zone == zone else local_date(at, self._zone)
        return self._versions_start <= here < self._versions_end
