"""Clear a batch of events: the only path that posts a charge.

Batch-first: one event is a batch of one. Read, decide, write, commit - one transaction, no network call inside.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from drachm.application.body import Body, Context, read_body, write_body
from drachm.application.ports import Books, Clock, ConstraintFired, Ids, Posting, Raced, Row, Stored, UnitOfWork
from drachm.domain.benefits.model import Key
from drachm.domain.clearing.clear import REFERRING, clear
from drachm.domain.clearing.documents import Documents
from drachm.domain.clearing.model import EMPTY, Answer, Clearing, Snapshot, Target
from drachm.domain.clearing.world import Waiting, World
from drachm.domain.errors import IntegrityError, Pended, Refused
from drachm.domain.events.model import ServiceEvent, fingerprint
from drachm.domain.ledger.model import EntryKind, JournalEntry, account_id
from drachm.domain.transparency.leaf import NO_KEY, Leaf, commitment, event_key, leaf_hash

RETRIES: Final = 8
"""How often a batch that raced with another writer is read again before the caller is told."""

Isolating = (ConstraintFired, IntegrityError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError)
"""What one event may break: the batch is halved until the offender stands alone."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer for one event."""

    source: str
    event_id: str
    status: Literal["posted", "denied", "pended", "refused", "conflict"]
    reason: str
    revision: int = 0
    position: int = 0
    duplicate: bool = False
    """True when the event was here before and this is its first answer again."""
    posted_at: datetime | None = None
    leaf: bytes = b""
    body: Body | None = None
    """What was read and decided; None for a conflict, or when the patient's key was erased."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What clearing needs from outside, handed in as values."""

    books: Books
    clock: Clock
    ids: Ids


def clear_events(events: Sequence[ServiceEvent], desk: Desk, answers: dict[str, Answer] | None = None) -> list[Outcome]:
    """Clear each event once, in order; a repeated event receives its first answer.

    `answers` maps event ids to an outside payer's decision. Raises `Unavailable` when the database is silent.
    """
    received, tenant, given = desk.clock.now(), desk.books.tenant, answers or {}
    batch = [
        Waiting(
            event,
            received,
            event_key(tenant, event.source, event.event_id),
            fingerprint(event),
            given.get(event.event_id),
        )
        for event in events
    ]
    return clear_batch(batch, desk)


def clear_batch(batch: Sequence[Waiting], desk: Desk, *, revise: bool = False) -> list[Outcome]:
    """Clear a batch; when something in it breaks, halve it until the offender stands alone and answer that one only."""
    if not batch:
        return []
    for _ in range(RETRIES):
        try:
            return _clear_once(batch, desk, revise=revise)
        except Raced as race:
            last = race
        except Isolating as fault:
            if len(batch) == 1:
                return _clear_once(batch, desk, revise=revise, fault=fault)
            middle = len(batch) // 2
            first = clear_batch(batch[:middle], desk, revise=revise)
            return first + clear_batch(batch[middle:], desk, revise=revise)
    raise last


def _clear_once(batch: Sequence[Waiting], desk: Desk, *, revise: bool, fault: Exception | None = None) -> list[Outcome]:
    with desk.books.work() as work:
        answers = _Answers(batch, work, revise=revise)
        if not answers.fresh:
            return answers.in_order()
        documents = desk.books.documents()
        registry = work.registry([waiting.event for waiting in answers.fresh])
        world = World(replace(registry, targets=answers.targets), documents)
        # An event that broke something is not looked at again: it needs no locks.
        locked = work.lock(world.needs(answers.fresh if fault is None else ()), len(answers.fresh))
        world.load(locked.totals, locked.avail)
        writing = _Writing(work.tenant, desk, world, documents)
        for position, waiting in enumerate(answers.fresh, start=locked.first_position):
            answers.add(waiting, writing.decide(waiting, position, fault))
        if writing.rows:
            work.post(writing.posting())
            work.commit()
        return answers.in_order()


def _named(fault: Exception) -> Pended | Refused:
    """A fault as an outcome: what the database forbids is refused, a defect of ours waits until it is mended."""
    if isinstance(fault, ConstraintFired):
        return Refused("constraint", f"the database refused the posting: {fault.message}", where="posting")
    return Pended("defect", f"deciding this event failed ({type(fault).__name__})", where="decision")


