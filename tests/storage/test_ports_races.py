"""What the core may rely on when others write at the same time: one answer each, no circle of waiting."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

from drachm.application.ports import Books, ConstraintFired, Posting, Raced
from drachm.domain.benefits.model import Key
from drachm.domain.clearing.numbers import place_of, total_number
from drachm.domain.clearing.world import Needs
from drachm.domain.funding.model import Pot
from drachm.domain.ledger.model import Account, Entry, Source
from drachm.domain.transparency.leaf import event_key

NOTHING = Needs(frozenset(), frozenset())


def test_the_same_revision_twice_races(books: Books, everything: Any, draft: Any, post: Any) -> None:
    post(books, draft("one"))
    before = everything(books)
    with pytest.raises(Raced):
        post(books, draft("two"), draft("one"))
    with pytest.raises(Raced):
        post(books, draft("three"), draft("three"))
    assert everything(books) == before


def test_the_same_place_taken_twice_races(books: Books, everything: Any, draft: Any, post: Any) -> None:
    (first,) = post(books, draft("one"))
    post(books, draft("two", supersedes=first))
    before = everything(books)
    with pytest.raises(Raced):
        post(books, draft("three", supersedes=first))
    assert everything(books) == before


def test_of_two_writers_with_one_new_event_one_posts_and_one_races(
    books: Books, draft: Any, race: Any, key: Key, totals: Any, placed: Any
) -> None:
    both_looked = threading.Barrier(2)

    def write() -> str:
        with books.work() as work:
            assert work.newest([event_key(books.tenant, "test", "one")]) == {}
            both_looked.wait(20)
            locked = work.lock(Needs(frozenset({total_number(books.tenant, key)}), frozenset()), 1)
            deltas = {total_number(books.tenant, key): 5}
            work.post(Posting([draft("one").row(books.tenant, locked.first_position)], deltas, {}, {}))
            work.commit()
            return "posted"

    answers = race([write, write])
    assert sorted(type(answer).__name__ for answer in answers) == ["Raced", "str"]
    assert len(list(books.rows())) == 1
    assert totals(books) == placed(books, {key: 5})


def test_overlapping_locks_in_any_order_never_deadlock(
    books: Books, draft: Any, post_until_it_holds: Any, race: Any
) -> None:
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
                post_until_it_holds(books, name, deltas=dict.fromkeys(keys[:6], 1), moves=dict.fromkeys(pots[:6], 1))
            return seed

        return write

    assert race([writer(seed) for seed in range(4)]) == [0, 1, 2, 3]
    assert len(list(books.rows())) == 60
    assert sum(value for _, value in books.totals()) == 4 * 15 * 6
    assert sum(avail for avail, _ in books.pots().values()) == 4 * 15 * 6


def test_many_totals_that_are_new_to_all_writers_never_deadlock(
    books: Books, draft: Any, post_until_it_holds: Any, race: Any
) -> None:
    together = threading.Barrier(4)

    def writer(number: int) -> Callable[[], int]:
        def write() -> int:
            for attempt in range(3):
                keys = [Key(f"scope {attempt} {one}", "plan/total", "M2025-03") for one in range(300)]
                together.wait(20)
                post_until_it_holds(books, draft(f"w{number} {attempt}"), deltas=dict.fromkeys(keys, 1))
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
    assert sum(1 for stored, _ in books.rows() if stored.body) == 800


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
    post(books, draft("the row is here"), deltas={key: 1})

    def writer(number: int) -> Callable[[], list[tuple[int, int]]]:
        def write() -> list[tuple[int, int]]:
            seen: list[tuple[int, int]] = []
            for attempt in range(5):
                post(
                    books,
                    draft(f"w{number} {attempt}"),
                    deltas={key: 1},
                    moves={"cash": 1},
                    look=lambda locked: seen.append(
                        (locked.totals.get(total_number(books.tenant, key), 0), locked.avail["cash"])
                    ),
                )
            return seen

        return write

    seen = [look for answer in race([writer(number) for number in range(6)]) for look in answer]
    assert sorted(seen) == [(number + 1, number + 1) for number in range(30)]


def test_of_two_writers_of_a_new_total_one_races_and_then_adds_to_it(
    postgres: Any, draft: Any, post: Any, race: Any, key: Key, totals: Any, placed: Any
) -> None:
    both_looked = threading.Barrier(2)

    def writer(name: str) -> Callable[[], str]:
        def write() -> str:
            with postgres.work() as work:
                locked = work.lock(Needs([total_number(1, key)], ()), 1)
                assert locked.totals == {}
                both_looked.wait(20)
                work.post(Posting([draft(name).row(1, locked.first_position)], {total_number(1, key): 5}, {}, {}))
                work.commit()
                return name

        return write

    answers = race([writer("a"), writer("b")])
    assert sorted(type(answer).__name__ for answer in answers) == ["Raced", "str"]
    assert totals(postgres) == placed(postgres, {key: 5})
    post(postgres, draft("a" if "b" in answers else "b"), deltas={key: 5})
    assert totals(postgres) == placed(postgres, {key: 10})


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


def test_whoever_lost_a_race_for_new_totals_finds_all_rows_the_next_time(
    postgres: Any, draft: Any, totals: Any, placed: Any
) -> None:
    """Also those that nobody has written anything to yet: while they are missing, the next one may be faster again."""
    keys = [Key(f"m{n}", "plan/visits", "Y2025-01-01") for n in range(3)]
    mine = [total_number(1, key) for key in keys]

    def post(name: str, needed: list[int], moved: list[int], between: Callable[[], None] = lambda: None) -> None:
        with postgres.work() as work:
            locked = work.lock(Needs(needed, ()), 1)
            between()
            row = draft(name).row(1, locked.first_position)
            work.post(Posting([row], dict.fromkeys(moved, 5), {}, {}))
            work.commit()

    with pytest.raises(Raced):
        post("loser", mine, mine[:2], lambda: post("faster", mine[:1], mine[:1]))
    assert totals(postgres) == placed(postgres, {keys[0]: 5})
    with postgres.sessions.transaction("reader") as conn:
        here = {row for (row,) in conn.execute("SELECT id FROM total").fetchall()}
    assert here == {place_of(number).row for number in mine}
    post("loser", mine, mine[:2])
    assert totals(postgres) == placed(postgres, {keys[0]: 10, keys[1]: 5})
