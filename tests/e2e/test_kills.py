"""Kill -9 of the writer's process, of the database or of the client, at every moment of a batch: nothing is lost,
nothing is doubled, and what was acknowledged stays as it was told.

A client sends a stream of events and writes each answer to the disk before it goes on. At a chosen moment of a unit of
work somebody is killed; whoever died is started again and everything that has no answer is sent again, with a part of
what has. In the end the books are those of a run in which nobody died.
"""

from __future__ import annotations

import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Listener
from pathlib import Path

import psycopg
import pytest

from drachm.application.audit import audit
from drachm.application.check_books import check_books
from drachm.application.clear_events import clear_events
from drachm.application.desk import Desk
from drachm.bench.load import Load
from drachm.bench.settle import settle
from drachm.bench.world import make_world
from drachm.bootstrap import SystemClock, SystemIds
from drachm.domain.events.model import ServiceEvent
from drachm.domain.transparency.leaf import event_key
from drachm.storage.embedded import EmbeddedServer
from drachm.storage.memory import MemoryBooks
from drachm.storage.migrate import migrate
from drachm.storage.postgres import open_books
from drachm.storage.tally import DiskTally

sys.path.insert(0, str(Path(__file__).parent))

from kill_processes import BATCH_MOST, MASTER_KEY, MOMENTS, SECRET

SAMPLES = Path(__file__).parents[2] / "samples"
VICTIMS = ("writer", "backend", "postmaster", "client")
UNITS_MOST = 3
LOOSE = ("begin", "committing")
"""Moments at which the work goes on and the blow falls a little later, wherever it then is."""
LOOSE_SECONDS = {"begin": 0.03, "committing": 0.003}
SECONDS_A_KILL = 30.0
"""Far more than it takes: a test that hangs must end."""


@dataclass(frozen=True)
class Strike:
    """Who is killed, at which moment, of which unit of work from now."""

    victim: str
    moment: str
    unit: int
    delay: float


