"""Care that a member keeps private: own pockets only, whatever a shared pot would have paid."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from drachm.application.clear_events import clear_events
from drachm.application.desk import Desk
from drachm.application.keep_private import keep_private
from drachm.domain.coverage.model import Contract, Member, Party
from drachm.domain.errors import Conflict, InvalidMessage, Refused
from drachm.domain.events.model import ServiceEvent
from drachm.domain.funding.allotment import admission, open_fund
from drachm.domain.funding.model import Pot
from drachm.domain.funding.quota import EVERYTHING, Limit, Terms
from drachm.domain.money import MICROS
from drachm.domain.periods import Period
from drachm.domain.transparency.leaf import event_key

sys.path.insert(0, str(Path(__file__).parent))

from fund_helpers import admit, audited, dues, left_in, pay_in

Charge = Callable[..., ServiceEvent]
SECRET = {"private": True, "category": "mental_health"}


def newest(desk: Desk, event: ServiceEvent) -> Any:
    key = event_key(desk.books.tenant, event.source, event.event_id)
    with desk.books.work() as work:
        return work.newest([key])[key]


@pytest.fixture
def home(desk: Desk) -> Desk:
    """A pot of 100 dollars for all, of which m1 may take 50 a month; m1 has 12 of its own behind it."""
    fund = admit(desk, 100, slices=1, fund="home")
    terms = Terms((Limit(50 * MICROS, "month"),))
    desk.books.enrol(pots=[admission(fund, "m1", priority=1, terms=terms), Pot("m1-own", "m1", "USD", priority=5)])
    pay_in(desk, "m1-own", 12)
    return desk


def own(desk: Desk) -> int:
    return desk.books.pots()["m1-own"][0] // MICROS


def test_only_own_pockets_pay_and_the_rest_is_due(home: Desk, charge: Charge) -> None:
    open_, private = charge("e1", 5, member="m1"), charge("e2", 8, member="m1", visit="v2", facts=SECRET)
    assert dues(clear_events([open_, private], home)) == [0, 0]
    assert (left_in(home, "home"), own(home)) == (95, 4)
    assert dues(clear_events([charge("e3", 9, member="m1", visit="v3", facts=SECRET)], home)) == [5]
    assert (left_in(home, "home"), own(home)) == (95, 0)
    # Somebody without own pocket, and without terms, owes it all.
    assert dues(clear_events([charge("e4", 9, member="m2", visit="v4", facts=SECRET)], home)) == [9]
    # A mark is `true` and nothing else.
    assert dues(clear_events([charge("e5", 9, member="m2", visit="v5", facts={"private": "true"})], home)) == [0]
    audited(home)


def test_a_private_request_is_refused_for_want_of_own_money_and_an_emergency_never_is(
    home: Desk, charge: Charge
) -> None:
    wanted = charge("h1", 20, kind="hold", member="m1", facts=SECRET)
    assert [one.status for one in clear_events([wanted], home)] == ["refused"]
    urgent = charge("h2", 20, kind="hold", member="m1", facts=SECRET, emergency=True)
    assert [one.status for one in clear_events([urgent], home)] == ["posted"]
    assert left_in(home, "home") == 100
    # Its capture is private too, though nobody says so.
    assert dues(clear_events([charge("c2", 15, kind="replacement", replaces="h2", member="m1")], home)) == [3]
    assert left_in(home, "home") == 100
    audited(home)


def test_what_takes_the_place_of_a_private_event_is_private(home: Desk, charge: Charge) -> None:
    first = charge("e1", 5, member="m1", facts=SECRET)
    again = charge("e2", 7, kind="replacement", replaces="e1", member="m1")
    clear_events([first, again], home)  # in one batch
    third = charge("e3", 9, kind="replacement", replaces="e2", member="m1")
    clear_events([third], home)  # in another
    assert (left_in(home, "home"), own(home)) == (100, 3)
    # Its sender repeats what it sent, and knows nothing of a mark.
    repeats = clear_events([again, third, first], home)
    assert [(one.status, one.duplicate) for one in repeats] == [("posted", True)] * 3
    clear_events([charge("r", 0, kind="reversal", replaces="e3", member="m1")], home)
    assert (left_in(home, "home"), own(home)) == (100, 12)
    audited(home)


def test_marked_later_it_is_paid_back_and_taken_anew(home: Desk, charge: Charge) -> None:
    bill = charge("e1", 20, member="m1")
    clear_events([bill], home)
    assert (left_in(home, "home"), own(home)) == (80, 12)
    told = keep_private(newest(home, bill), home)
    assert (told.status, told.revision, told.decision.funding.due) == ("posted", 1, 8 * MICROS)
    assert (left_in(home, "home"), own(home)) == (100, 0)
    # Once more changes nothing; who sent it finds its own event; its limit is free again.
    assert keep_private(newest(home, bill), home).position == told.position
    [repeated] = clear_events([bill], home)
    assert (repeated.status, repeated.duplicate) == ("posted", True)
    assert dues(clear_events([charge("e2", 50, member="m1", visit="v2")], home)) == [0]
    # A correction of the clinic's stays private.
    clear_events([charge("e3", 6, kind="replacement", replaces="e1", member="m1")], home)
    assert (left_in(home, "home"), own(home)) == (50, 6)
    with pytest.raises(Conflict):
        keep_private(newest(home, bill), home)
    audited(home)


def test_a_replacement_is_marked_later_too_and_a_request_is_not(home: Desk, charge: Charge) -> None:
    clear_events([charge("e1", 20, member="m1")], home)
    again = charge("e2", 30, kind="replacement", replaces="e1", member="m1")
    clear_events([again], home)
    keep_private(newest(home, again), home)
    assert (left_in(home, "home"), own(home)) == (100, 0)
    wanted = charge("h", 5, kind="hold", member="m1", visit="v2")
    undo = charge("u", 0, kind="reversal", replaces="e2", member="m1")
    clear_events([wanted, undo], home)
    for event in (wanted, undo, again):
        with pytest.raises(Conflict):
            keep_private(newest(home, event), home)
    assert (left_in(home, "home"), own(home)) == (100, 12)
    audited(home)


def test_a_minor_keeps_private_what_the_law_of_the_place_says(home: Desk, charge: Charge) -> None:
    home.books.enrol(
        parties=[Party("west", ("provider",), "West clinic", "America/Los_Angeles", {"jurisdiction": "US-CA"})],
        members=[Member("m1", date(2012, 6, 1), shard=1)],
        contracts=[Contract("west", "", "as-submitted", Period(date(2000, 1, 1)))],
    )
    west = {"billing_party": "west", "member": "m1"}
    events = [
        charge("e1", 1, **west, facts=SECRET),
        charge("e2", 1, **west, visit="v2", facts={**SECRET, "category": "dental"}),
        charge("e3", 1, member="m1", visit="v3", facts=SECRET),  # a place without a rule
    ]
    clear_events(events, home)
    assert (left_in(home, "home"), own(home)) == (98, 11)
    audited(home)


def test_a_standing_wish_and_an_end(home: Desk, charge: Charge) -> None:
    fund = open_fund("home", "USD", slices=1)

    def agree(**terms: Any) -> None:
        home.books.enrol(pots=[admission(fund, "m1", priority=1, terms=Terms(**terms))])

    agree(private=("mental_health",))
    plain = charge("e1", 1, member="m1", facts={"category": "visit"})
    kept = charge("e2", 1, member="m1", visit="v2", facts={"category": "mental_health"})
    clear_events([plain, kept], home)
    assert (left_in(home, "home"), own(home)) == (99, 11)
    agree(private=(EVERYTHING,))
    clear_events([charge("e3", 1, member="m1", visit="v3")], home)
    agree(until=date(2025, 3, 12))
    days = [
        charge(f"d{day}", 1, member="m1", visit=f"d{day}", started_at=datetime(2025, 3, day, 18, tzinfo=UTC))
        for day in (11, 12)
    ]
    clear_events(days, home)
    assert (left_in(home, "home"), own(home)) == (98, 9)
    with pytest.raises(InvalidMessage):
        agree(private=("",))
    audited(home)


def test_the_shared_pot_pays_before_the_own_one_behind_it(desk: Desk, charge: Charge) -> None:
    """Though its slices hold nothing yet: what stands in its rest is fetched before the next pocket is asked."""
    admit(desk, 100, slices=3, fund="home")
    desk.books.enrol(pots=[Pot("m1-own", "m1", "USD", priority=5)])
    pay_in(desk, "m1-own", 12)
    clear_events([charge("e1", 9, member="m1")], desk)
    assert (left_in(desk, "home"), own(desk)) == (91, 12)
    assert dues(clear_events([charge("e2", 100, member="m1", visit="v2")], desk)) == [0]
    assert (left_in(desk, "home"), own(desk)) == (0, 3)
    audited(desk)


def test_a_closed_pot_of_the_right_currency_leaves_it_due_and_does_not_stop_it(home: Desk, charge: Charge) -> None:
    home.books.enrol(pots=[Pot("m2-euro", "m2", "EUR", priority=2)])
    assert dues(clear_events([charge("e1", 9, member="m2", facts=SECRET)], home)) == [9]
    audited(home)


def test_a_mark_and_a_correction_at_one_moment(database: str, town: Any, charge: Charge) -> None:
    """Whichever is first: what stands in the end is private, or the member was told to look again."""
    desk = town(database)
    admit(desk, 500, slices=1, fund="home")
    desk.books.enrol(pots=[Pot("m1-own", "m1", "USD", priority=5)])
    pay_in(desk, "m1-own", 300)
    other = town(database, settle=False)
    kept: list[str] = []
    for n in range(12):
        bill = charge(f"e{n}", 5, member="m1", visit=f"v{n}")
        clear_events([bill], desk)
        stored, barrier = newest(desk, bill), threading.Barrier(2)

        def correct(n: int = n, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            again = charge(f"r{n}", 7, kind="replacement", replaces=f"e{n}", member="m1", visit=f"v{n}")
            assert clear_events([again], other)[0].status == "posted"

        def keep(stored: Any = stored, n: int = n, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            try:
                keep_private(stored, desk)
                kept.append(f"r{n}")
            except (Conflict, Refused):
                pass

        both = [threading.Thread(target=one) for one in (correct, keep)]
        for one in both:
            one.start()
        for one in both:
            one.join()
    open_ones = {f"r{n}" for n in range(12)} - set(kept)
    assert left_in(desk, "home") == 500 - 7 * len(open_ones)
    assert own(desk) == 300 - 7 * len(kept)
    audited(desk)
