"""What the schema refuses although Python allowed it, and who may do what to which table."""

from __future__ import annotations

import threading
import time
from itertools import product
from typing import Any

import psycopg
import pytest
from psycopg import errors

from drachm.application.ports import ConstraintFired, Posting, Raced
from drachm.domain.benefits.model import Key
from drachm.domain.clearing.world import Needs
from drachm.domain.coverage.model import Member
from drachm.domain.errors import IntegrityError, InvalidMessage, Unavailable
from drachm.domain.funding.model import Pot
from drachm.domain.ledger.model import Account, Entry, Source
from drachm.storage.rows import account_number, copy_of_journal, patient_number, scope_number
from drachm.storage.session import meaning

Connection = psycopg.Connection[Any]

TABLES = (
    *("tenant", "party", "member", "coverage", "contract", "document", "data_key", "account", "pot", "state"),
    *("accumulator", "journal", "body", "work_queue", "outbox"),
)
APPEND_ONLY = ("journal", "body", "outbox")
CUT_ALL_OTHERS = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)
NOTHING = Needs(frozenset(), frozenset())

ROW = {
    "tenant": "1",
    "position": "1",
    "key": "decode(repeat('ab', 16), 'hex')",
    "content": "decode(repeat('ab', 32), 'hex')",
    "revision": "0",
    "supersedes": "NULL",
    "kind": "1",
    "status": "0",
    "patient": "1",
    "provider": "1",
    "occurred_at": "now()",
    "posted_at": "now()",
    "currency": "'USD'",
    "accounts": "'{1, 2}'",
    "amounts": "'{5, -5}'",
    "sources": "'{0, 0}'",
    "states": "'{1}'",
    "avail": "'{0}'",
    "leaf": "decode(repeat('ab', 32), 'hex')",
}


def insert_row(conn: Connection, **changes: str) -> None:
    row = ROW | changes
    conn.execute(f"INSERT INTO journal ({', '.join(row)}) VALUES ({', '.join(row.values())})")


def count_rows(conn: Connection) -> dict[str, int]:
    """How many rows each table holds, of whatever tenant."""
    return {table: conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}  # type: ignore[index]


# The journal's own rules


def test_a_lawful_row_passes(postgres: Any, owner: Connection) -> None:
    insert_row(owner)
    insert_row(owner, position="2", revision="1", supersedes="1", accounts="'{}'", amounts="'{}'", sources="'{}'")


UNLAWFUL: list[tuple[str, dict[str, str]]] = [
    ("journal_balanced", {"amounts": "'{5, -4}'"}),
    ("journal_balanced", {"amounts": "'{0, 1}'"}),
    ("journal_shape", {"accounts": "'{1}'"}),
    ("journal_shape", {"sources": "'{0, 0, 0}'"}),
    ("journal_shape", {"amounts": "'{0, NULL}'"}),
    ("journal_shape", {"states": "'{}'"}),
    ("journal_shape", {"avail": "'{NULL}'"}),
    # Amounts that stand where the sum does not look.
    ("journal_shape", {"amounts": "'[17:18]={5, 5}'"}),
    ("journal_shape", {"accounts": "'{{1, 2}}'", "amounts": "'{{5, 5}}'"}),
    ("journal_floor", {"avail": "'{-1}'"}),
    ("journal_floor", {"states": "'{1, 2}'", "avail": "'{0, -1}'"}),
    ("journal_note", {"status": "2"}),
    ("journal_note", {"status": "3"}),
    ("journal_key_check", {"key": "''"}),
    ("journal_content_check", {"content": "''"}),
    ("journal_leaf_check", {"leaf": "''"}),
    ("journal_kind_check", {"kind": "0"}),
    ("journal_kind_check", {"kind": "10"}),
    ("journal_status_check", {"status": "4", "accounts": "'{}'", "amounts": "'{}'", "sources": "'{}'"}),
    ("journal_revision_check", {"revision": "-1"}),
    ("journal_currency_check", {"currency": "'US'"}),
]


def test_an_unlawful_row_is_refused_by_name(postgres: Any, owner: Connection) -> None:
    for name, changes in UNLAWFUL:
        with pytest.raises(psycopg.Error) as caught:
            insert_row(owner, **changes)
        # A search for nulls in two dimensions is an error of its own, raised before the check can answer.
        refused = isinstance(caught.value, errors.FeatureNotSupported) or caught.value.diag.constraint_name == name
        assert refused, f"{changes}: {caught.value}"
    assert count_rows(owner)["journal"] == 0


