"""An outside payer's final word on an event that was cleared provisionally."""

from __future__ import annotations

from dataclasses import replace

from drachm.application.clear_events import Desk, Outcome, clear_batch, first_answer, waiting_of
from drachm.domain.clearing.clear import UNDOING
from drachm.domain.clearing.model import Answer
from drachm.domain.errors import Conflict
from drachm.domain.transparency.leaf import event_key


def complete_answer(source: str, event_id: str, answer: Answer, desk: Desk) -> Outcome:
    """Post the difference between what the event stands at and what the answer says, as a new revision.

    The same answer again changes nothing. Raises `Conflict` when the event is not here or its answer is final already.
    """
    with desk.books.work() as work:
        key = event_key(work.tenant, source, event_id)
        stored = work.newest([key]).get(key)
    waiting = waiting_of([stored]) if stored is not None else []
    if stored is None or not waiting:
        raise Conflict("no such event", where=f"{source}/{event_id}", next_step="Send the event first.")
    if waiting[0].event.kind in UNDOING:
        raise Conflict("a payer answers charges, not what takes them back", where=f"{source}/{event_id}")
    before = waiting[0].answer
    if before is not None and before.status == "final":
        if before == answer:
            return _as_it_stands(source, event_id, desk)
        raise Conflict("the payer's answer is final already", where=f"{source}/{event_id}")
    return clear_batch([replace(waiting[0], answer=answer)], desk, revise=True)[0]


def _as_it_stands(source: str, event_id: str, desk: Desk) -> Outcome:
    with desk.books.work() as work:
        key = event_key(work.tenant, source, event_id)
        stored = work.newest([key])[key]
    return replace(first_answer(waiting_of([stored])[0], stored), duplicate=True)
