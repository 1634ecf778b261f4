"""A superuser changes one cell; the audit names the row."""

from __future__ import annotations

import time

import psycopg
import pytest

from drachm.application.audit import audit
from drachm.application.clear_events import clear_events
from drachm.domain.transparency.leaf import event_key
from drachm.storage.tally import DiskTally


def audited(desk):
    with DiskTally(cached=2) as totals, DiskTally(cached=2) as pots:
        return audit(desk.books, totals, pots, time.monotonic, lambda _: None)


@pytest.fixture
def busy_town(database, town, charge):
    """A town with every kind of row in its journal."""
    desk = town(database)
    clear_events(
        [charge("e1", 40), charge("e2", 7), charge("e3", 40, member="ben"), charge("e4", 1, member="dan")], desk
    )
    clear_events([charge("e5", 30, kind="replacement", replaces="e1")], desk)
    clear_events([charge("r2", 0, kind="reversal", replaces="e2"), charge("h1", 20, kind="hold")], desk)
    clear_events([charge("e6", 10, kind="replacement", replaces="h1"), charge("e7", 12)], desk)
    return desk


def test_honest_books_pass(busy_town) -> None:
    report = audited(busy_town)
    assert report.first_difference == ""
    assert report.ok
    assert report.rows == 11


# Position of the row that is changed -> the SQL that does it; {n} is the position.
TAMPERING = {
    "amounts, balanced": "UPDATE journal SET legs[2] = 2 * legs[2], legs[4] = 2 * legs[4], legs[6] = 2 * legs[6], "
    "legs[8] = 2 * legs[8] WHERE position = {n}",
    "accounts": "UPDATE journal SET legs[1] = legs[3] WHERE position = {n}",
    "sources": "UPDATE journal SET sources = set_byte(sources, 0, 4) WHERE position = {n}",
    "posted at": "UPDATE journal SET posted_at = posted_at + interval '1 microsecond' WHERE position = {n}",
    "status": "UPDATE journal SET status = 1 - status WHERE position = {n}",
    "kind": "UPDATE journal SET kind = 7 WHERE position = {n}",
    "key": "UPDATE journal SET key = substring(sha256(key) FROM 1 FOR 16) WHERE position = {n}",
    "revision": "UPDATE journal SET revision = 9 WHERE position = {n}",
    "currency": "UPDATE journal SET currency = 'EUR' WHERE position = {n}",
    "after-value": "UPDATE journal SET avail = set_byte(avail, 15, get_byte(avail, 15) # 1) WHERE position = {n}",
    "leaf": "UPDATE journal SET leaf = sha256(leaf) WHERE position = {n}",
    "supersedes": "UPDATE journal SET supersedes = int8send(1) WHERE position = {n}",
    "occurred at": "UPDATE journal SET occurred_at = occurred_at + interval '1 second' WHERE position = {n}",
    "body": "UPDATE journal SET body = set_byte(body, 40, get_byte(body, 40) # 1) WHERE position = {n}",
    "body swapped": "UPDATE journal SET body = (SELECT body FROM journal j WHERE j.position = {n} - 1) "
    "WHERE position = {n}",
}


@pytest.mark.parametrize("what", TAMPERING)
def test_a_changed_cell_is_found_and_named(busy_town, database, what: str) -> None:
    position = _position(busy_town, "e7")
    with psycopg.connect(database, autocommit=True) as connection:
        for statement in TAMPERING[what].format(n=position).split("; "):
            connection.execute(statement)
    report = audited(busy_town)
    assert not report.ok
    assert f"position {position}" in report.first_difference


DERIVED = {
    "a running total": ("UPDATE total SET packed = set_byte(packed, 15, get_byte(packed, 15) # 1)", "running total"),
    "a lost total": ("DELETE FROM total WHERE id = (SELECT min(id) FROM total)", "running totals"),
    "an invented total": (
        "INSERT INTO total (tenant, id, packed) VALUES (1, 7, int8send(8) || int8send(5))",
        "running total 8 of row 7",
    ),
    "a pot": ("UPDATE state SET avail = avail + 1 WHERE avail > 0", "pot ana-"),
    "a promise": ("UPDATE state SET held = held + 1", "pot ana-"),
    "a deleted row": ("DELETE FROM journal WHERE position = (SELECT max(position) FROM journal)", ""),
    "a body that is gone": ("UPDATE journal SET body = '' WHERE position = (SELECT max(position) FROM journal)", ""),
}


@pytest.mark.parametrize("what", DERIVED)
def test_derived_rows_must_follow_from_the_journal(busy_town, database, what: str) -> None:
    statement, named = DERIVED[what]
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(statement)
    report = audited(busy_town)
    assert not report.ok
    assert named in report.first_difference


def test_erasing_a_patients_key_leaves_the_books_whole(busy_town, database, town) -> None:
    """Crypto-erasure: bodies of one patient are gone for everybody, entries and order stay verifiable."""
    with psycopg.connect(database, autocommit=True) as connection:
        deleted = connection.execute("DELETE FROM data_key WHERE patient <> 0").rowcount
    assert deleted >= 2
    desk = town(database, settle=False)
    report = audited(desk)
    assert report.ok, report.first_difference
    assert report.erased > 0
    assert all(stored.body == b"" for stored, _ in desk.books.rows() if stored.status == "posted")


def _position(desk, event_id: str) -> int:
    key = event_key(1, "ehr", event_id)
    return next(row.position for row, _ in desk.books.rows() if row.key == key)
