"""Which cover was in force when, if all the source says is who paid each visit?

A FHIR export names one payor for each explanation of benefits and no periods. A cover begins on the day of its first
visit and ends where the next payor's first visit begins; the last one is open. The periods are laid so that on the day
of every visit the payor of that visit is in force, in every time zone where the gaps between visits allow it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from drachm.adapters.synthea.payors import Plans, plans_of
from drachm.domain.coverage.model import Coverage
from drachm.domain.errors import DrachmError, Pended
from drachm.domain.periods import Period

# Offsets of civil time go from -12 to +14 hours.
_WEST = timedelta(hours=-12)
_EAST = timedelta(hours=14)


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive visits with one payor."""

    payor: str
    first: datetime
    last: datetime


def runs_of(visits: Iterable[tuple[datetime, str]]) -> list[Run]:
    """Consecutive visits of one payor joined, in order of time; visits without a payor text take no part."""
    ordered = sorted((at, payor) for at, payor in visits if payor)
    found: list[Run] = []
    for payor, group in groupby(ordered, key=lambda visit: visit[1]):
        times = [at for at, _ in group]
        found.append(Run(payor, times[0], times[-1]))
    return found


def coverages_of(
    member: str, runs: Sequence[Run], plans: Plans, where: str
) -> tuple[tuple[Coverage, ...], list[DrachmError]]:
    """The coverages of the runs. A problem names a payor without plan, and a day on which two payors paid."""
    coverages: list[Coverage] = []
    problems: list[DrachmError] = []
    starts = [_start(before, run) for before, run in zip([None, *runs], runs, strict=False)]
    unknown: set[str] = set()
    for index, run in enumerate(runs):
        period = Period(starts[index], starts[index + 1] if index + 1 < len(runs) else None)
        if index and starts[index] <= _day(runs[index - 1].last):
            problems.append(_two_payors(period.start, where))
        ids, problem = plans_of(run.payor, plans, where)
        if problem is not None and run.payor not in unknown:
            unknown.add(run.payor)
            problems.append(problem)
        coverages += [
            Coverage(
                id=f"{member}:{index + 1}:{rank}",
                member=member,
                plan=plan,
                period=period,
                rank=rank,
                facts={
                    "policy_start": period.start.isoformat(),
                    "payer_order": "primary" if rank == 1 else "secondary",
                },
            )
            for rank, plan in enumerate(ids, start=1)
        ]
    return tuple(c for c in coverages if c.period.end is None or c.period.start < c.period.end), problems


def _start(before: Run | None, run: Run) -> date:
    earliest = (run.first + _WEST).date()
    if before is None or (before.last + _EAST).date() < earliest:
        return earliest
    # Visits of two payors within two days: at least the UTC days are kept apart.
    return _day(run.first)


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()


def _two_payors(day: date, where: str) -> Pended:
    return Pended(
        "two_payors",
        f"two payors paid visits on {day.isoformat()}; the later one counts for the whole day",
        where=where,
        next_step="Check the visits of this day; a cover changes at midnight.",
    )
