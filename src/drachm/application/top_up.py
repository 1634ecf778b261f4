"""Put outside money into a pot: debit cash, credit the wallet; once per key, for ever."""

from __future__ import annotations

import msgspec

from drachm.application.body import TopUp, read_body, write_top_up
from drachm.application.desk import Desk, tried
from drachm.application.ports import Posting, Row, Stored
from drachm.application.rows import SALT_BYTES, row_of
from drachm.domain.clearing.world import Needs
from drachm.domain.errors import Conflict, InvalidMessage
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
    return tried(lambda: _once(order, desk))


def _once(order: TopUp, desk: Desk) -> int:
    with desk.books.work() as work:
        key = event_key(work.tenant, order.source, order.event_id)
        stored = work.newest([key]).get(key)
        if stored is not None:
            return _first(order, stored)
        locked = work.lock(Needs(frozenset(), frozenset((order.pot,))), 1)
        if order.pot not in locked.avail:
            raise Conflict("there is no such pot", where="pot", next_step="Open the pot before money enters it.")
        row = top_up_row(order, locked.first_position, locked.avail[order.pot] + order.amount, work.tenant, desk)
        work.post(Posting([row], {}, {order.pot: order.amount}, {}))
        work.commit()
        return locked.first_position


def _first(order: TopUp, stored: Stored) -> int:
    before = read_body(stored.body, where=f"position {stored.position}").top_up if stored.body else None
    # When it was ordered is not what was ordered.
    if stored.body and (before is None or msgspec.structs.replace(before, at=order.at) != order):
        raise Conflict("another top-up has this id", where=f"{order.source}/{order.event_id}")
    return stored.position


def top_up_row(order: TopUp, position: int, after: int, tenant: int, desk: Desk) -> Row:
    """The journal row of a new top-up; `after` is what its pot may spend then, in micros."""
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
