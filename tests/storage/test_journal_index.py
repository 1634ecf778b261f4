"""The readers' index holds a whole beginning of the journal at every moment, whoever commits when."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from drachm.application.body import write_body
from drachm.application.figures import keep_near
from drachm.application.ports import Posting
from drachm.bootstrap import SystemIds
from drachm.domain.clearing.world import Needs
from drachm.storage.figures import open_figures
from drachm.storage.journal_index import PostgresIndex, open_index

KEY = bytes(range(32))
NOON = datetime(2025, 3, 10, 12, tzinfo=UTC)
NOTHING = Needs(frozenset(), frozenset())


@pytest.fixture
def draft(draft: Any, visit: Any) -> Callable[..., Any]:
    """A row whose body says what happened: ana was at the clinic."""

    def make(name: str, **changes: Any) -> Any:
        body = write_body(visit(event_id=name), NOON, bytes(16), 1)
        return draft(name, body=body, **changes)

    return make


@pytest.fixture
def index(postgres: Any) -> PostgresIndex:
    return open_index(postgres, KEY)


def positions(index: PostgresIndex, after: int = 0) -> list[int]:
    return [row.position for row in index.after(after, parties=None, members=None, limit=10_000)]


def follow(index: PostgresIndex) -> int:
    done = 0
    while count := index.follow(limit=7):
        done += count
    return done


def begun(books: Any) -> tuple[Any, int]:
    """A transaction that has reserved a position and written nothing."""
    work = books.work().__enter__()
    return work, work.lock(NOTHING, 1).first_position


def finish(books: Any, work: Any, row: Any) -> None:
    work.post(Posting([row], {}, {}, {}))
    work.commit()


def test_a_row_that_is_committed_later_than_its_successor_is_not_skipped(
    postgres: Any, index: PostgresIndex, draft: Any, post: Any
) -> None:
    slow, first = begun(postgres)
    (second,) = post(postgres, draft("second"))
    assert first < second
    # The second row is there for everybody, and yet the index must not go past the first.
    assert index.follow() == 0
    assert index.follow() == 0
    assert positions(index) == []
    assert index.lag() > 0
    finish(postgres, slow, draft("first").row(postgres.tenant, first))
    assert follow(index) == 2
    assert positions(index) == [first, second]
    assert index.lag() == 0


def test_new_writers_do_not_hold_the_index_up(postgres: Any, index: PostgresIndex, draft: Any, post: Any) -> None:
    slow, first = begun(postgres)
    (second,) = post(postgres, draft("second"))
    assert index.follow() == 0
    newcomer, third = begun(postgres)
    finish(postgres, slow, draft("first").row(postgres.tenant, first))
    # The newcomer is still writing, and was not when the others were looked at.
    assert index.follow() == 2
    assert positions(index) == [first, second]
    finish(postgres, newcomer, draft("third").row(postgres.tenant, third))
    assert follow(index) == 1
    assert positions(index) == [first, second, third]


def test_a_writer_who_comes_between_the_two_looks_is_not_overtaken(
    postgres: Any, index: PostgresIndex, draft: Any, post: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The highest reserved position is read first, who is writing second; the other way round this row is skipped."""
    (before,) = post(postgres, draft("before"))
    ask, came = index._ask, []

    def between(conn: Any, query: str, **values: object) -> Any:
        found = ask(conn, query, **values)
        if query in ("reserved", "writing") and not came:
            came.append(begun(postgres))
            post(postgres, draft("overtakes"))
        return found

    monkeypatch.setattr(index, "_ask", between)
    index.follow()
    work, position = came[0]
    finish(postgres, work, draft("between").row(postgres.tenant, position))
    follow(index)
    assert positions(index) == [before, position, position + 1]


def test_a_writer_that_gives_up_leaves_a_gap_and_no_stop(
    postgres: Any, index: PostgresIndex, draft: Any, post: Any
) -> None:
    slow, _ = begun(postgres)
    (second,) = post(postgres, draft("second"))
    assert index.follow() == 0
    slow.__exit__(None, None, None)
    assert follow(index) == 1
    assert positions(index) == [second]


def test_a_writer_of_another_tenant_counts_too(any_database: str, open_tenant: Any, draft: Any, post: Any) -> None:
    mine, theirs = open_tenant(any_database, 1), open_tenant(any_database, 2)
    index, others = open_index(mine, KEY), open_index(theirs, KEY)
    slow, first = begun(theirs)
    (second,) = post(mine, draft("mine"))
    finish(theirs, slow, draft("theirs").row(2, first))
    assert (follow(index), follow(others)) == (1, 1)
    assert (positions(index), positions(others)) == ([second], [first])


def test_two_followers_share_the_work(postgres: Any, index: PostgresIndex, draft: Any, post: Any, race: Any) -> None:
    posted = [post(postgres, draft(f"row {number}"))[0] for number in range(40)]
    another = open_index(postgres, KEY)
    for _ in range(100):
        race([lambda: index.follow(limit=5), lambda: another.follow(limit=5)])
        if index.lag() == 0:
            break
    assert positions(index) == posted


