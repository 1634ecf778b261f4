"""What the core may rely on: the same tests on the books in memory, on PostgreSQL 18 and on PostgreSQL 16."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from drachm.application.ports import Books, ConstraintFired, Posting, Raced
from drachm.domain.benefits.model import Key
from drachm.domain.clearing.world import Needs
from drachm.domain.coverage.model import Contract, Coverage, Member, Party
from drachm.domain.errors import Conflict, IntegrityError, InvalidMessage
from drachm.domain.events.model import Code, ServiceEvent
from drachm.domain.funding.model import Pot
from drachm.domain.ledger.model import Account, Entry, EntryKind, Source
from drachm.domain.periods import Period
from drachm.domain.transparency.leaf import event_key
from drachm.storage import reading
from drachm.storage.rows import pot_number

NOTHING = Needs(frozenset(), frozenset())
NOTE = {"entries": (), "kind": EntryKind.NOTE}
ALWAYS = Period(date(1900, 1, 1))


def visit(**changes: Any) -> ServiceEvent:
    event = ServiceEvent(
        source="test",
        event_id="e1",
        kind="charge",
        member="ana",
        code=Code("local", "visit"),
        currency="USD",
        started_at=datetime(2025, 3, 10, tzinfo=UTC),
        billing_party="clinic",
    )
    return replace(event, **changes)


def registry(books: Books, *events: ServiceEvent) -> Any:
    with books.work() as work:
        return work.registry(events or [visit()])


def everything(books: Books) -> Any:
    """All that can be read back."""
    return (list(books.rows()), books.balances(), books.pots(), list(books.totals()), books.queue())


# Posting and reading back


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
        provider="clínica",
        occurred_at=datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        posted_at=datetime(2199, 1, 1, tzinfo=UTC),
        currency="EUR",
        entries=entries,
        avail=(("gift", 0), ("cash", 2**63 - 1)),
        body=b'{"words": "' + bytes(range(256)) * 40 + b'"}',
    )
    (position,) = post(books, one, draft("other"))[:1]
    row, stored = next(books.rows())
    assert row == one.row(books.tenant, position)
    assert stored == books.row(position)
    written = {name: getattr(row, name) for name in type(stored).__dataclass_fields__ if name != "superseded"}
    assert {name: getattr(stored, name) for name in written} == written
    assert stored.superseded is False
    with books.work() as work:
        assert work.newest([row.key]) == {row.key: stored}


@pytest.mark.parametrize("status", ["posted", "denied", "pended", "refused"])
def test_every_status_reads_back(books: Books, draft: Any, post: Any, status: str) -> None:
    (position,) = post(books, draft("one", status=status, **NOTE))
    stored = books.row(position)
    assert stored is not None
    assert (stored.status, stored.kind) == (status, EntryKind.NOTE)


def test_a_row_of_an_unknown_member_reads_back(books: Books, draft: Any, post: Any) -> None:
    (position,) = post(books, draft("one", member="", provider="", body=b""))
    row, stored = next(books.rows())
    assert (row.member, row.provider, row.body, stored.body, stored.position) == ("", "", b"", b"", position)


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


# Races


def test_the_same_revision_twice_races(books: Books, draft: Any, post: Any) -> None:
    post(books, draft("one"))
    before = everything(books)
    with pytest.raises(Raced):
        post(books, draft("two"), draft("one"))
    with pytest.raises(Raced):
        post(books, draft("three"), draft("three"))
    assert everything(books) == before


def test_the_same_place_taken_twice_races(books: Books, draft: Any, post: Any) -> None:
    (first,) = post(books, draft("one"))
    post(books, draft("two", supersedes=first))
    before = everything(books)
    with pytest.raises(Raced):
        post(books, draft("three", supersedes=first))
    assert everything(books) == before


def test_of_two_writers_with_one_new_event_one_posts_and_one_races(
    books: Books, draft: Any, race: Any, key: Key
) -> None:
    both_looked = threading.Barrier(2)

    def write() -> str:
        with books.work() as work:
            assert work.newest([event_key(books.tenant, "test", "one")]) == {}
            both_looked.wait(20)
            locked = work.lock(Needs(frozenset({key}), frozenset()), 1)
            work.post(Posting([draft("one").row(books.tenant, locked.first_position)], {key: 5}, {}, {}))
            work.commit()
            return "posted"

    answers = race([write, write])
    assert sorted(type(answer).__name__ for answer in answers) == ["Raced", "str"]
    assert len(list(books.rows())) == 1
    assert list(books.totals()) == [(key, 5)]


def test_overlapping_locks_in_any_order_never_deadlock(books: Books, draft: Any, post: Any, race: Any) -> None:
    books.enrol(pots=[Pot(f"pot{number}", "ana", "USD", 0) for number in range(8)])

    def writer(seed: int) -> Callable[[], int]:
        dice = random.Random(seed)

        def write() -> int:
            for number in range(15):
                # Every round names scopes that are new to both, beside the pots they share.
                keys = [Key(f"scope{number}-{one}", "plan/total", "M2025-03") for one in range(8)]
                pots = [f"pot{one}" for one in range(8)]
                dice.shuffle(keys)
                dice.shuffle(pots)
                name = draft(f"w{seed} {number}")
                post(books, name, deltas=dict.fromkeys(keys[:6], 1), moves=dict.fromkeys(pots[:6], 1))
            return seed

        return write

    assert race([writer(seed) for seed in range(4)]) == [0, 1, 2, 3]
    assert len(list(books.rows())) == 60
    assert sum(value for _, value in books.totals()) == 4 * 15 * 6
    assert sum(avail for avail, _ in books.pots().values()) == 4 * 15 * 6


def test_many_scopes_that_are_new_to_all_writers_never_deadlock(books: Books, draft: Any, post: Any, race: Any) -> None:
    together = threading.Barrier(4)

    def writer(number: int) -> Callable[[], int]:
        def write() -> int:
            for attempt in range(3):
                keys = [Key(f"scope {attempt} {one}", "plan/total", "M2025-03") for one in range(300)]
                together.wait(20)
                post(books, draft(f"w{number} {attempt}"), deltas=dict.fromkeys(keys, 1))
            return number

        return write

    assert race([writer(number) for number in range(4)]) == [0, 1, 2, 3]
    assert [value for _, value in books.totals()] == [4] * 900


def test_patients_and_accounts_that_are_new_to_all_writers_never_deadlock(
    books: Books, draft: Any, post: Any, race: Any
) -> None:
    together = threading.Barrier(4)

    def row(writer: int, number: int) -> Any:
        due = Account("patient_receivable", f"m{number}", "USD")
        owed = Account("provider_payable", f"p{number}", "USD")
        entries = (Entry(due, 5, Source.DUE), Entry(owed, -5, Source.DUE))
        return draft(f"w{writer} {number}", member=f"m{number}", entries=entries)

    def writer(seed: int) -> Callable[[], int]:
        rows = [row(seed, number) for number in range(200)]
        random.Random(seed).shuffle(rows)

        def write() -> int:
            together.wait(20)
            post(books, *rows)
            return seed

        return write

    assert race([writer(seed) for seed in range(4)]) == [0, 1, 2, 3]
    assert sorted({abs(balance) for balance in books.balances().values()}) == [20]
    assert sum(1 for row, stored in books.rows() if stored.body == row.body != b"") == 800


def test_a_pot_under_sixteen_blind_writers_stops_exactly_at_zero(
    books: Books, draft: Any, post: Any, fill: Any, race: Any
) -> None:
    fill(books, cash=40)

    def drawer(number: int) -> Callable[[], int]:
        def draw() -> int:
            drawn = 0
            for attempt in range(5):
                try:
                    post(books, draft(f"d{number} {attempt}"), moves={"cash": -1})
                    drawn += 1
                except ConstraintFired:
                    pass
            return drawn

        return draw

    assert sum(race([drawer(number) for number in range(16)])) == 40
    assert books.pots() == {"cash": (0, 0)}
    assert len(list(books.rows())) == 41


def test_what_is_read_under_lock_is_what_the_last_holder_left(
    books: Books, draft: Any, post: Any, fill: Any, race: Any, key: Key
) -> None:
    fill(books, cash=1)

    def writer(number: int) -> Callable[[], list[tuple[int, int]]]:
        def write() -> list[tuple[int, int]]:
            seen: list[tuple[int, int]] = []
            for attempt in range(5):
                post(
                    books,
                    draft(f"w{number} {attempt}"),
                    deltas={key: 1},
                    moves={"cash": 1},
                    look=lambda locked: seen.append((locked.totals.get(key, 0), locked.avail["cash"])),
                )
            return seen

        return write

    seen = [look for answer in race([writer(number) for number in range(6)]) for look in answer]
    assert sorted(seen) == [(number, number + 1) for number in range(30)]


def test_reserved_blocks_never_overlap(books: Books, race: Any) -> None:
    def reserve(size: int) -> Callable[[], list[range]]:
        def take() -> list[range]:
            blocks = []
            for _ in range(10):
                with books.work() as work:
                    first = work.lock(NOTHING, size).first_position
                    blocks.append(range(first, first + size))
            return blocks

        return take

    blocks = [block for answer in race([reserve(size) for size in (1, 2, 5, 100)]) for block in answer]
    positions = [position for block in blocks for position in block]
    assert len(positions) == len(set(positions)) == 1080
    assert min(positions) >= 1


# Refusals


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"entries": (Entry(Account("cash", "bank", "USD"), 1, Source.RAIL),)}, id="unbalanced"),
        pytest.param(
            {
                "entries": tuple(
                    Entry(Account("cash", f"bank{leg}", "USD"), 16 if leg == 0 else -1, Source.RAIL)
                    for leg in range(17)
                )
            },
            id="17 entries",
        ),
        pytest.param({"status": "pended"}, id="a pended row with entries"),
        pytest.param({"status": "refused"}, id="a refused row with entries"),
        pytest.param({"avail": (("cash", -1),)}, id="below the floor"),
        pytest.param({"avail": (("cash", 2**63),)}, id="a pot beyond 64 bits"),
        pytest.param(
            {
                "entries": (
                    Entry(Account("cash", "bank", "USD"), 2**63, Source.RAIL),
                    Entry(Account("cash", "safe", "USD"), -(2**63), Source.RAIL),
                )
            },
            id="an amount beyond 64 bits",
        ),
        pytest.param({"key": bytes(15)}, id="a short key"),
        pytest.param({"content": bytes(33)}, id="a long fingerprint"),
        pytest.param({"leaf": b""}, id="no leaf"),
        pytest.param({"currency": "US"}, id="a short currency"),
    ],
)
def test_a_row_that_breaks_a_rule_is_refused_whole(
    books: Books, draft: Any, post: Any, fill: Any, key: Key, changes: dict[str, Any]
) -> None:
    fill(books, cash=10)
    before = everything(books)
    with pytest.raises(ConstraintFired):
        post(books, draft("good"), draft("bad", **changes), deltas={key: 1}, moves={"cash": -1})
    assert everything(books) == before


@pytest.mark.parametrize(
    ("moves", "held"),
    [({"cash": -11}, {}), ({}, {"cash": -1}), ({"cash": -10}, {"cash": -5}), ({"cash": 2**63 - 1}, {})],
    ids=["overdrawn", "released too much", "captured too much", "beyond 64 bits"],
)
def test_a_pot_below_its_floor_refuses_everything(
    books: Books, draft: Any, post: Any, fill: Any, key: Key, moves: dict[str, int], held: dict[str, int]
) -> None:
    fill(books, cash=10)
    before = everything(books)
    waiting = draft("waits", status="pended", reason="unknown_member", **NOTE)
    with pytest.raises(ConstraintFired):
        post(books, draft("one"), waiting, deltas={key: 1}, moves=moves, held=held)
    assert everything(books) == before


def test_sixteen_entries_and_the_floor_itself_are_allowed(books: Books, draft: Any, post: Any, fill: Any) -> None:
    fill(books, cash=10)
    legs = [Entry(Account("cash", f"bank{leg}", "USD"), 15 if leg == 0 else -1, Source.RAIL) for leg in range(16)]
    post(books, draft("one", entries=tuple(legs), avail=(("cash", 0),)), moves={"cash": -10})
    assert books.pots() == {"cash": (0, 0)}


def test_nothing_moves_without_its_lock(books: Books, draft: Any, fill: Any, key: Key) -> None:
    fill(books, cash=10, gift=10)
    before = everything(books)
    needs = Needs(frozenset({key}), frozenset({"cash", "nobody's"}))
    other = Key("ben", key.name, key.period)
    for deltas, moves, held in [
        ({other: 1}, {}, {}),
        ({}, {"gift": 1}, {}),
        ({}, {}, {"gift": 1}),
        ({}, {"nobody's": 1}, {}),
    ]:
        with books.work() as work:
            locked = work.lock(needs, 1)
            with pytest.raises(IntegrityError, match="without its lock"):
                work.post(Posting([draft("one").row(books.tenant, locked.first_position)], deltas, moves, held))
    with books.work() as work, pytest.raises(IntegrityError, match="locks first"):
        work.post(Posting([draft("one").row(books.tenant, 1)], {}, {}, {}))
    assert everything(books) == before


def test_positions_stay_in_the_reserved_order(books: Books, draft: Any, post: Any) -> None:
    for shifts in ((0, 0), (1, 0), (0, 2), (-1, 0)):
        with books.work() as work:
            first = work.lock(NOTHING, 2).first_position
            rows = [draft(f"e{at}").row(books.tenant, first + shift) for at, shift in enumerate(shifts)]
            with pytest.raises(IntegrityError, match="reserved order"):
                work.post(Posting(rows, {}, {}, {}))
    positions = post(books, *[draft(f"e{number}") for number in range(50)])
    assert positions == list(range(positions[0], positions[0] + 50))
    assert [row.position for row, _ in books.rows()] == positions


def test_a_reserved_position_may_stay_empty(books: Books, draft: Any) -> None:
    with books.work() as work:
        first = work.lock(NOTHING, 3).first_position
        work.post(Posting([draft("a").row(books.tenant, first), draft("b").row(books.tenant, first + 2)], {}, {}, {}))
        work.commit()
    assert [row.position for row, _ in books.rows()] == [first, first + 2]


# All or nothing


def test_leaving_without_commit_undoes_everything(books: Books, draft: Any, fill: Any, key: Key) -> None:
    fill(books, cash=10)
    before = everything(books)
    posting = ({key: 5}, {"cash": -1}, {"cash": 1})
    for error in (None, RuntimeError("stop"), KeyboardInterrupt()):
        try:
            with books.work() as work:
                locked = work.lock(Needs(frozenset({key}), frozenset({"cash"})), 2)
                rows = [
                    draft("one").row(books.tenant, locked.first_position),
                    draft("two", status="pended", **NOTE).row(books.tenant, locked.first_position + 1),
                ]
                work.post(Posting(rows, *posting))
                if error is not None:
                    raise error
        except (RuntimeError, KeyboardInterrupt):
            pass
        assert everything(books) == before


def test_a_failed_posting_cannot_be_committed(books: Books, draft: Any, post: Any) -> None:
    post(books, draft("one"))
    before = everything(books)
    with books.work() as work:
        first = work.lock(NOTHING, 2).first_position
        with pytest.raises(Raced):
            work.post(
                Posting([draft("two").row(books.tenant, first), draft("one").row(books.tenant, first + 1)], {}, {}, {})
            )
        with pytest.raises(IntegrityError, match="cannot be committed"):
            work.commit()
    assert everything(books) == before
    post(books, draft("two"))


def test_a_unit_of_work_is_used_once_and_inside_its_block(books: Books, draft: Any) -> None:
    work = books.work()
    with pytest.raises(IntegrityError, match="inside its block"):
        work.newest([bytes(16)])
    with work:
        first = work.lock(NOTHING, 1).first_position
        with pytest.raises(IntegrityError, match="locks once"):
            work.lock(NOTHING, 1)
        work.post(Posting([draft("one").row(books.tenant, first)], {}, {}, {}))
        with pytest.raises(IntegrityError, match="locks first"):
            work.post(Posting([draft("two").row(books.tenant, first)], {}, {}, {}))
    with work:
        first = work.lock(NOTHING, 1).first_position
        work.post(Posting([draft("one").row(books.tenant, first)], {}, {}, {}))
        work.commit()
        for late in (lambda: work.newest([bytes(16)]), lambda: work.lock(NOTHING, 1), work.commit):
            with pytest.raises(IntegrityError, match="inside its block"):
                late()
    assert len(list(books.rows())) == 1


def test_a_batch_without_rows_changes_nothing(books: Books, post: Any) -> None:
    assert post(books) == []
    assert everything(books) == ([], {}, {}, [], [])


# Totals, promises, the queue


def test_totals_add_up_and_vanish_at_zero(books: Books, draft: Any, post: Any, key: Key) -> None:
    month = Key("ana", "plan/visits", "M2025-03")
    post(books, draft("one"), deltas={key: 7, month: -2})
    post(books, draft("two"), deltas={key: 5, month: 2})
    assert list(books.totals()) == [(key, 12)]
    with books.work() as work:
        locked = work.lock(Needs(frozenset({key, month, Key("new", "x", "y")}), frozenset()), 1)
        assert dict(locked.totals) == {key: 12}
    post(books, draft("three"), deltas={key: 0, month: 0})
    assert list(books.totals()) == [(key, 12)]


def test_totals_come_in_key_order_whatever_the_letters(
    books: Books, draft: Any, post: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "TOTALS_PER_PAGE", 3)
    words = ["a", "B", "ä", "Z", "z z", "z-z", "保", "_", "a/b"]
    keys = [Key(scope, name, "Y2025") for scope in words for name in words[:2]]
    post(books, draft("one"), deltas=dict.fromkeys(keys, 1))
    assert [found for found, _ in books.totals()] == sorted(keys)


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


# Enrolment and documents


def test_the_registry_holds_what_the_batch_names(books: Books) -> None:
    ana = Member("ana", date(1990, 5, 1), "female", "family-1", 7, {"income_band": "low", "children": 2, "vip": False})
    first = Coverage("c1", "ana", "plan-a", Period(date(2025, 1, 1), date(2026, 1, 1)), 1, "policy", {"tier": "gold"})
    second = Coverage("c2", "ana", "plan-b", ALWAYS, 2)
    clinic = Party("clinic", ("provider", "site"), "Clínica", "Europe/Madrid", {"facility": True, "level": 3})
    contracts = [
        Contract("clinic", payer, "book", Period(date(year, 1, 1), date(year + 1, 1, 1)), network)
        for payer, year, network in (("", 2025, "in"), ("insurer", 2024, "out"), ("insurer", 2025, "in"))
    ]
    books.enrol(
        parties=[clinic, Party("doctor", ("practitioner",)), Party("ward", ("site",)), Party("stranger", ())],
        members=[ana, Member("ben")],
        coverages=[second, first, Coverage("c3", "ben", "plan-a", ALWAYS)],
        contracts=[contracts[2], contracts[0], contracts[1], Contract("stranger", "", "book", ALWAYS)],
        pots=[
            Pot("cash", "ana", "USD", 99, 2),
            Pot("gift", "ana", "EUR", 0, 1, "wallet", 5),
            Pot("ben's", "ben", "USD", 0),
        ],
    )
    found = registry(books, visit(rendering_party="doctor", site="ward"), visit(event_id="e2", member="nobody"))
    assert found.tenant == books.tenant
    assert found.members == {"ana": ana}
    assert found.coverages == {"ana": (first, second)}
    assert found.parties.keys() == {"clinic", "doctor", "ward"}
    assert found.parties["clinic"] == clinic
    assert found.contracts == {"clinic": tuple(contracts)}
    assert found.pots == {
        "ana": (
            Pot("gift", "ana", "EUR", 0, 1, "wallet", pot_number(books.tenant, "gift")),
            Pot("cash", "ana", "USD", 0, 2, "wallet", pot_number(books.tenant, "cash")),
        )
    }
    assert found.targets == {}


def test_enrolling_again_replaces_but_keeps_shard_and_money(books: Books, fill: Any) -> None:
    books.enrol(
        members=[Member("ana", shard=3, sex="female")],
        coverages=[Coverage("c1", "ana", "old", ALWAYS)],
        contracts=[Contract("clinic", "", "old", ALWAYS)],
        parties=[Party("clinic", ("provider",), "Old name")],
    )
    fill(books, cash=50)
    books.enrol(
        members=[Member("ana", shard=9, family="f"), Member("ana", shard=9, family="g")],
        coverages=[Coverage("c1", "ana", "new", ALWAYS)],
        contracts=[Contract("clinic", "", "new", ALWAYS, "out")],
        parties=[Party("clinic", ("provider",), "New name")],
        pots=[Pot("cash", "ana", "USD", 0, priority=4)],
    )
    found = registry(books)
    assert found.members["ana"] == Member("ana", shard=3, family="g")
    assert [coverage.plan for coverage in found.coverages["ana"]] == ["new"]
    assert [(one.price_book, one.network) for one in found.contracts["clinic"]] == [("new", "out")]
    assert found.parties["clinic"].name == "New name"
    assert found.pots["ana"][0].priority == 4
    assert books.pots() == {"cash": (50, 0)}


def test_a_coverage_may_move_to_another_member(books: Books) -> None:
    books.enrol(coverages=[Coverage("c1", "ana", "plan", ALWAYS)])
    books.enrol(coverages=[Coverage("c1", "ben", "plan", ALWAYS)])
    assert registry(books, visit(), visit(member="ben")).coverages.keys() == {"ben"}


@pytest.mark.parametrize(
    "bad",
    [
        {"coverages": [Coverage("c1", "ana", "plan", Period(date(2025, 1, 1), date(2025, 1, 1)))]},
        {"contracts": [Contract("clinic", "", "book", Period(date(2025, 1, 2), date(2025, 1, 1)))]},
        {"contracts": [Contract("clinic", "", "book", ALWAYS, "maybe")]},
        {"pots": [Pot("cash", "ana", "dollars", 0)]},
    ],
    ids=["empty coverage", "backward contract", "unknown network", "unknown currency"],
)
def test_a_row_that_cannot_be_stored_keeps_the_whole_enrolment_out(books: Books, bad: dict[str, Any]) -> None:
    with pytest.raises(InvalidMessage):
        books.enrol(members=[Member("ana")], parties=[Party("clinic", ())], **bad)
    found = registry(books)
    assert (found.members, found.parties, found.pots) == ({}, {}, {})


def test_a_pot_never_changes_its_currency(books: Books, fill: Any) -> None:
    fill(books, cash=50)
    with pytest.raises(Conflict, match="another currency"):
        books.enrol(members=[Member("ana")], pots=[Pot("new", "ana", "EUR", 0), Pot("cash", "ana", "EUR", 0)])
    assert registry(books).members == {}
    assert books.pots() == {"cash": (50, 0)}


def plan(version: str, first: str, until: str | None, **changes: Any) -> dict[str, Any]:
    effective = {"from": first, "until": until} if until else {"from": first}
    steps = [{"id": "all", "kind": "pay", "clause": "1"}]
    base = {"id": "town", "version": version, "payer": "insurer", "currency": "USD", "zone": "UTC"}
    return {**base, "effective": effective, "steps": steps, **changes}


def price_book(version: str = "1", **changes: Any) -> dict[str, Any]:
    base = {"id": "town", "version": version, "currency": "USD", "zone": "UTC", "effective": {"from": "2025-01-01"}}
    return {**base, **changes}


def test_publishing_again_is_nothing_new(books: Books) -> None:
    document = plan("1", "2025-01-01", "2026-01-01")
    first = books.publish("plan", document)
    documents = books.documents()
    assert books.publish("plan", dict(reversed(document.items()))) == first
    assert books.documents() is documents
    assert documents.by_hash(first) is not None


def test_a_new_version_shows_at_once(books: Books) -> None:
    old = books.publish("plan", plan("1", "2025-01-01", "2026-01-01"))
    assert books.documents().plan("town", datetime(2026, 1, 1, tzinfo=UTC)) is None
    new = books.publish("plan", plan("2", "2026-01-01", None))
    found = books.documents()
    in_force = [found.plan("town", datetime(year, 1, 1, tzinfo=UTC)) for year in (2025, 2026)]
    assert [one.hash if one else "" for one in in_force] == [old, new]


@pytest.mark.parametrize(
    "document",
    [
        plan("1", "2025-01-01", "2026-01-01", payer="other"),
        plan("2", "2025-12-31", None),
        plan("2", "2024-01-01", "2025-01-02"),
        plan("2", "2025-03-01", "2025-04-01"),
    ],
    ids=["same version", "overlaps the end", "overlaps the start", "lies inside"],
)
def test_a_version_that_does_not_fit_is_a_conflict(books: Books, document: dict[str, Any]) -> None:
    first = books.publish("plan", plan("1", "2025-01-01", "2026-01-01"))
    with pytest.raises(Conflict):
        books.publish("plan", document)
    found = books.documents().plan("town", datetime(2025, 3, 15, tzinfo=UTC))
    assert found is not None
    assert found.hash == first


def test_plans_and_price_books_do_not_stand_in_each_others_way(books: Books) -> None:
    books.publish("plan", plan("1", "2025-01-01", None))
    books.publish("price_book", price_book())
    with pytest.raises(Conflict):
        books.publish("price_book", price_book("2"))
    books.publish("plan", plan("1", "2025-01-01", None, id="other"))


def test_what_is_no_document_is_refused(books: Books) -> None:
    for kind, document in [
        ("plan", {"id": "town"}),
        ("plan", plan("1", "2025-01-01", None, rate=0.2)),
        ("recipe", plan("1", "2025-01-01", None)),
        ("price_book", price_book(includes=["town"])),
    ]:
        with pytest.raises(InvalidMessage):
            books.publish(kind, document)
    assert books.documents().plan("town", datetime(2025, 1, 1, tzinfo=UTC)) is None
