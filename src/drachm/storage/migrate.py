"""Is the schema of this database the one this program was written for?

Numbered plain SQL files, applied once and in order, each in one transaction together with its row in
`schema_migration`. An applied file never changes: its checksum is compared at every start, so that every database of
every operator went the same way.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from drachm.domain.errors import IntegrityError, Unavailable

MIGRATIONS = Path(__file__).parent / "migrations"
FILE_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")

LOCK_KEY = int.from_bytes(hashlib.sha256(b"drachm schema_migration").digest()[:8], "big", signed=True)
"""The advisory lock that lets one process of all migrate a database at a time."""

TABLE = """
CREATE TABLE IF NOT EXISTS public.schema_migration (
    number     integer     PRIMARY KEY,
    name       text        NOT NULL UNIQUE,
    sha256     text        NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number, its name without the ending, its text and the checksum of that text."""

    number: int
    name: str
    sql: bytes
    sha256: str


def migrate(conn: psycopg.Connection[Any], folder: Path | None = None) -> list[str]:
    """Apply the files of `folder` that this database has not seen; the names of those applied now, in order.

    The connection must not be in a transaction. Processes that race wait for each other: each file is applied once.
    Raises IntegrityError when an applied file changed or is missing here, when a file comes too late for its number,
    or when a file fails (nothing of that file is kept), and Unavailable when the connection is lost.
    """
    files = read_migrations(MIGRATIONS if folder is None else folder)
    applied_now: list[str] = []
    try:
        with _alone(conn):
            if conn.execute("SELECT to_regclass('public.schema_migration')").fetchone() == (None,):
                conn.execute(TABLE)
            for migration in _pending(files, _applied(conn)):
                _apply(conn, migration)
                applied_now.append(migration.name)
    except psycopg.OperationalError as error:
        raise Unavailable(f"the database went away while migrating: {error}") from error
    return applied_now


def read_migrations(folder: Path) -> list[Migration]:
    """The files of a folder by number. Raises IntegrityError for a bad name or a number used twice."""
    found: dict[int, Migration] = {}
    for path in sorted(folder.glob("*.sql")):
        match = FILE_NAME.fullmatch(path.name)
        if match is None:
            raise IntegrityError(
                "a migration is named NNNN_what_it_does.sql",
                where=str(path),
                next_step="Rename the file: four digits, then lower-case words joined by underscores.",
            )
        number = int(match[1])
        if number in found:
            raise IntegrityError(
                f"migrations {found[number].name} and {path.stem} share a number",
                where=str(path),
                next_step="Give the newer file the next free number.",
            )
        # A checkout may turn line ends around; the statements stay the same.
        sql = path.read_bytes().replace(b"\r\n", b"\n")
        found[number] = Migration(number, path.stem, sql, hashlib.sha256(sql).hexdigest())
    return [found[number] for number in sorted(found)]


@contextmanager
def _alone(conn: psycopg.Connection[Any]) -> Iterator[None]:
    """Hold the migration lock, each statement in its own transaction unless one is opened; restore the connection."""
    autocommit = conn.autocommit
    conn.autocommit = True
    conn.execute("SELECT pg_advisory_lock(%s)", [LOCK_KEY])
    try:
        yield
    finally:
        if not conn.broken:
            conn.execute("SELECT pg_advisory_unlock(%s)", [LOCK_KEY])
            conn.autocommit = autocommit


def _applied(conn: psycopg.Connection[Any]) -> dict[str, str]:
    """Name to checksum, in the order of the numbers."""
    return dict(conn.execute("SELECT name, sha256 FROM public.schema_migration ORDER BY number").fetchall())


def _pending(files: Sequence[Migration], applied: dict[str, str]) -> list[Migration]:
    """The files still to apply, after every check that they continue what was applied."""
    here = {migration.name: migration for migration in files}
    for name, sha256 in applied.items():
        if name not in here:
            raise IntegrityError(
                f"the database has migration {name}, which this program does not know",
                where=name,
                next_step="Run the program version that made it, or a newer one.",
            )
        if here[name].sha256 != sha256:
            raise IntegrityError(
                f"these books were made by another version of Drachm: its migration {name} is not this program's",
                where=name,
                next_step="Run the version that made them, or begin with a new data folder or database. Whoever "
                "changed the file here restores it as it was released and writes the change as a new migration.",
            )
    pending = [migration for migration in files if migration.name not in applied]
    last = max((here[name].number for name in applied), default=-1)
    for migration in pending:
        if migration.number < last:
            raise IntegrityError(
                f"migration {migration.name} comes too late: number {last:04} is applied already",
                where=migration.name,
                next_step="Give the file a number above the last applied one.",
            )
    return pending


def _apply(conn: psycopg.Connection[Any], migration: Migration) -> None:
    try:
        with conn.transaction():
            conn.execute(migration.sql)
            if conn.info.transaction_status != TransactionStatus.INTRANS:
                raise IntegrityError(
                    f"migration {migration.name} ends its own transaction; check by hand what it left behind",
                    where=migration.name,
                    next_step="Take BEGIN, COMMIT and ROLLBACK out of the file.",
                )
            conn.execute(
                "INSERT INTO public.schema_migration (number, name, sha256) VALUES (%s, %s, %s)",
                [migration.number, migration.name, migration.sha256],
            )
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        raise IntegrityError(
            f"migration {migration.name} failed and was undone: {error}",
            where=migration.name,
            next_step="Correct the statement it names and migrate again; the files before it are applied.",
        ) from error
