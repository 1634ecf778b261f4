"""What becomes of a charge when something of what is due of it is paid, or given back?

It gets a new standing through the one posting mechanism: its decision stays as it was, with everything that it read,
and what is paid becomes legs of it. Which pots may pay for the care, and which limits and budgets count it, is as it is
now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from drachm.application.body import Body, read_body, write_body
from drachm.application.desk import Desk
from drachm.application.ports import Locked, Row, Stored, UnitOfWork
from drachm.application.recall import Kept, Recalled, kept_of, recall
from drachm.application.rows import SALT_BYTES, row_of
from drachm.domain.clearing.clear import UNDOING
from drachm.domain.clearing.journal import difference
from drachm.domain.clearing.model import Snapshot, Standing, Target
from drachm.domain.clearing.numbers import place_of
from drachm.domain.clearing.quotas import Quotas
from drachm.domain.clearing.register import Registry
from drachm.domain.clearing.world import Waiting, World
from drachm.domain.errors import Conflict, InvalidMessage, Pended, ensure
from drachm.domain.events.model import ServiceEvent
from drachm.domain.funding.model import Agreed, Pot
from drachm.domain.ledger.model import EntryKind


class Short(Exception):
    """A slice of a shared fund holds too little; its rest may have more."""

    def __init__(self, pot: Pot, target: int) -> None:
        super().__init__()
        self.pot = pot
        self.target = target


class Charge(NamedTuple):
    """A charge as it stands, with what it was decided from."""

    stored: Stored
    kept: Kept
    event: ServiceEvent
    recalled: Recalled

    @property
    def standing(self) -> Standing:
        return self.recalled.decision.standing

    @property
    def owes(self) -> bool:
        """Whether something is due of it that can be paid."""
        gone = self.stored.superseded or self.event.kind in (*UNDOING, "hold")
        return not gone and self.standing.due > 0

    def now(self, registry: Registry, desk: Desk) -> Snapshot:
        """What the register says of it now. Raises `Conflict` where that is too little."""
        waiting = Waiting(self.event, self.kept.body.received, self.stored.key, self.kept.body.answer)
        try:
            return World(registry, desk.books.documents(registry.version)).read(waiting)
        except (Pended, InvalidMessage) as reason:
            # What is invalid is what was registered, such as covers that cannot stand together: never the order to pay.
            raise Conflict(
                f"this charge cannot be paid at the moment: {reason.message}",
                where=reason.where if isinstance(reason, Pended) else "coverage",
                next_step="Try again later.",
            ) from None


def charge_of(key: bytes, work: UnitOfWork, desk: Desk) -> Charge:
    """The charge of an event key. Raises `Conflict` when there is none, or its content was erased."""
    stored = work.newest([key]).get(key)
    kept = kept_of(stored) if stored is not None else None
    event = kept.body.event if kept is not None else None
    if stored is None or kept is None or event is None:
        raise Conflict("there is no such charge", where="charge", next_step="Look the charge up again.")
    [recalled] = recall([kept], desk.books)
    return Charge(stored, kept, event, recalled)


def parts_of(
    payment: str,
    amount: int,
    pots: Sequence[Pot],
    quotas: Quotas | None,
    locked: Locked,
    asked: set[str],
    *,
    by_itself: bool = False,
) -> tuple[Agreed, ...]:
    """What each pocket pays of an amount, as far as they reach. Raises `Short` where a slice's fund may have more."""
    avail = {pot.id: locked.avail.get(pot.id, 0) for pot in pots}
    room = quotas.room(locked.totals) if quotas is not None else {}
    rest, parts = amount, []
    for pot in pots:
        wanted = min(rest, room.get(pot.id, rest))
        if wanted > avail[pot.id] and pot.fund and pot.id not in asked:
            raise Short(pot, wanted)
        taken = min(wanted, avail[pot.id])
        if taken > 0:
            counting = quotas.counting(pot.id, by_itself=by_itself) if quotas is not None else []
            counted = tuple([place_of(number) for number in counting])
            parts.append(Agreed(payment, pot.id, pot.pocket, taken, counted, by_itself))
            rest -= taken
    return tuple(parts)


def next_row(
    charge: Charge,
    agreed: tuple[Agreed, ...],
    moves: Mapping[str, int],
    locked: Locked,
    work: UnitOfWork,
    desk: Desk,
) -> tuple[Row, Mapping[int, int]]:
    """The charge's next row, and what it adds to running totals."""
    stored, kept, event, _ = charge
    salt, old = desk.ids.random_bytes(SALT_BYTES), charge.standing
    body = _body(kept.body, event, salt, agreed, stored.position)
    [anew] = recall([kept._replace(body=read_body(body))], desk.books)
    new = anew.decision.standing
    ensure(new.agreed == agreed, "a payment was more than what is due", where="charge")
    entry = difference(EntryKind.REVISION, new.entries, old.entries)
    deltas = dict(new.deltas)
    for number, value in old.deltas:
        deltas[number] = deltas.get(number, 0) - value
    row = row_of(
        work.tenant,
        position=locked.first_position,
        key=stored.key,
        entry=entry,
        currency=event.currency,
        member=event.member,
        occurred_at=event.started_at,
        posted_at=desk.clock.now(),
        salt=salt,
        body=body,
        after=tuple(sorted((pot, locked.avail[pot] + move) for pot, move in moves.items())),
        status=stored.status,
        revision=stored.revision + 1,
        target=Target(
            *(stored.key, stored.revision, stored.position, stored.kind, old, event.member, event.billing_party)
        ),
    )
    return row, {number: value for number, value in deltas.items() if value}


def _body(was: Body, event: ServiceEvent, salt: bytes, agreed: Sequence[Agreed], paying: int) -> bytes:
    return write_body(
        *(event, was.received, salt, was.version),
        totals=was.totals,
        avail=was.avail,
        answer=was.answer,
        problem=was.problem,
        agreed=agreed,
        paying=paying,
    )
