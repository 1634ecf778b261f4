"""Events that came in: what became of them, what they wait for, how they are corrected and undone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from drachm.adapters.eventjson import read_event
from drachm.adapters.rest.identity.decide import Deny, Reach
from drachm.adapters.rest.identity.model import Kind
from drachm.adapters.rest.identity.permit import Denied
from drachm.adapters.rest.service.call import Call, Reply, operation
from drachm.adapters.rest.service.event_shape import (
    AskedAmount,
    Codes,
    Display,
    EventCode,
    Facts,
    Named,
    PlaceOfService,
    Pointers,
    Quantity,
    Reference,
    TaxCategory,
    Unit,
)
from drachm.adapters.rest.service.event_views import (
    Event,
    EventRevision,
    WorkItem,
    event_of,
    revision_of,
    work_item_of,
)
from drachm.adapters.rest.service.journal_reading import (
    FILTERS,
    before_of,
    filters_of,
    find_event,
    instant,
    names_of_keys,
    newest_of,
    receipts_of,
    resource_of,
    status_of,
    ways_of,
    word_of,
)
from drachm.adapters.rest.service.results import EventResult, results_of
from drachm.adapters.rest.service.shapes import Currency, Instant, Page, Shape
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.clear_events import clear_batch, clear_events
from drachm.application.first_answers import Outcome, waiting_of
from drachm.application.giving_back import ensure_by_two
from drachm.application.journal_index import Looked
from drachm.application.recall import kept_of
from drachm.domain.clearing.clear import REPLACED_PARTY
from drachm.domain.errors import Conflict, Refused
from drachm.domain.events.model import ServiceEvent
from drachm.domain.ledger.model import EntryKind
from drachm.domain.transparency.leaf import event_key

OwnId = Annotated[
    Reference,
    Meta(description="The sender's id of the new event; left out, one that follows from the Idempotency-Key."),
]
_EXACT: Final = {
    "source": "With event_id: the one event that this system sent under that id.",
    "event_id": "The sender's id; needs source.",
}
_NARROW: Final = {
    "provider": "Only what this party has billed.",
    "reason": "Only what waits for this reason, a word of the published list.",
}


class Correction(Shape):
    """The event as it should have been, whole: what is left out is not as it was, it is absent.

    Source and member stay what they were: care given to somebody else is undone, and sent for the other person.
    """

    code: EventCode
    currency: Currency
    started_at: Instant
    event_id: OwnId | UnsetType = UNSET
    billing_party: Named | UnsetType = UNSET
    """Left out: who billed it first."""
    ended_at: Instant | UnsetType = UNSET
    modifiers: Codes | UnsetType = UNSET
    quantity: Quantity | UnsetType = UNSET
    unit: Unit | UnsetType = UNSET
    billed: AskedAmount | UnsetType = UNSET
    rendering_party: Named = ""
    site: Named = ""
    place_of_service: PlaceOfService = ""
    visit: Named | UnsetType = UNSET
    """Left out: the visit that it belonged to."""
    admission: Named = ""
    claim: Named = ""
    line: Named = ""
    authorisation: Named = ""
    tax_ppm: Annotated[int, Meta(ge=0, le=1_000_000)] | UnsetType = UNSET
    tax_category: TaxCategory = ""
    diagnoses: Codes | UnsetType = UNSET
    diagnosis_pointers: Pointers | UnsetType = UNSET
    emergency: bool = False
    essential: bool = False
    display: Display = ""
    facts: Facts | UnsetType = UNSET


class Undoing(Shape):
    """Undo an event whole."""

    event_id: OwnId | UnsetType = UNSET


class Nothing(Shape):
    """Nothing needs to be said."""


@operation("list_service_events", answer=Page[Event], query={**FILTERS, **_EXACT, "status": "One status only."})
def list_service_events(call: Call) -> Page[Event]:
    reach, filters, limit, before = call.reach(), filters_of(call), call.limit(), before_of(call)
    status, source, event_id = status_of(call), word_of(call, "source"), word_of(call, "event_id")
    if bool(source) != bool(event_id):
        raise Problem("bad_request", "source and event_id are given together", where="event_id")
    if source:
        if set(call.query) - {"source", "event_id", "limit"}:
            raise Problem("bad_request", "one event is looked up without further filters", where="event_id")
        return _exact(call, reach, event_key(call.market.desk.books.tenant, source, event_id))
    ways = ways_of(call, reach, by_party=bool(filters["party"]))
    rows = call.market.index.page("events", **ways, **filters, status=status, before=before, limit=limit + 1)
    page = rows[:limit]
    return Page(
        data=_events(call, newest_of(call.market, [row.key for row in page])),
        next=call.cursor([page[-1].first]) if len(rows) > limit else None,
    )


@operation("get_service_event", answer=Event)
def get_service_event(call: Call) -> Event:
    looked, _ = _found(call)
    return _events(call, [looked])[0]


@operation("list_event_revisions", answer=Page[EventRevision])
def list_event_revisions(call: Call) -> Page[EventRevision]:
    looked, _ = _found(call)
    index = call.market.index
    rows = index.look(index.of_key(looked.row.key))
    names = names_of_keys(call.market, {one.by_key for one in rows})
    shown = receipts_of(call.market, rows)
    data = []
    for place, (one, receipt) in enumerate(zip(rows, shown, strict=True)):
        # A waiting row posts nothing: what came after it simply came after it.
        after = rows[place + 1].row.key if place + 1 < len(rows) else b""
        by = names.get(one.by_key) or (names_of_keys(call.market, [after]).get(after) if after else None)
        data.append(revision_of(one, receipt, by))
    return Page(data=data, next=None)


@operation(
    "revise_service_event",
    body=Correction,
    answer=EventResult,
    status=201,
    problems=("event_conflict", "not_related", "invalid_event", "second_person_needed"),
)
def revise_service_event(call: Call) -> Reply:
    """The correction is an event of its own, a replacement; nothing is changed in place.

    A person corrects alone what does not give money back.
    """
    looked, reach = _found(call, owner=True)
    before = _content(looked)
    if before.kind == "hold":
        raise Refused(
            "invalid_event",
            "a request that set money aside is not corrected",
            where="event_id",
            next_step="Undo it and send another one; send a replacement when the care was given.",
        )
    said = {
        "billing_party": before.billing_party,
        "visit": before.visit,
        **msgspec.to_builtins(call.body),
        "source": before.source,
        "kind": "replacement",
        "member": before.member,
        "replaces": before.event_id,
    }
    if said["billing_party"] != before.billing_party:
        said["facts"] = {**said.get("facts", {}), REPLACED_PARTY: before.billing_party}
    said.setdefault("event_id", _derived_id(call, looked))
    event = read_event(said, "$")
    if not reach.everything and not reach.covers(frozenset({event.billing_party}), frozenset()):
        # Nothing was looked up: it tells only what the caller is not.
        raise Denied(Deny("not_related"), call.operation)
    return _cleared_by_two(call, event)


@operation(
    "reverse_service_event",
    body=Undoing,
    answer=EventResult,
    status=201,
    problems=("event_conflict", "invalid_event", "second_person_needed"),
)
def reverse_service_event(call: Call) -> Reply:
    """The reversal is an event of its own; of a request that only set money aside, the stop.

    A system takes back by its own authority; a person alone only what cost nothing.
    """
    looked, _ = _found(call, owner=True)
    before = _content(looked)
    given = call.body.event_id
    event = ServiceEvent(
        source=before.source,
        event_id=given if isinstance(given, str) else _derived_id(call, looked),
        kind="stop" if looked.stored.kind is EntryKind.HOLD else "reversal",
        member=before.member,
        code=before.code,
        currency=before.currency,
        started_at=before.started_at,
        billing_party=before.billing_party,
        site=before.site,
        visit=before.visit,
        replaces=before.event_id,
    )
    if event.event_id == before.event_id:
        raise Refused("invalid_event", "an event cannot undo itself", where="$.event_id")
    return _cleared_by_two(call, event)


@operation("list_work_queue", answer=Page[WorkItem], query={**FILTERS, **_NARROW})
def list_work_queue(call: Call) -> Page[WorkItem]:
    reach, filters, limit, before = call.reach(), filters_of(call), call.limit(), before_of(call)
    ways = ways_of(call, reach, by_party=bool(filters["party"]))
    narrow = {name: word_of(call, name) for name in _NARROW}
    rows = call.market.index.waiting(**ways, **filters, **narrow, before=before, limit=limit + 1)
    page = rows[:limit]
    # The index may be a moment behind: what has cleared since waits no longer.
    waiting = [one for one in newest_of(call.market, [row.key for row in page]) if one.row.status == "pended"]
    return Page(
        data=_work_items(call, waiting),
        next=call.cursor([page[-1].first]) if len(rows) > limit else None,
    )


@operation("get_work_item", answer=WorkItem)
def get_work_item(call: Call) -> WorkItem:
    looked, _ = _found(call)
    if looked.row.status != "pended":
        raise Problem("not_found")
    return _work_items(call, [looked])[0]


@operation("retry_work_item", body=Nothing, answer=EventResult)
def retry_work_item(call: Call) -> EventResult:
    """What waits no longer is answered with what it was answered before."""
    looked, _ = _found(call, owner=True)
    waiting = waiting_of([looked.stored])
    if not waiting:
        raise _erased()
    desk = call.market.desk
    (outcome,) = clear_batch(waiting, desk, revise=looked.row.status == "pended")
    return results_of([outcome], desk.books.tenant, call.market.index)[0]


def _found(call: Call, *, owner: bool = False) -> tuple[Looked, Reach]:
    all_of_it = call.reach()  # who may do this to nothing at all is told so before anything is looked up
    looked = find_event(call.market, call.path["event_id"])
    reach = call.permit(resource_of(call, looked.row, owner=owner) if looked is not None else None)
    assert looked is not None  # what is not there is never permitted
    return looked, all_of_it if owner else reach


def _exact(call: Call, reach: Reach, key: bytes) -> Page[Event]:
    """From the journal itself, so that a sender finds at once what was just sent."""
    rows = newest_of(call.market, [key]) if call.market.index.of_key(key) else []
    mine = [one for one in rows if reach.everything or one.row.parties & reach.parties]
    return Page(data=_events(call, mine), next=None)


def _events(call: Call, rows: Sequence[Looked]) -> list[Event]:
    shown = receipts_of(call.market, rows)
    names = names_of_keys(call.market, {one.by_key for one in rows})
    return [event_of(looked, one, names.get(looked.by_key)) for looked, one in zip(rows, shown, strict=True)]


def _work_items(call: Call, rows: Sequence[Looked]) -> list[WorkItem]:
    firsts = {one.row.position: one.row.posted_at for one in call.market.index.look([one.row.first for one in rows])}
    shown = receipts_of(call.market, rows)
    return [
        work_item_of(looked, one, instant(firsts[looked.row.first])) for looked, one in zip(rows, shown, strict=True)
    ]


def _content(looked: Looked) -> ServiceEvent:
    kept = kept_of(looked.stored)
    event = kept.body.event if kept is not None else None
    if event is None:
        raise _erased()
    return event


def _erased() -> Conflict:
    return Conflict(
        "the content of this event was erased", where="event_id", next_step="Nothing can be done with it any more."
    )


def _derived_id(call: Call, looked: Looked) -> str:
    """The same for every attempt with one Idempotency-Key, also when nobody remembers the first answer any more."""
    words = "\0".join((call.operation, call.caller.subject, call.key, looked.row.key.hex()))
    return f"{call.operation.partition('_')[0]}-{hashlib.sha256(words.encode()).hexdigest()[:32]}"


def _cleared_by_two(call: Call, event: ServiceEvent) -> Reply:
    if call.caller.kind is Kind.PERSON:
        ensure_by_two(event, call.market.desk, call.market.money)
    return _cleared(call, event)


def _cleared(call: Call, event: ServiceEvent) -> Reply:
    desk = call.market.desk
    outcome: Outcome
    (outcome,) = clear_events([event], desk)
    if outcome.status == "conflict":
        raise Problem("event_conflict")
    result = results_of([outcome], desk.books.tenant, call.market.index)[0]
    if result.id is None:
        raise Refused(result.reason, result.message, where="$", next_step=result.next_step)
    return Reply(result, status=200 if result.duplicate else 201)