def strikes(count: int, seed: int) -> list[Strike]:
    """`count` kills: each victim at each moment in turn, all 32 pairs before any comes again."""
    chance = random.Random(seed)
    found = []
    for n in range(count):
        moment = MOMENTS[(n + n // len(MOMENTS)) % len(MOMENTS)]
        delay = chance.uniform(0, LOOSE_SECONDS.get(moment, 0))
        found.append(Strike(VICTIMS[n % len(VICTIMS)], moment, chance.randint(1, UNITS_MOST), delay))
    return found


class Conductor:
    """Nods at each moment of each unit of work, kills when it is time, and starts the dead again."""

    def __init__(self, folder: Path, server: EmbeddedServer, url: str, wanted: list[Strike], seed: int) -> None:
        self.folder, self.server, self.url = folder, server, url
        self.made: list[Strike] = []
        self.faults: list[BaseException] = []
        self._wanted = list(wanted)
        self._strike: Strike | None = self._wanted.pop(0)
        self._units = 0
        self._lock = threading.Lock()
        self._chance = random.Random(seed)
        self._listener = Listener(str(folder / "conductor"), "AF_UNIX", authkey=SECRET)
        self._processes = {"writer": self._start_clerk(), "client": self._start_client()}
        threading.Thread(target=self._listen, daemon=True).start()

    def wait(self) -> None:
        """Until a client has heard an answer to everything."""
        deadline = time.monotonic() + SECONDS_A_KILL * (1 + len(self._wanted))
        while time.monotonic() < deadline and not self.faults:
            with self._lock:
                ended = self._processes["client"].poll()
            if ended is not None and ended != -signal.SIGKILL:
                assert ended == 0
                return
            time.sleep(0.02)
        raise AssertionError(f"the client did not come to its end: {self.faults}")

    def close(self) -> None:
        self._listener.close()
        for process in self._processes.values():
            process.kill()
            process.wait()
            process.stdout.close()

    def _listen(self) -> None:
        while True:
            try:
                clerk = self._listener.accept()
            except EOFError:
                continue
            except OSError:
                return
            threading.Thread(target=self._attend, args=(clerk,), daemon=True).start()

    def _attend(self, clerk: Connection) -> None:
        try:
            with clerk:
                while True:
                    strike = self._taken(clerk.recv())
                    if strike is None:
                        clerk.send(None)
                    else:
                        self._do(strike, clerk)
        except (EOFError, ConnectionError):
            return
        except BaseException as error:
            self.faults.append(error)
            raise

    def _taken(self, moment: str) -> Strike | None:
        """The next strike, if this is its moment; while one is under way there is none."""
        with self._lock:
            strike = self._strike
            self._units += moment == "begin"
            if strike is None or strike.moment != moment or self._units < strike.unit:
                return None
            self._strike = None
            return strike

    def _do(self, strike: Strike, clerk: Connection) -> None:
        victim = self._process_of(strike.victim)
        if strike.moment in LOOSE:
            clerk.send(None)
            time.sleep(strike.delay)
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        revive = getattr(self, f"_revive_{strike.victim}")
        if strike.victim == "client":
            # The old unit of work meets the new client's, which brings the same events.
            revive()
        if strike.moment not in LOOSE:
            with suppress(ConnectionError):
                clerk.send(None)
        if strike.victim != "client":
            revive()
        with self._lock:
            self.made.append(strike)
            self._units, self._strike = 0, self._wanted.pop(0) if self._wanted else None

    def _process_of(self, victim: str) -> int:
        if victim in self._processes:
            return self._processes[victim].pid
        if victim == "postmaster":
            return int((self.server.data_dir / "pg18" / "data" / "postmaster.pid").read_text().split()[0])
        with psycopg.connect(self.url, autocommit=True) as own:
            found = own.execute(
                "SELECT pid, xact_start IS NOT NULL AND datname = current_database() FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid()"
            ).fetchall()
        at_work = [process for process, in_transaction in found if in_transaction]
        # The writer's own, or any other process of the server.
        return self._chance.choice(at_work if at_work and self._chance.random() < 0.7 else [pid for pid, _ in found])

    def _revive_writer(self) -> None:
        self._processes["writer"].wait()
        self._processes["writer"].stdout.close()
        self._processes["writer"] = self._start_clerk()

    def _revive_client(self) -> None:
        with self._lock:
            self._processes["client"].wait()
            self._processes["client"].stdout.close()
            self._processes["client"] = self._start_client()
        self._processes["client"].stdout.readline()

    def _revive_postmaster(self) -> None:
        self.server.start()

    def _revive_backend(self) -> None:
        """The server does it by itself."""
        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url).close()
                return
            except psycopg.OperationalError:
                assert time.monotonic() < deadline
                time.sleep(0.02)

    def _start_clerk(self) -> subprocess.Popen[str]:
        return self._start("clerk", self.url)

    def _start_client(self) -> subprocess.Popen[str]:
        return self._start("client", str(self._chance.getrandbits(32)))

    def _start(self, role: str, argument: str) -> subprocess.Popen[str]:
        program = Path(__file__).with_name("kill_processes.py")
        return subprocess.Popen(
            [sys.executable, program, role, self.folder, argument],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )


@pytest.fixture(scope="module")
def durable() -> Iterator[EmbeddedServer]:
    """A server of its own, as the product starts it: fsync on."""
    folder = Path(tempfile.mkdtemp(prefix="drachm-kills-", dir="/tmp"))
    server = EmbeddedServer(folder)
    try:
        server.start()
        with psycopg.connect(server.url("postgres")) as conn:
            assert conn.execute("SHOW fsync").fetchone() == ("on",)
        yield server
    finally:
        server.release()
        shutil.rmtree((folder / "pg18").resolve(), ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=pytest.mark.long)])
