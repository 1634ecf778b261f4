"""On which server is measured? A throw-away one, with one committed settings file, gone when the block ends."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Final

import psycopg
from psycopg import sql

from drachm.domain.errors import Unavailable, ensure
from drachm.storage.embedded import EmbeddedServer
from drachm.storage.embedded_home import Home, make_home
from drachm.storage.migrate import migrate
from drachm.storage.postmaster import socket_folder

SETTINGS_FILE: Final = Path(__file__).with_name("postgresql.conf.part")
MUST_BE_ON: Final = ("fsync", "synchronous_commit", "full_page_writes", "data_checksums")
"""Without these a commit costs nothing, and no figure means anything."""

ENDED: Final = 128
"""Exit status of a program ended by a signal: this plus its number."""


@dataclass(frozen=True, slots=True)
class BenchServer:
    """A running throw-away server."""

    home: Home
    version: str
    """As the server tells it."""
    postmaster: int
    """Process id of the server's first process."""
    url: Callable[[str], str]
    """Database name -> libpq URL."""

    @property
    def wal_folder(self) -> Path:
        """Where the server keeps its write-ahead log."""
        return self.home.data / "pg_wal"

    def run(self, program: str, *arguments: str | Path) -> str:
        """What a program of the same wheel wrote; `Unavailable` with its own words when it fails."""
        done = self.home.run([self.home.binaries / program, *arguments])
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise Unavailable(f"{program} failed: {' / '.join(said[-3:])}", next_step="Read what it names.")
        return done.stdout.decode(errors="replace")

    def run_client(self, program: str, *arguments: str | Path) -> str:
        """The same for a program that connects to the server."""
        place = ("-h", socket_folder(self.home), "-p", "5432", "-U", "postgres")
        return self.run(program, *place, *arguments)

    def make_database(self, name: str, *, schema: bool) -> str:
        """An empty database, with Drachm's schema or none; its URL."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        if schema:
            with psycopg.connect(self.url(name), autocommit=True) as connection:
                migrate(connection)
        return self.url(name)


def settings_of(text: str) -> dict[str, str]:
    """The settings of a file in the server's own form: a name, `=`, a value; comments begin with `#`."""
    found = {}
    for line in text.splitlines():
        name, sign, value = line.partition("#")[0].partition("=")
        if sign:
            found[name.strip()] = value.strip().strip("'")
    return found


def settings_hash() -> str:
    """SHA-256 of the committed settings file."""
    return hashlib.sha256(SETTINGS_FILE.read_bytes()).hexdigest()


@contextmanager
def throw_away(major: int) -> Iterator[BenchServer]:
    """A server of its own in a temporary folder; stopped and removed however the block ends.

    Raises `Unavailable` on a system without /proc, when the server does not start, and when it is not durable.
    """
    if sys.platform != "linux":
        raise Unavailable(
            "the benchmark reads processor time from /proc, which only Linux has", next_step="Run it on Linux."
        )
    folder = Path(tempfile.mkdtemp(prefix="drachm-bench-"))
    server = EmbeddedServer(folder, major, settings=settings_of(SETTINGS_FILE.read_text("utf-8")))
    with _ended_politely():
        try:
            server.start()
            yield _started(server, make_home(folder, major))
        finally:
            with _not_disturbed():
                _remove(server, folder, major)


def _started(server: EmbeddedServer, home: Home) -> BenchServer:
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        rows: Sequence[Any] = connection.execute(
            "SELECT name, setting FROM pg_settings WHERE name = ANY (%s)", [list(MUST_BE_ON)]
        ).fetchall()
        version = str(connection.info.parameter_status("server_version"))
    ensure(dict(rows) == dict.fromkeys(MUST_BE_ON, "on"), f"the server is not durable: {dict(rows)}", where="settings")
    postmaster = int((home.data / "postmaster.pid").read_text().split("\n", 1)[0])
    return BenchServer(home, version, postmaster, server.url)


def _remove(server: EmbeddedServer, folder: Path, major: int) -> None:
    cluster = folder / f"pg{major}"
    with suppress(OSError, ValueError):
        home = make_home(folder, major)
        socket = socket_folder(home)
        # Nothing of it is kept, so it need not write its memory out first.
        postmaster = int((home.data / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(postmaster, signal.SIGQUIT)
        _wait_for_end(postmaster)
        if folder not in socket.parents and cluster.resolve() not in (socket, *socket.parents):
            shutil.rmtree(socket, ignore_errors=True)
    server.release()
    # For root the cluster may live elsewhere, with a link in the folder.
    shutil.rmtree(cluster.resolve(), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _wait_for_end(process: int, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while Path(f"/proc/{process}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)


@contextmanager
def _ended_politely() -> Iterator[None]:
    """SIGTERM ends the block like Ctrl-C does, so that the folder is removed."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(ENDED + number)

    try:
        before = signal.signal(signal.SIGTERM, end)
    except ValueError:  # not the main thread: whoever started it hears the signal
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _not_disturbed() -> Iterator[None]:
    """A second Ctrl-C must not leave a server behind."""
    try:
        before = [(number, signal.signal(number, signal.SIG_IGN)) for number in (signal.SIGINT, signal.SIGTERM)]
    except ValueError:
        before = []
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
