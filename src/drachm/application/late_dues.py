"""Money came in after the care: which dues are paid by themselves now?

Those that the patient's rules would have let be paid when the care was cleared, had the money been there, and that they
let be paid now: oldest first, each by a posting of its own (`paid_charge`), as far as the pots reach. What was withheld
then stays the patient's to pay, also under rules that have become wider since. A pot that others share pays late only
for care for which it might have paid then: who was out of it, or for whom it was paused, is not let in backwards.

Between two full looks only people are looked at into one of whose pots something came. Whoever looks twice, or beside
another, pays once: the row that stands makes the payment's id, and of two that would take its place one does.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol

from drachm.application.allot import gather
from drachm.application.collection import DueReading, owed_of
from drachm.application.desk import Desk, tried
from drachm.application.over_and_over import over_and_over
from drachm.application.paid_charge import Charge, Short, charge_of, next_row, parts_of
from drachm.application.pay_due import POCKETS_MAX
from drachm.application.ports import Posting, Raced
from drachm.application.records import Records
from drachm.domain.clearing.model import Snapshot
from drachm.domain.clearing.world import Needs
from drachm.domain.errors import Conflict, DrachmError
from drachm.domain.funding.model import Pot

SECONDS: Final = 5.0
"""Between two looks at whom money has reached."""
FULL_LOOK: Final = timedelta(hours=1)
"""Between two looks at everybody who owes and might pay: a pause that ended brings no money to a pot."""
_PAGE: Final = 500

_log = logging.getLogger("drachm.late_dues")


class LateReading(DueReading, Protocol):
    """What is looked up, as `MoneyReading` says it."""

    def reached(self, after: int) -> tuple[list[tuple[str, str]], int]: ...

    def owing_with_money(self, after: tuple[str, str] = ..., limit: int = ...) -> list[tuple[str, str]]: ...


class Late(NamedTuple):
    """What was paid by itself of one charge."""

    position: int
    """Of the row that the charge has since."""
    amount: int
    """Micros."""


class _Looks:
    """How far was looked, and when at everybody."""

    def __init__(self) -> None:
        self.position = -1
        self.full_at: datetime | None = None


def pay_late(member: str, currency: str, desk: Desk, records: Records, reading: DueReading) -> list[Late]:
    """Pay what one person's rules and pots let be paid of the dues, oldest first; what was paid of each.

    Nothing while a collection of these dues is on its way: its money is promised to them.
    """
    owed = owed_of(member, currency, records, reading)
    if owed.open is not None:
        return []
    paid = []
    for due in owed.dues:
        try:
            one = pay_by_itself(f"late-{due.position}", due.key, desk)
        except Conflict:
            continue  # It was erased, or cannot be decided just now: at the next full look.
        if one is not None:
            paid.append(one)
    return paid


def pay_by_itself(id: str, charge: bytes, desk: Desk) -> Late | None:
    """Pay what may be paid of one charge without asking; None: nothing may. Raises `Conflict` when there is none."""
    asked: set[str] = set()
    while True:
        try:
            return tried(lambda: _once(id, charge, desk, asked))
        except Short as short:
            # Once for each slice: what the fund has not got by then is not there.
            asked.add(short.pot.id)
            gather(short.pot, short.target, desk)


def keep_paying_late(desk: Desk, records: Records, reading: LateReading, stopping: threading.Event) -> None:
    """Look until `stopping` is set; a silent database is asked again."""
    looks = _Looks()

    def look() -> float:
        _look(desk, records, reading, looks)
        return SECONDS

    over_and_over(look, stopping, _log, "what came due earlier waits", broken=SECONDS, first=SECONDS)


def _look(desk: Desk, records: Records, reading: LateReading, looks: _Looks) -> None:
    # Where this look ends is asked before the full one: what comes in meanwhile is seen by the next.
    people, position = reading.reached(looks.position)
    now = desk.clock.now()
    if looks.full_at is None or now - looks.full_at >= FULL_LOOK:
        _pay_all(_owing(reading), desk, records, reading)
        looks.full_at = now
    else:
        _pay_all(people, desk, records, reading)
    looks.position = position


def _pay_all(people: Iterable[tuple[str, str]], desk: Desk, records: Records, reading: DueReading) -> None:
    for member, currency in people:
        try:
            pay_late(member, currency, desk, records, reading)
        except DrachmError as fault:
            _log.warning("dues of one person wait: %s", fault.code)  # The others must not.


def _owing(reading: LateReading) -> Iterator[tuple[str, str]]:
    after = ("", "")
    while page := reading.owing_with_money(after, _PAGE):
        yield from page
        after = page[-1]


def _once(id: str, key: bytes, desk: Desk, asked: set[str]) -> Late | None:
    with desk.books.work() as work:
        charge = charge_of(key, work, desk)
        standing, funding = charge.standing, charge.recalled.decision.funding
        open_ = standing.due - funding.withheld
        if not charge.owes or open_ <= 0 or any(one.id == id for one in standing.agreed):
            return None
        registry = work.registry([charge.event])
        at = charge.now(registry, desk)
        pots, quotas = _pots(charge, at), at.quotas
        if not pots:
            return None
        numbers = quotas.numbers if quotas is not None else ()
        locked = work.lock(Needs(frozenset(numbers), frozenset(pot.id for pot in pots)), 1)
        if not work.registry([charge.event]).same(registry):
            raise Raced("the register changed while the payment waited", where="register")
        share = funding.drawn + funding.due
        if quotas is not None:
            open_ = quotas.later(share, open_, dict(standing.deltas), locked.totals)
        parts = parts_of(id, open_, pots, quotas, locked, asked, by_itself=True)
        if not parts:
            return None
        moves = {part.pot: -part.amount for part in parts}
        row, deltas = next_row(charge, (*standing.agreed, *parts), moves, locked, work, desk)
        work.post(Posting([row], deltas, moves, {}))
        work.commit()
        return Late(row.position, sum(part.amount for part in parts))


def _pots(charge: Charge, now: Snapshot) -> list[Pot]:
    """The pots that may pay late, in order: those that may pay now, of shared ones those that might have paid then."""
    then = charge.recalled.at
    shared = {pot.fund for pot in then.pots} if then is not None else set()
    mine = [pot for pot in now.pots if pot.currency == charge.event.currency]
    return [pot for pot in mine if not pot.fund or pot.fund in shared][:POCKETS_MAX]
