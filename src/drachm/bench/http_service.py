"""Which service is measured? `drachm serve` as anybody starts it, on the measured server, with a writer's tasks."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

import msgspec
import psycopg

from drachm.adapters import eventjson
from drachm.application.desk import Desk
from drachm.bench.crew import SOURCES, Crew
from drachm.bench.http_load import Heard, closed, offered, request_of, served_of
from drachm.bench.load import Load
from drachm.bench.measure import Probe, children_of
from drachm.bench.options import Options
from drachm.bench.rounds import warm_up
from drachm.bench.settle import settle
from drachm.bench.stage import DATABASE, Stage, Town
from drachm.bench.world import make_world
from drachm.bench.writer import Done, Task
from drachm.bootstrap import SystemClock, SystemIds, read_settings, samples
from drachm.domain.errors import Unavailable
from drachm.storage.postgres import open_books

START_SECONDS: Final = 120
SINGLE_CALLERS: Final = 64
BULK_CALLERS: Final = 2
_CALLS_PER_MINUTE: Final = 1_000_000_000
_STARTED: Final = re.compile(r"listens on http://127\.0\.0\.1:(\d+) .*shown this once: (\S+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Served:
    """A running service and the key that opens it."""

    process: subprocess.Popen[bytes]
    port: int
    token: str
    folder: Path
    """Where it keeps the secrets that it made."""

    @property
    def workers(self) -> list[int]:
        """Process ids of the workers."""
        return children_of(self.process.pid)


class HttpCrew:
    """In a writer's place: makes requests of events beforehand, sends them at the signal (see `crew.Crew`)."""

    def __init__(self, served: Served, load: Load) -> None:
        self.served, self._load = served, load
        self._task = Task(1)
        self._requests: list[bytes] = []
        self.heard = Heard()
        """Of the last round."""

    @property
    def processes(self) -> list[int]:
        """Whose processor time a round is charged with: the service's workers."""
        return self.served.workers

    def make_ready(self, task: Task) -> None:
        """Make the requests of a round."""
        self._task, host = task, f"127.0.0.1:{self.served.port}"
        events = [eventjson.write_event(event) for event in self._load.events(task.events)]
        parts = [events[at : at + task.batch] for at in range(0, len(events), task.batch)]
        bodies = [msgspec.json.encode(part[0] if task.batch == 1 else part) for part in parts]
        self._requests = [request_of(host, self.served.token, body) for body in bodies]

    def run(self) -> list[Done]:
        """Send them, and say how it went."""
        task = self._task
        if task.offer is not None:
            self.heard = offered(self.served.port, self._requests, task.offer)
        else:
            callers = SINGLE_CALLERS if task.batch == 1 else BULK_CALLERS
            self.heard = closed(self.served.port, self._requests, callers)
        done = self.heard.done(bulk=task.batch > 1)
        if task.offer is not None:
            done.served = served_of(self.heard)
        return [done]

    def flood(self, callers: int) -> Heard:
        """Send what was made ready from many callers at once, with small calls beside them."""
        host = f"127.0.0.1:{self.served.port}"
        beside = request_of(host, self.served.token, b'{"no": "event"}')
        return closed(self.served.port, self._requests, callers, beside=beside)


@contextmanager
def open_service(stage: Stage, task: Task) -> Iterator[tuple[Town, HttpCrew]]:
    """A town enrolled as tenant 1, and the service before it, warm."""
    options = stage.options
    world = make_world(options.seed, options.families, samples=samples(), shared=read_settings().shared)
    with ExitStack() as held:
        books = held.enter_context(open_books(stage.url, 1, master_key=stage.master_key, ids=SystemIds()))
        desk = Desk(books, SystemClock(), SystemIds())
        pots = settle(world, desk, stage.tell)
        with psycopg.connect(stage.url, autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")
            connection.execute("CHECKPOINT")
        served = held.enter_context(serving(stage, options))
        crew = HttpCrew(served, Load(world))
        probe = held.enter_context(Probe(stage.server, DATABASE))
        town = Town(world, desk, cast(Crew, crew), probe)
        stage.tell(f"{pots:,} pots opened; warming up {options.writers} workers of the service")
        for _ in range(2):
            warm_up(town.arm("warm-up", task))
        yield town, crew


@contextmanager
def serving(stage: Stage, options: Options) -> Iterator[Served]:
    """`drachm serve` on the stage's database, `options.writers` workers."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DRACHM_")}
    with tempfile.TemporaryDirectory(prefix="drachm-bench-service-") as folder, tempfile.TemporaryFile() as said:
        environ |= {
            "DRACHM_DATABASE_URL": stage.url,
            "DRACHM_MASTER_KEY": stage.master_key.hex(),
            "DRACHM_DATA_DIR": folder,
            "DRACHM_CALLS_PER_MINUTE": str(_CALLS_PER_MINUTE),
            # The compiled core, where the launcher found one, stands before the sources.
            "PYTHONPATH": os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH", ""), str(SOURCES)))),
        }
        command = [sys.executable, "-P", "-m", "drachm", "serve", "--port", "0", "--workers", str(options.writers)]
        # The access log is written, as it would be, to a file.
        with (Path(folder) / "access.log").open("wb") as log:
            process = subprocess.Popen(command, env=environ, stdout=log, stderr=said)
        try:
            yield _started(process, said, Path(folder))
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _started(process: subprocess.Popen[bytes], said: IO[bytes], folder: Path) -> Served:
    until = time.monotonic() + START_SECONDS
    text = ""
    while time.monotonic() < until and process.poll() is None:
        text = os.pread(said.fileno(), 1_000_000, 0).decode(errors="replace")
        found = _STARTED.search(text)
        if found is not None and "The end: Ctrl-C" in text:
            return Served(process, int(found.group(1)), found.group(2), folder)
        time.sleep(0.05)
    last = " / ".join(text.strip().splitlines()[-3:])
    raise Unavailable(f"the service did not start: {last}", where="bench", next_step="Run ./drachm doctor.")
