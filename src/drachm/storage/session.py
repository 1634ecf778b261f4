"""As whom does a transaction speak to the database, and what does the database's "no" mean to us?

Every transaction names its role and its tenant for itself alone (SET LOCAL): nothing of it is left on a pooled
connection (docs/decisions, row security). The writer posts and passes row security, because PostgreSQL refuses COPY
under it; the reader answers and the registrar enrols, publishes, erases and keeps records, both held by it; the owner
of the schema only migrates and makes tenants.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal

import msgspec
import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus
from psycopg.types.json import set_json_loads
from psycopg.types.numeric import Int8BinaryDumper, Int8Dumper
from psycopg_pool import ConnectionPool, PoolTimeout

from drachm.application.ports import ConstraintFired, Raced
from drachm.domain.errors import DrachmError, IntegrityError, Unavailable
from drachm.storage import arrays
from drachm.storage.statements import Prepared

Connection = psycopg.Connection[Any]
Role = Literal["owner", "writer", "reader", "registrar"]

WRITERS_MAX: Final = 8
READERS_MAX: Final = 4
REGISTRARS_MAX: Final = 4
WAIT_SECONDS_MAX: Final = 10.0
"""How long a transaction waits for a free connection."""

RACES: Final = frozenset({"journal_key", "journal_supersedes"})
"""Unique indexes that fire when another writer answered the same event first, or took the place of the same row."""

_BEGIN: Final[dict[Role, str]] = {
    # What is durable and what is read do not depend on how a server is set up.
    "writer": "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL ROLE drachm_writer; SET LOCAL synchronous_commit = on",
    "reader": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL ROLE drachm_reader",
    "registrar": (
        "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL ROLE drachm_registrar; SET LOCAL synchronous_commit = on"
    ),
    "owner": "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = on",
}
_WRITER_SETTINGS: Final = """
-- A statement is planned once, whatever the size of a batch; queries/work.sql says why the plan is then always good.
SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off;
SET enable_memoize = off;
-- A writer that stops with locks in its hands must not stop the others for ever.
SET lock_timeout = '30s';
SET idle_in_transaction_session_timeout = '60s';
"""


class Sessions:
    """Connections to one database for one tenant. Writers have their own pool, so that a posting that also reads the
    documents never waits for a connection that another posting holds. The owner connects for each transaction: those
    are rare, and the first tells at once why a database cannot be reached."""

    def __init__(self, url: str, tenant: int, *, wait_seconds: float = WAIT_SECONDS_MAX) -> None:
        self._url = url
        self._tenant = tenant
        self._pools = {
            "writer": _pool(url, Prepared, _configure_writer, WRITERS_MAX, wait_seconds),
            "reader": _pool(url, psycopg.Connection, _configure, READERS_MAX, wait_seconds),
            "registrar": _pool(url, psycopg.Connection, _configure, REGISTRARS_MAX, wait_seconds),
        }

    @contextmanager
    def transaction(self, role: Role, tenant: int | None = None) -> Iterator[Connection]:
        """One transaction: committed when the block ends, undone when it raises. `tenant`: not the one of the pool."""
        conn = self.begin(role, tenant)
        try:
            with answered():
                yield conn
                conn.commit()
        finally:
            self.end(role, conn)

    def begin(self, role: Role, tenant: int | None = None) -> Connection:
        """A connection in a new transaction. Raises Unavailable when the database does not answer."""
        statement = f"{_BEGIN[role]}; SET LOCAL app.tenant = {self._tenant if tenant is None else tenant:d}"
        with answered():
            # After a restart of the server every idle connection is dead, and says so at its first statement only.
            for _ in range(WRITERS_MAX):
                conn = self._connect(role)
                try:
                    conn.execute(statement)
                    return conn
                except psycopg.OperationalError:
                    self.end(role, conn)
            conn = self._connect(role)
            conn.execute(statement)
            return conn

    def end(self, role: Role, conn: Connection) -> None:
        """Give a connection back; what was not committed is undone."""
        try:
            # Left in the middle of a statement, nobody knows what comes next on it.
            if role == "owner" or conn.info.transaction_status == TransactionStatus.ACTIVE:
                conn.close()
            else:
                conn.rollback()
        except psycopg.Error:
            conn.close()
        if role != "owner":
            self._pools[role].putconn(conn)

    def close(self) -> None:
        """Let go of all connections."""
        for pool in self._pools.values():
            pool.close()

    def _connect(self, role: Role) -> Connection:
        if role != "owner":
            return self._pools[role].getconn()
        conn = psycopg.connect(self._url, autocommit=True)
        _configure(conn)
        return conn


@contextmanager
def answered() -> Iterator[None]:
    """Turn the database's errors into ours. The cause is not chained: its detail shows the row, which may be health
    data."""
    try:
        yield
    except psycopg.Error as error:
        raise meaning(error) from None


def meaning(error: psycopg.Error) -> DrachmError:
    """What an error of the database means to the caller."""
    words = error.diag.message_primary or str(error).partition("\n")[0]
    name = error.diag.constraint_name or ""
    if isinstance(error, errors.UniqueViolation) and name in RACES:
        return Raced("another writer posted one of these events", where=name)
    if isinstance(error, errors.DeadlockDetected | errors.SerializationFailure):
        return Raced(words, where="database")
    if isinstance(error, psycopg.IntegrityError | psycopg.DataError):
        return ConstraintFired(words, where=name or "database")
    if isinstance(error, PoolTimeout):
        return Unavailable("no connection to the database became free in time", where="database")
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError | errors.ReadOnlySqlTransaction):
        return Unavailable(f"the database does not answer: {words}", where="database")
    return IntegrityError(
        f"the database is not as this program expects: {words}",
        where="database",
        next_step="Start this version of the program once: it brings the schema up to date.",
    )


def _pool(
    url: str, kind: type[Connection], configure: Any, most: int, wait_seconds: float
) -> ConnectionPool[Connection]:
    return ConnectionPool(
        url,
        connection_class=kind,
        kwargs={"autocommit": True},
        configure=configure,
        min_size=0,
        max_size=most,
        timeout=wait_seconds,
        open=True,
    )


def _configure(conn: Connection) -> None:
    # One integer type for all parameters, or a statement would be prepared once for each size of its numbers.
    conn.adapters.register_dumper(int, Int8Dumper)
    conn.adapters.register_dumper(int, Int8BinaryDumper)
    arrays.register(conn)
    set_json_loads(_facts, conn)
    conn.execute("SET timezone = 'UTC'")


def _facts(data: str | bytes) -> Any:
    return {} if data == b"{}" else msgspec.json.decode(data)


def _configure_writer(conn: Connection) -> None:
    _configure(conn)
    # By itself the driver prepares what comes often, and after an undone transaction forgets all, ours included. It is
    # told here, because it sets the number when it has connected.
    conn.prepare_threshold = None
    conn.execute(_WRITER_SETTINGS)
