"""A fund shared by many decides as one undivided purse would, and never passes its limit."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drachm.application import shared_funds
from drachm.application.allot import Allotment, allot, return_allotments
from drachm.application.check_books import check_books
from drachm.application.clear_events import clear_events
from drachm.application.desk import Desk
from drachm.application.transfers import Transfer, move
from drachm.domain.errors import Conflict, InvalidMessage, Refused
from drachm.domain.events.model import ServiceEvent
from drachm.domain.funding.allotment import admission, fund_of, open_fund
from drachm.domain.funding.model import Pot
from drachm.domain.ledger.model import Account, Entry, Source
from drachm.domain.money import MICROS

sys.path.insert(0, str(Path(__file__).parent))

from fund_helpers import admit, allotments, audited, dues, left_in, pay_in

Charge = Callable[..., ServiceEvent]


@pytest.fixture(params=["database", "database16"])
def url(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue(request.param)


def test_members_draw_from_slices_and_the_fund_to_its_last_cent(desk: Desk, charge: Charge) -> None:
    admit(desk, 100)
    first = clear_events([charge("e0", 3, member="m1", visit="m1")], desk)
    assert [leg.lot for leg in first[0].decision.funding.legs] == ["help/1"]
    assert left_in(desk) == 97
    events = [charge(f"e{n}", 7, member=f"m{n % 6}", visit=f"m{n % 6}") for n in range(1, 16)]
    assert dues(clear_events(events[:7], desk) + clear_events(events[7:], desk)) == [0] * 13 + [1, 7]
    assert left_in(desk) == 0
    before = allotments(desk)
    assert dues(clear_events([charge("late", 5, member="m2")], desk)) == [5]
    assert (allotments(desk), desk.spent) == (before, {"help"})
    pay_in(desk, "help", 2)
    assert dues(clear_events([charge("later", 5, member="m2")], desk)) == [3]
    assert desk.spent == set()
    # A repeated event has its first answer, whatever the fund holds now.
    assert dues(clear_events([charge("late", 5, member="m2")], desk)) == [5]
    audited(desk)


def test_unused_money_of_other_slices_is_fetched_before_anybody_goes_short(desk: Desk, charge: Charge) -> None:
    fund = admit(desk, 12)
    for number, dollars in ((1, 5), (2, 4), (3, 3)):
        allot(Allotment("manager", f"a{number}", fund, number, dollars * MICROS), desk)
    assert desk.books.pots()["help"] == (0, 0)
    assert dues(clear_events([charge("e1", 8, member="m0")], desk)) == [0]
    batch = [charge("e2", 3, member="m0", visit="v2"), charge("e3", 3, member="m1", visit="v3")]
    assert dues(clear_events(batch, desk)) == [0, 2]
    audited(desk)


def test_holds_captures_releases_and_reversals_stay_in_their_slice(desk: Desk, charge: Charge) -> None:
    admit(desk, 20, slices=2)
    held = clear_events([charge("h", 9, kind="hold", member="m1"), charge("g", 8, kind="hold", member="m0")], desk)
    assert [outcome.status for outcome in held] == ["posted", "posted"]
    assert {pot: held for pot, (_, held) in desk.books.pots().items() if held} == {
        "help/1": 9 * MICROS,
        "help/0": 8 * MICROS,
    }
    # 3 dollars are nobody's yet, wherever they lie: too little for a request, enough for delivered care.
    [no] = clear_events([charge("k", 4, kind="hold", member="m3")], desk)
    assert (no.status, no.reason) == ("refused", "insufficient_funds")
    [capture] = clear_events([charge("c", 7, kind="replacement", replaces="h", member="m1")], desk)
    [release] = clear_events([charge("s", 0, kind="stop", replaces="g", member="m0")], desk)
    assert (capture.status, release.status, left_in(desk)) == ("posted", "posted", 13)
    before = desk.books.pots()["help/1"]
    assert dues(clear_events([charge("r", 0, kind="reversal", replaces="c", member="m1")], desk)) == [0]
    assert desk.books.pots()["help/1"] == (before[0] + 7 * MICROS, 0)
    assert dues(clear_events([charge("e", 21, member="m0", visit="v2")], desk)) == [1]
    audited(desk)


def test_money_for_a_family_goes_on_to_where_all_of_it_draws(
    desk: Desk, charge: Charge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No batch stops for it, and what a holder gets back comes out of it again."""
    admit(desk, 5, slices=1)
    pay_in(desk, "help", 7)
    assert desk.books.pots()["help"] == (0, 0)
    with monkeypatch.context() as without:
        without.delattr(shared_funds.SharedFunds, "fetch")
        assert dues(clear_events([charge("e1", 8, member="m1")], desk)) == [0]
    assert left_in(desk) == 4
    leaves = (
        Entry(Account("wallet", "help", "USD"), 3 * MICROS, Source.RAIL),
        Entry(Account("cash", "card", "USD"), -3 * MICROS, Source.RAIL),
    )
    assert move(Transfer("test", "back", leaves), desk) == move(Transfer("test", "back", leaves), desk)
    assert (left_in(desk), desk.books.pots()["help"]) == (1, (0, 0))
    with pytest.raises(Refused, match="3000000 micros are missing"):
        move(Transfer("test", "again", leaves), desk)
    assert (left_in(desk), desk.books.pots()["help/0"]) == (1, (MICROS, 0))
    audited(desk)


