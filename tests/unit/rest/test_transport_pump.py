"""Group commit: nothing lost, nothing mixed up, one broken batch harms itself only, and busy is said in time."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Awaitable, Callable
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

from drachm.adapters.rest.transport import pump as pump_room
from drachm.adapters.rest.transport.problems import Problem
from drachm.adapters.rest.transport.pump import BATCH_MAX, PLACE_SECONDS, Pump, PumpLimits, Silent
from drachm.domain.errors import IntegrityError, Unavailable


class Recorder(Silent):
    def __init__(self) -> None:
        self.batches: list[tuple[int, int]] = []
        self.failures: list[int] = []

    def batch(self, size: int, waited: float, cleared: float, depth: int) -> None:
        assert waited >= 0
        assert cleared >= 0
        self.batches.append((size, depth))

    def failed(self, size: int) -> None:
        self.failures.append(size)


def run(
    clear: Callable[[list[int]], list[int]],
    work: Callable[[Pump[int, int]], Awaitable[Any]],
    *,
    limits: PumpLimits | None = None,
    gauges: Silent | None = None,
) -> Any:
    async def main() -> Any:
        pump: Pump[int, int] = Pump(clear, limits=limits, gauges=gauges)
        pump.start()
        try:
            return await asyncio.wait_for(work(pump), 120)
        finally:
            await pump.close()

    return asyncio.run(main())


class Clock:
    """The pump's own clock: it stands still until a test moves it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000.0
        monkeypatch.setattr(pump_room, "time", SimpleNamespace(monotonic=lambda: self.now))


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something that must happen, as long as it takes."""
    while not holds():
        await asyncio.sleep(0.001)


def doubled(batch: list[int]) -> list[int]:
    return [2 * number for number in batch]


def test_a_lone_item_is_a_batch_of_one_and_waits_for_nobody() -> None:
    gauges = Recorder()

    async def work(pump: Pump[int, int]) -> None:
        for number in range(50):
            assert await pump.submit(number) == 2 * number

    run(doubled, work, gauges=gauges)
    assert [size for size, _ in gauges.batches] == [1] * 50


def test_what_queues_during_a_commit_is_the_next_batch() -> None:
    gauges = Recorder()

    def clear(batch: list[int]) -> list[int]:
        time.sleep(0.05)
        return doubled(batch)

    async def work(pump: Pump[int, int]) -> list[int]:
        return await asyncio.gather(*[pump.submit(number) for number in range(500)])

    assert run(clear, work, gauges=gauges) == [2 * number for number in range(500)]
    assert sum(size for size, _ in gauges.batches) == 500
    assert len(gauges.batches) <= 3
    assert gauges.batches[-1][1] == 0


def test_batches_never_pass_the_cap_and_keep_every_bulk_whole() -> None:
    seen: list[list[int]] = []

    def clear(batch: list[int]) -> list[int]:
        seen.append(batch)
        time.sleep(0.002)
        return doubled(batch)

    async def work(pump: Pump[int, int]) -> None:
        bulks = [
            list(range(start, start + size)) for start, size in ((0, 1_000), (1_000, 700), (1_700, 700), (2_400, 1))
        ]
        answers = await asyncio.gather(*[pump.submit_all(bulk) for bulk in bulks])
        assert answers == [doubled(bulk) for bulk in bulks]

    run(clear, work)
    assert [len(batch) for batch in seen] == [1_000, 700, 701]
    assert [number for batch in seen for number in batch] == list(range(2_401))


def test_a_bulk_over_the_cap_is_refused_and_an_empty_one_is_nothing() -> None:
    async def work(pump: Pump[int, int]) -> None:
        assert await pump.submit_all([]) == []
        with pytest.raises(Problem) as caught:
            await pump.submit_all(range(BATCH_MAX + 1))
        assert caught.value.code == "too_large"

    run(doubled, work)


@pytest.mark.parametrize(
    "error",
    [ValueError("x"), Unavailable("silent"), MemoryError(), StopIteration(), SystemExit(3), KeyboardInterrupt()],
)
def test_an_exception_fails_its_batch_only_and_the_pump_lives_on(error: BaseException) -> None:
    gauges = Recorder()

    def clear(batch: list[int]) -> list[int]:
        if 13 in batch:
            raise error
        return doubled(batch)

    async def work(pump: Pump[int, int]) -> None:
        assert await pump.submit(1) == 2
        expected = type(error) if isinstance(error, (ValueError, Unavailable, MemoryError)) else IntegrityError
        with pytest.raises(expected):
            await pump.submit(13)
        assert await pump.submit(2) == 4

    run(clear, work, gauges=gauges)
    assert gauges.failures == [1]


@pytest.mark.parametrize("answers", [[], [1, 2, 3]])
def test_a_wrong_number_of_answers_is_never_handed_out(answers: list[int]) -> None:
    async def work(pump: Pump[int, int]) -> None:
        with pytest.raises(IntegrityError):
            await pump.submit(1)

    run(lambda batch: answers, work)


def test_faults_at_random_lose_no_answer_and_mix_none_up() -> None:
    seed = random.Random(7)
    cleared: set[int] = set()
    batches = count()

    def clear(batch: list[int]) -> list[int]:
        time.sleep(seed.random() * 0.002)
        # However few batches a slow machine makes of it: the first one breaks, the second loses its reply.
        at = next(batches)
        if at == 0 or seed.random() < 0.2:
            raise Unavailable("injected")
        cleared.update(batch)
        if at == 1 or seed.random() < 0.1:
            raise Unavailable("the reply was lost after the commit")
        return doubled(batch)

    async def work(pump: Pump[int, int]) -> list[Any]:
        async def one(number: int) -> Any:
            await asyncio.sleep(number % 10 * 0.03)
            return await pump.submit(number)

        return await asyncio.gather(*[one(number) for number in range(2_000)], return_exceptions=True)

    # Nobody is told that it is busy, however long a batch lies on a slow machine.
    answers = run(clear, work, limits=PumpLimits(wait_seconds=1_000))
    good = [
        number for number, answer in enumerate(answers) if answer == 2 * number and not isinstance(answer, Exception)
    ]
    failed = [answer for answer in answers if isinstance(answer, Exception)]
    assert len(good) + len(failed) == 2_000
    assert {type(error) for error in failed} == {Unavailable}
    assert failed
    assert good
    assert set(good) <= cleared  # an answer is never given before its commit returned


def test_an_answer_comes_only_after_the_commit_returned() -> None:
    committed = threading.Event()

    def clear(batch: list[int]) -> list[int]:
        time.sleep(0.05)
        committed.set()
        return batch

    async def work(pump: Pump[int, int]) -> None:
        task = asyncio.create_task(pump.submit(1))
        while not task.done():
            assert not task.done() or committed.is_set()
            await asyncio.sleep(0.001)
        assert committed.is_set()

    run(clear, work)


def test_a_full_queue_is_refused_at_once_and_recovers() -> None:
    release = threading.Event()

    def clear(batch: list[int]) -> list[int]:
        release.wait(100)
        return doubled(batch)

    async def work(pump: Pump[int, int]) -> None:
        tasks = [asyncio.create_task(pump.submit(number)) for number in range(100)]
        await until(lambda: pump.depth == 100)
        for _ in range(1_000):
            with pytest.raises(Problem) as caught:
                await pump.submit(1)
            assert (caught.value.code, caught.value.retry_after >= 1) == ("busy", True)
        # At once: nothing that waits has an answer yet.
        assert pump.depth == 100
        assert not any(task.done() for task in tasks)
        release.set()
        assert await asyncio.gather(*tasks) == [2 * number for number in range(100)]
        assert pump.depth == 0
        assert await pump.submit(4) == 8

    run(clear, work, limits=PumpLimits(queue=100, wait_seconds=1_000))


def test_a_commit_that_hangs_makes_the_pump_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    release, begun = threading.Event(), threading.Event()
    clock = Clock(monkeypatch)

    def clear(batch: list[int]) -> list[int]:
        begun.set()
        release.wait(100)
        return batch

    async def work(pump: Pump[int, int]) -> None:
        first = asyncio.create_task(pump.submit(1))
        await until(begun.is_set)
        second = asyncio.create_task(pump.submit(2))
        await until(lambda: pump.depth == 2)
        clock.now += 0.15
        with pytest.raises(Problem) as caught:
            pump.admit()
        assert caught.value.code == "busy"
        release.set()
        assert await asyncio.gather(first, second) == [1, 2]
        pump.admit()

    run(clear, work, limits=PumpLimits(wait_seconds=0.1))


def test_more_than_a_second_of_work_is_not_taken_on(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, taken = Clock(monkeypatch), threading.Event()
    taken.set()

    def clear(batch: list[int]) -> list[int]:
        taken.wait(100)
        clock.now += len(batch) / 20_000
        return batch

    async def work(pump: Pump[int, int]) -> int:
        await pump.submit_all(range(1_000))
        taken.clear()
        asked = [asyncio.create_task(pump.submit_all(range(500))) for _ in range(40)]
        await until(lambda: sum(one.done() for one in asked) > 30)
        taken.set()
        results = await asyncio.gather(*asked, return_exceptions=True)
        assert {error.code for error in results if isinstance(error, Problem)} == {"busy"}
        return sum(isinstance(result, list) for result in results)

    # A full batch took 50 ms, so 0.22 s are worth four of them, the one that is begun included: seven bulks of 500.
    assert run(clear, work, limits=PumpLimits(queue=100_000, wait_seconds=0.22)) == 7


def test_places_are_kept_while_a_body_is_read_and_given_back() -> None:
    async def work(pump: Pump[int, int]) -> None:
        with pump.place(900):
            with pytest.raises(Problem) as refused, pump.place(200):
                raise AssertionError("there was no place for it")
            assert refused.value.code == "busy"
            pump.admit(100)
            assert await pump.submit(3) == 6
        with pump.place(1_000):
            pass
        with pytest.raises(ZeroDivisionError), pump.place(1_000):
            _ = 1 / 0
        assert await pump.submit(4) == 8

    run(doubled, work, limits=PumpLimits(queue=1_000))


def test_a_caller_who_dribbles_keeps_places_for_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)

    async def work(pump: Pump[int, int]) -> None:
        with pump.place(1_000):
            with pytest.raises(Problem):
                pump.admit()
            clock.now += PLACE_SECONDS + 0.1
            pump.admit()

    run(doubled, work, limits=PumpLimits(queue=1_000))


def test_closing_answers_everything_and_takes_no_more() -> None:
    def clear(batch: list[int]) -> list[int]:
        time.sleep(0.02)
        return doubled(batch)

    async def main() -> None:
        pump: Pump[int, int] = Pump(clear)
        pump.start()
        tasks = [asyncio.create_task(pump.submit_all([number] * 400)) for number in range(9)]
        await asyncio.sleep(0)
        closing = asyncio.create_task(pump.close())
        await asyncio.sleep(0)
        with pytest.raises(Problem) as caught:
            await pump.submit(1)
        assert (caught.value.code, caught.value.retryable) == ("draining", True)
        await closing
        assert [task.done() for task in tasks] == [True] * 9
        assert [task.result() for task in tasks] == [[2 * number] * 400 for number in range(9)]
        assert pump.depth == 0
        await pump.close()

    asyncio.run(main())


def test_a_caller_that_leaves_does_not_disturb_the_others() -> None:
    cleared: list[int] = []

    def clear(batch: list[int]) -> list[int]:
        time.sleep(0.03)
        cleared.extend(batch)
        return doubled(batch)

    async def work(pump: Pump[int, int]) -> None:
        tasks = [asyncio.create_task(pump.submit(number)) for number in range(20)]
        await asyncio.sleep(0.01)
        for task in tasks[::2]:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert results[1::2] == [2 * number for number in range(1, 20, 2)]
        assert all(isinstance(result, asyncio.CancelledError) for result in results[::2])

    run(clear, work)
    assert sorted(cleared) == list(range(20))


def test_a_broken_gauge_does_not_stop_the_money() -> None:
    class Broken(Silent):
        def batch(self, size: int, waited: float, cleared: float, depth: int) -> None:
            raise RuntimeError("gauge")

    async def work(pump: Pump[int, int]) -> list[int]:
        return [await pump.submit(number) for number in range(3)]

    assert run(doubled, work, gauges=Broken()) == [0, 2, 4]
