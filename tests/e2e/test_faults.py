"""One thing breaks, and nothing else does: an event, a batch, a process that is told to stop.

(What a kill leaves is in test_kills.py; that no plan is made for empty tables, in tests/storage/test_plans.py.)
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from drachm.application.audit import audit
from drachm.application.check_books import check_books
from drachm.application.clear_events import clear_events
from drachm.application.desk import Desk
from drachm.domain.errors import Unavailable
from drachm.storage.tally import DiskTally


class _Unheard(Exception):
    """Of a class that nobody here has heard of."""


NOT_UNICODE = "half a character: \ud800"
BEYOND_64_BITS = 2**70


def _poison(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Deciding `raises` fails in Python; the row of `forbidden` is one that the database refuses."""
    from drachm.application import clear_events as module
    from drachm.domain.clearing import documents

    price, post = documents.Documents.price, module._Writing._post

    def priced(self, event, at, premises):
        if event.event_id == "raises":
            raise error
        return price(self, event, at, premises)

    def posted(self, waiting, *rest):
        outcome = post(self, waiting, *rest)
        if waiting.event.event_id == "forbidden" and outcome.status == "posted":
            self.rows[-1] = self.rows[-1]._replace(avail=(("ana-cash", -1),))
        return outcome

    monkeypatch.setattr(documents.Documents, "price", priced)
    monkeypatch.setattr(module._Writing, "_post", posted)


@pytest.mark.parametrize("error", [ZeroDivisionError("x"), KeyError("x"), OSError("x"), _Unheard("x")], ids=repr)
def test_three_kinds_of_poison_in_one_batch_stop_nobody_else(desk, charge, monkeypatch, error) -> None:
    """One whose decision raises, one whose row the database refuses, two that cannot be encoded: each is told by name,
    and all others of the batch are posted in order."""
    _poison(monkeypatch, error)
    poison = {
        3: charge("raises", 1),
        4: charge("forbidden", 1),
        9: charge("unwritable", 1, display=NOT_UNICODE),
        10: charge("too-large", 1, quantity=BEYOND_64_BITS),
    }
    batch = [poison.get(n) or charge(f"e{n}", 1) for n in range(14)]
    outcomes = clear_events(batch, desk)
    monkeypatch.undo()
    assert [outcome.event_id for outcome in outcomes] == [event.event_id for event in batch]
    told = {o.event_id: (o.status, o.reason) for o in outcomes if o.status != "posted"}
    assert told == {
        "raises": ("pended", "defect"),
        "forbidden": ("refused", "constraint"),
        "unwritable": ("refused", "invalid_event"),
        "too-large": ("refused", "invalid_event"),
    }
    positions = [outcome.position for outcome in outcomes if outcome.status == "posted"]
    assert positions == sorted(set(positions))
    assert len(positions) == 10
    again = clear_events([event for n, event in enumerate(batch) if n not in poison], desk)
    assert [(o.duplicate, o.position) for o in again] == [(True, position) for position in positions]
    _books_agree(desk)


@pytest.mark.parametrize("step", ["newest", "lock", "post", "commit"])
@pytest.mark.parametrize("error", [Unavailable("the cable was pulled"), MemoryError()], ids=["unavailable", "memory"])
def test_a_fault_of_one_commit_fails_its_batch_only(desk, charge, monkeypatch, step, error) -> None:
    """The caller of that batch hears it; nothing of the batch is there; the next batch, and the same again, post."""
    work = type(desk.books.work())

    def broken(*_about):
        raise error

    before = _everything(desk)
    with monkeypatch.context() as patched:
        patched.setattr(work, step, broken)
        with pytest.raises(type(error)):
            clear_events([charge(f"lost{n}", 1) for n in range(5)], desk)
    assert _everything(desk) == before
    [other] = clear_events([charge("other", 1)], desk)
    outcomes = clear_events([charge(f"lost{n}", 1) for n in range(5)], desk)
    assert [(o.status, o.duplicate) for o in (other, *outcomes)] == [("posted", False)] * 6
    _books_agree(desk)


def _everything(desk: Desk):
    books = desk.books
    rows = [(row.position, row.leaf) for row, _ in books.rows()]
    return rows, books.balances(), books.pots(), dict(books.totals()), books.queue()


def _books_agree(desk: Desk) -> None:
    assert check_books(desk.books) == []
    with DiskTally() as totals, DiskTally() as pots:
        report = audit(desk.books, totals, pots, time.monotonic, lambda _: None)
    assert report.first_difference == ""
    assert report.ok


SERVICE = """
    import asyncio, json, os, signal, sys
    sys.path.insert(0, sys.argv[2])
    from conftest import make_charge
    from drachm.adapters.rest.transport.problems import Problem
    from drachm.adapters.rest.transport.pump import Pump
    from drachm.application.clear_events import clear_events
    from drachm.application.desk import Desk
    from drachm.bootstrap import SystemClock, SystemIds
    from drachm.storage.postgres import open_books

    desk = Desk(open_books(sys.argv[1], 1, master_key=bytes(32), ids=SystemIds()), SystemClock(), SystemIds())
    sizes = []

    def clear(batch):
        sizes.append(len(batch))
        return clear_events(batch, desk)

    async def main():
        pump = Pump(clear)
        pump.start()
        told = {"taken": [], "answered": {}, "turned_away": 0}
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

        async def caller(number):
            n = 0
            while True:
                event = make_charge(f"{number}-{n}", 1)
                n += 1
                try:
                    waiting = asyncio.ensure_future(pump.submit(event))
                    await asyncio.sleep(0)
                    if not waiting.done():
                        told["taken"].append(event.event_id)
                    outcome = await waiting
                except Problem:
                    told["turned_away"] += 1
                    return
                told["answered"][event.event_id] = outcome.position
                if n == 3:
                    print("at work", flush=True)

        callers = [asyncio.create_task(caller(number)) for number in range(40)]
        await stop.wait()
        while not pump.depth:  # between two batches
            await asyncio.sleep(0)
        told["unanswered_at_the_signal"] = pump.depth
        await pump.close()
        await asyncio.gather(*callers)
        desk.books.close()
        print("told", json.dumps({**told, "depth": pump.depth, "batches": sizes}), flush=True)

    asyncio.run(main())
"""


def test_a_process_that_is_told_to_stop_answers_what_it_took(database, town) -> None:
    """SIGTERM to a process that posts through the group commit: everything it took is posted and answered, what comes
    later is turned away, and nothing is there that nobody was told of."""
    desk = town(database)
    opening = len(list(desk.books.rows()))
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SERVICE), database, str(Path(__file__).parent)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "at work\n"
        process.send_signal(signal.SIGTERM)
        last = [line for line in process.stdout if line.startswith("told ")][-1]
    assert process.returncode == 0
    told = json.loads(last.removeprefix("told "))
    assert told["unanswered_at_the_signal"] > 0
    assert told["turned_away"] == 40
    assert told["depth"] == 0
    assert max(told["batches"]) > 1
    assert set(told["taken"]) == told["answered"].keys()
    rows = list(desk.books.rows())[opening:]
    assert sorted(told["answered"].values()) == [row.position for row, _ in rows]
    _books_agree(desk)
