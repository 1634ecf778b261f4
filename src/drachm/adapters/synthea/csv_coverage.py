"""Which cover was in force when, by payer_transitions?

A transition is one plan year: half-open instants, a payer, sometimes a secondary payer. Covers count in days, so the
day of the change goes to the payer whose visits it holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from drachm.adapters.synthea.csv_tables import Row
from drachm.adapters.synthea.node import instant
from drachm.adapters.synthea.payors import Plans, plans_of
from drachm.domain.coverage.model import Coverage
from drachm.domain.errors import DrachmError, Pended
from drachm.domain.periods import Period

NO_INSURANCE = "NO_INSURANCE"
"""What Synthea calls the payer of those who have none."""

Visits = Sequence[tuple[datetime, str]]
"""Start and primary payer of each event, in order of time; the payer empty where nobody knows it."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of payer_transitions."""

    start: datetime
    end: datetime
    payer: str
    secondary: str
    policy: str

    @staticmethod
    def of(row: Row, payers: dict[str, str]) -> Transition:
        start = instant(row["START_YEAR"], row.where("START_YEAR"))
        end = instant(row["END_YEAR"], row.where("END_YEAR"))
        if end < start:
            raise row.refusal("END_YEAR", "invalid_time", "the end lies before the start", "Correct the period.")
        for column in ("PAYER", "SECONDARY_PAYER"):
            if row[column] not in payers and (column == "PAYER" or row[column]):
                raise row.refusal(column, "unknown_payer", "the payer is not in payers.csv", "Add the payer.")
        policy = f"{row['MEMBERID'] or row['PATIENT']}:{row['PAYER']}:{start.date().isoformat()}"
        return Transition(start, end, payers[row["PAYER"]], payers.get(row["SECONDARY_PAYER"], ""), policy)


def coverages_of(
    member: str, transitions: Sequence[Transition], visits: Visits, plans: Plans, where: str
) -> tuple[tuple[Coverage, ...], list[DrachmError]]:
    """The coverages of one patient. Problems name payors without plan and visits whose payer was not in force."""
    ordered = sorted(transitions, key=lambda t: t.start)
    coverages: list[Coverage] = []
    problems: list[DrachmError] = []
    in_force: list[tuple[Period, str]] = []
    unknown: set[str] = set()
    for number, transition in enumerate(ordered, start=1):
        period = Period(_first_day(transition.start, visits), _first_day(transition.end, visits))
        if period.end is not None and period.end <= period.start:
            continue
        in_force.append((period, transition.payer))
        names = [transition.payer] + ([transition.secondary] if transition.secondary else [])
        rank = 0
        for name in names:
            ids, problem = plans_of(name, plans, where)
            if problem is not None and name not in unknown:
                unknown.add(name)
                problems.append(problem)
            for plan in ids:
                rank += 1
                coverages.append(_coverage(member, transition, period, number, rank, plan))
    problems += _mismatches(in_force, visits, where)
    return tuple(coverages), problems


def _coverage(member: str, transition: Transition, period: Period, number: int, rank: int, plan: str) -> Coverage:
    return Coverage(
        id=f"{member}:{number}:{rank}",
        member=member,
        plan=plan,
        period=period,
        rank=rank,
        policy=transition.policy,
        facts={
            "policy_start": transition.start.date().isoformat(),
            "policy_is_plan_year": True,
            "payer_order": "primary" if rank == 1 else "secondary",
        },
    )


def _first_day(change: datetime, visits: Visits) -> date:
    """The first day of the new payer: the day of the change, or the next when only the old payer's visits lie on it."""
    day = change.astimezone(UTC).date()
    times = [at for at, _ in visits if at.astimezone(UTC).date() == day]
    return day + timedelta(days=1) if times and max(times) < change else day


def _mismatches(periods: Sequence[tuple[Period, str]], visits: Visits, where: str) -> list[DrachmError]:
    """Days on which a visit's own payer is not the one in force: two payers on one day, or tables that disagree."""
    found: dict[date, DrachmError] = {}
    for at, payor in visits:
        day = at.astimezone(UTC).date()
        in_force = next((payer for period, payer in periods if day in period), NO_INSURANCE)
        if payor and payor != in_force:
            found[day] = Pended(
                "payor_not_in_force",
                f"a charge of {day.isoformat()} names the payer {payor!r}, in force is {in_force!r}",
                where=where,
                next_step="Check payer_transitions for this day; the payer in force decides.",
            )
    return list(found.values())
