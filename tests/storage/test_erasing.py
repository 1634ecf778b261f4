"""Whoever is erased is erased in every process at once, and nobody posts or writes under a key that is gone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from drachm.application.ports import Books, Posting, Raced
from drachm.application.records import Record
from drachm.domain.clearing.numbers import patient_number
from drachm.domain.clearing.world import Needs
from drachm.domain.coverage.model import Coverage, Member
from drachm.domain.errors import Conflict, InvalidMessage
from drachm.domain.funding.model import Pot
from drachm.domain.periods import Period, read_day
from drachm.storage.journal_index import open_index

Connection = psycopg.Connection[Any]
NOTHING = Needs(frozenset(), frozenset())
ALWAYS = Period(read_day("2000-01-01"))
KEY = bytes(range(32))


def nobody_minds() -> None:
    """Nothing is in the way."""


def enrolled(books: Books) -> None:
    books.enrol(
        members=[Member("ana", read_day("1990-05-01")), Member("ben")],
        coverages=[Coverage("c", "ana", "town", ALWAYS)],
        pots=[Pot("cash", "ana", "USD", 0)],
    )


def registered(books: Any, visit: Any, member: str = "ana") -> bool:
    with books.work() as work:
        return member in work.registry([visit(member=member)]).people


def test_nothing_of_the_register_is_left_and_the_journal_stays(
    books: Any, draft: Any, post: Any, visit: Any, everything: Any
) -> None:
    enrolled(books)
    gone, kept = post(books, draft("gone", avail=(("cash", 0),)), draft("kept", member="ben"))
    rows, *others = everything(books)
    books.erase_people(["ana"], nobody_minds)
    after, *others_after = everything(books)
    assert others_after == others
    assert after == [(one._replace(body=b"") if one.position == gone else one, said) for one, said in rows]
    assert books.row(kept).body
    assert not registered(books, visit)
    assert registered(books, visit, "ben")
    assert books.registry_at(1, ["ana", "ben"], []).people.keys() == {"ben"}
    books.erase_people(["ana"], nobody_minds)
    with pytest.raises(InvalidMessage, match="nobody is named"):
        books.erase_people([""], nobody_minds)
    enrolled(books)
    assert registered(books, visit)


def test_what_is_in_the_way_leaves_everything_as_it_was(
    books: Any, draft: Any, post: Any, visit: Any, everything: Any
) -> None:
    enrolled(books)
    post(books, draft("one"))
    before = everything(books)

    def refuse() -> None:
        raise Conflict("not yet")

    with pytest.raises(Conflict, match="not yet"):
        books.erase_people(["ana"], refuse)
    assert everything(books) == before
    assert registered(books, visit)


def test_another_process_that_remembers_the_person_forgets(
    any_database: str, open_tenant: Any, draft: Any, post: Any, visit: Any
) -> None:
    here, there = open_tenant(any_database), open_tenant(any_database)
    enrolled(here)
    assert registered(there, visit)
    here.erase_people(["ana"], nobody_minds)
    assert not registered(there, visit)
    assert there.registry_at(1, ["ana"], []).people == {}
    here.enrol(members=[Member("ana")])
    assert registered(there, visit)


def test_a_batch_that_read_the_person_before_posts_nothing_under_the_dead_key(
    any_database: str, open_tenant: Any, draft: Any, visit: Any
) -> None:
    here, there = open_tenant(any_database), open_tenant(any_database)
    enrolled(here)
    with here.work() as work:
        assert "ana" in work.registry([visit()]).people
        there.erase_people(["ana"], nobody_minds)
        first = work.lock(NOTHING, 1).first_position
        with pytest.raises(Raced, match="erased"):
            work.post(Posting([draft("late").row(1, first)], {}, {}, {}))
    assert list(here.rows()) == []


def test_a_batch_with_its_locks_is_waited_for_and_erased_with_the_rest(
    any_database: str, open_tenant: Any, draft: Any, visit: Any
) -> None:
    here, there = open_tenant(any_database), open_tenant(any_database)
    enrolled(here)
    done = threading.Event()

    def erase() -> None:
        there.erase_people(["ana"], nobody_minds)
        done.set()

    with here.work() as work:
        work.registry([visit()])
        first = work.lock(NOTHING, 1).first_position
        thread = threading.Thread(target=erase)
        thread.start()
        waiting(here)
        work.post(Posting([draft("just in time").row(1, first)], {}, {}, {}))
        assert not done.is_set()
        work.commit()
    thread.join(30)
    assert done.is_set()
    assert here.row(first).body == b""


def waiting(books: Any) -> None:
    """Until somebody waits for an advisory lock."""
    asked = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"
    for _ in range(10_000):
        with books.sessions.transaction("reader") as conn:
            if conn.execute(asked).fetchone()[0]:
                return
    raise AssertionError("nobody waited")


@pytest.fixture
def of_ana(postgres: Any) -> Callable[..., Any]:
    def write(kind: str = "text_message", version: int = 0, **changes: Any) -> Any:
        record = Record(kind, "one", {"text": "hello"}, version, members=frozenset({"ana"}), author="idp|ana")
        return postgres.records().put([record])

    return write


def test_no_record_is_written_of_somebody_who_was_erased(
    postgres: Any, owner: Connection, of_ana: Callable[..., Any]
) -> None:
    enrolled(postgres)
    of_ana()
    postgres.erase_people(["ana"], nobody_minds)
    assert postgres.records().get("text_message", "one") is None
    for version in (0, 1):
        with pytest.raises(Conflict) as caught:
            of_ana(version=version)
        assert caught.value.code == "person_erased"
    assert owner.execute("SELECT FROM record_tag").fetchall() == []
    assert owner.execute("SELECT author, members, parties FROM record_version").fetchall() == [("", [], [])]
    assert owner.execute("SELECT FROM data_key WHERE patient = %s", [patient_number(1, "ana")]).fetchall() == []
    of_ana("member_profile")  # Who comes back is registered anew.
    postgres.enrol(members=[Member("ana")])
    of_ana()


def test_the_registrar_changes_no_version_that_opens(
    postgres: Any, owner: Connection, of_ana: Callable[..., Any]
) -> None:
    enrolled(postgres)
    of_ana()
    with postgres.sessions.transaction("registrar") as conn:
        assert conn.execute("UPDATE record_version SET author = 'x' WHERE tenant = 1").rowcount == 0
    assert owner.execute("SELECT author FROM record_version").fetchall() == [("idp|ana",)]


def test_what_was_posted_and_is_not_indexed_yet_is_told(postgres: Any, draft: Any, post: Any) -> None:
    index = open_index(postgres, KEY)
    post(postgres, draft("seen"), draft("other", member="ben"))
    while index.follow():
        pass
    assert not index.posted_behind(["ana", "ben"])
    post(postgres, draft("not followed yet"))
    assert index.posted_behind(["ana"])
    assert not index.posted_behind(["ben"])
