"""What would care cost whom? The line that clears real events, with nothing posted.

The body holds events as `POST /v1/service-events` takes them. Whoever acts for a party, or for the tenant, is answered
as clearing would answer: an event that was posted has its first answer, a replacement finds what it replaces. A patient
asks about new care only, and learns nothing about events that others have sent.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from drachm.adapters.eventjson import read_event
from drachm.adapters.rest.identity.decide import Reach
from drachm.adapters.rest.service.call import Call, operation
from drachm.adapters.rest.service.charge_views import Waits, waits_of
from drachm.adapters.rest.service.event_shape import ServiceEventShape
from drachm.adapters.rest.service.money_shapes import Sum, sum_of
from drachm.adapters.rest.service.results import Amounts, Moment, amounts_of
from drachm.adapters.rest.service.shapes import Money, Shape, View
from drachm.adapters.rest.transport.problems import Fault, Problem
from drachm.application.as_one import as_meant
from drachm.application.estimate import Estimated, estimate
from drachm.application.first_answers import Outcome
from drachm.domain.benefits import Plan
from drachm.domain.events.model import ServiceEvent
from drachm.domain.reasons import REASONS
from drachm.domain.receipts.model import Part, Receipt, Why

MOST: Final = 50
NEW_CARE: Final = ("charge", "hold")

EventStatus = Literal["posted", "denied", "pended", "refused", "conflict"]


class EstimateOrder(Shape):
    """Care to estimate: events as they would be sent, in the order of a visit's lines."""

    events: Annotated[list[ServiceEventShape], Meta(min_length=1, max_length=MOST)]


class PocketShare(View):
    """What one pocket would pay of the patient's share."""

    pocket: str
    """The kind of pocket: `wallet`, `assistance` ..."""
    amount: Money
    held: bool
    """It would be set aside for the request, not paid."""


class EstimatedPart(View):
    """One part of the asked amount with its bearer. The parts sum to what was asked."""

    bearer: Literal["patient", "payer", "provider"]
    who: str
    """Party id of a payer; empty otherwise."""
    label: str
    amount: Money


class EstimatedStep(View):
    """One step of "why this amount?"."""

    sentence: str
    amount: Money
    """Moved by the step; below 0 when it gave back."""
    plan: str
    """Id and version."""
    clause: str
    clause_text: str
    limit: str
    """The limit that was looked at; empty when none was."""
    of_limit: Annotated[int, Meta(description="The limit: micros for money, else a count.")] | None
    left: Annotated[int, Meta(description="What would remain of it after this line.")] | None


class DocumentUsed(View):
    """A version of a plan that was asked."""

    id: str
    version: str
    hash: str
    payer: str


class EventEstimate(View):
    """What one event would be answered."""

    source: str
    event_id: str
    status: EventStatus
    reason: str
    message: str
    next_step: str
    duplicate: bool
    """The event was posted before: this is its first answer, not an estimate."""
    provisional: bool
    """A payer may still answer otherwise."""
    amounts: Amounts | None
    """Null where nothing could be decided."""
    pockets: list[PocketShare]
    waits: Waits | None
    """What of the due would wait for the patient's yes, though a pocket could pay it."""
    parts: list[EstimatedPart]
    credits: list[EstimatedPart]
    """What payers would give (below 0: take back) for earlier care, beside this charge."""
    why: list[EstimatedStep]
    price_rule: str
    price_book: str
    plans: list[DocumentUsed]


class EstimatedTotals(View):
    """The amounts of all events that could be decided, in one currency."""

    billed: Sum
    allowed: Sum
    payers: Sum
    patient: Sum
    due: Sum


class EstimateView(View):
    """What the care would cost whom if it were sent now. Nothing is posted and nothing set aside: it binds nobody."""

    estimated_at: Moment
    register_version: int
    """Of the people, agreements and documents that were read."""
    events: list[EventEstimate]
    totals: list[EstimatedTotals]
    """One for each currency."""


@operation("create_estimate", body=EstimateOrder, answer=EstimateView)
def create_estimate(call: Call) -> EstimateView:
    """Estimate up to 50 events. Raises Denied unless everybody they name is the caller's."""
    body: EstimateOrder = call.body
    events = [_read(event, index) for index, event in enumerate(body.events)]
    reach = call.permit(
        call.resource(
            parties=frozenset({event.billing_party for event in events} - {""}),
            members=frozenset(event.member for event in events),
        )
    )
    market = call.market
    made = estimate(as_meant(_own(call, reach, events), market.desk, market.records), market.desk, market.money)
    views = [view_of(one, event) for one, event in zip(made.events, events, strict=True)]
    return EstimateView(
        estimated_at=call.at, register_version=made.version, events=views, totals=_totals([v.amounts for v in views])
    )


