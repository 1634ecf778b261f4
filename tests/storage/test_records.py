"""What is kept beside the books: every version, found by whom it concerns, lost to no race, gone with its member."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from drachm.application.records import Record, Records
from drachm.domain.errors import Conflict, IntegrityError, InvalidMessage
from drachm.storage.memory_records import MemoryRecords

NOON = datetime(2025, 3, 10, 12, 0, 0, 123_456, tzinfo=UTC)
ANA, BEN = frozenset({"ana"}), frozenset({"ben"})
CLINIC = frozenset({"clinic"})


def site(id: str = "s1", **changes: Any) -> Record:
    return replace(Record("site", id, {"name": "North"}, parties=CLINIC, author="key:one", at=NOON), **changes)


def put(records: Records, *some: Record) -> list[Record]:
    return records.put(some)


@pytest.fixture(params=["memory", "pg18", "pg16"])
def store(request: pytest.FixtureRequest, open_tenant: Any) -> tuple[Records, Callable[[str], None]]:
    """An empty store, and what erases a member in it."""
    if request.param == "memory":
        memory = MemoryRecords(lambda: NOON)
        return memory, memory.erase
    books = open_tenant(request.getfixturevalue("database" if request.param == "pg18" else "database16"))
    return books.records(lambda: NOON), books.erase


@pytest.fixture
def records(store: tuple[Records, Any]) -> Records:
    return store[0]


@pytest.fixture
def erase(store: tuple[Any, Callable[[str], None]]) -> Callable[[str], None]:
    return store[1]


def test_what_was_put_comes_back_whole(records: Records) -> None:
    body = {"a": [1, None, True, "ü \x00 \U0001f600", 0.5, {"b": {}}], "big": 2**63 - 1}
    new = site(body=body, members=frozenset({"ana", "ben"}), terms=frozenset({"npi=1", "state=open"}))
    (kept,) = put(records, new)
    assert kept == replace(new, version=1)
    assert records.get("site", "s1") == kept
    assert records.find("site") == [kept]
    assert records.history("site", "s1") == [kept]


def test_what_is_not_here(records: Records) -> None:
    put(records, site())
    assert records.get("site", "s2") is None
    assert records.get("practitioner", "s1") is None
    assert records.history("site", "s2") == []
    assert records.find("practitioner") == []
    for name in ("\0", "s1\0", "\ud800", "", "x" * 10_000):
        assert records.get("site", name) is None
        assert records.history("site", name) == []


def test_every_version_stays(records: Records) -> None:
    (first,) = put(records, site())
    (second,) = put(records, replace(first, body={"name": "South"}, author="ben", at=NOON + timedelta(days=1)))
    assert second.version == 2
    assert records.get("site", "s1") == second
    assert records.history("site", "s1") == [first, second]


def test_the_store_says_when_where_nobody_does(records: Records) -> None:
    (kept,) = put(records, site(at=None))
    assert kept.at == NOON
    assert records.get("site", "s1") == kept


def test_only_the_newest_version_is_replaced(records: Records) -> None:
    (first,) = put(records, site())
    put(records, replace(first, body={"name": "South"}))
    for stale in (site(), first, site(version=3), site("s2", version=1)):
        with pytest.raises(Conflict) as told:
            put(records, stale)
        assert told.value.code == "version"
    assert [one.version for one in records.history("site", "s1")] == [1, 2]
    assert records.get("site", "s2") is None


def test_what_is_put_together_is_kept_together(records: Records) -> None:
    put(records, site("s5"))
    with pytest.raises(Conflict):
        put(records, site("s4"), site("s5"), site("s6"))
    assert [one.id for one in records.find("site")] == ["s5"]
    kept = put(records, site("s9"), site("s8", kind="plan"), site("s7"), site("s9", version=1, body={"x": 1}))
    assert [(one.kind, one.id, one.version) for one in kept] == [
        ("site", "s9", 1),
        ("plan", "s8", 1),
        ("site", "s7", 1),
        ("site", "s9", 2),
    ]


def ids(found: list[Record]) -> list[str]:
    return [one.id for one in found]


def test_finding_by_whom_it_concerns(records: Records) -> None:
    put(
        records,
        site("a", parties=CLINIC),
        site("b", parties=frozenset({"clinic", "hospital"})),
        site("c", parties=frozenset(), members=ANA),
        site("d", parties=frozenset({"hospital"}), members=BEN),
        site("e", parties=frozenset()),
        site("f", kind="other", parties=CLINIC, members=ANA),
    )
    assert ids(records.find("site")) == ["a", "b", "c", "d", "e"]
    assert ids(records.find("site", parties=["clinic"])) == ["a", "b"]
    assert ids(records.find("site", parties=["clinic", "hospital"])) == ["a", "b", "d"]
    assert ids(records.find("site", members=["ana"])) == ["c"]
    assert ids(records.find("site", parties={"hospital"}, members={"ana"})) == ["b", "c", "d"]
    assert records.find("site", parties=[]) == []
    assert records.find("site", parties=[], members=[]) == []
    assert records.find("site", parties=["ana"]) == [], "a member's name is no party's"
    assert records.find("site", members=["clinic"]) == []


def test_finding_by_terms(records: Records) -> None:
    put(
        records,
        site("a", terms=frozenset({"state=open", "npi=1"})),
        site("b", terms=frozenset({"state=open"}), parties=frozenset({"hospital"})),
        site("c", terms=frozenset({"state=shut", "npi=1"})),
    )
    assert ids(records.find("site", terms=["state=open"])) == ["a", "b"]
    assert ids(records.find("site", terms=["npi=1", "state=open"])) == ["a"]
    assert ids(records.find("site", terms=["state=open"], parties=["hospital"])) == ["b"]
    assert ids(records.find("site", terms=["state=open", "state=open"])) == ["a", "b"]
    assert records.find("site", terms=["state=open"], parties=[]) == []
    assert records.find("site", terms=["state"]) == []
    assert records.find("site", terms=["clinic"]) == [], "a party's name is no term"


def test_only_the_newest_version_is_found(records: Records) -> None:
    (first,) = put(records, site(terms=frozenset({"state=open"}), members=ANA))
    put(
        records,
        replace(first, terms=frozenset({"state=shut"}), parties=frozenset({"hospital"}), members=frozenset()),
    )
    assert records.find("site", terms=["state=open"]) == []
    assert records.find("site", parties=["clinic"]) == []
    assert records.find("site", members=["ana"]) == []
    assert ids(records.find("site", terms=["state=shut"], parties=["hospital"])) == ["s1"]


def test_pages_follow_the_id_byte_by_byte(records: Records) -> None:
    names = ["B", "a", "a-1", "a1", "b", "ä", "Z9", "z"]
    put(records, *(site(name, terms=frozenset({"x"})) for name in names))
    for narrow in ({}, {"parties": ["clinic", "nobody"]}, {"terms": ["x"]}):
        seen: list[str] = []
        while page := records.find("site", after=seen[-1] if seen else "", limit=3, **narrow):  # type: ignore[arg-type]
            assert len(page) <= 3
            seen += ids(page)
        assert seen == sorted(names)
    assert records.find("site", limit=0) == []


def test_what_is_kept_is_a_copy(records: Records) -> None:
    body = {"names": ["North"]}
    put(records, site(body=body))
    body["names"].append("South")
    found = records.get("site", "s1")
    assert found is not None
    assert found.body == {"names": ["North"]}


BAD: list[tuple[str, dict[str, Any]]] = [
    ("kind", {"kind": "si\0te"}),
    ("kind", {"kind": ""}),
    ("kind", {"kind": "k" * 65}),
    ("id", {"id": "s\ud800"}),
    ("id", {"id": ""}),
    ("id", {"id": "i" * 201}),
    ("author", {"author": "a\0"}),
    ("parties", {"parties": frozenset({"clinic", "\0"})}),
    ("members", {"members": frozenset({"\udfff"})}),
    ("members", {"members": frozenset({""})}),
    ("terms", {"terms": frozenset({"npi=\0"})}),
    ("body", {"body": {"name": "\ud83d"}}),
    ("body", {"body": {"name": float("nan")}}),
    ("body", {"body": {"name": datetime(2025, 1, 1, tzinfo=UTC)}}),
    ("body", {"body": {"name": 2**64}}),
    ("body", {"body": {1: "x"}}),
    ("at", {"at": datetime(2025, 1, 1)}),  # noqa: DTZ001
    ("version", {"version": -1}),
]


@pytest.mark.parametrize(("place", "changes"), BAD)
def test_what_cannot_be_kept_is_refused_by_name(records: Records, place: str, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidMessage) as told:
        put(records, site("good"), site(**changes))
    assert told.value.where.endswith(f"record, {place}")
    assert records.find("site") == [], "nothing of it was kept"


def test_a_search_for_what_cannot_be_kept_is_refused(records: Records) -> None:
    for search in ({"parties": ["\0"]}, {"members": ["\ud800"]}, {"terms": ["\0"]}, {"after": "\0"}):
        if "after" in search and isinstance(records, MemoryRecords):
            continue
        with pytest.raises(InvalidMessage):
            records.find("site", **search)  # type: ignore[arg-type]


def test_erasing_a_member_erases_what_concerns_this_one_alone(records: Records, erase: Callable[[str], None]) -> None:
    put(
        records,
        site("own", members=ANA, terms=frozenset({"x"})),
        site("shared", members=ANA | BEN, terms=frozenset({"x"})),
        site("bens", members=BEN, terms=frozenset({"x"})),
        site("nobodys", terms=frozenset({"x"})),
    )
    erase("ana")
    assert records.get("site", "own") is None
    assert records.history("site", "own") == []
    for narrow in ({}, {"terms": ["x"]}, {"parties": ["clinic"]}, {"members": ["ana", "ben"], "parties": ["clinic"]}):
        assert ids(records.find("site", limit=3, **narrow)) == ["bens", "nobodys", "shared"]  # type: ignore[arg-type]


def test_an_erased_record_may_be_written_anew_but_not_read(records: Records, erase: Callable[[str], None]) -> None:
    (kept,) = put(records, site(members=ANA, terms=frozenset({"old"})))
    erase("ana")
    (again,) = put(records, site(members=ANA, body={"name": "again"}))
    assert again.version == 2
    assert records.history("site", "s1") == [again]
    assert records.get("site", "s1") == again
    assert records.find("site", terms=["old"]) == []
    with pytest.raises(Conflict):
        put(records, site(members=ANA))
    assert kept.version == 1


def test_of_many_writers_of_one_version_one_is_kept(records: Records, race: Any) -> None:
    (first,) = put(records, site())
    told = race([lambda n=n: put(records, replace(first, body={"n": n})) for n in range(6)])
    assert sorted(type(one) is Conflict for one in told) == [False] + [True] * 5
    assert {one.code for one in told if type(one) is Conflict} == {"version"}
    assert [one.version for one in records.history("site", "s1")] == [1, 2]


def test_of_many_who_make_the_same_record_one_does(records: Records, race: Any) -> None:
    told = race([lambda n=n: put(records, site(body={"n": n}, members=ANA)) for n in range(6)])
    assert sorted(type(one) is Conflict for one in told) == [False] + [True] * 5
    assert len(records.history("site", "s1")) == 1


def test_writers_who_meet_crosswise_do_not_wait_for_each_other_for_ever(records: Records, race: Any) -> None:
    put(records, site("a"), site("b"))

    def both(*order: str) -> None:
        for _ in range(10):
            mine = {one.id: one for one in records.find("site")}
            try:
                put(records, *(mine[name] for name in order))
            except Conflict:
                continue

    assert race([lambda: both("a", "b"), lambda: both("b", "a")]) == [None, None]
    assert len(records.history("site", "a")) == len(records.history("site", "b")) > 1


# Only in a database


@pytest.fixture
def two(any_database: str, open_tenant: Any) -> tuple[Any, Any]:
    return open_tenant(any_database, 1), open_tenant(any_database, 2)


def test_another_tenant_sees_nothing_and_shares_nothing(two: tuple[Any, Any]) -> None:
    first, second = (books.records() for books in two)
    put(first, site(members=ANA, terms=frozenset({"x"})))
    assert second.get("site", "s1") is None
    assert second.history("site", "s1") == []
    for narrow in ({}, {"terms": ["x"]}, {"parties": ["clinic"]}, {"members": ["ana"]}):
        assert second.find("site", **narrow) == []
    with pytest.raises(Conflict):
        put(second, site(version=1))
    (own,) = put(second, site(body={"name": "elsewhere"}))
    assert (own.version, first.get("site", "s1").body) == (1, {"name": "North"})
    two[1].erase("ana")
    assert first.get("site", "s1") is not None


def stored(conn: psycopg.Connection[Any]) -> Iterator[str]:
    """All that stands in the tables of records, as text."""
    for table in ("record", "record_version", "record_tag"):
        for (row,) in conn.execute(f"SELECT t::text FROM {table} AS t"):
            yield row


def test_bodies_and_terms_are_not_readable_in_the_database(postgres: Any, owner: psycopg.Connection[Any]) -> None:
    secret = frozenset({"birth=1990-05-01"})
    put(postgres.records(), site(members=ANA, terms=secret, body={"finding": "hypertension"}))
    text = "\n".join(stored(owner))
    assert "clinic" in text, "the look would find words"
    for word in ("hypertension", "finding", "1990-05-01", "birth"):
        assert word not in text
        assert word.encode().hex() not in text


def test_equal_words_have_other_hashes_in_another_tenant(two: tuple[Any, Any], owner: psycopg.Connection[Any]) -> None:
    for books in two:
        put(books.records(), site(terms=frozenset({"x"})))
    tags = owner.execute("SELECT tag FROM record_tag").fetchall()
    assert len(tags) == len(set(tags)) == 4


def test_a_body_moved_to_another_record_does_not_open(postgres: Any, owner: psycopg.Connection[Any]) -> None:
    records = postgres.records()
    put(records, site("a", body={"name": "North"}), site("b"))
    owner.execute("UPDATE record_version SET body = (SELECT body FROM record_version WHERE id = 'b') WHERE id = 'a'")
    with pytest.raises(IntegrityError, match="site record, version 1"):
        records.get("site", "a")
    assert records.get("site", "b") is not None


def test_nobody_of_the_application_changes_a_version(postgres: Any, owner: psycopg.Connection[Any]) -> None:
    put(postgres.records(), site())
    for role in ("drachm_registrar", "drachm_writer", "drachm_reader"):
        for statement in ("UPDATE record_version SET body = ''", "DELETE FROM record_version", "TRUNCATE record"):
            owner.execute(f"BEGIN; SET LOCAL ROLE {role}; SET LOCAL app.tenant = 1")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                owner.execute(statement)
            owner.rollback()


def test_looking_for_a_word_uses_the_index_under_row_security(postgres: Any, owner: psycopg.Connection[Any]) -> None:
    owner.execute(
        "INSERT INTO record_tag SELECT 1, 'site', decode(lpad(to_hex(n), 32, '0'), 'hex'), n::text "
        "FROM generate_series(1, 20000) AS n"
    )
    owner.execute("ANALYZE record_tag; BEGIN; SET LOCAL ROLE drachm_reader; SET LOCAL app.tenant = 1")
    plan = owner.execute(
        "EXPLAIN SELECT id FROM record_tag WHERE tenant = 1 AND kind = 'site' AND id > '' "
        "AND tag = decode(lpad('ff', 32, '0'), 'hex') ORDER BY id LIMIT 10"
    ).fetchall()
    text = "\n".join(line for (line,) in plan)
    owner.rollback()
    condition = next(line for line in text.splitlines() if "Index Cond" in line)
    assert all(word in condition for word in ("tag", "kind", "tenant", "id >")), text


def test_in_order_of_time_newest_or_oldest_first(records: Records, erase: Callable[[str], None]) -> None:
    """By when the newest version was written: page by page nothing is lost or told twice, whatever the ids."""
    minutes = [7, 3, 3, 9, 1, 4, 4, 4, 8, 2, 6, 5]
    for number, minute in enumerate(minutes):
        state = f"state={'open' if number % 3 else 'done'}"
        who = BEN if number % 2 else ANA
        one = site(f"s{(number * 5) % 12:02}", at=NOON + timedelta(minutes=minute), terms=frozenset({state}))
        put(records, replace(one, members=who))
    (first,) = [one for one in records.find("site") if one.id == "s00"]
    put(records, replace(first, at=NOON + timedelta(hours=1)))
    for terms in ([], ["state=open"], ["state=done"]):
        for members in (None, ANA, ANA | BEN):
            known = records.find("site", terms=terms, members=members)
            for newest in (True, False):
                wanted = sorted(known, key=lambda one: (one.at, one.id), reverse=newest)
                asked: dict[str, Any] = {"newest": newest, "terms": terms, "members": members}
                assert records.by_time("site", **asked) == wanted
                paged: list[Record] = []
                while page := records.by_time(
                    "site", **asked, limit=3, behind=(paged[-1].at, paged[-1].id) if paged else None
                ):
                    paged += page
                assert paged == wanted
    assert records.by_time("site", newest=True, limit=1)[0].id == "s00"
    assert records.by_time("site", newest=True, parties=[], limit=5) == []
    assert records.by_time("nothing", newest=True) == []
    erase("ana")
    left = [one.id for one in records.by_time("site", newest=True, limit=4)]
    assert left == [one.id for one in sorted(records.find("site"), key=lambda one: (one.at, one.id), reverse=True)][:4]
