"""A payment that was booked went back: a dispute was lost, a debit bounced. Who owes what then?

The pot keeps what it has - it may be spent already, and no pot passes its floor - so the holder owes the amount: debit
a receivable from the holder, credit the rail's cash. A dispute that is won after all posts the opposite. Once per key,
for ever, as a top-up is.
"""

from __future__ import annotations

from drachm.application.body import TopUp, read_body, write_top_up
from drachm.application.desk import Desk, tried
from drachm.application.ports import Posting
from drachm.application.rows import SALT_BYTES, row_of
from drachm.domain.clearing.world import Needs
from drachm.domain.errors import ensure
from drachm.domain.ledger.model import Account, Entry, EntryKind, Source, journal_entry
from drachm.domain.transparency.leaf import event_key

KEYS = "drachm-take-back"
"""Stands before the source in the keys, so that none is the key of the top-up that it takes back."""


def take_back(order: TopUp, desk: Desk, *, won: bool = False) -> int:
    """Post that a top-up's money went back to where it came from, or (`won`) came again after that.

    Gives the journal position, the first one for a repeat.
    """
    return tried(lambda: _once(order, desk, won))


def _once(order: TopUp, desk: Desk, won: bool) -> int:
    amount = -order.amount if won else order.amount
    with desk.books.work() as work:
        key = event_key(work.tenant, f"{KEYS} {'won ' if won else ''}{order.source}", order.event_id)
        stored = work.newest([key]).get(key)
        if stored is not None:
            before = read_body(stored.body, where=f"position {stored.position}").top_up if stored.body else None
            same = before is None or (before.pot, before.amount, before.currency) == (
                order.pot,
                order.amount,
                order.currency,
            )
            ensure(same, "another payment has this id", where=f"{order.source}/{order.event_id}")
            return stored.position
        locked = work.lock(Needs(frozenset(), frozenset()), 1)
        now, salt = desk.clock.now(), desk.ids.random_bytes(SALT_BYTES)
        entries = (
            Entry(Account("holder_receivable", order.member, order.currency), amount, Source.DUE),
            Entry(Account("cash", order.rail, order.currency), -amount, Source.RAIL),
        )
        row = row_of(
            work.tenant,
            position=locked.first_position,
            key=key,
            entry=journal_entry(EntryKind.TAKE_BACK, entries),
            currency=order.currency,
            member=order.member,
            occurred_at=order.at,
            posted_at=now,
            salt=salt,
            body=write_top_up(order, now, salt),
            after=(),
        )
        work.post(Posting([row], {}, {}, {}))
        work.commit()
        return locked.first_position