def test_whoever_is_killed_nothing_is_lost_and_nothing_doubled(durable: EmbeddedServer, kills: int) -> None:
    seed = kills
    world = make_world(seed, 100, samples=SAMPLES, shared=None)
    made = Load(world).events(kills * UNITS_MOST * BATCH_MOST)
    stream = list({event.event_id: event for event in made}.values())
    url = _new_database(durable, f"kills_{kills}")
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="dk-", dir="/tmp")))
        (folder / "stream").write_bytes(pickle.dumps(stream))
        (folder / "notes").touch()
        with open_books(url, 1, master_key=MASTER_KEY, ids=SystemIds()) as books:
            settle(world, Desk(books, SystemClock(), SystemIds()), lambda _words: None)
            opening = [(row.position, row.leaf) for row, _ in books.rows()]
        conductor = Conductor(folder, durable, url, strikes(kills, seed), seed)
        held.callback(conductor.close)
        conductor.wait()
        assert conductor.faults == []
        assert conductor.made == strikes(kills, seed)
        notes = [line.split() for line in (folder / "notes").read_text().splitlines()]
    _everything_is_there_once(url, stream, notes, opening)
    _the_books_are_those_of_a_quiet_run(url, world, stream)


def test_every_victim_is_struck_at_every_moment() -> None:
    """Twenty kills know each victim and each moment, thirty-two each pair."""
    few = strikes(20, 20)
    assert {strike.moment for strike in few} == set(MOMENTS)
    assert Counter(strike.victim for strike in few) == dict.fromkeys(VICTIMS, 5)
    pairs = Counter((strike.victim, strike.moment) for strike in strikes(32, 1))
    assert pairs == Counter((victim, moment) for victim in VICTIMS for moment in MOMENTS)


def _everything_is_there_once(
    url: str, stream: list[ServiceEvent], notes: list[list[str]], opening: list[tuple[int, bytes]]
) -> None:
    answers = defaultdict(set)
    for event_id, *answer in notes:
        answers[event_id].add(tuple(answer))
    assert answers.keys() == {event.event_id for event in stream}
    # Told again, an answer is the first one.
    assert [event_id for event_id, told in answers.items() if len(told) != 1] == []
    with open_books(url, 1, master_key=MASTER_KEY, ids=SystemIds()) as books:
        rows = [row for row, _ in books.rows()]
    assert [(row.position, row.leaf) for row in rows[: len(opening)]] == opening
    keys = {event_key(1, event.source, event.event_id): event.event_id for event in stream}
    there = {
        keys[row.key]: (str(row.position), row.leaf.hex(), str(row.revision), row.status)
        for row in rows[len(opening) :]
    }
    assert len(rows) - len(opening) == len(there) == len(stream)
    assert there == {event_id: next(iter(told)) for event_id, told in answers.items()}
    # One client sends in order, so the journal stands in order, whoever wrote it.
    assert list(there) == [event.event_id for event in stream]
    with psycopg.connect(url) as conn:
        assert conn.execute("""
            SELECT count(*) FROM journal WHERE (SELECT count(*) FROM outbox WHERE positions @> position) <> 1
        """).fetchone() == (0,)
        assert conn.execute("SELECT sum(upper(positions) - lower(positions)) FROM outbox").fetchone() == (len(rows),)
        assert conn.execute("SELECT count(*) FROM work_queue").fetchone() == (
            sum(row.status == "pended" for row in rows),
        )


def _the_books_are_those_of_a_quiet_run(url: str, world, stream: list[ServiceEvent]) -> None:
    quiet = Desk(MemoryBooks(1, ids=SystemIds()), SystemClock(), SystemIds())
    settle(world, quiet, lambda _words: None)
    for first in range(0, len(stream), 500):
        clear_events(stream[first : first + 500], quiet)
    with open_books(url, 1, master_key=MASTER_KEY, ids=SystemIds()) as books:
        assert books.balances() == quiet.books.balances()
        assert books.pots() == quiet.books.pots()
        assert dict(books.totals()) == dict(quiet.books.totals())
        assert check_books(books) == []
        with DiskTally() as totals, DiskTally() as pots:
            report = audit(books, totals, pots, time.monotonic, lambda _: None)
    assert report.first_difference == ""
    assert report.ok
    assert report.rows > len(stream)


def _new_database(server: EmbeddedServer, name: str) -> str:
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    with psycopg.connect(server.url(name)) as conn:
        migrate(conn)
    return server.url(name)