def test_what_leaves_a_fund_comes_back_from_its_slices_first(desk: Desk) -> None:
    fund = admit(desk, 9, slices=3)
    for number, dollars in ((0, 5), (2, 4)):
        allot(Allotment("manager", f"a{number}", fund, number, dollars * MICROS), desk)
    leaves = (
        Entry(Account("wallet", "help", "USD"), 8 * MICROS, Source.RAIL),
        Entry(Account("cash", "card", "USD"), -8 * MICROS, Source.RAIL),
    )
    move(Transfer("test", "back", leaves), desk)
    assert {pot: avail for pot, (avail, _) in desk.books.pots(fund_of(fund).pots).items() if avail} == {
        "help/2": MICROS
    }
    assert (desk.books.fund("help"), desk.books.fund("help/2"), desk.books.fund("ana-cash")) == (
        fund_of(fund),
        None,
        None,
    )
    audited(desk)


def test_what_one_event_of_a_batch_gives_back_the_next_may_spend(desk: Desk, charge: Charge) -> None:
    admit(desk, 10)
    clear_events([charge("e", 10, member="m0")], desk)
    assert dues(clear_events([charge("f", 1, member="m1")], desk)) == [1]
    batch = [charge("r", 0, kind="reversal", replaces="e", member="m0"), charge("g", 4, member="m1", visit="v2")]
    assert dues(clear_events(batch, desk)) == [0, 0]
    audited(desk)


