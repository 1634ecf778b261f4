"""What the tests of shared funds have in common."""

from __future__ import annotations

import secrets
import time
from typing import Any

from drachm.application.audit import audit
from drachm.application.body import TopUp
from drachm.application.check_books import check_books
from drachm.application.desk import Desk
from drachm.application.top_up import top_up
from drachm.domain.coverage.model import Member
from drachm.domain.funding.allotment import admission, open_fund
from drachm.domain.funding.model import Pot
from drachm.domain.ledger.model import EntryKind
from drachm.domain.money import MICROS
from drachm.storage.tally import DiskTally


class RandomIds:
    """Several writers need ids that differ."""

    random_bytes = staticmethod(secrets.token_bytes)


def admit(desk: Desk, dollars: int, *, members: int = 6, slices: int = 4, fund: str = "help", priority: int = 1) -> Pot:
    """A fund with money, and members m0, m1, ... without cover who have nothing else."""
    pot = open_fund(fund, "USD", slices=slices)
    names = [f"m{n}" for n in range(members)]
    desk.books.enrol(pots=[pot], members=[Member(name, shard=n) for n, name in enumerate(names)])
    desk.books.enrol(pots=[admission(pot, name, priority=priority) for name in names])
    if dollars:
        pay_in(desk, fund, dollars)
    return pot


def pay_in(desk: Desk, pot: str, dollars: int) -> None:
    top_up(TopUp("bank", f"in-{pot}-{dollars}", pot, "", dollars * MICROS, "USD", "bank", desk.clock.now()), desk)


def left_in(desk: Desk, fund: str = "help") -> int:
    """Rest and slices, in dollars, what is promised included."""
    return sum(sum(s) for pot, s in desk.books.pots().items() if pot.partition("/")[0] == fund) // MICROS


def dues(outcomes: Any) -> list[int]:
    return [outcome.decision.funding.due // MICROS for outcome in outcomes]


def allotments(desk: Desk) -> int:
    return sum(stored.kind is EntryKind.ALLOTMENT for stored, _ in desk.books.rows())


def audited(desk: Desk) -> None:
    assert check_books(desk.books) == []
    with DiskTally() as totals, DiskTally() as pots:
        report = audit(desk.books, totals, pots, time.monotonic, lambda _: None)
    assert report.first_difference == ""
