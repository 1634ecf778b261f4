"""A writer that dies in the middle leaves nothing behind: no row, no lock, no half of anything."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import drachm
from drachm.application.ports import Posting
from drachm.domain.benefits.model import Key
from drachm.domain.clearing.numbers import total_number
from drachm.domain.clearing.world import Needs

SOURCE = Path(drachm.__file__).parents[1]

WRITER = """
import secrets, sys, time
from datetime import UTC, datetime
sys.path.insert(0, sys.argv[3])
from drachm.application.ports import Posting, Row
from drachm.domain.benefits.model import Key
from drachm.domain.clearing.numbers import total_number
from drachm.domain.clearing.world import Needs
from drachm.domain.ledger.model import Account, Entry, EntryKind, Source
from drachm.storage.postgres import open_books

class Ids:
    random_bytes = staticmethod(secrets.token_bytes)

books = open_books(sys.argv[1], 1, master_key=bytes(range(32)), ids=Ids())
key = Key("ana", "plan/deductible", "Y2025-01-01")
now = datetime(2025, 3, 10, tzinfo=UTC)
entries = (Entry(Account("cash", "a", "USD"), 5, Source.RAIL), Entry(Account("cash", "b", "USD"), -5, Source.RAIL))
with books.work() as work:
    locked = work.lock(Needs(frozenset({total_number(1, key)}), frozenset({"cash"})), 500)
    if sys.argv[2] == "posted":
        rows = [
            Row(locked.first_position + n, n.to_bytes(16, "big"), 0, None, EntryKind.CHARGE, "posted", "",
                f"m{n}", now, now, "USD", entries, (), bytes(32), b"body")
            for n in range(500)
        ]
        work.post(Posting(rows, {total_number(1, key): 5}, {"cash": -5}, {"cash": 5}))
    print("ready", flush=True)
    time.sleep(60)
    work.commit()
"""


@pytest.fixture(params=["locked", "posted"])
def writer(
    request: pytest.FixtureRequest, postgres: Any, fill: Any, any_database: str
) -> Iterator[subprocess.Popen[str]]:
    """Another process with everything under lock, or everything written, and nothing committed."""
    fill(postgres, cash=10)
    command = [sys.executable, "-c", WRITER, any_database, request.param, str(SOURCE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def test_a_writer_killed_before_its_commit_leaves_nothing(
    writer: subprocess.Popen[str], postgres: Any, owner: Any, draft: Any, key: Key, totals: Any, placed: Any
) -> None:
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    with postgres.work() as work:
        # The dead writer's locks are free as soon as the server sees its socket closed.
        locked = work.lock(Needs(frozenset({total_number(1, key)}), frozenset({"cash"})), 1)
        assert (dict(locked.totals), dict(locked.avail)) == ({}, {"cash": 10})
        assert work.newest([number.to_bytes(16, "big") for number in range(500)]) == {}
        # The same events again, from a writer that lives.
        row = draft("one", key=bytes(16)).row(1, locked.first_position)
        work.post(Posting([row], {total_number(1, key): 5}, {"cash": -5}, {"cash": 5}))
        work.commit()
    assert len(list(postgres.rows())) == 2
    assert postgres.pots() == {"cash": (5, 5)}
    assert totals(postgres) == placed(postgres, {key: 5})
    for table, count in {"outbox": 2, "data_key": 2, "account": 2, "state": 1, "total": 1}.items():
        assert owner.execute(f"SELECT count(*) FROM {table}").fetchone() == (count,), table
