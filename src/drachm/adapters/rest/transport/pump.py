"""How do single requests share one durable commit, without waiting for a clock?

Requests queue on the event loop; one worker thread takes whatever queued while its last commit ran, calls `Clear` once,
and only when that returned (the commit is durable) are the answers given out. A lone request is a batch of one and
waits for nobody. The queue is bounded: what cannot be answered soon is refused at the door with 429, before any work.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from drachm.adapters.rest.transport.problems import Problem
from drachm.domain.errors import IntegrityError

Item = TypeVar("Item")
Result = TypeVar("Result")

Clear = Callable[[list[Item]], list[Result]]
"""Clears a batch in order, durably, one result per item; `application.clear_events` behind one tenant's desk."""

BATCH_MAX: Final = 1_000
"""Items of one commit, and of one caller's bulk."""
PLACE_SECONDS: Final = 1.0
"""How long places are kept for a body: a caller who dribbles must not hold up the others."""


class Gauges(Protocol):
    """What the pump tells the metrics. Called once per batch, from the worker thread."""

    def batch(self, size: int, waited: float, cleared: float, depth: int) -> None:
        """`size` items; seconds the oldest waited; seconds `Clear` took; items without an answer after it."""

    def failed(self, size: int) -> None:
        """A batch of `size` items raised."""


class Silent:
    """Gauges that show nothing."""

    def batch(self, size: int, waited: float, cleared: float, depth: int) -> None:
        """Nothing."""

    def failed(self, size: int) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class PumpLimits:
    """When the pump says that it is busy."""

    queue: int = 4_000
    """Items that may wait for an answer."""
    wait_seconds: float = 1.0
    """Refuse when the batches ahead, at the pace of the last ones, take longer than this, or one of them does."""


class _Waiting(NamedTuple):
    items: Sequence[Any]
    answers: asyncio.Future[list[Any]]
    since: float


