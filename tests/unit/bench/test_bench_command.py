"""What `drachm bench` refuses before it measures anything for minutes."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from drachm.cli.bench import bench


@pytest.mark.parametrize(
    "words",
    [
        ["growth", "--sizes", ""], ["growth", "--sizes", "0"], ["growth", "--sizes", "-5,100"],
        ["growth", "--sizes", "many"], ["latency", "--rates", "nan"], ["latency", "--rates", "100,inf"],
        ["latency", "--rates", "-1"], ["engine", "--svg", "no-such-folder/chart.svg"], ["engine", "--svg", "."],
        ["engine", "--svg", "chart.md"],
    ],
)  # fmt: skip
def test_what_cannot_be_measured_or_drawn_is_refused_at_once(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for scenario in ("growth", "latency", "engine"):
        monkeypatch.setattr(f"drachm.bench.scenarios.{scenario}", lambda *_: pytest.fail("it measures"))
    answer = CliRunner().invoke(bench, words)
    assert answer.exit_code == 2, answer.output
    assert "expected" in answer.output
