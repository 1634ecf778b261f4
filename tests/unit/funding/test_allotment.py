"""Slices shrink with the rest, needs come first, and money inside a fund is only moved."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drachm.domain.errors import InvalidMessage
from drachm.domain.funding.allotment import (
    DEFAULT_SLICES,
    MAX_SLICES,
    Fund,
    Move,
    Want,
    admission,
    checked_fund,
    from_anywhere,
    from_rest,
    fund_named,
    fund_of,
    lies_elsewhere,
    net_of,
    open_fund,
    paired,
    slice_for,
    slices_of,
)
from drachm.domain.funding.model import Pot

HELP = Fund("help", "USD", 4)
money = st.integers(0, 1_000)
standing = st.lists(money, min_size=5, max_size=5).map(lambda left: dict(zip(HELP.pots, left, strict=True)))
wants = st.lists(st.builds(Want, st.sampled_from(HELP.pots[1:]), st.integers(1, 900), st.booleans()), max_size=6)


def after(avail: dict[str, int], moves: list[Move]) -> dict[str, int]:
    """Move by move, as the floor of every pot sees it."""
    left = dict(avail)
    for giver, taker, amount in moves:
        assert giver != taker
        assert 0 < amount <= left[giver]
        left[giver] -= amount
        left[taker] += amount
    return left


def test_a_fund_has_a_pot_of_its_own_and_slices() -> None:
    fund = open_fund("help", "USD")
    assert (fund.member, fund.slices, fund_of(fund)) == ("", DEFAULT_SLICES, Fund("help", "USD", 64))
    assert fund_of(fund).pots[:3] == ("help", "help/0", "help/1")
    assert [one.id for one in slices_of(fund)] == list(fund_of(fund).pots[1:])
    assert {fund_of(one) for one in slices_of(fund)} == {fund_of(fund)}
    assert fund_named("help/63") == "help"
    assert fund_named("help") == fund_named("help/x") == fund_named("ana-cash") == ""


def test_a_member_draws_from_the_slice_of_its_shard() -> None:
    admitted = admission(open_fund("help", "USD", slices=4), "ana", priority=3)
    assert (admitted.id, admitted.fund) == ("help@ana", "help")
    found = slice_for(admitted, 7)
    assert (found.id, found.member, found.priority, fund_of(found)) == ("help/3", "ana", 3, HELP)


@pytest.mark.parametrize(
    "pot",
    [
        Pot("help", "", "USD", slices=-1),
        Pot("help", "", "USD", slices=MAX_SLICES + 1),
        Pot("help/1", "", "USD", fund="help", slices=4),
        Pot("help", "ana", "USD", slices=4),
        Pot("help", "ana", "USD", fund="help", slices=4),
        Pot("mine", "ana", "USD", fund="help"),
        Pot("", "", "USD", slices=4),
    ],
)
def test_what_is_neither_fund_nor_admission_is_refused(pot: Pot) -> None:
    with pytest.raises(InvalidMessage):
        checked_fund(pot)


def test_while_there_is_plenty_a_slice_receives_more_than_it_needs() -> None:
    assert from_rest(HELP, {"help": 800, "help/1": 0}, {"help/1": 5}) == [Move("help", "help/1", 100)]


def test_a_single_slice_has_no_others_to_leave_anything_to() -> None:
    family = Fund("ours", "USD", 1)
    assert (family.only_slice, HELP.only_slice) == ("ours/0", "")
    assert from_rest(family, {"ours": 800, "ours/0": 1}, {"ours/0": 5}) == [Move("ours", "ours/0", 800)]


def test_near_the_end_a_slice_receives_what_it_needs_exactly() -> None:
    assert from_rest(HELP, {"help": 30, "help/1": 2}, {"help/1": 9}) == [Move("help", "help/1", 7)]
    assert from_rest(HELP, {"help": 30, "help/1": 9}, {"help/1": 9}) == []


def test_a_rest_that_is_not_enough_for_all_is_left_to_be_given_in_order() -> None:
    assert from_rest(HELP, {"help": 3, "help/1": 0, "help/2": 0}, {"help/1": 2, "help/2": 2}) == []


@given(standing, st.dictionaries(st.sampled_from(HELP.pots[1:]), money))
def test_the_rest_meets_all_needs_or_none_and_keeps_half_of_what_is_left(avail: dict[str, int], targets: dict) -> None:
    moves = from_rest(HELP, avail, targets)
    left = after(avail, moves)
    needs = {one: target - avail[one] for one, target in targets.items() if target > avail[one]}
    if sum(needs.values()) > avail["help"]:
        assert moves == []
        return
    assert {move.taker for move in moves} == needs.keys()
    assert all(left[one] >= target for one, target in targets.items())
    assert avail["help"] - left["help"] <= sum(needs.values()) + avail["help"] // 2


@given(standing, wants)
def test_what_is_fetched_from_anywhere_is_exact_and_nothing_is_lost(avail: dict[str, int], asked: list[Want]) -> None:
    moves = from_anywhere(HELP, asked, [avail] * len(asked))
    left = after(avail, moves)
    assert sum(left.values()) == sum(avail.values())
    for one, missing, whole in asked[:1]:
        elsewhere = sum(avail.values()) - avail[one]
        wanted = 0 if whole and elsewhere < missing else min(missing, elsewhere)
        assert sum(move.amount for move in from_anywhere(HELP, asked[:1], [avail])) == wanted
        assert lies_elsewhere(avail, asked[:1]) == (wanted > 0)


@given(standing, wants)
def test_an_earlier_want_never_receives_less_because_of_later_ones(avail: dict[str, int], asked: list[Want]) -> None:
    for count in range(len(asked)):
        some = from_anywhere(HELP, asked[:count], [avail] * count)
        assert from_anywhere(HELP, asked, [avail] * len(asked))[: len(some)] == some


def test_the_rest_gives_first_and_then_the_richest_slice() -> None:
    avail = {"help": 2, "help/0": 0, "help/1": 3, "help/2": 9, "help/3": 1}
    assert from_anywhere(HELP, [Want("help/0", 12)], [avail]) == [
        Move("help", "help/0", 2),
        Move("help/2", "help/0", 9),
        Move("help/1", "help/0", 1),
    ]


@given(standing, wants)
def test_netted_moves_do_the_same_with_fewer_rows(avail: dict[str, int], asked: list[Want]) -> None:
    moves = from_anywhere(HELP, asked, [avail] * len(asked))
    fewer = paired(net_of(moves))
    assert after(avail, fewer) == after(avail, moves)
    assert len(fewer) <= HELP.slices
