"""A writer's memory does not grow with the events it has cleared, nor do the server processes that serve it."""

from __future__ import annotations

import gc
import json
import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from drachm.application.check_books import check_books
from drachm.application.clear_events import clear_events
from drachm.application.desk import Desk
from drachm.bench.load import Load
from drachm.bench.settle import settle
from drachm.bench.world import make_world
from drachm.bootstrap import SystemClock, SystemIds
from drachm.storage.memory import MemoryBooks
from drachm.storage.postgres import open_books

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")

SAMPLES = Path(__file__).parents[2] / "samples"
FAMILIES = 60
REMEMBERED_PEOPLE = 50
BATCH = 1_000

WRITER = """
    import functools, json, pickle, sys
    from datetime import timedelta
    import psycopg

    # Whatever is remembered and bounded is full after the warm-up; what is not bounded would show.
    bounded = functools.lru_cache

    def small(maxsize=128, typed=False):
        return bounded(min(maxsize, 500) if isinstance(maxsize, int) else maxsize, typed)

    functools.lru_cache = small
    from drachm.bench import load as loads
    from drachm.domain.benefits import machine
    from drachm.domain.catalog import books
    from drachm.storage import registry, work
    machine._MOST_DAYS = books.MOST_DAYS = 20
    loads.RECENT = 500
    work.KNOWN_MAX = 2_000
    work.Register = functools.partial(registry.Register, people=50)
    from drachm.application.clear_events import clear_events
    from drachm.application.desk import Desk
    from drachm.bootstrap import SystemClock, SystemIds, spare_the_collector
    from drachm.storage.postgres import open_books

    def kilobytes(process):
        text = open(f"/proc/{process}/status").read()
        return int(text.partition("RssAnon:")[2].split()[0])

    url, batches, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    load = loads.Load(pickle.load(sys.stdin.buffer))
    load._step = timedelta(days=1) / 40  # every day of the year has come in the warm-up
    desk = Desk(open_books(url, 1, master_key=bytes(32), ids=SystemIds()), SystemClock(), SystemIds())
    spare_the_collector()
    seen = []
    for _ in range(batches):
        clear_events(load.events(size), desk)
        with psycopg.connect(url, autocommit=True) as own:
            backends = own.execute(
                "SELECT pid FROM pg_stat_activity WHERE application_name = 'flat' AND pid <> pg_backend_pid()"
            ).fetchall()
        seen.append((kilobytes("self"), max(kilobytes(backend) for [backend] in backends)))
    people = len(desk.books._known.register._people)
    desk.books.close()
    print(json.dumps({"seen": seen, "people": people}))
"""


@pytest.mark.parametrize("events", [60_000, pytest.param(600_000, marks=pytest.mark.long)])
def test_memory_stays_flat(database: str, events: int) -> None:
    """After a third of the events, neither process grows by a tenth any more."""
    world = make_world(60, FAMILIES, samples=SAMPLES, shared=None)
    with open_books(database, 1, master_key=bytes(32), ids=SystemIds()) as books:
        settle(world, Desk(books, SystemClock(), SystemIds()), lambda _words: None)
        people = len(list(world.people(0, FAMILIES)))
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(WRITER), database, str(events // BATCH), str(BATCH)],
            input=pickle.dumps(world),
            stdout=subprocess.PIPE,
            check=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PGAPPNAME": "flat"},
        )
        told = json.loads(done.stdout)
        assert check_books(books) == []
    assert told["people"] <= REMEMBERED_PEOPLE < people
    warm = len(told["seen"]) // 3
    assert min(min(sizes) for sizes in told["seen"]) > 0
    for name, sizes in zip(("writer", "server process"), zip(*told["seen"], strict=True), strict=True):
        before, after = max(sizes[warm - 5 : warm]), max(sizes[-5:])
        assert after < 1.1 * before, f"the {name} grew from {before:,} to {after:,} kB"


def test_a_batch_goes_as_soon_as_it_is_answered() -> None:
    """Writers let the collector of cycles look rarely (`spare_the_collector`), so a batch must not need it: an error
    that holds its own frame would keep the whole batch, some megabytes of it, until the collector comes."""
    world = make_world(60, FAMILIES, samples=SAMPLES, shared=None)
    desk = Desk(MemoryBooks(1, ids=SystemIds()), SystemClock(), SystemIds())
    settle(world, desk, lambda _words: None)
    load = Load(world)
    clear_events(load.events(1_000), desk)
    events = load.events(1_000)
    gc.collect()
    gc.disable()
    try:
        statuses = {outcome.status for outcome in clear_events(events, desk)}
        assert gc.collect() == 0
    finally:
        gc.enable()
    assert statuses >= {"posted", "pended", "refused"}
