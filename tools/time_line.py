"""Where does the processor time of one event go, before storage? Microseconds an event, stage by stage.

    python tools/time_line.py [FAMILIES] [EVENTS]

Runs the functions of `clear_events` in their order, batch by batch, on the measured town of `drachm bench` with books
in memory; nothing is posted, so every batch finds the pots full. Each stage passes over the whole batch before the next
begins, as reading and deciding do. To time the compiled core, put its tree first: PYTHONPATH=TREE/src.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TypeVar

from drachm.application.body import write_body
from drachm.application.desk import Desk
from drachm.application.first_answers import Answers
from drachm.application.ports import Row
from drachm.application.rows import SALT_BYTES, row_of
from drachm.bench.load import Load
from drachm.bench.settle import settle
from drachm.bench.world import make_world
from drachm.bootstrap import SystemClock, SystemIds, spare_the_collector
from drachm.domain.clearing import clear as clearing
from drachm.domain.clearing.model import Clearing
from drachm.domain.clearing.world import Turn, Waiting, World
from drachm.domain.errors import Pended, Refused
from drachm.domain.events.model import ServiceEvent
from drachm.domain.transparency.leaf import event_key
from drachm.storage.memory import MemoryBooks

BATCH = 1_000
WARM = 4
"""Batches that are not counted: programs of new signatures are written there."""
T = TypeVar("T")


class Stages:
    """Processor time by stage, one number a batch."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = {}

    def run(self, name: str, work: Callable[[], T], events: int) -> T:
        started = time.process_time()
        result = work()
        self.times.setdefault(name, []).append((time.process_time() - started) / events * 1e6)
        return result


def main(families: int, events: int) -> None:
    root = Path(__file__).resolve().parents[1]
    shared = root.parent / "shared"
    world = make_world(1, families, samples=root / "samples", shared=shared if shared.is_dir() else None)
    ids = SystemIds()
    desk = Desk(MemoryBooks(1, ids=ids), SystemClock(), ids)
    settle(world, desk, lambda words: None)
    told = Load(world).events(events + WARM * BATCH)
    gc.collect()
    spare_the_collector()
    stages = Stages()
    for number, first in enumerate(range(0, len(told), BATCH)):
        if number == WARM:
            stages.times.clear()
        _batch(told[first : first + BATCH], desk, stages)
    how = "compiled" if (clearing.__file__ or "").endswith(".so") else "interpreted"
    found = {name: median(times) for name, times in stages.times.items()}
    lines = [f"{name:8} {took:6.1f} us an event" for name, took in {**found, "together": sum(found.values())}.items()]
    sys.stdout.write("\n".join([f"{how}, {families} families", *lines, ""]))


def _batch(events: Sequence[ServiceEvent], desk: Desk, stages: Stages) -> None:
    count, now, tenant = len(events), datetime.now(UTC), desk.books.tenant
    keyed = stages.run(
        "key", lambda: [Waiting(event, now, event_key(tenant, event.source, event.event_id)) for event in events], count
    )
    with desk.books.work() as work:
        answers = Answers(keyed, work, desk.books, revise=False)
        registry = work.registry(events)
        here = World(registry, desk.books.documents(registry.version), answers.targets)
        needs = stages.run("read", lambda: here.needs(answers.fresh), count)
        locked = work.lock(needs, count)
        here.load(locked.totals, locked.avail)
        decided = stages.run(
            "decide", lambda: [one for waiting in answers.fresh if (one := _decided(here, waiting))], count
        )
        salt = os.urandom(SALT_BYTES)
        bodies = stages.run("body", lambda: [_body(*one, salt, registry.version) for one in decided], count)
        pairs = list(zip(decided, bodies, strict=True))
        stages.run("row", lambda: [_row(*one, body, tenant, now, salt) for one, body in pairs], count)


def _decided(here: World, waiting: Waiting) -> tuple[Waiting, Turn, Clearing] | None:
    try:
        turn = here.turn(waiting)
        cleared = clearing.clear(waiting.event, *turn)
    except (Pended, Refused):
        return None
    here.advance(waiting, cleared, position=1)
    return waiting, turn, cleared


def _body(waiting: Waiting, turn: Turn, cleared: Clearing, salt: bytes, version: int) -> bytes:
    at, totals, avail = turn
    seen = [totals.get(number, 0) for number in at.totals]
    held = [avail.get(pot.id, 0) for pot in at.pots]
    return write_body(waiting.event, waiting.received, salt, version, totals=seen, avail=held)


def _row(waiting: Waiting, turn: Turn, cleared: Clearing, body: bytes, tenant: int, now: datetime, salt: bytes) -> Row:
    event = waiting.event
    return row_of(
        tenant,
        position=1,
        key=waiting.key,
        entry=cleared.entry,
        currency=event.currency,
        member=event.member,
        occurred_at=event.started_at,
        posted_at=now,
        salt=salt,
        body=body,
        after=cleared.moves,
        status=cleared.decision.status,
        reason=cleared.decision.reason,
    )


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*(given + [2_000, 20_000][len(given) :]))
