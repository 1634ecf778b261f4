"""How does a member's cover change from a day on, or end, also at a day that has passed?

A coverage keeps its id; the days before a change become a coverage of their own, which counts towards the same policy.
One that never held has the plan `NO_PLAN` from then on: nothing that was ever registered is taken away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

from drachm.domain.coverage.model import NO_PLAN, Coverage
from drachm.domain.errors import Conflict
from drachm.domain.events.model import Fact
from drachm.domain.periods import Period


def ensure_order(others: Iterable[Coverage], new: Coverage) -> None:
    """Several payers have an order: no two coverages of a member share a rank on one day. Raises Conflict."""
    for other in others:
        alike = other.rank == new.rank and other.member == new.member and NO_PLAN not in (other.plan, new.plan)
        if alike and other.id != new.id and other.period.overlaps(new.period):
            raise Conflict(
                "another coverage of this member has this rank on some of these days",
                where="$.rank",
                next_step="Give each payer a rank of its own; 1 pays first.",
            )


def ensure_once(others: Iterable[Coverage], new: Coverage, before: Coverage | None = None) -> None:
    """A plan covers a member once on a day: of two covers it could not be told which one pays. Raises Conflict.

    `before` is what `new` takes the place of: two that overlapped already can be changed and ended.
    """
    for other in others:
        if _twice(other, new) and not (before is not None and _twice(other, before)):
            raise Conflict(
                f"the coverage {other.id} has the plan {new.plan} on some of the days of {new.id}",
                where="$.plan",
                next_step=f"End {other.id} before {new.id} begins, or choose other days.",
            )


def _twice(one: Coverage, other: Coverage) -> bool:
    alike = one.plan == other.plan != NO_PLAN and one.member == other.member
    return alike and one.id != other.id and one.period.overlaps(other.period)


def changed_from(
    coverage: Coverage,
    start: date,
    past_id: str,
    *,
    plan: str | None = None,
    rank: int | None = None,
    facts: Mapping[str, Fact] | None = None,
    end: date | None = None,
) -> list[Coverage]:
    """What to register so that the coverage says from `start` on what is given here; `past_id` names the days before.

    Raises Conflict when the coverage does not hold on `start`.
    """
    if start not in coverage.period or coverage.plan == NO_PLAN:
        raise Conflict("the coverage does not hold on that day", where="$.from")
    period = Period(start, coverage.period.end if end is None else end)
    if period.end is not None and period.end <= start:
        raise Conflict("the coverage would end before it begins", where="$.ends_on")
    new = replace(
        coverage,
        period=period,
        plan=coverage.plan if plan is None else plan,
        rank=coverage.rank if rank is None else rank,
        facts=coverage.facts if facts is None else facts,
    )
    if coverage.period.start == start:
        return [new]
    policy = coverage.policy or coverage.id
    return [replace(coverage, id=past_id, policy=policy, period=Period(coverage.period.start, start)), new]


def ended(coverage: Coverage, end: date) -> Coverage:
    """The coverage with `end` as the first day that is not covered any more.

    At or before its first day: it never held. Raises Conflict when it ends earlier already.
    """
    held = coverage.period
    if coverage.plan == NO_PLAN or (held.end is not None and held.end < end):
        raise Conflict("the coverage ends earlier already", where="$.ends_on")
    if end <= held.start:
        return replace(coverage, plan=NO_PLAN)
    return replace(coverage, period=Period(held.start, end))
