"""Where does a measurement take place? A throw-away server, the town enrolled in it, writers, and a look at it all."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Final

import psycopg

from drachm.application.desk import Desk
from drachm.bench.crew import Crew
from drachm.bench.machine import Machine, look_at_machine
from drachm.bench.measure import Probe
from drachm.bench.options import Options
from drachm.bench.pgbench import Pgbench, prepare_pgbench
from drachm.bench.rounds import Arm, Tell, warm_up
from drachm.bench.server import BenchServer, throw_away
from drachm.bench.settle import settle
from drachm.bench.world import World, make_world
from drachm.bench.writer import Task
from drachm.bootstrap import SystemClock, SystemIds, read_settings, samples
from drachm.domain.funding.model import Pot
from drachm.storage.postgres import open_books

DATABASE: Final = "drachm_bench"
FILL_AT_ONCE: Final = 100_000
FILL_BATCH: Final = 4_000


@dataclass(frozen=True, slots=True)
class Town:
    """A town in its books, with its writers ready."""

    world: World
    desk: Desk
    crew: Crew
    probe: Probe

    def arm(self, name: str, task: Task) -> Arm:
        return Arm(name, self.crew, self.probe, self.desk.books, task)


@dataclass(frozen=True, slots=True)
class Stage:
    """A running server with what is measured on it."""

    server: BenchServer
    pgbench: Pgbench | None
    machine: Machine
    options: Options
    tell: Tell
    url: str
    """Of the database of all towns; each is a tenant."""
    master_key: bytes


@contextmanager
def set_up(options: Options, tell: Tell) -> Iterator[Stage]:
    """The server, alone; everything is gone when the block ends."""
    with throw_away(read_settings().pg_major) as server:
        machine = look_at_machine(server.version)
        url = server.make_database(DATABASE, schema=True)
        pgbench = None
        if options.pgbench_seconds:
            tell(f"filling pgbench at scale {options.pgbench_scale}")
            pgbench = prepare_pgbench(server, options.pgbench_scale, options.pgbench_seconds)
        yield Stage(server, pgbench, machine, options, tell, url, secrets.token_bytes(32))


@contextmanager
def move_in(
    stage: Stage,
    *,
    tenant: int = 1,
    currency: str = "",
    base: tuple[str, ...] = (),
    fund: Pot | None = None,
    pockets: bool = False,
    task: Task | None = None,
) -> Iterator[Town]:
    """A town enrolled and funded as one tenant, its writers started and warm."""
    options, ids = stage.options, SystemIds()
    world = make_world(
        options.seed,
        options.families,
        samples=samples(),
        shared=read_settings().shared,
        currency=currency,
        base=base,
        fund=fund,
        pockets=pockets,
    )
    with ExitStack() as held:
        books = held.enter_context(open_books(stage.url, tenant, master_key=stage.master_key, ids=ids))
        desk = Desk(books, SystemClock(), ids)
        pots = settle(world, desk, stage.tell)
        with psycopg.connect(stage.url, autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")
            connection.execute("CHECKPOINT")
        crew = held.enter_context(
            Crew(world, stage.url, tenant=tenant, master_key=stage.master_key, writers=options.writers)
        )
        probe = held.enter_context(Probe(stage.server, DATABASE))
        town = Town(world, desk, crew, probe)
        stage.tell(f"{pots:,} pots opened; warming up {options.writers} writers")
        warm_up(town.arm("warm-up", task or live_task(options)))
        fill(town, options.fill, options, stage.tell)
        yield town


def live_task(options: Options) -> Task:
    """Clearing as it comes in."""
    return Task(options.events, batch=options.batch, from_json=options.from_json)


def fill(town: Town, events: int, options: Options, tell: Tell) -> None:
    """Clear this many events that nobody measures, by the same path as those that are."""
    task = replace(live_task(options), batch=max(options.batch, FILL_BATCH), from_json=False)
    started, done = time.monotonic(), 0
    while done < events:
        part = min(FILL_AT_ONCE, events - done)
        town.crew.make_ready(replace(task, events=part))
        town.crew.run()
        done += part
        rate = done / (time.monotonic() - started)
        tell(f"filled in {done:,} of {events:,} events, about {(events - done) / rate:,.0f} seconds to go")
