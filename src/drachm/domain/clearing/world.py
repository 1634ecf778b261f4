"""What does each event of a batch find, when the events before it have already moved the totals?

`World` is the batch's own state: totals and pots under lock, moved forward event by event, so that the second visit
of a morning sees the deductible the first one used.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple

from drachm.domain.benefits import Line, prepare_placed
from drachm.domain.clearing.answer import Answer
from drachm.domain.clearing.clear import REFERRING, UNDOING, unwound
from drachm.domain.clearing.covering import Covering
from drachm.domain.clearing.documents import Documents
from drachm.domain.clearing.line import category_of, line_of
from drachm.domain.clearing.model import Clearing, Snapshot, Target
from drachm.domain.clearing.numbers import numbering
from drachm.domain.clearing.pockets import chosen
from drachm.domain.clearing.premises import Premises
from drachm.domain.clearing.privacy import is_private
from drachm.domain.clearing.quotas import quotas_of
from drachm.domain.clearing.register import Person, Registry
from drachm.domain.errors import IntegrityError, Pended
from drachm.domain.events.model import ServiceEvent
from drachm.domain.local_day import local_date
from drachm.domain.transparency.leaf import event_key

# As the class itself, but several times faster.
_new: Final = tuple.__new__


class Needs(NamedTuple):
    """What must be locked and read before the batch is decided."""

    totals: Collection[int]
    """By number (`numbers.total_number`)."""
    pots: Collection[str]

    def within(self, others: Needs) -> bool:
        """Whether whoever holds the others holds these."""
        return set(self.totals) <= set(others.totals) and set(self.pots) <= set(others.pots)


@dataclass(slots=True, init=False)
class Waiting:
    """One event of the batch with what accompanies it."""

    event: ServiceEvent
    received: datetime
    key: bytes
    """`event_key` of the event."""
    answer: Answer | None
    own: Target | None
    """The event's earlier posted revision, when this is a further one."""
    revision: int

    # Written out because the one that is made takes four times as long.
    def __init__(
        self,
        event: ServiceEvent,
        received: datetime,
        key: bytes,
        answer: Answer | None = None,
        own: Target | None = None,
        revision: int = 0,
    ) -> None:
        self.event = event
        self.received = received
        self.key = key
        self.answer = answer
        self.own = own
        self.revision = revision


class Turn(NamedTuple):
    """What one event finds when its turn has come."""

    at: Snapshot
    totals: Mapping[int, int]
    avail: Mapping[str, int]


