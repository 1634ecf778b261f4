"""How does money move between accounts without care? One journal row, once per key, for ever.

A payment that went back, a difference in a cash box, money at the bank that nobody can be found for: the books say it,
and no pot passes its floor for it, because none is touched (`transfer`). Money that leaves a pot, is promised to a
rail, or comes back from there, moves under the pot's lock and never below its floor (`move`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from drachm.application.allot import bring_back
from drachm.application.body import Body, TopUp
from drachm.application.desk import RETRIES, Desk, tried
from drachm.application.ports import Locked, Posting
from drachm.application.rows import SALT_BYTES, row_of
from drachm.domain.clearing.world import Needs
from drachm.domain.errors import Conflict, Refused, ensure
from drachm.domain.ledger.model import Account, Entry, EntryKind, Source, journal_entry
from drachm.domain.transparency.leaf import event_key

KEYS = "drachm-transfer"
"""Stands before the source in the keys, so that none is ever the key of an event or of a top-up."""
POTS = frozenset({"wallet", "wallet_held"})


class HoldsTooLittle(Refused):
    """A pot holds less than is to leave it."""

    def __init__(self, pot: str, wanted: int, avail: int) -> None:
        super().__init__("insufficient_funds", f"{wanted - avail} micros are missing", where=f"pot {pot}")
        self.pot = pot
        self.wanted = wanted
        """Micros."""


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


def move(order: Transfer, desk: Desk) -> int:
    """Post a transfer that may touch pots; its journal position, the first one for a repeat.

    What a fund's slices hold comes back first where its own pot has too little. Raises `Refused`
    (`insufficient_funds`) when a pot holds too little, `Conflict` for the same key with other entries or a pot that is
    not here.
    """
    tries = 0
    while True:
        try:
            return tried(lambda: _once(order, desk))
        except HoldsTooLittle as short:
            # Others may spend what has just come back.
            fund, tries = desk.books.fund(short.pot), tries + 1
            if fund is None or tries > RETRIES or not bring_back(fund, short.wanted, desk):
                raise


def take_back(order: TopUp, desk: Desk) -> int:
    """A booked payment went back to where it came from.

    The pot keeps what it has - it may be spent already - so its holder owes the amount.
    """
    entries = (
        Entry(Account("holder_receivable", order.member, order.currency), order.amount, Source.DUE),
        Entry(Account("cash", order.rail, order.currency), -order.amount, Source.RAIL),
    )
    return transfer(Transfer(f"lost {order.source}", order.event_id, entries, order.member), desk)


def settle_debt(order: TopUp, part: int, desk: Desk, *, won: bool = False) -> int:
    """Money came in for what its holder owes, or came again because a dispute was `won`.

    `part` micros of it make the debt good; what is more is the pot's.
    """
    entries = [Entry(Account("cash", order.rail, order.currency), order.amount, Source.RAIL)]
    if part:
        entries.append(Entry(Account("holder_receivable", order.member, order.currency), -part, Source.DUE))
    if part < order.amount:
        entries.append(Entry(Account("wallet", order.pot, order.currency), part - order.amount, Source.RAIL))
    return move(
        Transfer(f"{'won' if won else 'cured'} {order.source}", order.event_id, tuple(entries), order.member), desk
    )


def collected(order: TopUp, residue: int, desk: Desk) -> int:
    """Money came in for what is due of care: into the pot for dues, together with the residue that is carried on.

    Rails know no smaller coins than currencies have; the books do. What a collection leaves below one coin is owed by
    the party in an account of its own, so that every due can be paid to the micro.
    """
    entries = [Entry(Account("cash", order.rail, order.currency), order.amount, Source.RAIL)]
    if residue:
        entries.append(Entry(Account("residue", order.member, order.currency), residue, Source.DUE))
    entries.append(Entry(Account("wallet", order.pot, order.currency), -order.amount - residue, Source.RAIL))
    return move(Transfer(f"collected {order.source}", order.event_id, tuple(entries), order.member), desk)


def settle_from_pot(id: str, pot: str, member: str, part: int, currency: str, desk: Desk) -> int:
    """The holder makes good `part` micros out of a pot. Raises `Refused` when it holds too little."""
    entries = (
        Entry(Account("wallet", pot, currency), part, Source.WALLET),
        Entry(Account("holder_receivable", member, currency), -part, Source.DUE),
    )
    return move(Transfer("cured from pot", id, entries, member), desk)


def _once(order: Transfer, desk: Desk) -> int:
    entry = journal_entry(EntryKind.TRANSFER, order.entries)
    currency = order.entries[0].account.currency
    moves, held = _moved(order.entries, "wallet"), _moved(order.entries, "wallet_held")
    with desk.books.work() as work:
        key = event_key(work.tenant, f"{KEYS} {order.source}", order.id)
        stored = work.newest([key]).get(key)
        if stored is not None:
            [(_, written)] = desk.books.rows(stored.position - 1, 1)
            if sorted(written.entries) != sorted(order.entries):
                raise Conflict("another transfer has this id", where=f"position {stored.position}")
            return stored.position
        pots = frozenset(moves) | frozenset(held)
        locked = work.lock(Needs(frozenset(), pots), 1)
        after = _after(pots, moves, locked)
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
            after=after,
        )
        work.post(Posting([row], {}, moves, held))
        work.commit()
        return locked.first_position


def _moved(entries: tuple[Entry, ...], kind: str) -> dict[str, int]:
    """What entries add to accounts of a kind of pot's."""
    sums: dict[str, int] = {}
    for account, amount, _ in entries:
        if account.kind == kind:
            sums[account.owner] = sums.get(account.owner, 0) - amount
    return sums


def _after(pots: frozenset[str], moves: Mapping[str, int], locked: Locked) -> tuple[tuple[str, int], ...]:
    """What each pot may spend afterwards. Raises as `move`."""
    after = []
    for pot in sorted(pots):
        if pot not in locked.avail:
            raise Conflict("there is no such pot", where=f"pot {pot}")
        left = locked.avail[pot] + moves.get(pot, 0)
        if left < 0:
            raise HoldsTooLittle(pot, -moves[pot], locked.avail[pot])
        after.append((pot, left))
    return tuple(after)
