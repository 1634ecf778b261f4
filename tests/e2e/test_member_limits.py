"""A member's limits in a pot that others share: never passed, given back with what they paid for, and checked."""

from __future__ import annotations

import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drachm.application.clear_events import clear_events
from drachm.application.desk import Desk
from drachm.application.estimate import estimate
from drachm.application.receipts import receipt_of
from drachm.domain.errors import InvalidMessage
from drachm.domain.events.model import ServiceEvent
from drachm.domain.funding.allotment import admission
from drachm.domain.funding.model import Pot
from drachm.domain.funding.quota import Limit, Terms
from drachm.domain.money import MICROS
from drachm.storage.money_reading import PostgresMoney

sys.path.insert(0, str(Path(__file__).parent))

from fund_helpers import RandomIds, admit, allotments, audited, dues, left_in

Charge = Callable[..., ServiceEvent]
TOKYO = "Asia/Tokyo"


def monthly(dollars: int, *categories: str, zone: str = "UTC") -> Limit:
    return Limit(dollars * MICROS, "month", zone, categories)


def agree(desk: Desk, fund: Pot, member: str, *limits: Limit, **terms: bool) -> None:
    desk.books.enrol(pots=[admission(fund, member, priority=1, terms=Terms(limits, **terms))])


def at(*moment: int, zone: str = "UTC") -> datetime:
    return datetime(*moment, tzinfo=ZoneInfo(zone)).astimezone(UTC)  # type: ignore[misc,arg-type]


def cleared(desk: Desk, *events: ServiceEvent) -> list[int]:
    return dues(clear_events(events, desk))


def test_a_member_takes_no_more_than_the_narrowest_limit(desk: Desk, charge: Charge) -> None:
    fund = admit(desk, 100, slices=1)
    agree(desk, fund, "m1", monthly(20), Limit(8 * MICROS, "day", TOKYO))
    one, two, other = (charge(f"e{n}", 10, member=m, visit=f"v{n}") for n, m in enumerate(("m1", "m1", "m2")))
    assert cleared(desk, one, two, other) == [2, 10, 0]
    later = [charge(f"d{day}", 10, member="m1", visit=f"d{day}", started_at=at(2025, 3, day)) for day in (12, 13, 14)]
    assert cleared(desk, *later) == [2, 6, 10]
    assert cleared(desk, charge("april", 9, member="m1", started_at=at(2025, 4, 1))) == [1]
    assert left_in(desk) == 100 - 8 - 10 - 8 - 4 - 8
    audited(desk)


def test_only_what_the_member_may_still_take_is_fetched(desk: Desk, charge: Charge) -> None:
    """The rest and other slices keep what the limit keeps from this member."""
    fund = admit(desk, 40, slices=2)
    agree(desk, fund, "m1", monthly(5))
    desk.books.enrol(pots=[Pot("m1-cash", "m1", "USD", priority=2)])
    assert cleared(desk, charge("e1", 30, member="m1")) == [25]
    before = allotments(desk)
    assert cleared(desk, charge("e2", 30, member="m1", visit="v2")) == [30]
    assert (allotments(desk), desk.spent, left_in(desk)) == (before, set(), 35)
    assert cleared(desk, charge("e3", 40, member="m0", visit="v3")) == [5]
    audited(desk)


def test_some_categories_only(desk: Desk, charge: Charge) -> None:
    fund = admit(desk, 100, slices=1)
    agree(desk, fund, "m1", monthly(5, "dental", "drugs"), monthly(30))
    kinds = ("dental", "drugs", "visit", "visit")
    events = [charge(f"e{n}", 9, member="m1", visit=f"v{n}", facts={"category": one}) for n, one in enumerate(kinds)]
    assert cleared(desk, *events) == [4, 9, 0, 0]
    assert cleared(desk, charge("last", 9, member="m1", visit="l")) == [2]
    audited(desk)


