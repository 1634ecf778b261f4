"""Numbered SQL files reach every database once, in order, whole or not at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from drachm.domain.errors import IntegrityError, Unavailable
from drachm.storage.migrate import MIGRATIONS, migrate, read_migrations

Connection = psycopg.Connection[Any]


@pytest.fixture(params=["empty_database", "empty_database16"])
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def conn(url: str) -> Iterator[Connection]:
    with psycopg.connect(url) as connection:
        yield connection


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, "0001_wallet", "CREATE TABLE wallet (id int PRIMARY KEY);\nINSERT INTO wallet VALUES (1), (2);")
    write(tmp_path, "0002_quota", "CREATE TABLE quota (id int); -- 100 % of a pot")
    return tmp_path


def write(folder: Path, name: str, sql: str) -> None:
    (folder / f"{name}.sql").write_text(sql)


def tables(conn: Connection) -> set[str]:
    with conn.transaction():
        return {name for (name,) in conn.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


def test_files_are_applied_in_order_and_recorded(conn: Connection, folder: Path) -> None:
    assert migrate(conn, folder) == ["0001_wallet", "0002_quota"]
    assert tables(conn) == {"wallet", "quota", "schema_migration"}
    rows = conn.execute("SELECT number, name, length(sha256), applied_at <= now() FROM schema_migration").fetchall()
    assert rows == [(1, "0001_wallet", 64, True), (2, "0002_quota", 64, True)]


def test_a_second_run_applies_nothing_and_a_new_file_alone_is_applied(conn: Connection, folder: Path) -> None:
    migrate(conn, folder)
    assert migrate(conn, folder) == []
    write(folder, "0003_leaf", "CREATE TABLE leaf (id int);")
    assert migrate(conn, folder) == ["0003_leaf"]
    assert conn.execute("SELECT count(*) FROM wallet").fetchone() == (2,)


def test_the_connection_is_given_back_as_it_came(conn: Connection, folder: Path) -> None:
    migrate(conn, folder)
    assert conn.autocommit is False
    assert conn.info.transaction_status == TransactionStatus.IDLE
    locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
    held = conn.execute(locks).fetchone()
    assert held == (0,)


def test_a_changed_file_is_refused_by_name(conn: Connection, folder: Path) -> None:
    migrate(conn, folder)
    write(folder, "0001_wallet", "CREATE TABLE wallet (id bigint PRIMARY KEY);")
    write(folder, "0003_leaf", "CREATE TABLE leaf (id int);")
    with pytest.raises(IntegrityError, match="made by another version of Drachm: its migration 0001_wallet") as caught:
        migrate(conn, folder)
    assert caught.value.where == "0001_wallet"
    assert "leaf" not in tables(conn)


def test_other_line_ends_are_no_change(conn: Connection, folder: Path) -> None:
    migrate(conn, folder)
    text = (folder / "0001_wallet.sql").read_bytes()
    (folder / "0001_wallet.sql").write_bytes(text.replace(b"\n", b"\r\n"))
    assert migrate(conn, folder) == []


def test_a_migration_this_program_does_not_know_is_refused(conn: Connection, folder: Path) -> None:
    migrate(conn, folder)
    (folder / "0002_quota.sql").unlink()
    with pytest.raises(IntegrityError, match="0002_quota, which this program does not know"):
        migrate(conn, folder)


def test_a_file_that_comes_too_late_is_refused(conn: Connection, folder: Path) -> None:
    write(folder, "0005_leaf", "CREATE TABLE leaf (id int);")
    migrate(conn, folder)
    write(folder, "0004_hold", "CREATE TABLE hold (id int);")
    with pytest.raises(IntegrityError, match="0004_hold comes too late: number 0005"):
        migrate(conn, folder)


def test_a_failing_file_is_undone_and_the_files_before_it_stay(conn: Connection, folder: Path) -> None:
    write(folder, "0003_broken", "CREATE TABLE leaf (id int); INSERT INTO nowhere VALUES (1);")
    with pytest.raises(IntegrityError, match=r"0003_broken failed and was undone: relation \"nowhere\""):
        migrate(conn, folder)
    assert tables(conn) == {"wallet", "quota", "schema_migration"}
    write(folder, "0003_broken", "CREATE TABLE leaf (id int);")
    assert migrate(conn, folder) == ["0003_broken"]


def test_a_file_that_commits_by_itself_is_named(conn: Connection, folder: Path) -> None:
    write(folder, "0003_commits", "CREATE TABLE leaf (id int); COMMIT;")
    with pytest.raises(IntegrityError, match="0003_commits ends its own transaction"):
        migrate(conn, folder)


@pytest.mark.parametrize("name", ["3_leaf", "0003-leaf", "0003_Leaf", "leaf"])
def test_a_badly_named_file_is_refused_before_anything_runs(conn: Connection, folder: Path, name: str) -> None:
    write(folder, name, "CREATE TABLE leaf (id int);")
    with pytest.raises(IntegrityError, match="a migration is named"):
        migrate(conn, folder)
    assert tables(conn) == set()


def test_a_number_used_twice_is_refused(conn: Connection, folder: Path) -> None:
    write(folder, "0002_pot", "CREATE TABLE pot (id int);")
    with pytest.raises(IntegrityError, match="0002_pot and 0002_quota share a number"):
        migrate(conn, folder)


def test_racing_processes_apply_each_file_once(url: str, folder: Path) -> None:
    write(folder, "0003_slow", "SELECT pg_sleep(0.2); CREATE TABLE leaf (id int);")
    answers: list[list[str]] = []

    def race() -> None:
        with psycopg.connect(url) as connection:
            answers.append(migrate(connection, folder))

    racers = [threading.Thread(target=race) for _ in range(4)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert sorted(answers) == [[], [], [], ["0001_wallet", "0002_quota", "0003_slow"]]


def test_a_lost_connection_is_unavailable(conn: Connection, folder: Path) -> None:
    write(folder, "0003_cut", "SELECT pg_terminate_backend(pg_backend_pid());")
    with pytest.raises(Unavailable, match="went away while migrating"):
        migrate(conn, folder)


def test_the_released_migrations_apply_to_an_empty_database(conn: Connection) -> None:
    applied = migrate(conn)
    assert applied == sorted(applied)
    assert migrate(conn) == []


@pytest.mark.parametrize("fixture", ["database", "database16"])
def test_the_database_of_a_test_has_the_schema_of_today(request: pytest.FixtureRequest, fixture: str) -> None:
    with psycopg.connect(request.getfixturevalue(fixture)) as conn:
        rows = conn.execute("SELECT name, sha256 FROM schema_migration ORDER BY number").fetchall()
    assert rows == [(migration.name, migration.sha256) for migration in read_migrations(MIGRATIONS)]
    assert rows
