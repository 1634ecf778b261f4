"""Put outside money into a pot: debit cash, credit the wallet; once per key, for ever.

Where all draw on a fund from one slice, as in a family's pot, the money goes on to that slice in the same transaction:
else the next care would have to stop for it (docs/decisions/0015).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from drachm.application.allot import allotment_rows
from drachm.application.body import TopUp, read_body, write_top_up
from drachm.application.desk import Desk, tried
from drachm.application.ports import Posting, Row, Stored
from drachm.application.rows import SALT_BYTES, row_of
from drachm.domain.clearing.world import Needs
from drachm.domain.errors import Conflict, InvalidMessage
from drachm.domain.funding.allotment import Fund, Move
from drachm.domain.ledger.model import Account, Entry, EntryKind, Source, journal_entry
from drachm.domain.money import MAX_AMOUNT, exponent
from drachm.domain.transparency.leaf import event_key


def top_up(order: TopUp, desk: Desk) -> int:
    """Post a top-up and return its journal position; the same order again returns the first position.

    Raises `InvalidMessage` for a non-positive amount, `Conflict` for the same key with other content or an unknown pot.
    """
    if not 0 < order.amount <= MAX_AMOUNT:
        raise InvalidMessage("a top-up is more than 0", where="amount", code="invalid_amount")
    exponent(order.currency)
    fund = desk.books.fund(order.pot)
    return tried(lambda: _once(order, fund, desk))


def _once(order: TopUp, fund: Fund | None, desk: Desk) -> int:
    with desk.books.work() as work:
        key = event_key(work.tenant, order.source, order.event_id)
        stored = work.newest([key]).get(key)
        if stored is not None:
            return _first(order, stored)
        pots = touched(order, fund)
        locked = work.lock(Needs(frozenset(), pots), len(pots))
        if order.pot not in locked.avail:
            raise Conflict("there is no such pot", where="pot", next_step="Open the pot before money enters it.")
        rows, moves = top_up_rows(order, fund, locked.first_position, locked.avail, desk)
        work.post(Posting(rows, {}, moves, {}))
        work.commit()
        return locked.first_position


def _first(order: TopUp, stored: Stored) -> int:
    before = read_body(stored.body, where=f"position {stored.position}").top_up if stored.body else None
    # When it was ordered is not what was ordered.
    if stored.body and (before is None or msgspec.structs.replace(before, at=order.at) != order):
        raise Conflict("another top-up has this id", where=f"{order.source}/{order.event_id}")
    return stored.position


def touched(order: TopUp, fund: Fund | None) -> frozenset[str]:
    """The pots that a new top-up moves, a row for each; `fund` is what `Books.fund` says of the order's pot."""
    return frozenset({order.pot, fund.only_slice if fund is not None else ""} - {""})


def top_up_rows(
    order: TopUp, fund: Fund | None, position: int, avail: Mapping[str, int], desk: Desk
) -> tuple[list[Row], dict[str, int]]:
    """The journal rows of a new top-up, and what they add to each pot; `avail` is what its pots may spend before."""
    after = avail[order.pot] + order.amount
    rows, moves = [_row(order, position, after, desk)], {order.pot: order.amount}
    if fund is not None and fund.only_slice in avail:
        on = Move(fund.id, fund.only_slice, after)
        rows += allotment_rows([on], fund, {fund.id: after, on.taker: avail[on.taker]}, position + 1, desk)
        moves = {order.pot: -avail[order.pot], fund.only_slice: after}
    return rows, moves


def _row(order: TopUp, position: int, after: int, desk: Desk) -> Row:
    """`after` is what the pot may spend then, in micros."""
    tenant = desk.books.tenant
    key, now = event_key(tenant, order.source, order.event_id), desk.clock.now()
    salt = desk.ids.random_bytes(SALT_BYTES)
    entry = journal_entry(
        EntryKind.TOP_UP,
        (
            Entry(Account("cash", order.rail, order.currency), order.amount, Source.RAIL),
            Entry(Account("wallet", order.pot, order.currency), -order.amount, Source.RAIL),
        ),
    )
    return row_of(
        tenant,
        position=position,
        key=key,
        entry=entry,
        currency=order.currency,
        member=order.member,
        occurred_at=order.at,
        posted_at=now,
        salt=salt,
        body=write_top_up(order, now, salt),
        after=((order.pot, after),),
    )
