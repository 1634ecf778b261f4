"""How fast, and how soon, does the service answer over HTTP, beside pgbench on the same server?"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final, cast

from drachm.bench.http_load import BUSY, CUT
from drachm.bench.http_service import HttpCrew, open_service
from drachm.bench.open_loop import Offer
from drachm.bench.options import Options
from drachm.bench.report import Figures, figures_of, percentile, report_of
from drachm.bench.rounds import Tell, alternate, run_round
from drachm.bench.stage import Stage, Town, set_up
from drachm.bench.writer import Task
from drachm.bootstrap import SystemClock, SystemIds
from drachm.domain.errors import Unavailable
from drachm.storage.figures import open_figures
from drachm.storage.postgres import PostgresBooks

HALF: Final = 0.5
BULK: Final = 1_000
FLOOD_CALLERS: Final = 24
"""Callers that each send bulk after bulk without a pause: several times what can be cleared."""
FLOOD_SECONDS: Final = 5
FOLLOW_SECONDS: Final = 300
QUEUE: Final = 100_000
"""What an open loop may hold back on the callers' side; nothing is dropped at half load."""


def http(options: Options, tell: Tell, *, seconds: float) -> Figures:
    """Single calls and bulks in turn beside pgbench; then waits at half load, while lists and figures still
    follow what the bulks brought and when they have; then more than can be served."""
    single = Task(options.events, batch=1)
    bulk = Task(max(BULK, options.events * 4), batch=BULK)
    with set_up(options.checked(), tell) as stage, open_service(stage, single) as (town, crew):
        arms = [town.arm("single", single), town.arm("bulk", bulk)]
        rounds = alternate(arms, options.rounds, stage.pgbench, tell)
        report = report_of("http", stage, rounds, "single", town)
        kept = rounds.of("single") or rounds.all
        rate = figures_of([one for one in kept if one.arm == "single"])["events_per_second"]
        offer = Offer(rate * HALF, queue=QUEUE, seed=options.seed)
        rows = _behind(stage, town)
        late, worse = _half_load(town, single, offer, seconds, f"{rows:,} rows behind", tell)
        _wait_for(stage, town)
        half, problems = _half_load(town, single, replace(offer, seed=offer.seed + 1), seconds, "nothing behind", tell)
        return {
            **report,
            "books_ok": report["books_ok"] and not problems and not worse,
            "problems": [*report["problems"], *worse, *problems][:10],
            "workers": options.writers,
            "bulk": figures_of(rounds.of("bulk")),
            "half_load": half,
            "half_load_behind": {**late, "rows_behind": rows},
            "too_much": _too_much(crew, figures_of(rounds.of("bulk") or rounds.all)["events_per_second"], tell),
        }


def _behind(stage: Stage, town: Town) -> int:
    """How many rows lists and figures have still to follow."""
    figures = open_figures(cast(PostgresBooks, town.desk.books), stage.master_key, SystemIds())
    now = SystemClock().now()
    return figures.overview(None, now.date(), now.date(), now.date(), now).behind


def _wait_for(stage: Stage, town: Town) -> None:
    """Until lists and figures are where the journal is, as they are in a service that is not asked too much."""
    until = time.monotonic() + FOLLOW_SECONDS
    while _behind(stage, town):
        if time.monotonic() > until:
            raise Unavailable("lists and figures do not follow", where="bench", next_step="Read the service's log.")
        time.sleep(0.2)


def _half_load(
    town: Town, task: Task, offer: Offer, seconds: float, words: str, tell: Tell
) -> tuple[Figures, tuple[str, ...]]:
    one = run_round(town.arm("open", replace(task, events=max(1, int(offer.rate * seconds)), offer=offer)))
    waits = sorted(wait for served in one.served for wait in served.waits)
    found: Figures = {
        "offered_per_second": round(offer.rate, 1),
        "served_per_second": round(one.rate, 1),
        "arrivals": sum(served.arrivals for served in one.served),
        "dropped": sum(served.dropped for served in one.served),
        "wait_ms_p50": percentile(waits, 50, 1_000),
        "wait_ms_p99": percentile(waits, 99, 1_000),
        "wait_ms_max": percentile(waits, 100, 1_000),
    }
    tell(f"half load, {offer.rate:,.0f}/s, {words}: p50 {found['wait_ms_p50']} ms, p99 {found['wait_ms_p99']} ms")
    return found, one.problems


def _too_much(crew: HttpCrew, rate: float, tell: Tell) -> Figures:
    """Bulks from many callers at once; beside them somebody makes one small call at a time."""
    bulks = max(FLOOD_CALLERS, int(rate * FLOOD_SECONDS) // BULK)
    crew.make_ready(Task(bulks * BULK, batch=BULK))
    heard = crew.flood(FLOOD_CALLERS)
    refused = sorted(heard.busy_seconds)
    beside = sorted(seconds for status, seconds in heard.probed if status == BUSY)
    found: Figures = {
        "callers": FLOOD_CALLERS,
        "bulks_served": len(heard.bodies),
        "bulks_refused": heard.statuses[BUSY],
        "events_per_second": round(len(heard.bodies) * BULK / (heard.ended - heard.started), 1),
        "cut_off": heard.statuses[CUT],
        "refusal_ms_p50": percentile(refused, 50, 1_000),
        "refusal_ms_p99": percentile(refused, 99, 1_000),
        "small_calls": len(heard.probed),
        "small_calls_refused": len(beside),
        "small_refusal_ms_p99": percentile(beside, 99, 1_000),
    }
    tell(
        f"too much: {found['bulks_refused']} bulks refused, p99 {found['refusal_ms_p99']} ms; "
        f"{found['small_calls_refused']} small calls, p99 {found['small_refusal_ms_p99']} ms"
    )
    return found
