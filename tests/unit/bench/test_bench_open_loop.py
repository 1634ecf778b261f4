"""The open loop: waits count from when an event was due, drops and repeats are counted."""

from __future__ import annotations

import pytest

from drachm.bench.load import Load
from drachm.bench.open_loop import Offer, OpenLoop


class Clock:
    """A clock that only the loop and the server under test move."""

    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.time += seconds


def serve(loop: OpenLoop, *, seconds: float, most: int = 10_000) -> list[list]:
    """A server that takes `seconds` for each batch, whatever its size."""
    clock, batches = Clock(), []
    for batch in loop.batches(most, clock.now, clock.sleep):
        clock.time += seconds
        loop.answered(clock.time)
        batches.append(batch)
    return batches


@pytest.fixture(scope="module")
def events(town) -> list:
    return Load(town).events(2_000)


def test_a_quick_server_answers_at_once(events) -> None:
    loop = OpenLoop(events, Offer(rate=100, queue=1_000, seed=1, sent_again_ppm=0))
    batches = serve(loop, seconds=0.0001)
    assert [event for batch in batches for event in batch] == events
    assert loop.served.dropped == 0
    assert max(loop.served.waits) < 0.001


def test_what_comes_during_a_commit_is_the_next_batch_and_its_wait_counts(events) -> None:
    """At 1,000 a second, a commit of a second leaves a thousand waiting for half a second on average and one more."""
    loop = OpenLoop(events, Offer(rate=1_000, queue=10_000, seed=1, sent_again_ppm=0))
    batches = serve(loop, seconds=1.0)
    assert len(batches[0]) == 1
    assert 900 < len(batches[1]) < 1_100
    assert sum(map(len, batches)) == 2_000
    assert 1.4 < sum(loop.served.waits) / len(loop.served.waits) < 1.6


def test_what_does_not_fit_into_the_queue_is_dropped_and_counted(events) -> None:
    loop = OpenLoop(events, Offer(rate=1_000, queue=100, seed=1, sent_again_ppm=0))
    served = sum(map(len, serve(loop, seconds=0.5)))
    assert loop.served.arrivals == 2_000 == served + loop.served.dropped
    assert loop.served.dropped > 1_000
    assert loop.served.queue_most == 100
    assert len(loop.served.waits) == served


def test_a_batch_is_never_larger_than_the_most(events) -> None:
    loop = OpenLoop(events, Offer(rate=10_000, queue=10_000, seed=1, sent_again_ppm=0))
    assert max(map(len, serve(loop, seconds=0.2, most=300))) == 300


def test_some_events_are_sent_again_a_little_later(events) -> None:
    loop = OpenLoop(events, Offer(rate=1_000, queue=10_000, seed=1, sent_again_ppm=100_000))
    arrived = [event.event_id for batch in serve(loop, seconds=0.01) for event in batch]
    assert 100 < len(arrived) - 2_000 < 300
    assert loop.served.arrivals == len(arrived)
