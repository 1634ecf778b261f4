"""Move a shared fund's money to where it is spent: from its rest to slices, and back (docs/decisions/0015).

An allotment is a transaction of its own, apart from the posting of care, and holds the fund for a moment. Money moves
inside the fund only, so a writer that dies in the middle, or an allotment that nobody used, loses nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

import msgspec

from drachm.application.body import Body
from drachm.application.desk import Desk, tried
from drachm.application.ports import Books, Locked, Posting, Row, Stored, UnitOfWork
from drachm.application.rows import SALT_BYTES, row_of
from drachm.domain.clearing.world import Needs
from drachm.domain.errors import Conflict, InvalidMessage, Refused
from drachm.domain.funding.allotment import (
    Fund,
    Move,
    Want,
    allotment_entries,
    checked_fund,
    from_anywhere,
    from_rest,
    fund_of,
    lies_elsewhere,
    net_of,
)
from drachm.domain.funding.model import Pot
from drachm.domain.ledger.model import EntryKind, journal_entry
from drachm.domain.money import MAX_AMOUNT
from drachm.domain.transparency.leaf import event_key

KEYS: Final = "drachm-allotment"
"""Stands before the source in the keys of allotments, so that none is ever the key of an event. Those that clearing
makes by itself have no other source, and random ids."""

_ID_BYTES: Final = 16


class Allotment(NamedTuple):
    """Money that a fund's manager moves to one slice; (source, id) is its key among allotments."""

    source: str
    event_id: str
    fund: Pot
    """As it was enrolled."""
    slice: int
    """The number of the slice, from 0."""
    amount: int
    """Micros, more than 0."""


def allot(order: Allotment, desk: Desk) -> int:
    """Move money from a fund's rest to a slice; its journal position. The same order again returns the first position.

    Raises `InvalidMessage` for an amount or a slice that cannot be, `Conflict` for the same key with other content and
    for an unknown fund, and `Refused` when the rest is less.
    """
    fund = _whole(order.fund)
    if not 0 < order.amount <= MAX_AMOUNT:
        raise InvalidMessage("an allotment is more than 0", where="amount", code="invalid_amount")
    if not 0 <= order.slice < fund.slices:
        raise InvalidMessage(f"fund {fund.id} has {fund.slices} slices, counted from 0", where="slice")
    move = Move(fund.id, fund.pots[1 + order.slice], order.amount)
    key = event_key(desk.books.tenant, f"{KEYS} {order.source}", order.event_id)
    return tried(lambda: _ordered(key, move, fund, desk))


def refill(fund: Fund, targets: Mapping[str, int], desk: Desk) -> bool:
    """Bring slices up to their targets (micros) as far as the fund's rest goes; whether they hold them now.

    A fund that is not here has nothing.
    """
    return tried(lambda: _refilled(fund, targets, desk))


def gather(slice_: Pot, target: int, desk: Desk) -> None:
    """Bring one slice up to a target (micros) as far as its fund goes: from the rest, else from other slices too.

    For one payment, not for a batch of care: it holds the whole fund for a moment.
    """
    fund = fund_of(slice_)
    if not refill(fund, {slice_.id: target}, desk):
        want = Want(slice_.id, target, whole=False)
        if lies_elsewhere(glance(fund.pots, desk.books), [want]):
            tried(lambda: _gathered(fund, slice_.id, target, desk, whole=False))


def bring_back(fund: Fund, target: int, desk: Desk) -> bool:
    """Bring a fund's rest up to a target (micros) out of its slices; False, and nothing moved, where they hold less.

    For money that leaves the fund otherwise than for care.
    """
    tried(lambda: _gathered(fund, fund.id, target, desk, whole=True))
    return glance([fund.id], desk.books).get(fund.id, 0) >= target


def return_allotments(fund: Pot, desk: Desk) -> int:
    """Move what stands in the slices back into the rest: once a day, so that idle slices keep nothing. Micros moved.

    A single slice keeps what it has: no other waits for it. Raises `Conflict` for an unknown fund.
    """
    whole = _whole(fund)
    avail = glance(whole.pots, desk.books)
    if avail.keys() != set(whole.pots):
        raise _unknown(whole)
    if whole.only_slice:
        return 0
    return sum([tried(partial(_returned, one, whole, desk)) for one in whole.pots[1:] if avail[one]])


