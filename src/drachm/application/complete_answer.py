"""An outside payer's final word on an event that was cleared provisionally."""

from __future__ import annotations

from dataclasses import replace

from drachm.application.clear_events import clear_batch
from drachm.application.desk import Desk
from drachm.application.first_answers import Outcome, first_answer, waiting_of
from drachm.application.recall import kept_of, recall
from drachm.domain.clearing.answer import Answer
from drachm.domain.clearing.clear import UNDOING
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
    if stored.superseded:
        raise Conflict(
            "the event was replaced or taken back: the answer belongs to what took its place",
            where=f"{source}/{event_id}",
        )
    if waiting[0].event.kind in UNDOING:
        raise Conflict("a payer answers charges, not what takes them back", where=f"{source}/{event_id}")
    before = waiting[0].answer
    if before is not None and before.status == "final":
        kept = kept_of(stored)
        if before == answer and kept is not None:
            return first_answer(waiting[0].event, stored, recall([kept], desk.books)[0])
        raise Conflict("the payer's answer is final already", where=f"{source}/{event_id}")
    return clear_batch([replace(waiting[0], answer=answer)], desk, revise=True)[0]
