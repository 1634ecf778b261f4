"""How soon do the pages of the desk answer when one clinic has very many charges?

Real ones: a town's care of a year, cleared by the engine in bulk, all of it billed by one clinic; then the readers'
index, the index of entries and the figures follow it to its end. `drachm serve` answers, one visitor asks, one page at
a time: a person at a desk waits for a page, not for a thousand others.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import psycopg

from drachm.application.desk import Desk
from drachm.application.people import PROFILE, profile_terms
from drachm.application.records import Record
from drachm.bench.crew import Crew
from drachm.bench.desk_pages import Visited, pages_of, visit
from drachm.bench.http_service import Served, serving
from drachm.bench.load import MIX
from drachm.bench.measure import Probe, process_time, server_time
from drachm.bench.options import Options
from drachm.bench.report import Figures, percentile
from drachm.bench.rounds import Tell
from drachm.bench.settle import settle
from drachm.bench.stage import DATABASE, Stage, Town, fill, set_up
from drachm.bench.world import World, make_world
from drachm.bootstrap import SystemClock, SystemIds, read_settings, samples
from drachm.service.people import person_token
from drachm.service.together import market_of
from drachm.storage.postgres import open_books

CURRENCY: Final = "USD"
CHARGES_A_FAMILY: Final = 700
"""A family of three or four with two small charges a day, for a year."""
PIECE: Final = 2_000
NAMES_AT_ONCE: Final = 500
_GIVEN: Final = (
    "Ada",
    "Ben",
    "Cleo",
    "Dan",
    "Eva",
    "Finn",
    "Gita",
    "Hugo",
    "Ines",
    "Jon",
    "Kira",
    "Liu",
    "Mei",
    "Nora",
)
_FAMILY: Final = (
    "Amsel",
    "Birk",
    "Castro",
    "Dorn",
    "Ekwe",
    "Fuchs",
    "Garcia",
    "Huang",
    "Ivanov",
    "Jansen",
    "Kim",
    "Lopez",
)


@dataclass(frozen=True, slots=True)
class Behind:
    """One clinic with all of it behind it."""

    stage: Stage
    world: World
    clinic: str


def desk(charges: int, repeats: int, tell: Tell, *, families: int = 0, writers: int = 2, seed: int = 1) -> Figures:
    """Fill the books, follow, serve, visit: the report."""
    events = charges * sum(MIX.values()) // (MIX["charge"] - MIX["unknown_code"] - MIX["unknown_member"])
    families = families or max(64, charges // CHARGES_A_FAMILY)
    options = Options(families, events, 1, writers, seed=seed, pgbench_seconds=0).checked()
    with set_up(options, tell) as stage:
        behind = settled(stage, tell)
        with serving(stage, replace(options, writers=1)) as served:
            tell("visiting the pages")
            token, kinds = token_of(stage, served, behind.clinic), pages_of(behind.clinic, days_of(stage))
            visited = visit(served.port, token, kinds, repeats, partial(_spent, served, stage.server.postmaster))
        return {**_counted(stage), **_said(visited), "repeats": repeats, "machine": stage.machine.as_object()}


def settled(stage: Stage, tell: Tell) -> Behind:
    """The town, its care cleared, and every reader's index at the end of the journal."""
    options = stage.options
    world = make_world(
        options.seed, options.families, samples=samples(), shared=read_settings().shared, currency=CURRENCY
    )
    clinic = f"{CURRENCY.lower()}-provider-0"
    world = replace(world, providers={CURRENCY: (clinic,)})
    with ExitStack() as held:
        books = held.enter_context(open_books(stage.url, 1, master_key=stage.master_key, ids=SystemIds()))
        town_desk = Desk(books, SystemClock(), SystemIds())
        settle(world, town_desk, tell)
        market = market_of(town_desk, books, stage.master_key)
        _name(world, market.records.put, options.seed)
        _tidy(stage)
        crew = Crew(world, stage.url, tenant=1, master_key=stage.master_key, writers=options.writers)
        with crew, Probe(stage.server, DATABASE) as probe:
            fill(Town(world, town_desk, crew, probe), options.events, options, tell)
        _tidy(stage)
        _follow("the readers' index", market.index.follow, tell)
        _follow("the index of entries", lambda _: market.money.catch_up(), tell)
        _tidy(stage)
        _follow("the figures", market.figures.follow, tell)
        _tidy(stage)
    return Behind(stage, world, clinic)