def test_every_moment_shows_a_whole_beginning(
    postgres: Any, index: PostgresIndex, draft: Any, race: Callable[..., Any]
) -> None:
    """Writers with short and long transactions, a follower, and a reader that writes down what it sees."""
    stopping = threading.Event()
    figures = open_figures(postgres, KEY, SystemIds())
    follower = threading.Thread(target=keep_near, args=(index, figures, stopping), kwargs={"pause": 0.001})
    seen: list[list[int]] = []

    def watch() -> None:
        while not stopping.is_set():
            seen.append(positions(index))

    def write(writer: int) -> list[int]:
        done = []
        for number in range(12):
            work, position = begun(postgres)
            time.sleep(0.004 * ((writer + number) % 4))
            finish(postgres, work, draft(f"{writer}-{number}").row(postgres.tenant, position))
            done.append(position)
        return done

    reader = threading.Thread(target=watch)
    follower.start()
    reader.start()
    try:
        answers = race([lambda writer=writer: write(writer) for writer in range(4)])
        posted = sorted(position for answer in answers for position in answer)
        until = time.monotonic() + 20
        while index.lag() and time.monotonic() < until:
            time.sleep(0.01)
    finally:
        stopping.set()
        follower.join(20)
        reader.join(20)
    assert positions(index) == posted
    assert len(posted) == 48
    assert any(0 < len(some) < len(posted) for some in seen), "the reader never saw a part"
    for some in seen:
        assert some == posted[: len(some)]


def test_a_rebuilt_index_is_the_same(
    postgres: Any, index: PostgresIndex, owner: psycopg.Connection[Any], draft: Any, post: Any
) -> None:
    post(postgres, draft("one"), draft("two", status="pended", entries=(), reason="unknown_member"))
    post(postgres, draft("two", revision=1))
    post(postgres, draft("three"))
    follow(index)

    def everything() -> list[Any]:
        tables = ("journal_index", "journal_party", "journal_followed")
        return [sorted(map(str, owner.execute(f"SELECT * FROM {table}").fetchall())) for table in tables]

    before = everything()
    assert [len(rows) for rows in before] == [4, 4, 1]
    assert index.rebuild() == 4
    assert everything() == before
    owner.execute("DELETE FROM journal_index; DELETE FROM journal_party; DELETE FROM journal_followed")
    assert follow(open_index(postgres, KEY)) == 4  # as after a restart
    assert everything() == before


def test_a_later_answer_keeps_its_place_and_shows_what_is_new(
    postgres: Any, index: PostgresIndex, draft: Any, post: Any
) -> None:
    (first,) = post(postgres, draft("waits", status="pended", entries=(), reason="unknown_member"))
    (other,) = post(postgres, draft("other"))
    follow(index)
    assert [row.status for row in index.page("events", parties=None, members=None)] == ["posted", "pended"]
    assert [row.first for row in index.page("events", parties=["clinic"], members=None, status="pended")] == [first]
    (later,) = post(postgres, draft("waits", revision=1))
    follow(index)
    rows = index.page("events", parties=["clinic"], members=None)
    assert [(row.first, row.position, row.revision, row.status) for row in rows] == [
        (other, other, 0, "posted"),
        (first, later, 1, "posted"),
    ]
    assert [row.position for row in index.page("receipts", parties=None, members=None)] == [later, other]
    assert index.page("events", parties=None, members=None, status="pended") == []
    assert index.of_key(rows[1].key) == [first, later]


def test_what_was_erased_is_listed_by_what_stands_in_the_open(
    postgres: Any, index: PostgresIndex, draft: Any, post: Any
) -> None:
    post(postgres, draft("one"))
    postgres.erase("ana")
    follow(index)
    (row,) = index.page("receipts", parties=["insurer"], members=None)
    assert (row.member, row.provider, row.parties) == ("", "clinic", frozenset({"clinic", "insurer"}))
    assert (row.kind, row.day.isoformat()) == ("charge", "2025-03-10")
    assert index.page("receipts", parties=["another"], members=["ana"]) == []
    assert [(one.row, one.stored.body) for one in index.look([row.position])] == [(row, b"")]


def test_a_body_that_was_tampered_with_does_not_stop_the_index(
    postgres: Any, index: PostgresIndex, owner: psycopg.Connection[Any], draft: Any, post: Any
) -> None:
    """It is the audit that names it; lists go on."""
    (first,) = post(postgres, draft("one"))
    (second,) = post(postgres, draft("two"))
    owner.execute("UPDATE journal SET body = body || 'x' WHERE position = %s", [first])
    assert follow(index) == 2
    assert positions(index) == [first, second]


def test_lists_are_cut_into_pages_by_every_way(postgres: Any, index: PostgresIndex, draft: Any, post: Any) -> None:
    posted = [post(postgres, draft(f"row {number}"))[0] for number in range(9)]
    follow(index)
    for parties in (None, ["clinic"], ["clinic", "insurer", "nobody"]):
        found: list[int] = []
        before = 0
        while page := index.page("events", parties=parties, members=None, before=before, limit=2):
            found += [row.position for row in page]
            before = page[-1].first
        assert found == posted[::-1]
    assert index.page("events", parties=[], members=[]) == []
    assert positions(index, posted[4]) == posted[5:]
    some = index.after(posted[1], parties=["insurer", "clinic"], members=["ana"], limit=3)
    assert [row.position for row in some] == posted[2:5]
    assert index.after(0, parties=[], members=[]) == []


def test_the_journal_pays_nothing_for_it(postgres: Any, owner: psycopg.Connection[Any]) -> None:
    indexes = owner.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'journal' ORDER BY 1").fetchall()
    assert [name for (name,) in indexes] == ["journal_key", "journal_pkey", "journal_supersedes"]
    assert owner.execute("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal").fetchone() == (0,)