class _Answers:
    """What the batch knows of its events already, and what is still to be decided."""

    def __init__(self, batch: Sequence[Waiting], work: UnitOfWork, *, revise: bool) -> None:
        self._batch = batch
        self._revise = revise
        self._found: dict[bytes, Outcome] = {}
        self._contents: dict[bytes, bytes] = {}
        keys = [waiting.key for waiting in batch]
        wanted = {event_key(work.tenant, w.event.source, w.event.replaces) for w in batch if w.event.kind in REFERRING}
        stored = work.newest([*dict.fromkeys(keys), *wanted.difference(keys)])
        self.targets = {key: target_of(row) for key, row in stored.items() if row.status in ("posted", "denied")}
        self.fresh: list[Waiting] = []
        for key, waiting in zip(keys, batch, strict=True):
            self._sort_in(key, waiting, stored.get(key))

    def add(self, waiting: Waiting, outcome: Outcome) -> None:
        self._found[waiting.key] = outcome

    def in_order(self) -> list[Outcome]:
        """One answer for each event of the batch, in its order; the second of two equal events is a duplicate."""
        answers = []
        told: set[bytes] = set()
        for waiting in self._batch:
            key = waiting.key
            outcome = self._found[key]
            if self._contents[key] != waiting.content:
                outcome = _conflict(waiting.event)
            elif key in told:
                outcome = replace(outcome, duplicate=True)
            told.add(key)
            answers.append(outcome)
        return answers

    def _sort_in(self, key: bytes, waiting: Waiting, stored: Stored | None) -> None:
        if key in self._contents:
            return
        if stored is None:
            self._contents[key] = waiting.content
            self.fresh.append(waiting)
            return
        self._contents[key] = stored.content
        if not self._revise or _settled(waiting, stored):
            self._found[key] = first_answer(waiting, stored)
            return
        self.fresh.append(replace(waiting, own=self.targets.get(key), revision=stored.revision + 1))


class _Writing:
    """Turns decisions into rows, and sums what they change."""

    def __init__(self, tenant: int, desk: Desk, world: World, documents: Documents) -> None:
        self._tenant = tenant
        self._desk = desk
        self._world = world
        self._documents = documents
        self.rows: list[Row] = []
        self._deltas: dict[Key, int] = {}
        self._moves: dict[str, int] = {}
        self._held: dict[str, int] = {}

    def decide(self, waiting: Waiting, position: int, fault: Exception | None) -> Outcome:
        """Decide one event and keep its row. A rule's "no" is an outcome like any other."""
        event, no, snapshot = waiting.event, None, None
        try:
            if fault is not None:
                raise _named(fault)
            snapshot = self._world.at(waiting)
            clearing = clear(event, snapshot, self._documents)
        except (Pended, Refused) as problem:
            no = problem
            status: Literal["pended", "refused"] = "pended" if isinstance(problem, Pended) else "refused"
            clearing = Clearing(status, problem.reason, JournalEntry(EntryKind.NOTE), EMPTY)
        body = _body(waiting, snapshot, clearing, no, self._desk.ids.random_bytes(16))
        if clearing.status == "pended" and waiting.revision:
            # Still waiting for the same thing: nothing new to write.
            return Outcome(event.source, event.event_id, "pended", clearing.reason, waiting.revision - 1, body=body)
        row = self._row(waiting, snapshot.target if snapshot and not no else None, clearing, body, position)
        self.rows.append(row)
        self._sum(clearing)
        return Outcome(
            event.source,
            event.event_id,
            clearing.status,
            clearing.reason,
            waiting.revision,
            position,
            False,
            row.posted_at,
            row.leaf,
            body,
        )

    def posting(self) -> Posting:
        return Posting(self.rows, self._deltas, self._moves, self._held)

    def _row(self, waiting: Waiting, target: Target | None, clearing: Clearing, body: Body, position: int) -> Row:
        event = waiting.event
        after = (
            () if clearing.entry.kind is EntryKind.NOTE else self._world.advance(waiting, clearing, position=position)
        )
        data = write_body(body)
        key = waiting.key
        posted_at = self._desk.clock.now()
        leaf = leaf_hash(
            Leaf(
                tenant=self._tenant,
                key=key,
                revision=waiting.revision,
                kind=clearing.entry.kind,
                outcome=OUTCOMES[clearing.status],
                posted_at=int(posted_at.timestamp()) * 1_000_000 + posted_at.microsecond,
                superseded_key=target.key if target else NO_KEY,
                superseded_revision=target.revision if target else 0,
                currency=event.currency,
                entries=[(account_id(self._tenant, e.account), e.amount, e.source) for e in clearing.entry.entries],
                commitment=commitment(body.salt, data),
            )
        )
        return Row(
            position=position,
            key=key,
            content=waiting.content,
            revision=waiting.revision,
            supersedes=target.position if target else None,
            kind=clearing.entry.kind,
            status=clearing.status,
            reason=clearing.reason,
            member=event.member if self._world.knows(event.member) else "",
            provider=event.billing_party,
            occurred_at=event.started_at,
            posted_at=posted_at,
            currency=event.currency,
            entries=clearing.entry.entries,
            avail=after,
            leaf=leaf,
            body=data,
        )

    def _sum(self, clearing: Clearing) -> None:
        for key, delta in clearing.deltas:
            self._deltas[key] = self._deltas.get(key, 0) + delta
        for pot, move in clearing.moves:
            self._moves[pot] = self._moves.get(pot, 0) + move
        for entry in clearing.entry.entries:
            if entry.account.kind == "wallet_held":
                self._held[entry.account.owner] = self._held.get(entry.account.owner, 0) - entry.amount