def test_seventeen_entries_are_refused(postgres: Any, owner: Connection) -> None:
    legs = ",".join(["16"] + ["-1"] * 16)
    zeros = ",".join(["0"] * 17)
    with pytest.raises(errors.CheckViolation) as caught:
        insert_row(owner, accounts=f"'{{{zeros}}}'", amounts=f"'{{{legs}}}'", sources=f"'{{{zeros}}}'")
    assert caught.value.diag.constraint_name in ("journal_shape", "journal_balanced")


def test_a_place_is_taken_once(postgres: Any, owner: Connection) -> None:
    insert_row(owner)
    insert_row(owner, position="2", revision="7", supersedes="1")
    for name, changes in [
        ("journal_pkey", {"revision": "1"}),
        ("journal_key", {"position": "3"}),
        ("journal_supersedes", {"position": "3", "revision": "2", "supersedes": "1"}),
    ]:
        with pytest.raises(errors.UniqueViolation) as caught:
            insert_row(owner, **changes)
        assert caught.value.diag.constraint_name == name


def test_a_state_row_has_floors(postgres: Any, owner: Connection) -> None:
    for column in ("avail", "held"):
        with pytest.raises(errors.CheckViolation):
            owner.execute(f"INSERT INTO state (tenant, id, kind, {column}) VALUES (1, 1, 'pot', -1)")


def test_a_refused_posting_leaves_no_row_in_any_table(
    postgres: Any, owner: Connection, draft: Any, post: Any, fill: Any
) -> None:
    fill(postgres, cash=10)
    before = count_rows(owner)
    assert before["journal"] == 1
    many = [draft(f"e{number}", member=f"new {number}") for number in range(20)]
    deltas = {Key(f"scope {number}", "plan/total", "Y2025"): 1 for number in range(20)}
    with pytest.raises(ConstraintFired):
        post(postgres, *many, draft("waits", status="pended", entries=()), deltas=deltas, moves={"cash": -11})
    assert count_rows(owner) == before


def test_one_posting_writes_each_touched_thing_once(
    postgres: Any, owner: Connection, draft: Any, post: Any, fill: Any, key: Key
) -> None:
    fill(postgres, cash=10)
    drafts = [draft(f"e{number}") for number in range(5)] + [draft("waits", status="pended", entries=())]
    positions = post(postgres, *drafts, deltas={key: 5}, moves={"cash": -5}, held={"cash": 2})
    counts = count_rows(owner)
    assert (counts["journal"], counts["body"], counts["data_key"], counts["account"]) == (7, 7, 1, 2)
    assert (counts["accumulator"], counts["work_queue"], counts["outbox"]) == (1, 1, 2)
    pot = owner.execute("SELECT avail, held, version FROM state WHERE kind = 'pot'").fetchall()
    assert pot == [(5, 2, 2)]
    batch = owner.execute("SELECT kind, lower(positions), upper(positions), done_at FROM outbox ORDER BY id").fetchall()
    assert batch[-1] == ("posted", positions[0], positions[-1] + 1, None)


def test_two_accounts_that_met_in_one_number_stop_the_posting(
    postgres: Any, owner: Connection, draft: Any, post: Any
) -> None:
    post(postgres, draft("one"))
    owner.execute("UPDATE account SET owner = 'someone else' WHERE owner = 'clinic'")
    before = count_rows(owner)
    postgres._known.accounts.clear()
    with pytest.raises(IntegrityError, match="two accounts met"):
        post(postgres, draft("two"))
    assert count_rows(owner) == before


# Who may do what


REWRITING = (
    "UPDATE {} SET tenant = tenant",
    "DELETE FROM {}",
    "TRUNCATE {}",
    "SELECT * FROM {} FOR UPDATE",
    "ALTER TABLE {} DISABLE ROW LEVEL SECURITY",
    "DROP TABLE {}",
)


@pytest.mark.parametrize("role", ["drachm_writer", "drachm_reader"])
def test_nobody_of_the_application_rewrites_history(
    postgres: Any, owner: Connection, draft: Any, post: Any, role: str
) -> None:
    post(postgres, draft("one"))
    for table, statement in product(APPEND_ONLY, REWRITING):
        owner.execute(f"BEGIN; SET LOCAL ROLE {role}; SET LOCAL app.tenant = 1")
        with pytest.raises(errors.InsufficientPrivilege):
            owner.execute(statement.format(table))
        owner.rollback()
    counts = count_rows(owner)
    assert [counts[table] for table in APPEND_ONLY] == [1, 1, 1]


