"""One tenant never meets another's rows: in the books with equal ids, and in the database whatever is asked."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest
from psycopg import errors

from drachm.application.credentials import KeptKey
from drachm.application.ports import Posting
from drachm.application.records import Record
from drachm.domain.benefits.model import Key
from drachm.domain.clearing.numbers import patient_number, total_number
from drachm.domain.clearing.world import Needs
from drachm.domain.coverage.model import Contract, Coverage, Member, Party
from drachm.domain.errors import IntegrityError
from drachm.domain.events.model import Code, ServiceEvent
from drachm.domain.funding.model import Pot
from drachm.domain.ledger.model import Account, account_id
from drachm.domain.periods import Period
from drachm.storage.credentials import PostgresCredentials
from drachm.storage.migrate import migrate
from drachm.storage.session import Role, Sessions

Connection = psycopg.Connection[Any]

ALWAYS = Period(date(1900, 1, 1))
PLAN = {
    "id": "town",
    "version": "1",
    "payer": "insurer",
    "currency": "USD",
    "zone": "UTC",
    "effective": {"from": "2025-01-01"},
    "steps": [{"id": "all", "kind": "pay", "clause": "1"}],
}
BOOK = {"id": "town", "version": "1", "currency": "USD", "zone": "UTC", "effective": {"from": "2025-01-01"}}
EVENT = ServiceEvent(
    source="test",
    event_id="e1",
    kind="charge",
    member="ana",
    code=Code("local", "visit"),
    currency="USD",
    started_at=datetime(2025, 3, 10, tzinfo=UTC),
    billing_party="clinic",
)


def settle(books: Any, draft: Any, post: Any, key: Key, *, money: int) -> None:
    """The same people, documents and events in every tenant; only the money differs."""
    books.enrol(
        parties=[Party("clinic", ("provider",))],
        members=[Member("ana")],
        coverages=[Coverage("c1", "ana", "town", ALWAYS)],
        contracts=[Contract("clinic", "", "town", ALWAYS)],
        pots=[Pot("cash", "ana", "USD", 0)],
    )
    books.publish("plan", PLAN)
    books.publish("price_book", BOOK)
    waits = draft("waits", status="pended", entries=(), reason="unknown_member")
    moved = draft("one", avail=(("cash", money),))
    post(books, moved, waits, deltas={key: money}, moves={"cash": money})


@pytest.fixture
def two(any_database: str, open_tenant: Any, draft: Any, post: Any, key: Key) -> tuple[Any, Any]:
    """Two tenants with the same ids everywhere."""
    first, second = open_tenant(any_database, 1), open_tenant(any_database, 2)
    settle(first, draft, post, key, money=100)
    settle(second, draft, post, key, money=7)
    return first, second


def tenant_tables(conn: Connection) -> list[str]:
    """Every table that has a tenant column."""
    found = conn.execute(
        "SELECT c.relname FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace "
        "AND EXISTS (SELECT FROM pg_attribute a "
        "WHERE a.attrelid = c.oid AND a.attname = 'tenant' AND NOT a.attisdropped) ORDER BY 1"
    )
    return [name for (name,) in found]


def test_equal_ids_never_meet(two: tuple[Any, Any], key: Key, totals: Any, placed: Any) -> None:
    for books, money in zip(two, (100, 7), strict=True):
        rows = list(books.rows())
        assert len(rows) == 2
        assert totals(books) == placed(books, {key: money})
        assert books.pots() == {"cash": (money, 0)}
        assert books.balances() == {
            Account("payer_receivable", "insurer", "USD"): 700,
            Account("provider_payable", "clinic", "USD"): -700,
        }
        assert len(books.queue()) == 1
        with books.work() as work:
            number = total_number(books.tenant, key)
            locked = work.lock(Needs(frozenset({number}), frozenset({"cash"})), 1)
            assert (dict(locked.totals), dict(locked.avail)) == ({number: money}, {"cash": money})
            own = [row.key for row, _ in rows]
            assert work.newest(own).keys() == set(own)
    first, second = two
    assert first.documents().plan("town", EVENT.started_at) is not None
    assert second.row(next(first.rows())[0].position) is None
    for books in two:
        with books.work() as work:
            assert work.registry([EVENT]).people["ana"].number == patient_number(books.tenant, "ana")
        assert books.registry_at(1, ["ana"], ["clinic"]).people["ana"].number == patient_number(books.tenant, "ana")
    with second.work() as work:
        assert work.newest([row.key for row, _ in first.rows()]) == {}


def test_what_only_another_tenant_has_is_not_here(
    any_database: str, open_tenant: Any, draft: Any, post: Any, key: Key
) -> None:
    first, empty = open_tenant(any_database, 1), open_tenant(any_database, 2)
    settle(first, draft, post, key, money=100)
    with empty.work() as work:
        found = work.registry([EVENT])
        assert (found.version, found.people, found.parties) == (0, {}, {})
        assert work.newest([row.key for row, _ in first.rows()]) == {}
        numbers = frozenset({total_number(books.tenant, key) for books in (first, empty)})
        locked = work.lock(Needs(numbers, frozenset({"cash"})), 1)
        assert (dict(locked.totals), dict(locked.avail)) == ({}, {})
        row = draft("thief").row(2, locked.first_position)
        with pytest.raises(IntegrityError, match="without its lock"):
            work.post(Posting([row], {}, {"cash": -1}, {}))
    assert (list(empty.rows()), list(empty.totals()), empty.pots(), empty.queue(), empty.balances()) == (
        *([], [], {}, []),
        {},
    )
    assert empty.documents().plan("town", EVENT.started_at) is None
    assert first.pots() == {"cash": (100, 0)}


def test_one_tenants_key_erased_leaves_the_others(two: tuple[Any, Any]) -> None:
    first, second = two
    first.erase("ana")
    assert {stored.body for stored, _ in first.rows()} == {b""}
    assert all(stored.body for stored, _ in second.rows())
    assert first.registry_at(1, ["ana"], []).people == {}
    assert second.registry_at(1, ["ana"], []).people.keys() == {"ana"}


def test_accounts_of_two_tenants_have_different_numbers(two: tuple[Any, Any], any_database: str) -> None:
    account = Account("provider_payable", "clinic", "USD")
    with psycopg.connect(any_database) as owner:
        numbers = owner.execute("SELECT tenant, id FROM account WHERE kind = 'provider_payable' ORDER BY 1").fetchall()
    assert numbers == [(1, account_id(1, account)), (2, account_id(2, account))]
    assert numbers[0][1] != numbers[1][1]


def test_row_security_is_forced_on_every_table_with_a_tenant(postgres: Any, owner: Connection) -> None:
    tables = tenant_tables(owner)
    assert len(tables) >= 14
    forced = owner.execute(
        "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity ORDER BY 1"
    ).fetchall()
    assert [name for (name,) in forced] == tables
    policies = owner.execute("SELECT tablename, permissive, cmd, roles FROM pg_policies ORDER BY 1").fetchall()
    # Of versions of records the registrar changes those alone that no key opens any more.
    policies.remove(("record_version", "RESTRICTIVE", "UPDATE", ["drachm_registrar"]))
    # The list of tenants itself is not forced upon its owner, who must find them all.
    assert policies == [(table, "PERMISSIVE", "ALL", ["public"]) for table in sorted([*tables, "tenant"])]


def test_only_the_writer_passes_row_security(postgres: Any, owner: Connection) -> None:
    roles = owner.execute(
        "SELECT rolname, rolbypassrls, rolsuper, rolcanlogin FROM pg_roles WHERE rolname LIKE 'drachm%' ORDER BY 1"
    ).fetchall()
    assert roles == [
        ("drachm_reader", False, False, False),
        ("drachm_registrar", False, False, False),
        ("drachm_writer", True, False, False),
    ]


def test_the_reader_sees_its_own_tenant_and_without_one_nothing(two: tuple[Any, Any], owner: Connection) -> None:
    tables = tenant_tables(owner)
    for number in (1, 2):
        furnish(owner, number)
    for setting, wanted in [
        ("", set()),
        ("SET LOCAL app.tenant = ''", set()),
        ("SET LOCAL app.tenant = 3", set()),
        ("SET LOCAL app.tenant = 1", {1}),
        ("SET LOCAL app.tenant = 2", {2}),
    ]:
        for table in [*tables, "entry", "after_value", "running_total", "tenant"]:
            owner.execute(f"BEGIN; SET LOCAL ROLE drachm_reader; {setting}")
            column = "id" if table == "tenant" else "tenant"
            seen = {number for (number,) in owner.execute(f"SELECT {column} FROM {table}")}
            owner.rollback()
            assert seen == wanted, f"{table} with {setting!r}"


def furnish(owner: Connection, tenant: int) -> None:
    """A row in each table that living in the town does not fill."""
    values = {
        "codebook (tenant, id, since, ppm, words)": "1, 1, 1, ''",
        "record (tenant, kind, id, version)": "'site', 's', 1",
        "record_version (tenant, kind, id, version, patient, at, author, parties, members, tags, body)": (
            "'site', 's', 1, 1, now(), '', '{}', '{}', '{}', ''"
        ),
        "record_tag (tenant, kind, tag, id)": f"'site', {byte(16)}, 's'",
        "api_key (tenant, id, environment, name, digest, pepper, roles, parties, scopes, created_at, created_by, "
        "expires_at)": (
            f"'{tenant:012}', 'live', 'x', {byte(32)}, 'p', '{{clerk}}', '{{}}', '{{}}', now(), 'me', now()"
        ),
        "client (tenant, id, environment, name, roles, parties, scopes, keys, created_at, created_by, generation)": (
            f"'c{tenant}', 'live', 'x', '{{clerk}}', '{{}}', '{{}}', '{{}}', now(), 'me', 1"
        ),
        "account_line (tenant, account, day, position, leg, source, amount)": "1, now(), 1, 1, 1, 1",
        "account_day (tenant, account, day, source, entries, amount)": "1, now(), 1, 1, 1",
        "money_followed (tenant, position)": "0",
        "journal_followed (tenant, position)": "0",
        "journal_party (tenant, party, position)": "'clinic', 1",
        "journal_index (tenant, position, head, latest, now, revision, kind, status, day, posted_at, key, visit, "
        "member, provider, source, parties)": (
            f"1, 1, 1, 1, 0, 1, 1, now(), now(), {byte(16)}, {byte(16)}, 'ana', 'clinic', 'ehr', '{{}}'"
        ),
        "figure_day (tenant, provider, day, currency, charges, denied, billed, insurers, patients, due)": (
            "'clinic', now(), 'USD', 1, 0, 1, 1, 0, 0"
        ),
        "figure_mix (tenant, provider, month, currency, what, word, charges, agreed)": (
            f"'clinic', now(), 'USD', 1, {byte(16)}, 1, 1"
        ),
        "figure_word (tenant, word, sealed)": f"{byte(16)}, ''",
        "figure_time (tenant, provider, day, measure, at_most, number)": "'clinic', now(), 1, 1, 1",
        "figure_hour (tenant, began, status, at_most, number)": "now(), 0, 1, 1",
        "figure_books (tenant, provider, currency, posted)": "'clinic', 'USD', 1",
        "figure_followed (tenant, position)": "0",
        "receipt_link (tenant, receipt, version)": "'r', 1",
        "receipt_try (tenant, receipt, version, taken)": "'r', 1, '{}'",
        "operation (tenant, name, slot, content, claim, begun_at)": (
            f"{byte(16)}, {byte(16)}, {byte(32)}, {byte(16)}, now()"
        ),
    }
    for table, row in values.items():
        owner.execute(f"INSERT INTO {table} VALUES ({tenant}, {row})")


def byte(count: int) -> str:
    return f"decode(repeat('ab', {count}), 'hex')"


def test_whoever_names_a_credential_sees_that_one_before_the_tenant_is_known(
    two: tuple[Any, Any], owner: Connection
) -> None:
    for number in (1, 2):
        furnish(owner, number)
    for tenant, wanted in ((0, ["000000000002"]), (1, ["000000000001", "000000000002"])):
        owner.execute(f"BEGIN; SET LOCAL ROLE drachm_reader; SET LOCAL app.tenant = {tenant}")
        owner.execute("SET LOCAL app.credential = '000000000002'")
        assert [one for (one,) in owner.execute("SELECT id FROM api_key ORDER BY 1")] == wanted
        assert owner.execute("SELECT id FROM record UNION SELECT receipt FROM receipt_link").rowcount == (2 * tenant)
        owner.rollback()
    owner.execute("BEGIN; SET LOCAL ROLE drachm_registrar; SET LOCAL app.tenant = 1")
    owner.execute("SET LOCAL app.credential = '000000000002'")
    with pytest.raises(errors.InsufficientPrivilege):
        owner.execute("UPDATE api_key SET revoked_at = now() WHERE id = '000000000002'")


@pytest.mark.parametrize("role", ["drachm_reader", "drachm_writer", "drachm_registrar"])
def test_the_list_of_tenants_is_the_owners(two: tuple[Any, Any], owner: Connection, role: str) -> None:
    assert owner.execute("SELECT id, name FROM tenant ORDER BY 1").fetchall() == [(1, "tenant 1"), (2, "tenant 2")]
    owner.execute(f"BEGIN; SET LOCAL ROLE {role}; SET LOCAL app.tenant = 1")
    with pytest.raises(errors.InsufficientPrivilege):
        owner.execute("SELECT * FROM tenant")


def test_a_reading_connection_keeps_nothing_of_its_tenant(two: tuple[Any, Any]) -> None:
    first, _ = two
    list(first.rows())
    conn = first.sessions._pools["reader"].getconn()
    try:
        assert conn.execute("SELECT current_setting('app.tenant', true)").fetchone() in [("",), (None,)]
        assert conn.execute("SHOW role").fetchone() == ("none",)
    finally:
        first.sessions._pools["reader"].putconn(conn)


def test_the_reader_writes_nothing(two: tuple[Any, Any], owner: Connection) -> None:
    for table in tenant_tables(owner):
        owner.execute("BEGIN; SET LOCAL ROLE drachm_reader; SET LOCAL app.tenant = 1")
        with pytest.raises(errors.InsufficientPrivilege):
            owner.execute(f"DELETE FROM {table}")
        owner.rollback()


@pytest.fixture(params=["18", "16"])
def operators_database(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database of a login that may create roles and pass row security, but is no superuser."""
    server = request.getfixturevalue(f"server{request.param}")
    request.getfixturevalue("database" if request.param == "18" else "database16")  # the roles exist after this
    name = f"operator_{uuid.uuid4().hex}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute(f"CREATE ROLE {name} LOGIN CREATEROLE BYPASSRLS")
        # What PostgreSQL gives to a login that created the roles itself: it may hand them on, not take them.
        made = "drachm_writer, drachm_reader, drachm_registrar"
        conn.execute(f"GRANT {made} TO {name} WITH ADMIN TRUE, SET FALSE, INHERIT FALSE")
        conn.execute(f"CREATE DATABASE {name} TEMPLATE template0 OWNER {name}")
        try:
            yield server.url(name).replace("postgres@", f"{name}@")
        finally:
            conn.execute(f"DROP DATABASE {name} WITH (FORCE)")
            conn.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_an_owner_that_is_no_superuser_can_do_everything(
    operators_database: str, open_tenant: Any, draft: Any, post: Any, key: Key
) -> None:
    with psycopg.connect(operators_database, autocommit=True) as conn:
        assert conn.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (False,)
        migrate(conn)
    books = open_tenant(operators_database)
    settle(books, draft, post, key, money=5)
    assert books.pots() == {"cash": (5, 0)}
    assert len(list(books.rows())) == 2
    books.records().put([Record("site", "s1", {}, members=frozenset({"ana"}))])
    books.erase("ana")
    assert books.records().find("site") == []
    assert books.operations(books.vault._ids).begin(bytes(16), bytes(16), bytes(32)).state == "new"
    rights = (frozenset({"clerk"}), frozenset[str](), frozenset[str]())
    at = datetime(2025, 3, 10, tzinfo=UTC)
    with PostgresCredentials(operators_database) as credentials:
        credentials.add_key(KeptKey("a" * 12, 1, "live", "desk", bytes(32), "p", *rights, at, "olga", at))
        assert credentials.key("a" * 12) is not None
        assert credentials.version("api_key") == 0
        assert credentials.first_use("ehr", "j1", at)
    assert open_tenant(operators_database, 2).pots() == {}


def test_whatever_a_caller_asks_for_is_done_below_the_owner(
    postgres: Any, draft: Any, post: Any, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    roles: set[str] = set()

    def begin(sessions: Sessions, role: Role, tenant: int | None = None) -> Connection:
        conn = plain(sessions, role, tenant)
        (name,) = conn.execute("SELECT current_user::text").fetchone()  # type: ignore[misc]
        roles.add(name)
        return conn

    plain = Sessions.begin
    monkeypatch.setattr(Sessions, "begin", begin)
    settle(postgres, draft, post, key, money=5)
    postgres.records().put([Record("site", "s1", {})])
    postgres.erase("ana")
    list(postgres.rows())
    assert roles == {"drachm_registrar", "drachm_writer", "drachm_reader"}
