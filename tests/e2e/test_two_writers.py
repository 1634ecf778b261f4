"""Several writers, poisoned events, other tenants: effect once, limits never passed, faults stay alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from datetime import date
from typing import Any

import pytest

from drachm.application.audit import audit
from drachm.application.check_books import check_books
from drachm.application.clear_events import clear_events
from drachm.application.clear_pended import clear_pended
from drachm.application.desk import Desk
from drachm.domain.coverage.model import Coverage, Member
from drachm.domain.money import MICROS
from drachm.domain.periods import Period
from drachm.storage.reading import PostgresReading
from drachm.storage.tally import DiskTally


@pytest.fixture(params=["database", "database16"])
def url(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue(request.param)


def test_two_writers_with_the_same_new_event(url, town, charge) -> None:
    """One posts; the other answers with the first's outcome."""
    desks = [town(url), town(url, settle=False)]
    barrier = threading.Barrier(2)
    answers: dict[int, list] = {}

    def write(number: int) -> None:
        mine = []
        for n in range(40):
            barrier.wait()
            mine.append(clear_events([charge(f"e{n}", 10)], desks[number])[0])
        answers[number] = mine

    threads = [threading.Thread(target=write, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(answers[0], answers[1], strict=True):
        assert one.position == other.position
        assert one.leaf == other.leaf
        assert sorted((one.duplicate, other.duplicate)) == [False, True]
    assert check_books(desks[0].books) == []


def test_the_books_are_checked_as_of_one_moment(url, town, charge, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another writer posts between the look at the entries and that at the pots is no disagreement."""
    desk, other = town(url), town(url, settle=False)
    before = desk.books.pots()
    look, posted = PostgresReading._pots, []

    def meanwhile(self: PostgresReading, *asked: Any) -> Any:
        if not posted:
            posted.append(clear_events([charge("e1", 10)], other)[0])
        return look(self, *asked)

    monkeypatch.setattr(PostgresReading, "_pots", meanwhile)
    assert check_books(desk.books) == []
    assert posted[0].status == "posted"
    assert desk.books.pots() != before


def test_a_wallet_is_never_overdrawn_whatever_the_concurrency(url, town, charge) -> None:
    """Eight writers on one wallet: what is drawn never passes what was in it, and all care is posted."""
    first = town(url)
    desks = [first] + [town(url, settle=False) for _ in range(7)]
    first.books.enrol(coverages=[Coverage("c-ana", "ana", "none", Period(date(1900, 1, 1)))])

    def write(number: int) -> None:
        for n in range(10):
            clear_events([charge(f"w{number}-{n}", 3)], desks[number])

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert first.books.pots() == {"ana-gift": (0, 0), "ana-cash": (0, 0)}
    due = sum(b for a, b in first.books.balances().items() if a.kind == "patient_receivable")
    assert due == (240 - 100) * MICROS
    assert check_books(first.books) == []
    _audited(first)


def test_a_poisoned_event_waits_alone(desk, charge, monkeypatch) -> None:
    """A fault of our own in one event never stops the rest of its batch."""
    from drachm.domain.clearing import documents

    original = documents.Documents.price

    def price(self, event, at, premises):
        if event.event_id == "poison":
            raise ZeroDivisionError("a defect of ours")
        return original(self, event, at, premises)

    monkeypatch.setattr(documents.Documents, "price", price)
    batch = [charge(f"e{n}", 1) for n in range(6)]
    batch.insert(3, charge("poison", 1))
    outcomes = clear_events(batch, desk)
    assert [o.status for o in outcomes] == ["posted"] * 3 + ["pended"] + ["posted"] * 3
    assert (outcomes[3].reason, outcomes[3].event_id) == ("defect", "poison")
    monkeypatch.undo()
    [mended] = clear_pended(desk)
    assert (mended.status, mended.event_id, mended.revision) == ("posted", "poison", 1)
    assert check_books(desk.books) == []


def test_a_database_constraint_refuses_only_the_offender(desk, charge, monkeypatch) -> None:
    """Python is blinded: the floor in the database still holds, and the rest of the batch posts."""
    from drachm.application import clear_events as module

    original = module._Writing._post

    def post(self, waiting, *rest):
        outcome = original(self, waiting, *rest)
        if waiting.event.event_id == "bad" and outcome.status == "posted":
            self.rows[-1] = self.rows[-1]._replace(avail=(("ana-cash", -1),))
        return outcome

    monkeypatch.setattr(module._Writing, "_post", post)
    outcomes = clear_events([charge("e1", 1), charge("bad", 1), charge("e2", 1)], desk)
    assert [o.status for o in outcomes] == ["posted", "refused", "posted"]
    monkeypatch.undo()
    assert check_books(desk.books) == []


def test_another_tenants_names_mean_nothing_here(url, town, charge) -> None:
    """The same ids in two tenants: each sees its own; a stranger's member, plan and provider do not exist."""
    first = town(url)
    second = town(url, tenant=2, settle=False)
    [outcome] = clear_events([charge()], second)
    assert (outcome.status, outcome.reason) == ("pended", "unknown_member")
    [own] = clear_events([charge()], first)
    assert own.status == "posted"
    assert second.books.balances() == {}
    assert second.books.pots() == {}
    assert list(second.books.totals()) == []
    assert second.books.row(own.position) is None


WRITER = """
    import sys
    from drachm.application.clear_events import clear_events
    from drachm.application.desk import Desk
    from drachm.storage.postgres import open_books
    sys.path.insert(0, sys.argv[3])
    from conftest import CountingIds, TestClock, make_charge
    import secrets
    class Ids:
        def random_bytes(self, count):
            return secrets.token_bytes(count)
    desk = Desk(open_books(sys.argv[1], 1, master_key=bytes(32), ids=Ids()), TestClock(), Ids())
    for n in range(100000):
        for outcome in clear_events([make_charge(f"{sys.argv[2]}-{n}-{m}", 1) for m in range(5)], desk):
            print(outcome.event_id, outcome.position, flush=True)
"""


def test_kill_9_of_a_writer_loses_and_doubles_nothing_acknowledged(database, town, charge) -> None:
    """Twelve writers are killed; every acknowledged event is there once, and a retry changes nothing."""
    desk = town(database)
    acknowledged: dict[str, int] = {}
    for number in range(12):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WRITER), database, str(number), os.path.dirname(__file__)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(0.013 * number)
        os.kill(process.pid, signal.SIGKILL)
        for line in [first, *process.stdout.read().splitlines()]:
            words = line.split()
            if len(words) == 2 and words[1].isdigit():
                acknowledged[words[0]] = int(words[1])
        process.wait()
    assert len(acknowledged) >= 12
    there = {row.position for row, _ in desk.books.rows()}
    again = clear_events([charge(event_id, 1) for event_id in acknowledged], desk)
    assert all(outcome.duplicate and outcome.position in there for outcome in again)
    assert check_books(desk.books) == []
    _audited(desk)


def _audited(desk: Desk) -> None:
    with DiskTally() as totals, DiskTally() as pots:
        report = audit(desk.books, totals, pots, time.monotonic, lambda _: None)
    assert report.first_difference == ""
    assert report.ok


def test_two_workers_on_one_queue_clear_each_event_once(url, town, charge) -> None:
    desks = [town(url), town(url, settle=False)]
    clear_events([charge(f"e{n}", 1, member="dan") for n in range(20)], desks[0])
    desks[0].books.enrol(members=[Member("dan")])
    barrier = threading.Barrier(2)
    answers: dict[int, list] = {}

    def work(number: int) -> None:
        barrier.wait()
        answers[number] = clear_pended(desks[number])

    threads = [threading.Thread(target=work, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(outcome.status == "posted" and outcome.revision == 1 for one in answers.values() for outcome in one)
    assert len([row for row, _ in desks[0].books.rows() if row.status == "posted" and row.revision == 1]) == 20
    assert check_books(desks[0].books) == []
    _audited(desks[0])
