"""Files of published results: damaged ones are refused clearly, damaged cases end in a verdict."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drachm.adapters.vectors import run
from drachm.adapters.vectors.run import run_cases
from drachm.domain.errors import InvalidMessage

BUNDLED = Path(__file__).resolve().parents[2] / "samples" / "vectors"


HEADER = (BUNDLED / "sbc-marketplace-2021.csv").read_text("utf-8").splitlines()[0]


@pytest.mark.parametrize(
    "text",
    ["{", "[1, 2", '{"cases": 3}', '{"cases": [], "cases": []}', "", "a,b\n1,2\n", "[]", '{"cases": []}', HEADER,
     f"{HEADER}\n{'9' * 200_000}\n"],
)  # fmt: skip
def test_a_file_that_is_neither_form_or_holds_nothing_is_refused_clearly(tmp_path: Path, text: str) -> None:
    file = tmp_path / "cases"
    file.write_text(text, "utf-8")
    with pytest.raises(InvalidMessage) as refusal:
        run(file)
    assert refusal.value.where
    assert refusal.value.next_step


def test_a_file_named_json_is_told_about_json(tmp_path: Path) -> None:
    for data, code in ((b"null", "invalid_cases"), (b"", "malformed_json"), (b"\xff\xfe{\0", "not_utf8")):
        (tmp_path / "cases.json").write_bytes(data)
        with pytest.raises(InvalidMessage) as refusal:
            run(tmp_path / "cases.json")
        assert refusal.value.code == code


def test_a_missing_file_is_refused_clearly(tmp_path: Path) -> None:
    with pytest.raises(InvalidMessage):
        run(tmp_path / "nothing.json")


@pytest.mark.parametrize(
    ("column", "value"), [(1, "much"), (3, "101"), (5, "-1"), (5, ""), (5, "²"), (6, ""), (0, None)]
)
def test_a_bad_row_of_reported_costs_is_refused_with_its_line(tmp_path: Path, column: int, value: str | None) -> None:
    lines = (BUNDLED / "sbc-marketplace-2021.csv").read_text("utf-8").splitlines()[:3]
    cells = lines[2].split(",")
    cells[column : column + 1] = [] if value is None else [value]
    file = tmp_path / "costs.csv"
    file.write_text("\n".join([*lines[:2], ",".join(cells)]) + "\n", "utf-8")
    with pytest.raises(InvalidMessage) as refusal:
        run(file)
    assert "line 3" in refusal.value.where


def test_a_row_without_maximum_has_no_limit(tmp_path: Path) -> None:
    file = tmp_path / "costs.csv"
    file.write_text(f"{HEADER}\nbaby,12700,1000,20,,7,1000,2340,0\nbaby,12700,1000,20,3000,5,1000,2340,0\n", "utf-8")
    [example] = run(file).examples
    assert (example.plans, example.reproduced) == (12, 7)
    assert example.misses == {"reported coinsurance is higher": 5}


def test_damaged_cases_end_in_a_verdict_never_in_a_crash() -> None:
    chance = random.Random("damage")
    values: list[Any] = [
        None,
        "",
        "x",
        "-5",
        "0",
        "1e9",
        "0.0000001",
        -1,
        3,
        10**9,
        True,
        [],
        ["insurance"],
        {},
        {"a": 1},
    ]
    for item in json.loads((BUNDLED / "adjudication.json").read_text("utf-8"))["cases"]:
        for _ in range(8):
            damaged = copy.deepcopy(item)
            for _ in range(chance.randint(1, 3)):
                holder, key = chance.choice(list(places(damaged)))
                if chance.random() < 0.3:
                    del holder[key]
                else:
                    holder[key] = chance.choice(values)
            [verdict] = run_cases([damaged])
            assert verdict.problem == "", (verdict, damaged)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a parsed document that can be changed."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    for key in keys:
        yield value, key
    for key in keys:
        yield from places(value[key])