def test_a_hold_reserves_the_limit_and_its_end_gives_it_back(desk: Desk, charge: Charge) -> None:
    fund = admit(desk, 100, slices=1)
    agree(desk, fund, "m1", monthly(20))
    held, too_much = charge("h", 15, kind="hold", member="m1"), charge("g", 6, kind="hold", member="m1")
    assert [one.status for one in clear_events([held, too_much], desk)] == ["posted", "refused"]
    assert cleared(desk, charge("e1", 9, member="m1", visit="v2")) == [4]
    # The capture finds the limit that its hold kept, and gives back what it does not use.
    assert cleared(desk, charge("c", 12, kind="replacement", replaces="h", member="m1")) == [0]
    assert cleared(desk, charge("e2", 9, member="m1", visit="v3")) == [6]
    clear_events([charge("k", 0, kind="reversal", replaces="c", member="m1")], desk)
    [again] = clear_events([charge("h2", 12, kind="hold", member="m1")], desk)
    assert again.status == "posted"
    clear_events([charge("s", 0, kind="stop", replaces="h2", member="m1")], desk)
    assert cleared(desk, charge("e3", 20, member="m1", visit="v4")) == [8]
    audited(desk)


def test_a_reversal_gives_back_in_the_period_of_its_event(desk: Desk, charge: Charge) -> None:
    fund = admit(desk, 100, slices=1)
    agree(desk, fund, "m1", monthly(10))
    march, april = at(2025, 3, 31), at(2025, 4, 1)
    assert cleared(desk, charge("e1", 8, member="m1", started_at=march)) == [0]
    undo = charge("r1", 0, kind="reversal", replaces="e1", member="m1", started_at=april)
    assert cleared(desk, undo, charge("e2", 12, member="m1", started_at=march)) == [0, 2]
    # Replaced by one of the next month, it frees its own.
    moved = charge("e3", 7, kind="replacement", replaces="e2", member="m1", started_at=april)
    assert cleared(desk, moved, charge("e4", 11, member="m1", started_at=march, visit="v9")) == [0, 1]
    assert cleared(desk, charge("e5", 5, member="m1", started_at=april, visit="v5")) == [2]
    audited(desk)


def test_terms_change_and_old_receipts_stay(desk: Desk, charge: Charge) -> None:
    fund = admit(desk, 100, slices=1)
    agree(desk, fund, "m1", monthly(20))
    [first] = clear_events([charge("e1", 15, member="m1")], desk)
    receipt = receipt_of(first, desk.books)
    agree(desk, fund, "m1", monthly(10))
    assert cleared(desk, charge("e2", 5, member="m1", visit="v2")) == [5]
    agree(desk, fund, "m1", monthly(18))
    assert cleared(desk, charge("e3", 5, member="m1", visit="v3")) == [2]
    agree(desk, fund, "m1", monthly(90), paused=True)
    assert cleared(desk, charge("e4", 5, member="m1", visit="v4")) == [5]
    agree(desk, fund, "m1")
    assert cleared(desk, charge("e5", 5, member="m1", visit="v5")) == [0]
    agree(desk, fund, "m1", ended=True)
    assert cleared(desk, charge("e6", 5, member="m1", visit="v6")) == [5]
    # What was paid while the member was in comes back to the pot it came from.
    assert left_in(desk) == 77
    clear_events([charge("r", 0, kind="reversal", replaces="e1", member="m1")], desk)
    assert left_in(desk) == 92
    agree(desk, fund, "m1", monthly(4))
    assert cleared(desk, charge("e7", 5, member="m1", visit="v7")) == [4]
    [repeated] = clear_events([charge("e1", 15, member="m1")], desk)
    assert receipt_of(repeated, desk.books) == receipt
    audited(desk)


def test_a_pause_that_comes_while_a_batch_waits_for_its_locks_holds_for_it(
    desk: Desk, charge: Charge, monkeypatch: pytest.MonkeyPatch
) -> None:
    fund = admit(desk, 100, slices=1)
    agree(desk, fund, "m1", monthly(20))
    # The slice holds enough by now: the batch is decided once.
    assert cleared(desk, charge("e0", 1, member="m2", visit="v0")) == [0]
    with desk.books.work() as work:
        kind = type(work)
    lock, paused = kind.lock, []

    def slow(self: Any, needs: Any, rows: int) -> Any:
        if not paused:
            paused.append(1)
            agree(desk, fund, "m1", monthly(20), paused=True)
        return lock(self, needs, rows)

    monkeypatch.setattr(kind, "lock", slow)
    assert cleared(desk, charge("e1", 5, member="m1"), charge("e2", 5, member="m2", visit="v2")) == [5, 0]
    audited(desk)


