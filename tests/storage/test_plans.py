"""The writer's statements find rows by their whole key, whatever the tables looked like when they were planned.

A prepared statement keeps the plan of its first execution, often made on empty tables. Then a look-up that was planned
as "read all rows of the tenant, keep those wanted" costs nothing at first and everything a day later.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

import psycopg
import pytest

from drachm.application.ports import Books
from drachm.domain.benefits.model import Key
from drachm.domain.coverage.model import Member
from drachm.storage import queries

Connection = psycopg.Connection[Any]

KEYS = {
    "journal": [{"key", "tenant"}, {"supersedes", "tenant"}],
    "data_key": [{"tenant", "patient"}],
    "account": [{"tenant", "id"}],
    "state": [{"id", "tenant"}],
    "total": [{"id", "tenant"}],
    "work_queue": [{"tenant", "key"}],
    # One sheet of a person or party, or all that are newer than a version.
    "sheet": [{"id", "kind", "tenant", "since"}, {"tenant", "since"}],
    "tenant": [{"id"}],
}
"""By which columns a row of each table may be looked up."""

MANY = 50_000
FILL = f"""
INSERT INTO journal (tenant, position, key, revision, supersedes, kind, status, patient, occurred_at,
                     posted_at, currency, legs, sources, leaf, body)
    SELECT 1, 1000 + n, decode(md5(n::text), 'hex'), 0, int8send(900 + n), 1, 0, n, now(), now(), 'USD',
           '{{1,5,2,-5}}', '\\x0000', sha256(n::text::bytea), '\\x00' FROM generate_series(1, {MANY}) n;
INSERT INTO data_key SELECT 1, n, '\\x00' FROM generate_series(1, {MANY}) n ON CONFLICT DO NOTHING;
INSERT INTO account SELECT 1, n, 'cash', n::text, 'USD' FROM generate_series(1, {MANY}) n;
INSERT INTO state (tenant, id) SELECT 1, n FROM generate_series(1, {MANY}) n;
INSERT INTO total (tenant, id, packed) SELECT 1, n, '' FROM generate_series(1, {MANY}) n;
INSERT INTO sheet (tenant, kind, id, since, packed)
    SELECT 1, kind, n, 1000 + n, '' FROM generate_series(1, {MANY}) n, generate_series(1, 2) kind;
