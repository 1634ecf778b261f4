"""Under which plans does a person stand, and on which days is that so?

Most lines of a person find the same plans as the line before, so what follows from them is kept with the person.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from drachm.domain.benefits import Stack
from drachm.domain.clearing.documents import Documents
from drachm.domain.clearing.model import Cover
from drachm.domain.coverage.model import NO_PLAN, Coverage
from drachm.domain.errors import Pended
from drachm.domain.events.model import Fact
from drachm.domain.local_day import local_date
from drachm.domain.periods import Period


class Days:
    """A span of days that shrinks to what several periods have in common."""

    __slots__ = ("end", "start")

    def __init__(self) -> None:
        self.start = date.min
        self.end = date.max
        """The first day behind the span."""

    def keep(self, period: Period, day: date) -> None:
        """Keep the days around `day` that lie in the period as `day` does, or outside as it does."""
        for edge in (period.start, period.end):
            if edge is None:
                continue
            if edge <= day:
                self.start = max(self.start, edge)
            else:
                self.end = min(self.end, edge)


class Covering:
    """The covers of a person on some days, and what a line needs of them."""

    __slots__ = ("_days", "_documents", "_stack", "_versions", "_zone", "covers", "facts", "policies", "policy")

    def __init__(self, coverages: tuple[Coverage, ...], documents: Documents, at: datetime, day: date) -> None:
        """`day` is the local service date. Raises `Pended` for a plan that is not published."""
        self._documents = documents
        self._days = Days()
        self._versions = Days()
        """On which days of the plans' calendar their versions are in force."""
        self._zone = ""
        self._stack: Stack | None = None
        covers = []
        for coverage in coverages:
            if coverage.plan == NO_PLAN:
                continue
            self._days.keep(coverage.period, day)
            if day not in coverage.period:
                continue
            plan = documents.plan(coverage.plan, at)
            if plan is None:
                raise Pended("unknown_plan", f"plan {coverage.plan} is not published for {day}", where="coverage")
            covers.append(Cover(coverage, plan.hash, plan.payer))
            periods = documents.periods(plan.id)
            if periods is None or plan.zone != (self._zone or plan.zone):
                self._days.end = date.min
            for period in periods or ():
                self._versions.keep(period, local_date(at, plan.zone))
            self._zone = plan.zone
        self.covers = tuple(covers)
        self.facts: Mapping[str, Mapping[str, Fact]] = {
            cover.coverage.plan: cover.coverage.facts for cover in covers if cover.coverage.facts
        }
        """Facts of each plan's cover, where there are any."""
        self.policies = {cover.coverage.plan: cover.coverage.policy or cover.coverage.id for cover in covers}
        first = covers[0].coverage if covers else None
        self.policy = (first.policy or first.id) if first else ""

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
        days, versions = self._days, self._versions
        if documents is not self._documents or not days.start <= day < days.end:
            return False
        if not self.covers:
            return True
        return versions.start <= (day if self._zone == zone else local_date(at, self._zone)) < versions.end