def test_who_is_taken_out_and_let_in_by_turns_sends_no_batch_back_for_ever(
    desk: Desk, charge: Charge, monkeypatch: pytest.MonkeyPatch
) -> None:
    fund = admit(desk, 100, slices=1)
    agree(desk, fund, "m2", monthly(20))
    with desk.books.work() as work:
        kind = type(work)
    lock, registry, tries = kind.lock, kind.registry, []

    def looked(self: Any, events: Any) -> Any:
        if not tries or tries[-1] is not self:
            agree(desk, fund, "m1", ended=True)
        return registry(self, events)

    def slow(self: Any, needs: Any, rows: int) -> Any:
        tries.append(self)
        agree(desk, fund, "m1", monthly(20))
        return lock(self, needs, rows)

    monkeypatch.setattr(kind, "lock", slow)
    monkeypatch.setattr(kind, "registry", looked)
    outcomes = clear_events([charge(f"e{n}", 1, member=f"m{n}", visit=f"v{n}") for n in (1, 2)], desk)
    assert {one.status for one in outcomes} == {"posted"}
    # Out, in while it waited: the second try holds what the first one missed, whatever it reads.
    assert len(tries) <= 5
    audited(desk)


@pytest.mark.parametrize(
    ("zone", "last", "next_day"),
    [
        ("America/New_York", (2025, 3, 8, 23, 59), (2025, 3, 9, 0, 0)),  # the night before an hour is lost
        ("America/New_York", (2025, 3, 9, 23, 59), (2025, 3, 10, 0, 0)),  # the day of 23 hours ends
        ("America/New_York", (2025, 11, 2, 23, 59), (2025, 11, 3, 0, 0)),  # the day of 25 hours ends
        ("Africa/Cairo", (2025, 4, 24, 23, 59), (2025, 4, 25, 1, 0)),  # midnight itself does not exist
        (TOKYO, (2024, 2, 29, 23, 59), (2024, 3, 1, 0, 0)),
        ("Pacific/Kiritimati", (2025, 12, 31, 23, 59), (2026, 1, 1, 0, 0)),
    ],
)
def test_a_period_ends_at_midnight_in_its_own_calendar(
    new_desk: Any, charge: Charge, zone: str, last: Any, next_day: Any
) -> None:
    desk = new_desk()
    fund = admit(desk, 100, slices=1)
    agree(desk, fund, "m1", Limit(5 * MICROS, "day", zone))
    moments = [at(*last, zone=zone), at(*next_day, zone=zone), at(*last, zone=zone)]
    events = [charge(f"e{n}", 4, member="m1", visit=f"v{n}", started_at=when) for n, when in enumerate(moments)]
    assert cleared(desk, *events) == [0, 0, 3]
    audited(desk)


def test_nonsense_is_told(desk: Desk) -> None:
    fund = admit(desk, 10)
    for wrong in (
        (Limit(-1, "month"),),
        (Limit(1, "week"),),  # type: ignore[arg-type]
        (Limit(1, "month", "Mars/Olympus"),),
        (Limit(1, "month", "UTC", ("",)),),
        (monthly(1, "a", "b"), monthly(2, "b", "a")),
        tuple(Limit(1, "day", "UTC", (str(n),)) for n in range(17)),
    ):
        with pytest.raises(InvalidMessage):
            agree(desk, fund, "m1", *wrong)
    for stray in (fund._replace(terms=Terms()), Pot("own", "m1", "USD", terms=Terms())):
        with pytest.raises(InvalidMessage):
            desk.books.enrol(pots=[stray])


