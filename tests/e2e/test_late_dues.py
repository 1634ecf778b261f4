"""Money comes after the care: what the patient's rules would have let be paid is paid by itself, once, oldest first."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drachm.application.allot import Allotment, allot
from drachm.application.body import TopUp
from drachm.application.clear_events import clear_events
from drachm.application.collection import dues_pot
from drachm.application.desk import Desk
from drachm.application.late_dues import FULL_LOOK, _look, _Looks, pay_by_itself, pay_late
from drachm.application.pay_due import Yes, pay_due
from drachm.application.payments import begin
from drachm.application.records import Records
from drachm.application.top_up import top_up
from drachm.domain.coverage.model import Member
from drachm.domain.errors import Conflict, Refused
from drachm.domain.events.model import ServiceEvent
from drachm.domain.funding.allotment import admission, open_fund
from drachm.domain.funding.mandate import Budget, Mandate, Rule, Stop
from drachm.domain.funding.model import Pot
from drachm.domain.funding.quota import Limit, Terms
from drachm.domain.money import MICROS
from drachm.domain.payments.model import Payment
from drachm.domain.transparency.leaf import event_key
from drachm.storage.memory import MemoryBooks
from drachm.storage.memory_dues import MemoryDues
from drachm.storage.memory_records import MemoryRecords
from drachm.storage.money_reading import PostgresMoney

sys.path.insert(0, str(Path(__file__).parent))

from fund_helpers import RandomIds, admit, audited, dues, left_in, pay_in

Charge = Callable[..., ServiceEvent]


class Late:
    """Cleo, without cover, with an empty pot of her own; and what is looked up for her."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        memory = isinstance(desk.books, MemoryBooks)
        self.records: Records = MemoryRecords() if memory else desk.books.records()  # type: ignore[attr-defined]
        self.reading: Any = MemoryDues(desk.books) if memory else PostgresMoney.of(desk.books)  # type: ignore[arg-type]

    def open(self, *pots: Pot, **said: Any) -> None:
        self.desk.books.enrol(members=[Member("cleo")], pots=pots, mandates={"cleo": Mandate(**said)} if said else {})

    def owes(self, charge: Charge, **care: int) -> list[int]:
        """Care of so many dollars each; what is due of it."""
        events = [charge(name, dollars, member="cleo", visit=f"v-{name}") for name, dollars in care.items()]
        return dues(clear_events(events, self.desk))

    def pays(self) -> list[int]:
        return [one.amount // MICROS for one in pay_late("cleo", "USD", self.desk, self.records, self.reading)]

    def due(self) -> list[int]:
        return [one.amount // MICROS for one in self.reading.dues("cleo", "USD")]

    def left(self, *pots: str) -> list[int]:
        return [self.desk.books.pots()[pot][0] // MICROS for pot in pots]


@pytest.fixture
def late(desk: Desk) -> Late:
    here = Late(desk)
    here.open(Pot("cash", "cleo", "USD", priority=1))
    return here


def test_dues_are_paid_oldest_first_each_by_a_posting_of_its_own(late: Late, charge: Charge) -> None:
    assert late.owes(charge, e1=30, e2=20, e3=10) == [30, 20, 10]
    assert late.pays() == []
    pay_in(late.desk, "cash", 35)
    before = len(list(late.desk.books.rows()))
    assert late.pays() == [30, 5]
    assert len(list(late.desk.books.rows())) == before + 2
    assert (late.due(), late.left("cash"), late.pays()) == ([15, 10], [0], [])
    # A gift, in a pot that was not there when the care was.
    late.open(Pot("gift", "cleo", "USD", priority=0, pocket="gift"))
    pay_in(late.desk, "gift", 40)
    assert (late.pays(), late.due(), late.left("cash", "gift")) == ([15, 10], [], [0, 15])
    # Taken back, everything returns to the pot that paid.
    clear_events([charge("r", 0, member="cleo", kind="reversal", replaces="e2")], late.desk)
    assert late.left("cash", "gift") == [5, 30]
    audited(late.desk)


def test_only_what_the_rules_let_then_and_let_now(late: Late, charge: Charge) -> None:
    late.open(rules=(Rule(25 * MICROS, "USD"),))
    assert late.owes(charge, dear=30, cheap=20, small=5) == [30, 20, 5]
    pay_in(late.desk, "cash", 100)
    # Rules that have become narrower hold, those that have become wider do not reach back.
    late.open(rules=(Rule(10 * MICROS, "USD"),))
    assert (late.pays(), late.due()) == ([5], [30, 20])
    late.open(rules=(Rule(50 * MICROS, "USD"),))
    assert (late.pays(), late.due()) == ([20], [30])
    late.open(stops=(Stop("clinic", "q1"),))
    assert late.pays() == []
    assert pay_due(Yes("p1", event_key(1, "ehr", "dear")), late.desk).amount == 30 * MICROS
    audited(late.desk)


def test_a_part_of_a_share_is_asked_as_the_whole(late: Late, charge: Charge) -> None:
    """A rule that would not let 30 be paid does not let the last 10 of it."""
    pay_in(late.desk, "cash", 20)
    assert late.owes(charge, e1=30) == [10]
    pay_in(late.desk, "cash", 50)
    late.open(rules=(Rule(29 * MICROS, "USD"),))
    assert late.pays() == []
    late.open(rules=(Rule(30 * MICROS, "USD"),))
    assert late.pays() == [10]
    audited(late.desk)


def test_a_visit_and_a_budget_count_what_is_paid_late(late: Late, charge: Charge) -> None:
    late.open(rules=(Rule(30 * MICROS, "USD", per="visit"),), budgets=(Budget("all", 45 * MICROS, "USD"),))
    care = [charge(f"e{n}", 15, member="cleo", visit="stay") for n in range(3)]
    assert dues(clear_events(care, late.desk)) == [15, 15, 15]
    pay_in(late.desk, "cash", 100)
    # Nothing was drawn, so nothing withheld it then; now the third passes the 30 of the visit.
    assert (late.pays(), late.due()) == ([15, 15], [15])
    # What was paid late counts in the visit for care that comes now, and in the budget.
    assert dues(clear_events([charge("e9", 15, member="cleo", visit="stay")], late.desk)) == [15]
    assert late.owes(charge, x1=20) == [5]
    clear_events([charge("r", 0, member="cleo", visit="stay", kind="reversal", replaces="e0")], late.desk)
    assert dues(clear_events([charge("e10", 15, member="cleo", visit="stay")], late.desk)) == [0]
    audited(late.desk)


def test_the_budgets_rest_is_all_that_is_paid(late: Late, charge: Charge) -> None:
    late.open(budgets=(Budget("all", 40 * MICROS, "USD"),))
    assert late.owes(charge, e1=30, e2=30) == [30, 30]
    pay_in(late.desk, "cash", 100)
    assert (late.pays(), late.due(), late.left("cash")) == ([30, 10], [20], [60])
    assert late.pays() == []
    audited(late.desk)


def test_nobody_said_yes_to_it_so_a_correction_asks_the_rules_anew(late: Late, charge: Charge) -> None:
    late.open(rules=(Rule(30 * MICROS, "USD"),))
    assert late.owes(charge, e1=30) == [30]
    pay_in(late.desk, "cash", 100)
    assert late.pays() == [30]
    dear = charge("e2", 40, member="cleo", visit="v-e1", kind="replacement", replaces="e1")
    assert dues(clear_events([dear], late.desk)) == [40]
    assert late.left("cash") == [100]
    cheap = charge("e3", 20, member="cleo", visit="v-e1", kind="replacement", replaces="e2")
    assert dues(clear_events([cheap], late.desk)) == [0]
    audited(late.desk)


def test_a_shared_pot_pays_late_only_where_it_might_have_paid_then(desk: Desk, charge: Charge) -> None:
    late = Late(desk)
    home = open_fund("home", "USD", slices=1)
    desk.books.enrol(members=[Member("cleo")], pots=[home])
    assert late.owes(charge, before=7) == [7]
    desk.books.enrol(pots=[admission(home, "cleo", terms=Terms((Limit(12 * MICROS, "month"),)))])
    assert late.owes(charge, e1=10, e2=10) == [10, 10]
    desk.books.enrol(pots=[admission(home, "cleo", terms=Terms((Limit(12 * MICROS, "month"),), paused=True))])
    assert late.owes(charge, e3=1) == [1]
    pay_in(desk, "home", 90)
    assert late.pays() == []
    desk.books.enrol(pots=[admission(home, "cleo", terms=Terms((Limit(12 * MICROS, "month"),)))])
    assert (late.pays(), late.due(), left_in(desk, "home")) == ([10, 2], [7, 8, 1], 78)
    desk.books.enrol(pots=[admission(home, "cleo", terms=Terms((), ended=True))])
    assert late.pays() == []
    audited(desk)


def test_private_care_a_frozen_pot_and_a_collection_wait(late: Late, charge: Charge) -> None:
    desk = late.desk
    fund = open_fund("home", "USD", slices=1)
    desk.books.enrol(pots=[fund, admission(fund, "cleo")])
    secret = charge("e1", 10, member="cleo", facts={"private": True})
    assert dues(clear_events([secret], desk)) == [10]
    pay_in(desk, "home", 50)
    assert (late.pays(), late.due()) == ([], [10])
    pay_in(desk, "cash", 50)
    desk.books.freeze("cleo", "USD", "pocket_frozen")
    assert late.pays() == []
    desk.books.freeze("cleo", "USD", "")
    pot = dues_pot("cleo", "USD")
    wish = Payment("pay_1", "stripe", pot.id, "cleo", 10 * MICROS, "USD", desk.clock.now(), purpose="dues")
    begin(wish, late.records, author="cleo")
    assert late.pays() == []
    audited(desk)


def test_who_looks_twice_or_was_erased(late: Late, charge: Charge) -> None:
    assert late.owes(charge, e1=30, e2=5) == [30, 5]
    [first, _] = late.reading.dues("cleo", "USD")
    pay_in(late.desk, "cash", 10)
    assert pay_by_itself("late-1", first.key, late.desk) is not None
    pay_in(late.desk, "cash", 11)
    assert pay_by_itself("late-1", first.key, late.desk) is None
    assert (late.due(), late.left("cash")) == ([20, 5], [11])
    with pytest.raises(Conflict):
        pay_by_itself("x", event_key(1, "ehr", "nothing"), late.desk)
    clear_events([charge("h", 4, member="cleo", kind="hold", essential=True)], late.desk)
    assert pay_by_itself("x", event_key(1, "ehr", "h"), late.desk) is None
    late.desk.books.erase("cleo")
    assert late.pays() == []


def test_a_rule_revoked_while_it_waits_for_the_locks_holds(
    late: Late, charge: Charge, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert late.owes(charge, e1=30) == [30]
    pay_in(late.desk, "cash", 50)
    with late.desk.books.work() as work:
        kind = type(work)
    lock, revoked = kind.lock, []

    def slow(self: Any, needs: Any, rows: int) -> Any:
        if not revoked:
            revoked.append(1)
            late.open(rules=(Rule(0),))
        return lock(self, needs, rows)

    monkeypatch.setattr(kind, "lock", slow)
    assert (late.pays(), late.left("cash"), revoked) == ([], [50], [1])


def test_everything_races(database: str, town: Any, charge: Charge) -> None:
    """Late payments, manual ones, money coming in and a rule going to and fro: paid once, never more than there is."""
    desk = town(database)
    late = Late(desk)
    late.open(Pot("cash", "cleo", "USD"))
    care = {f"e{n}": 3 for n in range(30)}
    assert sum(late.owes(charge, **care)) == 90
    faults: list[Exception] = []
    begun = threading.Barrier(4)

    def run(work: Callable[[Desk], None]) -> None:
        mine = town(database, settle=False)
        here = Desk(mine.books, mine.clock, RandomIds())
        begun.wait()
        try:
            work(here)
        except Exception as fault:  # noqa: BLE001 - told below
            faults.append(fault)

    def later(here: Desk) -> None:
        for _ in range(8):
            pay_late("cleo", "USD", here, late.records, PostgresMoney.of(here.books))

    def by_hand(here: Desk) -> None:
        for n in range(30):
            try:
                pay_due(Yes(f"p{n}", event_key(1, "ehr", f"e{n}")), here)
            except (Conflict, Refused):
                continue

    def fill(here: Desk) -> None:
        for n in range(20):
            pay_in(here, "cash", 1 + n % 4)

    works = (later, later, by_hand, fill)
    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    # Each amount was asked for with a key of its own, so the first of each came in: 1, 2, 3 and 4 dollars.
    assert sum(late.due()) + 10 - late.left("cash")[0] == 90
    assert late.left("cash") == [0]
    pay_in(desk, "cash", 200)
    late.pays()
    assert (late.due(), late.left("cash")) == ([], [120])
    audited(desk)


def test_who_got_money_is_looked_at_and_once_an_hour_everybody(database: str, town: Any, charge: Charge) -> None:
    desk = town(database)
    late, looks = Late(desk), _Looks()
    late.open(Pot("cash", "cleo", "USD"))
    fund = admit(desk, 0, members=2, slices=2)
    assert late.owes(charge, e1=30) == [30]
    clear_events([charge(f"{m}", 10, member=m) for m in ("m0", "m1")], desk)

    def look() -> None:
        while late.reading.catch_up():
            pass
        _look(desk, late.records, late.reading, looks)

    def reached(after: int) -> list[tuple[str, str]]:
        while late.reading.catch_up():
            pass
        people: list[tuple[str, str]] = late.reading.reached(after)[0]
        return people

    look()
    begun = looks.position
    assert reached(begun) == []
    # Who has nothing is not looked at, who is in a shared pot is.
    assert late.reading.owing_with_money() == [("m0", "USD"), ("m1", "USD")]
    assert late.reading.owing_with_money(("m0", "USD")) == [("m1", "USD")]
    pay_in(desk, "cash", 12)
    assert reached(begun) == [("cleo", "USD")]
    look()
    assert late.due() == [18]
    pay_in(desk, fund.id, 15)
    # Into a shared pot: all who are in it, and who owe; each once.
    assert reached(looks.position) == [("m0", "USD"), ("m1", "USD")]
    look()
    assert [one.amount // MICROS for m in ("m0", "m1") for one in late.reading.dues(m, "USD")] == [5]
    # A pause brings no money: at the next full look.
    desk.books.freeze("cleo", "USD", "pocket_frozen")
    pay_in(desk, "cash", 3)
    look()
    desk.books.freeze("cleo", "USD", "")
    look()
    assert late.due() == [18]
    assert ("cleo", "USD") in late.reading.owing_with_money()
    assert looks.full_at is not None
    looks.full_at -= FULL_LOOK
    look()
    assert late.due() == [15]
    audited(desk)


def test_another_tenants_money_reaches_nobody_here(database: str, town: Any, charge: Charge) -> None:
    here, there = town(database), town(database, tenant=2)
    late, other = Late(here), Late(there)
    late.open(Pot("cash", "cleo", "USD"))
    other.open(Pot("cash", "cleo", "USD"))
    assert late.owes(charge, e1=30) == [30]
    pay_in(there, "cash", 50)
    for reading in (late.reading, other.reading):
        while reading.catch_up():
            pass
    assert late.reading.reached(0)[0] == [] or ("cleo", "USD") not in late.reading.reached(0)[0]
    assert (late.pays(), late.due(), other.left("cash")) == ([], [30], [50])


def test_what_lies_in_other_slices_of_a_fund_is_found(desk: Desk, charge: Charge) -> None:
    fund = admit(desk, 40, members=2, slices=2)
    desk.books.enrol(mandates={"m1": Mandate(rules=(Rule(0),))})
    assert dues(clear_events([charge("e0", 20, member="m0"), charge("e1", 30, member="m1")], desk)) == [0, 30]
    # Half of what is left stands in the other's slice: a payment on purpose takes it from there.
    allot(Allotment("test", "a1", fund, 0, desk.books.pots()["help"][0] // 2), desk)
    with pytest.raises(Refused):
        pay_due(Yes("p1", event_key(1, "ehr", "e1"), 21 * MICROS), desk)
    assert pay_due(Yes("p2", event_key(1, "ehr", "e1"), 20 * MICROS), desk).amount == 20 * MICROS
    assert left_in(desk) == 0
    audited(desk)


LET, CAP = 25, 70
"""Dollars: what a rule lets be paid of one charge, and what a month's budget does."""
story = st.lists(
    st.tuples(
        st.sampled_from(["charge", "charge", "fill", "late", "late", "pay", "undo", "rule"]),
        st.integers(1, 40),
        st.integers(0, 9),
    ),
    min_size=8,
    max_size=30,
)


class Naive:
    """One pot, one rule, one budget; every charge as (asked, withheld at first, paid)."""

    def __init__(self) -> None:
        self.money, self.let = 0, LET
        self.charges: dict[str, tuple[int, int, int]] = {}

    def spent(self) -> int:
        return sum(paid for _, _, paid in self.charges.values())

    def room(self, asked: int, wanted: int) -> int:
        return min(wanted, max(0, CAP - self.spent())) if asked <= self.let else 0

    def charge(self, name: str, asked: int) -> None:
        let = self.room(asked, asked)
        paid = min(let, self.money)
        self.money -= paid
        self.charges[name] = asked, asked - let, paid

    def late(self) -> list[int]:
        done = []
        for name, (asked, withheld, paid) in self.charges.items():
            due = asked - paid
            more = min(self.money, self.room(asked, max(0, due - min(withheld, due))))
            if more:
                self.money -= more
                self.charges[name] = asked, withheld, paid + more
                done.append(more)
        return done


@settings(max_examples=60)
@given(steps=story)
def test_any_story_is_the_naive_one(new_desk: Any, charge: Charge, steps: Any) -> None:
    desk, naive = new_desk(), Naive()
    late = Late(desk)

    def wish() -> None:
        rule, budget = Rule(naive.let * MICROS, "USD"), Budget("all", CAP * MICROS, "USD")
        desk.books.enrol(mandates={"cleo": Mandate(rules=(rule,), budgets=(budget,))})

    desk.books.enrol(pots=[Pot("cash", "cleo", "USD")])
    wish()
    for n, (kind, dollars, which) in enumerate(steps):
        name, mine = f"e{n}", list(naive.charges)
        if kind == "charge":
            naive.charge(name, dollars)
            late.owes(charge, **{name: dollars})
        elif kind == "fill":
            naive.money += dollars
            top_up(TopUp("bank", name, "cash", "", dollars * MICROS, "USD", "bank", desk.clock.now()), desk)
        elif kind == "late":
            assert late.pays() == naive.late()
        elif kind == "rule":
            naive.let = dollars
            wish()
        elif mine and kind == "pay":
            one = mine[which % len(mine)]
            asked, withheld, paid = naive.charges[one]
            amount = min(dollars, asked - paid, naive.money)
            if amount:
                pay_due(Yes(name, event_key(1, "ehr", one), amount * MICROS), desk)
                naive.money -= amount
                naive.charges[one] = asked, withheld, paid + amount
        elif mine:
            one = mine[which % len(mine)]
            naive.money += naive.charges.pop(one)[2]
            clear_events([charge(name, 0, member="cleo", kind="reversal", replaces=one, visit=f"v-{one}")], desk)
        assert late.left("cash") == [naive.money]
        assert late.due() == [asked - paid for asked, _, paid in naive.charges.values() if asked > paid]
    audited(desk)
