"""What a person lets be paid without asking: budgets, rules, the order of pockets, and what is paid on purpose."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drachm.application.clear_events import clear_events
from drachm.application.complete_answer import complete_answer
from drachm.application.desk import Desk
from drachm.application.estimate import estimate
from drachm.application.pay_due import Paid, Yes, pay_due, take_payment_back
from drachm.application.recall import kept_of, recall
from drachm.application.receipts import receipt_of
from drachm.domain.clearing.answer import Answer
from drachm.domain.clearing.numbers import total_number
from drachm.domain.errors import Conflict, InvalidMessage, Refused
from drachm.domain.events.model import ServiceEvent
from drachm.domain.funding.allotment import admission
from drachm.domain.funding.mandate import Budget, Mandate, Rule, Stop, budget_key
from drachm.domain.funding.model import Pot
from drachm.domain.funding.quota import Limit, Terms
from drachm.domain.money import MICROS
from drachm.domain.transparency.leaf import event_key
from drachm.storage.money_reading import PostgresMoney

sys.path.insert(0, str(Path(__file__).parent))

from fund_helpers import RandomIds, admit, allotments, audited, dues, left_in, pay_in

Charge = Callable[..., ServiceEvent]


def budget(dollars: int, *categories: str, id: str = "all", zone: str = "UTC", asks: bool = True) -> Budget:
    return Budget(id, dollars * MICROS, "USD", zone, categories, asks)


def wishes(desk: Desk, member: str = "cleo", **said: Any) -> None:
    desk.books.enrol(mandates={member: Mandate(**said)})


@pytest.fixture
def cleo(desk: Desk) -> Desk:
    """Cleo has no cover, 100 dollars in cash and 30 of a gift."""
    desk.books.enrol(pots=[Pot("cash", "cleo", "USD", priority=1), Pot("gift", "cleo", "USD", priority=2)])
    pay_in(desk, "cash", 100)
    pay_in(desk, "gift", 30)
    return desk


def of(name: str, dollars: int, charge: Charge, **said: Any) -> ServiceEvent:
    return charge(name, dollars, **{"member": "cleo", "visit": f"v-{name}", **said})


def cleared(desk: Desk, *events: ServiceEvent) -> list[int]:
    return dues(clear_events(events, desk))


def pay(desk: Desk, name: str, dollars: int | None = None, *pots: str, id: str = "p1") -> Paid:
    amount = None if dollars is None else dollars * MICROS
    return pay_due(Yes(id, event_key(1, "ehr", name), amount, pots), desk)


def used(desk: Desk, one: Budget, month: str = "M2025-03", member: str = "cleo") -> int:
    wanted = total_number(1, budget_key(one, member, month))
    return sum(value for place, value in desk.books.totals() if (place.row << 64) | place.slot == wanted) // MICROS


def left(desk: Desk, *pots: str) -> list[int]:
    return [desk.books.pots()[pot][0] // MICROS for pot in pots]


def test_a_cap_asks_before_it_is_passed(cleo: Desk, charge: Charge) -> None:
    one = budget(50)
    wishes(cleo, budgets=(one,))
    assert cleared(cleo, of("e1", 40, charge), of("e2", 40, charge), of("e3", 5, charge)) == [0, 30, 5]
    [again] = clear_events([of("e2", 40, charge)], cleo)
    funding = again.decision.funding  # type: ignore[union-attr]
    assert (funding.withheld, funding.by) == (30 * MICROS, "budget")
    assert used(cleo, one) == 50
    # Another month of the calendar, another person: nothing asks.
    april = datetime(2025, 4, 1, tzinfo=UTC)
    assert cleared(cleo, of("e4", 30, charge, started_at=april)) == [0]
    # Raised, it leaves the difference; taken away, nothing asks any more.
    wishes(cleo, budgets=(budget(60),))
    assert cleared(cleo, of("e5", 15, charge)) == [5]
    wishes(cleo)
    assert cleared(cleo, of("e6", 15, charge)) == [0]
    audited(cleo)


def test_a_budget_of_some_categories_and_one_that_only_tells(cleo: Desk, charge: Charge) -> None:
    teeth, tells = budget(10, "dental", id="teeth"), budget(20, asks=False)
    wishes(cleo, budgets=(teeth, tells))
    dental = {"category": "dental"}
    assert cleared(cleo, of("e1", 12, charge, facts=dental), of("e2", 25, charge)) == [2, 0]
    assert (used(cleo, teeth), used(cleo, tells)) == (10, 35)
    clear_events([of("r", 0, charge, kind="reversal", replaces="e1")], cleo)
    assert (used(cleo, teeth), used(cleo, tells)) == (0, 25)
    audited(cleo)


def test_a_request_is_told_and_essential_care_is_served(cleo: Desk, charge: Charge) -> None:
    wishes(cleo, budgets=(budget(20),))
    asked = [of(name, 15, charge, kind="hold") for name in ("h1", "h2")]
    must = of("h3", 15, charge, kind="hold", essential=True)
    first, second, third = clear_events([*asked, must], cleo)
    assert (first.status, second.status, second.reason) == ("posted", "refused", "asks_first")
    assert third.status == "posted"
    assert third.decision is not None
    assert (third.decision.funding.drawn, third.decision.funding.withheld) == (5 * MICROS, 10 * MICROS)
    # The capture finds what its hold reserved.
    assert cleared(cleo, of("c1", 15, charge, kind="replacement", replaces="h1")) == [0]
    audited(cleo)


def test_rules_decide_what_is_paid_by_itself(cleo: Desk, charge: Charge) -> None:
    wishes(
        cleo,
        rules=(Rule(20 * MICROS, "USD", provider="clinic"), Rule(30 * MICROS, "USD", per="visit"), Rule(0)),
    )
    assert cleared(cleo, of("e1", 20, charge), of("e2", 21, charge)) == [0, 21]
    there = {"billing_party": "hospital", "visit": "stay"}
    assert cleared(cleo, *[of(f"s{n}", 12, charge, **there) for n in range(3)]) == [0, 0, 12]
    clear_events([of("r", 0, charge, kind="reversal", replaces="s0", **there)], cleo)
    assert cleared(cleo, of("s9", 12, charge, **there)) == [0]
    # Revoked at once.
    wishes(cleo, rules=(Rule(0),))
    assert cleared(cleo, of("e3", 1, charge)) == [1]
    wishes(cleo, stops=(Stop("clinic", "q1"),))
    assert cleared(cleo, of("e4", 1, charge), of("e5", 1, charge, billing_party="hospital")) == [1, 0]
    audited(cleo)


def test_the_holder_orders_the_pockets(cleo: Desk, charge: Charge) -> None:
    assert cleared(cleo, of("e1", 10, charge)) == [0]
    assert left(cleo, "cash", "gift") == [90, 30]
    wishes(cleo, order=("gift",))
    assert cleared(cleo, of("e2", 40, charge)) == [0]
    assert left(cleo, "cash", "gift") == [80, 0]
    fund = admit(cleo, 50, slices=1)
    cleo.books.enrol(pots=[admission(fund, "cleo", priority=9)])
    wishes(cleo, order=("help", "gift"))
    assert cleared(cleo, of("e3", 40, charge)) == [0]
    assert (left(cleo, "cash"), left_in(cleo)) == ([80], 10)
    audited(cleo)


def test_what_is_due_is_paid_from_chosen_pockets_once(cleo: Desk, charge: Charge) -> None:
    one = budget(50)
    wishes(cleo, budgets=(one,))
    assert cleared(cleo, of("e1", 90, charge)) == [40]
    first = pay(cleo, "e1", 10, "gift")
    assert (first.amount, first.due, first.again) == (10 * MICROS, 30 * MICROS, False)
    again = pay(cleo, "e1", 10, "gift")
    assert (again.amount, again.due, again.again) == (10 * MICROS, 30 * MICROS, True)
    assert left(cleo, "cash", "gift") == [50, 20]
    assert used(cleo, one) == 60
    with pytest.raises(Conflict) as more:
        pay(cleo, "e1", 31, id="p2")
    assert more.value.code == "less_due"
    with pytest.raises(Refused):
        pay(cleo, "e1", 25, "gift", id="p2")
    last = pay(cleo, "e1", None, "gift", "cash", id="p3")
    assert [(part.pot, part.amount // MICROS) for part in last.parts] == [("gift", 20), ("cash", 10)]
    with pytest.raises(Conflict) as nothing:
        pay(cleo, "e1", id="p4")
    assert nothing.value.code == "nothing_due"
    [outcome] = clear_events([of("e1", 90, charge)], cleo)
    receipt = receipt_of(outcome, cleo.books)
    assert receipt is not None
    assert (receipt.due, receipt.revision) == (0, 2)
    assert left(cleo, "cash", "gift") == [40, 0]
    # Taken back, everything returns to the pocket that paid.
    clear_events([of("r", 0, charge, kind="reversal", replaces="e1")], cleo)
    assert left(cleo, "cash", "gift") == [100, 30]
    assert used(cleo, one) == 0
    audited(cleo)


def test_a_payment_is_taken_back_and_the_audit_follows(cleo: Desk, charge: Charge) -> None:
    wishes(cleo, rules=(Rule(0),))
    clear_events([of("e1", 40, charge)], cleo)
    for n, pot in enumerate(("gift", "cash", "gift")):
        pay(cleo, "e1", 5, pot, id=f"p{n}")
    assert take_payment_back("p0", event_key(1, "ehr", "e1"), cleo) == 5 * MICROS
    assert take_payment_back("p0", event_key(1, "ehr", "e1"), cleo) == 0
    assert left(cleo, "cash", "gift") == [95, 25]
    assert pay(cleo, "e1", None, "cash", id="p9").due == 0
    audited(cleo)


def test_a_correction_keeps_the_yes_as_far_as_something_is_due(cleo: Desk, charge: Charge) -> None:
    one = budget(50)
    wishes(cleo, budgets=(one,))
    assert cleared(cleo, of("e1", 90, charge)) == [40]
    pay(cleo, "e1", 30, "gift")
    assert cleared(cleo, of("e2", 100, charge, kind="replacement", replaces="e1")) == [20]
    assert (left(cleo, "cash", "gift"), used(cleo, one)) == ([50, 0], 80)
    assert cleared(cleo, of("e3", 60, charge, kind="replacement", replaces="e2")) == [0]
    assert (left(cleo, "cash", "gift"), used(cleo, one)) == ([50, 20], 60)
    assert pay(cleo, "e2", 30, "gift").again
    # What was agreed and fell away is not taken again by itself.
    assert cleared(cleo, of("e4", 100, charge, kind="replacement", replaces="e3")) == [40]
    with pytest.raises(Conflict):
        pay(cleo, "e3", id="p2")
    pay(cleo, "e4", id="p2")
    audited(cleo)


def test_what_was_paid_on_purpose_is_not_fetched_from_a_shared_fund(desk: Desk, charge: Charge) -> None:
    admit(desk, 60, slices=2)
    desk.books.enrol(pots=[Pot("own", "m1", "USD", priority=5)])
    pay_in(desk, "own", 20)
    wishes(desk, "m1", rules=(Rule(0),))
    assert cleared(desk, charge("e1", 30, member="m1")) == [30]
    pay(desk, "e1", 12, "own")
    before = allotments(desk)
    assert cleared(desk, charge("e2", 40, member="m1", kind="replacement", replaces="e1")) == [28]
    assert (allotments(desk), left(desk, "own"), left_in(desk)) == (before, [8], 60)
    # The mandate is gone: the correction is paid by itself, the fund first, and no yes is needed any more.
    wishes(desk, "m1")
    assert cleared(desk, charge("e3", 90, member="m1", kind="replacement", replaces="e2")) == [10]
    assert (left(desk, "own"), left_in(desk)) == ([0], 0)
    audited(desk)


def test_a_payers_late_answer_keeps_the_yes(desk: Desk, charge: Charge) -> None:
    wishes(desk, "ana", rules=(Rule(0),))
    soon = Answer("a1", "town-insurance", 40 * MICROS, 10 * MICROS, 30 * MICROS, "provisional")
    [outcome] = clear_events([charge("e1", 40)], desk, {"e1": soon})
    assert dues([outcome]) == [30]
    pay(desk, "e1", 12, "ana-cash")
    final = Answer("a2", "town-insurance", 40 * MICROS, 35 * MICROS, 5 * MICROS, "final")
    assert dues([complete_answer("ehr", "e1", final, desk)]) == [0]
    assert left(desk, "ana-gift", "ana-cash") == [5, 90]
    audited(desk)


def test_a_payment_finds_the_funds_rest_and_the_members_limits(desk: Desk, charge: Charge) -> None:
    fund = admit(desk, 60, slices=1)
    limit = Limit(20 * MICROS, "month")
    desk.books.enrol(pots=[admission(fund, "m1", priority=1, terms=Terms((limit,)))])
    wishes(desk, "m1", rules=(Rule(0),))
    assert cleared(desk, charge("e1", 30, member="m1"), charge("e2", 30, member="m1", visit="v2")) == [30, 30]
    assert pay(desk, "e1", 15, "help").due == 15 * MICROS
    with pytest.raises(Refused):
        pay(desk, "e2", 6, "help", id="p2")
    assert pay(desk, "e2", 5, id="p3").amount == 5 * MICROS
    desk.books.enrol(pots=[admission(fund, "m1", priority=1, terms=Terms((limit,), paused=True))])
    with pytest.raises(InvalidMessage):
        pay(desk, "e2", 1, "help", id="p4")
    private = charge("e9", 8, member="m1", visit="v9", facts={"private": True})
    assert cleared(desk, private) == [8]
    with pytest.raises(InvalidMessage):
        pay(desk, "e9", 1, "help", id="p5")
    # Limits were changed since: what was paid on purpose counts by what held when it was paid.
    desk.books.enrol(pots=[admission(fund, "m1", priority=1, terms=Terms((limit._replace(amount=90 * MICROS),)))])
    clear_events([charge("r", 0, member="m1", kind="reversal", replaces="e1")], desk)
    assert left_in(desk) == 55
    audited(desk)


def test_nonsense_is_refused(cleo: Desk, charge: Charge) -> None:
    wishes(cleo, rules=(Rule(0),))
    clear_events([of("e1", 40, charge), of("h1", 0, charge, kind="hold")], cleo)
    for wrong in ((0,), (-1,), (5, "nobody"), (5, "cash", "cash"), (5, "ana-cash")):
        with pytest.raises(InvalidMessage):
            pay(cleo, "e1", *wrong)
    for name in ("unknown", "h1"):
        with pytest.raises(Conflict):
            pay(cleo, name)
    with pytest.raises(Conflict):
        cleo.books.enrol(mandates={"nobody": Mandate(rules=(Rule(0),))})
    with pytest.raises(InvalidMessage):
        wishes(cleo, rules=(Rule(5),))
    cleo.books.erase("cleo")
    with pytest.raises(Conflict):
        pay(cleo, "e1")
    # The wishes of who was erased are forgotten with the rest.
    assert cleared(cleo, of("e2", 40, charge)) == [0]


def test_old_receipts_recall_what_held_then(cleo: Desk, charge: Charge) -> None:
    wishes(cleo, budgets=(budget(30),), order=("gift",))
    [first] = clear_events([of("e1", 50, charge)], cleo)
    pay(cleo, "e1", 5)
    before = [receipt_of(one, cleo.books) for one in clear_events([of("e1", 50, charge)], cleo)]
    wishes(cleo, rules=(Rule(0),))
    assert [receipt_of(one, cleo.books) for one in clear_events([of("e1", 50, charge)], cleo)] == before
    rows = [kept for stored, _ in cleo.books.rows() if (kept := kept_of(stored)) and kept.body.event]
    told = [one.decision.funding for one in recall(rows, cleo.books)]
    assert [(one.drawn // MICROS, one.due // MICROS, one.by) for one in told] == [
        (30, 20, "budget"),
        (35, 15, "budget"),
    ]
    assert first.decision is not None
    assert first.decision.funding == told[0]


def test_a_rule_revoked_while_a_batch_waits_for_its_locks_holds_for_it(
    cleo: Desk, charge: Charge, monkeypatch: pytest.MonkeyPatch
) -> None:
    wishes(cleo, rules=(Rule(50 * MICROS, "USD"),))
    with cleo.books.work() as work:
        kind = type(work)
    lock, revoked = kind.lock, []

    def slow(self: Any, needs: Any, rows: int) -> Any:
        if not revoked:
            revoked.append(1)
            wishes(cleo, rules=(Rule(0),))
        return lock(self, needs, rows)

    monkeypatch.setattr(kind, "lock", slow)
    assert cleared(cleo, of("e1", 5, charge)) == [5]
    audited(cleo)


def test_an_estimate_knows_the_mandate(town: Any, database: str, charge: Charge) -> None:
    desk = town(database)
    wishes(desk, "ana", budgets=(budget(12), budget(9, "dental", id="teeth")), rules=(Rule(30 * MICROS, "USD"),))
    events = [charge(f"e{n}", 10 + 40 * (n == 2), facts={"category": ("dental", "visit")[n % 2]}) for n in range(4)]
    foreseen = [one.outcome.decision for one in estimate(events, desk, PostgresMoney.of(desk.books)).events]
    assert foreseen == [one.decision for one in clear_events(events, desk)]
    assert {one.funding.by for one in foreseen if one} >= {"", "budget"}
    audited(desk)


MONTHS = {3: datetime(2025, 3, 31, 12, tzinfo=UTC), 4: datetime(2025, 4, 1, 12, tzinfo=UTC)}
steps = st.lists(
    st.tuples(
        st.sampled_from(["charge", "charge", "pay", "undo", "replace", "budget"]),
        st.integers(1, 40),
        st.sampled_from(["dental", "visit"]),
        st.sampled_from([3, 4]),
        st.integers(0, 90),
    ),
    min_size=8,
    max_size=25,
)


class Naive:
    """Everything that was drawn, charge by charge; what is spent is added up anew each time."""

    def __init__(self, money: int, amount: int, teeth: int) -> None:
        self.money, self.caps = money, {"": amount, "dental": teeth}
        self.charges: dict[str, tuple[int, str, int, int, int]] = {}
        """Name -> asked, category, month, drawn by itself, paid on purpose."""

    def clear(self, name: str, asked: int, category: str, month: int, agreed: int = 0) -> int:
        drawn = min(asked, self.money)
        for kind, cap in self.caps.items():
            if kind in ("", category):
                spent = [d + p for _, c, m, d, p in self.charges.values() if m == month and kind in ("", c)]
                drawn = min(drawn, max(0, cap - sum(spent)))
        self.money -= drawn
        kept = min(agreed, asked - drawn, self.money)
        self.money -= kept
        self.charges[name] = asked, category, month, drawn, kept
        return asked - drawn - kept

    def undo(self, name: str) -> int:
        _, _, _, drawn, paid = self.charges.pop(name)
        self.money += drawn + paid
        return paid

    def due(self, name: str) -> int:
        asked, _, _, drawn, paid = self.charges[name]
        return asked - drawn - paid

    def pay(self, name: str, amount: int) -> bool:
        if not 0 < amount <= min(self.due(name), self.money):
            return False
        asked, category, month, drawn, paid = self.charges[name]
        self.charges[name] = asked, category, month, drawn, paid + amount
        self.money -= amount
        return True


@settings(max_examples=60)
@given(steps=steps, first=st.tuples(st.integers(0, 90), st.integers(0, 60)))
def test_any_story_is_the_naive_one(new_desk: Any, charge: Charge, steps: Any, first: Any) -> None:
    desk, naive = new_desk(), Naive(120, *first)
    desk.books.enrol(pots=[Pot("cash", "cleo", "USD")])
    pay_in(desk, "cash", 120)

    def wish() -> None:
        wishes(desk, budgets=(budget(naive.caps[""]), budget(naive.caps["dental"], "dental", id="teeth")))

    wish()
    for n, (kind, dollars, category, month, cap) in enumerate(steps):
        name, mine = f"e{n}", list(naive.charges)
        said = {"started_at": MONTHS[month], "facts": {"category": category}}
        if kind == "budget":
            naive.caps[category if category == "dental" else ""] = cap
            wish()
        elif kind == "pay" and mine:
            can = naive.pay(mine[-1], dollars)
            try:
                pay(desk, mine[-1], dollars, id=name)
                assert can
            except (Conflict, Refused):
                assert not can
        elif kind == "undo" and mine:
            naive.undo(mine[-1])
            clear_events([of(name, 0, charge, kind="reversal", replaces=mine[-1])], desk)
        elif kind == "replace" and mine:
            agreed = naive.undo(mine[-1])
            event = of(name, dollars, charge, kind="replacement", replaces=mine[-1], **said)
            assert cleared(desk, event) == [naive.clear(name, dollars, category, month, agreed)]
        else:
            assert cleared(desk, of(name, dollars, charge, **said)) == [naive.clear(name, dollars, category, month)]
        assert left(desk, "cash") == [naive.money]
    audited(desk)


def test_charges_payments_and_reversals_race(database: str, town: Any, charge: Charge) -> None:
    """No budget is passed by itself, never more is paid than is due, nothing is overdrawn, no deadlock surfaces."""
    desk = town(database)
    one = budget(100)
    desk.books.enrol(pots=[Pot("cash", "cleo", "USD"), Pot("gift", "cleo", "USD", priority=5)])
    pay_in(desk, "cash", 300)
    pay_in(desk, "gift", 200)
    wishes(desk, budgets=(one,))
    faults: list[BaseException] = []
    automatic: list[int] = []
    on_purpose: list[int] = []

    def write(number: int) -> None:
        own = Desk(desk.books, desk.clock, RandomIds())
        try:
            for n in range(12):
                [outcome] = clear_events([of(f"w{number}-{n}", 7, charge)], own)
                assert outcome.status == "posted"
                assert outcome.decision is not None
                automatic.append(outcome.decision.funding.drawn // MICROS)
        except BaseException as fault:
            faults.append(fault)
            raise

    def paying(number: int) -> None:
        own = Desk(desk.books, desk.clock, RandomIds())
        try:
            for n in range(12):
                for name in (f"big{n % 3}", f"w{n % 4}-{n}"):
                    try:
                        paid = pay(own, name, 3, *(("gift",), ("cash", "gift"))[number % 2], id=f"p{number}-{n}-{name}")
                        on_purpose.append(paid.amount // MICROS)
                    except (Conflict, Refused):
                        continue
        except BaseException as fault:
            faults.append(fault)
            raise

    assert cleared(desk, *[of(f"big{n}", 90, charge) for n in range(3)]) == [0, 80, 90]
    threads = [threading.Thread(target=work, args=(n,)) for n in range(4) for work in (write, paying)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert sum(automatic) == 0
    assert used(desk, one) == 100 + sum(on_purpose)
    assert sum(left(desk, "cash", "gift")) == 500 - 100 - sum(on_purpose)
    audited(desk)
    clear_events([of(f"r{n}", 0, charge, kind="reversal", replaces=f"big{n}") for n in range(3)], desk)
    audited(desk)


def test_one_due_is_paid_once_by_many(database: str, town: Any, charge: Charge) -> None:
    desk = town(database)
    desk.books.enrol(pots=[Pot(f"p{n}", "cleo", "USD", priority=n) for n in range(6)])
    for n in range(6):
        pay_in(desk, f"p{n}", 50)
    wishes(desk, rules=(Rule(0),))
    assert cleared(desk, of("e1", 40, charge)) == [40]
    ends: list[str] = []

    def work(number: int) -> None:
        own = Desk(desk.books, desk.clock, RandomIds())
        try:
            pay(own, "e1", 15, f"p{number % 6}", id=f"y{number // 2}")
            ends.append("paid")
        except Conflict as no:
            ends.append(no.code)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ends) == 12
    assert sum(left(desk, *[f"p{n}" for n in range(6)])) == 300 - 30
    assert set(ends) <= {"paid", "less_due", "nothing_due", "raced"}
    audited(desk)
