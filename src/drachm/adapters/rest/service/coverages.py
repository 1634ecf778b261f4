"""Coverages: which payer covers whom, under which plan, from when to when, in which order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Annotated, Final

from msgspec import Meta, field

from drachm.adapters.rest.identity.model import Resource
from drachm.adapters.rest.service.call import Call, Reply, operation
from drachm.adapters.rest.service.register_shapes import (
    Facts,
    after,
    alone,
    beside,
    checked_facts,
    day,
    day_of,
    faulty,
    keep,
    narrowed,
    next_of,
    records_beside,
    taken,
)
from drachm.adapters.rest.service.results import EventResult, results_of
from drachm.adapters.rest.service.shapes import Day, NewId, Page, Shape, View, Word
from drachm.adapters.rest.service.touched_events import LeftEvent, NamedEvent, left_event, touched_event
from drachm.application.cleared_anew import clear_anew, cleared_under
from drachm.application.merges import same_person
from drachm.application.records import Record
from drachm.domain.coverage.cover_changes import changed_from, ended, ensure_once, ensure_order
from drachm.domain.coverage.model import NO_PLAN, Coverage
from drachm.domain.errors import Forbidden
from drachm.domain.periods import Period

KIND: Final = "coverage"

Rank = Annotated[int, Meta(ge=1, le=99, description="1 pays first; the next take over what is left.")]
Name = Annotated[str, Meta(min_length=1, max_length=200)]


class NewCoverage(Shape):
    """A cover to register."""

    member: Word
    plan: Name
    """Id of a published plan; its payer is the one that covers."""
    starts_on: Day
    ends_on: Day | None = None
    """The first day that is not covered any more."""
    id: NewId | None = None
    rank: Rank = 1
    policy: Word | None = None
    """Coverages with one policy share what the plan counts by policy."""
    facts: Facts = field(default_factory=dict)
    """What the plan asks of a cover, such as `tier`."""


class CoverageChange(Shape):
    """What holds from a day on; what is left out stays."""

    from_day: Day
    plan: Name | None = None
    rank: Rank | None = None
    facts: Facts | None = None
    ends_on: Day | None = None


class Termination(Shape):
    """The end of a cover."""

    ends_on: Day
    """The first day that is not covered any more; at or before the first day: it never held."""


class CoverageView(View):
    """One cover of a member."""

    id: str
    member: str
    plan: str
    """`none` when the cover never held."""
    payers: list[str]
    starts_on: str
    ends_on: str | None
    rank: int
    policy: str
    facts: dict[str, str | int | bool]
    version: int


class CoverageChanged(View):
    """The cover as it is now, and what was cleared under it for the days that changed."""

    coverage: CoverageView
    before: CoverageView | None
    """The days before the change, under an id of their own."""
    cleared_before: list[NamedEvent]
    """Cleared under this cover for care from that day on: they stay as they are; correct what has to be."""


class CoverageEnded(View):
    """The cover as it is now, and what was cleared under it since its end."""

    coverage: CoverageView
    adjudicated: list[EventResult]
    """Corrections, each with an event id of its own that replaces the event it corrects."""
    left: list[LeftEvent]


@operation("list_coverages", answer=Page[CoverageView], query={"member": "Only those of this member."})
def list_coverages(call: Call) -> Page[CoverageView]:
    """Coverages in order of id."""
    reach, limit, behind = call.reach(), call.limit(), after(call)
    of = call.query.get("member", "")
    found = call.market.register.coverages(after=behind, limit=limit, of=of, **narrowed(reach))
    ids, payers = [one.id for one in found], call.market.register.payers()
    records = records_beside(call, KIND, ids, behind)
    views = [_view(one, records[one.id], payers.get(one.plan, frozenset())) for one in found]
    return Page(data=views, next=next_of(call, ids, limit))


@operation("create_coverage", body=NewCoverage, answer=CoverageView, status=201, tagged=True)
@alone
def create_coverage(call: Call) -> Reply:
    """Cover a member. Raises Conflict for an id or a rank that is taken, and for a plan that covers them already."""
    body: NewCoverage = call.body
    payers = _payers(call, body.plan)
    call.permit(call.resource(parties=payers, members=frozenset({body.member})))
    if not payers:
        raise faulty("/plan", "there is no such published plan")
    if not call.market.register.members(ids=[body.member]):
        raise faulty("/member", "there is no such member")
    first, end = day(body.starts_on, "/starts_on"), day_of(body.ends_on, "/ends_on")
    if end is not None and end <= first:
        raise faulty("/ends_on", "it would end before it begins: the end is the first day after")
    if body.id is not None and call.market.register.coverages(ids=[body.id]):
        raise taken("coverage")
    coverage = Coverage(
        body.id or call.new_id("cov"),
        body.member,
        body.plan,
        Period(first, end),
        body.rank,
        body.policy or "",
        checked_facts(body.facts, "/facts"),
    )
    return _shown(call, coverage, _written(call, [coverage])[0])


@operation("get_coverage", answer=CoverageView, tagged=True)
def get_coverage(call: Call) -> Reply:
    """One coverage."""
    name = call.path["coverage_id"]
    found = call.market.register.coverages(ids=[name])
    call.permit(_readable(call, found[0]) if found else None)
    return _shown(call, found[0], beside(call, KIND, name))


@operation("update_coverage", body=CoverageChange, answer=CoverageChanged, problems=("forbidden",), tagged=True)
@alone
def update_coverage(call: Call) -> Reply:
    """Change a coverage from a date on. What was cleared stays, and is named."""
    body: CoverageChange = call.body
    coverage, record = _writable(call)
    reach = call.permit(_owned(call, coverage, record))
    call.require_version(coverage.id, record.version)
    if body.plan is not None and body.plan != coverage.plan:
        payers = _payers(call, body.plan)
        if not reach.everything and not payers <= reach.parties:
            raise Forbidden("the plan is another payer's", where="$.plan")
        if not payers:
            raise faulty("/plan", "there is no such published plan")
    first = day(body.from_day, "/from_day")
    changed = changed_from(
        coverage,
        first,
        call.new_id("cov"),
        plan=body.plan,
        rank=body.rank,
        facts=None if body.facts is None else checked_facts(body.facts, "/facts"),
        end=day_of(body.ends_on, "/ends_on"),
    )
    market, now = call.market, changed[-1]
    touched = cleared_under(coverage.id, [coverage.member], first, market.desk, market.index)
    records = _written(call, changed)
    named = [touched_event(call, row) for row in touched]
    view = CoverageChanged(
        coverage=_view(now, records[-1], _payers(call, now.plan)),
        before=_view(changed[0], records[0], _payers(call, changed[0].plan)) if len(changed) == 2 else None,
        cleared_before=[one for one in named if one is not None],
    )
    return Reply(view, tag=(now.id, records[-1].version))


@operation("terminate_coverage", body=Termination, answer=CoverageEnded)
def terminate_coverage(call: Call) -> CoverageEnded:
    """End a coverage, also at a past date; what was cleared since is adjudicated anew."""
    body: Termination = call.body
    end, market = day(body.ends_on, "/ends_on"), call.market
    with market.register.alone():
        coverage, record = _writable(call)
        call.permit(_owned(call, coverage, record))
        if not _is_ended(coverage, record, end):
            now = ended(coverage, end)
            record = _written(call, [now], {"plan": coverage.plan, "ended_on": end.isoformat()})[0]
            coverage = now
    people = same_person(market.records, coverage.member)
    touched = cleared_under(coverage.id, people, end, market.desk, market.index)
    anew = clear_anew(touched, coverage.member, f"{coverage.id} ends {end}", market.desk)
    return CoverageEnded(
        coverage=_view(coverage, record, _payers(call, coverage.plan)),
        adjudicated=results_of(anew.outcomes, market.desk.books.tenant, market.index),
        left=[left_event(call, one) for one in anew.left],
    )


def _writable(call: Call) -> tuple[Coverage, Record]:
    name = call.path["coverage_id"]
    found = call.market.register.coverages(ids=[name])
    if not found:
        call.permit(None)
    return found[0], beside(call, KIND, name)


def _readable(call: Call, coverage: Coverage) -> Resource:
    """For reading: the payer, and the clinics of the member."""
    register = call.market.register
    # One question for all of the caller's parties: any that has to do with the coverage will do.
    parties = call.caller.parties
    related = parties if parties and register.coverages(ids=[coverage.id], parties=parties) else frozenset()
    kept = beside(call, KIND, coverage.id).parties
    return call.resource(coverage.id, parties=kept | related, members=frozenset({coverage.member}))


def _owned(call: Call, coverage: Coverage, record: Record) -> Resource:
    """For changing: the payer alone."""
    parties = _payers(call, coverage.plan) | record.parties
    return call.resource(coverage.id, parties=parties, members=frozenset({coverage.member}))


def _payers(call: Call, plan: str) -> frozenset[str]:
    return call.market.register.payers().get(plan, frozenset())


def _is_ended(coverage: Coverage, record: Record, end: date) -> bool:
    """The call was made before: what is left of its work goes on."""
    if coverage.plan == NO_PLAN:
        return record.body.get("ended_on") == end.isoformat()
    return coverage.period.end == end


def _written(call: Call, coverages: list[Coverage], said: dict[str, str] | None = None) -> list[Record]:
    """Write coverages of one member. Raises Conflict for a rank that is taken, or a plan twice on one day."""
    member, market = coverages[0].member, call.market
    replaced = {one.id for one in coverages}
    known = market.register.coverages(of=member, limit=1_000)
    before = next((one for one in known if one.id in replaced), None)
    held = [one for one in known if one.id not in replaced]
    for one in coverages:
        ensure_once(held, one, before)
        ensure_order(held, one)
    records = [
        replace(
            beside(call, KIND, one.id),
            body=said or {"plan": one.plan},
            parties=_payers(call, said["plan"] if said else one.plan),
            members=frozenset({member}),
        )
        for one in coverages
    ]
    written = keep(call, *records)
    market.desk.books.enrol(coverages=coverages)
    return written


def _shown(call: Call, coverage: Coverage, record: Record) -> Reply:
    return Reply(_view(coverage, record, _payers(call, coverage.plan)), tag=(coverage.id, record.version))


def _view(coverage: Coverage, record: Record, payers: frozenset[str]) -> CoverageView:
    period = coverage.period
    return CoverageView(
        id=coverage.id,
        member=coverage.member,
        plan=coverage.plan,
        payers=sorted(payers or record.parties),
        starts_on=period.start.isoformat(),
        ends_on=period.end.isoformat() if period.end else None,
        rank=coverage.rank,
        policy=coverage.policy or coverage.id,
        facts=dict(coverage.facts),
        version=record.version,
    )
