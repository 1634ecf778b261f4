"""Money given for a purpose pays for that alone, comes back to the pot that paid, and in time to its funder."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drachm.application.clear_events import clear_events
from drachm.application.desk import Desk
from drachm.application.expiry import keep_sweeping, sweep_expired
from drachm.application.receipts import receipt_of
from drachm.domain.coverage.model import Coverage, Member
from drachm.domain.errors import Conflict, InvalidMessage
from drachm.domain.events.model import ServiceEvent
from drachm.domain.funding.allotment import admission, open_fund
from drachm.domain.funding.model import Pot
from drachm.domain.funding.purpose import Purpose
from drachm.domain.ledger.model import Account, EntryKind
from drachm.domain.money import MICROS
from drachm.domain.periods import Period

sys.path.insert(0, str(Path(__file__).parent))

from fund_helpers import RandomIds, audited, dues, pay_in

Charge = Callable[..., ServiceEvent]
END = datetime(2025, 3, 20, tzinfo=UTC)
ACME = Account("funder_payable", "acme", "USD")
TEETH: dict[str, Any] = {
    "id": "teeth",
    "version": "1",
    "zone": "UTC",
    "effective": {"from": "2025-01-01"},
    "facts": {"category": "text"},
    "rules": [{"when": {"category": "dental"}, "eligible": True, "clause": "1"}],
    "otherwise": False,
    "text": {"1": "Teeth."},
}

KEEPER: dict[str, Any] = {
    "id": "keeper",
    "payer": "insurer",
    "currency": "USD",
    "zone": "UTC",
    "remainder": "patient",
    "steps": [],
}
ALWAYS = Period(date(2000, 1, 1))


class Later:
    """A clock that stands."""

    def __init__(self, instant: datetime) -> None:
        self._instant = instant

    def now(self) -> datetime:
        return self._instant


def later(desk: Desk, instant: datetime) -> Desk:
    return replace(desk, clock=Later(instant))


def give(desk: Desk, name: str, dollars: int, member: str = "dora", **conditions: Any) -> Pot:
    """A pot of a member without cover, with money in it."""
    pot = Pot(name, member, "USD", priority=1, pocket="gift", purpose=Purpose("acme", **conditions))
    desk.books.enrol(pots=[pot])
    pay_in(desk, name, dollars)
    return pot


@pytest.fixture
def dora(desk: Desk) -> Desk:
    """A member without cover, whose part of everything is everything."""
    desk.books.enrol(members=[Member("dora")], pots=[Pot("dora-cash", "dora", "USD", priority=9)])
    pay_in(desk, "dora-cash", 100)
    return desk


def legs(outcome: Any) -> list[tuple[str, int]]:
    return [(leg.lot, leg.amount // MICROS) for leg in outcome.decision.funding.legs]


def balance(desk: Desk, account: Account = ACME) -> int:
    return desk.books.balances().get(account, 0) // MICROS


def test_what_nobody_used_goes_back_once(dora: Desk, charge: Charge) -> None:
    give(dora, "gift", 30, until=END)
    [paid] = clear_events([charge("e1", 12, member="dora")], dora)
    assert legs(paid) == [("gift", 12)]
    assert sweep_expired(later(dora, END - timedelta(microseconds=1))) == 0
    assert sweep_expired(later(dora, END)) == 1
    assert sweep_expired(later(dora, END + timedelta(hours=1))) == 0
    assert (balance(dora), dora.books.pots()["gift"]) == (-18, (0, 0))
    audited(dora)


def test_what_comes_back_to_an_expired_pot_goes_back_a_day_later(dora: Desk, charge: Charge) -> None:
    give(dora, "gift", 30, until=END)
    clear_events([charge("e1", 12, member="dora")], dora)
    sweep_expired(later(dora, END))
    clear_events([charge("r1", 0, member="dora", kind="reversal", replaces="e1")], later(dora, END))
    assert dora.books.pots()["gift"] == (12 * MICROS, 0)
    assert sweep_expired(later(dora, END + timedelta(hours=2))) == 0, "a pot is swept once a day"
    assert sweep_expired(later(dora, END + timedelta(days=1))) == 1
    assert balance(dora) == -30
    audited(dora)


def test_care_of_before_is_paid_as_long_as_the_money_is_there(dora: Desk, charge: Charge) -> None:
    give(dora, "gift", 30, until=END, closes=END + timedelta(days=10))
    late = later(dora, END + timedelta(days=9))
    assert sweep_expired(late) == 0
    before, after = (
        charge(f"e{n}", 10, member="dora", visit=f"v{n}", started_at=END + timedelta(seconds=n)) for n in (-1, 0)
    )
    assert [legs(one) for one in clear_events([before, after], late)] == [[("gift", 10)], [("dora-cash", 10)]]
    assert sweep_expired(later(dora, END + timedelta(days=10))) == 1
    assert balance(dora) == -20
    audited(dora)


def test_a_promise_made_in_time_is_kept(dora: Desk, charge: Charge) -> None:
    give(dora, "gift", 30, until=END)
    clear_events([charge("h1", 25, member="dora", kind="hold")], dora)
    done = later(dora, END + timedelta(days=2))
    assert (sweep_expired(done), dora.books.pots()["gift"]) == (1, (0, 25 * MICROS))
    [captured] = clear_events([charge("c1", 20, member="dora", kind="replacement", replaces="h1")], done)
    assert legs(captured) == [("gift", 20)]
    assert sweep_expired(later(dora, END + timedelta(days=3))) == 1
    assert balance(dora) == -10
    audited(dora)


def test_a_pot_pays_for_its_categories_and_by_its_rules(dora: Desk, charge: Charge) -> None:
    dora.books.publish("expense_rules", TEETH)
    give(dora, "vision", 10, categories=("vision",))
    give(dora, "teeth", 10, expenses="teeth")
    events = [
        charge(f"e{n}", 4, member="dora", visit=f"v{n}", facts={"category": category})
        for n, category in enumerate(("vision", "dental", "surgery"))
    ]
    outcomes = clear_events(events, dora)
    assert [legs(one) for one in outcomes] == [[("vision", 4)], [("teeth", 4)], [("dora-cash", 4)]]
    receipt = receipt_of(outcomes[2], dora.books)
    assert receipt is not None
    told = [(step.pocket, step.sentence, step.plan) for step in receipt.why if step.pocket]
    assert told == [
        ("teeth", "This pocket may not pay for this.", "teeth 1"),
        ("vision", "This pocket is for other kinds of care.", ""),
    ]
    audited(dora)


def test_rules_of_later_are_not_asked_about_decisions_of_before(dora: Desk, charge: Charge) -> None:
    give(dora, "teeth", 10, expenses="teeth")
    event = charge("e1", 4, member="dora", facts={"category": "dental"})
    [before] = clear_events([event], dora)
    dora.books.publish("expense_rules", TEETH)
    [after] = clear_events([replace(event, event_id="e2", visit="v2")], dora)
    assert (legs(before), legs(after)) == ([("dora-cash", 4)], [("teeth", 4)])
    receipt = receipt_of(before, dora.books)
    assert receipt is not None
    assert [step.sentence for step in receipt.why if step.pocket] == [
        "The rules of this pocket are not published for this day."
    ]
    audited(dora)


def test_delivered_care_waits_for_no_pocket(dora: Desk, charge: Charge) -> None:
    """Only a pot for other care is in this currency: the rest is due, as with an empty pot."""
    dora.books.enrol(members=[Member("emil")], pots=[Pot("emil-euro", "emil", "EUR")])
    give(dora, "emil-gift", 10, "emil", categories=("vision",))
    assert dues(clear_events([charge("e1", 4, member="emil")], dora)) == [4]


def test_a_fund_with_an_end_pays_slice_by_slice_and_goes_back_whole(dora: Desk, charge: Charge) -> None:
    fund = open_fund("help", "USD", slices=2, purpose=Purpose("acme", until=END, categories=("dental",)))
    dora.books.enrol(pots=[fund], members=[Member("emil")])
    dora.books.enrol(pots=[admission(fund, "emil")])
    pay_in(dora, "help", 40)
    dental, other = (
        charge(f"e{n}", 8, member="emil", visit=f"v{n}", facts={"category": category})
        for n, category in enumerate(("dental", "surgery"))
    )
    assert dues(clear_events([dental, other], dora)) == [0, 8]
    assert sweep_expired(later(dora, END)) == 2, "rest and the slice that held something"
    assert balance(dora) == -32
    audited(dora)


def test_a_plan_orders_and_forbids_the_account_that_its_payer_runs(dora: Desk, charge: Charge) -> None:
    """A version of the plan takes over: from then on the account is kept for other things; what was paid stays."""
    account = Purpose("insurer")
    pots = [Pot("dora-account", "dora", "USD", priority=99, pocket="personal_account", purpose=account)]
    dora.books.enrol(coverages=[Coverage("c-dora", "dora", "keeper", ALWAYS)], pots=pots)
    pay_in(dora, "dora-account", 10)
    found = []
    for version, since, place in (("1", "2025-01-01", "first"), ("2", "2025-06-01", "never")):
        dora.books.publish("plan", {**KEEPER, "version": version, "effective": {"from": since}, "pockets": {
            "personal_account": place}})  # fmt: skip
    for month in (3, 7):
        at = datetime(2025, month, 10, 16, tzinfo=UTC)
        found += clear_events([charge(f"e{month}", 4, member="dora", visit=f"v{month}", started_at=at)], dora)
    assert [legs(one) for one in found] == [[("dora-account", 4)], [("dora-cash", 4)]]
    receipt = receipt_of(found[1], dora.books)
    assert receipt is not None
    told = [(step.pocket, step.plan) for step in receipt.why if step.pocket]
    assert told == [("dora-account", "keeper 2")]
    audited(dora)


def test_conditions_are_fixed_when_a_pot_is_opened(dora: Desk) -> None:
    pot = give(dora, "gift", 10, until=END)
    assert pot.purpose is not None
    dora.books.enrol(pots=[pot._replace(priority=5)])
    for other in (None, pot.purpose._replace(until=END - timedelta(days=1)), pot.purpose._replace(funder="other")):
        with pytest.raises(Conflict):
            dora.books.enrol(pots=[pot._replace(purpose=other)])
    with pytest.raises(InvalidMessage, match="own money does not expire"):
        dora.books.enrol(pots=[Pot("mine", "dora", "USD", purpose=Purpose(until=END))])
    fund = open_fund("help", "USD", slices=1, purpose=Purpose("acme"))
    dora.books.enrol(pots=[fund])
    with pytest.raises(Conflict):
        dora.books.enrol(pots=[admission(fund._replace(purpose=None), "dora")])


def test_many_sweepers_and_payers_at_once_lose_nothing(dora: Desk, charge: Charge) -> None:
    dora = replace(dora, ids=RandomIds())
    for n in range(6):
        give(dora, f"gift-{n}", 10, until=END)
    over = later(dora, END)
    start = threading.Barrier(6)
    failures: list[BaseException] = []

    def sweep() -> None:
        start.wait()
        try:
            sweep_expired(over)
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    def pay(worker: int) -> None:
        start.wait()
        try:
            for n in range(5):
                clear_events([charge(f"e{worker}-{n}", 3, member="dora", visit=f"v{worker}-{n}")], dora)
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=sweep) for _ in range(3)]
    threads += [threading.Thread(target=pay, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    gifts = [sum(state) for pot, state in dora.books.pots().items() if pot.startswith("gift-")]
    own = 100 - dora.books.pots()["dora-cash"][0] // MICROS
    assert (sum(gifts), -balance(dora)) == (0, 60 - (45 - own)), "what gifts did not pay of the bills went back"
    audited(dora)


def test_a_sweeper_stops_when_told(dora: Desk) -> None:
    give(dora, "gift", 10, until=END)
    stopping = threading.Event()
    thread = threading.Thread(target=keep_sweeping, args=(later(dora, END), stopping), kwargs={"pause": 0.01})
    thread.start()
    while not balance(dora):
        pass
    stopping.set()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert [stored.kind for stored, _ in dora.books.rows()][-1] is EntryKind.EXPIRY


@settings(max_examples=40, deadline=None)
@given(
    lots=st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 3), st.integers(-2, 5), st.sampled_from(["", "dental", "vision"])),
        min_size=1,
        max_size=5,
    ),
    bills=st.lists(st.tuples(st.integers(1, 9), st.sampled_from(["dental", "vision", "other"]))),
)
def test_lots_agree_with_a_naive_purse(new_desk: Callable[[], Desk], charge: Charge, lots: Any, bills: Any) -> None:
    """Any lots and bills: who pays is worked out again, coin by coin; then all of it is taken back, lot by lot."""
    desk = new_desk()
    desk.books.enrol(members=[Member("dora")])
    purse = []
    for n, (dollars, priority, days, category) in enumerate(lots):
        until = END + timedelta(days=days)
        purpose = Purpose("acme", until, until + timedelta(days=400), (category,) if category else ())
        desk.books.enrol(pots=[Pot(f"lot-{n}", "dora", "USD", priority=priority, purpose=purpose)])
        if dollars:
            pay_in(desk, f"lot-{n}", dollars)
        purse.append([priority, until, f"lot-{n}", category, dollars])
    purse.sort(key=lambda lot: lot[:3])
    for n, (dollars, category) in enumerate(bills):
        at = END + timedelta(days=n % 7 - 2)
        event = charge(f"e{n}", dollars, member="dora", visit=f"v{n}", started_at=at, facts={"category": category})
        [outcome] = clear_events([event], desk)
        wanted: dict[str, int] = {}
        for _ in range(dollars):
            for lot in purse:
                if lot[4] and at < lot[1] and lot[3] in ("", category):
                    lot[4] -= 1
                    wanted[lot[2]] = wanted.get(lot[2], 0) + 1
                    break
        assert dict(legs(outcome)) == wanted
    for n in range(len(bills)):
        clear_events([charge(f"r{n}", 0, member="dora", kind="reversal", replaces=f"e{n}")], desk)
    states = desk.books.pots()
    assert [states[f"lot-{n}"][0] // MICROS for n in range(len(lots))] == [dollars for dollars, *_ in lots]
    audited(desk)
