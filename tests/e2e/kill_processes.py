"""The two processes of the kill tests: a clerk, who owns the writer, and a client, who sends events and hears answers.

    python kill_processes.py clerk FOLDER URL
    python kill_processes.py client FOLDER SEED

The clerk tells the conductor (the test) each moment of each unit of work and waits for its nod, so that the test can
kill somebody exactly then. The client keeps each answer in a file that is on the disk before it goes on.
"""

from __future__ import annotations

import os
import pickle
import random
import sys
import threading
import time
from collections.abc import Sequence
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import Any, Final

MOMENTS: Final = ("begin", "reading", "locking", "locked", "copying", "posted", "committing", "committed")
"""Of a unit of work, in order. `copying`: half of the journal's rows have left for the server."""
SECRET: Final = b"kill tests"
MASTER_KEY: Final = bytes(range(32))
BATCH_MOST: Final = 60
PATIENCE_SECONDS: Final = 120.0


class WatchedWork:
    """A unit of work (`ports.UnitOfWork`) that stops at each moment."""

    def __init__(self, work: Any, conductor: Connection) -> None:
        self._work = work
        self._conductor = conductor
        self.tenant = work.tenant

    def __enter__(self) -> WatchedWork:
        self._work.__enter__()
        self._reach("begin")
        return self

    def __exit__(self, *about: Any) -> None:
        self._work.__exit__(*about)

    def newest(self, keys: Sequence[bytes]) -> Any:
        self._reach("reading")
        return self._work.newest(keys)

    def registry(self, events: Sequence[Any]) -> Any:
        return self._work.registry(events)

    def lock(self, needs: Any, rows: int) -> Any:
        self._reach("locking")
        locked = self._work.lock(needs, rows)
        self._reach("locked")
        return locked

    def post(self, posting: Any) -> None:
        _in_copy.reach = lambda: self._reach("copying")
        self._work.post(posting)
        self._reach("posted")

    def commit(self) -> None:
        self._reach("committing")
        self._work.commit()
        self._reach("committed")

    def _reach(self, moment: str) -> None:
        self._conductor.send(moment)
        self._conductor.recv()


class WatchedBooks:
    """Books (`ports.Books`) whose units of work are watched."""

    def __init__(self, books: Any, conductor: Connection) -> None:
        self._books = books
        self._conductor = conductor

    def work(self) -> WatchedWork:
        return WatchedWork(self._books.work(), self._conductor)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._books, name)


_in_copy = threading.local()


def watch_copies() -> None:
    """The first COPY of a posting stops half-way."""
    import psycopg

    whole = psycopg.Copy.write

    def write(self: Any, data: bytes) -> None:
        middle = len(data) // 2
        whole(self, data[:middle])
        reach = getattr(_in_copy, "reach", None)
        if reach is not None:
            _in_copy.reach = None
            reach()
        whole(self, data[middle:])

    psycopg.Copy.write = write  # type: ignore[method-assign]


def clerk(folder: Path, url: str) -> None:
    """Clear what clients send, each client in a thread of its own."""
    from drachm.bootstrap import SystemIds
    from drachm.storage.postgres import open_books

    watch_copies()
    books = open_books(url, 1, master_key=MASTER_KEY, ids=SystemIds())
    books.documents()
    (folder / "door").unlink(missing_ok=True)
    with Listener(str(folder / "door"), "AF_UNIX", authkey=SECRET) as door:
        while True:
            try:
                customer = door.accept()
            except (EOFError, OSError):
                continue  # killed while it was shaking hands
            threading.Thread(target=serve, args=(customer, books, folder), daemon=True).start()


def serve(customer: Connection, books: Any, folder: Path) -> None:
    """One client's batches; None for an answer means: ask again."""
    from drachm.application.clear_events import clear_events
    from drachm.application.desk import Desk
    from drachm.bootstrap import SystemClock, SystemIds
    from drachm.domain.errors import Unavailable

    with customer, Client(str(folder / "conductor"), authkey=SECRET) as conductor:
        desk = Desk(WatchedBooks(books, conductor), SystemClock(), SystemIds())
        while True:
            try:
                events = customer.recv()
            except (EOFError, ConnectionError):
                return
            try:
                answer = [
                    (outcome.event_id, outcome.position, outcome.leaf.hex(), outcome.revision, outcome.status)
                    for outcome in clear_events(events, desk)
                ]
            except Unavailable:
                answer = None
            try:
                customer.send(answer)
            except ConnectionError:
                return


def client(folder: Path, seed: int) -> None:
    """Send everything that was not acknowledged, and with it again some of what was; write each answer down first."""
    chance = random.Random(seed)
    stream = pickle.loads((folder / "stream").read_bytes())
    notes = folder / "notes"
    noted = {line.split()[0] for line in notes.read_text().splitlines()}
    known = [event for event in stream if event.event_id in noted]
    waiting = [event for event in stream if event.event_id not in noted]
    paper = os.open(notes, os.O_WRONLY | os.O_APPEND)
    asking = Asking(folder)
    again = chance.sample(known, min(len(known), chance.randint(0, BATCH_MOST)))
    while waiting:
        new = waiting[: chance.randint(1, BATCH_MOST)]
        answers = asking.ask([*again, *new])
        os.write(paper, "".join(" ".join(map(str, one)) + "\n" for one in answers).encode())
        os.fsync(paper)
        known += new
        del waiting[: len(new)]
        again = chance.sample(known, chance.randint(0, min(len(known), 8)))


class Asking:
    """A client's connection, made again whenever it breaks."""

    def __init__(self, folder: Path) -> None:
        self._door = str(folder / "door")
        self._clerk: Connection | None = None

    def ask(self, batch: list[Any]) -> list[tuple[str, int, str, int, str]]:
        """The answers, however often it must be asked."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                if self._clerk is None:
                    self._clerk = Client(self._door, "AF_UNIX", authkey=SECRET)
                self._clerk.send(batch)
                print("sent", flush=True)
                answers = self._clerk.recv()
            except (EOFError, OSError):
                self._clerk, answers = None, None
            if answers is not None:
                return answers  # type: ignore[no-any-return]
            time.sleep(0.02)
        raise TimeoutError("nobody answers")


if __name__ == "__main__":
    if sys.argv[1] == "clerk":
        clerk(Path(sys.argv[2]), sys.argv[3])
    else:
        client(Path(sys.argv[2]), int(sys.argv[3]))
