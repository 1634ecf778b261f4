"""Index and figures follow the journal beside those who post, and leave them most of the time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from drachm.application import figures
from drachm.application.figures import (
    BROKEN_SECONDS,
    COUNT_SECONDS,
    IDLE_SECONDS,
    MANY,
    PIECE,
    REST,
    RUSH,
    keep_near,
)
from drachm.domain.errors import Unavailable

PAUSE = 0.15


class Follower:
    """Finds what it is told, in the time that it is told."""

    def __init__(
        self, clock: list[float], looks: Iterator[tuple[float, int | None]], behind: Iterable[int] = ()
    ) -> None:
        self._clock, self._looks, self._behind = clock, looks, iter(behind)
        self.at: list[float] = []
        self.limits: list[int] = []

    def follow(self, limit: int = 1000) -> int:
        self.at.append(round(self._clock[0], 6))
        self.limits.append(limit)
        took, found = next(self._looks, (0.0, 0))
        self._clock[0] += took
        if found is None:
            raise Unavailable("silent")
        return found

    def lag(self) -> int:
        return next(self._behind)


Following = Callable[..., tuple[list[float], Follower]]


@pytest.fixture
def following(monkeypatch: pytest.MonkeyPatch) -> Following:
    def follow(index: Any, counting: Any, looks: int, behind: Any = ()) -> tuple[list[float], Follower]:
        clock, waits = [100.0], list[float]()

        class Stopping(threading.Event):
            def wait(self, timeout: float | None = None) -> bool:
                clock[0] += timeout or 0.0
                waits.append(timeout or 0.0)
                return len(waits) > looks

        monkeypatch.setattr(figures.time, "monotonic", lambda: clock[0])
        lists: Any = Follower(clock, iter(index), behind)
        sums: Any = Follower(clock, iter(counting))
        keep_near(lists, sums, Stopping(), pause=PAUSE)
        return waits, sums

    return follow


def test_both_rest_twice_as_long_as_they_worked_together(following: Following) -> None:
    waits, _ = following([(2.0, 1_000), (0.001, 2)], [(1.0, 1_000)], 3)
    assert waits == pytest.approx([0.0, REST * 3.0, PAUSE, 2 * PAUSE])


def test_a_pause_is_longer_while_many_come_and_while_none_do(following: Following) -> None:
    waits, _ = following([(0.001, 200), (0.001, 2)], [], 5)
    assert waits == pytest.approx([0.0, RUSH * PAUSE, PAUSE, 2 * PAUSE, IDLE_SECONDS, IDLE_SECONDS])


def test_rows_are_counted_once_in_a_while_and_at_once_when_there_are_many(following: Following) -> None:
    _, sums = following([(0.0, 10), (0.0, 10), (0.0, MANY), (0.0, 10), (0.0, 10)], [], 5)
    assert sums.at == pytest.approx([100.0, 100.0 + 2 * PAUSE])
    _, sums = following([(0.0, 10)] * 20, [], 15)
    assert [round((b - a) / PAUSE) for a, b in zip(sums.at, sums.at[1:], strict=False)] == [7, 7]
    assert COUNT_SECONDS < 7 * PAUSE


def test_figures_that_were_left_behind_go_on_when_they_have_rested(following: Following) -> None:
    waits, sums = following([(0.0, 60)] * 9, [(0.01, PIECE), (0.01, PIECE), (0.0, 5)], 3)
    assert waits == pytest.approx([0.0, REST * 0.01, REST * 0.01, RUSH * PAUSE])
    assert sums.at == pytest.approx([100.0, 100.03, 100.06])


def test_figures_that_were_left_behind_go_on_at_once_when_hardly_anybody_posts(following: Following) -> None:
    waits, sums = following([(0.0, 1)] * 9, [(0.01, PIECE), (0.01, PIECE), (0.0, 5)], 3)
    assert waits == pytest.approx([0.0, 0.0, 0.0, PAUSE])
    assert sums.at == pytest.approx([100.0, 100.01, 100.02])


def test_a_rush_is_followed_in_small_pieces_with_a_rest_after_each(following: Following) -> None:
    pieces = [(0.02, PIECE), (0.03, PIECE), (0.001, 60)]
    # As much comes as is taken.
    waits, _ = following(pieces, [], 3, behind=[9_000, 9_000])
    assert waits == pytest.approx([0.0, REST * 0.02, REST * 0.03, RUSH * PAUSE])


def test_what_a_rush_left_behind_is_taken_without_a_rest_when_it_is_over(following: Following) -> None:
    pieces = [(0.02, PIECE)] * 4 + [(0.001, 2)]
    waits, _ = following(pieces, [], 5, behind=[1_990, 1_500, 1_000 + 49, 549 + 50])
    assert waits == pytest.approx([0.0, REST * 0.02, 0.0, 0.0, REST * 0.02, PAUSE])


def test_no_more_than_a_piece_is_asked_for(following: Following) -> None:
    _, sums = following([(0.0, 1)] * 3, [(0.0, 1)] * 3, 3)
    assert set(sums.limits) == {PIECE}


def test_figures_that_break_do_not_hold_up_the_index(following: Following, caplog: pytest.LogCaptureFixture) -> None:
    waits, sums = following([(0.0, MANY)] * 20, [(0.0, None)], 10)
    assert waits[1:] == pytest.approx([RUSH * PAUSE] * 10)
    assert sums.at[1] - sums.at[0] >= BROKEN_SECONDS
    assert [record.getMessage() for record in caplog.records] == [
        "the figures could not follow the journal: unavailable"
    ]
