"""What is a sender told about one event?

`EventResult` is the answer of every call that clears: single, bulk, revision, reversal, retry. It is built from the
outcome alone, without another look at the books, because a thousand of them leave in one answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final, Literal

from msgspec import Meta

from drachm.adapters.rest.service.names import row_name
from drachm.adapters.rest.service.shapes import Money, View
from drachm.application.first_answers import Outcome
from drachm.application.journal_index import JournalIndex
from drachm.domain.clearing.model import Decision
from drachm.domain.events.model import ServiceEvent
from drachm.domain.reasons import REASONS
from drachm.domain.transparency.leaf import event_key

Result = Literal["posted", "denied", "pended", "refused", "conflict"]
Moment = Annotated[datetime, Meta(tz=True, description="RFC 3339, UTC.")]

_CONFLICT_STEP: Final = "Send changed content under a new id that replaces this one."


class Amounts(View, gc=False):
    """Who bears what of one charge. allowed = payers + patient, where no provider bears a part of it."""

    billed: Money
    allowed: Money
    payers: Money
    patient: Money
    """The patient's share, paid or not."""
    due: Money
    """What of it no pocket has paid: still asked of the patient."""


class EventResult(View, gc=False):
    """What became of one event."""

    source: str
    event_id: str
    status: Result
    """`posted`, `denied`, `refused` and `conflict` are final; `pended` waits for something and clears later."""
    id: str | None
    """The event's own name, `evt_...`; null when nothing was written."""
    receipt: str | None
    """`rcp_...`; null when there is none: it waits, was refused, or conflicts."""
    revision: int
    """0 for the first answer; each later answer counts one more."""
    duplicate: bool
    """The event was here before, and this is its first answer again."""
    reason: str
    """A word of the published list of reasons; empty when all went well."""
    message: str
    next_step: str
    """What the sender can do; empty when there is nothing to do."""
    posted_at: Moment | None
    amounts: Amounts | None
    """Null where nothing was decided."""


def result_of(outcome: Outcome, tenant: int, *, first: int = 0) -> EventResult:
    """The answer for one outcome. `first`: position of the event's first row, when that is not this one."""
    event, position = outcome.event, outcome.position
    key = event_key(tenant, event.source, event.event_id)
    first = first or (position if outcome.revision == 0 else 0)
    name = row_name("evt", first, key) if first else None
    receipt = None
    if position > 0 and outcome.status in ("posted", "denied"):
        # Of a first answer both names end alike.
        receipt = f"rcp{name[3:]}" if name and first == position else row_name("rcp", position, key)
    message, next_step = _words(outcome)
    return EventResult(
        source=event.source,
        event_id=event.event_id,
        status=outcome.status,
        id=name,
        receipt=receipt,
        revision=outcome.revision,
        duplicate=outcome.duplicate,
        reason=outcome.reason,
        message=message,
        next_step=next_step,
        posted_at=outcome.posted_at,
        amounts=amounts_of(event, outcome.decision),
    )


def results_of(outcomes: Sequence[Outcome], tenant: int, index: JournalIndex) -> list[EventResult]:
    """The answers of a batch, in order. Only an event that has been answered before in another way is looked up."""
    later = {
        at: event_key(tenant, outcome.source, outcome.event_id)
        for at, outcome in enumerate(outcomes)
        if outcome.revision or (outcome.status == "pended" and not outcome.position)
    }
    if not later:
        return [result_of(outcome, tenant) for outcome in outcomes]
    places = index.of_keys(later.values())
    firsts = {at: places[key][0] for at, key in later.items() if key in places}
    return [result_of(outcome, tenant, first=firsts.get(at, 0)) for at, outcome in enumerate(outcomes)]


def amounts_of(event: ServiceEvent, decision: Decision | None) -> Amounts | None:
    """The amounts of one decision; None where nothing was priced."""
    borne = decision.borne if decision is not None else None
    if decision is None or decision.priced is None or borne is None:
        return None
    currency, (payers, patient) = event.currency, borne
    return Amounts(
        billed=Money(micros=decision.priced.billed, currency=currency),
        allowed=Money(micros=decision.priced.allowed, currency=currency),
        payers=Money(micros=payers, currency=currency),
        patient=Money(micros=patient, currency=currency),
        due=Money(micros=decision.funding.due if event.kind != "hold" else 0, currency=currency),
    )


def _words(outcome: Outcome) -> tuple[str, str]:
    """In words, what happened and what to do; the problem's own words are more exact than the reason's."""
    if outcome.status == "conflict":
        return "This event id is known with other content.", _CONFLICT_STEP
    problem = outcome.problem
    if problem is not None:
        return problem.message, problem.next_step
    if not outcome.reason or (outcome.status == "posted" and outcome.reason != "reversed"):
        return "", ""
    reason = REASONS.get(outcome.reason)
    return (reason.text, reason.next_step) if reason else ("", "")