def test_the_roles_hold_exactly_these_rights(postgres: Any, owner: Connection) -> None:
    rights = owner.execute(
        "SELECT grantee, privilege_type, array_agg(table_name::text ORDER BY table_name) "
        "FROM information_schema.role_table_grants WHERE grantee LIKE 'drachm%' GROUP BY 1, 2"
    ).fetchall()
    everything = sorted([*TABLES, "entry"])
    everything.remove("tenant")
    assert {(role, right): tables for role, right, tables in rights} == {
        ("drachm_reader", "SELECT"): everything,
        ("drachm_writer", "SELECT"): everything,
        ("drachm_writer", "INSERT"): sorted(
            ["journal", "body", "outbox", "account", "data_key", "work_queue", "accumulator", "state"]
        ),
        ("drachm_writer", "UPDATE"): ["accumulator", "state", "work_queue"],
        ("drachm_writer", "DELETE"): ["accumulator", "work_queue"],
    }
    sequence = "has_sequence_privilege(role, 'journal_position', 'USAGE')"
    function = "has_function_privilege(role, 'reserve_positions(integer)', 'EXECUTE')"
    found = owner.execute(
        f"SELECT role, {sequence}, {function} FROM unnest(ARRAY['drachm_reader', 'drachm_writer']) AS r (role)"
    ).fetchall()
    assert found == [("drachm_reader", False, False), ("drachm_writer", False, True)]


def test_the_writer_works_under_its_own_role_and_durably(postgres: Any) -> None:
    with postgres.work() as work:
        conn = work._connection
        for setting, wanted in [
            ("role", "drachm_writer"),
            ("app.tenant", "1"),
            ("transaction_isolation", "read committed"),
            ("synchronous_commit", "on"),
            ("plan_cache_mode", "force_generic_plan"),
        ]:
            assert conn.execute(f"SHOW {setting}").fetchone() == (wanted,)
    with postgres._sessions.transaction("reader") as conn:
        assert conn.execute("SHOW role").fetchone() == ("drachm_reader",)
        with pytest.raises(errors.ReadOnlySqlTransaction):
            conn.execute("CREATE TEMPORARY TABLE x (y int)")


# What the database's "no" becomes


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (errors.DeadlockDetected("x"), Raced),
        (errors.SerializationFailure("x"), Raced),
        (errors.CheckViolation("x"), ConstraintFired),
        (errors.UniqueViolation("x"), ConstraintFired),
        (errors.NotNullViolation("x"), ConstraintFired),
        (errors.NumericValueOutOfRange("x"), ConstraintFired),
        (errors.LockNotAvailable("x"), Unavailable),
        (errors.AdminShutdown("x"), Unavailable),
        (errors.CannotConnectNow("x"), Unavailable),
        (errors.DiskFull("x"), Unavailable),
        (errors.ReadOnlySqlTransaction("x"), Unavailable),
        (psycopg.OperationalError("x"), Unavailable),
        (psycopg.InterfaceError("x"), Unavailable),
        (errors.UndefinedTable("x"), IntegrityError),
        (errors.InsufficientPrivilege("x"), IntegrityError),
    ],
)
def test_each_error_of_the_database_has_one_meaning(error: psycopg.Error, wanted: type[Exception]) -> None:
    assert type(meaning(error)) is wanted


def test_a_deadlock_among_writers_is_a_race(postgres: Any, owner: Connection, draft: Any, race: Any) -> None:
    """Two batches with the same new events in opposite order, and nothing else to lock."""
    both_wrote = threading.Barrier(2)

    def write(names: list[str]) -> str:
        with postgres.work() as work:
            # Each posts its first event, then waits for the other, then meets the other's.
            first = work.lock(NOTHING, 2).first_position
            work._copy("copy_journal", copy_of_journal(1, [draft(names[0]).row(1, first)]))
            both_wrote.wait(20)
            work.post(Posting([draft(names[1]).row(1, first + 1)], {}, {}, {}))
            work.commit()
            return "posted"

    answers = race([lambda: write(["a", "b"]), lambda: write(["b", "a"])])
    assert sorted(type(answer).__name__ for answer in answers) == ["Raced", "str"]
    assert count_rows(owner)["journal"] == 2