def test_two_funds_and_own_money_are_drawn_in_their_order(desk: Desk, charge: Charge) -> None:
    admit(desk, 5, fund="first", slices=3, priority=1)
    admit(desk, 4, fund="second", slices=2, priority=3)
    desk.books.enrol(pots=[Pot("m1-cash", "m1", "USD", priority=2)])
    pay_in(desk, "m1-cash", 2)
    [one, two] = clear_events([charge("e1", 9, member="m1"), charge("e2", 4, member="m2", visit="v2")], desk)
    assert [(leg.lot, leg.amount // MICROS) for leg in one.decision.funding.legs] == [
        ("first/1", 5),
        ("m1-cash", 2),
        ("second/1", 2),
    ]
    assert dues([one, two]) == [0, 2]
    audited(desk)


def test_batches_without_funds_ask_for_nothing(desk: Desk, charge: Charge, monkeypatch: pytest.MonkeyPatch) -> None:
    admit(desk, 10)
    desk.spent.add("help")
    monkeypatch.setattr(shared_funds, "glance", None)
    monkeypatch.setattr(shared_funds, "refill", None)
    assert dues(clear_events([charge("a", 90), charge("c", 90, member="cleo", visit="v2")], desk)) == [0, 90]
    assert allotments(desk) == 0


def test_whoever_is_always_too_late_takes_hold_of_the_fund(
    desk: Desk, charge: Charge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another writer spends what was fetched, each time."""
    fund = admit(desk, 100)
    original, stolen = shared_funds.refill, []

    def refill(*given: Any) -> bool:
        found = original(*given)
        stolen.append(return_allotments(fund, desk))
        return found

    monkeypatch.setattr(shared_funds, "refill", refill)
    assert dues(clear_events([charge("e", 30, member="m2")], desk)) == [0]
    assert len(stolen) == shared_funds.REFILLS
    assert all(stolen)
    audited(desk)


def test_an_order_is_done_once_and_a_fund_is_never_overdrawn(desk: Desk, charge: Charge) -> None:
    fund = admit(desk, 10)
    order = Allotment("manager", "a1", fund, 2, 6 * MICROS)
    position = allot(order, desk)
    assert allot(order, desk) == position
    with pytest.raises(Conflict, match="another allotment has this id"):
        allot(order._replace(amount=5), desk)
    with pytest.raises(Refused, match="2000000 micros are missing"):
        allot(order._replace(event_id="a2"), desk)
    assert desk.books.pots()["help/2"] == (6 * MICROS, 0)
    # An event may have the same name: it is another thing.
    assert dues(clear_events([charge("a1", 1, source="manager", member="m2")], desk)) == [0]
    assert desk.books.pots()["help/2"] == (5 * MICROS, 0)
    assert return_allotments(fund, desk) == 5 * MICROS
    assert return_allotments(fund, desk) == 0
    assert desk.books.pots()["help"] == (9 * MICROS, 0)
    audited(desk)


def test_nonsense_is_told(desk: Desk) -> None:
    fund = admit(desk, 10)
    order = Allotment("manager", "a1", fund, 0, MICROS)
    for wrong in (order._replace(amount=0), order._replace(slice=4), order._replace(slice=-1)):
        with pytest.raises(InvalidMessage):
            allot(wrong, desk)
    with pytest.raises(InvalidMessage, match="an admission is not the fund"):
        return_allotments(admission(fund, "m1"), desk)
    for unknown in (open_fund("none", "USD", slices=4), open_fund("help", "USD", slices=5)):
        with pytest.raises(Conflict, match="no such fund"):
            return_allotments(unknown, desk)
        with pytest.raises(Conflict, match="no such fund"):
            allot(order._replace(fund=unknown, slice=unknown.slices - 1), desk)
    for wrong_pot in (Pot("help/9", "", "USD", fund="help", slices=4), Pot("new", "", "USD", slices=-1)):
        with pytest.raises(InvalidMessage):
            desk.books.enrol(pots=[wrong_pot])
    audited(desk)


def test_a_fund_never_changes_its_slices_and_admits_to_itself_only(desk: Desk) -> None:
    fund = admit(desk, 10)
    slice_again = Pot("help/1", "ana", "USD")
    for wrong in (fund._replace(slices=5), slice_again, Pot("help", "ana", "USD")):
        with pytest.raises(Conflict, match="belongs to a fund in another way"):
            desk.books.enrol(pots=[wrong])
    for stray in (open_fund("none", "USD"), fund._replace(slices=3), fund._replace(currency="EUR")):
        with pytest.raises(Conflict, match="no such fund"):
            desk.books.enrol(pots=[admission(stray, "ana")._replace(id="stray")])
    with pytest.raises(Conflict, match="no such pot"):
        pay_in(desk, "help@m1", 1)
    desk.books.enrol(pots=[fund, admission(fund, "m1")])
    audited(desk)


def test_another_tenants_fund_means_nothing(url: str, town: Any, charge: Charge) -> None:
    desk = town(url)
    fund = admit(desk, 10)
    stranger = town(url, tenant=2)
    with pytest.raises(Conflict, match="no such fund"):
        stranger.books.enrol(pots=[admission(fund, "ana")])
    with pytest.raises(Conflict, match="no such fund"):
        allot(Allotment("manager", "a1", fund, 0, MICROS), stranger)
    admit(stranger, 1)
    assert dues(clear_events([charge("e", 3, member="m1")], stranger)) == [2]
    assert (left_in(desk), left_in(stranger)) == (10, 0)


steps = st.lists(
    st.tuples(
        st.sampled_from(["charge", "charge", "charge", "hold", "reversal", "replacement", "stop"]),
        st.integers(1, 9),
        st.integers(0, 5),
        st.integers(0, 12),
    ),
    max_size=30,
)


class Purse:
    """One undivided purse, an event at a time: what the fund should do."""

    def __init__(self, dollars: int) -> None:
        self.left = dollars
        self.live: dict[str, tuple[str, int]] = {}
        """Posted and not taken back: event id -> kind and what was drawn."""

    def clear(self, event: ServiceEvent) -> int | None:
        """What is due, in dollars; None when nothing is posted."""
        old = self.live.get(event.replaces)
        if event.kind in ("reversal", "stop", "replacement"):
            if old is None or (event.kind != "replacement" and (event.kind == "stop") != (old[0] == "hold")):
                return None
            self.left += self.live.pop(event.replaces)[1]
            if event.kind != "replacement":
                return 0
        price = (event.billed or 0) // MICROS
        drawn = min(price, self.left)
        if event.kind == "hold" and drawn < price:
            return None
        self.left -= drawn
        self.live[event.event_id] = event.kind, drawn
        return price - drawn


@settings(max_examples=80)
@given(
    script=steps,
    dollars=st.integers(0, 60),
    slices=st.integers(1, 4),
    size=st.integers(1, 12),
    back=st.booleans(),
)
def test_a_sliced_fund_decides_as_one_undivided_purse(
    script: list[tuple[str, int, int, int]], dollars: int, slices: int, size: int, back: bool, new_desk, charge
) -> None:
    desk: Desk = new_desk()
    fund = admit(desk, dollars, slices=slices)
    events: list[ServiceEvent] = []
    for n, (kind, price, who, at) in enumerate(script):
        changes: dict[str, Any] = {"kind": kind, "member": f"m{who}", "visit": f"v{n}"}
        if kind in ("reversal", "replacement", "stop") and events:
            target = events[at % len(events)]
            changes |= {"replaces": target.event_id, "member": target.member}
        events.append(charge(f"e{n}", price, **changes))
    purse = Purse(dollars)
    for start in range(0, len(events), size):
        outcomes = clear_events(events[start : start + size], desk)
        for event, outcome in zip(events[start : start + size], outcomes, strict=True):
            due = purse.clear(event)
            assert (outcome.status == "posted") == (due is not None), event
            assert due is None or dues([outcome]) == [due], event
        assert left_in(desk) == purse.left + sum(drawn for kind, drawn in purse.live.values() if kind == "hold")
        assert check_books(desk.books) == []
        if back:
            return_allotments(fund, desk)
    audited(desk)
