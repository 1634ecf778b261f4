"""Put outside money into a pot: debit cash, credit the wallet; once per key, for ever."""

from __future__ import annotations

from drachm.application.body import Body, TopUp, write_body
from drachm.application.clear_events import OUTCOMES, RETRIES, Desk
from drachm.application.ports import Posting, Raced, Row, Stored
from drachm.domain.canonical import content_hash
from drachm.domain.clearing.world import Needs
from drachm.domain.errors import Conflict, InvalidMessage
from drachm.domain.ledger.model import Account, Entry, EntryKind, JournalEntry, Source, account_id
from drachm.domain.money import MAX_AMOUNT, exponent
from drachm.domain.transparency.leaf import NO_KEY, Leaf, commitment, event_key, leaf_hash


def top_up(order: TopUp, desk: Desk) -> int:
    """Post a top-up and return its journal position; the same order again returns the first position.

    Raises `InvalidMessage` for a non-positive amount, `Conflict` for the same key with other content or an unknown pot.
    """
    if not 0 < order.amount <= MAX_AMOUNT:
        raise InvalidMessage("a top-up is more than 0", where="amount", code="invalid_amount")
    exponent(order.currency)
    for _ in range(RETRIES):
        try:
            return _once(order, desk)
        except Raced as race:
            last = race
    raise last


def _once(order: TopUp, desk: Desk) -> int:
    with desk.books.work() as work:
        key = event_key(work.tenant, order.source, order.event_id)
        content = bytes.fromhex(content_hash(_content(order)))
        stored = work.newest([key]).get(key)
        if stored is not None:
            return _first(order, stored, content)
        locked = work.lock(Needs(frozenset(), frozenset((order.pot,))), 1)
        if order.pot not in locked.avail:
            raise Conflict("there is no such pot", where="pot", next_step="Open the pot before money enters it.")
        row = top_up_row(order, locked.first_position, locked.avail[order.pot] + order.amount, work.tenant, desk)
        work.post(Posting([row], {}, {order.pot: order.amount}, {}))
        work.commit()
        return locked.first_position


def _first(order: TopUp, stored: Stored, content: bytes) -> int:
    if stored.content != content:
        raise Conflict("another top-up has this id", where=f"{order.source}/{order.event_id}")
    return stored.position


def top_up_row(order: TopUp, position: int, after: int, tenant: int, desk: Desk) -> Row:
    """The journal row of a new top-up; `after` is what its pot may spend then, in micros."""
    key = event_key(tenant, order.source, order.event_id)
    entry = JournalEntry(
        EntryKind.TOP_UP,
        (
            Entry(Account("cash", order.rail, order.currency), order.amount, Source.RAIL),
            Entry(Account("wallet", order.pot, order.currency), -order.amount, Source.RAIL),
        ),
    )
    now = desk.clock.now()
    body = Body(received=now, salt=desk.ids.random_bytes(16), status="posted", reason="", top_up=order)
    data = write_body(body)
    leaf = Leaf(
        tenant, key, 0, entry.kind, OUTCOMES["posted"], int(now.timestamp()) * 1_000_000 + now.microsecond, NO_KEY, 0,
        order.currency, [(account_id(tenant, e.account), e.amount, e.source) for e in entry.entries],
        commitment(body.salt, data),
    )  # fmt: skip
    return Row(
        position=position,
        key=key,
        content=bytes.fromhex(content_hash(_content(order))),
        revision=0,
        supersedes=None,
        kind=entry.kind,
        status="posted",
        reason="",
        member=order.member,
        provider="",
        occurred_at=order.at,
        posted_at=now,
        currency=order.currency,
        entries=entry.entries,
        avail=((order.pot, after),),
        leaf=leaf_hash(leaf),
        body=data,
    )


def _content(order: TopUp) -> dict[str, object]:
    return {
        "source": order.source,
        "event_id": order.event_id,
        "pot": order.pot,
        "member": order.member,
        "amount": order.amount,
        "currency": order.currency,
        "rail": order.rail,
    }
