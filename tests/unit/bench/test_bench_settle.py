"""Opening money is posted as `top_up` posts it."""

from __future__ import annotations

from dataclasses import replace

from drachm.application.top_up import top_up
from drachm.bench.settle import orders_of, post_top_ups, settle

TIMED = {"posted_at", "leaf", "body"}
"""Differ with the moment and the salt, in any two top-ups."""


def test_rows_of_many_top_ups_at_once_are_those_of_single_ones(town, new_desk) -> None:
    orders = list(orders_of(town, 0, 5))
    desks = [new_desk(), new_desk()]
    for desk in desks:
        desk.books.enrol(pots=[purse.pot for person in town.people(0, 5) for purse in person.purses])
    post_top_ups(orders, desks[0])
    for order in orders:
        top_up(order, desks[1])
    many, single = (list(desk.books.rows()) for desk in desks)
    assert len(many) == len(orders) > 10
    for ours, theirs in zip(many, single, strict=True):
        assert ours[1] == theirs[1]
        assert _untimed(ours[0]) == _untimed(theirs[0])
        assert len(ours[0].leaf) == len(theirs[0].leaf) == 32
    assert desks[0].books.pots() == desks[1].books.pots()


def _untimed(stored):
    return {name: value for name, value in stored._asdict().items() if name not in TIMED}


def test_a_top_up_of_the_town_is_here_when_it_is_sent_again(town, new_desk) -> None:
    """Its key and its content are those that `top_up` looks for."""
    desk = new_desk()
    assert settle(replace(town, families=3), desk, lambda _words: None) == len(list(orders_of(town, 0, 3)))
    rows = len(list(desk.books.rows()))
    for position, order in enumerate(orders_of(town, 0, 3), start=1):
        assert top_up(order, desk) == position
    assert len(list(desk.books.rows())) == rows