def token_of(stage: Stage, served: Served, clinic: str) -> str:
    """Whoever may see every page of the desk, of this clinic."""
    here = replace(
        read_settings(),
        environment="sandbox",
        database_url=stage.url,
        master_key=stage.master_key,
        data_dir=served.folder,
    )
    roles = ("clerk", "finance", "price_editor")
    return person_token(here, tenant=1, name="Noor", roles=roles, parties=[clinic])


def text_of(report: Figures) -> str:
    """The report for people."""
    head = f"drachm bench desk: {report['charges']:,} charges of one clinic, {report['waiting']:,} events wait"
    lines = [head, "", f"  {'page':<44}{'asked':>6}{'p50 ms':>9}{'p95 ms':>9}{'max ms':>9}{'CPU ms':>9}"]
    lines += [
        f"  {one['page']:<44}{one['asked']:>6}{one['p50_ms']:>9.0f}{one['p95_ms']:>9.0f}{one['max_ms']:>9.0f}"
        f"{one['processor_ms']:>9.0f}"
        for one in report["pages"]
        if one["asked"]
    ]
    return "\n".join(lines)


def _name(world: World, put: Callable[[list[Record]], object], seed: int) -> None:
    """Names for everybody, as a clinic knows its patients."""
    chance, records = random.Random(f"{seed}/names"), []
    for person in world.people(0, world.families):
        name = {"given": chance.choice(_GIVEN), "family": f"{chance.choice(_FAMILY)}{person.member.family[1:]}"}
        body = {"name": name}
        member = person.member.id
        records.append(Record(PROFILE, member, body, members=frozenset({member}), terms=profile_terms(body)))
    for first in range(0, len(records), NAMES_AT_ONCE):
        put(records[first : first + NAMES_AT_ONCE])


def _follow(what: str, follow: Callable[[int], int], tell: Tell) -> None:
    began, done = time.monotonic(), 0
    while found := follow(PIECE):
        done += found
        if done % (20 * PIECE) < PIECE:
            tell(f"{what}: {done:,} rows, {done / (time.monotonic() - began):,.0f} a second")
    tell(f"{what}: {done:,} rows in {time.monotonic() - began:,.0f} seconds")


def _tidy(stage: Stage) -> None:
    """As autovacuum would have done by the end of the day."""
    with psycopg.connect(stage.url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")


def _spent(served: Served, postmaster: int) -> int:
    return server_time(postmaster) + sum(process_time(one) or 0 for one in served.workers)


def days_of(stage: Stage) -> list[str]:
    """Days on which there was care."""
    with psycopg.connect(stage.url, autocommit=True) as connection:
        rows = connection.execute("SELECT DISTINCT day::text FROM journal_index WHERE kind = 1 AND now < 2 ORDER BY 1")
        return [day for (day,) in rows]


def _counted(stage: Stage) -> Figures:
    with psycopg.connect(stage.url, autocommit=True) as connection:
        row = connection.execute(
            "SELECT count(*) FILTER (WHERE revision = 0 AND kind IN (1, 3) AND now < 2), count(*),"
            " (SELECT count(*) FROM work_queue), (SELECT pg_database_size(current_database())) FROM journal_index"
        ).fetchone()
    assert row is not None
    return {"command": "desk", "charges": row[0], "rows": row[1], "waiting": row[2], "database_bytes": row[3]}


def _said(visited: list[Visited]) -> Figures:
    pages: list[Figures] = []
    for one in visited:
        waits = sorted(one.seconds)
        found = {
            f"{name}_ms": percentile(waits, rank, 1_000) for name, rank in (("p50", 50), ("p95", 95), ("max", 100))
        }
        each = round(one.processor_us / len(waits) / 1_000, 1) if waits else None
        pages.append({"page": one.page, "asked": len(waits), **found, "processor_ms": each, "bytes": one.largest})
    return {"pages": pages}
