"""Spans of time are counted on one ladder: what is said of them is exact."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drachm.domain.errors import IntegrityError
from drachm.domain.figures.spans import (
    DAY,
    HOUR,
    LADDER,
    MINUTE,
    PPM,
    SECOND,
    Bin,
    Count,
    at_most,
    binned,
    number_within,
    within,
)

spans = st.lists(st.integers(-5, 400 * DAY), max_size=40)
ROUND = [1, 5, 10, 50, 100, 200, 500, SECOND, 2 * SECOND, 10 * SECOND, 30 * SECOND, MINUTE, 5 * MINUTE, HOUR]
ROUND += [hours * HOUR for hours in range(1, 49)] + [days * DAY for days in range(1, 400)]


def counted(values: list[int]) -> list[Count]:
    edges = [at_most(value) for value in values]
    return [Count(edge, edges.count(edge)) for edge in set(edges)]


@pytest.mark.parametrize("edge", ROUND)
def test_every_edge_that_people_read_is_on_the_ladder(edge: int) -> None:
    assert at_most(edge) == edge
    assert at_most(edge + 1) > edge


def test_steps_of_the_ladder_meet() -> None:
    for (up_to, step), (_, wider) in pairwise(LADDER):
        assert up_to % step == 0
        assert up_to % wider == 0


@given(st.integers(-5, 4_000 * DAY))
def test_a_span_is_at_most_what_is_kept_of_it_and_no_edge_lies_between(span: int) -> None:
    edge = at_most(span)
    assert max(span, 0) <= edge
    assert at_most(edge) == edge
    assert edge == 0 or at_most(span - 1) <= edge
    assert edge - max(span, 0) < DAY


@given(spans)
def test_the_histogram_loses_nobody_and_counts_exactly(values: list[int]) -> None:
    edges = [SECOND, HOUR, DAY]
    bins = binned(counted(values), edges)
    assert sum(one.number for one in bins) == len(values)
    assert bins[1] == Bin(SECOND, HOUR, sum(SECOND < value <= HOUR for value in values))
    assert bins[-1] == Bin(DAY, None, sum(value > DAY for value in values))


@given(spans, st.sampled_from([1, 500_000, 950_000, PPM]))
def test_a_share_lies_within_and_less_than_it_below(values: list[int], share: int) -> None:
    edge = within(counted(values), share)
    if edge is None:
        assert not values
        return
    assert sum(value <= edge for value in values) * PPM >= len(values) * share
    below = [value for value in values if at_most(value) < edge]
    assert len(below) * PPM < len(values) * share


def test_between_two_edges_nothing_is_counted() -> None:
    with pytest.raises(IntegrityError):
        number_within([], HOUR + 1)
