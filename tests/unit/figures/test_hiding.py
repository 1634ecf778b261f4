"""No number below 11 is shown of a group, and none can be worked out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from drachm.domain.figures.hiding import OTHER, SMALLEST, Group, shown

groups = st.lists(st.integers(-3, 40), max_size=12).map(
    lambda numbers: [Group(f"g{at}", number, number * 7) for at, number in enumerate(numbers)]
)


@given(groups, st.integers(0, 6))
def test_nothing_small_is_shown_and_nothing_is_lost(given_groups: list[Group], most: int) -> None:
    answer = shown(given_groups, most)
    real = [one for one in given_groups if one.number > 0]
    assert all(one.number >= SMALLEST for one in answer)
    assert len([one for one in answer if one.name != OTHER]) <= most
    total = sum(one.number for one in real)
    assert sum(one.number for one in answer) == (total if total >= SMALLEST else 0)
    if answer:
        assert sum(one.amount for one in answer) == sum(one.amount for one in real)
    named = {one.name: one for one in real}
    assert all(named[one.name] == one for one in answer if one.name != OTHER)


@given(groups)
def test_whoever_knows_the_total_finds_no_small_group(given_groups: list[Group]) -> None:
    answer = shown(given_groups, 5)
    hidden = sum(one.number for one in given_groups if one.number > 0)
    hidden -= sum(one.number for one in answer if one.name != OTHER)
    assert not answer or hidden == 0 or hidden >= SMALLEST


def test_the_smallest_that_could_be_shown_covers_for_those_that_cannot() -> None:
    answer = shown([Group("a", 50), Group("b", 20), Group("c", 3)], 5)
    assert answer == [Group("a", 50), Group(OTHER, 23)]


def test_the_order_is_by_number_and_then_by_name() -> None:
    assert [one.name for one in shown([Group("b", 20), Group("a", 20), Group("c", 30)], 5)] == ["c", "a", "b"]
