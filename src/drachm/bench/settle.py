"""How does the town move into empty books? Through the same doors as anybody, many at a time.

Opening money is posted as `application.top_up` posts it, row for row, but thousands in one transaction: half a million
commits would take an hour and measure nothing. tests/unit/bench compares the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Final

from drachm.application.body import TopUp
from drachm.application.desk import Desk
from drachm.application.ports import Posting, Row
from drachm.application.top_up import top_up_rows, touched
from drachm.bench.pockets import FAMILY_OPENING, RULES, admissions, family_pots, has_everything
from drachm.bench.world import Person, World
from drachm.domain.clearing.world import Needs
from drachm.domain.funding.allotment import Fund, admission, fund_of
from drachm.domain.funding.model import Pot
from drachm.domain.money import MAX_AMOUNT

FAMILIES_AT_ONCE: Final = 2_000
TOP_UPS_AT_ONCE: Final = 4_000
FUND_OPENING: Final = MAX_AMOUNT
FIRST: Final = -1
"""The fund is spent before a member's own pots."""
OPENING: Final = datetime(2025, 1, 1, tzinfo=UTC)

Tell = Callable[[str], None]


def settle(world: World, desk: Desk, tell: Tell) -> int:
    """Publish, enrol and fund everybody; how many pots were opened. The books are empty before."""
    for document in world.prices.documents:
        desk.books.publish("price_book", document)
    for document in world.plans.documents.values():
        desk.books.publish("plan", document)
    if world.pockets:
        desk.books.publish("expense_rules", RULES)
    desk.books.enrol(parties=world.parties(), contracts=world.contracts())
    if world.fund is not None:
        desk.books.enrol(pots=[world.fund])
        post_top_ups([_opening(world.fund, FUND_OPENING)], desk)
    pots = 0
    for first in range(0, world.families, FAMILIES_AT_ONCE):
        last = min(first + FAMILIES_AT_ONCE, world.families)
        people = list(world.people(first, last))
        shared = list(family_pots(range(first, last), world.fund.currency)) if world.fund and world.pockets else []
        desk.books.enrol(pots=shared)
        for at in range(0, len(shared), TOP_UPS_AT_ONCE):
            some = shared[at : at + TOP_UPS_AT_ONCE]
            funds = {pot.id: fund_of(pot) for pot in some}
            post_top_ups([_opening(pot, FAMILY_OPENING) for pot in some], desk, funds)
        desk.books.enrol(
            members=[person.member for person in people],
            coverages=[coverage for person in people for coverage in person.coverages],
            pots=[pot for person in people for pot in _pots(person, world)],
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
            yield _opening(purse.pot, purse.opening)


def _pots(person: Person, world: World) -> list[Pot]:
    own, fund, member = [purse.pot for purse in person.purses], world.fund, person.member
    if fund is None:
        return own
    if not world.pockets:
        return [admission(fund, member.id, priority=FIRST), *own]
    family = int(member.family.removeprefix("f"))
    return [*own, *admissions(family, member.id, fund)] if has_everything(family) else own


def _opening(pot: Pot, amount: int) -> TopUp:
    return TopUp("bench", f"open-{pot.id}", pot.id, pot.member, amount, pot.currency, "bank", OPENING)


def post_top_ups(orders: Sequence[TopUp], desk: Desk, funds: Mapping[str, Fund] | None = None) -> None:
    """Post new top-ups of different, existing pots in one transaction; `funds` are those among the pots, by id."""
    known = funds or {}
    with desk.books.work() as work:
        pots = [pot for order in orders for pot in touched(order, known.get(order.pot))]
        locked = work.lock(Needs(frozenset(), pots), len(pots))
        rows: list[Row] = []
        moves: dict[str, int] = {}
        for order in orders:
            more, moved = top_up_rows(
                order, known.get(order.pot), locked.first_position + len(rows), locked.avail, desk
            )
            rows += more
            moves.update(moved)
        work.post(Posting(rows, {}, moves, {}))
        work.commit()
