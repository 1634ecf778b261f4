"""How does it look? Line charts as plain SVG, each with a title, a description and a table that says the same.

No library: a chart is text. Lines differ by dash and by the mark of their points, not by colour alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10
from pathlib import Path
from typing import Any, Final

from drachm.bench.report import core_words

WIDTH: Final = 760
PANEL: Final = 230
LEFT, RIGHT, TOP, BELOW = 84, 150, 64, 66

Points = Sequence[tuple[float, float]]

_STYLES: Final = (("#005ea5", "", "circle"), ("#b8400d", "6 3", "square"), ("#3c6e21", "2 3", "diamond"))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a panel."""

    name: str
    points: Points


@dataclass(frozen=True, slots=True)
class Panel:
    """One pair of axes; panels of a chart stand below each other and share the x axis."""

    label: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn."""

    title: str
    description: str
    x_label: str
    panels: tuple[Panel, ...]


def chart_of(report: dict[str, Any]) -> Chart:
    """The chart of a report: waits against offered load, or throughput and processor time against journal rows."""
    if "loads" in report:
        loads = report["loads"]
        waits = [_line(f"wait, {p}", loads, "offered_per_second", f"wait_ms_{p}") for p in ("p50", "p99")]
        lost = _line("dropped", loads, "offered_per_second", "dropped")
        return _chart(
            report, "offered events a second", [Panel("ms to commit", tuple(waits)), Panel("events", (lost,))]
        )
    points = report.get("points")
    rows = points or [one for one in report["every_round"] if one["kept"]]
    x = "rows" if points else "rows_before"
    panels = [
        Panel("events a second", (_line("Drachm", rows, x, "events_per_second"), _reference(rows, x, bool(points)))),
        Panel("CPU us an event", (_line("Python", rows, x, "python_us"), _line("PostgreSQL", rows, x, "postgres_us"))),
    ]
    return _chart(report, "journal rows before the round", panels)


def write_chart(report: dict[str, Any], file: Path) -> Path:
    """Write the chart, and beside it the table; returns the table's path."""
    chart = chart_of(report)
    file.write_text(svg_of(chart), "utf-8")
    twin = file.with_suffix(".md")
    twin.write_text(table_of(chart), "utf-8")
    return twin


def svg_of(chart: Chart) -> str:
    """The chart as an SVG document."""
    height = TOP + len(chart.panels) * (PANEL + BELOW)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'aria-labelledby="title description" font-family="system-ui, DejaVu Sans, sans-serif" font-size="13">',
        f'<title id="title">{escape(chart.title)}</title>',
        f'<desc id="description">{escape(chart.description)}</desc>',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="28" font-size="17" font-weight="600">{escape(chart.title)}</text>',
    ]
    for place, panel in enumerate(chart.panels):
        parts += _panel(panel, chart.x_label, TOP + place * (PANEL + BELOW))
    return "\n".join([*parts, "</svg>", ""])


def table_of(chart: Chart) -> str:
    """The same as a table in Markdown, for those who do not see the chart."""
    lines = [line for panel in chart.panels for line in panel.lines]
    heads = [f"{line.name} ({panel.label})" for panel in chart.panels for line in panel.lines]
    every = sorted({x for line in lines for x, _ in line.points})
    rows = [[_number(x), *(_at(line, x) for line in lines)] for x in every]
    table = [[chart.x_label, *heads], ["---:"] * (len(heads) + 1), *rows]
    drawn = "\n".join("| " + " | ".join(cells) + " |" for cells in table)
    return f"# {chart.title}\n\n{chart.description}\n\n{drawn}\n"


