"""Clear a batch of events: the only path that posts a charge.

Batch-first: one event is a batch of one. Read, decide, write, commit - one transaction, no network call inside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from drachm.application.body import Problem, write_body
from drachm.application.desk import RETRIES, Desk
from drachm.application.first_answers import Answers, Outcome
from drachm.application.ports import ConstraintFired, Posting, Raced, Row
from drachm.application.rows import SALT_BYTES, row_of
from drachm.application.shared_funds import SharedFunds, Short
from drachm.domain.clearing.answer import Answer
from drachm.domain.clearing.clear import clear
from drachm.domain.clearing.model import EMPTY, Clearing, Decision
from drachm.domain.clearing.world import Turn, Waiting, World
from drachm.domain.errors import Pended, Refused, Unavailable
from drachm.domain.events.model import ServiceEvent
from drachm.domain.funding.arrange import TooLittle, by_itself
from drachm.domain.funding.model import Agreed, Leg
from drachm.domain.ledger.model import EntryKind, JournalEntry
from drachm.domain.transparency.leaf import event_key


def clear_events(events: Sequence[ServiceEvent], desk: Desk, answers: dict[str, Answer] | None = None) -> list[Outcome]:
    """Clear each event once, in order; a repeated event receives its first answer.

    `answers` maps event ids to an outside payer's decision. Raises `Unavailable` when the database is silent.
    """
    received, tenant, given = desk.clock.now(), desk.books.tenant, answers or {}
    batch = [
        Waiting(event, received, event_key(tenant, event.source, event.event_id), given.get(event.event_id))
        for event in events
    ]
    return clear_batch(batch, desk)


def clear_batch(batch: Sequence[Waiting], desk: Desk, *, revise: bool = False) -> list[Outcome]:
    """Clear a batch; when something in it breaks, halve it until the offender stands alone and answer that one only."""
    if not batch:
        return []
    shared, races = SharedFunds(desk, len(batch)), 0
    while True:
        try:
            return _clear_once(batch, desk, shared, revise=revise)
        except Short:
            shared.fetch()
        except Raced:
            races += 1
            if races == RETRIES:
                raise
        except Unavailable:
            raise
        except Exception as fault:  # noqa: BLE001 - whatever one event breaks, or holds up, must not stop the others
            if len(batch) == 1:
                return _clear_once(batch, desk, shared, revise=revise, fault=fault)
            middle = len(batch) // 2
            first = clear_batch(batch[:middle], desk, revise=revise)
            return first + clear_batch(batch[middle:], desk, revise=revise)


def _clear_once(
    batch: Sequence[Waiting], desk: Desk, shared: SharedFunds, *, revise: bool, fault: Exception | None = None
) -> list[Outcome]:
    with desk.books.work() as work:
        answers = Answers(batch, work, desk.books, revise=revise)
        fresh = answers.fresh
        if not fresh:
            return answers.in_order()
        registry = work.registry([waiting.event for waiting in fresh])
        if desk.spent:
            shared.foresee(registry)
        documents = desk.books.documents(registry.version)
        world = World(registry, documents, answers.targets)
        # An event that broke something is not looked at again: it needs no locks.
        needs = shared.needs(world.needs(fresh if fault is None else ()))
        locked = work.lock(needs, len(fresh) + shared.rows)
        if locked.version > registry.version:
            # Who was paused, frozen, or limited more while the batch waited for its locks is so for this batch.
            newest = work.registry([waiting.event for waiting in fresh])
            if not newest.same(registry):
                registry, documents = newest, desk.books.documents(newest.version)
                world = World(registry, documents, answers.targets)
                newer = world.needs(fresh if fault is None else ())
                if not newer.within(needs):
                    shared.widen(newer)
                    raise Raced("the register changed what the batch must lock", where="register")
        while True:
            world.load(locked.totals, shared.begin(locked.avail))
            writing = _Writing(desk, world, shared, registry.version, len(fresh))
            places = enumerate(fresh, start=locked.first_position + shared.rows)
            outcomes = [writing.decide(waiting, position, fault) for position, waiting in places]
            if not shared.again():
                break
            world = World(registry, documents, answers.targets)
            world.needs(fresh)
        for waiting, outcome in zip(fresh, outcomes, strict=True):
            answers.add(waiting, outcome)
        if writing.rows:
            work.post(shared.joined(writing.posting(), locked) if shared.held else writing.posting())
            work.commit()
        return answers.in_order()


def _named(fault: Exception) -> Pended | Refused:
    """A fault as an outcome: what the database forbids is refused, a defect of ours waits until it is mended."""
    if isinstance(fault, ConstraintFired):
        return Refused("constraint", f"the database refused the posting: {fault.message}", where="posting")
    return Pended("defect", f"deciding this event failed ({type(fault).__name__})", where="decision")


def _room(turn: Turn, legs: Sequence[Leg]) -> Mapping[str, int] | None:
    """What the member may still take from each limited pot behind these legs; None where nothing is limited."""
    quotas = turn.at.quotas
    return quotas.room(turn.totals, legs) if quotas is not None else None


class _Writing:
    """Turns decisions into rows, and sums what they change."""

    def __init__(self, desk: Desk, world: World, shared: SharedFunds, version: int, count: int) -> None:
        self._tenant = desk.books.tenant
        self._world = world
        self._shared = shared
        self._version = version
        self._posted_at: datetime = desk.clock.now()
        salts = desk.ids.random_bytes(SALT_BYTES * count)
        self._salts = iter([salts[at : at + SALT_BYTES] for at in range(0, len(salts), SALT_BYTES)])
        self.rows: list[Row] = []
        self._deltas: dict[int, int] = {}
        self._moves: dict[str, int] = {}
        self._held: dict[str, int] = {}

    def decide(self, waiting: Waiting, position: int, fault: Exception | None) -> Outcome:
        """Decide one event and keep its row. A rule's "no" is an outcome like any other."""
        salt = next(self._salts)
        try:
            if fault is not None:
                raise _named(fault)
            turn = self._world.turn(waiting)
            clearing = clear(waiting.event, *turn)
            body = self._kept(waiting, turn, salt, clearing.decision.standing.agreed)
        except (Pended, Refused) as reason:
            if isinstance(reason, TooLittle):
                room = _room(turn, reason.legs)
                self._shared.lack(reason.pots, waiting.event.currency, reason.missing, room, reason.legs, whole=True)
            return self._note(waiting, position, salt, reason)
        funding = clearing.decision.funding
        shares = turn.at.shares
        # Before the world moves on: afterwards the totals count these legs.
        missing = funding.due - funding.withheld
        room = _room(turn, funding.legs) if shares else None
        after = self._world.advance(waiting, clearing, position=position)
        if shares:
            legs = by_itself(funding.legs, clearing.decision.standing.agreed)
            self._shared.lack(turn.at.pots, waiting.event.currency, missing, room, legs)
        if turn.at.target is not None or self._shared.held:
            self._shared.saw(clearing.moves, after)
        self._sum(clearing)
        return self._post(waiting, turn, clearing, after, salt, body, position)

    def posting(self) -> Posting:
        return Posting(self.rows, self._deltas, self._moves, self._held)

    def _kept(self, waiting: Waiting, turn: Turn, salt: bytes, agreed: Sequence[Agreed]) -> bytes:
        at, totals, avail = turn
        held, seen = None, None
        if at.prepared is not None:
            seen = [totals.get(key, 0) for key in at.totals]
            held = [avail.get(pot.id, 0) for pot in at.pots]
        return write_body(
            *(waiting.event, waiting.received, salt, self._version),
            totals=seen,
            avail=held,
            answer=waiting.answer,
            agreed=agreed,
        )

    def _note(self, waiting: Waiting, position: int, salt: bytes, reason: Pended | Refused) -> Outcome:
        """What could not be decided, or never can be, is journalled without moving money."""
        status: Literal["pended", "refused"] = "pended" if isinstance(reason, Pended) else "refused"
        decision = Decision(status, reason.reason, EMPTY)
        problem = Problem(reason.reason, reason.message, reason.where, reason.next_step)
        event = waiting.event
        if status == "pended" and waiting.revision:
            # Still waiting for the same thing: nothing new to write.
            return Outcome(event, status, reason.reason, waiting.revision - 1, decision=decision, problem=problem)
        try:
            body = write_body(event, waiting.received, salt, self._version, answer=waiting.answer, problem=problem)
        except Refused as unwritable:
            problem = Problem(unwritable.reason, unwritable.message, unwritable.where)
            return Outcome(event, "refused", unwritable.reason, problem=problem)
        clearing = Clearing(decision, JournalEntry(EntryKind.NOTE))
        outcome = self._post(waiting, None, clearing, (), salt, body, position)
        outcome.problem = problem
        return outcome

    def _post(
        self,
        waiting: Waiting,
        turn: Turn | None,
        clearing: Clearing,
        after: tuple[tuple[str, int], ...],
        salt: bytes,
        body: bytes,
        position: int,
    ) -> Outcome:
        event, decision = waiting.event, clearing.decision
        row = row_of(
            self._tenant,
            position=position,
            key=waiting.key,
            entry=clearing.entry,
            currency=event.currency,
            member=event.member if self._world.knows(event.member) else "",
            occurred_at=event.started_at,
            posted_at=self._posted_at,
            salt=salt,
            body=body,
            after=after,
            status=decision.status,
            reason=decision.reason,
            revision=waiting.revision,
            target=turn.at.target if turn is not None else None,
        )
        self.rows.append(row)
        status, reason, revision = decision.status, decision.reason, waiting.revision
        return Outcome(event, status, reason, revision, position, False, row.posted_at, row.leaf, body, decision)

    def _sum(self, clearing: Clearing) -> None:
        deltas, moves = self._deltas, self._moves
        for key, delta in clearing.deltas:
            deltas[key] = deltas.get(key, 0) + delta
        for pot, move in clearing.moves:
            moves[pot] = moves.get(pot, 0) + move
        if clearing.entry.kind is EntryKind.CHARGE:
            return
        for account, amount, _ in clearing.entry.entries:
            if account.kind == "wallet_held":
                self._held[account.owner] = self._held.get(account.owner, 0) - amount
