"""How did the published cases come out?

Counts per country and family, and for every case that did not pass what disagrees. `as_json` is the documented form
(docs/reference/conformance.md); `render` is the same for a reader.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from drachm.adapters.vectors.compare import Difference
from drachm.adapters.vectors.read import Label

Result = Literal["passed", "failed", "unsupported", "reconcile", "reconcile_failed", "other_module"]
COLUMNS: Final[tuple[Result, ...]] = (
    "passed",
    "failed",
    "unsupported",
    "reconcile",
    "reconcile_failed",
    "other_module",
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one case."""

    label: Label
    result: Result
    differences: tuple[Difference, ...] = ()
    names: tuple[str, ...] = ()
    """Names outside the vocabulary, or without a meaning in this kind of plan."""
    problem: str = ""
    """Why nothing could be computed although every name is known."""


@dataclass(frozen=True, slots=True)
class Example:
    """One standard example of the Summary of Benefits and Coverage, counted in plans."""

    name: str
    plans: int
    reproduced: int
    misses: Mapping[str, int]
    """Kind of miss -> plans."""


@dataclass(frozen=True, slots=True)
class ConformanceReport:
    """The outcome of one file of published results."""

    source: str
    """Name of the file."""
    verdicts: tuple[Verdict, ...] = ()
    examples: tuple[Example, ...] = ()
    """Only for a file of reported example costs."""
    by_result: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        counts = Counter(verdict.result for verdict in self.verdicts)
        counts["passed"] += sum(example.reproduced for example in self.examples)
        object.__setattr__(self, "by_result", {column: counts[column] for column in COLUMNS})

    @property
    def ok(self) -> bool:
        """No case that we compute disagrees with its source."""
        return self.by_result["failed"] == 0

    @property
    def not_reproduced(self) -> int:
        """Reported results that one deductible, one coinsurance and one maximum do not explain, in plans."""
        return sum(example.plans - example.reproduced for example in self.examples)


def as_json(report: ConformanceReport) -> dict[str, Any]:
    """The report as one JSON object with stable keys."""
    return {
        **report.by_result,
        "ok": report.ok,
        "source": report.source,
        "counted_in": "plans" if report.examples else "cases",
        "failures": [_case(verdict) for verdict in report.verdicts if verdict.result == "failed"],
        "unsupported_cases": [_case(verdict) for verdict in report.verdicts if verdict.result == "unsupported"],
        "reconcile_failures": [_case(verdict) for verdict in report.verdicts if verdict.result == "reconcile_failed"],
        "by_country": _grouped(report, lambda verdict: verdict.label.country),
        "by_family": _grouped(report, lambda verdict: verdict.label.family),
        "not_reproduced": report.not_reproduced,
        "by_example": {
            example.name: {"plans": example.plans, "reproduced": example.reproduced, "misses": dict(example.misses)}
            for example in report.examples
        },
    }


def render(report: ConformanceReport) -> str:
    """The report as text, tables first, then every case that needs a look."""
    if report.examples:
        return "\n".join(_examples(report))
    text = [f"{report.source}: {len(report.verdicts)} cases", ""]
    text += _table("country", _grouped(report, lambda verdict: verdict.label.country))
    text += ["", *_table("family", _grouped(report, lambda verdict: verdict.label.family)), ""]
    for verdict in report.verdicts:
        if verdict.result in ("failed", "unsupported", "reconcile_failed"):
            text += _told(verdict)
    text.append(", ".join(f"{report.by_result[column]} {column.replace('_', ' ')}" for column in COLUMNS))
    return "\n".join(text)


def _case(verdict: Verdict) -> dict[str, Any]:
    return {
        "id": verdict.label.id,
        "family": verdict.label.family,
        "country": verdict.label.country,
        "names": list(verdict.names),
        "problem": verdict.problem,
        "differences": [
            {"name": found.name, "expected": found.expected, "computed": found.computed}
            for found in verdict.differences
        ],
    }


def _grouped(report: ConformanceReport, group: Callable[[Verdict], str]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {}
    for verdict in report.verdicts:
        counts.setdefault(group(verdict), Counter())[verdict.result] += 1
    return {name: {column: counts[name][column] for column in COLUMNS} for name in sorted(counts)}


def _table(title: str, rows: Mapping[str, Mapping[str, int]]) -> list[str]:
    width = max(len(name) for name in (title, *rows))
    heads = [column.replace("_", " ") for column in COLUMNS]
    text = [f"{title:<{width}}  " + "  ".join(heads)]
    for name, row in rows.items():
        cells = (f"{row[column] or '-':>{len(head)}}" for column, head in zip(COLUMNS, heads, strict=True))
        text.append(f"{name:<{width}}  " + "  ".join(cells))
    return text


def _told(verdict: Verdict) -> list[str]:
    text = [f"{verdict.result.replace('_', ' ')}: {verdict.label.id} ({verdict.label.country}, {verdict.label.family})"]
    text += [f"  {name}" for name in verdict.names]
    text += [f"  {verdict.problem}"] if verdict.problem else []
    text += [f"  {found.name}: printed {found.expected}, computed {found.computed}" for found in verdict.differences]
    return [*text, ""]


def _examples(report: ConformanceReport) -> list[str]:
    text = [f"{report.source}: reported costs of standard examples, counted in plans", ""]
    for example in report.examples:
        text.append(f"{example.name}: {example.reproduced:,} of {example.plans:,} reproduced")
        text += [f"  {plans:>6,}  {kind}" for kind, plans in example.misses.items()]
    text += ["", f"{report.by_result['passed']:,} reproduced, {report.not_reproduced:,} with benefits by service"]
    return text
