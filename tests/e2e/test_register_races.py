"""What the register comes to say while a batch waits for its locks holds for this batch: a freeze, a first mandate, a
member who leaves. Batches that nothing of it concerns are decided once, as they were."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from drachm.application.body import read_body
from drachm.application.clear_events import clear_events
from drachm.application.desk import Desk
from drachm.application.recall import kept_of, recall
from drachm.domain.coverage.model import Member
from drachm.domain.errors import DrachmError
from drachm.domain.events.model import ServiceEvent
from drachm.domain.funding.mandate import Mandate, Rule, Stop
from drachm.domain.funding.model import Pot
from drachm.domain.ledger.model import EntryKind

sys.path.insert(0, str(Path(__file__).parent))

from fund_helpers import RandomIds, audited, dues, pay_in

Charge = Callable[..., ServiceEvent]
Change = Callable[[Desk], None]

FREEZE: Change = lambda desk: desk.books.freeze("ana", "USD", "pocket_frozen")  # noqa: E731
THAW: Change = lambda desk: desk.books.freeze("ana", "USD", "")  # noqa: E731


def says(**mandate: Any) -> Change:
    """Ana lets nothing be paid without asking, in one way or another."""
    versions = count(1)
    return lambda desk: desk.books.enrol(mandates={"ana": Mandate(next(versions), **mandate)})


NOTHING, NOT_THERE, ANYTHING = says(rules=(Rule(0),)), says(stops=(Stop("clinic", "q1"),)), says()


def meanwhile(desk: Desk, patch: pytest.MonkeyPatch, change: Change) -> Counter[str]:
    """Once, between what a batch reads and its locks, something changes; counts what is asked of the books after."""
    with desk.books.work() as work:
        kind = type(work)
    lock, registry, asked = kind.lock, kind.registry, Counter[str]()

    def locked(self: Any, needs: Any, rows: int) -> Any:
        asked["locks"] += 1
        if asked["locks"] == 1:
            change(desk)
        return lock(self, needs, rows)

    def looked(self: Any, events: Any) -> Any:
        asked["looks"] += 1
        return registry(self, events)

    patch.setattr(kind, "lock", locked)
    patch.setattr(kind, "registry", looked)
    return asked


@pytest.mark.parametrize("change", [FREEZE, NOTHING, NOT_THERE], ids=["freeze", "first mandate", "first stop"])
def test_what_is_said_while_a_batch_waits_for_its_locks_holds_for_it(
    desk: Desk, charge: Charge, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    meanwhile(desk, monkeypatch, change)
    events = [charge("e1", 5), charge("e2", 5, member="cleo", visit="v2")]
    assert dues(clear_events(events, desk)) == [5, 5]
    assert sum(avail for avail, _ in desk.books.pots().values()) == 100_000_000
    audited(desk)


@pytest.mark.parametrize("back", [THAW, ANYTHING], ids=["freeze", "mandate"])
def test_what_is_taken_back_while_a_batch_waits_holds_too(
    desk: Desk, charge: Charge, monkeypatch: pytest.MonkeyPatch, back: Change
) -> None:
    FREEZE(desk) if back is THAW else NOTHING(desk)
    meanwhile(desk, monkeypatch, back)
    assert dues(clear_events([charge("e1", 5)], desk)) == [0]
    audited(desk)


def test_whom_a_change_does_not_concern_is_decided_by_what_was_read(
    desk: Desk, charge: Charge, monkeypatch: pytest.MonkeyPatch
) -> None:
    with desk.books.work() as work:
        before = work.registry([charge()]).version
    asked = meanwhile(desk, monkeypatch, lambda desk: desk.books.enrol(members=[Member("dora")]))
    [outcome] = clear_events([charge("e1", 5)], desk)
    assert (asked["looks"], read_body(outcome.body).version) == (2, before)
    # Nothing at all moved: there is nothing to look at again.
    clear_events([charge("e2", 5, visit="v2")], desk)
    assert asked == {"looks": 3, "locks": 2}
    audited(desk)


def test_a_pot_that_is_opened_meanwhile_is_locked_before_it_pays(
    desk: Desk, charge: Charge, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opens(desk: Desk) -> None:
        desk.books.enrol(pots=[Pot("cleo-new", "cleo", "USD")])

    asked = meanwhile(desk, monkeypatch, opens)
    assert dues(clear_events([charge("e1", 5, member="cleo")], desk)) == [5]
    assert asked["locks"] == 2
    audited(desk)


def test_an_event_that_breaks_something_is_told_however_often_the_register_moves(
    desk: Desk, charge: Charge, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise ArithmeticError

    monkeypatch.setattr(sys.modules["drachm.application.clear_events"], "clear", broken)
    changes = count()
    with desk.books.work() as work:
        of = type(work)
    lock = of.lock

    def locked(self: Any, needs: Any, rows: int) -> Any:
        desk.books.freeze("ana", "USD", "pocket_frozen" if next(changes) % 2 else "")
        return lock(self, needs, rows)

    monkeypatch.setattr(of, "lock", locked)
    [outcome] = clear_events([charge("e1", 5)], desk)
    assert (outcome.status, outcome.reason) == ("pended", "defect")


@dataclass
class Street:
    """Clients who post for four people, and somebody who freezes one, and lets another be asked first, by turns."""

    desk: Desk
    charge: Charge
    rounds: int
    posted: int = 0
    going: int = 0
    faults: list[BaseException] = field(default_factory=list)
    turn: threading.Condition = field(default_factory=threading.Condition)
    closed: list[tuple[str, range, int]] = field(default_factory=list)
    """Who, by which versions of the register, and the last position that may have been reserved before."""

    def client(self, number: int) -> None:
        own = Desk(self.desk.books, self.desk.clock, RandomIds())
        try:
            for n in range(self.rounds):
                names = [f"c{number}-{n}-{at}" for at in range(4)]
                clear_events([self.charge(name, 1, member=f"m{at}", visit=name) for at, name in enumerate(names)], own)
                with self.turn:
                    self.posted += 1
                    self.turn.notify_all()
        except DrachmError as fault:
            self.faults.append(fault)
        finally:
            with self.turn:
                self.going -= 1
                self.turn.notify_all()

    def wait_for(self, batches: int) -> bool:
        """Until so many more batches are posted; whether clients still post."""
        with self.turn:
            until = self.posted + batches
            self.turn.wait_for(lambda: self.posted >= until or not self.going, timeout=60)
            return self.going > 0

    def close_by_turns(self) -> None:
        books = self.desk.books
        for n in count(1):
            frozen = n % 2 == 1
            member = "m0" if frozen else "m1"
            if frozen:
                books.freeze(member, "USD", "pocket_frozen")
            else:
                books.enrol(mandates={member: Mandate(n, rules=(Rule(0),))})
            first, since = self.version(), self.reserved()
            self.wait_for(2)
            if frozen:
                books.freeze(member, "USD", "")
            else:
                books.enrol(mandates={member: Mandate(n + 1)})
            self.closed.append((member, range(first, self.version()), since))
            if not self.wait_for(3):
                return

    def version(self) -> int:
        with self.desk.books.work() as work:
            return work.registry([]).version

    def reserved(self) -> int:
        with self.desk.books.sessions.transaction("owner") as conn:
            return int(conn.execute("SELECT last_value FROM journal_position").fetchone()[0])


def test_a_freeze_and_a_mandate_hold_for_every_batch_that_locks_after_them(
    database: str, town: Any, charge: Charge
) -> None:
    desk = town(database)
    desk.books.enrol(
        members=[Member(f"m{n}") for n in range(4)], pots=[Pot(f"m{n}-own", f"m{n}", "USD") for n in range(4)]
    )
    for n in range(4):
        pay_in(desk, f"m{n}-own", 10_000)
    street = Street(desk, charge, 40, going=8)
    clients = [threading.Thread(target=street.client, args=(n,)) for n in range(8)]
    for thread in clients:
        thread.start()
    street.close_by_turns()
    for thread in clients:
        thread.join()
    assert street.faults == []
    paid: Counter[tuple[str, str]] = Counter()
    found = [one for one, _ in desk.books.rows() if one.kind is EntryKind.CHARGE]
    assert len(found) == 8 * 40 * 4
    for stored in found:
        body = read_body(stored.body)
        [recalled] = recall([kept_of(stored)], desk.books)
        drawn = sum(leg.amount for leg in recalled.decision.standing.legs)
        for member, versions, since in street.closed:
            if body.event.member != member:
                continue
            paid[member, "closed" if body.version in versions else "open"] += 1
            assert not drawn or body.version not in versions, stored.position
            # Whoever took a place in the books after it was said had its locks after it was said, and knows of it.
            assert stored.position <= since or body.version >= versions.start, stored.position
    # It was a race: rows of both fell into windows in which they were closed, and outside of them.
    assert len(street.closed) > 3
    assert all(paid[member, how] for member in ("m0", "m1") for how in ("closed", "open"))
    audited(desk)
