"""Many waiting events tried again at once: first what would come of it, then for good."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Final

from msgspec import Meta

from drachm.adapters.rest.service.call import Call, operation
from drachm.adapters.rest.service.journal_reading import find_events
from drachm.adapters.rest.service.results import EventResult, results_of
from drachm.adapters.rest.service.shapes import Shape, View
from drachm.application.clear_events import clear_batch
from drachm.application.desk import Desk
from drachm.application.first_answers import waiting_of
from drachm.application.journal_index import Looked
from drachm.application.rehearsal import RehearsalBooks, RehearsalIds

MOST: Final = 100
Name = Annotated[str, Meta(min_length=1, max_length=64)]


class RetryOrder(Shape):
    """Events that wait."""

    events: Annotated[list[Name], Meta(min_length=1, max_length=MOST)]
    """`evt_...`, in the order in which they are to be decided."""
    rehearse: bool = False
    """Only say what would come of it; nothing is posted."""


class RetryResult(View):
    """What came of it, or would."""

    rehearsed: bool
    results: list[EventResult]
    """In the order asked; what waits no longer has the answer it had before. Of a rehearsal, ids are null."""
    counts: dict[str, int]
    """How many have each status."""


@operation("retry_work_queue", body=RetryOrder, answer=RetryResult)
def retry_work_queue(call: Call) -> RetryResult:
    """One batch for all of them. Raises Denied when one of them is nobody's whom the caller acts for."""
    body: RetryOrder = call.body
    call.reach()
    looked = find_events(call.market, body.events)
    # An event that is not there is told like one of somebody else.
    there = len(looked) == len(set(body.events))
    owners = frozenset(one.row.provider for one in looked.values())
    call.permit(call.resource(parties=owners) if there else None)
    waiting = [one for one in looked.values() if one.row.status == "pended"]
    others = [one for one in looked.values() if one.row.status != "pended"]
    results = _tried(call, waiting, revise=True, rehearse=body.rehearse)
    # First answers again: nothing is posted for these.
    results |= _tried(call, others, revise=False, rehearse=body.rehearse)
    told = [results[one.row.key] for one in looked.values() if one.row.key in results]
    return RetryResult(rehearsed=body.rehearse, results=told, counts=dict(Counter(one.status for one in told)))


def _tried(call: Call, looked: list[Looked], *, revise: bool, rehearse: bool) -> dict[bytes, EventResult]:
    """By event key. What was erased meanwhile is left out."""
    market = call.market
    events = waiting_of([one.stored for one in looked])
    if not events:
        return {}
    desk = market.desk
    if rehearse:
        desk = Desk(RehearsalBooks(desk.books, market.money), desk.clock, RehearsalIds(), set(desk.spent))
    outcomes = clear_batch(events, desk, revise=revise)
    results = results_of(outcomes, desk.books.tenant, market.index)
    if rehearse:
        for one in results:
            one.id = one.receipt = None
    return {event.key: result for event, result in zip(events, results, strict=True)}
