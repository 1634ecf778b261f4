"""How does a patient pay what is due of a charge, from pockets of the patient's own choice?

The charge gets a new standing through the one posting mechanism: its decision stays as it was, with everything that it
read, and what is paid becomes legs of it. So a reversal gives it back to the pockets that paid, and a correction keeps
the patient's yes as far as something is due still. Never more is paid than is due, and once for each payment's id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from drachm.application.allot import refill
from drachm.application.body import Body, read_body, write_body
from drachm.application.desk import Desk, tried
from drachm.application.ports import Locked, Posting, Raced, Row, Stored, UnitOfWork
from drachm.application.recall import Kept, kept_of, recall
from drachm.application.rows import SALT_BYTES, row_of
from drachm.domain.clearing.clear import UNDOING
from drachm.domain.clearing.journal import difference
from drachm.domain.clearing.model import Snapshot, Standing, Target
from drachm.domain.clearing.numbers import number_at, place_of
from drachm.domain.clearing.pockets import Passed
from drachm.domain.clearing.quotas import Quotas
from drachm.domain.clearing.register import Registry
from drachm.domain.clearing.world import Needs, Waiting, World
from drachm.domain.errors import Conflict, InvalidMessage, Pended, Refused, ensure
from drachm.domain.events.model import ServiceEvent
from drachm.domain.funding.allotment import fund_of
from drachm.domain.funding.model import Agreed, Pot
from drachm.domain.ledger.model import EntryKind

POCKETS_MAX: Final = 8
"""Pockets of one payment: a journal row has few entries."""


class Yes(NamedTuple):
    """A patient's order to pay what is due of a charge."""

    id: str
    """Of the payment; ordered twice, it happens once."""
    charge: bytes
    """Event key of the charge."""
    amount: int | None = None
    """Micros, more than 0; None: all that is due."""
    pots: Sequence[str] = ()
    """Pots, or shared funds, in the order in which to draw; none: all of the patient's in theirs."""
    outside: Pot | None = None
    """Instead of these, a pot that is nobody's pocket: it holds what was collected for dues."""


class Paid(NamedTuple):
    """What became of it."""

    position: int
    """Of the row that the charge has since."""
    parts: tuple[Agreed, ...]
    """What each pocket paid."""
    due: int
    """What is due still, in micros."""
    again: bool
    """It was paid before: this is what stands of it."""

    @property
    def amount(self) -> int:
        return sum(part.amount for part in self.parts)


class _Short(Exception):
    """A slice of a shared fund holds too little; its rest may have more."""

    def __init__(self, pot: Pot, target: int) -> None:
        super().__init__()
        self.pot = pot
        self.target = target


def may_pay(charge: bytes, desk: Desk) -> tuple[tuple[Pot, ...], tuple[Passed, ...]]:
    """Which of the patient's pots may pay what is due of a charge, as things stand now, and which may not and why.

    Raises `Conflict` as `pay_due` does.
    """
    with desk.books.work() as work:
        stored = work.newest([charge]).get(charge)
        kept = kept_of(stored) if stored is not None else None
        event = kept.body.event if kept is not None else None
        if kept is None or event is None:
            raise Conflict("there is no such charge", where="charge", next_step="Look the charge up again.")
        at = _read(Waiting(event, kept.body.received, charge, kept.body.answer), work.registry([event]), desk)
        return tuple([pot for pot in at.pots if pot.currency == event.currency]), tuple(at.passed)


def pay_due(order: Yes, desk: Desk) -> Paid:
    """Pay it, whole or not at all.

    Raises `Conflict` when there is no such charge, nothing or less is due, or its content was erased; `InvalidMessage`
    for an amount or a pocket that cannot be; `Refused` when the pockets hold too little.
    """
    if order.amount is not None and order.amount <= 0:
        raise InvalidMessage("a payment is more than 0", where="amount", code="invalid_amount")
    if len(order.pots) > POCKETS_MAX or len(set(order.pots)) < len(order.pots):
        raise InvalidMessage(f"up to {POCKETS_MAX} pockets, each once", where="pots")
    asked: set[str] = set()
    while True:
        try:
            return tried(lambda: _once(order, desk, asked))
        except _Short as short:
            # Once for each slice: what the fund's rest has not got by then is not there.
            asked.add(short.pot.id)
            refill(fund_of(short.pot), {short.pot.id: short.target}, desk)


def _once(order: Yes, desk: Desk, asked: set[str]) -> Paid:
    with desk.books.work() as work:
        stored = work.newest([order.charge]).get(order.charge)
        kept = kept_of(stored) if stored is not None else None
        event = kept.body.event if kept is not None else None
        if stored is None or kept is None or event is None:
            raise Conflict("there is no such charge", where="charge", next_step="Look the charge up again.")
        [recalled] = recall([kept], desk.books)
        standing = recalled.decision.standing
        before = tuple([one for one in standing.agreed if one.id == order.id])
        if before:
            return Paid(stored.position, before, standing.due, True)
        amount = _amount(order, stored, event, standing)
        registry = work.registry([event])
        # Which pots may pay for this care, and which limits and budgets count it, is as it is now.
        at = _read(Waiting(event, kept.body.received, order.charge, kept.body.answer), registry, desk)
        pots, quotas = _chosen(order.pots, at.pots, event.currency), at.quotas
        if order.outside is not None:
            # What came from outside for this very care is asked of no limit and no budget.
            pots, quotas = [order.outside], None
        numbers = quotas.numbers if quotas is not None else ()
        locked = work.lock(Needs(frozenset(numbers), frozenset(pot.id for pot in pots)), 1)
        if work.registry([event]).version != registry.version:
            raise Raced("the register changed while the payment waited", where="register")
        parts = _parts(order.id, amount, pots, quotas, locked, asked)
        moves = {part.pot: -part.amount for part in parts}
        row, deltas = _row(kept, stored, standing, (*standing.agreed, *parts), moves, locked, work, desk)
        work.post(Posting([row], deltas, moves, {}))
        work.commit()
        return Paid(row.position, parts, standing.due - amount, False)


