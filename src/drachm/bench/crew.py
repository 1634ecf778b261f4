"""How do several writers work at once? Processes, each with its own shards; all start at one signal."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from drachm.bench.world import World
from drachm.bench.writer import Done, Post, Task
from drachm.domain.errors import Unavailable

SOURCES: Final = Path(__file__).resolve().parents[2]
END_SECONDS_MAX: Final = 2.0
"""For a writer that is idle; one that is in the middle of a round is killed."""


class Crew:
    """The writers of one town. Use it as a context manager: its end is theirs."""

    def __init__(self, world: World, url: str, *, tenant: int, master_key: bytes, writers: int) -> None:
        self._posts = [Post(world, url, tenant, master_key, number, writers) for number in range(writers)]
        self._processes: list[subprocess.Popen[bytes]] = []
        self._pipes: list[Connection[Any, Any]] = []

    def __enter__(self) -> Self:
        try:
            for post in self._posts:
                self._start(post)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @property
    def processes(self) -> list[int]:
        """Process ids of the writers."""
        return [process.pid for process in self._processes]

    def make_ready(self, task: Task) -> None:
        """Each writer makes its part of the events; returns when all wait for the signal."""
        writers = len(self._pipes)
        for number, pipe in enumerate(self._pipes):
            share = task.events // writers + (number < task.events % writers)
            pipe.send(_part(task, share, number, writers))
        for pipe in self._pipes:
            self._heard(pipe)

    def run(self) -> list[Done]:
        """Give the signal; what each writer did, when all are done."""
        for pipe in self._pipes:
            pipe.send("go")
        return [self._heard(pipe) for pipe in self._pipes]

    def _start(self, post: Post) -> None:
        ours, theirs = Pipe()
        path = os.pathsep.join(filter(None, (str(SOURCES), os.environ.get("PYTHONPATH", ""))))
        command = [sys.executable, "-P", "-m", "drachm.bench", str(theirs.fileno())]
        with theirs:
            self._processes.append(
                subprocess.Popen(command, pass_fds=[theirs.fileno()], env={**os.environ, "PYTHONPATH": path})
            )
        self._pipes.append(ours)
        ours.send(post)

    def _heard(self, pipe: Connection[Any, Any]) -> Any:
        try:
            said = pipe.recv()
        except EOFError:
            said = "it ended without a word"
        if isinstance(said, str) and said != "ready":
            raise Unavailable(f"a writer of the benchmark failed: {said}", where="bench", next_step="See its words.")
        return said

    def _end(self) -> None:
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(END_SECONDS_MAX)
                continue
            process.kill()
            process.wait()
        self._processes, self._pipes = [], []


def _part(task: Task, events: int, number: int, writers: int) -> Task:
    """One writer's share of a round; a load is shared like the events are."""
    offer = task.offer and replace(
        task.offer,
        rate=task.offer.rate / writers,
        queue=max(1, task.offer.queue // writers),
        seed=task.offer.seed + number,
    )
    return replace(task, events=events, offer=offer)


def seconds_of(done: Sequence[Done]) -> float:
    """From the first writer's start to the last one's end."""
    return max(one.ended for one in done) - min(one.started for one in done)