def test_an_estimate_knows_the_limits(town: Any, database: str, charge: Charge) -> None:
    desk = town(database)
    fund = admit(desk, 100, slices=2)
    agree(desk, fund, "m1", monthly(20), Limit(15 * MICROS, "ever", "UTC", ("dental",)))
    facts = {"category": "dental"}
    events = [charge(f"e{n}", 9, member="m1", visit=f"v{n}", facts=facts if n < 2 else {}) for n in range(4)]
    money = PostgresMoney.of(desk.books)
    foreseen = [one.outcome.decision for one in estimate(events, desk, money).events]
    assert foreseen == [one.decision for one in clear_events(events, desk)]
    assert [one.funding.due // MICROS for one in foreseen] == [0, 3, 4, 9]


ZONES = ("UTC", TOKYO, "America/New_York")
limits = st.lists(
    st.builds(
        Limit,
        st.integers(0, 60).map(lambda n: n * MICROS),
        st.sampled_from(["day", "month", "year", "ever"]),
        st.sampled_from(ZONES),
        st.sampled_from([(), ("dental",), ("dental", "drugs")]),
    ),
    max_size=3,
    unique_by=lambda limit: limit.name,
)
moments = st.sampled_from(
    [at(2025, 1, 31, 14), at(2025, 1, 31, 16), at(2025, 2, 1, 4), at(2025, 2, 1, 6), at(2025, 12, 31, 20)]
)
steps = st.lists(
    st.tuples(
        st.sampled_from(["charge", "charge", "charge", "hold", "undo", "replace", "terms"]),
        st.sampled_from(["m0", "m1", "m2"]),
        st.integers(1, 40),
        st.sampled_from(["dental", "drugs", "visit"]),
        moments,
        limits,
        st.booleans(),
    ),
    min_size=8,
    max_size=25,
)


class Naive:
    """Every draw in a list; what is used is added up anew each time."""

    def __init__(self, money: int) -> None:
        self.money = money
        self.terms: dict[str, tuple[list[Limit], bool]] = {}
        self.draws: dict[str, tuple[str, int, str, datetime, frozenset[str]]] = {}

    def used(self, member: str, limit: Limit, when: datetime) -> int:
        same = [
            taken
            for who, taken, _, then, counted in self.draws.values()
            if who == member and limit.name in counted and self.period(limit, then) == self.period(limit, when)
        ]
        return sum(same)

    def draw(self, name: str, member: str, wanted: int, category: str, when: datetime, *, whole: bool) -> int:
        agreed, paused = self.terms.get(member, ([], False))
        counted = [one for one in agreed if not one.categories or category in one.categories]
        room = [one.amount - self.used(member, one, when) for one in counted]
        taken = 0 if paused else max(0, min([wanted, self.money, *room]))
        if whole and taken < wanted:
            return 0
        self.money -= taken
        self.draws[name] = member, taken, category, when, frozenset(one.name for one in counted)
        return taken

    def undo(self, name: str) -> None:
        self.money += self.draws.pop(name)[1]

    @staticmethod
    def period(limit: Limit, when: datetime) -> Any:
        day = when.astimezone(ZoneInfo(limit.zone)).date()
        return {"day": day, "month": (day.year, day.month), "year": day.year, "ever": None}[limit.every]


@settings(max_examples=100)
@given(
    first=st.tuples(limits, limits, limits), steps=steps, slices=st.sampled_from([1, 3]), size=st.sampled_from([1, 4])
)
def test_any_story_with_limits_is_the_naive_one(
    new_desk: Any, charge: Charge, first: Any, steps: Any, slices: int, size: int
) -> None:
    desk, naive = new_desk(), Naive(150 * MICROS)
    fund = admit(desk, 150, members=3, slices=slices)
    for number, agreed in enumerate(first):
        agree(desk, fund, f"m{number}", *agreed)
        naive.terms[f"m{number}"] = agreed, False
    waiting: list[ServiceEvent] = []
    expected: list[int | None] = []

    def post() -> None:
        found = []
        for start in range(0, len(waiting), size):
            found += clear_events(waiting[start : start + size], desk)
        drawn = [one.decision.funding.drawn if one.status == "posted" else 0 for one in found]
        assert [one for one, told in zip(drawn, expected, strict=True) if told is not None] == [
            one for one in expected if one is not None
        ]
        waiting.clear()
        expected.clear()

    live: dict[str, str] = {}
    for n, (kind, member, dollars, category, when, agreed, paused) in enumerate(steps):
        name = f"e{n}"
        said = {"member": member, "visit": name, "started_at": when, "facts": {"category": category}}
        mine = [one for one, (who, *_) in naive.draws.items() if who == member]
        if kind == "terms":
            post()
            agree(desk, fund, member, *agreed, paused=paused)
            naive.terms[member] = agreed, paused
        elif kind in ("undo", "replace") and mine:
            old = mine[-1]
            held = live.pop(old) == "hold"
            naive.undo(old)
            if kind == "undo":
                waiting.append(charge(name, 0, kind="stop" if held else "reversal", replaces=old, **said))
                expected.append(None)
            else:
                waiting.append(charge(name, dollars, kind="replacement", replaces=old, **said))
                expected.append(naive.draw(name, member, dollars * MICROS, category, when, whole=False))
                live[name] = "charge"
        else:
            hold = kind == "hold"
            waiting.append(charge(name, dollars, kind="hold" if hold else "charge", **said))
            expected.append(naive.draw(name, member, dollars * MICROS, category, when, whole=hold))
            if name in naive.draws:
                live[name] = "hold" if hold else "charge"
    post()
    assert (
        left_in(desk)
        == naive.money // MICROS + sum(naive.draws[one][1] for one, kind in live.items() if kind == "hold") // MICROS
    )
    audited(desk)


WRITERS, ROUNDS, BATCH = 8, 16, 25


def test_writers_race_for_member_limits_the_pots_floor_and_a_pause(database: str, town: Any, charge: Charge) -> None:
    """3,200 attempts: no limit is passed, nothing is overdrawn, who is paused gets nothing, no deadlock surfaces."""
    desk = town(database)
    fund = admit(desk, 900, members=6, slices=1)
    caps = {"m0": 100, "m1": 170, "m2": 400, "m3": 250}
    for member, dollars in caps.items():
        agree(desk, fund, member, monthly(dollars), monthly(dollars // 2, "dental"))
    drawn: dict[tuple[str, str], int] = defaultdict(int)
    faults: list[BaseException] = []
    pauses: list[tuple[float, float]] = []
    calls: list[tuple[float, float, int]] = []
    done = threading.Event()

    def write(number: int) -> None:
        own = Desk(desk.books, desk.clock, RandomIds())
        try:
            for n in range(ROUNDS):
                batch = []
                for at_place in range(BATCH):
                    name, member = f"w{number}-{n}-{at_place}", f"m{(number + n + at_place) % 6}"
                    facts = {"category": "dental" if at_place % 3 else "visit"}
                    batch.append(charge(name, 1, member=member, visit=name, facts=facts))
                began = time.monotonic()
                outcomes = clear_events(batch, own)
                taken = 0
                for event, outcome in zip(batch, outcomes, strict=True):
                    assert outcome.status == "posted"
                    amount = outcome.decision.funding.drawn
                    drawn[event.member, str(event.facts["category"])] += amount
                    taken += amount if event.member == "m3" else 0
                calls.append((began, time.monotonic(), taken))
        except BaseException as fault:
            faults.append(fault)
            raise

    def pause() -> None:
        try:
            while not done.wait(0.15):
                agree(desk, fund, "m3", monthly(250), monthly(125, "dental"), paused=True)
                since = time.monotonic()
                done.wait(0.3)
                pauses.append((since, time.monotonic()))
                agree(desk, fund, "m3", monthly(250), monthly(125, "dental"))
        except BaseException as fault:
            faults.append(fault)
            raise

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    pausing = threading.Thread(target=pause)
    for thread in (*threads, pausing):
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    pausing.join()
    assert faults == []
    assert pauses
    whole = {member: drawn[member, "dental"] + drawn[member, "visit"] for member in (f"m{n}" for n in range(6))}
    for member, dollars in caps.items():
        assert whole[member] <= dollars * MICROS
        assert drawn[member, "dental"] <= dollars // 2 * MICROS
    assert whole["m0"] == 100 * MICROS
    assert sum(whole.values()) == (900 - left_in(desk)) * MICROS
    assert left_in(desk) == 0
    for since, until in pauses:
        assert [taken for began, ended, taken in calls if since < began and ended < until and taken] == []
    audited(desk)