def take_payment_back(id: str, charge: bytes, desk: Desk) -> int:
    """What a payment paid of a charge is due again, and lies in its pots; how many micros of it stood still.

    A charge that was taken back, or corrected below it, has given back already what it did not need: then less, or
    nothing, stands. Raises `Conflict` when there is no such charge.
    """
    return tried(lambda: _back(id, charge, desk))


def _back(id: str, charge: bytes, desk: Desk) -> int:
    with desk.books.work() as work:
        stored = work.newest([charge]).get(charge)
        kept = kept_of(stored) if stored is not None else None
        if stored is None or kept is None or kept.body.event is None:
            raise Conflict("there is no such charge", where="charge", next_step="Look the charge up again.")
        [recalled] = recall([kept], desk.books)
        standing = recalled.decision.standing
        moves: dict[str, int] = {}
        for one in standing.agreed:
            if one.id == id:
                moves[one.pot] = moves.get(one.pot, 0) + one.amount
        if not moves or stored.superseded:
            return 0
        work.registry([kept.body.event])
        left = tuple([one for one in standing.agreed if one.id != id])
        counted = [number_at(row, slot) for one in standing.agreed if one.id == id for row, slot in one.counted]
        locked = work.lock(Needs(frozenset(counted), frozenset(moves)), 1)
        row, deltas = _row(kept, stored, standing, left, moves, locked, work, desk)
        work.post(Posting([row], deltas, moves, {}))
        work.commit()
        return sum(moves.values())


def _amount(order: Yes, stored: Stored, event: ServiceEvent, standing: Standing) -> int:
    """What is to be paid. Raises where that is not due."""
    if stored.superseded or event.kind in (*UNDOING, "hold") or standing.due <= 0:
        raise Conflict(
            "nothing is due of this charge", where="charge", next_step="Look the charge up again.", code="nothing_due"
        )
    amount = standing.due if order.amount is None else order.amount
    if amount > standing.due:
        raise Conflict(
            "less is due of this charge",
            where="amount",
            next_step="Look the charge up again and pay at most what is due.",
            code="less_due",
        )
    return amount


def _read(waiting: Waiting, registry: Registry, desk: Desk) -> Snapshot:
    try:
        return World(registry, desk.books.documents(registry.version)).read(waiting)
    except Pended as reason:
        raise Conflict(
            f"this charge cannot be paid at the moment: {reason.message}",
            where=reason.where,
            next_step="Try again later.",
        ) from None


def _chosen(names: Sequence[str], pots: Sequence[Pot], currency: str) -> list[Pot]:
    """The pockets to draw from, in order. Raises `InvalidMessage` for one that may not pay."""
    mine = [pot for pot in pots if pot.currency == currency]
    if not names:
        return mine[:POCKETS_MAX]
    found = {name: pot for pot in mine for name in (pot.id, pot.fund) if name}
    for name in names:
        if name not in found:
            raise InvalidMessage(
                "this is no pocket of the patient in the charge's currency, or it does not pay for this", where="pots"
            )
    return list({found[name].id: found[name] for name in names}.values())


def _parts(
    payment: str, amount: int, pots: Sequence[Pot], quotas: Quotas | None, locked: Locked, asked: set[str]
) -> tuple[Agreed, ...]:
    """What each pocket pays. Raises `_Short` where a slice's fund may have more, `Refused` where nothing has."""
    avail = {pot.id: locked.avail.get(pot.id, 0) for pot in pots}
    room = quotas.room(locked.totals) if quotas is not None else {}
    rest, parts = amount, []
    for pot in pots:
        wanted = min(rest, room.get(pot.id, rest))
        if wanted > avail[pot.id] and pot.fund and pot.id not in asked:
            raise _Short(pot, wanted)
        taken = min(wanted, avail[pot.id])
        if taken > 0:
            counted = tuple([place_of(number) for number in quotas.counting(pot.id)]) if quotas is not None else ()
            parts.append(Agreed(payment, pot.id, pot.pocket, taken, counted))
            rest -= taken
    if rest:
        raise Refused(
            "insufficient_funds",
            f"{rest} micros are missing",
            where="funding",
            next_step="Pay less, choose further pockets, or top up.",
        )
    return tuple(parts)


def _row(
    kept: Kept,
    stored: Stored,
    old: Standing,
    agreed: tuple[Agreed, ...],
    moves: Mapping[str, int],
    locked: Locked,
    work: UnitOfWork,
    desk: Desk,
) -> tuple[Row, Mapping[int, int]]:
    """The charge's next row, and what it adds to running totals."""
    salt, event = desk.ids.random_bytes(SALT_BYTES), kept.body.event
    assert event is not None  # asked by the caller
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