def glance(pots: Collection[str], books: Books) -> dict[str, int]:
    """What these pots may spend just now, of those that are here; nothing is locked."""
    return {pot: avail for pot, (avail, _) in books.pots(pots).items()}


def allotment_rows(
    moves: Sequence[Move], fund: Fund, avail: Mapping[str, int], first: int, desk: Desk, *, key: bytes = b""
) -> list[Row]:
    """The journal rows of moves, from a position on; `avail` is what the pots may spend before the first of them."""
    left, now, tenant = dict(avail), desk.clock.now(), desk.books.tenant
    rows = []
    for position, move in enumerate(moves, start=first):
        left[move.giver] -= move.amount
        left[move.taker] += move.amount
        own = key or event_key(tenant, KEYS, desk.ids.random_bytes(_ID_BYTES).hex())
        salt = desk.ids.random_bytes(SALT_BYTES)
        rows.append(
            row_of(
                tenant,
                position=position,
                key=own,
                entry=journal_entry(EntryKind.ALLOTMENT, allotment_entries(move, fund.currency)),
                currency=fund.currency,
                member="",
                occurred_at=now,
                posted_at=now,
                salt=salt,
                body=msgspec.msgpack.encode(Body(now, salt, 0)),
                after=((move.giver, left[move.giver]), (move.taker, left[move.taker])),
            )
        )
    return rows


def _ordered(key: bytes, move: Move, fund: Fund, desk: Desk) -> int:
    with desk.books.work() as work:
        stored = work.newest([key]).get(key)
        if stored is not None:
            return _first(stored, move, fund, desk.books)
        locked = work.lock(Needs(frozenset(), frozenset((move.giver, move.taker))), 1)
        if locked.avail.keys() != {move.giver, move.taker}:
            raise _unknown(fund)
        missing = move.amount - locked.avail[fund.id]
        if missing > 0:
            raise Refused("insufficient_funds", f"{missing} micros are missing in the rest", where=f"fund {fund.id}")
        _post([move], fund, locked, work, desk, key=key)
        return locked.first_position


def _first(stored: Stored, move: Move, fund: Fund, books: Books) -> int:
    [(_, written)] = books.rows(stored.position - 1, 1)
    if written.entries != allotment_entries(move, fund.currency):
        raise Conflict("another allotment has this id", where=f"position {stored.position}")
    return stored.position


def _refilled(fund: Fund, targets: Mapping[str, int], desk: Desk) -> bool:
    with desk.books.work() as work:
        locked = work.lock(Needs(frozenset(), frozenset((fund.id, *targets))), len(targets))
        if locked.avail.keys() != {fund.id, *targets}:
            return False
        moves = from_rest(fund, locked.avail, targets)
        _post(moves, fund, locked, work, desk)
        net = net_of(moves)
        return all(locked.avail[one] + net.get(one, 0) >= target for one, target in targets.items())


def _gathered(fund: Fund, one: str, target: int, desk: Desk, *, whole: bool) -> None:
    with desk.books.work() as work:
        locked = work.lock(Needs(frozenset(), frozenset(fund.pots)), len(fund.pots))
        missing = target - locked.avail.get(one, target)
        moves = from_anywhere(fund, [Want(one, missing, whole)], [locked.avail]) if missing > 0 else []
        _post(moves, fund, locked, work, desk)


def _returned(one: str, fund: Fund, desk: Desk) -> int:
    with desk.books.work() as work:
        locked = work.lock(Needs(frozenset(), frozenset((fund.id, one))), 1)
        amount = locked.avail[one]
        _post([Move(one, fund.id, amount)] if amount else [], fund, locked, work, desk)
        return amount


def _post(moves: Sequence[Move], fund: Fund, locked: Locked, work: UnitOfWork, desk: Desk, *, key: bytes = b"") -> None:
    if moves:
        rows = allotment_rows(moves, fund, locked.avail, locked.first_position, desk, key=key)
        work.post(Posting(rows, {}, net_of(moves), {}))
        work.commit()


def _whole(pot: Pot) -> Fund:
    if checked_fund(pot).fund:
        raise InvalidMessage("an admission is not the fund", where=f"pot {pot.id}", next_step="Name the fund itself.")
    return fund_of(pot)


def _unknown(fund: Fund) -> Conflict:
    return Conflict(
        "there is no such fund with so many slices", where=f"fund {fund.id}", next_step="Enrol the fund first."
    )