def _read(shape: ServiceEventShape, index: int) -> ServiceEvent:
    """The event by the reader of all events, with its place in the body."""
    said: dict[str, Any] = msgspec.to_builtins(shape)
    return read_event(said, f"$.events[{index}]")


def _own(call: Call, reach: Reach, events: list[ServiceEvent]) -> list[ServiceEvent]:
    """The events among those that the caller may know of."""
    if reach.everything or reach.parties:
        return events
    for index, event in enumerate(events):
        if event.kind not in NEW_CARE:
            fault = Fault(f"/events/{index}/kind", "invalid_body", "a patient estimates new care: charge or hold")
            raise Problem("invalid_body", faults=[fault])
    nowhere = call.new_id("est")
    return [replace(event, source=nowhere, event_id=f"{index} {event.event_id}") for index, event in enumerate(events)]


def view_of(one: Estimated, event: ServiceEvent) -> EventEstimate:
    outcome, receipt, currency = one.outcome, one.receipt, event.currency
    decision = outcome.decision
    message, next_step = _words(outcome, receipt)
    legs = decision.funding.legs if decision else ()
    return EventEstimate(
        source=event.source,
        event_id=event.event_id,
        status=outcome.status,
        reason=outcome.reason,
        message=message,
        next_step=next_step,
        duplicate=outcome.duplicate,
        provisional=receipt is not None and receipt.provisional,
        amounts=amounts_of(event, decision),
        pockets=[
            PocketShare(pocket=leg.pocket, amount=_money(leg.amount, currency), held=leg.status == "held")
            for leg in legs
        ],
        waits=waits_of(decision.funding, currency) if decision else None,
        parts=[_part(part, currency) for part in (receipt.parts if receipt else ())],
        credits=[_part(part, currency) for part in (receipt.credits if receipt else ())],
        why=[_step(step, currency) for step in (receipt.why if receipt else ())],
        price_rule=receipt.price_rule if receipt else "",
        price_book=receipt.price_book if receipt else "",
        plans=[_document(plan) for plan in one.plans],
    )


def without_pockets(view: EventEstimate) -> EventEstimate:
    """The same for a payer: what the patient bears in one figure, not from which pockets."""
    theirs = [part for part in view.parts if part.bearer == "patient"]
    others = [part for part in view.parts if part.bearer != "patient"]
    if theirs:
        amount = Money(micros=sum(part.amount.micros for part in theirs), currency=theirs[0].amount.currency)
        others.append(EstimatedPart(bearer="patient", who="", label="The patient's share", amount=amount))
    return msgspec.structs.replace(view, pockets=[], waits=None, parts=others)


def _words(outcome: Outcome, receipt: Receipt | None) -> tuple[str, str]:
    if outcome.problem is not None:
        return outcome.problem.message, outcome.problem.next_step
    if outcome.status == "conflict":
        return "This event id is known with other content.", "Send changed content under a new id that replaces it."
    reason = REASONS.get(outcome.reason)
    return (reason.text if reason else "", receipt.next_step if receipt else "")


def _part(part: Part, currency: str) -> EstimatedPart:
    # Which pot of a patient's paid is the patient's own affair.
    who = part.who if part.bearer == "payer" else ""
    bearer: Any = part.bearer
    return EstimatedPart(bearer=bearer, who=who, label=part.label, amount=_money(part.amount, currency))


def _step(step: Why, currency: str) -> EstimatedStep:
    return EstimatedStep(
        sentence=step.sentence,
        amount=_money(step.amount, currency),
        plan=step.plan,
        clause=step.clause,
        clause_text=step.clause_text,
        limit=step.limit_name,
        of_limit=step.of_limit,
        left=step.left,
    )


def _document(plan: Plan) -> DocumentUsed:
    return DocumentUsed(id=plan.id, version=plan.version, hash=plan.hash, payer=plan.payer)


def _totals(decided: list[Amounts | None]) -> list[EstimatedTotals]:
    sums: dict[str, dict[str, int]] = {}
    for amounts in decided:
        if amounts is not None:
            mine = sums.setdefault(amounts.billed.currency, dict.fromkeys(Amounts.__struct_fields__, 0))
            for name in mine:
                mine[name] += getattr(amounts, name).micros
    return [
        EstimatedTotals(**{name: sum_of(micros, currency) for name, micros in sums[currency].items()})
        for currency in sorted(sums)
    ]


def _money(micros: int, currency: str) -> Money:
    return Money(micros=micros, currency=currency)