class Pump(Generic[Item, Result]):
    """Group commit behind single calls, for one event loop of one process."""

    def __init__(
        self,
        clear: Clear[Item, Result],
        *,
        limits: PumpLimits | None = None,
        gauges: Gauges | None = None,
        afterwards: Callable[[], None] = lambda: None,
    ) -> None:
        self._clear = clear
        self._afterwards = afterwards
        """Called by the worker when the answers of a batch were given out: for what nobody waits for."""
        self._limits = limits or PumpLimits()
        self._gauges: Gauges = gauges or Silent()
        self._arriving: list[_Waiting] = []
        """What came in this turn of the event loop: handed over together, for waking the worker costs more than all
        else."""
        self._queue: SimpleQueue[list[_Waiting] | None] = SimpleQueue()
        """From the loop to the worker; None: the end."""
        self._backlog: deque[_Waiting] = deque()
        """Taken from the queue, not yet cleared; only the worker touches it."""
        self._ended = False
        self._coming: dict[object, tuple[int, float]] = {}
        """Places that are kept for items whose body is on its way: how many, and until when."""
        self._held = 0
        """Items without an answer; only the event loop's thread changes it."""
        self._batch_seconds = 0.0
        """What a batch took of late: rises at once, falls slowly."""
        self._began = 0.0
        """When the batch in the worker's hands began; 0 while it waits."""
        self._closing = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def depth(self) -> int:
        """Items that have no answer yet."""
        return self._held

    def start(self) -> None:
        """Begin the worker; call it on the event loop that will submit."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._work, name="drachm-pump", daemon=True)
        self._thread.start()

    def admit(self, count: int = 1) -> None:
        """Raise `busy` (429) when `count` more items could not be answered soon, `draining` (503) after `close`.

        Costs next to nothing: ask before the body is read.
        """
        if self._closing:
            raise Problem("draining", retry_after=1, close=True)
        held, patience = self._held, self._limits.wait_seconds
        if self._coming:
            held += self._expected()
        if not held:
            return
        held += count
        expected = (1 + held // BATCH_MAX) * self._batch_seconds
        stuck = self._began > 0 and time.monotonic() - self._began > patience
        if stuck or expected > patience or held > self._limits.queue:
            raise Problem("busy", retry_after=max(1, min(30, round(expected))))

    @contextmanager
    def place(self, count: int) -> Iterator[None]:
        """Keep places for `count` items that are still being read, or raise as `admit` does.

        Who comes meanwhile is told at once that it is busy, instead of after its body was read. Whoever is slow keeps
        them for a moment only.
        """
        self.admit(count)
        mark = object()
        self._coming[mark] = count, time.monotonic() + PLACE_SECONDS
        try:
            yield
        finally:
            del self._coming[mark]

    def _expected(self) -> int:
        now = time.monotonic()
        return sum([count for count, until in self._coming.values() if until > now])

    async def submit(self, item: Item) -> Result:
        """Clear one item with whatever else is waiting. Raises `busy`, or what its batch raised."""
        return (await self.submit_all((item,)))[0]

    async def submit_all(self, items: Sequence[Item]) -> list[Result]:
        """Clear up to `BATCH_MAX` items in order, in one commit. A caller that is cancelled does not stop the work."""
        count = len(items)
        if count > BATCH_MAX:
            raise Problem("too_large", f"At most {BATCH_MAX} items at once.")
        self.admit(count)
        if self._loop is None:
            raise IntegrityError("the pump was not started")
        if not count:
            return []
        answers: asyncio.Future[list[Result]] = self._loop.create_future()
        self._held += count
        if not self._arriving:
            self._loop.call_soon(self._pass_on)
        self._arriving.append(_Waiting(items, answers, time.monotonic()))
        return await answers

    async def close(self) -> None:
        """Take no more, answer everything that waits, end the worker."""
        self._closing = True
        self._pass_on()
        self._queue.put(None)
        if self._thread is not None:
            # The last answers reach the loop before the news that the thread has ended.
            await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    def _pass_on(self) -> None:
        if self._arriving:
            self._queue.put(self._arriving)
            self._arriving = []

    def _work(self) -> None:
        while batch := self._take():
            items = [item for waiting in batch for item in waiting.items]
            self._began = began = time.monotonic()
            answers = self._cleared(items)
            took = time.monotonic() - began
            self._began = 0.0
            self._batch_seconds = max(took, 0.8 * self._batch_seconds + 0.2 * took)
            left = self._held - len(items)
            self._hand_out(batch, answers, len(items))
            self._tell(len(items), began - batch[0].since, took, left, failed=isinstance(answers, Exception))

    def _take(self) -> list[_Waiting]:
        """The next batch; empty when everything is done and nothing more can come."""
        backlog = self._backlog
        while not self._ended:
            try:
                arrived = self._queue.get(block=not backlog)
            except Empty:
                break
            backlog.extend(arrived or ())
            self._ended = arrived is None
        batch: list[_Waiting] = []
        size = 0
        while backlog and size + len(backlog[0].items) <= BATCH_MAX:
            batch.append(backlog.popleft())
            size += len(batch[-1].items)
        return batch

    def _cleared(self, items: list[Item]) -> list[Result] | Exception:
        try:
            answers = self._clear(items)
        except Exception as error:  # noqa: BLE001 - whatever breaks a batch must not break the pump
            return error
        except BaseException as error:  # noqa: BLE001 - nor may what would end a thread
            return IntegrityError(f"clearing was interrupted by {type(error).__name__}")
        if len(answers) != len(items):
            return IntegrityError("clearing gave another number of answers than it was given items")
        return answers

    def _hand_out(self, batch: list[_Waiting], answers: list[Result] | Exception, size: int) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._resolve, batch, answers, size)

    def _resolve(self, batch: list[_Waiting], answers: list[Result] | Exception, size: int) -> None:
        self._held -= size
        at = 0
        for waiting in batch:
            end = at + len(waiting.items)
            if waiting.answers.done():
                pass  # Its caller has gone; what was posted stays posted.
            elif isinstance(answers, StopIteration):
                waiting.answers.set_exception(IntegrityError("clearing raised what a future cannot carry"))
            elif isinstance(answers, Exception):
                waiting.answers.set_exception(answers)
            else:
                waiting.answers.set_result(answers[at:end])
            at = end

    def _tell(self, size: int, waited: float, took: float, left: int, *, failed: bool) -> None:
        try:
            if failed:
                self._gauges.failed(size)
            self._gauges.batch(size, waited, took, left)
            self._afterwards()
        except Exception:  # noqa: BLE001 - neither a broken gauge nor what comes afterwards must stop the money
            return
