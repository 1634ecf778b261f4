"""The benchmark of the running service says everything that its page promises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from drachm.bench.http import http
from drachm.bench.options import Options

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "bench.md"


@pytest.mark.long
def test_a_small_run_counts_everything_and_leaves_agreeing_books() -> None:
    said: list[str] = []
    options = Options(families=200, events=300, rounds=1, writers=1, batch=1, from_json=True, pgbench_seconds=0)
    report = http(options, said.append, seconds=2)
    assert report["books_ok"], report["problems"]
    assert sum(report["outcomes"].values()) == 300
    assert report["bulk"]["events_per_second"] > 0
    assert report["half_load"]["arrivals"] > 0
    assert report["half_load"]["dropped"] == 0
    assert report["too_much"]["bulks_served"] >= 24
    # On a machine that does ten other things a sender may be too slow to be told.
    assert report["too_much"]["cut_off"] <= report["too_much"]["bulks_refused"] // 20
    documented = set(re.findall(r"`(?:half_load|too_much)\.(\w+)`", PAGE.read_text("utf-8")))
    assert set(report["half_load_behind"]) == {*report["half_load"], "rows_behind"}
    assert documented == set(report["half_load"]) | set(report["too_much"])
