"""What does one writer of a measurement do? Make its events, wait for the start signal, clear them, tell how it went.

A process of its own, so that its processor time is its own (`__main__.py` is where it begins). It is told what to do by
pickled values through a pipe whose other end only its parent holds.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Literal

import msgspec

from drachm.adapters import eventjson
from drachm.application.clear_events import clear_events
from drachm.application.desk import Desk
from drachm.application.first_answers import Outcome
from drachm.application.replay import ReplayReport, replay
from drachm.application.replay import World as Recorded
from drachm.bench.load import SPREAD, Load, Shape
from drachm.bench.open_loop import Offer, OpenLoop, Served
from drachm.bench.world import World
from drachm.bootstrap import SystemClock, SystemIds, spare_the_collector
from drachm.domain.errors import DrachmError
from drachm.domain.events.model import ServiceEvent
from drachm.storage.postgres import open_books


@dataclass(frozen=True, slots=True)
class Post:
    """Where a writer works."""

    world: World
    url: str
    tenant: int
    master_key: bytes
    writer: int
    writers: int


@dataclass(frozen=True, slots=True)
class Task:
    """What to do in one round."""

    events: int
    shape: Shape = SPREAD
    batch: int = 1_000
    path: Literal["live", "replay", "open"] = "live"
    """live: `clear_events`, batch by batch. replay: `application.replay`. open: at the times of `offer`."""
    from_json: bool = False
    """Begin with the bytes of our JSON form instead of events."""
    offer: Offer | None = None


@dataclass(slots=True)
class Done:
    """How it went."""

    started: float = 0.0
    """By the machine's monotonic clock, which all processes share; seconds."""
    ended: float = 0.0
    batch_seconds: list[float] = field(default_factory=list)
    """From handing a batch in to having its answers, committed."""
    statuses: Counter[str] = field(default_factory=Counter)
    """Outcomes that were written, by status."""
    duplicates: int = 0
    """Outcomes that were here before: nothing was written."""
    served: Served | None = None
    """Of an open loop."""

    def count(self, outcomes: list[Outcome]) -> None:
        """Count a batch's answers."""
        for outcome in outcomes:
            if outcome.duplicate:
                self.duplicates += 1
            else:
                self.statuses[outcome.status] += 1


def work(pipe: Connection, post: Post) -> None:
    """Serve tasks until the other end is closed."""
    load = Load(post.world, writer=post.writer, writers=post.writers)
    with open_books(post.url, post.tenant, master_key=post.master_key, ids=SystemIds()) as books:
        desk = Desk(books, SystemClock(), SystemIds())
        while True:
            task: Task = pipe.recv()
            run = _ready(task, load, desk)
            # What was made beforehand is no part of the work either.
            spare_the_collector()
            pipe.send("ready")
            pipe.recv()
            done = run()
            pipe.send(done)
            del run


def _ready(task: Task, load: Load, desk: Desk) -> Callable[[], Done]:
    """Everything that is not measured, done; what is measured, to be called."""
    events = load.events(task.events, task.shape)
    if task.path == "replay":
        return lambda: _replay(events, desk, task.batch)
    if task.offer is not None:
        loop = OpenLoop(events, task.offer)
        return lambda: _open(loop, desk, task.batch)
    batches = [events[first : first + task.batch] for first in range(0, len(events), task.batch)]
    if task.from_json:
        written = [[_bytes(event) for event in batch] for batch in batches]
        read = eventjson.read_event_bytes
        return lambda: _live(written, lambda batch: clear_events([read(data) for data in batch], desk))
    return lambda: _live(batches, lambda batch: clear_events(batch, desk))


def _live(batches: list[list[Any]], clear: Callable[[list[Any]], list[Outcome]]) -> Done:
    done = Done(started=time.monotonic())
    for batch in batches:
        begun = time.monotonic()
        outcomes = clear(batch)
        done.batch_seconds.append(time.monotonic() - begun)
        done.count(outcomes)
    done.ended = time.monotonic()
    return done


def _replay(events: list[ServiceEvent], desk: Desk, batch: int) -> Done:
    report = ReplayReport()
    done = Done(started=time.monotonic())
    replay(Recorded([], [], [], events), desk, report, lambda _outcome, _event: None, batch=batch)
    done.ended = time.monotonic()
    done.duplicates = report.duplicates
    for status in ("posted", "denied", "pended", "refused"):
        done.statuses[status] = getattr(report, status)
    return done


def _open(loop: OpenLoop, desk: Desk, batch: int) -> Done:
    done = Done(started=time.monotonic())
    for events in loop.batches(batch, time.monotonic, time.sleep):
        begun = time.monotonic()
        outcomes = clear_events(events, desk)
        loop.answered(time.monotonic())
        done.batch_seconds.append(time.monotonic() - begun)
        done.count(outcomes)
    done.ended = time.monotonic()
    done.served = loop.served
    return done


def _bytes(event: ServiceEvent) -> bytes:
    return msgspec.json.encode(eventjson.write_event(event))


def main(descriptor: int) -> None:
    """The process: what goes wrong is told to the parent, whose Ctrl-C it leaves to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pipe = Connection(descriptor)
    try:
        work(pipe, pipe.recv())
    except (EOFError, BrokenPipeError):
        os._exit(0)  # the parent has what it wanted, or is gone
    except DrachmError as error:
        pipe.send(f"{error.code}: {error}")
