"""How does a patient pay what is due of a charge, from pockets of the patient's own choice?

The charge gets a new standing (`paid_charge`). So a reversal gives what was paid back to the pockets that paid, and a
correction keeps the patient's yes as far as something is due still. Never more is paid than is due, and once for each
payment's id.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from drachm.application.allot import gather
from drachm.application.desk import Desk, tried
from drachm.application.paid_charge import Charge, Short, charge_of, next_row, parts_of
from drachm.application.ports import Posting, Raced
from drachm.domain.clearing.numbers import number_at
from drachm.domain.clearing.pockets import Passed
from drachm.domain.clearing.world import Needs
from drachm.domain.errors import Conflict, InvalidMessage, Refused
from drachm.domain.funding.model import Agreed, Pot

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


def may_pay(charge: bytes, desk: Desk) -> tuple[tuple[Pot, ...], tuple[Passed, ...]]:
    """Which of the patient's pots may pay what is due of a charge, as things stand now, and which may not and why.

    Raises `Conflict` as `pay_due` does.
    """
    with desk.books.work() as work:
        found = charge_of(charge, work, desk)
        at = found.now(work.registry([found.event]), desk)
        return tuple([pot for pot in at.pots if pot.currency == found.event.currency]), tuple(at.passed)


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
        except Short as short:
            # Once for each slice: what the fund has not got by then is not there.
            asked.add(short.pot.id)
            gather(short.pot, short.target, desk)


def _once(order: Yes, desk: Desk, asked: set[str]) -> Paid:
    with desk.books.work() as work:
        charge = charge_of(order.charge, work, desk)
        event, standing = charge.event, charge.standing
        before = tuple([one for one in standing.agreed if one.id == order.id])
        if before:
            return Paid(charge.stored.position, before, standing.due, True)
        amount = _amount(order, charge)
        registry = work.registry([event])
        at = charge.now(registry, desk)
        pots, quotas = _chosen(order.pots, at.pots, event.currency), at.quotas
        if order.outside is not None:
            # What came from outside for this very care is asked of no limit and no budget.
            pots, quotas = [order.outside], None
        numbers = quotas.numbers if quotas is not None else ()
        locked = work.lock(Needs(frozenset(numbers), frozenset(pot.id for pot in pots)), 1)
        if not work.registry([event]).same(registry):
            raise Raced("the register changed while the payment waited", where="register")
        parts = parts_of(order.id, amount, pots, quotas, locked, asked)
        missing = amount - sum(part.amount for part in parts)
        if missing:
            raise Refused(
                "insufficient_funds",
                f"{missing} micros are missing",
                where="funding",
                next_step="Pay less, choose further pockets, or top up.",
            )
        moves = {part.pot: -part.amount for part in parts}
        row, deltas = next_row(charge, (*standing.agreed, *parts), moves, locked, work, desk)
        work.post(Posting([row], deltas, moves, {}))
        work.commit()
        return Paid(row.position, parts, standing.due - amount, False)


def take_payment_back(id: str, charge: bytes, desk: Desk) -> int:
    """What a payment paid of a charge is due again, and lies in its pots; how many micros of it stood still.

    A charge that was taken back, or corrected below it, has given back already what it did not need: then less, or
    nothing, stands. Raises `Conflict` when there is no such charge.
    """
    return tried(lambda: _back(id, charge, desk))


def _back(id: str, key: bytes, desk: Desk) -> int:
    with desk.books.work() as work:
        charge = charge_of(key, work, desk)
        paid = [one for one in charge.standing.agreed if one.id == id]
        if not paid or charge.stored.superseded:
            return 0
        moves: dict[str, int] = {}
        for one in paid:
            moves[one.pot] = moves.get(one.pot, 0) + one.amount
        work.registry([charge.event])
        left = tuple([one for one in charge.standing.agreed if one.id != id])
        counted = [number_at(row, slot) for one in paid for row, slot in one.counted]
        locked = work.lock(Needs(frozenset(counted), frozenset(moves)), 1)
        row, deltas = next_row(charge, left, moves, locked, work, desk)
        work.post(Posting([row], deltas, moves, {}))
        work.commit()
        return sum(moves.values())


def _amount(order: Yes, charge: Charge) -> int:
    """What is to be paid. Raises where that is not due."""
    standing = charge.standing
    if not charge.owes:
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
