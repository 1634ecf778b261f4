"""How does the town move into empty books? Through the same doors as anybody, many at a time.

Opening money is posted as `application.top_up` posts it, row for row, but thousands in one transaction: half a million
commits would take an hour and measure nothing. tests/unit/bench compares the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Final

from drachm.application.body import Body, TopUp, write_body
from drachm.application.clear_events import OUTCOMES, Desk
from drachm.application.ports import Posting, Row
from drachm.bench.world import World
from drachm.domain.canonical import content_hash
from drachm.domain.clearing.world import Needs
from drachm.domain.ledger.model import Account, Entry, EntryKind, JournalEntry, Source, account_id
from drachm.domain.transparency.leaf import NO_KEY, Leaf, commitment, event_key, leaf_hash

FAMILIES_AT_ONCE: Final = 2_000
TOP_UPS_AT_ONCE: Final = 4_000
OPENING: Final = datetime(2025, 1, 1, tzinfo=UTC)

Tell = Callable[[str], None]


def settle(world: World, desk: Desk, tell: Tell) -> int:
    """Publish, enrol and fund everybody; how many pots were opened. The books are empty before."""
    for document in world.prices.documents:
        desk.books.publish("price_book", document)
    for document in world.plans.documents.values():
        desk.books.publish("plan", document)
    desk.books.enrol(parties=world.parties(), contracts=world.contracts())
    pots = 0
    for first in range(0, world.families, FAMILIES_AT_ONCE):
        last = min(first + FAMILIES_AT_ONCE, world.families)
        people = list(world.people(first, last))
        desk.books.enrol(
            members=[person.member for person in people],
            coverages=[coverage for person in people for coverage in person.coverages],
            pots=[purse.pot for person in people for purse in person.purses],
        )
        orders = iter(orders_of(world, first, last))
        while batch := list(islice(orders, TOP_UPS_AT_ONCE)):
            post_top_ups(batch, desk)
            pots += len(batch)
        tell(f"enrolled {last:,} of {world.families:,} families")
    return pots


def orders_of(world: World, first: int, last: int) -> Iterator[TopUp]:
    """The opening money of the families `first` to before `last`."""
    for person in world.people(first, last):
        for purse in person.purses:
            pot = purse.pot
            yield TopUp("bench", f"open-{pot.id}", pot.id, pot.member, purse.opening, pot.currency, "bank", OPENING)


def post_top_ups(orders: Sequence[TopUp], desk: Desk) -> None:
    """Post new top-ups of different, existing pots in one transaction."""
    with desk.books.work() as work:
        locked = work.lock(Needs(frozenset(), frozenset(order.pot for order in orders)), len(orders))
        rows = [
            _row(order, position, locked.avail[order.pot] + order.amount, work.tenant, desk)
            for position, order in enumerate(orders, start=locked.first_position)
        ]
        work.post(Posting(rows, {}, {order.pot: order.amount for order in orders}, {}))
        work.commit()


def _row(order: TopUp, position: int, after: int, tenant: int, desk: Desk) -> Row:
    key = event_key(tenant, order.source, order.event_id)
    money = JournalEntry(
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
        tenant, key, 0, money.kind, OUTCOMES["posted"], int(now.timestamp()) * 1_000_000 + now.microsecond, NO_KEY, 0,
        order.currency, [(account_id(tenant, e.account), e.amount, e.source) for e in money.entries],
        commitment(body.salt, data),
    )  # fmt: skip
    return Row(
        position=position,
        key=key,
        content=bytes.fromhex(content_hash(_content(order))),
        revision=0,
        supersedes=None,
        kind=money.kind,
        status="posted",
        reason="",
        member=order.member,
        provider="",
        occurred_at=order.at,
        posted_at=now,
        currency=order.currency,
        entries=money.entries,
        avail=((order.pot, after),),
        leaf=leaf_hash(leaf),
        body=data,
    )


def _content(order: TopUp) -> dict[str, object]:
    names = ("source", "event_id", "pot", "member", "amount", "currency", "rail")
    return {name: getattr(order, name) for name in names}
