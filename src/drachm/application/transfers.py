"""How does money move between accounts without care and without a pot? One journal row, once per key, for ever.

A payment that went back, a difference in a cash box, money at the bank that nobody can be found for: the books say it,
and no pot passes its floor for it, because none is touched.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from drachm.application.body import Body, TopUp
from drachm.application.desk import Desk, tried
from drachm.application.ports import Posting
from drachm.application.rows import SALT_BYTES, row_of
from drachm.domain.clearing.world import Needs
from drachm.domain.errors import Conflict, ensure
from drachm.domain.ledger.model import Account, Entry, EntryKind, Source, journal_entry
from drachm.domain.transparency.leaf import event_key

KEYS = "drachm-transfer"
"""Stands before the source in the keys, so that none is ever the key of an event or of a top-up."""
POTS = frozenset({"wallet", "wallet_held"})


class Transfer(NamedTuple):
    """Balanced entries of one currency; (source, id) is the key."""

    source: str
    id: str
    entries: tuple[Entry, ...]
    member: str = ""
    """Under whose key the row is sealed; empty: nobody's."""


def transfer(order: Transfer, desk: Desk) -> int:
    """Post a transfer; its journal position, the first one for a repeat.

    Raises `IntegrityError` for entries that are not balanced or touch a pot, `Conflict` for the same key with others.
    """
    ensure(POTS.isdisjoint(entry.account.kind for entry in order.entries), "a transfer touches no pot", where=order.id)
    return tried(lambda: _once(order, desk))


def take_back(order: TopUp, desk: Desk, *, won: bool = False) -> int:
    """A booked payment went back to where it came from, or (`won`) came again after that.

    The pot keeps what it has - it may be spent already - so its holder owes the amount.
    """
    amount = -order.amount if won else order.amount
    entries = (
        Entry(Account("holder_receivable", order.member, order.currency), amount, Source.DUE),
        Entry(Account("cash", order.rail, order.currency), -amount, Source.RAIL),
    )
    return transfer(Transfer(f"{'won' if won else 'lost'} {order.source}", order.event_id, entries, order.member), desk)


def _once(order: Transfer, desk: Desk) -> int:
    entry = journal_entry(EntryKind.TRANSFER, order.entries)
    currency = order.entries[0].account.currency
    with desk.books.work() as work:
        key = event_key(work.tenant, f"{KEYS} {order.source}", order.id)
        stored = work.newest([key]).get(key)
        if stored is not None:
            [(_, written)] = desk.books.rows(stored.position - 1, 1)
            if sorted(written.entries) != sorted(order.entries):
                raise Conflict("another transfer has this id", where=f"position {stored.position}")
            return stored.position
        locked = work.lock(Needs(frozenset(), frozenset()), 1)
        now, salt = desk.clock.now(), desk.ids.random_bytes(SALT_BYTES)
        row = row_of(
            work.tenant,
            position=locked.first_position,
            key=key,
            entry=entry,
            currency=currency,
            member=order.member,
            occurred_at=now,
            posted_at=now,
            salt=salt,
            body=msgspec.msgpack.encode(Body(now, salt, 0)),
            after=(),
        )
        work.post(Posting([row], {}, {}, {}))
        work.commit()
        return locked.first_position
