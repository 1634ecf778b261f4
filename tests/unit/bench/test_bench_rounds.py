"""Rounds: pgbench in turn, disturbed rounds repeated, medians and ratios as the method says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from drachm.bench import rounds as rounds_of_bench
from drachm.bench.measure import Cost
from drachm.bench.options import Options
from drachm.bench.report import NO_ROUND, figures_of, percentile, report_of, text_of
from drachm.bench.rounds import Round, alternate, kept_of
from drachm.bench.scenarios import compared

COST = Cost(
    python=10_000,
    postgres=5_000,
    server_other=100,
    wal=80_000,
    wal_images=20_000,
    disk=50_000,
    disk_other=1_000,
    rows=95,
    tables={"journal.indexes": 10_000, "journal.rows": 40_000, "total.rows": 1_000},
)


def a_round(arm: str = "live", *, seconds: float = 1.0, pgbench: tuple[float, ...] = (), problems=()) -> Round:
    statuses = Counter(posted=90, pended=5)
    return Round(arm, 100, seconds, COST, (0.02, 0.04), statuses, 5, 1_000, problems, pgbench)


class Reference:
    """A pgbench whose answers are given."""

    def __init__(self, *rates: float) -> None:
        self._rates: Iterator[float] = iter(rates)
        self.runs = 0

    def run(self) -> float:
        self.runs += 1
        return next(self._rates)


@pytest.fixture
def arms(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(rounds_of_bench, "run_round", lambda arm: a_round(arm.name))
    return lambda *names: [SimpleNamespace(name=name) for name in names]


def test_pgbench_runs_before_and_after_each_round_and_the_ratio_is_over_their_mean(arms) -> None:
    reference = Reference(100, 200, 100)
    found = alternate(arms("live"), 2, reference, lambda _words: None)
    assert [one.pgbench for one in found.all] == [(100, 200), (200, 100)]
    assert [one.ratio for one in found.kept] == [pytest.approx(100 / 150)] * 2
    assert reference.runs == 3


def test_a_round_beside_a_pgbench_below_half_of_the_best_is_repeated(arms) -> None:
    """The slow run stands beside two rounds; both are run again."""
    reference = Reference(100, 100, 40, 100, 100, 100)
    found = alternate(arms("live"), 3, reference, lambda _words: None)
    assert len(found.all) == 5
    assert len(found.kept) == 3
    assert found.repeated == 2
    assert all(min(one.pgbench) >= 50 for one in found.kept)


def test_a_late_best_makes_earlier_rounds_bad(arms) -> None:
    slow, fast = a_round(pgbench=(100, 100)), a_round(pgbench=(100, 300))
    assert kept_of([slow, slow]) == [slow, slow]
    assert kept_of([slow, slow, fast]) == []
    assert kept_of([slow, a_round(pgbench=(200, 180))])[0].pgbench == (100, 100)


def test_repeating_ends(arms) -> None:
    found = alternate(arms("live"), 2, Reference(*[10, 1_000] * 9), lambda _words: None)
    assert (len(found.all), len(found.kept)) == (4, 0)


def test_arms_take_turns(arms) -> None:
    found = alternate(arms("spread", "hot"), 2, None, lambda _words: None)
    assert [one.arm for one in found.all] == ["spread", "hot", "spread", "hot"]
    assert all(one.ratio == 0 for one in found.all)


def test_figures_are_medians_per_event() -> None:
    found = figures_of([a_round(seconds=s, pgbench=(50, 50)) for s in (1.0, 4.0, 2.0)])
    assert found["events_per_second"] == 50
    assert (found["ratio_min"], found["ratio_median"], found["ratio_max"]) == (0.5, 1.0, 2.0)
    assert (found["python_us"], found["postgres_us"], found["server_other_us"]) == (100, 50, 1)
    assert (found["wal_bytes"], found["wal_bytes_with_images"]) == (800, 1_000)
    assert (found["disk_bytes"], found["disk_bytes_other"]) == (500, 10)
    assert found["disk_tables"] == {"journal.indexes": 100, "journal.rows": 400, "total.rows": 10}
    assert (found["commit_ms_p50"], found["commit_ms_p99"]) == (20, 40)
    assert found["books_ok"] is True


def test_one_disagreement_makes_the_books_not_ok() -> None:
    assert figures_of([a_round(), a_round(problems=("pot a says 1, its entries say 2",))])["books_ok"] is False
    assert figures_of([])["books_ok"] is False


def test_without_pgbench_there_is_no_ratio() -> None:
    found = figures_of([a_round()])
    assert found["ratio_median"] is found["pgbench_tps"] is None


def test_what_was_answered_as_written_must_be_in_the_journal() -> None:
    assert rounds_of_bench._uncounted(Counter(posted=90, pended=5), COST) == []
    assert rounds_of_bench._uncounted(Counter(posted=91, pended=5), COST) == [
        "96 outcomes were answered as written, 95 rows were"
    ]


def test_one_arm_is_compared_with_another() -> None:
    every = (a_round("spread", seconds=1.0), a_round("hot", seconds=1.25))
    found = compared(rounds_of_bench.Rounds(every, every), "hot", "spread")
    assert (found["throughput_ratio"], found["cpu_ratio"]) == (0.8, 1.0)


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([], 50, None), ([3.0], 99, 3.0), ([1.0, 2.0, 3.0, 4.0], 50, 2.0), (list(range(1, 101)), 99, 99)],
)
def test_percentiles_are_by_nearest_rank(values, percent, expected) -> None:
    assert percentile(values, percent) == expected


def test_the_text_names_what_went_wrong() -> None:
    report = {"command": "engine", **figures_of([a_round(problems=("x",))]), "problems": ["entries in USD sum to 3"]}
    assert "entries in USD sum to 3" in text_of(report)
    assert "False" in text_of(report)


@pytest.mark.parametrize(("compiled", "words"), [(True, "compiled to machine code"), (False, "not compiled")])
def test_the_text_says_which_form_of_the_core_ran_and_what_each_table_took(compiled: bool, words: str) -> None:
    report = {"command": "engine", **figures_of([a_round()]), "machine": {"compiled": compiled, "cores": 2}}
    assert words in text_of(report)
    assert "journal.rows 400.0" in text_of(report)


def test_a_run_in_which_no_round_counts_says_so_and_keeps_its_books() -> None:
    """The books agreed; what is missing are figures."""
    every = (a_round(pgbench=(100, 300)), a_round(pgbench=(300, 100)))
    options, machine = Options(), SimpleNamespace(as_object=lambda: {"compiled": True, "cores": 2})
    books = SimpleNamespace(rows=lambda after: iter(()))
    town = SimpleNamespace(
        desk=SimpleNamespace(books=books),
        probe=SimpleNamespace(newest=lambda: 0),
        world=SimpleNamespace(prices=SimpleNamespace(source="generated")),
    )
    stage = SimpleNamespace(options=options, machine=machine, pgbench=None)
    report = report_of("engine", stage, rounds_of_bench.Rounds(every, tuple(kept_of(every))), "live", town)
    assert (report["rounds"], report["rounds_repeated"], report["books_ok"]) == (0, 2, True)
    assert report["notes"] == [NO_ROUND]
    assert NO_ROUND in text_of(report)
