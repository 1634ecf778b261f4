"""What the schema refuses although Python allowed it, and who may do what to which table."""

from __future__ import annotations

from itertools import product
from typing import Any

import psycopg
import pytest
from psycopg import errors

from drachm.application.ports import ConstraintFired
from drachm.domain.benefits.model import Key
from drachm.domain.clearing.numbers import pot_number
from drachm.domain.coverage.model import Member
from drachm.domain.errors import IntegrityError
from drachm.domain.ledger.model import account_id

Connection = psycopg.Connection[Any]

TABLES = (
    *("tenant", "party", "member", "coverage", "contract", "document", "data_key", "account", "pot", "sheet"),
    *("state", "total", "journal", "codebook", "work_queue", "outbox"),
)
APPEND_ONLY = ("journal", "codebook", "sheet", "outbox")
REGISTER = ("party", "member", "coverage", "contract", "pot")
FIGURES = ("books", "day", "followed", "hour", "mix", "time", "word")
INDEX = (
    *("journal_index", "journal_party", "journal_followed", "account_day", "account_line", "money_followed"),
    *(f"figure_{name}" for name in FIGURES),
)
SERVICE = ("record", "record_version", "record_tag", "api_key", "client", "receipt_link", "receipt_try", "operation")
OF_NO_TENANT = ("identity_version", "used_statement")

ROW = {
    "tenant": "1",
    "position": "1",
    "key": "decode(repeat('ab', 16), 'hex')",
    "revision": "0",
    "supersedes": "''",
    "kind": "1",
    "status": "0",
    "patient": "1",
    "occurred_at": "now()",
    "posted_at": "now()",
    "currency": "'USD'",
    "sources": "'\\x0000'",
    "legs": "'{1, 5, 2, -5}'",
    "avail": "'\\x00000000000000010000000000000000'",
    "leaf": "decode(repeat('ab', 32), 'hex')",
    "body": "'\\x00'",
}


def after(*values: int) -> str:
    """`journal.avail` with pots and what they may spend."""
    return "'\\x" + b"".join(value.to_bytes(8, "big", signed=True) for value in values).hex() + "'"


def insert_row(conn: Connection, **changes: str) -> None:
    row = ROW | changes
    conn.execute(f"INSERT INTO journal ({', '.join(row)}) VALUES ({', '.join(row.values())})")


def count_rows(conn: Connection) -> dict[str, int]:
    """How many rows each table holds, of whatever tenant."""
    return {table: conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}  # type: ignore[index]


# The journal's own rules


def test_a_lawful_row_passes(postgres: Any, owner: Connection) -> None:
    insert_row(owner)
    insert_row(owner, position="2", revision="1", supersedes="int8send(1)", legs="'{}'", sources="''", avail="''")
    insert_row(owner, position="3", revision="2", legs="'{}'", sources="''", status="3")
    insert_row(owner, position="4", revision="3", avail=after(-7, 0, -8, 5))