INSERT INTO work_queue SELECT 1, decode(md5(n::text), 'hex'), n, '' FROM generate_series(1, {MANY}) n;
"""


def every_statement(books: Books, draft: Any, post: Any, fill: Any, key: Key, visit: Any) -> None:
    """Let the writer run each of its statements once."""
    fill(books, cash=10)
    waits = {"status": "pended", "entries": ()}
    post(books, draft("one", **waits), deltas={key: 5}, moves={"cash": -1})
    post(books, draft("one", revision=1), deltas={key: -5}, held={"cash": 1})
    for _ in range(2):
        books.enrol(members=[Member("ana")])
        with books.work() as work:
            work.newest([bytes(16)])
            work.registry([visit()])


def prepared(conn: Connection) -> dict[str, tuple[str, int]]:
    """The prepared statements of a session: name -> (text, number of parameters)."""
    found = conn.execute("SELECT name, statement, cardinality(parameter_types) FROM pg_prepared_statements").fetchall()
    return {name: (statement, count) for name, statement, count in found}


def complaints(conn: Connection, name: str, parameters: int) -> list[str]:
    """Where the plan of a prepared statement reads a table otherwise than by a whole key."""
    nulls = ", ".join(["NULL"] * parameters)
    row = conn.execute(f"EXPLAIN (FORMAT JSON) EXECUTE {name} ({nulls})").fetchone()
    assert row is not None
    found: list[str] = []
    waiting = [row[0][0]["Plan"]]
    while waiting:
        node = waiting.pop()
        waiting.extend(node.get("Plans", []))
        kind, table = node["Node Type"], node.get("Relation Name")
        if table is None or kind in ("ModifyTable", "Tid Scan"):
            continue
        columns = set(re.findall(r'\(?(?:\w+\.)?"?(\w+)"? (?:=|<=|>) ', node.get("Index Cond", "")))
        if columns not in KEYS[table]:
            found.append(f"{kind} on {table} by {sorted(columns)}")
    return found


def pages_touched(conn: Connection, name: str, keys: int) -> int:
    """How many pages the look-up of so many event keys reads."""
    digests = [hashlib.md5(str(n * 37).encode(), usedforsecurity=False).hexdigest() for n in range(1, keys + 1)]
    listed = ",".join(f'"\\\\x{digest}"' for digest in digests)
    explain = "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON)"
    row = conn.execute(f"{explain} EXECUTE {name} (1, '{{{listed}}}')").fetchone()
    assert row is not None
    plan = row[0][0]["Plan"]
    assert plan["Actual Rows"] == keys
    touched: int = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return touched


def shape(statement: str) -> str:
    """A statement without its spaces and the names of its parameters."""
    return re.sub(r"\s+", " ", re.sub(r"%\(\w+\)s|\$\d+", "?", statement)).strip()


@pytest.mark.parametrize("beginning", ["new", "vacuumed", "few rows"])
def test_every_statement_finds_rows_by_their_whole_key(
    postgres: Any, owner: Connection, draft: Any, post: Any, fill: Any, key: Key, visit: Any, beginning: str
) -> None:
    if beginning == "few rows":
        owner.execute(FILL.replace(f"{MANY}", "20").replace("1000 + n", "n").replace("SELECT 1,", "SELECT 2,"))
    if beginning != "new":
        owner.execute("VACUUM ANALYZE")
    every_statement(postgres, draft, post, fill, key, visit)
    owner.execute(FILL)
    with postgres.work() as work:
        conn = work._connection
        statements = prepared(conn)
        texts = {shape(text) for text, _ in statements.values()}
        wanted = {name: text for name, text in queries.load("work").items() if not name.startswith("copy_")}
        assert [name for name, text in wanted.items() if shape(text) not in texts] == []
        assert len(statements) == len(wanted), "a statement was prepared twice: its parameters change their types"
        bad = {text: complaints(conn, name, count) for name, (text, count) in statements.items()}
        assert {text: found for text, found in bad.items() if found} == {}
        look_up = next(name for name, (text, _) in statements.items() if "ORDER BY journal.revision DESC" in text)
        # A few pages for each key, where a scan would touch every page of the table for each of them.
        assert pages_touched(conn, look_up, keys=1000) < 30 * 1000


@pytest.mark.parametrize("beginning", ["new", "full"])
def test_rows_are_read_back_in_order_without_a_look_at_all_for_each(owner: Connection, beginning: str) -> None:
    """Whether a later row took its place is asked of each row of a page: by the index, or an audit never ends."""
    if beginning == "full":
        owner.execute(FILL)
        owner.execute("ANALYZE")
    text = queries.load("reading")["rows_after"]
    for place, name in enumerate(("tenant", "after", "limit"), 1):
        text = text.replace(f"%({name})s", f"${place}")
    owner.execute("SET plan_cache_mode = force_generic_plan")
    owner.execute(f"PREPARE rows_after (integer, bigint, bigint) AS {text}".rstrip("; \n"))
    owner.execute("EXPLAIN EXECUTE rows_after (1, 0, 1)")
    if beginning == "new":
        owner.execute(FILL)
    row = owner.execute(
        "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) EXECUTE rows_after (1, 20000, 500)"
    ).fetchone()
    assert row is not None
    plan = row[0][0]["Plan"]
    assert plan["Actual Rows"] == 500
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 30 * 500


def test_the_look_out_sees_a_plan_that_reads_the_whole_tenant(postgres: Any, owner: Connection) -> None:
    """The control: what the tests above would say of the plain form of two statements."""
    owner.execute("VACUUM ANALYZE")
    for table, statement in [
        ("journal", "SELECT * FROM journal WHERE tenant = $1 AND leaf = ANY ($2::bytea[])"),
        ("sheet", "SELECT packed FROM sheet JOIN unnest($2::bigint[]) AS w (i) ON i = id WHERE tenant = $1"),
    ]:
        with postgres.work() as work:
            conn = work._connection
            conn.execute(f"PREPARE plain_{table} AS {statement}")
            assert complaints(conn, f"plain_{table}", 2) != []
