"""Is this person covered on this day, by whom, and what is left?

What X12 270/271 asks and answers: coverage in its order, payer and period, network of a provider, limits with what is
used and left, waiting periods, and whether a payer must agree first. A clinic is told of every cover of the person whom
it asks about, as by a 271; a payer only of its own.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from drachm.adapters.eventjson import read_event
from drachm.adapters.rest.service.call import Call, operation
from drachm.adapters.rest.service.estimates import EventEstimate, view_of, without_pockets
from drachm.adapters.rest.service.event_shape import (
    AskedAmount,
    Codes,
    EventCode,
    Facts,
    Named,
    PlaceOfService,
    Quantity,
    Reference,
    Unit,
)
from drachm.adapters.rest.service.money_shapes import Sum, day_of, faulty, sum_of
from drachm.adapters.rest.service.shapes import Currency, Day, Money, Shape, View
from drachm.application.eligibility import CoverView, Eligibility, ServiceView, eligibility
from drachm.application.merges import canonical
from drachm.domain.benefits.remaining import Remaining, Waiting
from drachm.domain.coverage.model import NO_PLAN
from drachm.domain.errors import Pended
from drachm.domain.events.model import ServiceEvent
from drachm.domain.periods import Period, zone

MOST_SERVICES: Final = 10


class ServiceAsked(Shape):
    """A service that may be given: as much of it as is known."""

    code: EventCode
    currency: Currency | UnsetType = UNSET
    """Left out: that of the first plan."""
    modifiers: Codes | UnsetType = UNSET
    quantity: Quantity | UnsetType = UNSET
    unit: Unit | UnsetType = UNSET
    billed: AskedAmount | UnsetType = UNSET
    """Left out: the price book says."""
    site: Named = ""
    place_of_service: PlaceOfService = ""
    emergency: bool = False
    facts: Facts | UnsetType = UNSET


class EligibilityOrder(Shape):
    """Whose cover, as of when, and for what."""

    member: Reference
    on: Day | None = None
    """Left out: today, where the provider is."""
    provider: Annotated[Named, Meta(description="Who would give the care; empty: nobody yet.")] = ""
    asked_by: Annotated[
        str, Meta(max_length=200, description="Party for whom is asked; empty: the provider, or the member's own self.")
    ] = ""
    facts: Facts | UnsetType = UNSET
    """What else is known of the care to come: `category`, `admitted` ..."""
    services: Annotated[list[ServiceAsked], Meta(max_length=MOST_SERVICES)] = msgspec.field(default_factory=list)


class PlanInForce(View, rename={"from_": "from"}):
    """The version of a plan that holds on the day."""

    id: str
    version: str
    hash: str
    title: str
    from_: Day
    until: Day | None
    """Its own end, or the day on which the next version takes over."""


class LimitView(View, rename={"from_": "from"}):
    """A deductible, a maximum or a count, as it stands. Care that waits to be cleared is not in it yet."""

    step: str
    kind: str
    """`deductible`, `out_of_pocket_max`, `benefit_limit`, `period_cap`, `copay`, `coinsurance`, `pay`, `band`."""
    clause: str
    clause_text: str
    accumulator: str
    scope: Literal["person", "family", "policy"]
    period: str
    from_: Day | None
    """Null where a visit, an admission or a lifetime is counted."""
    until: Day | None
    """The first day that is counted no more; null likewise."""
    counted: Literal["money", "units", "lines", "visits"]
    """Money is told in `*_amount`, everything else in `*_count` (units: in millionths)."""
    split: dict[str, str | int | bool | None]
    """Facts by which the total is kept apart, such as the network."""
    when: list[dict[str, str | int | bool | None]]
    """The care it holds for, one entry for each way; empty: all care that `needs` leaves open."""
    needs: list[str]
    """Facts that decide and are not known: send them in `facts` for an exact answer."""
    limit_amount: Sum | None = None
    used_amount: Sum | None = None
    left_amount: Sum | None = None
    limit_count: int | None = None
    used_count: int | None = None
    left_count: int | None = None


class WaitingView(View):
    """A waiting period."""

    step: str
    clause: str
    clause_text: str
    until: Day | None
    """The first day that is covered; null: one of `needs` decides."""
    over: bool | None
    when: list[dict[str, str | int | bool | None]]
    needs: list[str]


class CoverEligibility(View, rename={"from_": "from"}):
    """One coverage."""

    coverage: str
    rank: int
    """1 pays first."""
    status: Literal["active", "ended", "not_begun", "unknown_plan"]
    payer: str
    """Empty where the plan is not known."""
    policy: str
    plan_id: str
    plan: PlanInForce | None
    from_: Day
    until: Day | None
    applies: bool | None
    """Whether the plan takes part in care of this person; null: the care decides."""
    network: Literal["in", "out", "no_agreement"] | None
    """Of the named provider with this payer; null when none was named."""
    limits: list[LimitView]
    waiting_periods: list[WaitingView]


class ServiceEligibility(View):
    """What a named service would come to, alone and not agreed to."""

    authorisation: Literal["required", "not_required", "unknown"]
    """Whether the payer has to agree first, tried by deciding the service with its agreement and without."""
    estimate: EventEstimate
    """Without the agreement."""
    estimate_if_agreed: EventEstimate | None
    """Where the agreement makes a difference."""


class EligibilityView(View):
    """Cover as of a day. It promises nothing: other care may be cleared first."""

    member: str
    on: Day
    register_version: int
    covered: bool
    coverages: list[CoverEligibility]
    services: list[ServiceEligibility]


@operation("check_eligibility", body=EligibilityOrder, answer=EligibilityView)
def check_eligibility(call: Call) -> EligibilityView:
    """Cover and limits of one member. Raises `Pended` for a member or provider that is not registered."""
    body: EligibilityOrder = call.body
    who = body.asked_by or body.provider
    reach = call.permit(call.resource(parties=frozenset({who} - {""}), members=frozenset({body.member})))
    local = _now(call, body.provider)
    day = day_of(body.on, "/on") if body.on else local.date()
    plain: dict[str, Any] = {} if isinstance(body.facts, UnsetType) else dict(body.facts)
    events = [_event(call, body, index, datetime.combine(day, local.timetz())) for index in range(len(body.services))]
    try:
        found = eligibility(
            canonical(call.market.records, body.member),
            day,
            call.market.desk,
            call.market.money,
            provider=body.provider,
            facts=plain,
            services=events,
        )
    except Pended as unknown:
        if unknown.reason == "unknown_member" and _is_payer(call, who) and not reach.everything:
            # A payer learns of its own members only: of others not even that they are here.
            return EligibilityView(
                member=body.member, on=day.isoformat(), register_version=0, covered=False, coverages=[], services=[]
            )
        raise
    if not reach.everything and not reach.members and _is_payer(call, who):
        view = _view(body.member, day.isoformat(), _own(found, who), events)
        for one in view.services:
            one.estimate = without_pockets(one.estimate)
            one.estimate_if_agreed = one.estimate_if_agreed and without_pockets(one.estimate_if_agreed)
        return view
    return _view(body.member, day.isoformat(), found, events)


def _is_payer(call: Call, party: str) -> bool:
    """Whether a party asks as one that pays; a party that is nothing we know is told as little as a payer."""
    known = next(iter(call.market.register.parties(ids=[party], limit=1)), None)
    return known is None or "provider" not in known.roles


def _own(found: Eligibility, payer: str) -> Eligibility:
    """What concerns one payer."""
    mine = tuple([one for one in found.covers if one.plan is not None and one.plan.payer == payer])
    return replace(found, version=found.version if mine else 0, covers=mine, services=found.services if mine else ())


def _now(call: Call, provider: str) -> datetime:
    """The moment of the call where the provider is."""
    known = next(iter(call.market.register.parties(ids=[provider], limit=1)), None) if provider else None
    return call.at.astimezone(zone(known.zone) if known is not None else UTC)


def _event(call: Call, body: EligibilityOrder, index: int, at: datetime) -> ServiceEvent:
    """A named service as an event that nobody sent."""
    place = f"$.services[{index}]"
    if not body.provider:
        raise faulty("/provider", "who would give the services is needed to price them")
    asked = body.services[index]
    said: dict[str, Any] = {
        **msgspec.to_builtins(asked),
        "source": call.new_id("elg"),
        "event_id": f"service-{index}",
        "kind": "charge",
        "member": canonical(call.market.records, body.member),
        "billing_party": body.provider,
        "started_at": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    }
    if isinstance(asked.currency, UnsetType):
        said["currency"] = asked.billed.currency if isinstance(asked.billed, Money) else _currency(call, body.member)
    facts = {} if isinstance(body.facts, UnsetType) else dict(body.facts)
    own = {} if isinstance(asked.facts, UnsetType) else dict(asked.facts)
    return read_event({**said, "facts": {**facts, **own}}, place)


def _currency(call: Call, member: str) -> str:
    """That of the member's first plan; of nobody's plan the first one published."""
    covers = call.market.register.coverages(of=member)
    plans = {one.id: one.currency for one in call.market.money.published("plan")}
    named = [plans[one.plan] for one in sorted(covers, key=lambda one: one.rank) if one.plan in plans]
    return next(iter([*named, *plans.values()]), "USD")


def _view(member: str, day: str, found: Eligibility, events: list[ServiceEvent]) -> EligibilityView:
    return EligibilityView(
        member=member,
        on=day,
        register_version=found.version,
        covered=found.covered,
        coverages=[_cover(one) for one in found.covers if one.coverage.plan != NO_PLAN],
        services=[_service(one, event) for one, event in zip(found.services, events, strict=False)],
    )


def _cover(one: CoverView) -> CoverEligibility:
    coverage, plan = one.coverage, one.plan
    first, end = _days(coverage.period)
    return CoverEligibility(
        coverage=coverage.id,
        rank=coverage.rank,
        status=one.standing,
        payer=plan.payer if plan else "",
        policy=coverage.policy or coverage.id,
        plan_id=coverage.plan,
        plan=PlanInForce(
            id=plan.id,
            version=plan.version,
            hash=plan.hash,
            title=plan.title,
            from_=_days(one.days)[0],
            until=_days(one.days)[1],
        )
        if plan
        else None,
        from_=first,
        until=end,
        applies=one.applies,
        network=one.network,
        limits=[_limit(limit, plan.currency, plan.sentence(limit.clause)) for limit in one.limits] if plan else [],
        waiting_periods=[_wait(wait, plan.sentence(wait.clause)) for wait in one.waiting] if plan else [],
    )


def _limit(one: Remaining, currency: str, words: str) -> LimitView:
    first, end = _days(one.dates)
    view = LimitView(
        step=one.step,
        kind=one.kind,
        clause=one.clause,
        clause_text=words,
        accumulator=one.accumulator,
        scope=one.scope,
        period=one.period,
        from_=first or None,
        until=end,
        counted=one.counted,
        split=dict(one.split),
        when=[dict(way) for way in one.when],
        needs=list(one.needs),
    )
    told = {"limit": one.limit, "used": one.used, "left": one.left}
    for name, value in told.items():
        if value is not None and one.counted == "money":
            setattr(view, f"{name}_amount", sum_of(value, currency))
        elif value is not None:
            setattr(view, f"{name}_count", value)
    return view


def _wait(one: Waiting, words: str) -> WaitingView:
    return WaitingView(
        step=one.step,
        clause=one.clause,
        clause_text=words,
        until=one.until.isoformat() if one.until else None,
        over=one.over,
        when=[dict(way) for way in one.when],
        needs=list(one.needs),
    )


def _service(one: ServiceView, event: ServiceEvent) -> ServiceEligibility:
    matters = one.authorisation == "required"
    return ServiceEligibility(
        authorisation=one.authorisation,
        estimate=view_of(one.without, event),
        estimate_if_agreed=view_of(one.agreed, event) if matters else None,
    )


def _days(period: Period | None) -> tuple[str, str | None]:
    if period is None:
        return "", None
    return period.start.isoformat(), period.end.isoformat() if period.end else None
