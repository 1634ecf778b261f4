"""What the database's "no" becomes, and that writers who meet wait in one order."""

from __future__ import annotations

import threading
import time
from typing import Any

import psycopg
import pytest
from psycopg import errors

from drachm.application.ports import ConstraintFired, Posting, Raced
from drachm.domain.benefits.model import Key
from drachm.domain.clearing.numbers import patient_number, total_place
from drachm.domain.clearing.world import Needs
from drachm.domain.coverage.model import Member
from drachm.domain.errors import IntegrityError, InvalidMessage, Unavailable
from drachm.domain.funding.model import Pot
from drachm.domain.ledger.model import Account, Entry, Source, account_id
from drachm.storage.rows import copy_of_journal
from drachm.storage.session import meaning

Connection = psycopg.Connection[Any]

CUT_ALL_OTHERS = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)
NOTHING = Needs(frozenset(), frozenset())


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
            row = draft(names[0]).row(1, first)
            work._copy("copy_journal", copy_of_journal(1, [row], [b"body"], [1], work._accounts, work._pot_numbers))
            both_wrote.wait(20)
            work.post(Posting([draft(names[1]).row(1, first + 1)], {}, {}, {}))
            work.commit()
            return "posted"

    answers = race([lambda: write(["a", "b"]), lambda: write(["b", "a"])])
    assert sorted(type(answer).__name__ for answer in answers) == ["Raced", "str"]
    assert owner.execute("SELECT count(*) FROM journal").fetchone() == (2,)


INSERTS = {
    "data_key": "INSERT INTO data_key SELECT 1, id, '' FROM unnest(%s::bigint[]) AS new (id)",
    "account": "INSERT INTO account SELECT 1, id, id::text, '', 'USD' FROM unnest(%s::bigint[]) AS new (id)",
    "total": "INSERT INTO total SELECT id, 1, '' FROM unnest(%s::bigint[]) AS new (id)",
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
        "account": sorted(account_id(1, entry.account) for (entry,) in entries),
        "total": sorted(total_place(1, key).row for key in keys),
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

    deltas = dict.fromkeys(keys, 1) if table == "total" else {}
    answers = race([lambda: post(postgres, *drafts, deltas=deltas), hinder])
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
        with pytest.raises(Unavailable):
            waiter.lock(Needs(frozenset(), frozenset({"cash"})), 1)
    assert postgres.pots() == {"cash": (1, 0)}
    postgres.enrol(pots=[Pot("cash", "ana", "USD", 0)])
