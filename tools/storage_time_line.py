"""Where does the processor time of one event go in storage? Microseconds an event in Python, stage by stage.

    python tools/storage_time_line.py [FAMILIES] [EVENTS]

Clears the measured town of `drachm bench` into a throw-away PostgreSQL, batch by batch, through the stages of
`clear_events` and of `PostgresWork` in their order. What PostgreSQL itself takes is not in these figures. To time the
compiled core, put its tree first: PYTHONPATH=TREE/src. Other work on the machine moves all of them: compare two trees
only by runs in turn.
"""

from __future__ import annotations

import gc
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from time_line import BATCH, WARM, Stages

from drachm.application.clear_events import _Writing, clear_events
from drachm.application.desk import Desk
from drachm.application.first_answers import Answers
from drachm.application.ports import Posting
from drachm.application.shared_funds import SharedFunds
from drachm.bench.load import Load
from drachm.bench.server import throw_away
from drachm.bench.settle import settle
from drachm.bench.world import make_world
from drachm.bootstrap import SystemClock, SystemIds, read_settings, spare_the_collector
from drachm.domain.clearing.world import Waiting, World
from drachm.domain.events.model import ServiceEvent
from drachm.domain.transparency.leaf import event_key
from drachm.storage import work as storage
from drachm.storage.postgres import open_books
from drachm.storage.posting import ensure_writable
from drachm.storage.rows import copy_of_journal


def main(families: int, events: int) -> None:
    root = Path(__file__).resolve().parents[1]
    shared = root.parent / "shared"
    world = make_world(1, families, samples=root / "samples", shared=shared if shared.is_dir() else None)
    ids, stages = SystemIds(), Stages()
    with throw_away(read_settings().pg_major) as server:
        url = server.make_database("time_line", schema=True)
        with open_books(url, 1, master_key=secrets.token_bytes(32), ids=ids) as books:
            desk = Desk(books, SystemClock(), ids)
            settle(world, desk, lambda words: None)
            told = Load(world).events(events + WARM * BATCH)
            gc.collect()
            spare_the_collector()
            for first in range(0, len(told), BATCH):
                batch = told[first : first + BATCH]
                if first < WARM * BATCH:
                    clear_events(batch, desk)
                else:
                    _batch(batch, desk, stages)
    how = "compiled" if (storage.__file__ or "").endswith(".so") else "interpreted"
    found = {name: median(times) for name, times in stages.times.items()}
    lines = [f"{name:22} {took:6.1f} us an event" for name, took in {**found, "together": sum(found.values())}.items()]
    sys.stdout.write("\n".join([f"{how}, {families} families", *lines, ""]))


def _batch(events: Sequence[ServiceEvent], desk: Desk, stages: Stages) -> None:
    count, now, tenant = len(events), desk.clock.now(), desk.books.tenant

    def waiting() -> list[Waiting]:
        return [Waiting(event, now, event_key(tenant, event.source, event.event_id)) for event in events]

    batch = stages.run("keys", waiting, count)
    shared, work = SharedFunds(desk, count), desk.books.work()
    stages.run("begin", work.__enter__, count)
    try:
        answers = stages.run("earlier answers", lambda: Answers(batch, work, desk.books, revise=False), count)
        fresh = answers.fresh
        registry = stages.run("register", lambda: work.registry([one.event for one in fresh]), count)
        world = World(registry, desk.books.documents(registry.version), answers.targets)
        needs = stages.run("(core: read)", lambda: world.needs(fresh), count)
        locked = stages.run("lock", lambda: work.lock(needs, len(fresh)), count)
        world.load(locked.totals, shared.begin(locked.avail))
        writing = _Writing(desk, world, shared, registry.version, len(fresh))
        places = list(enumerate(fresh, start=locked.first_position))
        outcomes = stages.run(
            "(core: decide to row)", lambda: [writing.decide(one, position, None) for position, one in places], count
        )
        _post(work, writing.posting(), stages, count)
        stages.run("commit", work.commit, count)
        for one, outcome in zip(fresh, outcomes, strict=True):
            answers.add(one, outcome)
        stages.run("answers in order", answers.in_order, count)
    finally:
        work.__exit__(None, None, None)


def _post(work: storage.PostgresWork, posting: Posting, stages: Stages, count: int) -> None:
    """As `PostgresWork.post`."""
    rows, known = posting.rows, (work._accounts, work._pot_numbers)
    stages.run("may it be written", lambda: ensure_writable(posting, work._grip), count)
    stages.run("totals", lambda: work._change_totals(posting.deltas), count)
    patients, bodies = stages.run("compress and seal", lambda: work._sealed(rows), count)
    work._written = patients, rows
    stream = stages.run("pack for COPY", lambda: copy_of_journal(work.tenant, rows, bodies, patients, *known), count)
    stages.run("COPY", lambda: work._copy("copy_journal", stream), count)
    stages.run("accounts", work._add_accounts, count)
    stages.run("pots and outbox", lambda: work._move_pots(posting), count)
    stages.run("work queue", lambda: work._update_queue(rows), count)
    work._whole = True


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*(given + [2_000, 20_000][len(given) :]))
