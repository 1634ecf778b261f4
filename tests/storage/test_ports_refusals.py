"""What the core may rely on when something breaks a rule, or stops in the middle: nothing of it is kept."""

from __future__ import annotations

from typing import Any

import pytest

from drachm.application.ports import Books, ConstraintFired, Posting, Raced
from drachm.domain.benefits.model import Key
from drachm.domain.clearing.numbers import total_number
from drachm.domain.clearing.world import Needs
from drachm.domain.errors import IntegrityError
from drachm.domain.ledger.model import Account, Entry, EntryKind, Source

NOTHING = Needs(frozenset(), frozenset())
NOTE = {"entries": (), "kind": EntryKind.NOTE}


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
        pytest.param({"leaf": b""}, id="no leaf"),
        pytest.param({"currency": "US"}, id="a short currency"),
    ],
)
def test_a_row_that_breaks_a_rule_is_refused_whole(
    books: Books, everything: Any, draft: Any, post: Any, fill: Any, key: Key, changes: dict[str, Any]
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
    books: Books,
    everything: Any,
    draft: Any,
    post: Any,
    fill: Any,
    key: Key,
    moves: dict[str, int],
    held: dict[str, int],
) -> None:
    fill(books, cash=10)
    before = everything(books)
    waiting = draft("waits", status="pended", reason="unknown_member", **NOTE)
    with pytest.raises(ConstraintFired):
        post(books, draft("one"), waiting, deltas={key: 1}, moves=moves, held=held)
    assert everything(books) == before


def test_a_total_beyond_64_bits_refuses_everything(
    books: Books, everything: Any, draft: Any, post: Any, key: Key
) -> None:
    post(books, draft("good"), deltas={key: 2**63 - 1})
    before = everything(books)
    for delta in (1, 2**63, -(2**64)):
        with pytest.raises(ConstraintFired):
            post(books, draft("bad"), deltas={key: delta})
    assert everything(books) == before


def test_sixteen_entries_and_the_floor_itself_are_allowed(books: Books, draft: Any, post: Any, fill: Any) -> None:
    fill(books, cash=10)
    legs = [Entry(Account("cash", f"bank{leg}", "USD"), 15 if leg == 0 else -1, Source.RAIL) for leg in range(16)]
    post(books, draft("one", entries=tuple(legs), avail=(("cash", 0),)), moves={"cash": -10})
    assert books.pots() == {"cash": (0, 0)}


def test_nothing_moves_without_its_lock(books: Books, everything: Any, draft: Any, fill: Any, key: Key) -> None:
    fill(books, cash=10, gift=10)
    before = everything(books)
    number = total_number(books.tenant, key)
    needs = Needs(frozenset({number}), frozenset({"cash", "nobody's"}))
    other = total_number(books.tenant, Key("ben", key.name, key.period))
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


def test_leaving_without_commit_undoes_everything(
    books: Books, everything: Any, draft: Any, fill: Any, key: Key
) -> None:
    fill(books, cash=10)
    before = everything(books)
    number = total_number(books.tenant, key)
    posting = ({number: 5}, {"cash": -1}, {"cash": 1})
    for error in (None, RuntimeError("stop"), KeyboardInterrupt()):
        try:
            with books.work() as work:
                locked = work.lock(Needs(frozenset({number}), frozenset({"cash"})), 2)
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


def test_a_failed_posting_cannot_be_committed(books: Books, everything: Any, draft: Any, post: Any) -> None:
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


def test_what_an_undone_posting_added_is_added_again(books: Books, draft: Any, key: Key) -> None:
    work = books.work()
    for commit in (False, True):
        with work:
            first = work.lock(Needs(frozenset({total_number(books.tenant, key)}), frozenset()), 1).first_position
            row = draft("one", member="new").row(books.tenant, first)
            if commit:
                work.commit()
            else:
                work.post(Posting([row], {total_number(books.tenant, key): 1}, {}, {}))
    with work:
        first = work.lock(Needs(frozenset({total_number(books.tenant, key)}), frozenset()), 1).first_position
        work.post(
            Posting([draft("one", member="new").row(books.tenant, first)], {total_number(books.tenant, key): 1}, {}, {})
        )
        work.commit()
    assert len(books.balances()) == 2
    assert [stored.body for stored, _ in books.rows()] == [draft("one").row(books.tenant, 1).body]


def test_a_batch_without_rows_changes_nothing(books: Books, everything: Any, post: Any) -> None:
    assert post(books) == []
    assert everything(books) == ([], {}, {}, [], [])