def _chart(report: dict[str, Any], x_label: str, panels: list[Panel]) -> Chart:
    machine = report["machine"]
    return Chart(
        title=f"drachm bench {report['command']}",
        description=(
            f"{report['families']:,} families, {report['writers']} writers, batches of {report['batch']:,}, seed "
            f"{report['seed']}. {machine['cores']} cores of {machine['cpu']}, PostgreSQL {machine['postgres']}, Python "
            f"{machine['python']}, {core_words(machine)}. Books agree: {'yes' if report['books_ok'] else 'no'}."
        ),
        x_label=x_label,
        panels=tuple(panels),
    )


def _line(name: str, rows: Iterable[dict[str, Any]], x: str, y: str) -> Line:
    return Line(name, [(float(row[x]), float(row[y])) for row in rows if row.get(y) is not None])


def _reference(rows: Sequence[dict[str, Any]], x: str, medians: bool) -> Line:
    if medians:
        return _line("pgbench", rows, x, "pgbench_tps")
    beside = [(float(row[x]), row["pgbench_tps"]) for row in rows if row["pgbench_tps"]]
    return Line("pgbench", [(at, sum(rates) / len(rates)) for at, rates in beside])


def _panel(panel: Panel, x_label: str, top: float) -> list[str]:
    points = [point for line in panel.lines for point in line.points]
    x_most, x_step = _scale(max((x for x, _ in points), default=1.0))
    y_most, y_step = _scale(max((y for _, y in points), default=1.0))
    bottom, right = top + PANEL, WIDTH - RIGHT

    def place(x: float, y: float) -> tuple[float, float]:
        return LEFT + x / x_most * (right - LEFT), bottom - y / y_most * PANEL

    parts = [f'<text x="{LEFT}" y="{top - 8:.0f}" fill="#333333">{escape(panel.label)}</text>']
    for n in range(round(y_most / y_step) + 1):
        _, y = place(0, n * y_step)
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#d8d8d8"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_number(n * y_step)}</text>')
    for n in range(round(x_most / x_step) + 1):
        x, _ = place(n * x_step, 0)
        parts.append(f'<text x="{x:.1f}" y="{bottom + 18:.0f}" text-anchor="middle">{_number(n * x_step)}</text>')
    parts.append(f'<line x1="{LEFT}" y1="{bottom}" x2="{right}" y2="{bottom}" stroke="#333333"/>')
    parts.append(f'<text x="{right}" y="{bottom + 36:.0f}" text-anchor="end" fill="#333333">{escape(x_label)}</text>')
    for number, line in enumerate(panel.lines):
        places = [place(x, y) for x, y in sorted(line.points)]
        parts += _drawn(line.name, places, _STYLES[number % len(_STYLES)], (right + 14, top + 14 + 22 * number))
    return parts


def _drawn(
    name: str, places: Sequence[tuple[float, float]], style: tuple[str, str, str], key: tuple[float, float]
) -> list[str]:
    colour, dash, mark = style
    pen = f'fill="none" stroke="{colour}" stroke-width="2"' + (f' stroke-dasharray="{dash}"' if dash else "")
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    parts = [f'<polyline points="{path}" {pen}/>'] if places else []
    parts += [_mark(mark, x, y, colour) for x, y in (*places, key)]
    return [*parts, f'<text x="{key[0] + 12:.0f}" y="{key[1] + 4:.0f}">{escape(name)}</text>']


def _mark(kind: str, x: float, y: float, colour: str) -> str:
    if kind == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
    turned = f' transform="rotate(45 {x:.1f} {y:.1f})"' if kind == "diamond" else ""
    return f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" fill="{colour}"{turned}/>'


def _scale(most: float) -> tuple[float, float]:
    """The end of an axis and the step of its marks: 1, 2 or 5 times a power of ten, four to ten of them."""
    if most <= 0:
        return 1.0, 0.5
    power = 10.0 ** floor(log10(most))
    step = next(power * part for part in (0.1, 0.2, 0.5, 1.0) if most / (power * part) <= 10)
    marks = -(-most // step)
    return marks * step, step


def _at(line: Line, x: float) -> str:
    return ", ".join(_number(y) for at, y in line.points if at == x)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.2f}"
