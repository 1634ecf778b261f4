"""Do our plans give what insurers reported for the standard examples?

Reads a file of reported Summary of Benefits and Coverage costs (CMS Plan Attributes public use files): one row per
distinct set of deductible, coinsurance, maximum and reported parts, and how many plans share it. Each row becomes one
ordinary plan document, and its example one covered amount. The form is printed in hundreds of dollars, so a part that
lies within 100 of the reported one is reproduced. What differs more has benefits that differ by service (drugs or
visits before the deductible, exclusions); those are counted by the kind of miss.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from drachm.adapters.vectors.report import Example
from drachm.domain.benefits import Adjudication, Line, adjudicate, build_stack, load_plan
from drachm.domain.errors import InvalidMessage
from drachm.domain.money import MICROS, micros

COLUMNS: Final = (
    "example",
    "total_cost",
    "deductible",
    "coinsurance_percent",
    "out_of_pocket_max",
    "plans",
    "reported_deductible",
    "reported_coinsurance",
    "reported_limits_or_exclusions",
)
FORM_ROUNDING: Final = 100 * MICROS
_AT: Final = datetime(2021, 7, 1, 17, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Row:
    """One distinct set of values; money in micros."""

    example: str
    total_cost: int
    deductible: int
    coinsurance_ppm: int
    out_of_pocket_max: int | None
    plans: int
    reported_deductible: int
    reported_coinsurance: int


def read_rows(data: bytes, source: str) -> Iterator[Row]:
    """The rows of the file; `InvalidMessage` names the line that cannot be read."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refusal("the bytes are not UTF-8", source) from None
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        yield from _rows(reader, source)
    except csv.Error as problem:
        raise _refusal(f"the line cannot be read: {problem}", f"{source} line {reader.line_num}") from None


def _rows(reader: csv.DictReader[str], source: str) -> Iterator[Row]:
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise _refusal(f"the header lacks {', '.join(missing)}", f"{source} line 1")
    for fields in reader:
        if None in fields or None in fields.values():
            raise _refusal("the row has more or fewer cells than the header", f"{source} line {reader.line_num}")
        yield _row(fields, f"{source} line {reader.line_num}")
    if reader.line_num < 2:
        raise _refusal("there is no row below the header", source)


def examples(rows: Iterator[Row]) -> tuple[Example, ...]:
    """Every example with the plans that are reproduced and the misses by kind, most frequent first."""
    plans: Counter[str] = Counter()
    reproduced: Counter[str] = Counter()
    misses: dict[str, Counter[str]] = {}
    for row in rows:
        plans[row.example] += row.plans
        miss = _miss(row)
        if miss:
            misses.setdefault(row.example, Counter())[miss] += row.plans
        else:
            reproduced[row.example] += row.plans
    return tuple(
        Example(name, plans[name], reproduced[name], dict(misses.get(name, Counter()).most_common())) for name in plans
    )


def _miss(row: Row) -> str:
    """How the reported parts differ from ours; empty when both lie within the form's rounding."""
    answer = _answer(row)
    parts = {share.component: share.amount for share in answer.shares if share.bearer == "patient"}
    reported = {"deductible": row.reported_deductible, "coinsurance": row.reported_coinsurance}
    words = []
    for name, printed in reported.items():
        difference = printed - parts.get(name, 0)
        if abs(difference) > FORM_ROUNDING:
            words.append(f"reported {name} is {'higher' if difference > 0 else 'lower'}")
    return ", ".join(words)


def _answer(row: Row) -> Adjudication:
    document = {
        "id": "reported-plan",
        "version": "1",
        "payer": "plan",
        "currency": "USD",
        "zone": "America/New_York",
        "effective": {"from": "2021-01-01"},
        "accumulators": [
            {"id": name, "scope": "person", "period": "benefit_year", "feeds": [{"of": measure}]}
            for name, measure in (("deductible", "deductible"), ("out_of_pocket", "cost_share"))
        ],
        "steps": [
            {
                "id": "deductible",
                "kind": "deductible",
                "clause": "deductible",
                "limits": [{"accumulator": "deductible", "limit": row.deductible}],
            },
            {"id": "coinsurance", "kind": "coinsurance", "clause": "coinsurance", "ppm": row.coinsurance_ppm},
            {
                "id": "maximum",
                "kind": "out_of_pocket_max",
                "clause": "out-of-pocket limit",
                "limits": [{"accumulator": "out_of_pocket", "limit": row.out_of_pocket_max}],
            },
        ],
    }
    line = Line(row.example, row.total_cost, row.total_cost, _AT, member="peg")
    return adjudicate(line, build_stack([load_plan(document)]), {})


def _row(fields: Mapping[str, str], where: str) -> Row:
    def money(name: str) -> int:
        return micros(fields[name].strip(), where=f"{where} {name}")

    percent = money("coinsurance_percent")
    if not 0 <= percent <= 100 * MICROS or percent % 100:
        raise _refusal(
            "the percent is not between 0 and 100 with at most four decimals", f"{where} coinsurance_percent"
        )
    plans = fields["plans"].strip()
    if not plans.isascii() or not plans.isdigit():
        raise _refusal("the number of plans is not a count", f"{where} plans")
    return Row(
        example=fields["example"].strip(),
        total_cost=money("total_cost"),
        deductible=money("deductible"),
        coinsurance_ppm=percent // 100,
        out_of_pocket_max=money("out_of_pocket_max") if fields["out_of_pocket_max"].strip() else None,
        plans=int(plans),
        reported_deductible=money("reported_deductible"),
        reported_coinsurance=money("reported_coinsurance"),
    )


def _refusal(problem: str, where: str) -> InvalidMessage:
    return InvalidMessage(
        problem,
        where=where,
        next_step=f"Send a table with the columns {', '.join(COLUMNS)}.",
        code="invalid_examples",
    )
