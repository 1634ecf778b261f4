"""What did a round cost? Processor time, log, disk, and whether the books still agree.

Processor time is utime + stime of /proc/<pid>/stat, in ticks of the kernel (usually 10 ms), of

* the writer processes (all their threads), from the start signal to the last answer: `python_us`;
* the server processes that serve them (one or two connections each): `postgres_us`;
* all other processes of the server (checkpointer, log writer, autovacuum, I/O workers): `server_other_us`.

Not included: kernel threads (writing back dirty pages, the disk driver), and whoever makes or reads the load.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import psycopg

from drachm.bench.server import BenchServer
from drachm.domain.errors import Unavailable
from drachm.domain.ledger.model import EntryKind

TICK_US: Final = 1_000_000 // os.sysconf("SC_CLK_TCK")

ENROLLED: Final = frozenset(
    {"tenant", "party", "member", "coverage", "contract", "document", "pot", "sheet", "account", "data_key"}
    | {"schema_migration"}
)
TOTALS: Final = frozenset({"state", "total"})
"""Running totals and pots. Every table that is in neither set counts as the journal's: the journal itself, outbox, work
queue, and whatever else a release writes for an event."""

_BACKENDS: Final = """
SELECT pid FROM pg_stat_activity
WHERE backend_type = 'client backend' AND datname = current_database() AND pid <> pg_backend_pid()
"""
_TABLES: Final = """
SELECT relname || '.' || part, size FROM pg_class, LATERAL (
    SELECT coalesce(pg_total_relation_size(nullif(reltoastrelid, 0)), 0) AS overflow
), LATERAL (VALUES
    ('rows', pg_table_size(pg_class.oid) - overflow), ('indexes', pg_indexes_size(pg_class.oid)), ('overflow', overflow)
) AS parts (part, size)
WHERE relkind IN ('r', 'm') AND relnamespace = 'public'::regnamespace
"""
_TOTAL_LINE: Final = re.compile(r"^Total\s+\d+\s+\d+\s+\[[\d.]+%\]\s+(?P<images>\d+)\s+\[", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Reading:
    """The counters at one moment; processor time in microseconds."""

    writers: int
    backends: Mapping[int, int]
    """Process id -> its time."""
    server: int
    """All processes of the server, those that ended included."""
    log: str
    """Position in the write-ahead log, as the server writes it."""
    tables: Mapping[str, int]
    """`journal.rows`, `journal.indexes`, `journal.overflow` and so on for each table -> bytes."""
    rows: int
    """In the journal."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The difference between two readings; time in microseconds, sizes in bytes."""

    python: int
    postgres: int
    server_other: int
    wal: int
    """Without full-page images."""
    wal_images: int
    """Full-page images alone: how many there are depends on when the last checkpoint was."""
    disk: int
    """Growth of the journal's tables."""
    disk_other: int
    """Growth of running totals, pots, accounts, keys and the register."""
    rows: int
    tables: Mapping[str, int] = field(default_factory=dict)
    """The same growth by table and part, as in `Reading.tables`; what did not grow is left out."""


