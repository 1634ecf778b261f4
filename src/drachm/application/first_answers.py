"""Was this event here before? Then its first answer counts, for ever."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from drachm.application.body import Problem, TopUp
from drachm.application.ports import Books, Stored, UnitOfWork
from drachm.application.recall import Recalled, kept_of, recall
from drachm.domain.clearing.clear import REFERRING
from drachm.domain.clearing.model import EMPTY, Decision, Target
from drachm.domain.clearing.privacy import is_marked, marked, same_but_marked
from drachm.domain.clearing.world import Waiting
from drachm.domain.events.model import ServiceEvent
from drachm.domain.transparency.leaf import event_key


@dataclass(slots=True)
class Outcome:
    """The answer for one event."""

    event: ServiceEvent
    status: Literal["posted", "denied", "pended", "refused", "conflict"]
    reason: str
    revision: int = 0
    position: int = 0
    """In the journal; 0 when nothing was written."""
    duplicate: bool = False
    """True when the event was here before and this is its first answer again."""
    posted_at: datetime | None = None
    leaf: bytes = b""
    body: bytes = b""
    """What the row keeps; empty for a conflict, or when the patient's key was erased."""
    decision: Decision | None = None
    """What was decided; None for a conflict, or when the patient's key was erased."""
    problem: Problem | None = None
    """In words, why it was pended or refused."""

    @property
    def event_id(self) -> str:
        return self.event.event_id

    @property
    def source(self) -> str:
        return self.event.source


class Answers:
    """What a batch knows of its events already, and what is still to be decided."""

    def __init__(self, batch: Sequence[Waiting], work: UnitOfWork, books: Books, *, revise: bool) -> None:
        self._batch = batch
        self._revise = revise
        self._tenant = work.tenant
        self._found: dict[bytes, Outcome] = {}
        self._first: dict[bytes, ServiceEvent | TopUp | None] = {}
        """By key, what was here first; None when nobody can tell any more."""
        self.fresh: list[Waiting] = []
        keys = [waiting.key for waiting in batch]
        referred = {
            event_key(work.tenant, event.source, event.replaces)
            for event in [waiting.event for waiting in batch]
            if event.kind in REFERRING
        }
        stored = work.newest([*dict.fromkeys(keys), *referred.difference(keys)])
        recalled = _recalled(stored.values(), books)
        self.targets = {
            key: _target(stored[key], recalled.get(key))
            for key in stored
            if stored[key].status in ("posted", "denied") and (revise or key in referred)
        }
        """The newest posted row of every event that the batch refers to, or revises."""
        self._private = {
            key for key, one in recalled.items() if (event := one.body.event) is not None and is_marked(event)
        }
        for key, waiting in zip(keys, batch, strict=True):
            if key not in self._first:
                self._sort_in(key, waiting, stored.get(key), recalled.get(key))

    def add(self, waiting: Waiting, outcome: Outcome) -> None:
        """The answer of one of the fresh events."""
        self._found[waiting.key] = outcome

    def in_order(self) -> list[Outcome]:
        """One answer for each event of the batch, in its order; the second of two equal events is a duplicate."""
        answers = []
        told: set[bytes] = set()
        for waiting in self._batch:
            key, event = waiting.key, waiting.event
            outcome, first = self._found[key], self._first[key]
            if first is not event and first is not None and first != event and not self._alike(first, event):
                outcome = Outcome(event, "conflict", "event_conflict")
            elif key in told:
                outcome = replace(outcome, duplicate=True)
            told.add(key)
            answers.append(outcome)
        return answers

    def _sort_in(self, key: bytes, waiting: Waiting, stored: Stored | None, recalled: Recalled | None) -> None:
        if stored is None:
            self._first[key] = waiting.event
            self.fresh.append(self._as_private(key, waiting))
            return
        self._first[key] = recalled.body.event or recalled.body.top_up if recalled else None
        if not self._revise or _settled(waiting, stored, recalled):
            self._found[key] = first_answer(waiting.event, stored, recalled)
            return
        again = replace(waiting, own=self.targets.get(key), revision=stored.revision + 1)
        self.fresh.append(self._as_private(key, again))

    def _as_private(self, key: bytes, waiting: Waiting) -> Waiting:
        """What refers to a private event is private itself, whether its sender knows or not."""
        event = waiting.event
        if is_marked(event):
            self._private.add(key)
        elif event.kind in REFERRING and event_key(self._tenant, event.source, event.replaces) in self._private:
            self._private.add(key)
            return replace(waiting, event=marked(event))
        return waiting

    def _alike(self, first: ServiceEvent | TopUp, event: ServiceEvent) -> bool:
        """Whether an event differs from what is kept by the mark of privacy alone, which its sender may not know; a
        revision may give it one."""
        if isinstance(first, TopUp):
            return False
        return same_but_marked(first, event) or (self._revise and same_but_marked(event, first))


def first_answer(event: ServiceEvent, stored: Stored, recalled: Recalled | None) -> Outcome:
    """The answer an event received before; a bare one once its content was erased."""
    outcome = Outcome(
        event,
        stored.status,
        recalled.decision.reason if recalled else "",
        stored.revision,
        stored.position,
        True,
        stored.posted_at,
        stored.leaf,
        stored.body,
    )
    if recalled is not None:
        outcome.decision, outcome.problem = recalled.decision, recalled.body.problem
    return outcome


def waiting_of(rows: Iterable[Stored]) -> list[Waiting]:
    """Stored events, ready to be decided again as a new revision."""
    waiting = []
    for row in rows:
        kept = kept_of(row)
        event = kept.body.event if kept is not None else None
        if kept is not None and event is not None:
            waiting.append(Waiting(event, kept.body.received, row.key, kept.body.answer))
    return waiting


def _recalled(rows: Iterable[Stored], books: Books) -> dict[bytes, Recalled]:
    kept = [one for row in rows if (one := kept_of(row)) is not None]
    return {one.key: found for one, found in zip(kept, recall(kept, books), strict=True)} if kept else {}


def _target(row: Stored, recalled: Recalled | None) -> Target:
    """A stored posting as something a later event may take the place of."""
    event = recalled.body.event if recalled else None
    return Target(
        row.key,
        row.revision,
        row.position,
        row.kind,
        recalled.decision.standing if recalled else EMPTY,
        event.member if event else "",
        event.billing_party if event else "",
        row.superseded,
    )


def _settled(waiting: Waiting, stored: Stored, recalled: Recalled | None) -> bool:
    """What was posted is decided again only for another answer of a payer, or when it becomes private: a second worker
    finds nothing to do. What another row took the place of never is."""
    if stored.status == "pended":
        return False
    if recalled is None or stored.superseded:
        return True
    kept = recalled.body.event
    private = kept is not None and is_marked(waiting.event) and not is_marked(kept)
    return recalled.body.answer == waiting.answer and not private
