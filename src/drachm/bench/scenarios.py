"""Which questions does the benchmark answer? One function each; all of them end with the keys of `report`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from drachm.bench.load import SKEWED
from drachm.bench.open_loop import Offer
from drachm.bench.options import Options
from drachm.bench.pockets import FAMILY
from drachm.bench.report import SAMPLE_ROWS, Figures, figures_of, percentile, report_of
from drachm.bench.rounds import Arm, Round, Rounds, Tell, alternate, run_round
from drachm.bench.stage import Town, fill, live_task, move_in, set_up
from drachm.bench.world import BASE_PAYERS
from drachm.bench.writer import Task
from drachm.domain.errors import InvalidMessage
from drachm.domain.funding.allotment import open_fund

LOADS: Final = (0.25, 0.5, 0.75, 0.9, 1.1)
"""Offered loads as parts of what the closed loop reached: the last one is more than can be served."""
QUEUE_SECONDS: Final = 1
"""The queue holds what the closed loop clears in this time; what comes beyond is dropped."""


def engine(options: Options, tell: Tell) -> Figures:
    """How fast are events cleared as they come in?"""
    with set_up(options.checked(), tell) as stage, move_in(stage) as town:
        rounds = alternate([town.arm("live", live_task(options))], options.rounds, stage.pgbench, tell)
        return report_of("engine", stage, rounds, "live", town)


def replay(options: Options, tell: Tell) -> Figures:
    """How fast is recorded care replayed in bulk?"""
    with set_up(options.checked(), tell) as stage, move_in(stage) as town:
        task = Task(options.events, batch=options.batch, path="replay")
        rounds = alternate([town.arm("replay", task)], options.rounds, stage.pgbench, tell)
        return report_of("replay", stage, rounds, "replay", town)


def skew(options: Options, tell: Tell) -> Figures:
    """What does it cost when a few families have most of the events?"""
    with set_up(options.checked(), tell) as stage, move_in(stage) as town:
        even = live_task(options)
        arms = [town.arm("spread", even), town.arm("skewed", replace(even, shape=SKEWED))]
        rounds = alternate(arms, options.rounds, stage.pgbench, tell)
        report = report_of("skew", stage, rounds, "skewed", town)
        return {**report, "compared": compared(rounds, "skewed", "spread")}


def hot(options: Options, tell: Tell) -> Figures:
    """What does it cost when every event touches one payer instead of one of twenty, or one fund with a limit?"""
    spread_payers = tuple(f"base{number}" for number in range(BASE_PAYERS))
    fund = open_fund("bench-fund", "USD")
    with (
        set_up(options.checked(), tell) as stage,
        move_in(stage, tenant=1, currency="USD", base=spread_payers) as spread,
        move_in(stage, tenant=2, currency="USD", base=("base",)) as hot_town,
        move_in(stage, tenant=3, currency="USD", base=spread_payers, fund=fund) as fund_town,
    ):
        task = live_task(options)
        towns = {"spread": spread, "hot": hot_town, "fund": fund_town}
        arms = [town.arm(name, task) for name, town in towns.items()]
        rounds = alternate(arms, options.rounds, stage.pgbench, tell)
        return {
            **report_of("hot", stage, rounds, "hot", hot_town),
            "compared": compared(rounds, "hot", "spread"),
            "hot_payer_share": touched_share(hot_town, "payer_receivable", "base"),
            "limited_fund": {
                **compared(rounds, "fund", "spread"),
                "fund_share": touched_share(fund_town, "wallet", f"{fund.id}/"),
            },
        }


def pockets(options: Options, tell: Tell) -> Figures:
    """What does it cost when half of the families have every kind of pocket?"""
    fund = open_fund("bench-fund", "USD")
    with (
        set_up(options.checked(), tell) as stage,
        move_in(stage, tenant=1, currency="USD") as plain,
        move_in(stage, tenant=2, currency="USD", fund=fund, pockets=True) as rich,
    ):
        task = live_task(options)
        arms = [plain.arm("plain", task), rich.arm("pockets", task)]
        rounds = alternate(arms, options.rounds, stage.pgbench, tell)
        return {
            **report_of("pockets", stage, rounds, "pockets", rich),
            "compared": compared(rounds, "pockets", "plain"),
            "family_share": touched_share(rich, "wallet", FAMILY),
            "fund_share": touched_share(rich, "wallet", f"{fund.id}/"),
        }


def growth(options: Options, tell: Tell, sizes: Sequence[int]) -> Figures:
    """What becomes of speed as the tables grow? One point for each number of journal rows."""
    wanted = sorted(set(sizes))
    if not wanted or wanted[0] < 0:
        raise InvalidMessage("sizes are numbers of journal rows", where="--sizes")
    with set_up(options.checked(), tell) as stage, move_in(stage) as town:
        arm = town.arm("live", live_task(options))
        points: list[tuple[int, Rounds]] = []
        for size in wanted:
            fill(town, size - town.probe.rows(), options, tell)
            tell(f"measuring at {town.probe.rows():,} rows")
            points.append((size, alternate([arm], options.rounds, stage.pgbench, tell)))
        everything = Rounds(
            tuple(one for _, part in points for one in part.all), tuple(one for _, part in points for one in part.kept)
        )
        report = report_of("growth", stage, everything, "live", town)
        # The figures at the top are those of the largest tables.
        last = figures_of(points[-1][1].kept)
        measured = _points(points)
        return {
            **report,
            **last,
            "books_ok": report["books_ok"],
            "rows_in_tables": measured[-1]["rows"] if measured else 0,
            "points": measured,
            "cpu_growth": _over(_cpu(measured[-1]), _cpu(measured[0])) if measured else None,
        }


def latency(options: Options, tell: Tell, *, rates: Sequence[float], seconds: float) -> Figures:
    """How long do events wait when they come at their own pace? One point for each offered load."""
    with set_up(options.checked(), tell) as stage, move_in(stage) as town:
        arm = town.arm("live", live_task(options))
        rounds = alternate([arm], options.rounds, stage.pgbench, tell)
        report = report_of("latency", stage, rounds, "live", town)
        closed = figures_of(rounds.kept or rounds.all)["events_per_second"]
        offered = list(rates) or [closed * part for part in LOADS]
        queue = max(options.batch, int(closed * QUEUE_SECONDS))
        points = [(rate, _offered(arm, Offer(rate, queue=queue, seed=options.seed), seconds, tell)) for rate in offered]
        found = [problem for _, one in points for problem in one.problems]
        return {
            **report,
            "books_ok": report["books_ok"] and not found,
            "problems": [*report["problems"], *found][:10],
            "loads": [_load(rate, one) for rate, one in points],
        }


def compared(rounds: Rounds, ours: str, other: str) -> Figures:
    """The medians of one arm over those of another: below 1 is slower, or less time."""
    mine, beside = figures_of(rounds.of(ours)), figures_of(rounds.of(other))
    keys = ("events_per_second", "python_us", "postgres_us", "wal_bytes", "commit_ms_p50", "commit_ms_p99")
    return {
        "with": other,
        "throughput_ratio": _over(mine["events_per_second"], beside["events_per_second"]),
        "cpu_ratio": _over(_cpu(mine), _cpu(beside)),
        **{key: beside[key] for key in keys},
    }


def touched_share(town: Town, kind: str, owner: str) -> float:
    """Of the newest posted charges, those with an entry of this account kind whose owner begins so."""
    touched = charges = 0
    for row, written in town.desk.books.rows(after=max(0, town.probe.newest() - SAMPLE_ROWS)):
        if row.status == "posted" and row.kind.name == "CHARGE":
            charges += 1
            accounts = [entry.account for entry in written.entries]
            touched += any(account.kind == kind and account.owner.startswith(owner) for account in accounts)
    return round(touched / (charges or 1), 3)


def _offered(arm: Arm, offer: Offer, seconds: float, tell: Tell) -> Round:
    events = max(1, int(offer.rate * seconds))
    one = run_round(replace(arm, name="open", task=replace(arm.task, events=events, path="open", offer=offer)))
    said = _load(offer.rate, one)
    waits = f"p50 {said['wait_ms_p50']} ms, p99 {said['wait_ms_p99']} ms"
    tell(f"offered {offer.rate:,.0f}/s: {waits}, {said['dropped']} dropped")
    return one


def _load(rate: float, one: Round) -> Figures:
    waits = sorted(wait for served in one.served for wait in served.waits)
    return {
        "offered_per_second": round(rate, 1),
        "served_per_second": round(one.rate, 1),
        "arrivals": sum(served.arrivals for served in one.served),
        "served": len(waits),
        "dropped": sum(served.dropped for served in one.served),
        "duplicates": one.duplicates,
        "wait_ms_p50": percentile(waits, 50, 1_000),
        "wait_ms_p99": percentile(waits, 99, 1_000),
        "wait_ms_max": percentile(waits, 100, 1_000),
        "queue_most": max((served.queue_most for served in one.served), default=0),
        "batch_mean": round(len(waits) / (len(one.batch_seconds) or 1), 1),
        "python_us": round(one.cost.python / one.events, 1) if one.events else None,
        "postgres_us": round(one.cost.postgres / one.events, 1) if one.events else None,
        "books_ok": not one.problems,
    }


def _points(points: Sequence[tuple[int, Rounds]]) -> list[Figures]:
    return [
        {"rows_wanted": size, "rows": part.kept[0].rows, **figures_of(part.kept)} for size, part in points if part.kept
    ]


def _cpu(figures: Figures) -> float | None:
    if figures["python_us"] is None:
        return None
    return float(figures["python_us"] + figures["postgres_us"])


def _over(value: Any, beside: Any) -> float | None:
    return round(value / beside, 3) if value and beside else None
