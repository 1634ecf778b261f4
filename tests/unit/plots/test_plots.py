"""Plots say what their values say: from zero, in whole numbers, with words for whoever does not see them."""

from __future__ import annotations

import csv
import io
import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drachm.adapters.plots.columns import Column, Mark, columns
from drachm.adapters.plots.scales import WHOLE, along, em, percent, shares, short, ticks
from drachm.adapters.plots.sheets import BOM, guarded, sheet
from drachm.adapters.plots.strips import Cell, strip
from drachm.domain.errors import IntegrityError

values = st.lists(st.integers(0, 10**15), min_size=1, max_size=12)
XSS = "\"><script>alert(1)</script>&'"


def parsed(markup: object) -> ElementTree.Element:
    return ElementTree.fromstring(str(markup))


def lengths(root: ElementTree.Element, kind: str, name: str) -> list[float]:
    found = [one.get(name, "") for one in root.iter("rect") if one.get("class") == kind]
    return [float(one.removesuffix("em").removesuffix("%")) for one in found]


@given(st.integers(0, 10**18), st.integers(1, 9))
def test_an_axis_begins_at_zero_in_round_steps_and_holds_the_largest(most: int, about: int) -> None:
    found = ticks(most, about)
    assert found[0] == 0
    assert found[-1] >= most
    steps = {after - before for before, after in pairwise(found)}
    assert len(steps) == 1
    assert str(steps.pop()).rstrip("0") in ("1", "2", "5")
    assert len(found) <= about + 1 or most == 0


@given(st.integers(0, 10**18), st.integers(1, 10**18))
def test_a_bar_is_as_long_as_its_value_and_never_vanishes(value: int, most: int) -> None:
    length = along(value, most)
    assert 0 <= length <= WHOLE
    assert (length > 0) == (value > 0)
    if WHOLE // 1000 < length < WHOLE:
        assert abs(length * most - value * WHOLE) <= most


@given(values)
def test_parts_fill_the_whole(parts: list[int]) -> None:
    assert sum(shares(parts)) == (WHOLE if sum(parts) else 0)


def test_lengths_and_short_numbers_are_written_exactly() -> None:
    assert [percent(one) for one in (0, 1, 12_500, 100_000)] == ["0%", "0.001%", "12.5%", "100%"]
    assert em(-1_250) == "-1.25em"
    assert [short(one) for one in (0, 999, 1_000, 1_250_000, 3_000_000_000)] == ["0", "999", "1k", "1.25m", "3bn"]
    with pytest.raises(IntegrityError):
        ticks(-1)


@given(values)
def test_columns_stand_on_zero_and_compare_as_their_values_do(heights: list[int]) -> None:
    drawn = [Column("you", f"c{at}", 0, height, str(height)) for at, height in enumerate(heights)]
    root = parsed(columns("p", "How much?", "So much.", drawn))
    tall = [one for one in heights if one]
    found = lengths(root, "you", "height")
    assert len(found) == len(tall)
    if tall:
        largest, longest = max(tall), max(found)
        for height, length in zip(tall, found, strict=True):
            assert length == pytest.approx(max(0.12, longest * height / largest), abs=0.003)
    bottoms = {round(y + h, 2) for y, h in zip(lengths(root, "you", "y"), found, strict=True) if h > 0.13}
    assert bottoms <= {16.6}


def test_a_plot_has_a_title_a_description_and_nothing_that_runs() -> None:
    drawn = [Column("you", XSS, 0, 5, XSS), Column("cut", "b", 2, 5)]
    for markup in (
        columns("p", XSS, XSS, drawn, marks=[Mark("half", 500, XSS)], joined=True),
        strip("p", XSS, XSS, [Cell("s1", XSS), Cell("trouble", "t"), Cell("none", "n")], [(0, XSS), (3, "end")]),
    ):
        root = parsed(markup)
        assert root.get("role") == "img"
        assert root.get("aria-labelledby") == "p-t p-d"
        assert [one.text for one in root if one.tag in ("title", "desc")] == [XSS, XSS]
        assert not list(root.iter("script"))
        assert "style=" not in str(markup)
        assert not re.search(r"\bon[a-z]+=", str(markup).replace(XSS, ""))


def test_a_plot_of_nothing_is_its_axes() -> None:
    root = parsed(columns("p", "t", "d", []))
    assert not list(root.iter("rect"))
    assert [one.get("class") for one in root.iter("line")][-1] == "base"


def test_trouble_is_not_told_by_colour_alone() -> None:
    root = parsed(strip("p", "t", "d", [Cell("s1", "a"), Cell("trouble", "b"), Cell("none", "c")], []))
    assert [one.text for one in root.iter("text")] == ["×", "·"]


FORMULAS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    "=cmd|' /C calc'!A0",
    "-2+3",
    "＝1",
    "%0A=1",
]


@pytest.mark.parametrize("cell", FORMULAS)
def test_no_cell_of_a_file_is_a_formula(cell: str) -> None:
    text = sheet(["a", cell], [[cell, 5]]).decode()
    assert text.startswith(BOM)
    rows = list(csv.reader(io.StringIO(text.removeprefix(BOM), newline="")))
    assert rows == [["a", f"'{cell}"], [f"'{cell}", "5"]]


@given(st.text())
def test_a_guarded_cell_begins_with_nothing_risky_unless_it_is_a_number(cell: str) -> None:
    out = guarded(cell)
    assert out in (cell, f"'{cell}")
    assert re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", out) or not out.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))


def test_numbers_stay_numbers() -> None:
    assert [guarded(one) for one in ("-2.50", "0", "12")] == ["-2.50", "0", "12"]