class Probe:
    """Looks at one database through a connection of its own, which it leaves out of every figure."""

    def __init__(self, server: BenchServer, database: str) -> None:
        self._server = server
        self._database = database
        self._conn: psycopg.Connection[Any] | None = None
        self._backends: set[int] = set()

    def __enter__(self) -> Self:
        self._conn = psycopg.connect(self._server.url(self._database), autocommit=True)
        # Helpers of a parallel query would count as other processes of the server.
        self._conn.execute("SET max_parallel_workers_per_gather = 0")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._conn is not None:
            self._conn.close()

    def read(self, writers: list[int]) -> Reading:
        """The counters now; call it before the writers start and when all are done but still there."""
        self._backends.update(pid for (pid,) in self._ask(_BACKENDS))
        own = self._ask("SELECT pg_backend_pid()")[0][0]
        # Counted before anything else is asked, which would itself take time.
        server = server_time(self._server.postmaster) - (process_time(own) or 0)
        backends = {pid: spent for pid in self._backends if (spent := process_time(pid)) is not None}
        return Reading(
            writers=sum(_present(pid) for pid in writers),
            backends=backends,
            server=server,
            log=str(self._ask("SELECT pg_current_wal_insert_lsn()")[0][0]),
            tables=dict(self._ask(_TABLES)),
            rows=self.rows(),
        )

    def cost(self, before: Reading, after: Reading) -> Cost:
        """What happened between two readings."""
        whole = int(self._ask("SELECT pg_wal_lsn_diff(%s, %s)", after.log, before.log)[0][0])
        images = self._images(before.log, after.log) if whole else 0
        growth = {name: size - before.tables.get(name, 0) for name, size in after.tables.items()}
        other = sum(grown for name, grown in growth.items() if name.partition(".")[0] in ENROLLED | TOTALS)
        backends = sum(spent - before.backends.get(pid, 0) for pid, spent in after.backends.items())
        return Cost(
            python=after.writers - before.writers,
            postgres=backends,
            server_other=max(0, after.server - before.server - backends),
            wal=whole - images,
            wal_images=images,
            disk=sum(growth.values()) - other,
            disk_other=other,
            rows=after.rows - before.rows,
            tables={name: grown for name, grown in sorted(growth.items()) if grown},
        )

    def rows(self) -> int:
        """How many rows the journal has that answer somebody; allotments, and dues paid by themselves, are our own."""
        own = [EntryKind.ALLOTMENT, EntryKind.REVISION]
        return int(self._ask("SELECT count(*) FROM journal WHERE kind <> ALL (%s)", own)[0][0])

    def newest(self) -> int:
        """The highest position in the journal."""
        return int(self._ask("SELECT coalesce(max(position), 0) FROM journal")[0][0])

    def _images(self, first: str, last: str) -> int:
        """Bytes of full-page images between two places of the log, as the wheel's pg_waldump counts them."""
        # A commit after it: everything up to `last` has reached the files.
        self._ask("SELECT pg_logical_emit_message(true, 'bench', '')")
        told = self._server.run("pg_waldump", "--stats", "-p", self._server.wal_folder, "-s", first, "-e", last)
        return images_in(told)

    def _ask(self, statement: str, *values: object) -> list[Any]:
        if self._conn is None:
            raise Unavailable("the probe is used inside its block only", where="bench")
        return self._conn.execute(statement.encode(), values or None).fetchall()


def images_in(statistics: str) -> int:
    """The full-page images' bytes in the total line of `pg_waldump --stats`."""
    found = _TOTAL_LINE.search(statistics)
    if found is None:
        raise Unavailable("pg_waldump counted in a form that is not known", where="pg_waldump --stats")
    return int(found["images"])


def process_time(process: int) -> int | None:
    """utime + stime of a process with all its threads, in microseconds; None when it is gone."""
    found = _stat(process)
    return None if found is None else (int(found[11]) + int(found[12])) * TICK_US


def server_time(postmaster: int) -> int:
    """The postmaster, its children that live, and all those it has buried."""
    found = _stat(postmaster)
    if found is None:
        raise Unavailable("the server of the benchmark is gone", where="bench")
    ended_and_own = sum(int(found[place]) for place in (11, 12, 13, 14)) * TICK_US
    return ended_and_own + sum(process_time(child) or 0 for child in children_of(postmaster))


def children_of(parent: int) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            stat = _stat(int(folder.name))
            if stat is not None and int(stat[1]) == parent:
                found.append(int(folder.name))
    return found


def _present(process: int) -> int:
    found = process_time(process)
    if found is None:
        raise Unavailable("a writer of the benchmark ended early", where="bench")
    return found


def _stat(process: int) -> list[bytes] | None:
    """The fields of /proc/<pid>/stat behind the name, which may itself hold spaces: state is field 0."""
    try:
        return Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
