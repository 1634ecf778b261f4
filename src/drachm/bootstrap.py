"""Where do concrete things meet? The one place that knows every room; only entry points use it."""

from __future__ import annotations

import gc
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from drachm import settings as configuration
from drachm.adapters import eventjson, jsonsafe, vectors
from drachm.adapters.synthea import read_paths
from drachm.adapters.synthea.plans import plan_documents
from drachm.application.desk import Desk
from drachm.application.replay import World
from drachm.domain.coverage.model import Coverage, Member, Party
from drachm.domain.errors import DrachmError, InvalidMessage, Unavailable
from drachm.domain.events.model import ServiceEvent
from drachm.settings import Settings
from drachm.storage.embedded import EmbeddedServer
from drachm.storage.migrate import migrate
from drachm.storage.postgres import open_books
from drachm.storage.tally import DiskTally

DATABASE: Final = "drachm"
DEMO_DATABASE: Final = "drachm_demo"
SAMPLES: Final = Path(__file__).resolve().parents[2] / "samples"
"""Documents and data of the project's clone."""


class SystemClock:
    """The server's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class SystemIds:
    """The operating system's randomness."""

    def random_bytes(self, count: int) -> bytes:
        return secrets.token_bytes(count)


@dataclass(frozen=True, slots=True)
class Place:
    """A database that is ready, and what to say about where it is."""

    desk: Desk
    embedded: bool
    url: str = ""
    """Of its database, for whoever opens it a second time; it may hold a password."""


def read_settings() -> Settings:
    """Settings of this process's environment."""
    return configuration.load(os.environ)


@contextmanager
def open_place(
    settings: Settings, *, tenant: int = 1, database: str = DATABASE, fresh: bool = False
) -> Iterator[Place]:
    """Start or find the database, bring its schema up to date, and open one tenant's books.

    `fresh`: an embedded database is dropped first, and is nobody else's meanwhile; on an outside server a tenant of its
    own is taken instead. Raises `Unavailable` when no database can be reached, or another program has taken this one.
    """
    key = configuration.master_key(settings)
    if settings.database_url:
        yield from _at(
            settings.database_url, _free_tenant(settings.database_url) if fresh else tenant, key, embedded=False
        )
        return
    with (
        EmbeddedServer(settings.data_dir, settings.pg_major, start_seconds=settings.pg_start_seconds) as server,
        _sole_user(server.url("postgres"), database) if fresh else nullcontext(),
    ):
        _make_database(server.url("postgres"), database, fresh=fresh)
        yield from _at(server.url(database), tenant, key, embedded=True)


@contextmanager
def ready_database(settings: Settings, database: str = DATABASE) -> Iterator[str]:
    """The URL of a database that runs and has today's schema: the one that is set, else the embedded server's.

    Raises `Unavailable` when none can be reached.
    """
    if settings.database_url:
        _migrate(settings.database_url)
        yield settings.database_url
        return
    with EmbeddedServer(settings.data_dir, settings.pg_major, start_seconds=settings.pg_start_seconds) as server:
        _make_database(server.url("postgres"), database, fresh=False)
        _migrate(server.url(database))
        yield server.url(database)


def spare_the_collector() -> None:
    """Let the collector of cycles look rarely, at what is new only. For a process whose work is clearing.

    A batch makes some hundred thousand small values without cycles, which go as soon as it is answered; looking for
    cycles among them each time costs a fifth of the clearing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(1_000_000, 20, 100)


def samples() -> Path:
    """The folder of bundled documents and data; `InvalidMessage` where the program runs without its clone."""
    if not SAMPLES.is_dir():
        raise InvalidMessage(
            "the bundled samples are not here", where=str(SAMPLES.name), next_step="Run ./drachm in a clone."
        )
    return SAMPLES


def sample_plans() -> list[dict[str, Any]]:
    """The plan documents of the samples, those of the Synthea plan table included."""
    folder = samples()
    documents = [read_document(path) for path in sorted((folder / "plans").glob("*.json"))]
    tables = sorted((folder / "synthea").rglob("payers_with_plan_parameters_2021-06.csv"))
    return documents + [plan for table in tables for plan in plan_documents(table)]


def sample_books() -> list[dict[str, Any]]:
    """The price books of the samples."""
    return [read_document(path) for path in sorted((samples() / "prices").glob("*.json"))]


def read_document(path: Path) -> dict[str, Any]:
    """One JSON document, read strictly; `InvalidMessage` names the place."""
    with jsonsafe.opened(path, str(path)) as stream:
        document = jsonsafe.loads(jsonsafe.read_whole(stream, str(path)), str(path))
    if not isinstance(document, dict):
        raise InvalidMessage(
            "an object is expected",
            where=str(path),
            next_step="Name a file with one document.",
            code="invalid_document",
        )
    return document


def read_events(path: Path) -> Iterator[ServiceEvent | DrachmError]:
    """Events of a file in our own JSON form; what cannot be read comes as its error."""
    return eventjson.read_file(path)


def read_recorded(paths: Iterable[Path]) -> World:
    """Synthea records of any supported form as one world, parties named once."""
    parties: dict[str, Party] = {}
    members: list[Member] = []
    coverages: list[Coverage] = []
    events: list[ServiceEvent] = []
    problems: list[DrachmError] = []
    for bundle in read_paths(paths):
        parties.update((party.id, party) for party in bundle.providers)
        if bundle.member is not None:
            members.append(bundle.member)
        coverages.extend(bundle.coverages)
        events.extend(bundle.events)
        problems.extend(bundle.problems)
    return World(list(parties.values()), members, coverages, events, problems)


def run_conformance(path: Path) -> vectors.ConformanceReport:
    """Published adjudication cases, computed through ordinary plan documents and compared."""
    return vectors.run(path)


def conformance_text(report: vectors.ConformanceReport) -> str:
    """The report as tables for people."""
    return vectors.render(report)


def conformance_object(report: vectors.ConformanceReport) -> dict[str, Any]:
    """The report as the object of `--json`."""
    return vectors.as_json(report)


def disk_tally() -> DiskTally:
    """Running sums in bounded memory."""
    return DiskTally()


def _at(url: str, tenant: int, key: bytes, *, embedded: bool) -> Iterator[Place]:
    _migrate(url)
    books = open_books(url, tenant, master_key=key, ids=SystemIds())
    spare_the_collector()
    try:
        yield Place(Desk(books, SystemClock(), SystemIds()), embedded, url)
    finally:
        books.close()


def _migrate(url: str) -> None:
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            migrate(connection)
    except psycopg.OperationalError as error:
        raise Unavailable(f"the database does not answer: {error}", where="DRACHM_DATABASE_URL") from None


def _make_database(url: str, name: str, *, fresh: bool) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(hashtext('drachm database'))")
        if fresh:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))


@contextmanager
def _sole_user(url: str, name: str) -> Iterator[None]:
    """Have a database for oneself among those who want it fresh: nobody drops it under another's feet."""
    with psycopg.connect(url, autocommit=True) as connection:
        asked = connection.execute("SELECT pg_try_advisory_lock(hashtext('drachm sole user'), hashtext(%s))", [name])
        if asked.fetchone() != (True,):
            raise Unavailable(
                "another demo is running on these books",
                where="DRACHM_DATA_DIR",
                next_step="End the other one, or set DRACHM_DATA_DIR to another folder.",
            )
        yield


def _free_tenant(url: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        migrate(connection)
        row = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM tenant").fetchone()
    return int(row[0]) if row else 1
