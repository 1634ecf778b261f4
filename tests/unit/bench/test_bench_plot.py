"""Charts: well-formed, named, described, and told again as a table."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from drachm.bench.plot import Chart, Line, Panel, _scale, chart_of, svg_of, table_of, write_chart

SVG = "{http://www.w3.org/2000/svg}"
REPORT = {
    "command": "growth", "families": 1_000, "writers": 2, "batch": 500, "seed": 1, "books_ok": True,
    "machine": {"cores": 2, "cpu": "A <fast> & good one", "postgres": "18.4", "python": "3.11.7", "compiled": False},
    "points": [
        {"rows": 100_000, "events_per_second": 9_000.0, "pgbench_tps": 3_000.0, "python_us": 30.0, "postgres_us": 35.0},
        {"rows": 500_000, "events_per_second": 8_000.0, "pgbench_tps": 3_100.0, "python_us": 31.0, "postgres_us": 41.0},
    ],
}  # fmt: skip
LOADS = [
    {"offered_per_second": rate, "wait_ms_p50": rate / 100, "wait_ms_p99": rate / 10, "dropped": 0}
    for rate in (100.0, 200.0, 300.0)
]


def test_a_chart_is_named_and_described() -> None:
    root = ElementTree.fromstring(svg_of(chart_of(REPORT)))
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "title description"
    assert root.find(f"{SVG}title").text == "drachm bench growth"
    assert "A <fast> & good one" in root.find(f"{SVG}desc").text


def test_every_point_has_a_mark_and_every_line_a_key() -> None:
    root = ElementTree.fromstring(svg_of(chart_of(REPORT)))
    # Two circles for the first line of each panel and one for its key.
    assert len(root.findall(f"{SVG}circle")) == 2 * 3
    assert len(root.findall(f"{SVG}polyline")) == 4
    words = {text.text for text in root.findall(f"{SVG}text")}
    assert {"Drachm", "pgbench", "Python", "PostgreSQL"} <= words


def test_higher_values_stand_higher() -> None:
    panel = Panel("y", (Line("a", [(1, 1.0), (2, 3.0)]),))
    root = ElementTree.fromstring(svg_of(Chart("t", "d", "x", (panel,))))
    (x1, y1), (x2, y2) = (map(float, at.split(",")) for at in root.find(f"{SVG}polyline").get("points").split())
    assert x2 > x1
    assert y2 < y1


def test_the_table_says_what_the_chart_shows() -> None:
    table = table_of(chart_of(REPORT))
    assert "| 100,000 | 9,000 | 3,000 | 30 | 35 |" in table
    assert "| 500,000 | 8,000 | 3,100 | 31 | 41 |" in table


def test_a_report_with_loads_is_drawn_against_them(tmp_path: Path) -> None:
    file = tmp_path / "latency.svg"
    twin = write_chart({**REPORT, "command": "latency", "loads": LOADS}, file)
    assert "| 200 | 2 | 20 | 0 |" in twin.read_text()
    assert "offered events a second" in file.read_text()


def test_rounds_are_drawn_where_there_are_no_points() -> None:
    rounds = [{"kept": kept, "rows_before": 10, "events_per_second": 5.0, "pgbench_tps": [2.0, 4.0], "python_us": 1.0,
               "postgres_us": 1.0} for kept in (True, False)]  # fmt: skip
    report = {key: value for key, value in REPORT.items() if key != "points"} | {"every_round": rounds}
    assert "| 10 | 5 | 3 | 1 | 1 |" in table_of(chart_of(report))


@pytest.mark.parametrize("most", [0, 0.7, 1, 9.9, 12, 123, 4_999, 5_001, 1_000_000])
def test_an_axis_holds_its_highest_value(most: float) -> None:
    end, step = _scale(most)
    assert end >= most
    assert 2 <= round(end / step) <= 10
