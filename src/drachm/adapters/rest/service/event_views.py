"""How does an event look to those who send events, and to those who look after them?"""

from __future__ import annotations

from typing import Literal

from drachm.adapters.rest.service.charge_views import Service
from drachm.adapters.rest.service.journal_reading import instant, name_of, visit_name
from drachm.adapters.rest.service.results import Amounts, amounts_of
from drachm.adapters.rest.service.shapes import Currency, Day, Instant, View
from drachm.application.journal_index import Looked
from drachm.application.shown_receipts import Shown
from drachm.domain.ledger.model import EntryKind
from drachm.domain.reasons import REASONS

Kind = Literal["charge", "reversal", "replacement", "hold", "stop"]
Status = Literal["posted", "denied", "pended", "refused"]
EventState = Literal["standing", "waiting", "refused", "reversed", "replaced", "captured", "released"]

_ENDS: dict[EntryKind, EventState] = {
    EntryKind.REVERSAL: "reversed",
    EntryKind.CAPTURE: "captured",
    EntryKind.RELEASE: "released",
}


class Event(View):
    """What became of one event."""

    id: str
    kind: Kind
    status: Status
    state: EventState
    """What became of it since: it stands, waits, or something took its place."""
    by: str | None
    """The event that took its place."""
    reason: str
    message: str
    next_step: str
    revision: int
    receipt: str | None
    """The newest; null while there is none."""
    charge: str | None
    """Null for what is no charge, or has none yet."""
    visit: str
    member: str
    provider: str
    parties: list[str]
    """Who may see it: provider, site and payers."""
    day: Day
    posted_at: Instant
    source: str | None
    """Null, as all below, when the patient's data were erased."""
    event_id: str | None
    replaces: str | None
    """The sender's id of the event that this one refers to; empty when it refers to none."""
    service: Service | None
    started_at: Instant | None
    received_at: Instant | None
    currency: Currency | None
    amounts: Amounts | None


class EventRevision(View):
    """One answer that an event has had."""

    revision: int
    status: Status
    reason: str
    message: str
    posted_at: Instant
    receipt: str | None
    amounts: Amounts | None
    stands: bool
    """Nothing took its place."""
    by: str | None
    """What took its place: the event's own next answer has the event's own name."""


class WorkItem(View):
    """What one waiting event waits for."""

    event: str
    source: str | None
    """Null, as the event's id, when the patient's data were erased."""
    event_id: str | None
    reason: str
    message: str
    where: str
    """The field that keeps it waiting."""
    next_step: str
    member: str
    provider: str
    day: Day
    waiting_since: Instant
    tries: int
    """How often it was looked at with a new answer: 0 for the first."""


def event_of(looked: Looked, shown: Shown | None, by: str | None) -> Event:
    """An event by its newest row; `by`: what is called what took its place."""
    row = looked.row
    body = shown.recalled.body if shown else None
    event = body.event if body else None
    message, next_step = _words(shown)
    answered = row.status in ("posted", "denied")
    return Event(
        id=name_of(row, "evt"),
        kind=row.kind,  # type: ignore[arg-type]  # care only
        status=row.status,  # type: ignore[arg-type]
        state=state_of(looked),
        by=by,
        reason=shown.receipt.reason if shown else "",
        message=message,
        next_step=next_step,
        revision=row.revision,
        receipt=name_of(row, "rcp") if answered else None,
        charge=name_of(row, "chg") if answered and row.kind in ("charge", "replacement") else None,
        visit=visit_name(row.visit),
        member=row.member,
        provider=row.provider,
        parties=sorted(row.parties),
        day=row.day.isoformat(),
        posted_at=instant(row.posted_at),
        source=event.source if event else None,
        event_id=event.event_id if event else None,
        replaces=event.replaces if event else None,
        service=Service(system=event.code.system, value=event.code.value) if event else None,
        started_at=instant(event.started_at) if event else None,
        received_at=instant(body.received) if body else None,
        currency=event.currency if event else None,
        amounts=amounts_of(event, shown.recalled.decision) if event and shown else None,
    )


def revision_of(looked: Looked, shown: Shown | None, by: str | None) -> EventRevision:
    """One row of an event."""
    row = looked.row
    event = shown.recalled.body.event if shown else None
    return EventRevision(
        revision=row.revision,
        status=row.status,  # type: ignore[arg-type]
        reason=shown.receipt.reason if shown else "",
        message=_words(shown)[0],
        posted_at=instant(row.posted_at),
        receipt=name_of(row, "rcp") if row.status in ("posted", "denied") else None,
        amounts=amounts_of(event, shown.recalled.decision) if event and shown else None,
        stands=by is None,
        by=by,
    )


def work_item_of(looked: Looked, shown: Shown | None, since: str) -> WorkItem:
    """A waiting event."""
    row = looked.row
    body = shown.recalled.body if shown else None
    event, problem = (body.event, body.problem) if body else (None, None)
    message, next_step = _words(shown)
    return WorkItem(
        event=name_of(row, "evt"),
        source=event.source if event else None,
        event_id=event.event_id if event else None,
        reason=problem.reason if problem else "",
        message=message,
        where=problem.where if problem else "",
        next_step=next_step,
        member=row.member,
        provider=row.provider,
        day=row.day.isoformat(),
        waiting_since=since,
        tries=row.revision,
    )


def state_of(looked: Looked) -> EventState:
    """What became of an event since its newest answer."""
    if looked.row.status == "pended":
        return "waiting"
    if looked.row.status == "refused":
        return "refused"
    if not looked.stored.superseded:
        return "standing"
    return _ENDS.get(looked.by_kind, "replaced") if looked.by_kind is not None else "replaced"


def _words(shown: Shown | None) -> tuple[str, str]:
    if shown is None:
        return "", ""
    problem = shown.recalled.body.problem
    if problem is not None:
        return problem.message, problem.next_step
    reason = REASONS.get(shown.receipt.reason)
    if reason is None or (reason.outcome == "posted" and reason.code != "reversed"):
        return "", ""
    return reason.text, reason.next_step