class World:
    """The batch's view; `turn` reads, `advance` moves it forward."""

    def __init__(self, registry: Registry, documents: Documents, targets: Mapping[bytes, Target] | None = None) -> None:
        self._registry = registry
        self._documents = documents
        self._numbering = numbering(registry.tenant)
        self._totals: dict[int, int] = {}
        self._avail: dict[str, int] = {}
        self._targets = dict(targets or {})
        """By event key: the newest posted row of every event that the batch refers to."""
        self._read: dict[bytes, Snapshot | Pended] = {}
        self._awaited: set[bytes] = set()
        """Events that others of the batch refer to."""

    def knows(self, member: str) -> bool:
        """Whether this member is registered: then what is kept of an event is kept under the member's own key."""
        return member in self._registry.people

    def needs(self, batch: Iterable[Waiting]) -> Needs:
        """Every total and pot that the batch may read or write; events that cannot be decided need nothing."""
        totals: set[int] = set()
        pots: set[str] = set()
        for waiting in batch:
            if waiting.event.kind in REFERRING:
                self._awaited.add(self._key(waiting.event, waiting.event.replaces))
            try:
                at = self._read[waiting.key] = self.read(waiting)
            except Pended as reason:
                self._read[waiting.key] = reason
                continue
            totals.update(at.totals)
            # Paused ones too: who is paused or let in again while the batch waits for its locks needs no others.
            for pot in at.person.pots:
                pots.add(pot.id)
            target = waiting.own or self._referred(waiting.event)
            if target is not None:
                totals.update([number for number, _ in target.standing.deltas])
                pots.update([leg.lot for leg in target.standing.legs])
        return Needs(totals, pots)

    def load(self, totals: Mapping[int, int], avail: Mapping[str, int]) -> None:
        """Take what was read under lock: running totals (absent: 0) and what each pot may spend."""
        self._totals = dict(totals)
        self._avail = dict(avail)

    def turn(self, waiting: Waiting) -> Turn:
        """What this event finds now. Raises `Pended` when it finds too little."""
        at = self._read.pop(waiting.key, None) or self.read(waiting)
        if isinstance(at, Pended):
            try:
                raise at
            finally:
                # The error's traceback holds this frame: without its name here, both go with the batch.
                del at
        target = at.target = waiting.own or self._referred(waiting.event)
        if target is None:
            return _new(Turn, (at, self._totals, self._avail))
        at.agreed = target.standing.agreed
        return Turn(at, *unwound(at, self._totals, self._avail, target.standing))

    def advance(self, waiting: Waiting, clearing: Clearing, *, position: int) -> tuple[tuple[str, int], ...]:
        """Move totals and pots by what was decided; returns each touched pot with what it may spend afterwards."""
        totals = self._totals
        for key, delta in clearing.deltas:
            totals[key] = totals.get(key, 0) + delta
        after = []
        for pot, move in clearing.moves:
            left = self._avail[pot] = self._avail.get(pot, 0) + move
            if left < 0:
                raise IntegrityError("a pot fell below its floor", where="pots")
            after.append((pot, left))
        event = waiting.event
        if event.kind in REFERRING:
            target = self._targets[self._key(event, event.replaces)]
            self._targets[target.key] = target._replace(superseded=True)
        if waiting.key in self._awaited:
            self._targets[waiting.key] = Target(
                waiting.key,
                waiting.revision,
                position,
                clearing.entry.kind,
                clearing.decision.standing,
                event.member,
                event.billing_party,
            )
        return tuple(after)

    def read(self, waiting: Waiting) -> Snapshot:
        """What the register and the documents say of one event; nothing in a batch changes it.

        Raises `Pended` when they say too little.
        """
        event, registry, documents = waiting.event, self._registry, self._documents
        person = registry.people.get(event.member)
        if person is None:
            raise Pended("unknown_member", "no such member", where="member")
        record = registry.parties.get(event.billing_party)
        if record is None:
            raise Pended("unknown_provider", "no such party", where="billing_party")
        zone = record.party.zone
        day = local_date(event.started_at, zone)
        known = registry.parties.get(event.site) if event.site else None
        site = known.party if known is not None else None
        if event.kind in UNDOING:
            stack = documents.stack((), waiting.answer)
            return Snapshot(person, record, site, None, (), day, waiting.received, stack, waiting.answer)
        covering = self._covering(person, event.started_at, day, zone)
        covers = covering.covers
        at = Snapshot(
            person,
            record,
            site,
            record.agreement(covers[0].payer if covers else None, day),
            covers,
            day,
            waiting.received,
            covering.stack if waiting.answer is None else documents.stack(covers, waiting.answer),
            waiting.answer,
        )
        premises = record.at(site)
        at.priced = priced = documents.price(event, at, premises)
        line = line_of(event, priced, at, covering, premises)
        at.prepared = prepare_placed(line, at.stack, self._numbering, day, zone)
        if person.shares or person.given or person.limited:
            self._limit_pots(at, person, event, line, category_of(event, priced), premises)
        return at

    def _limit_pots(
        self, at: Snapshot, person: Person, event: ServiceEvent, line: Line, category: str, premises: Premises
    ) -> None:
        """Leave out the pots that may not pay for this line, and say how much of the others it may draw."""
        at.shares = person.shares
        if person.shares or person.given:
            private = is_private(event, person.member, category, premises.facts, at.day)
            at.pots, at.passed = chosen(person.pots, line, category, at.day, at.stack, self._documents, private=private)
            at.closed = len(at.pots) < len(person.pots)
        if person.limited:
            at.quotas = quotas_of(at.pots, event, category, self._numbering, person.mandate)

    def _key(self, event: ServiceEvent, event_id: str) -> bytes:
        return event_key(self._registry.tenant, event.source, event_id)

    def _referred(self, event: ServiceEvent) -> Target | None:
        return self._targets.get(self._key(event, event.replaces)) if event.kind in REFERRING else None

    def _covering(self, person: Person, at: datetime, day: date, zone: str) -> Covering:
        covering = person.covering
        if covering is None or not covering.holds(self._documents, at, day, zone):
            covering = person.covering = Covering(person.coverages, self._documents, at, day, zone)
        return covering