OUTCOMES: Final = {"posted": 0, "denied": 1, "pended": 2, "refused": 3}
"""Status numbers of journal rows and leaves."""


def target_of(row: Stored) -> Target:
    """A stored posting as something a later event may take the place of."""
    body = read_body(row.body, where=f"position {row.position}") if row.body else None
    return Target(
        key=row.key,
        revision=row.revision,
        position=row.position,
        kind=row.kind,
        standing=body.standing if body else EMPTY,
        member=body.event.member if body and body.event else row.member,
        billing_party=body.event.billing_party if body and body.event else "",
        superseded=row.superseded,
    )


def first_answer(waiting: Waiting, stored: Stored) -> Outcome:
    """The answer an event received before, or a conflict when the content is another."""
    event = waiting.event
    if stored.content != waiting.content:
        return _conflict(event)
    body = read_body(stored.body, where=f"position {stored.position}") if stored.body else None
    reason = body.reason if body else ""
    return Outcome(
        event.source,
        event.event_id,
        stored.status,
        reason,
        stored.revision,
        stored.position,
        True,
        stored.posted_at,
        stored.leaf,
        body,
    )


def _settled(waiting: Waiting, stored: Stored) -> bool:
    """What was posted is decided again only for another answer of a payer: a second worker finds nothing to do."""
    if stored.status == "pended":
        return False
    body = read_body(stored.body, where=f"position {stored.position}") if stored.body else None
    return body is None or body.answer == waiting.answer


def waiting_of(rows: Iterable[Stored]) -> list[Waiting]:
    """Stored events, ready to be decided again as a new revision."""
    waiting = []
    for row in rows:
        body = read_body(row.body, where=f"position {row.position}") if row.body else None
        if body is not None and body.event is not None:
            waiting.append(Waiting(body.event, body.received, row.key, row.content, body.answer))
    return waiting


def _conflict(event: ServiceEvent) -> Outcome:
    return Outcome(event.source, event.event_id, "conflict", "event_conflict")


def _body(
    waiting: Waiting, snapshot: Snapshot | None, clearing: Clearing, no: Pended | Refused | None, salt: bytes
) -> Body:
    context = None
    if snapshot is not None:
        context = Context(
            snapshot.member,
            snapshot.provider,
            snapshot.site,
            snapshot.contract,
            snapshot.covers,
            snapshot.pots,
        )
    return Body(
        event=waiting.event,
        received=waiting.received,
        answer=waiting.answer,
        salt=salt,
        status=clearing.status,
        reason=clearing.reason,
        message=no.message if no else "",
        where=no.where if no else "",
        next_step=no.next_step if no else "",
        standing=clearing.standing,
        context=context,
        priced=clearing.priced,
        adjudication=clearing.adjudication,
        funding=clearing.funding,
    )
