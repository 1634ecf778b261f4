"""How does a cleared event become a receipt that explains every unit?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from drachm.domain.benefits.model import Adjudication, Step
from drachm.domain.clearing.model import Decision
from drachm.domain.clearing.pockets import Passed
from drachm.domain.errors import ensure
from drachm.domain.events.model import ServiceEvent
from drachm.domain.funding.model import GIVEN_UP, Leg
from drachm.domain.reasons import text_of
from drachm.domain.receipts.model import FORGONE, Part, Receipt, Why


def issue_receipt(
    event: ServiceEvent,
    decision: Decision,
    *,
    position: int,
    revision: int,
    day: date,
    posted_at: datetime,
    leaf: bytes,
    clauses: Mapping[str, Mapping[str, str]],
    next_step: str = "",
    passed: Sequence[Passed] = (),
) -> Receipt:
    """The receipt of one outcome. `clauses` maps plan id -> clause id -> the plan's own words, `passed` says which pots
    could not pay and why.

    The parts of a posted charge sum to the billed amount; anything else is an `IntegrityError`.
    """
    priced, answer = decision.priced, decision.adjudication
    blank = Receipt(
        number=f"rcp_{position}",
        kind=event.kind,
        status=decision.status,
        reason=decision.reason,
        next_step=next_step,
        event_id=event.event_id,
        source=event.source,
        revision=revision,
        member=event.member,
        provider=event.billing_party,
        visit=event.visit,
        display=event.display or (priced.display if priced else ""),
        service=f"{event.code.system} {event.code.value}".strip(),
        day=day,
        posted_at=posted_at,
        currency=event.currency,
        leaf=leaf.hex(),
    )
    if priced is None or answer is None:
        return blank
    parts = _parts(decision, answer)
    ensure(sum(part.amount for part in parts) == priced.billed, "the receipt does not add up", where=blank.number)
    return replace(
        blank,
        billed=priced.billed,
        allowed=priced.allowed,
        patient=answer.patient_responsibility,
        payers=answer.plan_paid,
        provider_borne=answer.provider_borne,
        due=decision.funding.due if event.kind != "hold" else 0,
        parts=parts,
        credits=tuple(Part("payer", c.party, "Credit for earlier care", c.amount) for c in answer.credits),
        why=(
            *(_why(step, clauses.get(step.document, {})) for step in answer.trace),
            *(_skipped(one) for one in passed if answer.patient_responsibility and one.pot.currency == event.currency),
        ),
        price_rule=priced.rule,
        price_book=priced.book,
        plans=answer.decided_by,
        provisional=answer.status == "provisional",
    )


def sentence(receipt: Receipt) -> str:
    """The one sentence at the top, in words a relative understands."""
    if receipt.status == "pended":
        return "We are still working this out. You do not have to do anything now."
    if receipt.status == "refused":
        return f"This was not booked. {text_of(receipt.reason)}"
    if receipt.kind == "hold":
        return "Money is set aside for this care. Nothing is paid yet."
    if receipt.kind == "stop":
        return "The money that was set aside is yours to spend again."
    if receipt.reason == "reversed":
        return "This charge was taken back in full. What was paid went back to where it came from."
    if receipt.patient == 0:
        return "Nothing to pay."
    if receipt.due == 0 and receipt.forgone:
        return "The clinic no longer asks for this. Nothing more to do."
    if receipt.due == 0:
        return "Your part is paid. Nothing more to do."
    if receipt.due == receipt.patient:
        return "Your part is still to pay."
    return "Part of your share is paid; the rest is still to pay."


def _parts(decision: Decision, answer: Adjudication) -> tuple[Part, ...]:
    parts = [
        Part(share.bearer, share.party, text_of(share.reason or share.component), share.amount)
        for share in answer.shares
        if share.bearer != "patient"
    ]
    legs = decision.funding.legs
    parts.extend(Part("patient", *_leg(leg)) for leg in legs)
    due = answer.patient_responsibility - decision.funding.drawn
    if due:
        parts.append(Part("patient", "", "Still to pay", due))
    return tuple(parts)


def _leg(leg: Leg) -> tuple[str, str, int]:
    if leg.pocket == GIVEN_UP:
        # Out of what the provider gave up: no pot of the patient's.
        return "", FORGONE, leg.amount
    return leg.lot, "Held" if leg.status == "held" else "Paid", leg.amount


def _skipped(one: Passed) -> Why:
    return Why(text_of(one.reason), 0, one.clause, one.text, one.document, pocket=one.pot.id)


def _why(step: Step, words: Mapping[str, str]) -> Why:
    left = None
    if step.accumulator:
        # A step gives back because its limit is reached.
        left = 0 if step.amount < 0 else max(0, step.limit - step.used - step.amount)
    return Why(
        sentence=text_of(step.reason),
        amount=step.amount,
        clause=step.clause,
        clause_text=words.get(step.clause, ""),
        plan=f"{step.document} {step.version}".strip(),
        left=left,
        of_limit=step.limit if step.accumulator else None,
        limit_name=step.accumulator,
    )
