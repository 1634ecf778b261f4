"""What does every peer post, and how is it timed? The same moments of care, one transaction each, several processes.

Standard library only: it runs in the peers' own environment.

    python -m drachm.bench.peers.<peer> prepare URL
    python -m drachm.bench.peers.<peer> run URL SEED SECONDS PROCESSES

Each process has one connection and posts as fast as it can until the time is over. `run` writes one JSON object.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

PAYERS, WALLETS, PROVIDERS = 20, 1_000, 50
OPENING = 1_000_000_000
"""Cents in each wallet: nothing runs out during a measurement."""
WARM_UP = 20
"""First transactions of each process, which find everything cold: not counted."""
TICK_US = 1_000_000 // os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Moment:
    """One moment of care, already decided: who pays how much to whom. Three entries that sum to zero; cents."""

    event_id: str
    payer: int
    wallet: int
    provider: int
    payer_part: int
    wallet_part: int


class Ledger(Protocol):
    """One process's way into a peer's books."""

    def post(self, moment: Moment) -> None:
        """One transaction, committed when it returns."""

    def backend(self) -> int:
        """Process id of the database's end of the connection."""


@dataclass(frozen=True)
class Peer:
    """What the harness needs of one peer."""

    prepare: Callable[[str], None]
    """Make tables and accounts in an empty database."""
    open: Callable[[str], Ledger]
    check: Callable[[str], tuple[int, int]]
    """How many transactions are in the books, and the sum of all their entries."""


def moments(seed: str) -> Iterator[Moment]:
    """Moments without end, the same for the same seed."""
    chance = random.Random(seed)
    while True:
        yield Moment(
            f"{chance.getrandbits(128):032x}",
            chance.randrange(PAYERS),
            chance.randrange(WALLETS),
            chance.randrange(PROVIDERS),
            chance.randrange(100, 20_000),
            chance.randrange(100, 5_000),
        )


def serve(peer: Peer, arguments: list[str]) -> None:
    """The command line of a peer."""
    if arguments[0] == "prepare":
        peer.prepare(arguments[1])
        return
    url, seed, seconds, processes = arguments[1], arguments[2], float(arguments[3]), int(arguments[4])
    before = peer.check(url)[0]
    fork = multiprocessing.get_context("fork")
    answers: Any = fork.SimpleQueue()
    start = fork.Barrier(processes)
    workers = [
        fork.Process(target=_work, args=(peer, url, f"{seed}/{number}", seconds, start, answers))
        for number in range(processes)
    ]
    for worker in workers:
        worker.start()
    told = [answers.get() for _ in workers]
    for worker in workers:
        worker.join()
    after, total = peer.check(url)
    posted = sum(one["transactions"] + WARM_UP for one in told)
    json.dump(
        {
            "transactions": sum(one["transactions"] for one in told),
            "seconds": max(one["ended"] for one in told) - min(one["started"] for one in told),
            "python_us": sum(one["python_us"] for one in told),
            "postgres_us": sum(one["postgres_us"] for one in told),
            "books_ok": total == 0 and after - before == posted,
        },
        sys.stdout,
    )


def _work(peer: Peer, url: str, seed: str, seconds: float, start: Any, answers: Any) -> None:
    ledger = peer.open(url)
    made = moments(seed)
    for _ in range(WARM_UP):
        ledger.post(next(made))
    start.wait()
    backend, own = _process_us(ledger.backend()), time.process_time()
    started = time.monotonic()
    count = 0
    while time.monotonic() - started < seconds:
        ledger.post(next(made))
        count += 1
    ended = time.monotonic()
    answers.put(
        {
            "transactions": count,
            "started": started,
            "ended": ended,
            "python_us": int((time.process_time() - own) * 1_000_000),
            "postgres_us": _process_us(ledger.backend()) - backend,
        }
    )


def _process_us(process: int) -> int:
    """utime + stime, as everywhere in this benchmark."""
    found = Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()
    return (int(found[11]) + int(found[12])) * TICK_US
