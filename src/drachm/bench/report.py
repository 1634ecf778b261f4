"""What does a run say, in stable keys and in words? docs/reference/bench.md lists the keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any, Final

from drachm.application.ports import Books
from drachm.bench.options import Options
from drachm.bench.rounds import Round, Rounds
from drachm.bench.stage import Stage, Town

SAMPLE_ROWS: Final = 4_000
"""Newest journal rows that are read back to say what the traffic was like."""

NO_ROUND: Final = (
    "no round counts: pgbench beside them swung by more than half; run again with more rounds, or when the machine is"
    " less busy"
)

Figures = dict[str, Any]


def figures_of(rounds: Sequence[Round]) -> Figures:
    """The medians of some rounds; times in microseconds an event, sizes in bytes an event."""
    ratios = [one.ratio for one in rounds if one.pgbench]
    batches = sorted(seconds for one in rounds for seconds in one.batch_seconds)
    return {
        "ratio_median": _rounded(median(ratios), 3) if ratios else None,
        "ratio_min": _rounded(min(ratios), 3) if ratios else None,
        "ratio_max": _rounded(max(ratios), 3) if ratios else None,
        "events_per_second": _middle(rounds, lambda one: one.rate),
        "pgbench_tps": _middle(rounds, lambda one: one.reference) if ratios else None,
        "python_us": _each(rounds, "python"),
        "postgres_us": _each(rounds, "postgres"),
        "server_other_us": _each(rounds, "server_other"),
        "wal_bytes": _each(rounds, "wal"),
        "wal_bytes_with_images": _middle(rounds, lambda one: (one.cost.wal + one.cost.wal_images) / one.events),
        "disk_bytes": _each(rounds, "disk"),
        "disk_bytes_other": _each(rounds, "disk_other"),
        "disk_tables": _tables(rounds),
        "commit_ms_p50": percentile(batches, 50, 1_000),
        "commit_ms_p99": percentile(batches, 99, 1_000),
        "rounds": len(rounds),
        "books_ok": bool(rounds) and not any(one.problems for one in rounds),
    }


def report_of(command: str, stage: Stage, rounds: Rounds, arm: str, town: Town) -> Figures:
    """The whole report of a run whose main arm is `arm`."""
    figures = figures_of(rounds.of(arm))
    problems = [problem for one in rounds.all for problem in one.problems]
    return {
        "command": command,
        **_options(stage.options),
        **figures,
        "rounds_repeated": rounds.repeated,
        "books_ok": bool(rounds.all) and not problems,
        "problems": problems[:10],
        "notes": [] if rounds.of(arm) else [NO_ROUND],
        "rows_in_tables": rounds.of(arm)[0].rows if rounds.of(arm) else 0,
        "outcomes": outcomes_of(rounds.of(arm)),
        "traffic": traffic_of(town.desk.books, town.probe.newest()),
        "price_book": town.world.prices.source,
        "pgbench": stage.pgbench.words if stage.pgbench else None,
        "machine": stage.machine.as_object(),
        "every_round": [round_object(one, one in rounds.kept) for one in rounds.all],
    }


def round_object(one: Round, kept: bool) -> Figures:
    """One round as it was."""
    return {
        "arm": one.arm,
        "kept": kept,
        "rows_before": one.rows,
        "events": one.events,
        "seconds": _rounded(one.seconds, 3),
        "events_per_second": _rounded(one.rate),
        "pgbench_tps": [_rounded(rate) for rate in one.pgbench],
        "ratio": _rounded(one.ratio, 3) if one.pgbench else None,
        **{f"{name}_us": _rounded(getattr(one.cost, name) / one.events) for name in _TIMES},
        "wal_bytes": _rounded(one.cost.wal / one.events),
        "wal_bytes_with_images": _rounded((one.cost.wal + one.cost.wal_images) / one.events),
        "disk_bytes": _rounded(one.cost.disk / one.events),
        "commit_ms_p50": percentile(sorted(one.batch_seconds), 50, 1_000),
        "commit_ms_p99": percentile(sorted(one.batch_seconds), 99, 1_000),
        "books_ok": not one.problems,
    }


_TIMES: Final = ("python", "postgres", "server_other")


def outcomes_of(rounds: Iterable[Round]) -> dict[str, int]:
    """How many events came out how."""
    sums: Counter[str] = Counter()
    for one in rounds:
        sums.update(one.statuses)
        sums["duplicates"] += one.duplicates
    return dict(sorted(sums.items()))


def traffic_of(books: Books, newest: int) -> Figures:
    """What the newest charges were like, read back from the books."""
    payers: Counter[int] = Counter()
    pots: Counter[int] = Counter()
    entries = 0
    for row, written in books.rows(after=max(0, newest - SAMPLE_ROWS)):
        if row.status != "posted" or row.kind.name != "CHARGE":
            continue
        kinds = [(entry.account.kind, entry.account.owner) for entry in written.entries]
        payers[len({owner for kind, owner in kinds if kind == "payer_receivable"})] += 1
        pots[sum(kind == "wallet" for kind, _ in kinds)] += 1
        entries += len(kinds)
    charges = payers.total() or 1
    return {
        "charges_read": payers.total(),
        "two_payer_share": _rounded(sum(n for count, n in payers.items() if count > 1) / charges, 3),
        "several_pots_share": _rounded(sum(n for count, n in pots.items() if count > 1) / charges, 3),
        "entries_mean": _rounded(entries / charges, 2),
    }


def percentile(ordered: Sequence[float], percent: float, scale: float = 1.0) -> float | None:
    """The smallest value that `percent` of all do not exceed (nearest rank), times `scale`; None of nothing."""
    if not ordered:
        return None
    rank = max(1, -(-len(ordered) * percent // 100))
    return _rounded(ordered[int(rank) - 1] * scale, 2)


def text_of(report: Mapping[str, Any]) -> str:
    """The report for people."""
    lines = [f"drachm bench {report['command']}"]
    lines += [f"  {words:<46}{_shown(report.get(key))}" for key, words in _LINES if report.get(key) is not None]
    if report.get("disk_tables"):
        lines.append("  by table: " + ", ".join(f"{name} {size:,}" for name, size in report["disk_tables"].items()))
    if "machine" in report:
        lines.append(f"  {core_words(report['machine'])}, {report['machine']['cores']} cores")
    beside = report.get("compared")
    if beside:
        lines.append(
            f"  beside {beside['with']}: throughput x {beside['throughput_ratio']}, CPU x {beside['cpu_ratio']}"
        )
    for name, heads in _TABLES.items():
        if report.get(name):
            lines += ["", "  " + "".join(f"{head:>16}" for head in heads.values())]
            lines += ["  " + "".join(f"{_plain(row[key]):>16}" for key in heads) for row in report[name]]
    lines += [f"  {note}" for note in report.get("notes", ())]
    lines += [f"  books: {problem}" for problem in report.get("problems", ())]
    return "\n".join(lines)


def core_words(machine: Mapping[str, Any]) -> str:
    """Which form of the same sources was measured."""
    return "core compiled to machine code" if machine["compiled"] else "core run from its sources, not compiled"


_LINES: Final = (
    ("events_per_second", "events a second (median)"),
    ("pgbench_tps", "pgbench transactions a second (median)"),
    ("ratio_median", "ratio, median"),
    ("ratio_min", "ratio, least"),
    ("ratio_max", "ratio, most"),
    ("python_us", "CPU us an event, writers"),
    ("postgres_us", "CPU us an event, their PostgreSQL backends"),
    ("server_other_us", "CPU us an event, other server processes"),
    ("wal_bytes", "log bytes an event, without page images"),
    ("wal_bytes_with_images", "log bytes an event, with page images"),
    ("disk_bytes", "disk bytes an event, journal tables"),
    ("disk_bytes_other", "disk bytes an event, totals and accounts"),
    ("commit_ms_p50", "batch to commit, ms, p50"),
    ("commit_ms_p99", "batch to commit, ms, p99"),
    ("rows_in_tables", "journal rows before the measured rounds"),
    ("cpu_growth", "CPU at the most rows over that at the fewest"),
    ("hot_payer_share", "charges that touch the one payer"),
    ("family_share", "charges that a family's pot pays for"),
    ("fund_share", "charges that the shared fund pays for"),
    ("rounds", "rounds that count"),
    ("rounds_repeated", "rounds repeated"),
    ("books_ok", "books agree after every round"),
)


_TABLES: Final[Mapping[str, Mapping[str, str]]] = {
    "points": {
        "rows": "rows",
        "events_per_second": "events/s",
        "ratio_median": "ratio",
        "python_us": "Python us",
        "postgres_us": "PostgreSQL us",
        "wal_bytes": "log bytes",
        "disk_bytes": "disk bytes",
    },
    "loads": {
        "offered_per_second": "offered/s",
        "served_per_second": "served/s",
        "wait_ms_p50": "p50 ms",
        "wait_ms_p99": "p99 ms",
        "dropped": "dropped",
        "duplicates": "duplicates",
        "batch_mean": "mean batch",
    },
}


def _options(options: Options) -> Figures:
    return {**asdict(options), "input": "json" if options.from_json else "events"}


def _shown(value: Any) -> str:
    return f"{_plain(value):>14}"


def _plain(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _tables(rounds: Sequence[Round]) -> dict[str, float]:
    """Growth by table and part, in bytes an event over all rounds."""
    grown: Counter[str] = Counter()
    for one in rounds:
        grown.update(one.cost.tables)
    events = sum(one.events for one in rounds)
    return {name: _rounded(size / events) for name, size in sorted(grown.items())}


def _each(rounds: Sequence[Round], name: str) -> float | None:
    return _middle(rounds, lambda one: getattr(one.cost, name) / one.events)


def _middle(rounds: Sequence[Round], value: Any) -> float | None:
    return _rounded(median(value(one) for one in rounds)) if rounds else None


def _rounded(value: float, digits: int = 1) -> float:
    return round(value, digits)