INSERTS = {
    "data_key": "INSERT INTO data_key SELECT 1, id, '' FROM unnest(%s::bigint[]) AS new (id)",
    "account": "INSERT INTO account SELECT 1, id, id::text, '', 'USD' FROM unnest(%s::bigint[]) AS new (id)",
    "state": "INSERT INTO state SELECT 1, id, 'scope' FROM unnest(%s::bigint[]) AS new (id)",
}


@pytest.mark.parametrize("table", sorted(INSERTS))
def test_new_rows_are_added_in_order_of_id(
    postgres: Any, owner: Connection, draft: Any, post: Any, race: Any, table: str
) -> None:
    """A writer that waits for the smallest id has added none of the others: so two writers never wait in a circle."""
    entries = [(Entry(Account("cash", f"o{n}", "USD"), 0, Source.RAIL),) for n in range(50)]
    drafts = [draft(f"e{n}", member=f"m{n}", entries=entries[n]) for n in range(50)]
    keys = [Key(f"m{n}", "plan/total", "Y2025") for n in range(50)]
    ids = {
        "data_key": sorted(patient_number(1, f"m{n}") for n in range(50)),
        "account": sorted(account_number(1, entry.account) for (entry,) in entries),
        "state": sorted(scope_number(1, key.scope) for key in keys),
    }[table]
    owner.execute("SET lock_timeout = '5s'")
    owner.execute("BEGIN")
    owner.execute(INSERTS[table], [ids[:1]])

    def hinder() -> None:
        waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        for _ in range(500):
            owner.execute("SELECT pg_stat_clear_snapshot()")
            if owner.execute(waiting).fetchone():
                break
            time.sleep(0.01)
        else:
            pytest.fail("the writer does not wait")
        owner.execute(INSERTS[table], [ids[1:]])
        owner.execute("ROLLBACK")

    answers = race([lambda: post(postgres, *drafts, deltas=dict.fromkeys(keys, 1)), hinder])
    assert answers == [list(range(answers[0][0], answers[0][0] + 50)), None]


def test_a_lost_connection_is_unavailable_and_the_next_work_runs(
    postgres: Any, owner: Connection, draft: Any, post: Any
) -> None:
    post(postgres, draft("one"))
    list(postgres.rows())  # a reader's connection waits in its pool
    for _ in range(3):
        with postgres.work() as work:
            first = work.lock(NOTHING, 1).first_position
            owner.execute(CUT_ALL_OTHERS)
            with pytest.raises(Unavailable):
                work.post(Posting([draft("two").row(1, first)], {}, {}, {}))
            with pytest.raises((Unavailable, IntegrityError)):
                work.commit()
        assert len(list(postgres.rows())) == 1
    post(postgres, draft("two"))
    assert len(list(postgres.rows())) == 2


def test_a_database_that_is_not_there_is_unavailable(server18: Any, open_tenant: Any) -> None:
    with pytest.raises(Unavailable, match="does not exist"):
        open_tenant(server18.url("nowhere"))


def test_a_database_without_its_schema_says_so(empty_database: str, open_tenant: Any) -> None:
    with pytest.raises(IntegrityError, match="not as this program expects") as caught:
        open_tenant(empty_database)
    assert "schema up to date" in caught.value.next_step


def test_errors_never_show_a_row(postgres: Any, owner: Connection) -> None:
    owner.execute("ALTER TABLE member ADD CONSTRAINT no_ana CHECK (id <> 'ana secret')")
    with pytest.raises(InvalidMessage) as caught:
        postgres.enrol(members=[Member("ana secret", facts={"diagnosis": "secret"})])
    told = f"{caught.value} {caught.value.__cause__} {caught.value.next_step}"
    assert "no_ana" in told
    assert "secret" not in told


def test_a_waiting_writer_gives_up_in_time(postgres: Any, owner: Connection, fill: Any) -> None:
    fill(postgres, cash=1)
    with postgres.work() as holder, postgres.work() as waiter:
        holder.lock(Needs(frozenset(), frozenset({"cash"})), 1)
        waiter._connection.execute("SET lock_timeout = '50ms'")
        started = time.monotonic()
        with pytest.raises(Unavailable):
            waiter.lock(Needs(frozenset(), frozenset({"cash"})), 1)
        assert time.monotonic() - started < 10
    assert postgres.pots() == {"cash": (1, 0)}
    postgres.enrol(pots=[Pot("cash", "ana", "USD", 0)])