UNLAWFUL: list[tuple[str, dict[str, str]]] = [
    ("journal_balanced", {"legs": "'{1, 5, 2, -4}'"}),
    ("journal_balanced", {"legs": "'{1, 0, 2, 1}'"}),
    ("journal_shape", {"legs": "'{1, 0, 2}'", "sources": "'\\x0000'"}),
    ("journal_shape", {"legs": "'{1, 0}'"}),
    ("journal_shape", {"legs": "'{}'"}),
    ("journal_shape", {"sources": "'\\x000000'"}),
    ("journal_shape", {"legs": "'{1, 0, 2, NULL}'"}),
    ("journal_shape", {"legs": "'{1, 5, NULL, -5}'"}),
    # Amounts that stand where the sum does not look.
    ("journal_shape", {"legs": "'[33:36]={1, 5, 2, 5}'"}),
    ("journal_shape", {"legs": "'[0:3]={1, 5, 0, 5}'"}),
    ("journal_shape", {"legs": "'{{1, 5, 2, 5}}'"}),
    ("journal_avail", {"avail": after(1)}),
    ("journal_avail", {"avail": "'\\x00'"}),
    ("journal_avail", {"avail": after(1, 0, 2)}),
    *[("journal_floor", {"avail": after(*[1, 0] * before, 2, -1)}) for before in range(16)],
    ("journal_floor", {"avail": after(1, -(2**63))}),
    ("journal_supersedes_check", {"supersedes": "'\\x01'"}),
    ("journal_note", {"status": "2"}),
    ("journal_note", {"status": "3"}),
    ("journal_key_check", {"key": "''"}),
    ("journal_leaf_check", {"leaf": "''"}),
    ("journal_kind_check", {"kind": "0"}),
    ("journal_kind_check", {"kind": "13"}),
    ("journal_status_check", {"status": "4", "legs": "'{}'", "sources": "''"}),
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


def test_nothing_of_a_row_is_null(postgres: Any, owner: Connection) -> None:
    for column in ROW:
        with pytest.raises(errors.NotNullViolation):
            insert_row(owner, **{column: "NULL"})


def test_seventeen_entries_or_pots_are_refused(postgres: Any, owner: Connection) -> None:
    for sources, legs in [("00" * 17, ["1", "16"] + ["1", "-1"] * 16), ("00" * 17, ["1", "0"] * 17)]:
        with pytest.raises(errors.CheckViolation) as caught:
            insert_row(owner, sources=f"'\\x{sources}'", legs=f"'{{{','.join(legs)}}}'")
        assert caught.value.diag.constraint_name in ("journal_shape", "journal_balanced")
    with pytest.raises(errors.CheckViolation) as caught:
        insert_row(owner, avail=after(*[1, 0] * 17))
    assert caught.value.diag.constraint_name == "journal_avail"
    insert_row(
        owner,
        sources=f"'\\x{'00' * 16}'",
        legs=f"'{{{','.join(['1', '15'] + ['2', '-1'] * 15)}}}'",
        avail=after(*[1, 0] * 16),
    )


def test_a_place_is_taken_once(postgres: Any, owner: Connection) -> None:
    insert_row(owner)
    insert_row(owner, position="2", revision="7", supersedes="int8send(1)")
    for name, changes in [
        ("journal_pkey", {"revision": "1"}),
        ("journal_key", {"position": "3"}),
        ("journal_supersedes", {"position": "3", "revision": "2", "supersedes": "int8send(1)"}),
    ]:
        with pytest.raises(errors.UniqueViolation) as caught:
            insert_row(owner, **changes)
        assert caught.value.diag.constraint_name == name


def test_a_state_row_has_floors(postgres: Any, owner: Connection) -> None:
    for column in ("avail", "held"):
        with pytest.raises(errors.CheckViolation):
            owner.execute(f"INSERT INTO state (tenant, id, {column}) VALUES (1, 1, -1)")


def test_a_row_of_totals_holds_whole_records(postgres: Any, owner: Connection) -> None:
    owner.execute("INSERT INTO total (tenant, id, packed) VALUES (1, 1, '')")
    with pytest.raises(errors.CheckViolation):
        owner.execute("INSERT INTO total (tenant, id, packed) VALUES (1, 2, '\\x00')")


def test_an_auditor_reads_totals_and_legs_row_by_row(
    postgres: Any, owner: Connection, draft: Any, post: Any, key: Key, totals: Any
) -> None:
    (position,) = post(postgres, draft("one"), deltas={key: -5, Key("ben", key.name, key.period): 2**62})
    found = owner.execute("SELECT tenant, row, slot, value FROM running_total").fetchall()
    assert {(row, slot): value for _, row, slot, value in found} == totals(postgres)
    assert {tenant for tenant, *_ in found} == {1}
    legs = owner.execute("SELECT position, leg, account, amount, source FROM entry ORDER BY leg").fetchall()
    entries = draft("one").row(1, position).entries
    assert legs == [
        (position, number, account_id(1, account), amount, source)
        for number, (account, amount, source) in enumerate(entries, start=1)
    ]


def test_an_auditor_reads_after_values_and_what_was_superseded_row_by_row(
    postgres: Any, owner: Connection, draft: Any, post: Any, fill: Any
) -> None:
    fill(postgres, cash=10, gift=2**40)
    (first,) = post(postgres, draft("one", avail=(("cash", 10), ("gift", 2**40))))
    (second,) = post(postgres, draft("one", revision=1, supersedes=first, avail=(("gift", 0),)))
    found = owner.execute("SELECT tenant, position, state, avail FROM after_value ORDER BY position, avail").fetchall()
    cash, gift = pot_number(1, "cash"), pot_number(1, "gift")
    assert found == [(1, first, cash, 10), (1, first, gift, 2**40), (1, second, gift, 0)]
    taken = owner.execute("SELECT DISTINCT position, supersedes FROM entry WHERE position >= %s ORDER BY 1", [first])
    assert taken.fetchall() == [(first, None), (second, first)]


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
    # The tenant's own key and ana's.
    assert (counts["journal"], counts["data_key"], counts["account"]) == (7, 2, 2)
    assert (counts["total"], counts["work_queue"], counts["outbox"]) == (1, 1, 2)
    assert owner.execute("SELECT id, avail, held FROM state").fetchall() == [(pot_number(1, "cash"), 5, 2)]
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


@pytest.mark.parametrize("role", ["drachm_writer", "drachm_reader", "drachm_registrar"])
def test_nobody_of_the_application_rewrites_history(
    postgres: Any, owner: Connection, draft: Any, post: Any, role: str
) -> None:
    postgres.enrol(members=[Member("ana")])
    post(postgres, draft("one"))
    owner.execute("INSERT INTO codebook (tenant, id, since, ppm, words) VALUES (1, 1, 1, 1, '')")
    for table, statement in product(APPEND_ONLY, REWRITING):
        if (role, table, statement) == ("drachm_registrar", "sheet", "DELETE FROM {}"):
            continue  # Erasing somebody forgets how they were registered.
        owner.execute(f"BEGIN; SET LOCAL ROLE {role}; SET LOCAL app.tenant = 1")
        with pytest.raises(errors.InsufficientPrivilege):
            owner.execute(statement.format(table))
        owner.rollback()
    counts = count_rows(owner)
    assert [counts[table] for table in APPEND_ONLY] == [1, 1, 1, 1]


def test_the_roles_hold_exactly_these_rights(postgres: Any, owner: Connection) -> None:
    rights = owner.execute(
        "SELECT grantee, privilege_type, array_agg(table_name::text ORDER BY table_name) "
        "FROM information_schema.role_table_grants WHERE grantee LIKE 'drachm%' GROUP BY 1, 2"
    ).fetchall()
    everything = sorted([*TABLES, "entry", "after_value", "running_total"])
    everything.remove("tenant")
    enrolled = [*REGISTER, "document", "data_key", "sheet", "state"]
    assert {(role, right): tables for role, right, tables in rights} == {
        ("drachm_reader", "SELECT"): sorted([*everything, *INDEX, *SERVICE, *OF_NO_TENANT]),
        ("drachm_writer", "SELECT"): sorted([*everything, *INDEX]),
        ("drachm_writer", "INSERT"): sorted(
            ["journal", "codebook", "outbox", "account", "data_key", "work_queue", "total", *INDEX]
        ),
        ("drachm_writer", "UPDATE"): sorted(["state", "total", "work_queue", *INDEX]),
        ("drachm_writer", "DELETE"): sorted(["work_queue", *INDEX]),
        ("drachm_registrar", "SELECT"): sorted([*enrolled, *SERVICE, *OF_NO_TENANT]),
        ("drachm_registrar", "INSERT"): sorted([*enrolled, *SERVICE, "used_statement"]),
        ("drachm_registrar", "UPDATE"): sorted(REGISTER),
        ("drachm_registrar", "DELETE"): sorted(
            [
                *("member", "coverage", "pot", "data_key", "sheet"),
                *("record_tag", "receipt_try", "operation", "used_statement"),
            ]
        ),
    }
    columns = owner.execute(
        "SELECT grantee, privilege_type, column_name FROM information_schema.column_privileges "
        "WHERE grantee LIKE 'drachm%' AND table_name = 'tenant' ORDER BY 1, 2, 3"
    ).fetchall()
    roles = ("reader", "registrar", "writer")
    seen = [(f"drachm_{role}", "SELECT", one) for role in roles for one in ("id", "version")]
    assert columns == [*seen[:4], ("drachm_registrar", "UPDATE", "version"), *seen[4:]]


def test_the_registrar_changes_only_what_may_change(postgres: Any, owner: Connection) -> None:
    """Rights to columns, of tables whose other columns stay as they were written."""
    found = owner.execute(
        "SELECT table_name, array_agg(column_name::text ORDER BY column_name) "
        "FROM information_schema.column_privileges AS c WHERE grantee = 'drachm_registrar' "
        "AND privilege_type = 'UPDATE' AND NOT table_name = ANY (%s) GROUP BY 1",
        [list(REGISTER)],
    ).fetchall()
    assert {table: set(columns) for table, columns in found} == {
        "tenant": {"version"},
        "identity_version": {"version"},
        "record": {"version"},
        # Of what no key opens any more, and in what is derived: whom it names.
        "record_version": {"author", "members", "parties"},
        "journal_index": {"member", "visit", "source"},
        "receipt_link": {"version"},
        "receipt_try": {"taken"},
        "api_key": {"expires_at", "revoked_at", "last_used_hour"},
        "client": {"name", "roles", "parties", "scopes", "keys", "generation", "disabled_at"},
        "operation": {"content", "claim", "begun_at", "done_at", "answer"},
    }


def test_only_the_writer_takes_positions(postgres: Any, owner: Connection) -> None:
    sequence = "has_sequence_privilege(role, 'journal_position', 'USAGE')"
    function = "has_function_privilege(role, 'reserve_positions(integer)', 'EXECUTE')"
    found = owner.execute(
        f"SELECT role, {sequence}, {function} "
        "FROM unnest(ARRAY['drachm_reader', 'drachm_registrar', 'drachm_writer']) AS r (role)"
    ).fetchall()
    assert found == [
        ("drachm_reader", False, False),
        ("drachm_registrar", False, False),
        ("drachm_writer", False, True),
    ]


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
    with postgres.sessions.transaction("reader") as conn:
        assert conn.execute("SHOW role").fetchone() == ("drachm_reader",)
        with pytest.raises(errors.ReadOnlySqlTransaction):
            conn.execute("CREATE TEMPORARY TABLE x (y int)")
