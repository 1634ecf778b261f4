"""Several writers on one fund, and writers that die: the limit holds to the micro, and no money is lost inside it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from drachm.application.check_books import check_books
from drachm.application.clear_events import clear_events
from drachm.application.desk import Desk
from drachm.domain.events.model import ServiceEvent
from drachm.domain.money import MICROS
from drachm.storage.postgres import open_books

sys.path.insert(0, str(Path(__file__).parent))

from fund_helpers import RandomIds, admit, allotments, audited, dues, left_in

Charge = Callable[..., ServiceEvent]


@pytest.fixture(params=["database", "database16"])
def url(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue(request.param)


@pytest.fixture
def another() -> Iterator[Callable[[str, Desk], Desk]]:
    """Further writers on the same database."""
    opened = []

    def open_another(url: str, desk: Desk) -> Desk:
        opened.append(open_books(url, 1, master_key=bytes(32), ids=RandomIds()))
        return Desk(opened[-1], desk.clock, RandomIds())

    yield open_another
    for books in opened:
        books.close()


def race(desks: list[Desk], charge: Charge, rounds: int) -> None:
    """Each writer clears care of its own members and of everybody's, for 3 dollars and a micro each."""
    faults: list[BaseException] = []

    def write(number: int) -> None:
        try:
            for n in range(rounds):
                names = [f"w{number}-{n}-{member}" for member in range(6)]
                batch = [charge(name, 3, member=f"m{name[-1]}", visit=name, billed=3 * MICROS + 1) for name in names]
                clear_events(batch, desks[number])
        except BaseException as fault:
            faults.append(fault)
            raise

    threads = [threading.Thread(target=write, args=(number,)) for number in range(len(desks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


@pytest.mark.parametrize("slices", [1, 3, 64])
def test_writers_draw_what_there_is_to_the_micro(slices: int, desk: Desk, charge: Charge, new_desk: Any) -> None:
    admit(desk, 100, slices=slices)
    race([Desk(desk.books, desk.clock, RandomIds()) for _ in range(4)], charge, 3)
    due = sum(b for account, b in desk.books.balances().items() if account.kind == "patient_receivable")
    assert left_in(desk) == 0
    assert due == 4 * 3 * 6 * (3 * MICROS + 1) - 100 * MICROS
    audited(desk)


CONSERVED = """
    SELECT (SELECT sum(s.avail + s.held) FROM pot p JOIN state s ON s.id = p.state AND s.tenant = p.tenant
            WHERE p.tenant = 1 AND p.member = '' AND (p.id = 'help' OR p.fund = 'help')),
           (SELECT coalesce(-sum(e.amount), 0) FROM entry e JOIN account a ON a.id = e.account AND a.tenant = e.tenant
            WHERE e.tenant = 1 AND a.kind = 'provider_payable' AND e.source = 2),
           (SELECT min(s.avail) FROM state s)
"""
"""Slices and rest, what was drawn, and the poorest pot, at one moment between commits."""


def test_slices_rest_and_drawn_are_the_fund_at_every_commit(url: str, town: Any, another: Any, charge: Charge) -> None:
    desk = town(url)
    admit(desk, 150)
    stop, seen = threading.Event(), []

    def watch() -> None:
        with psycopg.connect(url, autocommit=True) as conn:
            while not stop.is_set():
                seen.append(conn.execute(CONSERVED).fetchone())

    watcher = threading.Thread(target=watch)
    watcher.start()
    race([another(url, desk) for _ in range(3)], charge, 5)
    stop.set()
    watcher.join()
    assert len(seen) > 5
    assert {left + drawn for left, drawn, _ in seen} == {150 * MICROS}
    assert min(poorest for _, _, poorest in seen) >= 0
    assert left_in(desk) == 0
    audited(desk)


WRITER = """
    import secrets, sys, time
    sys.path.insert(0, sys.argv[3])
    from conftest import TestClock, make_charge
    from drachm.application.clear_events import clear_events
    from drachm.application.desk import Desk
    from drachm.domain.ledger.model import EntryKind
    from drachm.storage.postgres import open_books
    from drachm.storage.work import PostgresWork
    class Ids:
        random_bytes = staticmethod(secrets.token_bytes)
    post, left = PostgresWork.post, [int(sys.argv[4])]
    def slow(self, posting):
        post(self, posting)
        if posting.rows[0].kind is EntryKind.ALLOTMENT:
            left[0] -= 1
            if not left[0]:
                print("allotting", flush=True)
                time.sleep(60)
    PostgresWork.post = slow
    desk = Desk(open_books(sys.argv[1], 1, master_key=bytes(32), ids=Ids()), TestClock(), Ids())
    for n in range(1000):
        names = [f"k{sys.argv[2]}-{n}-{member}" for member in range(6)]
        clear_events([make_charge(name, 1, member=f"m{name[-1]}", visit=name) for name in names], desk)
"""


def test_kill_9_in_the_middle_of_allotting_loses_nothing(url: str, town: Any, another: Any, charge: Charge) -> None:
    """Written and not committed when the writer dies: the fund is whole, and nobody waits for the dead."""
    desk = town(url)
    admit(desk, 400)
    for number in range(4):
        command = [sys.executable, "-c", textwrap.dedent(WRITER), url, str(number), os.path.dirname(__file__)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        with subprocess.Popen(
            [*command, str(number + 1)], stdout=subprocess.PIPE, text=True, env=environment
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "allotting\n"
            before = allotments(desk)
            os.kill(process.pid, signal.SIGKILL)
        with psycopg.connect(url) as conn:
            left, drawn, poorest = conn.execute(CONSERVED).fetchone()
        assert left + drawn == 400 * MICROS
        assert poorest >= 0
        assert allotments(desk) == before
        assert check_books(desk.books) == []
    last = [charge(f"z{n}", 50, member=f"m{n % 6}", visit=f"z{n}") for n in range(9)]
    assert sum(dues(clear_events(last, another(url, desk)))) == 450 - left // MICROS
    audited(desk)
