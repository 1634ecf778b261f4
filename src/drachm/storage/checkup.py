"""Is the database as the service needs it? Asked by `drachm doctor`; nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import psycopg

from drachm.application.findings import Finding, found
from drachm.storage import queries
from drachm.storage.migrate import MIGRATIONS, read_migrations
from drachm.storage.session import Sessions

VERSION_MIN: Final = 160_000
CLOCK_SECONDS: Final = (1.0, 10.0)
"""How far two clocks may be apart before it is worth a word, and before it is wrong."""
BEHIND: Final = 10_000
WAITING: Final = 1_000
CONNECT_SECONDS: Final = 5
_ROLES: Final = ("drachm_writer", "drachm_reader", "drachm_registrar")
_SQL: Final = queries.load("checkup")

Connection = psycopg.Connection[Any]


def checkup(url: str, now: datetime, *, embedded: bool) -> Iterator[Finding]:
    """Everything worth a word, most important first; ends where the next look would need what is missing.

    `now` is this machine's time. `embedded`: the server is ours, and we are its superuser.
    """
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_SECONDS) as conn:
            yield found("database", "the database answers")
            yield from _server(conn, now)
            if conn.execute(_SQL["has_schema"]).fetchone() != (True,):
                yield found("migrations", "the schema is not here", warn="Run ./drachm serve: it makes the schema.")
                return
            yield (migrations := _migrations(conn))
            yield from _security(conn, embedded)
            tenants = [tenant for (tenant,) in conn.execute(_SQL["tenants"])]
        if migrations.state == "ok":
            yield from _tenants(url, tenants)
    except psycopg.OperationalError as error:
        said = str(error).strip().splitlines()
        step = "Start the server, or correct DRACHM_DATABASE_URL."
        yield found("database", f"the database does not answer: {said[-1] if said else 'no word'}", fail=step)


def _server(conn: Connection, now: datetime) -> Iterator[Finding]:
    ((number, words, its_time, fsync, full_pages, synchronous, checksums),) = conn.execute(_SQL["server"]).fetchall()
    old = number < VERSION_MIN
    yield found("version", f"PostgreSQL {words}", fail="Use PostgreSQL 16 or newer." if old else "")
    apart = abs((its_time - now).total_seconds())
    said = f"this machine and the database are {apart:.1f} seconds apart"
    step = "Keep both machines on network time (chrony, ntpd)."
    yield found("clock", said, fail=step if apart > CLOCK_SECONDS[1] else "", warn=step if apart > 1 else "")
    lost = [name for name, value in (("fsync", fsync), ("full_page_writes", full_pages)) if value != "on"] + (
        ["synchronous_commit"] if synchronous == "off" else []
    )
    said = f"{', '.join(lost)} off" if lost else "commits are durable"
    step = "An acknowledged event could be lost: set them on, and restart the server."
    # What we post sets synchronous_commit for itself; the other two nobody can set but the server.
    hard = [name for name in lost if name != "synchronous_commit"]
    yield found("durability", said, fail=step if hard else "", warn=step if lost else "")
    step = "Turn them on with pg_checksums while the server is stopped."
    yield found("checksums", f"data checksums {checksums}", warn="" if checksums == "on" else step)


def _migrations(conn: Connection) -> Finding:
    applied: dict[str, str] = dict(conn.execute(_SQL["applied"]).fetchall())
    here = {one.name: one.sha256 for one in read_migrations(MIGRATIONS)}
    strange = [name for name, checksum in applied.items() if here.get(name) != checksum]
    pending = [name for name in here if name not in applied]
    if strange:
        said = f"not this program's: {', '.join(sorted(strange))}"
        return found("migrations", said, fail="Run the version of Drachm that made them, or a newer one.")
    step = "Run ./drachm serve: it brings the schema up to date."
    said = f"to be applied: {', '.join(pending)}" if pending else f"all {len(here)} applied"
    return found("migrations", said, warn=step if pending else "")


def _security(conn: Connection, embedded: bool) -> Iterator[Finding]:
    roles = {name: rest for name, *rest in conn.execute(_SQL["roles"])}
    missing = [name for name in _ROLES if name not in roles or not roles[name][0]]
    # The writer passes row security, because PostgreSQL refuses COPY under it (decision 0007).
    passing = [name for name, (_, passes, above, _) in roles.items() if above or (passes and name != "drachm_writer")]
    said = f"missing or not ours: {', '.join(missing)}" if missing else "all roles are here"
    if passing:
        said = f"stand above row security: {', '.join(sorted(passing))}"
    step = "Run the migrations as the owner of the schema." if missing else "ALTER ROLE ... NOBYPASSRLS NOSUPERUSER."
    yield found("roles", said, fail=step if missing or passing else "")
    bare = [name for (name,) in conn.execute(_SQL["bare_tables"])]
    step = "Restore the row security of the migrations before anything is served."
    said = f"not forced on {', '.join(bare)}" if bare else "forced on every table of a tenant"
    yield found("row_security", said, fail=step if bare else "")
    above = conn.execute("SHOW is_superuser").fetchone() == ("on",)
    if above and not embedded:
        step = "Connect as the owner of the schema, who need not be a superuser."
        yield found("connection", "the service connects as a superuser", warn=step)


def _tenants(url: str, tenants: list[int]) -> Iterator[Finding]:
    if not tenants:
        yield found("tenants", "there is no tenant yet", warn="Run ./drachm serve, or enrol somebody.")
        return
    sessions = Sessions(url, 0)
    try:
        behind = sum(_one(sessions, "behind", tenant) for tenant in tenants)
        waiting = sum(_one(sessions, "waiting", tenant) for tenant in tenants)
    finally:
        sessions.close()
    step = "Start ./drachm serve: it follows the journal. If it runs, read its log."
    yield found("index", f"the readers' index is {behind} rows behind", warn=step if behind > BEHIND else "")
    step = "Read GET /v1/work-queue: each event says what it waits for."
    yield found(
        "work_queue",
        "1 event waits" if waiting == 1 else f"{waiting} events wait",
        warn=step if waiting > WAITING else "",
    )


def _one(sessions: Sessions, query: str, tenant: int) -> int:
    with sessions.transaction("reader", tenant) as conn:
        row = conn.execute(_SQL[query], {"tenant": tenant}).fetchone()
    return int(row[0]) if row else 0
