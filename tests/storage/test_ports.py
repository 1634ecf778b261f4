"""What the core may rely on: what was posted reads back, in memory, on PostgreSQL 18 and on PostgreSQL 16."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from drachm.application.ports import Books
from drachm.domain.benefits.model import Key
from drachm.domain.clearing.numbers import total_number
from drachm.domain.clearing.world import Needs
from drachm.domain.funding.model import Pot
from drachm.domain.ledger.model import Account, Entry, EntryKind, Source
from drachm.domain.transparency.leaf import event_key
from drachm.storage import reading

NOTE = {"entries": (), "kind": EntryKind.NOTE}


def test_a_posted_row_reads_back_in_full(books: Books, draft: Any, post: Any) -> None:
    books.enrol(pots=[Pot("cash", "ana", "USD", 0), Pot("gift", "ana", "USD", 0)])
    entries = (
        Entry(Account("wallet", "cash", "USD"), 5, Source.WALLET),
        Entry(Account("patient_receivable", "ana", "USD"), 2**62, Source.DUE),
        Entry(Account("provider_payable", "clinic", "USD"), -(2**62) - 5, Source.NONE),
    )
    one = draft(
        "full",
        revision=3,
        kind=EntryKind.CAPTURE,
        status="denied",
        reason="not_covered",
        member="Ana Ångström",
        occurred_at=datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        posted_at=datetime(2199, 1, 1, tzinfo=UTC),
        currency="EUR",
        entries=entries,
        avail=(("gift", 0), ("cash", 2**63 - 1)),
        body=b'{"words": "' + bytes(range(256)) * 40 + b'"}',
    )
    (position,) = post(books, one, draft("other"))[:1]
    row = one.row(books.tenant, position)
    stored, written = next(books.rows())
    assert stored == books.row(position)
    assert stored.superseded is False
    for read in (stored, written):
        said = {name: value for name, value in read._asdict().items() if name != "superseded"}
        assert said == {name: getattr(row, name) for name in said}
    with books.work() as work:
        assert work.newest([row.key]) == {row.key: stored}


@pytest.mark.parametrize("status", ["posted", "denied", "pended", "refused"])
def test_every_status_reads_back(books: Books, draft: Any, post: Any, status: str) -> None:
    (position,) = post(books, draft("one", status=status, **NOTE))
    stored = books.row(position)
    assert stored is not None
    assert (stored.status, stored.kind) == (status, EntryKind.NOTE)


def test_a_row_of_an_unknown_member_reads_back(books: Books, draft: Any, post: Any) -> None:
    (position,) = post(books, draft("one", member="", body=b""))
    stored, _ = next(books.rows())
    assert (stored.body, stored.position) == (b"", position)


def test_what_is_not_here_is_absent(books: Books, draft: Any, post: Any) -> None:
    post(books, draft("one"))
    with books.work() as work:
        assert work.newest([]) == {}
        assert work.newest([bytes(16)]) == {}
        found = work.newest([event_key(books.tenant, "test", "one"), bytes(16), event_key(books.tenant, "test", "one")])
        assert list(found) == [event_key(books.tenant, "test", "one")]
    assert books.row(999_999) is None
    assert books.row(0) is None


def test_newest_is_the_last_revision_and_its_predecessor_is_superseded(books: Books, draft: Any, post: Any) -> None:
    (first,) = post(books, draft("one"))
    (second,) = post(books, draft("one", revision=1, supersedes=first, kind=EntryKind.REVISION))
    with books.work() as work:
        stored = work.newest([event_key(books.tenant, "test", "one")])[event_key(books.tenant, "test", "one")]
    assert (stored.position, stored.revision, stored.supersedes, stored.superseded) == (second, 1, first, False)
    earlier = books.row(first)
    assert earlier is not None
    assert earlier.superseded


def test_rows_stream_in_order_page_by_page(
    books: Books, draft: Any, post: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "ROWS_PER_PAGE", 7)
    positions = post(books, *[draft(f"e{number}") for number in range(20)])
    positions += post(books, draft("last"))
    assert [row.position for row, _ in books.rows()] == positions
    assert [row.position for row, _ in books.rows(after=positions[4])] == positions[5:]
    assert [row.position for row, _ in books.rows(limit=9)] == positions[:9]
    assert [row.position for row, _ in books.rows(after=positions[13], limit=7)] == positions[14:]
    assert list(books.rows(limit=0)) == []
    assert list(books.rows(after=positions[-1])) == []


def test_balances_are_exact_beyond_64_bits(books: Books, draft: Any, post: Any) -> None:
    owed, due = Account("provider_payable", "clinic", "USD"), Account("patient_receivable", "ana", "USD")
    entries = (Entry(owed, -(2**62), Source.DUE), Entry(due, 2**62, Source.DUE))
    post(books, *[draft(f"e{number}", entries=entries) for number in range(5)])
    assert books.balances() == {owed: -5 * 2**62, due: 5 * 2**62}


def test_an_account_that_came_back_to_zero_is_still_named(books: Books, draft: Any, post: Any) -> None:
    (first,) = post(books, draft("one"))
    entries = draft("one").row(books.tenant, 1).entries
    back = tuple(entry._replace(amount=-entry.amount) for entry in entries)
    post(books, draft("two", supersedes=first, kind=EntryKind.REVERSAL, entries=back))
    assert books.balances() == {entry.account: 0 for entry in entries}


def test_totals_add_up_and_vanish_at_zero(
    books: Books, draft: Any, post: Any, key: Key, totals: Any, placed: Any
) -> None:
    month = Key("ana", "plan/visits", "M2025-03")
    post(books, draft("one"), deltas={key: 7, month: -2})
    post(books, draft("two"), deltas={key: 5, month: 2})
    assert totals(books) == placed(books, {key: 12})
    with books.work() as work:
        number = total_number(books.tenant, key)
        others = {total_number(books.tenant, other) for other in (month, Key("new", "x", "y"))}
        locked = work.lock(Needs({number, *others}, frozenset()), 1)
        assert dict(locked.totals) == {number: 12}
    post(books, draft("three"), deltas={key: 0, month: 0})
    assert totals(books) == placed(books, {key: 12})


def test_totals_come_in_the_order_of_their_places(
    books: Books, draft: Any, post: Any, monkeypatch: pytest.MonkeyPatch, totals: Any, placed: Any
) -> None:
    monkeypatch.setattr(reading, "TOTALS_PER_PAGE", 3)
    words = ["a", "B", "ä", "Z", "z z", "z-z", "保", "_", "a/b"]
    periods = ["Y2025-01-01", "M2025-03", "D2025-03-09", "D2025-04-01", "V:one", ""]
    values = {Key(scope, name, period): len(scope) for scope in words for name in words[:2] for period in periods}
    post(books, draft("one"), deltas=values)
    found = [place for place, _ in books.totals()]
    assert found == sorted(found)
    assert totals(books) == placed(books, values)


def test_totals_of_one_row_change_apart_and_keep_their_signs(
    books: Books, draft: Any, post: Any, totals: Any, placed: Any
) -> None:
    largest = 2**63 - 1
    keys = [Key("ana", f"plan/{number}", "Y2025-01-01") for number in range(40)]
    assert len({place.row for place in placed(books, dict.fromkeys(keys, 1))}) == 1
    values = {key: (-1) ** number * (largest - number) for number, key in enumerate(keys)}
    post(books, draft("one"), deltas=values)
    assert totals(books) == placed(books, values)
    post(books, draft("two"), deltas={keys[0]: -largest, keys[1]: largest - 1, keys[2]: 2, keys[39]: -1})
    values |= {keys[2]: largest, keys[39]: values[keys[39]] - 1}
    del values[keys[0]], values[keys[1]]
    assert totals(books) == placed(books, values)
    with books.work() as work:
        numbers = {total_number(books.tenant, key): value for key, value in values.items()}
        assert work.lock(Needs(numbers.keys(), ()), 1).totals == numbers


def test_a_window_of_days_may_need_hundreds_of_rows(
    books: Books, draft: Any, post: Any, totals: Any, placed: Any
) -> None:
    days = [Key("ana", "plan/visits", f"D{2020 + n // 336}-{n // 28 % 12 + 1:02}-{n % 28 + 1:02}") for n in range(1830)]
    values = dict.fromkeys(days, 1)
    assert 50 < len({place.row for place in placed(books, values)}) < 70
    many = [Key(f"m{n}", "plan/visits", "D2025-01-01") for n in range(400)]
    values |= dict.fromkeys(many, 2)
    post(books, draft("one"), deltas=values)
    with books.work() as work:
        numbers = {total_number(books.tenant, key): value for key, value in values.items()}
        assert work.lock(Needs(numbers.keys(), ()), 1).totals == numbers
    assert totals(books) == placed(books, values)


def test_a_hold_promises_and_a_capture_takes(books: Books, draft: Any, post: Any, fill: Any) -> None:
    fill(books, cash=100)
    post(books, draft("hold"), moves={"cash": -30}, held={"cash": 30})
    assert books.pots() == {"cash": (70, 30)}
    post(books, draft("capture"), moves={"cash": 5}, held={"cash": -30})
    assert books.pots() == {"cash": (75, 0)}


def test_a_locked_pot_says_what_it_may_spend_and_an_unknown_one_is_absent(
    books: Books, draft: Any, post: Any, fill: Any
) -> None:
    fill(books, cash=100, gift=7)
    with books.work() as work:
        locked = work.lock(Needs(frozenset(), frozenset({"cash", "gift", "nobody's"})), 1)
        assert dict(locked.avail) == {"cash": 100, "gift": 7}


def test_a_pended_event_waits_until_any_other_answer(books: Books, draft: Any, post: Any) -> None:
    waits = {"status": "pended", **NOTE}
    first, second = post(books, draft("a", reason="unknown_member", **waits), draft("b", reason="no_contract", **waits))
    key_a, key_b = event_key(books.tenant, "test", "a"), event_key(books.tenant, "test", "b")
    assert books.queue() == [(first, key_a, "unknown_member"), (second, key_b, "no_contract")]
    (third,) = post(books, draft("a", revision=1, reason="unknown_plan", **waits))
    assert books.queue() == [(second, key_b, "no_contract"), (third, key_a, "unknown_plan")]
    assert books.queue(limit=1) == [(second, key_b, "no_contract")]
    post(books, draft("a", revision=2), draft("b", revision=1, status="refused", **NOTE))
    assert books.queue() == []


def test_of_several_rows_of_one_event_in_a_batch_the_last_decides(books: Books, draft: Any, post: Any) -> None:
    waits = {"status": "pended", **NOTE}
    positions = post(books, draft("a", **waits), draft("a", revision=1), draft("b"), draft("b", revision=1, **waits))
    assert books.queue() == [(positions[3], event_key(books.tenant, "test", "b"), "")]
